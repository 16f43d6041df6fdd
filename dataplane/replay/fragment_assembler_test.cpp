// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/replay/fragment_assembler.h"

#include <gtest/gtest.h>

#include <numeric>
#include <string>

#include "net/byte_order.h"
#include "net/checksum.h"

namespace masugata::dataplane {
namespace {

class FragmentAssemblerTest : public testing::Test {
 protected:
  FragmentAssemblerTest() : header_(20) { header_[0] = 0x45; }

  AssemblyOutcome add(uint32_t offset, const std::string& text, bool more, uint64_t time_us = 0) {
    Fragment fragment;
    fragment.source = *net::IpAddress::parse("192.0.2.1");
    fragment.destination = *net::IpAddress::parse("192.0.2.2");
    fragment.identification = 7;
    fragment.protocol = 17;
    fragment.more = more;
    fragment.offset = offset;
    fragment.header = header_;
    fragment.data = {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
    return assembler_.add(fragment, time_us);
  }
  static std::string data_of(const AssemblyOutcome& outcome) {
    return {outcome.datagram.begin() + 20, outcome.datagram.end()};
  }

  std::vector<uint8_t> header_;
  FragmentAssembler assembler_;
};

TEST_F(FragmentAssemblerTest, JoinsFragmentsInAnyOrder) {
  EXPECT_TRUE(add(16, "C", false).datagram.empty());
  EXPECT_TRUE(add(0, "AAAAAAAA", true).datagram.empty());
  const AssemblyOutcome outcome = add(8, "BBBBBBBB", true);
  ASSERT_FALSE(outcome.datagram.empty());
  EXPECT_EQ(data_of(outcome), "AAAAAAAABBBBBBBBC");
  EXPECT_FALSE(outcome.overlap);
  EXPECT_EQ(assembler_.unfinished(), 0U);
}

TEST_F(FragmentAssemblerTest, WritesAHeaderThatIsOneOfAWholeDatagram) {
  header_[6] = 0x20;
  static_cast<void>(add(0, "AAAAAAAA", true));
  const AssemblyOutcome outcome = add(8, "BB", false);
  ASSERT_EQ(outcome.datagram.size(), 30U);
  EXPECT_EQ(net::load_be16(outcome.datagram.data() + 2).host(), 30);
  EXPECT_EQ(net::load_be16(outcome.datagram.data() + 6).host(), 0);
  EXPECT_EQ(net::checksum_fold(net::checksum_add(outcome.datagram.data(), 20)), 0xffff);
}

TEST_F(FragmentAssemblerTest, KeepsTheBytesThatCameFirst) {
  static_cast<void>(add(8, "BBBBBBBB", true));
  EXPECT_TRUE(add(0, "AAAAAAAAxxxxxxxx", true).overlap);
  const AssemblyOutcome outcome = add(16, "C", false);
  EXPECT_EQ(data_of(outcome), "AAAAAAAABBBBBBBBC");
}

TEST_F(FragmentAssemblerTest, IgnoresWhatContradictsTheEnd) {
  static_cast<void>(add(8, "BB", false));
  EXPECT_TRUE(add(16, "CCCCCCCC", true).ignored);
  EXPECT_EQ(data_of(add(0, "AAAAAAAA", true)), "AAAAAAAABB");
}

TEST_F(FragmentAssemblerTest, RefusesMoreThanADatagramCanHold) {
  const AssemblyOutcome outcome = add(65528, "AAAAAAAA", false);
  EXPECT_TRUE(outcome.too_large);
  EXPECT_EQ(assembler_.unfinished(), 0U);
}

TEST_F(FragmentAssemblerTest, ForgetsWhatWasNeverFinished) {
  static_cast<void>(add(0, "AAAAAAAA", true, 0));
  const uint64_t later_us = FragmentAssembler::kLifetime_us + 1;
  EXPECT_TRUE(add(8, "B", false, later_us).datagram.empty());
  EXPECT_EQ(assembler_.unfinished(), 1U);
}

}  // namespace
}  // namespace masugata::dataplane
