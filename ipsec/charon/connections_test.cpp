// SPDX-License-Identifier: GPL-2.0-or-later
// Golden: what charon is told for a configuration.
#include "ipsec/charon/connections.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <map>

#include "config/load.h"
#include "ipsec/charon/test_sites.h"

namespace masugata::ipsec {
namespace {

TEST(Connections, APresharedSecret) {
  const ConnectionPlan plan = plan_connections(model_of_sites(R"(
site osaka {
    peer 198.51.100.7; local-interface wan0;
    authentication { psk "correct horse battery staple"; }
    local-networks 10.0.1.0/24; remote-networks [ 10.20.0.0/16 10.21.0.0/24 ];
})"),
                                               TestKeyStore());
  ASSERT_TRUE(plan.faults.empty());
  ASSERT_EQ(plan.sites.size(), 1U);
  EXPECT_TRUE(plan.sites[0].keep_up);
  EXPECT_EQ(to_text(plan.sites[0].connection), R"(osaka {
  local_addrs = [ 203.0.113.2 ]
  remote_addrs = [ 198.51.100.7 ]
  version = 2
  proposals = [ aes128gcm16-prfsha256-x25519 aes128gcm16-prfsha256-ecp256 aes256gcm16-prfsha384-ecp384 aes256-sha256-ecp256 aes256-sha256-modp3072 ]
  fragmentation = yes
  mobike = no
  encap = no
  rekey_time = 14400s
  dpd_delay = 10s
  keyingtries = 1
  unique = no
  local {
    auth = psk
    id = 203.0.113.2
  }
  remote {
    auth = psk
    id = 198.51.100.7
  }
  children {
    osaka {
      local_ts = [ 10.0.1.0/24 ]
      remote_ts = [ 10.20.0.0/16 10.21.0.0/24 ]
      esp_proposals = [ aes128gcm16-x25519-ecp256-ecp384-esn-noesn aes256gcm16-x25519-ecp256-ecp384-esn-noesn aes256-sha256-x25519-ecp256-ecp384-esn-noesn ]
      mode = tunnel
      if_id_in = 1551032030
      if_id_out = 1551032030
      reqid = 1551032030
      rekey_time = 3600s
      rekey_packets = 3000000000
      replay_window = 1024
      copy_dscp = out
      start_action = none
      dpd_action = clear
      close_action = none
    }
  }
}
)");
  ASSERT_TRUE(plan.sites[0].shared);
  EXPECT_EQ(to_text(*plan.sites[0].shared), R"(id = osaka
type = IKE
data = (hidden)
owners = [ 203.0.113.2 198.51.100.7 ]
)");
  EXPECT_EQ(plan.sites[0].shared->value("data"), "correct horse battery staple");
}

TEST(Connections, TransportModeIsBetweenTheAddressesOfBothEnds) {
  for (const char* version : {"1", "2"}) {
    const ConnectionPlan plan = plan_connections(
        model_of_sites(std::string("site osaka { peer 198.51.100.7; local-interface wan0;"
                                   " transport-mode; zone branches; ike { version ") +
                       version + "; } authentication { psk \"correct horse battery staple\"; } }"),
        TestKeyStore());
    ASSERT_EQ(plan.sites.size(), 1U);
    const ViciSection& children = *plan.sites[0].connection.section("osaka")->section("children");
    ASSERT_EQ(children.entries().size(), 1U);
    const ViciSection& child = *children.section("osaka");
    EXPECT_EQ(child.value("mode"), "transport");
    EXPECT_EQ(*child.list("local_ts"), ViciSection::List{"dynamic"});
    EXPECT_EQ(*child.list("remote_ts"), ViciSection::List{"dynamic"});
  }
}

TEST(Connections, CertificatesOfAPeerOfAnyAddress) {
  const ConnectionPlan plan = plan_connections(model_of_sites(R"(
site nagoya {
    peer any; zone branches;
    authentication { certificate hq; ca [ own partner ]; revocation strict;
                     remote-identity nagoya.example.com; }
    ike { udp-encapsulation always; mobike on; fragmentation off; }
    esp { pfs off; esn on; rekey-bytes 1G; copy-dscp both; }
})"),
                                               TestKeyStore());
  ASSERT_EQ(plan.sites.size(), 1U);
  EXPECT_FALSE(plan.sites[0].keep_up);
  EXPECT_EQ(to_text(plan.sites[0].connection), R"(nagoya {
  remote_addrs = [ %any ]
  version = 2
  proposals = [ aes128gcm16-prfsha256-x25519 aes128gcm16-prfsha256-ecp256 aes256gcm16-prfsha384-ecp384 aes256-sha256-ecp256 aes256-sha256-modp3072 ]
  fragmentation = no
  mobike = yes
  encap = yes
  rekey_time = 14400s
  dpd_delay = 10s
  keyingtries = 1
  unique = replace
  send_cert = always
  local {
    auth = pubkey
    certs = [ certificate hq ]
  }
  remote {
    auth = pubkey
    id = nagoya.example.com
    cacerts = [ authority own authority partner ]
    revocation = strict
  }
  children {
    nagoya {
      local_ts = [ 0.0.0.0/0 ::/0 ]
      remote_ts = [ 0.0.0.0/0 ::/0 ]
      esp_proposals = [ aes128gcm16-esn aes256gcm16-esn aes256-sha256-esn ]
      mode = tunnel
      if_id_in = 1515784188
      if_id_out = 1515784188
      reqid = 1515784188
      rekey_time = 3600s
      rekey_bytes = 1073741824
      replay_window = 1024
      copy_dscp = yes
      start_action = none
      dpd_action = clear
      close_action = none
    }
  }
}
)");
  EXPECT_FALSE(plan.sites[0].shared);
  EXPECT_EQ(plan.sites[0].key->value("data"), "key hq");
  ASSERT_EQ(plan.sites[0].certificates.size(), 3U);
  EXPECT_EQ(to_text(plan.sites[0].certificates[1], {}),
            "type = X509_CRL\nflag = NONE\ndata = list of own\n");
}

TEST(Connections, VersionOneHasOneSelectorAndOneGroupEach) {
  const ConnectionPlan plan = plan_connections(model_of_sites(R"(
site kobe {
    peer kobe.example.com; role initiate; start on-traffic;
    authentication { psk "correct horse battery staple"; local-identity hq; }
    ike { version 1; proposal aes256-sha256-modp2048; } esp { proposal aes256-sha256; pfs [ modp2048 ecp256 ]; }
    local-networks [ 10.0.1.0/24 10.0.3.0/24 ]; remote-networks 10.30.0.0/16;
})"),
                                               TestKeyStore());
  ASSERT_EQ(plan.sites.size(), 1U);
  const ViciSection& kobe = *plan.sites[0].connection.section("kobe");
  EXPECT_EQ(kobe.value("version"), "1");
  EXPECT_EQ(kobe.value("dpd_timeout"), "30s");
  EXPECT_EQ(kobe.section("remote")->value("id"), "kobe.example.com");
  EXPECT_EQ(kobe.section("local")->value("id"), "hq");
  const ViciSection& children = *kobe.section("children");
  ASSERT_EQ(children.entries().size(), 2U);
  EXPECT_EQ(plan.sites[0].children, (std::vector<std::string>{"kobe", "kobe-2"}));
  const ViciSection& second = *children.section("kobe-2");
  EXPECT_EQ(*second.list("local_ts"), ViciSection::List{"10.0.3.0/24"});
  EXPECT_EQ(*second.list("esp_proposals"),
            (ViciSection::List{"aes256-sha256-modp2048", "aes256-sha256-ecp256"}));
  EXPECT_FALSE(second.has("reqid"));
  EXPECT_EQ(second.value("start_action"), "trap");
}

TEST(Connections, TheSameConfigurationGivesTheSameBytes) {
  const std::string text = five_sites();
  const ConnectionPlan one = plan_connections(model_of_sites(text), TestKeyStore());
  const ConnectionPlan other = plan_connections(model_of_sites(text), TestKeyStore());
  ASSERT_EQ(one.sites.size(), 5U);
  for (size_t i = 0; i < one.sites.size(); ++i) {
    EXPECT_EQ(*encode_vici(one.sites[i].connection), *encode_vici(other.sites[i].connection));
  }
}

TEST(Connections, WhatIsMissingNamesTheSite) {
  const ConnectionPlan plan = plan_connections(model_of_sites(R"(
site a { peer 198.51.100.1; authentication { certificate lost; ca own; } }
site b { peer 198.51.100.2; authentication { certificate hq; ca lost; } }
site c { peer 198.51.100.3; authentication { psk-file /nonexistent/secret; } }
site d { peer 198.51.100.4; authentication { psk "correct horse battery staple"; } disable; })"),
                                               TestKeyStore());
  EXPECT_TRUE(plan.sites.empty());
  ASSERT_EQ(plan.faults.size(), 3U) << "what is disabled is not looked at";
  EXPECT_EQ(plan.faults[0].message(), "line 4, vpn site a: lost: no such certificate");
  EXPECT_EQ(plan.faults[1].message(), "line 5, vpn site b: lost: no such CA");
  EXPECT_EQ(plan.faults[2].message(),
            "line 6, vpn site c: /nonexistent/secret: No such file or directory");
}

class SecretFile : public testing::Test {
 protected:
  void write(const std::string& text, mode_t mode) {
    std::ofstream(path_) << text;
    ::chmod(path_.c_str(), mode);
  }
  void TearDown() override { std::filesystem::remove(path_); }
  std::string path_ = testing::TempDir() + "masugata-secret-" + std::to_string(::getpid());
};

TEST_F(SecretFile, IsItsFirstLine) {
  write("swordfish \n", 0600);
  EXPECT_EQ(read_secret_file(path_)->reveal(), "swordfish ");
  write("swordfish\r\nmore", 0400);
  EXPECT_EQ(read_secret_file(path_)->reveal(), "swordfish");
}

TEST_F(SecretFile, IsForItsOwnerAlone) {
  for (const mode_t mode : {0640U, 0604U, 0666U}) {
    write("swordfish\n", mode);
    const auto read = read_secret_file(path_);
    ASSERT_FALSE(read) << mode;
    EXPECT_EQ(read.error().message().find("swordfish"), std::string::npos);
  }
  write("\nx", 0600);
  EXPECT_FALSE(read_secret_file(path_));
  EXPECT_FALSE(read_secret_file("/dev/null"));
}

}  // namespace
}  // namespace masugata::ipsec
