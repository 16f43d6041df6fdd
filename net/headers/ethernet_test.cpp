// SPDX-License-Identifier: GPL-2.0-or-later
#include "net/headers/ethernet.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <vector>

namespace masugata::net {
namespace {

using Malformed = EthernetView::Malformed;

std::vector<uint8_t> frame(const std::vector<uint8_t>& type_and_rest) {
  constexpr std::array<uint8_t, 12> kAddresses{0x02, 0, 0, 0, 0, 1, 0x02, 0, 0, 0, 1, 0x0a};
  std::vector<uint8_t> bytes(kAddresses.size() + type_and_rest.size());
  std::copy(kAddresses.begin(), kAddresses.end(), bytes.begin());
  std::copy(type_and_rest.begin(), type_and_rest.end(), bytes.begin() + kAddresses.size());
  return bytes;
}

Malformed parse(const std::vector<uint8_t>& bytes, EthernetView& view) {
  return EthernetView::parse(bytes.data(), bytes.size(), view);
}

TEST(EthernetView, ReadsAnUntaggedFrame) {
  const auto bytes = frame({0x08, 0x00});
  EthernetView view;
  ASSERT_EQ(parse(bytes, view), Malformed::No);
  EXPECT_EQ(view.destination().to_string(), "02:00:00:00:00:01");
  EXPECT_EQ(view.source().to_string(), "02:00:00:00:01:0a");
  EXPECT_EQ(view.type(), EtherType::Ipv4);
  EXPECT_EQ(view.vlan(), 0);
  EXPECT_EQ(view.header_bytes(), 14);
}

TEST(EthernetView, ReadsATag) {
  const auto bytes = frame({0x81, 0x00, 0xf0, 0x0a, 0x86, 0xdd});
  EthernetView view;
  ASSERT_EQ(parse(bytes, view), Malformed::No);
  EXPECT_EQ(view.vlan(), 10) << "without priority and drop-eligible bit";
  EXPECT_EQ(view.type(), EtherType::Ipv6);
  EXPECT_EQ(view.header_bytes(), 18);
}

TEST(EthernetView, RefusesWhatIsCutShortOrTaggedTwice) {
  EthernetView view;
  const auto whole = frame({0x08, 0x00});
  EXPECT_EQ(EthernetView::parse(whole.data(), 13, view), Malformed::Short);
  EXPECT_EQ(parse(frame({0x81, 0x00, 0x00, 0x0a, 0x08}), view), Malformed::BadVlan);
  EXPECT_EQ(parse(frame({0x81, 0x00, 0, 10, 0x81, 0x00}), view), Malformed::BadVlan);
  EXPECT_EQ(parse(frame({0x81, 0x00, 0, 10, 0x88, 0xa8}), view), Malformed::BadVlan);
}

}  // namespace
}  // namespace masugata::net
