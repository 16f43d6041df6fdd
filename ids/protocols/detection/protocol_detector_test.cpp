// SPDX-License-Identifier: GPL-2.0-or-later
#include "ids/protocols/protocol_detector.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

namespace masugata::ids {
namespace {

using namespace std::string_literals;

std::span<const uint8_t> bytes_of(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

DetectionAnswer over_tcp(std::string_view to_server, std::string_view to_client = "",
                         uint16_t server_port = 4444) {
  return detect_protocol({bytes_of(to_server), bytes_of(to_client), false, server_port, 50000});
}
DetectionAnswer over_udp(std::string_view to_server, uint16_t server_port = 4444,
                         std::string_view to_client = "") {
  return detect_protocol({bytes_of(to_server), bytes_of(to_client), true, server_port, 50000});
}

const std::string kDnsQuery =
    "\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x07"
    "example\x03"
    "com\x00\x00\x01\x00\x01"s;
const std::string kDnsAnswer =
    "\x12\x34\x81\x80\x00\x01\x00\x00\x00\x00\x00\x00\x07"
    "example\x03"
    "com\x00\x00\x01\x00\x01"s;

TEST(ProtocolDetector, AsksTheServerAboutOddMethods) {
  constexpr std::string_view kRequest = "GET%00 / HTTP/1.1\r\nHost: a\r\n\r\n";
  EXPECT_EQ(over_tcp(kRequest).protocol, ApplicationProtocol::Unknown);
  EXPECT_EQ(over_tcp(kRequest, "HTTP/1.1 400 Bad\r\n").protocol, ApplicationProtocol::Http);
}

TEST(ProtocolDetector, KnowsOpeningsOfClientsOverTcp) {
  const std::vector<std::pair<ApplicationProtocol, std::string>> openings{
      {ApplicationProtocol::Http, "GET / HTTP/1.1\r\n"},
      {ApplicationProtocol::Http, "OPTIONS * HTTP/1.0\r\n"},
      {ApplicationProtocol::Http, "\r\nPOST\t/x\r\n"},
      {ApplicationProtocol::Http, "QUACK /duck HTTP/1.1\r\n"},
      {ApplicationProtocol::Http2, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"},
      {ApplicationProtocol::Tls, "\x16\x03\x01\x02\x00\x01"s},
      {ApplicationProtocol::Tls, "\x80\x2e\x01\x00\x02\x00\x15"s},
      {ApplicationProtocol::Tls, "\x17\x03\x03\x00\x10"s},
      {ApplicationProtocol::Ssh, "SSH-2.0-x\r\n"},
      {ApplicationProtocol::Smtp, "ehlo me\r\n"},
      {ApplicationProtocol::Ftp, "USER anonymous\r\n"},
      {ApplicationProtocol::Imap, "a001 LOGIN a b\r\n"},
      {ApplicationProtocol::Smb, "\x00\x00\x00\x54\xffSMB"s},
      {ApplicationProtocol::Smb, "\x00\x00\x00\x54\xfeSMB"s},
      {ApplicationProtocol::DceRpc, "\x05\x00\x0b\x03\x10\x00\x00\x00\x48\x00"s},
      {ApplicationProtocol::Nfs,
       "\x80\x00\x00\x28"
       "XIDX\x00\x00\x00\x00\x00\x00\x00\x02\x00\x01\x86\xa3"
       "\x00\x00\x00\x03"s},
      {ApplicationProtocol::Sip, "OPTIONS sip:a@b SIP/2.0\r\n"},
      {ApplicationProtocol::Rfb, "RFB 003.008\n"},
      {ApplicationProtocol::Mqtt, "\x10\x81\x01\x00\x04MQTT\x04"s},
      {ApplicationProtocol::Rdp, "\x03\x00\x00\x13\x0e\xe0\x00"s},
      {ApplicationProtocol::Telnet, "\xff\xfb\x18"},
      {ApplicationProtocol::Pgsql, "\x00\x00\x00\x08\x04\xd2\x16\x2f"s},
      {ApplicationProtocol::Ldap, "\x30\x0c\x02\x01\x01\x60\x07\x02\x01\x03\x04\x00\x80\x00"s},
      {ApplicationProtocol::Dnp3, "\x05\x64\x05\xc0"},
      {ApplicationProtocol::Dns, "\x00\x1d"s + kDnsQuery},
  };
  for (const auto& [protocol, text] : openings) {
    const DetectionAnswer answer = over_tcp(text);
    EXPECT_EQ(protocol_name(answer.protocol), protocol_name(protocol)) << text;
    EXPECT_EQ(answer.seen_in, Direction::ToServer);
    EXPECT_FALSE(answer.reversed) << text;
  }
}

TEST(ProtocolDetector, NeverMindsHowManyBytesCameAtFirst) {
  for (const std::string& text :
       {"GET / HTTP/1.1\r\n"s, "QUACK / HTTP/1.1\r\n"s, "\x16\x03\x01\x02\x00\x01\x00"s,
        "SSH-2.0-x"s, "\x00\x1d"s + kDnsQuery, "\x80\x2e\x01\x03\x01\x00\x15"s,
        "OPTIONS sip:x SIP/2.0"s}) {
    const ApplicationProtocol whole = over_tcp(text).protocol;
    for (size_t length = 1; length < text.size(); ++length) {
      const ApplicationProtocol part = over_tcp(text.substr(0, length)).protocol;
      EXPECT_TRUE(part == whole || part == ApplicationProtocol::Unknown)
          << text << " after " << length << ": " << protocol_name(part);
    }
  }
}

TEST(ProtocolDetector, KnowsServersThatSpeakFirst) {
  EXPECT_EQ(over_tcp("", "220 mail.example ESMTP\r\n").protocol, ApplicationProtocol::Smtp);
  EXPECT_EQ(over_tcp("", "220-Welcome to ProFTPD\r\n").protocol, ApplicationProtocol::Ftp);
  EXPECT_EQ(over_tcp("", "220 hello\r\n", 21).protocol, ApplicationProtocol::Ftp);
  EXPECT_EQ(over_tcp("", "220 hello\r\n", 25).protocol, ApplicationProtocol::Smtp);
  EXPECT_EQ(over_tcp("", "220 hello\r\n").protocol, ApplicationProtocol::Unknown);
  EXPECT_EQ(over_tcp("EHLO a\r\n", "220 hello\r\n").protocol, ApplicationProtocol::Smtp);
  EXPECT_EQ(over_tcp("USER a\r\n", "220 hello\r\n").protocol, ApplicationProtocol::Ftp);
  EXPECT_EQ(over_tcp("", "+OK ready\r\n").protocol, ApplicationProtocol::Pop3);
  EXPECT_EQ(over_tcp("", "* OK IMAP4rev1\r\n").protocol, ApplicationProtocol::Imap);
  const DetectionAnswer answer = over_tcp("", "SSH-2.0-OpenSSH\r\n");
  EXPECT_EQ(answer.protocol, ApplicationProtocol::Ssh);
  EXPECT_EQ(answer.seen_in, Direction::ToClient);
}

TEST(ProtocolDetector, SaysWhenTheSidesAreExchanged) {
  for (const std::string& text : {"HTTP/1.1 200 OK\r\n"s, "\x16\x03\x03\x00\x50\x02\x00\x00"s,
                                  "220 x ESMTP\r\n"s, "\x00\x1d"s + kDnsAnswer}) {
    const DetectionAnswer answer = over_tcp(text);
    EXPECT_TRUE(answer.reversed) << text;
    EXPECT_NE(answer.protocol, ApplicationProtocol::Unknown) << text;
    EXPECT_NE(answer.protocol, ApplicationProtocol::Failed) << text;
  }
  EXPECT_TRUE(over_udp(kDnsAnswer).reversed);
  EXPECT_EQ(over_udp(kDnsAnswer).protocol, ApplicationProtocol::Dns);
}

TEST(ProtocolDetector, KnowsDatagrams) {
  const std::string ntp = "\x23"s + std::string(47, '\0');
  const std::string dhcp = "\x01"s + std::string(235, '\0') + "\x63\x82\x53\x63"s;
  const std::string ike =
      "12345678"s + std::string(8, '\0') + "\x21\x20\x22\x08\x00\x00\x00\x00\x00\x00\x00\x1c"s;
  const std::string quic =
      "\xc3\x00\x00\x00\x01\x04"
      "abcd\x00"s +
      std::string(1200, 'x');
  EXPECT_EQ(over_udp(kDnsQuery).protocol, ApplicationProtocol::Dns);
  EXPECT_EQ(over_udp(kDnsQuery, 5353).protocol, ApplicationProtocol::Mdns);
  EXPECT_EQ(over_udp(ntp, 123).protocol, ApplicationProtocol::Ntp);
  EXPECT_EQ(over_udp(ntp, 124).protocol, ApplicationProtocol::Unknown);
  EXPECT_EQ(over_udp(dhcp, 67).protocol, ApplicationProtocol::Dhcp);
  EXPECT_EQ(over_udp(ike, 500).protocol, ApplicationProtocol::Ike);
  EXPECT_EQ(over_udp(std::string(4, '\0') + ike, 4500).protocol, ApplicationProtocol::Ike);
  EXPECT_EQ(over_udp("\x00\x01"
                     "file\x00octet\x00"s)
                .protocol,
            ApplicationProtocol::Tftp);
  EXPECT_EQ(over_udp("\x30\x0b\x02\x01\x01\x04\x06public"s).protocol, ApplicationProtocol::Snmp);
  EXPECT_EQ(over_udp(quic).protocol, ApplicationProtocol::Quic);
  EXPECT_EQ(over_udp("d1:ad2:id20:aaaaaaaaaaaaaaaaaaaae1:q4:ping1:t2:aa1:y1:qe").protocol,
            ApplicationProtocol::BitTorrentDht);
}

TEST(ProtocolDetector, TellsDnsOnItsPortByLittle) {
  std::string odd = kDnsQuery;
  odd[2] = '\x79';  // opcode 15
  EXPECT_EQ(over_udp(odd, 53).protocol, ApplicationProtocol::Dns);
  EXPECT_EQ(over_udp(odd, 54).protocol, ApplicationProtocol::Unknown);
}

TEST(ProtocolDetector, GivesUpWhenNothingFits) {
  EXPECT_EQ(over_tcp("\x01\x02\x03\x04\x05\x06\x07\x08", "\x01\x02\x03\x04").protocol,
            ApplicationProtocol::Unknown);  // the answer is too short to rule all out
  const std::string noise(64, '\x01');
  EXPECT_EQ(over_tcp(noise, noise).protocol, ApplicationProtocol::Failed);
  EXPECT_EQ(over_tcp(noise).protocol, ApplicationProtocol::Unknown);
  EXPECT_EQ(over_udp("\x01\x02", 9999, "\x01\x02").protocol, ApplicationProtocol::Failed);
  const std::string endless(kDetectionBytes, 'a');
  EXPECT_EQ(over_tcp(endless, endless).protocol, ApplicationProtocol::Failed);
  EXPECT_EQ(over_tcp("", "").protocol, ApplicationProtocol::Unknown);
}

}  // namespace
}  // namespace masugata::ids
