// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/kernel/router_flag.h"

#include <gtest/gtest.h>

#include <cstring>
#include <vector>

#include "net/checksum.h"

namespace masugata::dataplane {
namespace {

bool checksum_is_right(const std::vector<uint8_t>& frame) {
  const auto source = net::IpAddress::from_v6(frame.data() + 22);
  const auto destination = net::IpAddress::from_v6(frame.data() + 38);
  const std::size_t length = frame.size() - 54;
  const uint64_t pseudo = net::pseudo_header_sum(source, destination, net::Protocol::Icmpv6,
                                                 static_cast<uint32_t>(length));
  return net::checksum_fold(net::checksum_add(frame.data() + 54, length, pseudo)) == 0xffff;
}

std::vector<uint8_t> advertisement(uint8_t flags, uint8_t salt) {
  std::vector<uint8_t> frame(14 + 40 + 24, salt);
  frame[12] = 0x86;
  frame[13] = 0xdd;
  frame[20] = 58;
  frame[54] = 136;
  frame[55] = 0;
  frame[56] = frame[57] = 0;
  frame[58] = flags;
  const auto source = net::IpAddress::from_v6(frame.data() + 22);
  const auto destination = net::IpAddress::from_v6(frame.data() + 38);
  const uint64_t pseudo = net::pseudo_header_sum(source, destination, net::Protocol::Icmpv6, 24);
  const auto checksum =
      static_cast<uint16_t>(~net::checksum_fold(net::checksum_add(frame.data() + 54, 24, pseudo)));
  std::memcpy(&frame[56], &checksum, 2);
  return frame;
}

TEST(RouterFlag, IsSetWithARightChecksum) {
  for (int salt = 0; salt < 256; ++salt) {
    auto frame = advertisement(0x60, static_cast<uint8_t>(salt));
    ASSERT_TRUE(checksum_is_right(frame));
    EXPECT_TRUE(set_router_flag(frame));
    EXPECT_EQ(frame[58], 0xe0);
    EXPECT_TRUE(checksum_is_right(frame)) << salt;
    const auto before = frame;
    EXPECT_FALSE(set_router_flag(frame)) << "already set";
    EXPECT_EQ(frame, before);
  }
}

TEST(RouterFlag, LeavesEverythingElseAlone) {
  const auto original = advertisement(0x60, 7);
  for (const std::size_t position : {std::size_t{12}, std::size_t{20}, std::size_t{54}}) {
    auto frame = original;
    frame[position] ^= 1;
    const auto before = frame;
    EXPECT_FALSE(set_router_flag(frame));
    EXPECT_EQ(frame, before);
  }
  for (std::size_t length = 0; length < original.size(); ++length) {
    std::vector<uint8_t> frame(original.begin(),
                               original.begin() + static_cast<std::ptrdiff_t>(length));
    EXPECT_FALSE(set_router_flag(frame));
  }
}

}  // namespace
}  // namespace masugata::dataplane
