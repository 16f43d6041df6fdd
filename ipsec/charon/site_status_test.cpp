// SPDX-License-Identifier: GPL-2.0-or-later
// Messages of list-sa, in the shape that vici describes, and what they say of the sites.
#include "ipsec/charon/site_status.h"

#include <gtest/gtest.h>

#include "ipsec/charon/test_sites.h"

namespace masugata::ipsec {
namespace {

ViciSection& add_ike(ViciSection& message, const char* site, const char* id, const char* state) {
  ViciSection& ike = message.add_section(site);
  ike.set("uniqueid", id).set("version", "2").set("state", state);
  ike.set("local-host", "203.0.113.2").set("local-port", "4500").set("local-id", "203.0.113.2");
  ike.set("remote-host", "198.51.100.7").set("remote-port", "4500").set("remote-id", "osaka");
  ike.set("initiator", "yes").set("nat-remote", "yes");
  ike.set("encr-alg", "AES_GCM_16").set("encr-keysize", "128");
  ike.set("prf-alg", "PRF_HMAC_SHA2_256").set("dh-group", "CURVE_25519");
  ike.set("established", "120").set("rekey-time", "13000");
  return ike;
}

ViciSection& add_child(ViciSection& children, const char* name, const char* state) {
  ViciSection& child = children.add_section(name);
  child.set("name", "osaka").set("uniqueid", "3").set("reqid", "1").set("state", state);
  child.set("mode", "TUNNEL").set("protocol", "ESP").set("encap", "yes");
  child.set("spi-in", "c1d2e3f4").set("spi-out", "01020304");
  child.set("encr-alg", "AES_GCM_16").set("encr-keysize", "128").set("esn", "1");
  child.set("bytes-in", "1000").set("packets-in", "10");
  child.set("bytes-out", "2000").set("packets-out", "20");
  child.set("rekey-time", "3300").set("life-time", "3960").set("install-time", "60");
  child.set_list("local-ts", {"10.0.1.0/24"}).set_list("remote-ts", {"10.20.0.0/16"});
  return child;
}

const config::VpnSettings& settings() {
  static const config::Model model = model_of_sites(R"(
site osaka { peer 198.51.100.7; authentication { psk "correct horse battery staple"; } }
site nagoya { peer nagoya.example.com; authentication { psk "correct horse battery staple"; } }
site kobe { peer 198.51.100.9; authentication { psk "correct horse battery staple"; } disable; })");
  return model.vpn;
}

std::string text_of(const std::vector<SiteStatus>& sites) {
  std::string text;
  for (const SiteStatus& site : sites) text += to_text(site);
  return text;
}

TEST(SiteStatus, EverySiteOnceWithItsSas) {
  ViciSection message;
  add_child(add_ike(message, "osaka", "7", "ESTABLISHED").add_section("child-sas"), "osaka-3",
            "INSTALLED");
  ViciSection other;
  add_ike(other, "somebody-else", "8", "ESTABLISHED");
  EXPECT_EQ(text_of(merge_sites(settings(), {message, other})),
            "osaka up peer 198.51.100.7 in 1000 out 2000\n"
            "  IKEv2 ESTABLISHED 203.0.113.2:4500 [203.0.113.2] - 198.51.100.7:4500 [osaka] "
            "AES_GCM_16-128/PRF_HMAC_SHA2_256/CURVE_25519 age 120s rekey 13000s begun here NAT\n"
            "    osaka INSTALLED AES_GCM_16-128/ESN in c1d2e3f4 1000 bytes out 01020304 2000 bytes "
            "age 60s rekey 3300s ends 3960s 10.0.1.0/24 - 10.20.0.0/16\n"
            "nagoya down peer nagoya.example.com in 0 out 0\n"
            "kobe disabled peer 198.51.100.9 in 0 out 0\n");
}

TEST(SiteStatus, TheBestOfSeveralCounts) {
  const auto state_with = [](std::initializer_list<std::pair<const char*, const char*>> sas) {
    std::vector<ViciSection> messages;
    for (const auto& [ike, child] : sas) {
      ViciSection& sa = add_ike(messages.emplace_back(), "osaka", "7", ike);
      if (child != nullptr) add_child(sa.add_section("child-sas"), "osaka-1", child);
    }
    return std::string(name_of(merge_sites(settings(), messages)[0].state));
  };
  EXPECT_EQ(state_with({}), "down");
  EXPECT_EQ(state_with({{"CONNECTING", nullptr}}), "connecting");
  EXPECT_EQ(state_with({{"ESTABLISHED", nullptr}}), "incomplete");
  EXPECT_EQ(state_with({{"ESTABLISHED", "REKEYED"}}), "up");
  EXPECT_EQ(state_with({{"DELETING", nullptr}}), "down");
  EXPECT_EQ(state_with({{"CONNECTING", nullptr}, {"ESTABLISHED", "INSTALLED"}}), "up");
}

TEST(SiteStatus, WhatIsMissingIsNothing) {
  ViciSection message;
  message.add_section("osaka").add_section("child-sas").add_section("x");
  message.set("noise", "1");
  const auto sites = merge_sites(settings(), {message, ViciSection()});
  ASSERT_EQ(sites.size(), 3U);
  ASSERT_EQ(sites[0].sas.size(), 1U);
  EXPECT_FALSE(sites[0].sas[0].rekey_in_seconds);
  EXPECT_EQ(sites[0].state, SiteState::Down);
}

}  // namespace
}  // namespace masugata::ipsec
