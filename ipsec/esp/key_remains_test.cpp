// SPDX-License-Identifier: GPL-2.0-or-later
// What is left of keys in the memory of the whole process when their SA is gone.
#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <random>
#include <string>

#include "ipsec/esp/reference_esp.h"

namespace masugata::ipsec::reference {
namespace {

constexpr size_t kSoughtBytes = 16;
constexpr uint8_t kMask = 0x5a;

// The first bytes of a key, masked: the test itself must not be what it finds.
using Masked = std::array<uint8_t, kSoughtBytes>;

__attribute__((noinline)) size_t occurrences(const uint8_t* begin, const uint8_t* end,
                                             const Masked& sought) {
  size_t count = 0;
  for (const uint8_t* at = begin; at + kSoughtBytes <= end; ++at) {
    size_t same = 0;
    while (same < kSoughtBytes && (at[same] ^ kMask) == sought[same]) ++same;
    if (same == kSoughtBytes) ++count;
  }
  return count;
}

// In everything that the process may write: heap, stacks, data, KeyMemory.
size_t occurrences_in_process(const Masked& sought) {
  std::ifstream maps("/proc/self/maps");
  size_t count = 0;
  for (std::string line; std::getline(maps, line);) {
    unsigned long begin = 0;
    unsigned long end = 0;
    char rights[5] = {};
    if (std::sscanf(line.c_str(), "%lx-%lx %4s", &begin, &end, rights) != 3) continue;
    if (std::strncmp(rights, "rw", 2) != 0) continue;
    count += occurrences(reinterpret_cast<const uint8_t*>(begin),
                         reinterpret_cast<const uint8_t*>(end), sought);
  }
  return count;
}

// Random keys straight into the parameters; what is remembered is masked.
__attribute__((noinline)) void choose(KeyBytes& key, size_t size, std::mt19937_64& random,
                                      Masked& masked) {
  std::array<uint8_t, KeyBytes::kCapacity> bytes;
  for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random());
  for (size_t i = 0; i < kSoughtBytes; ++i) masked[i] = bytes[i] ^ kMask;
  EXPECT_TRUE(key.assign(std::span(bytes).first(size)));
  explicit_bzero(bytes.data(), bytes.size());
}

struct Sought {
  Masked encryption;
  Masked integrity;
};

// Packets both ways through SAs with these keys, which are gone on return.
__attribute__((noinline)) void use_keys(Fixture& fixture, EspTransform transform, Sought& sought,
                                        std::mt19937_64& random) {
  SaParameters parameters = parameters_of(transform, Direction::Outbound);
  choose(parameters.encryption_key, transform.encryption_key_bytes(), random, sought.encryption);
  choose(parameters.integrity_key, transform.integrity_key_bytes(), random, sought.integrity);
  EspSa* out = fixture.add(parameters);
  EspSa* in = fixture.add(peer_of(parameters));
  EXPECT_GE(occurrences_in_process(sought.encryption), 3U) << "the test looks where keys are";
  std::vector<PacketBuffer> buffers;
  std::vector<EspPacket> burst;
  buffers.reserve(40);
  for (size_t i = 0; i < 40; ++i) {
    buffers.emplace_back(ipv4_packet(17, Bytes(i * 30, 1)));
    burst.push_back(buffers.back().packet(out));
  }
  fixture.worker().encapsulate(burst, 0);
  for (EspPacket& packet : burst) {
    packet.sa = in;
    packet.esp_offset = 20;
  }
  fixture.worker().decapsulate(burst, 0);
  for (const EspPacket& packet : burst) EXPECT_EQ(packet.refusal, EspRefusal::None);
  fixture.clear();
}

#if defined(__SANITIZE_ADDRESS__)
constexpr bool kAddressSanitizer = true;
#elif defined(__has_feature)
constexpr bool kAddressSanitizer = __has_feature(address_sanitizer);
#else
constexpr bool kAddressSanitizer = false;
#endif

TEST(KeyRemains, NothingInTheWholeProcess) {
  if (kAddressSanitizer) GTEST_SKIP() << "its shadow memory is terabytes";
  std::mt19937_64 random(7);
  Fixture fixture;
  for (const EspTransform transform : all_transforms()) {
    Sought sought{};
    use_keys(fixture, transform, sought, random);
    EXPECT_EQ(occurrences_in_process(sought.encryption), 0U) << name_of(transform);
    if (!transform.is_combined()) {
      EXPECT_EQ(occurrences_in_process(sought.integrity), 0U) << name_of(transform);
    }
  }
}

}  // namespace
}  // namespace masugata::ipsec::reference
