// SPDX-License-Identifier: GPL-2.0-or-later
#include "ipsec/esp/sa_memory.h"

#include <gtest/gtest.h>
#include <intel-ipsec-mb.h>

#include <algorithm>
#include <fstream>
#include <string>

#include "ipsec/esp/reference_esp.h"
#include "ipsec/esp/udp_demultiplex.h"

namespace masugata::ipsec::reference {
namespace {

bool holds(const KeyMemory& memory, std::span<const uint8_t> bytes) {
  const std::span<const uint8_t> region(memory.begin(), memory.size());
  return std::search(region.begin(), region.end(), bytes.begin(), bytes.end()) != region.end();
}

bool all_zero(const KeyMemory& memory) {
  return std::all_of(memory.begin(), memory.begin() + memory.size(),
                     [](uint8_t byte) { return byte == 0; });
}

TEST(SaMemory, NothingIsLeftOfAnSaThatGoes) {
  auto memory = SaMemory::create(3);
  ASSERT_TRUE(memory);
  for (const EspTransform transform : all_transforms()) {
    const SaParameters parameters = parameters_of(transform, Direction::Outbound);
    auto sa = (*memory)->build(parameters, 0);
    ASSERT_TRUE(sa);
    const auto cipher_key = parameters.encryption_key.span().first(16);
    EXPECT_TRUE(holds((*memory)->region(), cipher_key)) << "the test looks at the right place";
    sa->reset();
    EXPECT_TRUE(all_zero((*memory)->region())) << name_of(transform);
  }
}

TEST(SaMemory, HasItsBound) {
  auto memory = SaMemory::create(2);
  ASSERT_TRUE(memory);
  const SaParameters parameters = parameters_of(all_transforms()[0], Direction::Outbound);
  auto first = (*memory)->build(parameters, 0);
  auto second = (*memory)->build(parameters, 0);
  ASSERT_TRUE(first && second);
  const auto third = (*memory)->build(parameters, 0);
  ASSERT_FALSE(third);
  EXPECT_NE(third.error().what.find("2 places"), std::string::npos) << third.error().what;
  EXPECT_EQ((*memory)->in_use(), 2U);
  first->reset();
  EXPECT_EQ((*memory)->in_use(), 1U);
  EXPECT_TRUE((*memory)->build(parameters, 0));
  EXPECT_FALSE(SaMemory::create(0));
}

TEST(SaMemory, RefusesWhatCheckRefuses) {
  auto memory = SaMemory::create(1);
  ASSERT_TRUE(memory);
  SaParameters parameters = parameters_of(all_transforms()[0], Direction::Outbound);
  parameters.spi = {};
  EXPECT_FALSE((*memory)->build(parameters, 0));
  EXPECT_EQ((*memory)->in_use(), 0U);
}

// "dd": not in core dumps; "dc": not in children (proc(5), VmFlags).
TEST(KeyMemory, KernelKeepsItOutOfDumpsAndChildren) {
  auto memory = KeyMemory::create(5000);
  ASSERT_TRUE(memory);
  EXPECT_EQ(memory->size(), 8192U);
  std::ifstream maps("/proc/self/smaps");
  const auto begin = reinterpret_cast<uintptr_t>(memory->begin());
  bool inside = false;
  std::string flags;
  for (std::string line; flags.empty() && std::getline(maps, line);) {
    unsigned long low = 0;
    unsigned long high = 0;
    if (std::sscanf(line.c_str(), "%lx-%lx ", &low, &high) == 2)
      inside = low <= begin && begin < high;
    if (inside && line.starts_with("VmFlags:")) flags = line;
  }
  EXPECT_NE(flags.find(" dd"), std::string::npos) << flags;
  EXPECT_NE(flags.find(" dc"), std::string::npos) << flags;
}

TEST(CryptoManager, SaysWhenTheCpuLacksWhatItNeeds) {
  EXPECT_TRUE(CryptoManager::create());
  const auto manager = CryptoManager::create(IMB_FLAG_AESNI_OFF);
  ASSERT_FALSE(manager);
  EXPECT_NE(manager.error().what.find("AES-NI"), std::string::npos) << manager.error().what;
}

UdpEncapsulated classify(const Bytes& payload) { return classify_udp_encapsulation(payload); }

TEST(UdpDemultiplex, EachKind) {
  EXPECT_EQ(classify({0xff}), UdpEncapsulated::KeepAlive);
  EXPECT_EQ(classify({}), UdpEncapsulated::Malformed);
  EXPECT_EQ(classify({0x00}), UdpEncapsulated::Malformed);
  EXPECT_EQ(classify({0xff, 0xff}), UdpEncapsulated::Malformed);
  EXPECT_EQ(classify({0, 0, 0}), UdpEncapsulated::Malformed);
  EXPECT_EQ(classify({0, 0, 0, 0}), UdpEncapsulated::Ike);
  EXPECT_EQ(classify(Bytes(400, 0)), UdpEncapsulated::Ike);
  EXPECT_EQ(classify(from_hex("00000100000001")), UdpEncapsulated::Malformed);
  EXPECT_EQ(classify(from_hex("0000010000000001")), UdpEncapsulated::Esp);
  for (size_t position = 0; position < 4; ++position) {
    Bytes esp(64, 0);
    esp[position] = 1;
    EXPECT_EQ(classify(esp), UdpEncapsulated::Esp);
  }
  EXPECT_EQ(spi_of(from_hex("c0ffee01").data()).host(), 0xc0ffee01U);
}

}  // namespace
}  // namespace masugata::ipsec::reference
