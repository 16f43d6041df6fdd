// SPDX-License-Identifier: GPL-2.0-or-later
#include "ids/protocols/ssh/ssh_parser.h"

#include <gtest/gtest.h>

#include "ids/protocols/event_names.h"
#include "ids/protocols/tls/digest_text.h"

namespace masugata::ids {
namespace {

std::string be32(size_t value) {
  return {static_cast<char>(value >> 24U & 0xffU), static_cast<char>(value >> 16U & 0xffU),
          static_cast<char>(value >> 8U & 0xffU), static_cast<char>(value & 0xffU)};
}
std::string packet(const std::string& payload) {
  return be32(payload.size() + 5) + '\x04' + payload + std::string(4, '\0');
}
std::string key_exchange(const std::vector<std::string>& lists) {
  std::string payload = '\x14' + std::string(16, 'C');
  for (const std::string& list : lists) payload += be32(list.size()) + list;
  return packet(payload + std::string(5, '\0'));
}
const std::string kNewKeys = packet("\x15");
const std::string kLists = key_exchange(
    {"kex1,kex2", "ssh-rsa", "enc-c", "enc-s", "mac-c", "mac-s", "none", "zlib", "", ""});

std::string text_of(const BufferBytes& found) {
  if (found.state == BufferState::NotYet) return "(not yet)";
  if (found.state == BufferState::Absent) return "(absent)";
  return {reinterpret_cast<const char*>(found.bytes.data()), found.bytes.size()};
}

class SshParserTest : public testing::Test {
 protected:
  SshParserTest() {
    demands_.hassh = true;
    restart();
  }
  void restart() { parser_ = make_parser(ApplicationProtocol::Ssh, demands_); }
  ParseOutcome client(std::string_view bytes) { return give(Direction::ToServer, bytes); }
  ParseOutcome server(std::string_view bytes) { return give(Direction::ToClient, bytes); }
  ParseOutcome give(Direction direction, std::string_view bytes) {
    return parser_->on_data(direction,
                            {reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()}, 0);
  }
  Transaction& transaction() { return *parser_->transactions().front(); }
  std::string from_client(BufferId buffer) {
    return text_of(transaction().buffer(buffer, Direction::ToServer, 0));
  }
  std::string from_server(BufferId buffer) {
    return text_of(transaction().buffer(buffer, Direction::ToClient, 0));
  }
  bool raised(std::string_view event) {
    return transaction().events.test(*find_event(kSshEventNames, event));
  }

  ParserDemands demands_;
  std::unique_ptr<ProtocolParser> parser_;
};

TEST_F(SshParserTest, ReadsBothSidesInAnyPieces) {
  const std::string from_client_bytes = "SSH-2.0-Client_1.0 a comment\r\n" + kLists + kNewKeys;
  const std::string from_server_bytes =
      "SSH-1.99-Server-2\n" + kLists + packet("\x1f key exchange reply") + kNewKeys + "encrypted";
  for (const size_t piece : {1U, 3U, 50U, 10000U}) {
    restart();
    for (size_t start = 0; start < from_client_bytes.size(); start += piece) {
      ASSERT_EQ(client(std::string_view{from_client_bytes}.substr(start, piece)),
                ParseOutcome::Going);
    }
    EXPECT_EQ(from_server(BufferId::SshProto), "(not yet)");
    ParseOutcome outcome = ParseOutcome::Going;
    for (size_t start = 0; start < from_server_bytes.size(); start += piece) {
      outcome = server(std::string_view{from_server_bytes}.substr(start, piece));
      if (outcome != ParseOutcome::Going) break;
    }
    EXPECT_EQ(outcome, ParseOutcome::Finished);
    EXPECT_TRUE(transaction().complete());
    EXPECT_TRUE(transaction().events.none());
    EXPECT_EQ(from_client(BufferId::SshProto), "2.0");
    EXPECT_EQ(from_client(BufferId::SshSoftware), "Client_1.0");
    EXPECT_EQ(from_server(BufferId::SshProto), "1.99");
    EXPECT_EQ(from_server(BufferId::SshSoftware), "Server-2");
    EXPECT_EQ(from_client(BufferId::SshHasshString), "kex1,kex2;enc-c;mac-c;none");
    EXPECT_EQ(from_server(BufferId::SshHasshServerString), "kex1,kex2;enc-s;mac-s;zlib");
    EXPECT_EQ(from_client(BufferId::SshHassh), md5_hex("kex1,kex2;enc-c;mac-c;none"));
    EXPECT_EQ(from_server(BufferId::SshHassh), "(absent)");
  }
}

TEST_F(SshParserTest, HashesOnlyWhenAsked) {
  demands_.hassh = false;
  restart();
  ASSERT_EQ(client("SSH-2.0-x\r\n" + kLists), ParseOutcome::Going);
  EXPECT_EQ(from_client(BufferId::SshHassh), "(absent)");
}

TEST_F(SshParserTest, LetsServersSaySomethingFirst) {
  EXPECT_EQ(server("Welcome\r\nto here\r\nSSH-2.0-x\r\n"), ParseOutcome::Going);
  EXPECT_EQ(from_server(BufferId::SshSoftware), "x");
  restart();
  EXPECT_EQ(client("Welcome\r\nSSH-2.0-x\r\n"), ParseOutcome::Failed);
  EXPECT_TRUE(raised("invalid_banner"));
  EXPECT_TRUE(transaction().complete());
}

TEST_F(SshParserTest, BoundsLinesAndPackets) {
  EXPECT_EQ(client("SSH-2.0-" + std::string(100000, 'x')), ParseOutcome::Going);
  EXPECT_TRUE(raised("long_banner"));
  EXPECT_EQ(client("\n"), ParseOutcome::Going);
  EXPECT_LE(from_client(BufferId::SshSoftware).size(), kMaximumSshBannerBytes);

  restart();
  EXPECT_EQ(client("SSH-2.0-x\r\n" + be32(100000) + "\x04\x14"), ParseOutcome::Failed);
  EXPECT_TRUE(raised("long_kex_record"));
  restart();
  EXPECT_EQ(client("SSH-2.0-x\r\n" + be32(100000) + "\x04\x1e"), ParseOutcome::Failed);
  EXPECT_TRUE(raised("invalid_record"));
  restart();
  EXPECT_EQ(client("SSH-2.0-x\r\n" + be32(1) + "\x04\x14"), ParseOutcome::Failed);
  EXPECT_TRUE(raised("invalid_record"));
  restart();
  EXPECT_EQ(client("SSH-2.0-x\r\n" + packet("\x14too short")), ParseOutcome::Going);
  EXPECT_TRUE(raised("invalid_record"));

  restart();
  for (size_t line = 0; line < kMaximumSshOtherLines; ++line) {
    ASSERT_EQ(server("chatter\n"), ParseOutcome::Going);
  }
  EXPECT_EQ(server("chatter\n"), ParseOutcome::Failed);
}

TEST_F(SshParserTest, KnowsBuffersThatWillNotCome) {
  ASSERT_EQ(client("SSH-2.0-x\r\n"), ParseOutcome::Going);
  EXPECT_EQ(from_client(BufferId::SshHassh), "(not yet)");
  parser_->on_end(Direction::ToServer);
  EXPECT_EQ(from_client(BufferId::SshHassh), "(absent)");
  EXPECT_EQ(from_server(BufferId::SshProto), "(not yet)");
}

}  // namespace
}  // namespace masugata::ids
