// SPDX-License-Identifier: GPL-2.0-or-later
#include "net/siphash.h"

#include <gtest/gtest.h>

#include <array>

namespace masugata::net {
namespace {

// The key of the reference vectors: bytes 00 01 .. 0f.
constexpr SipHashKey kReferenceKey{0x0706050403020100ULL, 0x0f0e0d0c0b0a0908ULL};

std::array<uint8_t, 15> counting_bytes() {
  std::array<uint8_t, 15> bytes{};
  for (size_t index = 0; index < bytes.size(); ++index) bytes[index] = static_cast<uint8_t>(index);
  return bytes;
}

TEST(SipHash, MatchesTheVectorsOfItsAuthors) {
  const auto bytes = counting_bytes();
  EXPECT_EQ(siphash(kReferenceKey, bytes.data(), 15), 0xa129ca6149be45e5ULL);
  EXPECT_EQ(siphash(kReferenceKey, bytes.data(), 0), 0x726fdb47dd0e0e31ULL);
  EXPECT_EQ(siphash(kReferenceKey, bytes.data(), 8), 0x93f5f5799a932462ULL);
}

TEST(SipHash, DependsOnKeyAndLength) {
  const auto bytes = counting_bytes();
  const SipHashKey other{kReferenceKey.low ^ 1U, kReferenceKey.high};
  EXPECT_NE(siphash(kReferenceKey, bytes.data(), 15), siphash(other, bytes.data(), 15));
  const uint8_t zeros[9] = {};
  EXPECT_NE(siphash(kReferenceKey, zeros, 8), siphash(kReferenceKey, zeros, 9));
}

}  // namespace
}  // namespace masugata::net
