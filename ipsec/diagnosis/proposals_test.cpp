// SPDX-License-Identifier: GPL-2.0-or-later
#include "ipsec/diagnosis/proposals.h"

#include <gtest/gtest.h>

#include "config/vpn_algorithms.h"

namespace masugata::ipsec {
namespace {

using Type = TransformType;

TEST(Proposals, AreReadInTheWordsOfOurConfiguration) {
  const auto list = parse_proposals(
      "IKE:AES_GCM_16_256/PRF_HMAC_SHA2_384/ECP_384, "
      "IKE:AES_CBC_128/AES_CBC_256/HMAC_SHA2_256_128/PRF_HMAC_SHA2_256/MODP_2048, "
      "ESP:CHACHA20_POLY1305_256/CURVE_25519/EXT_SEQ");
  ASSERT_EQ(list.size(), 3U);
  EXPECT_EQ(configuration_words(list[0]), "aes256gcm16-prfsha384-ecp384");
  EXPECT_EQ(configuration_words(list[1]), "aes128-sha256-modp2048");
  EXPECT_EQ(to_text(list[1]), "aes128/aes256-sha256-modp2048");
  // Groups and sequence numbers of ESP are statements of their own.
  EXPECT_EQ(configuration_words(list[2]), "chacha20poly1305");
  EXPECT_EQ(swanctl_words(list[2]), "chacha20poly1305-x25519-esn");
  EXPECT_EQ(generic_words(list[0]),
            "encryption AES-256-GCM, pseudo random function HMAC-SHA2-384, Diffie-Hellman group 20 "
            "(ECP 384)");
}

TEST(Proposals, WordsAreThoseThatTheConfigurationTakes) {
  for (const char* text : {"IKE:AES_GCM_16_256/PRF_HMAC_SHA2_384/ECP_384",
                           "IKE:AES_CBC_128/HMAC_SHA2_512_256/PRF_HMAC_SHA2_512/CURVE_448",
                           "IKE:CHACHA20_POLY1305/PRF_HMAC_SHA2_256/MODP_3072"}) {
    const auto words = configuration_words(parse_proposals(text).at(0));
    ASSERT_TRUE(words);
    EXPECT_FALSE(config::check_ike_proposal(*words, 2)) << *words;
  }
  const auto esp = configuration_words(parse_proposals("ESP:AES_CBC_256/HMAC_SHA2_384_192").at(0));
  EXPECT_FALSE(config::check_esp_proposal(esp.value()));
}

TEST(Proposals, KeepWhatTheyDoNotKnow) {
  const auto list = parse_proposals("IKE:CAMELLIA_CBC_256/HMAC_SHA2_256_128/ECP_256/(1234)");
  ASSERT_EQ(list.size(), 1U);
  EXPECT_EQ(list[0].transforms[0].type, Type::Encryption);
  EXPECT_FALSE(list[0].transforms[0].known);
  EXPECT_EQ(list[0].transforms[3].type, Type::Unknown);
  EXPECT_FALSE(configuration_words(list[0]));
}

TEST(Proposals, DifferInTheFewestTypes) {
  const auto ours = parse_proposals(
      "IKE:AES_GCM_16_128/PRF_HMAC_SHA2_256/CURVE_25519, "
      "IKE:AES_CBC_256/HMAC_SHA2_256_128/PRF_HMAC_SHA2_256/ECP_256");
  const auto difference =
      nearest(parse_proposals("IKE:3DES_CBC/HMAC_MD5_96/PRF_HMAC_MD5/MODP_768, "
                              "IKE:AES_CBC_256/HMAC_SHA2_256_128/PRF_HMAC_SHA2_256/MODP_2048"),
              ours, true);
  ASSERT_TRUE(difference);
  EXPECT_EQ(difference->types, std::vector<Type>{Type::Group});
  EXPECT_EQ(difference->received.words(Type::Group), "modp2048");
  EXPECT_EQ(difference->configured.words(Type::Group), "ecp256");
}

TEST(Proposals, CountACombinedCipherAsOneDifference) {
  const auto difference =
      nearest(parse_proposals("ESP:AES_CBC_256/HMAC_SHA2_256_128/NO_EXT_SEQ"),
              parse_proposals("ESP:AES_GCM_16_128/ECP_256/EXT_SEQ/NO_EXT_SEQ"), false);
  ASSERT_TRUE(difference);
  EXPECT_EQ(difference->types, std::vector<Type>{Type::Encryption});
}

TEST(Proposals, LookAtGroupsOfEspOnlyWhenAsked) {
  const auto theirs = parse_proposals("ESP:AES_GCM_16_128/MODP_2048");
  const auto ours = parse_proposals("ESP:AES_GCM_16_128/ECP_256");
  EXPECT_TRUE(nearest(theirs, ours, false)->types.empty());
  EXPECT_EQ(nearest(theirs, ours, true)->types, std::vector<Type>{Type::Group});
  // No group against one: that differs too.
  EXPECT_EQ(nearest(parse_proposals("ESP:AES_GCM_16_128"), ours, true)->types,
            std::vector<Type>{Type::Group});
}

TEST(Proposals, HaveBounds) {
  std::string many;
  for (int i = 0; i < 100; ++i) many += "IKE:AES_CBC_128/ECP_256, ";
  EXPECT_EQ(parse_proposals(many).size(), kMaximumProposals);
  std::string one = "IKE:";
  for (int i = 0; i < 100; ++i) one += "AES_CBC_128/";
  EXPECT_EQ(parse_proposals(one).at(0).transforms.size(), kMaximumTransforms);
  for (const char* text : {"", ",", "IKE", "IKE:", ":", "IKE:/", "a b c"}) {
    EXPECT_TRUE(parse_proposals(text).empty()) << text;
  }
  EXPECT_FALSE(nearest({}, parse_proposals("IKE:AES_CBC_128"), true));
}

}  // namespace
}  // namespace masugata::ipsec
