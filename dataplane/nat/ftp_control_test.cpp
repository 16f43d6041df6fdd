// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/nat/ftp_control.h"

#include <gtest/gtest.h>

#include <string>

namespace masugata::dataplane {
namespace {

using Kind = FtpAnnouncementKind;

net::IpAddress ip(const char* text) { return *net::IpAddress::parse(text); }

std::optional<FtpAnnouncement> find(const std::string& text, FtpSide side, const char* sender,
                                    bool at_line_start = true) {
  const std::vector<uint8_t> bytes(text.begin(), text.end());
  return find_announcement(bytes, side, ip(sender), at_line_start);
}

struct Good {
  const char* text;
  FtpSide side;
  const char* sender;
  Kind kind;
  uint16_t port;
  const char* replaced;
};

const Good kGood[] = {
    {"PORT 10,0,0,5,4,1\r\n", FtpSide::Client, "10.0.0.5", Kind::Port, 1025, "10,0,0,5,4,1"},
    {"port  10,0,0,5,255,255\r\n", FtpSide::Client, "10.0.0.5", Kind::Port, 65535,
     "10,0,0,5,255,255"},
    {"TYPE I\r\nPORT 10,0,0,5,4,1\r\nSTOR x\r\n", FtpSide::Client, "10.0.0.5", Kind::Port, 1025,
     "10,0,0,5,4,1"},
    {"EPRT |1|10.0.0.5|6275|\r\n", FtpSide::Client, "10.0.0.5", Kind::ExtendedPort, 6275,
     "|1|10.0.0.5|6275|"},
    {"EPRT !2!2001:db8::5!6275!\r\n", FtpSide::Client, "2001:db8::5", Kind::ExtendedPort, 6275,
     "!2!2001:db8::5!6275!"},
    {"227 Entering Passive Mode (10,0,2,80,195,80).\r\n", FtpSide::Server, "10.0.2.80",
     Kind::Passive, 50000, "10,0,2,80,195,80"},
    {"227 =10,0,2,80,195,80\r\n", FtpSide::Server, "10.0.2.80", Kind::Passive, 50000,
     "10,0,2,80,195,80"},
    {"229 Entering Extended Passive Mode (|||6446|)\r\n", FtpSide::Server, "10.0.2.80",
     Kind::ExtendedPassive, 6446, "6446"},
    {"229 ok (!!!6446!)\r\n", FtpSide::Server, "2001:db8::80", Kind::ExtendedPassive, 6446, "6446"},
};

TEST(FtpControl, FindsEveryForm) {
  for (const Good& good : kGood) {
    const auto found = find(good.text, good.side, good.sender);
    ASSERT_TRUE(found.has_value()) << good.text;
    EXPECT_EQ(found->kind, good.kind) << good.text;
    EXPECT_EQ(found->address, ip(good.sender)) << good.text;
    EXPECT_EQ(found->port.host(), good.port) << good.text;
    EXPECT_EQ(std::string(good.text).substr(found->replace_offset, found->replace_length),
              good.replaced);
  }
}

struct Bad {
  const char* why;
  const char* text;
  FtpSide side;
};

const Bad kBad[] = {
    {"bounce", "PORT 10,0,0,6,4,1\r\n", FtpSide::Client},
    {"bounce", "EPRT |1|10.0.0.6|6275|\r\n", FtpSide::Client},
    {"bounce", "227 Entering Passive Mode (10,0,0,6,195,80)\r\n", FtpSide::Server},
    {"privileged port", "PORT 10,0,0,5,0,25\r\n", FtpSide::Client},
    {"port 0", "PORT 10,0,0,5,0,0\r\n", FtpSide::Client},
    {"privileged port", "229 x (|||80|)\r\n", FtpSide::Server},
    {"wrong side", "PORT 10,0,0,5,4,1\r\n", FtpSide::Server},
    {"wrong side", "227 x (10,0,0,5,4,1)\r\n", FtpSide::Client},
    {"number too large", "PORT 10,0,0,5,256,1\r\n", FtpSide::Client},
    {"number too long", "PORT 10,0,0,0005,4,1\r\n", FtpSide::Client},
    {"too few numbers", "PORT 10,0,0,5,4\r\n", FtpSide::Client},
    {"trailing text", "PORT 10,0,0,5,4,1 x\r\n", FtpSide::Client},
    {"line not complete", "PORT 10,0,0,5,4,1", FtpSide::Client},
    {"line not complete", "PORT 10,0,0,5,4,1\r", FtpSide::Client},
    {"no carriage return", "PORT 10,0,0,5,4,1\n", FtpSide::Client},
    {"family and address differ", "EPRT |2|10.0.0.5|6275|\r\n", FtpSide::Client},
    {"unknown family", "EPRT |3|10.0.0.5|6275|\r\n", FtpSide::Client},
    {"port too large", "EPRT |1|10.0.0.5|65536|\r\n", FtpSide::Client},
    {"no closing delimiter", "EPRT |1|10.0.0.5|6275\r\n", FtpSide::Client},
    {"delimiters differ", "229 x (||!6446|)\r\n", FtpSide::Server},
    {"no parenthesis", "229 x |||6446|\r\n", FtpSide::Server},
    {"cut after the parenthesis", "229 (||\r\n", FtpSide::Server},
    {"first line of several", "227-x (10,0,0,5,4,1)\r\n", FtpSide::Server},
    {"not at the start of a line", "XPORT 10,0,0,5,4,1\r\n", FtpSide::Client},
    {"nothing", "", FtpSide::Client},
    {"code alone", "227 \r\n", FtpSide::Server},
    {"command alone", "EPRT \r\n", FtpSide::Client},
};

TEST(FtpControl, RefusesEverythingElse) {
  for (const Bad& bad : kBad) {
    EXPECT_FALSE(find(bad.text, bad.side, "10.0.0.5").has_value()) << bad.why << ": " << bad.text;
  }
}

TEST(FtpControl, TheMiddleOfALineIsNoLine) {
  EXPECT_FALSE(find("PORT 10,0,0,5,4,1\r\n", FtpSide::Client, "10.0.0.5", false).has_value());
  const auto found = find("rest\r\nPORT 10,0,0,5,4,1\r\n", FtpSide::Client, "10.0.0.5", false);
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->replace_offset, 11);
  EXPECT_TRUE(ends_line(std::vector<uint8_t>{'a', '\r', '\n'}));
  EXPECT_FALSE(ends_line(std::vector<uint8_t>{'a'}));
  EXPECT_FALSE(ends_line({}));
}

TEST(FtpControl, OverlongLinesAreSkipped) {
  const std::string padding(600, '0');
  EXPECT_FALSE(
      find("227 " + padding + " (10,0,0,5,4,1)\r\n", FtpSide::Server, "10.0.0.5").has_value());
}

// What is written is found again with the new address and port.
TEST(FtpControl, ReplacementAnnouncesTheTranslation) {
  for (const Good& good : kGood) {
    const auto found = find(good.text, good.side, good.sender);
    ASSERT_TRUE(found.has_value());
    const char* outside = ip(good.sender).is_v4() ? "203.0.113.254" : "2001:db8:ffff:ffff::1:fffe";
    const FtpReplacement text =
        write_announcement(*found, ip(outside), net::Be16::from_host(61234));
    ASSERT_GT(text.length, 0) << good.text;
    std::string line = good.text;
    line.replace(found->replace_offset, found->replace_length, text.view());
    const auto again = find(line, good.side, outside);
    ASSERT_TRUE(again.has_value()) << line;
    EXPECT_EQ(again->address, ip(outside));
    EXPECT_EQ(again->port.host(), 61234);
  }
}

TEST(FtpControl, LongestReplacementFits) {
  FtpAnnouncement announcement;
  announcement.kind = Kind::ExtendedPort;
  const FtpReplacement text = write_announcement(
      announcement, ip("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"), net::Be16::from_host(65535));
  EXPECT_EQ(text.view(), "|2|ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff|65535|");
}

TEST(FtpControl, PortCannotSayAnIpv6Address) {
  EXPECT_EQ(write_announcement({}, ip("2001:db8::1"), net::Be16::from_host(2000)).length, 0);
}

TEST(FtpControl, ExpectedFlowLeavesTheSourcePortOpen) {
  const auto flow =
      expected_data_flow(ip("198.51.100.9"), ip("10.0.0.5"), net::Be16::from_host(1025));
  EXPECT_EQ(flow.to_string(), "tcp 198.51.100.9:0 > 10.0.0.5:1025");
}

std::optional<FtpFinalReply> find_final(const std::string& text, bool at_line_start = true) {
  const std::vector<uint8_t> bytes(text.begin(), text.end());
  return find_final_reply(bytes, at_line_start);
}

TEST(FtpControl, FindsWhatEndsATransfer) {
  for (const std::string code : {"226", "250", "426", "550"}) {
    const auto found = find_final("150 here\r\n" + code + " all of it\r\n");
    ASSERT_TRUE(found.has_value()) << code;
    EXPECT_EQ(std::to_string(found->code), code);
    EXPECT_EQ(found->offset, 10);
    EXPECT_EQ(found->length, 13);
    EXPECT_TRUE(found->whole);
    EXPECT_EQ(found->is_refusal(), code[0] != '2');
  }
  for (const char* other : {"150 here\r\n", "227 Entering\r\n", "2266 x\r\n", "226x\r\n", "22",
                            " 226 in a list\r\n", ""}) {
    EXPECT_FALSE(find_final(other).has_value()) << other;
  }
}

TEST(FtpControl, FindsRepliesOfSeveralLines) {
  const auto whole = find_final("226-one\r\n226-two\r\n226 three\r\n221 bye\r\n");
  ASSERT_TRUE(whole.has_value());
  EXPECT_EQ(whole->length, 27);
  EXPECT_TRUE(whole->whole);
  const auto begun = find_final("226-one\r\ntwo\r\n");
  ASSERT_TRUE(begun.has_value());
  EXPECT_EQ(begun->length, 12);
  EXPECT_FALSE(begun->whole);
}

TEST(FtpControl, FindsRepliesThatAreCut) {
  const auto cut = find_final("226 Tra");
  ASSERT_TRUE(cut.has_value());
  EXPECT_EQ(cut->length, 7);
  EXPECT_TRUE(cut->whole);
  EXPECT_FALSE(find_final("226 in a line\r\n", false).has_value());
  EXPECT_TRUE(find_final("of a line\r\n226 done\r\n", false).has_value());
}

}  // namespace
}  // namespace masugata::dataplane
