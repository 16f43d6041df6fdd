// SPDX-License-Identifier: GPL-2.0-or-later
#include "net/headers/transport.h"

#include <gtest/gtest.h>

#include <array>

namespace masugata::net {
namespace {

constexpr std::array<uint8_t, 24> kTcp{0x9c, 0x40, 0x00, 0x50, 0x01, 0x02, 0x03, 0x04,
                                       0x05, 0x06, 0x07, 0x08, 0x60, 0x18, 0xfa, 0xf0,
                                       0xab, 0xcd, 0x00, 0x09, 2,    4,    5,    0xb4};

TEST(TcpView, ReadsEveryField) {
  TcpView view;
  ASSERT_EQ(TcpView::parse(kTcp.data(), kTcp.size(), view), TcpView::Malformed::No);
  EXPECT_EQ(view.source_port().host(), 40000);
  EXPECT_EQ(view.destination_port().host(), 80);
  EXPECT_EQ(view.sequence(), 0x01020304U);
  EXPECT_EQ(view.acknowledgement(), 0x05060708U);
  EXPECT_EQ(view.header_bytes(), 24);
  EXPECT_EQ(view.flags(), kTcpPsh | kTcpAck);
  EXPECT_EQ(view.window(), 0xfaf0);
  EXPECT_EQ(view.checksum().host(), 0xabcd);
  EXPECT_EQ(view.urgent_pointer(), 9);
}

TEST(TcpView, RefusesImpossibleLengths) {
  TcpView view;
  EXPECT_EQ(TcpView::parse(kTcp.data(), 19, view), TcpView::Malformed::Short);
  EXPECT_EQ(TcpView::parse(kTcp.data(), 23, view), TcpView::Malformed::BadOffset);
  auto bytes = kTcp;
  bytes[12] = 0x40;
  EXPECT_EQ(TcpView::parse(bytes.data(), bytes.size(), view), TcpView::Malformed::BadOffset);
}

TEST(TcpFlags, AreThoseThatATcpSends) {
  for (const int valid : {0x02, 0x12, 0x10, 0x18, 0x11, 0x04, 0x14, 0x19, 0xc2, 0x38}) {
    EXPECT_TRUE(tcp_flags_valid(static_cast<uint8_t>(valid))) << valid;
  }
  for (const int invalid : {0x00, 0x01, 0x03, 0x06, 0x05, 0x15, 0x29, 0x3f, 0x08, 0x20}) {
    EXPECT_FALSE(tcp_flags_valid(static_cast<uint8_t>(invalid))) << invalid;
  }
}

TEST(UdpView, ReadsAndRefuses) {
  std::array<uint8_t, 9> bytes{0, 5, 0, 53, 0, 9, 0x12, 0x34, 'x'};
  UdpView view;
  ASSERT_EQ(UdpView::parse(bytes.data(), 9, view), UdpView::Malformed::No);
  EXPECT_EQ(view.source_port().host(), 5);
  EXPECT_EQ(view.destination_port().host(), 53);
  EXPECT_EQ(view.length(), 9);
  EXPECT_EQ(view.checksum().host(), 0x1234);
  EXPECT_EQ(UdpView::parse(bytes.data(), 7, view), UdpView::Malformed::Short);
  EXPECT_EQ(UdpView::parse(bytes.data(), 8, view), UdpView::Malformed::BadLength);
  bytes[5] = 7;
  EXPECT_EQ(UdpView::parse(bytes.data(), 9, view), UdpView::Malformed::BadLength);
  bytes[5] = 8;
  EXPECT_EQ(UdpView::parse(bytes.data(), 9, view), UdpView::Malformed::No);
}

TEST(IcmpView, WantsEightBytes) {
  const std::array<uint8_t, 8> bytes{8, 3, 0, 0, 0x03, 0x09, 0, 1};
  IcmpView view;
  EXPECT_FALSE(IcmpView::parse(bytes.data(), 7, view));
  ASSERT_TRUE(IcmpView::parse(bytes.data(), 8, view));
  EXPECT_EQ(view.type(), 8);
  EXPECT_EQ(view.code(), 3);
  EXPECT_EQ(view.identifier().host(), 777);
}

}  // namespace
}  // namespace masugata::net
