// SPDX-License-Identifier: GPL-2.0-or-later
#include "config/vpn_algorithms.h"

#include <gtest/gtest.h>

#include "config/vpn_settings.h"

namespace masugata::config {
namespace {

std::string ike(std::string_view proposal, uint8_t version = 2) {
  const auto complaint = check_ike_proposal(proposal, version);
  return complaint ? (complaint->weak_only ? "weak: " : "") + complaint->what : "";
}

std::string esp(std::string_view proposal) {
  const auto complaint = check_esp_proposal(proposal);
  return complaint ? complaint->what : "";
}

TEST(VpnAlgorithms, DefaultsAreRight) {
  const VpnExchange exchange;
  for (const std::string& proposal : exchange.ike_proposals) EXPECT_EQ(ike(proposal), "");
  for (const std::string& proposal : exchange.esp_proposals) EXPECT_EQ(esp(proposal), "");
  for (const std::string& group : exchange.pfs_groups) EXPECT_FALSE(check_pfs_group(group));
}

TEST(VpnAlgorithms, AnIkeProposalIsWhole) {
  EXPECT_EQ(ike("aes128gcm16-aes256gcm16-prfsha256-prfsha384-x25519-ecp256"), "");
  EXPECT_EQ(ike("aes256-sha256-modp2048"), "");
  EXPECT_EQ(ike("aes256-sha256"), "the proposal has no group");
  EXPECT_EQ(ike("sha256-ecp256"), "the proposal has no cipher");
  EXPECT_EQ(ike("aes256-ecp256"), "its cipher does not check integrity");
  EXPECT_EQ(ike("aes128gcm16-ecp256"), "a combined cipher needs a prf");
  EXPECT_EQ(ike("aes128gcm16-sha256-ecp256"), "its cipher checks integrity itself");
  EXPECT_EQ(ike("aes128gcm16-aes128-sha256-ecp256"),
            "ciphers with and without integrity of their own are in one proposal");
  EXPECT_EQ(ike("aes128-sha256-ecp257"), "'ecp257' is not an algorithm");
  EXPECT_EQ(ike("aes128gcm16-prfsha256-ecp256", 1), "IKE version 1 has no combined ciphers");
}

TEST(VpnAlgorithms, WeakOnesAreToldApart) {
  for (const char* proposal : {"3des-sha256-ecp256", "aes128-md5-ecp256", "aes128-sha1-ecp256",
                               "aes128-sha256-modp1024", "aes128gcm16-prfsha1-ecp256"}) {
    EXPECT_EQ(ike(proposal).substr(0, 6), "weak: ") << proposal;
  }
  ASSERT_TRUE(check_pfs_group("modp1024"));
  EXPECT_TRUE(check_pfs_group("modp1024")->weak_only);
  ASSERT_TRUE(check_pfs_group("aes128"));
  EXPECT_FALSE(check_pfs_group("aes128")->weak_only);
}

TEST(VpnAlgorithms, AnEspProposalIsWhatTheDataPlaneHas) {
  EXPECT_EQ(esp("aes128gcm16-aes256gcm16"), "");
  EXPECT_EQ(esp("aes256-sha512"), "");
  EXPECT_EQ(esp("chacha20poly1305"), "");
  EXPECT_EQ(esp("3des-sha256"), "this gateway has no '3des' for packets");
  EXPECT_EQ(esp("aes128-md5"), "this gateway has no 'md5' for packets");
  EXPECT_EQ(esp("aes128"), "its cipher does not check integrity");
  EXPECT_EQ(esp("aes128gcm16-ecp256"), "groups do not stand in an ESP proposal");
  EXPECT_EQ(esp("aes128gcm16-prfsha256"), "ESP has no prf");
}

}  // namespace
}  // namespace masugata::config
