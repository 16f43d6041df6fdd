// SPDX-License-Identifier: GPL-2.0-or-later
// The key store, judged by `openssl` and, where it is installed, by strongSwan's `pki`.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "ipsec/pki/pki_actions.h"

namespace masugata::ipsec::pki {
namespace {

class Pki : public testing::Test {
 protected:
  Pki() : store_(folder_) {
    wishes_.now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  }
  ~Pki() override { std::filesystem::remove_all(folder_); }

  bool run(const std::string& command) const {
    return std::system((command + " >" + folder_ + "/out 2>&1").c_str()) == 0;
  }
  std::string said() const {
    const auto text = read_file(folder_ + "/out");
    return text ? *text : "";
  }
  unsigned mode(const std::string& file) const {
    struct stat about {};
    EXPECT_EQ(::stat((folder_ + "/" + file).c_str(), &about), 0) << file;
    return about.st_mode & 07777U;
  }
  void create(const std::string& name, KeyKind kind = KeyKind::Ec256) {
    Wishes wishes = wishes_;
    wishes.key = kind;
    wishes.names.subject = "CN=" + name + ", O=Example";
    const Status made = create_authority(store_, name, wishes);
    ASSERT_TRUE(made) << made.error().message();
  }
  Status issue(const std::string& name, const std::string& authority) {
    Wishes wishes = wishes_;
    wishes.names.domains = {name + ".example.com"};
    wishes.names.addresses = {"192.0.2.1", "2001:db8::1"};
    return issue_certificate(store_, name, authority, wishes);
  }
  std::string file(const std::string& path) const { return folder_ + "/" + path; }

  std::string folder_ = testing::TempDir() + "masugata-pki-" + std::to_string(::getpid());
  PkiStore store_;
  Wishes wishes_;
};

TEST_F(Pki, WhatItIssuesOpensslAccepts) {
  for (const auto& [name, kind] : {std::pair("a", KeyKind::Ec256), std::pair("b", KeyKind::Ec384),
                                   std::pair("c", KeyKind::Rsa3072)}) {
    create(name, kind);
    const std::string host = fmt::format("host-{}", name);
    ASSERT_TRUE(issue(host, name));
    EXPECT_TRUE(run(fmt::format("openssl verify -x509_strict -crl_check -CAfile {} -CRLfile {} {}",
                                file(fmt::format("ca/{}.pem", name)),
                                file(fmt::format("ca/{}.crl.pem", name)),
                                file(fmt::format("certificates/{}.pem", host)))))
        << said();
    EXPECT_TRUE(
        run(fmt::format("openssl verify -verify_hostname {0}.example.com -verify_ip "
                        "2001:db8::1 -CAfile {1} {2}",
                        host, file(fmt::format("ca/{}.pem", name)),
                        file(fmt::format("certificates/{}.pem", host)))))
        << said();
    EXPECT_TRUE(run("openssl pkey -check -noout -in " + file("keys/" + host + ".pem"))) << said();
  }
  EXPECT_FALSE(run(fmt::format("openssl verify -CAfile {} {}", file("ca/a.pem"),
                               file("certificates/host-b.pem"))));
}

TEST_F(Pki, StrongswanAcceptsIt) {
  if (std::system("command -v pki >/dev/null 2>&1") != 0) GTEST_SKIP() << "no strongswan-pki";
  create("own");
  ASSERT_TRUE(issue("hq", "own"));
  EXPECT_TRUE(run(fmt::format("pki --verify --in {} --ca {} --crl {}", file("certificates/hq.pem"),
                              file("ca/own.pem"), file("ca/own.crl.pem"))))
      << said();
  ASSERT_TRUE(revoke(store_, "own", "hq", wishes_.now));
  EXPECT_FALSE(run(fmt::format("pki --verify --in {} --ca {} --crl {}", file("certificates/hq.pem"),
                               file("ca/own.pem"), file("ca/own.crl.pem"))));
}

TEST_F(Pki, KeysAreForRootAlone) {
  create("own");
  ASSERT_TRUE(issue("hq", "own"));
  EXPECT_EQ(mode(""), 0700U);
  EXPECT_EQ(mode("keys"), 0700U);
  EXPECT_EQ(mode("keys/hq.pem"), 0600U);
  EXPECT_EQ(mode("ca-keys/own.pem"), 0600U);
  EXPECT_EQ(mode("ca/own.issued"), 0600U);
  EXPECT_EQ(mode("certificates/hq.pem"), 0644U);
}

TEST_F(Pki, RevokedIsRefused) {
  create("own");
  ASSERT_TRUE(issue("hq", "own"));
  ASSERT_TRUE(issue("osaka", "own"));
  ASSERT_TRUE(revoke(store_, "own", "osaka", wishes_.now));
  const auto verify = [&](const std::string& name) {
    return run(fmt::format("openssl verify -crl_check -CAfile {} -CRLfile {} {}",
                           file("ca/own.pem"), file("ca/own.crl.pem"),
                           file("certificates/" + name + ".pem")));
  };
  EXPECT_TRUE(verify("hq")) << said();
  EXPECT_FALSE(verify("osaka"));
  EXPECT_NE(said().find("revoked"), std::string::npos) << said();
  EXPECT_EQ(revoke(store_, "own", "osaka", wishes_.now).error().what, "is revoked already");
  EXPECT_FALSE(revoke(store_, "own", "nobody", wishes_.now));
  size_t revoked = 0;
  for (const Listed& one : list_store(store_)) revoked += one.revoked ? 1 : 0;
  EXPECT_EQ(revoked, 1U);
}

TEST_F(Pki, ARequestIsSignedByAnotherCa) {
  // The other CA is another store.
  const std::string elsewhere = folder_ + "-elsewhere";
  const PkiStore other(elsewhere);
  Wishes wishes = wishes_;
  wishes.names.subject = "CN=Partner";
  ASSERT_TRUE(create_authority(other, "partner", wishes));
  wishes.names = {};
  wishes.names.domains = {"hq.example.com"};
  const auto request = request_certificate(store_, "hq", wishes);
  ASSERT_TRUE(request) << request.error().message();
  EXPECT_FALSE(store_.certificate("hq"));
  const Status issued = sign_request(other, "customer", "partner", *request, wishes_);
  ASSERT_TRUE(issued) << issued.error().message();
  ASSERT_TRUE(import_authority(store_, "partner", *other.authority("partner")));
  ASSERT_TRUE(import_authority(store_, "partner", other.revocation_lists("partner")[0]));
  ASSERT_TRUE(import_certificate(store_, "hq", *other.certificate("customer")));
  EXPECT_TRUE(store_.names(Shelf::Requests).empty());
  EXPECT_TRUE(run(
      fmt::format("openssl verify -crl_check -verify_hostname hq.example.com -CAfile "
                  "{} -CRLfile {} {}",
                  file("ca/partner.pem"), file("ca/partner.crl.pem"), file("certificates/hq.pem"))))
      << said();
  EXPECT_FALSE(other.private_key("customer")) << "the key never left";
  EXPECT_FALSE(issue("x", "partner")) << "the key of that CA is not here";
  std::string broken = *request;
  broken[broken.size() / 2] = broken[broken.size() / 2] == 'A' ? 'B' : 'A';
  EXPECT_FALSE(sign_request(other, "y", "partner", broken, wishes_));
  // A certificate for another key than that of the request.
  ASSERT_TRUE(request_certificate(store_, "second", wishes));
  EXPECT_FALSE(import_certificate(store_, "second", *other.certificate("customer")));
  std::filesystem::remove_all(elsewhere);
}

TEST_F(Pki, ABundleGoesOutAndComesBack) {
  create("own");
  ASSERT_TRUE(issue("osaka", "own"));
  const auto bundle = export_pkcs12(store_, "osaka", "open sesame");
  ASSERT_TRUE(bundle) << bundle.error().message();
  std::ofstream(file("osaka.p12"), std::ios::binary) << *bundle;
  EXPECT_TRUE(run("openssl pkcs12 -in " + file("osaka.p12") + " -passin 'pass:open sesame' -nodes"))
      << said();
  const std::string elsewhere = folder_ + "-branch";
  const PkiStore branch(elsewhere);
  EXPECT_FALSE(import_pkcs12(branch, "me", *bundle, "open barley"));
  ASSERT_TRUE(import_pkcs12(branch, "me", *bundle, "open sesame"));
  EXPECT_EQ(*branch.certificate("me"), *store_.certificate("osaka"));
  EXPECT_EQ(*branch.private_key("me"), *store_.private_key("osaka"));
  EXPECT_EQ(*branch.authority("me"), *store_.authority("own"));
  EXPECT_FALSE(import_pkcs12(branch, "me", *bundle, "open sesame")) << "the name is taken";
  std::filesystem::remove_all(elsewhere);
}

TEST_F(Pki, RefusesWhatCannotBe) {
  create("own");
  EXPECT_FALSE(create_authority(store_, "own", wishes_)) << "nothing is overwritten";
  EXPECT_FALSE(issue("../hq", "own"));
  EXPECT_FALSE(issue(".hidden", "own"));
  EXPECT_FALSE(issue("hq", "nobody"));
  Wishes wrong = wishes_;
  wrong.names.domains = {"a,IP:1.2.3.4"};
  EXPECT_FALSE(issue_certificate(store_, "hq", "own", wrong));
  wrong.names.domains = {};
  wrong.names.addresses = {"192.0.2.300"};
  EXPECT_FALSE(issue_certificate(store_, "hq", "own", wrong));
  wrong.names.addresses = {};
  wrong.names.subject = "osaka";
  EXPECT_FALSE(issue_certificate(store_, "hq", "own", wrong));
  EXPECT_FALSE(import_authority(store_, "x", "garbage"));
  EXPECT_FALSE(import_certificate(store_, "x", *store_.authority("own")));
  EXPECT_FALSE(remove_name(store_, "own"));
  EXPECT_TRUE(store_.names(Shelf::Certificates).empty());
  EXPECT_TRUE(store_.names(Shelf::Keys).empty());
}

TEST_F(Pki, ACertificateEndsWithItsCa) {
  Wishes wishes = wishes_;
  wishes.life = Days(10);
  ASSERT_TRUE(create_authority(store_, "short", wishes));
  ASSERT_TRUE(issue("hq", "short"));
  const auto all = list_store(store_);
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].facts.not_after, all[1].facts.not_after);
  EXPECT_EQ(all[1].facts.names, (std::vector<std::string>{"dns hq.example.com", "address 192.0.2.1",
                                                          "address 2001:db8::1"}));
  EXPECT_EQ(all[1].facts.key, "EC 256");
}

}  // namespace
}  // namespace masugata::ipsec::pki
