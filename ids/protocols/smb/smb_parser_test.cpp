// SPDX-License-Identifier: GPL-2.0-or-later
#include "ids/protocols/smb/smb_parser.h"

#include <gtest/gtest.h>

#include "ids/protocols/smb/smb_message.h"
#include "ids/protocols/smb/smb_transaction.h"

namespace masugata::ids {
namespace {

using Bytes = std::vector<uint8_t>;

constexpr uint16_t kTreeConnect2 = 3, kCreate2 = 5, kClose2 = 6, kRead2 = 8, kWrite2 = 9;

void put(Bytes& bytes, size_t at, uint64_t value, size_t width) {
  if (bytes.size() < at + width) {
    bytes.resize(at + width);
  }
  for (size_t i = 0; i < width; ++i) {
    bytes[at + i] = static_cast<uint8_t>(value >> (8 * i));
  }
}
void put_wide(Bytes& bytes, size_t at, std::string_view text) {
  for (size_t i = 0; i < text.size(); ++i) {
    put(bytes, at + 2 * i, static_cast<uint8_t>(text[i]), 2);
  }
}
void put_text(Bytes& bytes, size_t at, std::string_view text) {
  bytes.resize(at);
  bytes.insert(bytes.end(), text.begin(), text.end());
}

Bytes message2(uint16_t command, bool response, uint64_t id) {
  Bytes bytes{0xfe, 'S', 'M', 'B'};
  put(bytes, 12, command, 2);
  put(bytes, 16, response ? 1 : 0, 4);
  put(bytes, 24, id, 8);
  bytes.resize(160);
  return bytes;
}
Bytes message1(uint8_t command, bool response, uint8_t words) {
  Bytes bytes{0xff, 'S', 'M', 'B', command};
  put(bytes, 9, response ? 0x80 : 0, 1);
  put(bytes, 32, words, 1);
  bytes.resize(33U + 2U * words + 2U);
  return bytes;
}

class SmbParserTest : public testing::Test {
 protected:
  ParseOutcome send(Direction direction, const Bytes& message) {
    Bytes frame{0, static_cast<uint8_t>(message.size() >> 16U),
                static_cast<uint8_t>(message.size() >> 8U), static_cast<uint8_t>(message.size())};
    frame.insert(frame.end(), message.begin(), message.end());
    ParseOutcome outcome = ParseOutcome::Going;
    for (size_t at = 0; at < frame.size() && outcome == ParseOutcome::Going; at += piece_) {
      const size_t end = std::min(frame.size(), at + piece_);
      const Bytes piece{frame.begin() + static_cast<std::ptrdiff_t>(at),
                        frame.begin() + static_cast<std::ptrdiff_t>(end)};
      outcome = parser_->on_data(direction, piece, 0);
    }
    return outcome;
  }
  ParseOutcome client(const Bytes& message) { return send(Direction::ToServer, message); }
  ParseOutcome server(const Bytes& message) { return send(Direction::ToClient, message); }
  SmbTransaction& transaction(size_t index) {
    return static_cast<SmbTransaction&>(*parser_->transactions().at(index));
  }
  std::string buffer(size_t index, BufferId id) {
    const auto bytes = transaction(index).buffer(id, Direction::ToServer, 0).bytes;
    return {bytes.begin(), bytes.end()};
  }
  void connect(std::string_view share, uint8_t type) {
    Bytes request = message2(kTreeConnect2, false, 1);
    put(request, 64 + 4, 80, 2);
    put(request, 64 + 6, 2 * share.size(), 2);
    put_wide(request, 80, share);
    client(request);
    Bytes response = message2(kTreeConnect2, true, 1);
    put(response, 64 + 2, type, 1);
    server(response);
  }
  void create(std::string_view name, uint64_t file) {
    Bytes request = message2(kCreate2, false, 2);
    put(request, 64 + 44, 140, 2);
    put(request, 64 + 46, 2 * name.size(), 2);
    put_wide(request, 140, name);
    client(request);
    Bytes response = message2(kCreate2, true, 2);
    put(response, 64 + 64, file, 8);
    server(response);
  }
  static Bytes write(uint64_t file, uint64_t offset, std::string_view data) {
    Bytes request = message2(kWrite2, false, 3);
    put(request, 64 + 2, 112, 2);
    put(request, 64 + 4, data.size(), 4);
    put(request, 64 + 8, offset, 8);
    put(request, 64 + 16, file, 8);
    put_text(request, 112, data);
    return request;
  }
  void read(uint64_t file, uint64_t offset, std::string_view data) {
    Bytes request = message2(kRead2, false, 4);
    put(request, 64 + 8, offset, 8);
    put(request, 64 + 16, file, 8);
    client(request);
    Bytes response = message2(kRead2, true, 4);
    put(response, 64 + 2, 80, 1);
    put(response, 64 + 4, data.size(), 4);
    put_text(response, 80, data);
    server(response);
  }
  void close(uint64_t file) {
    Bytes request = message2(kClose2, false, 5);
    put(request, 64 + 8, file, 8);
    client(request);
  }

  ParserDemands demands_;
  std::unique_ptr<ProtocolParser> parser_ = make_smb_parser(demands_);
  size_t piece_ = 1 << 20;
};

TEST_F(SmbParserTest, AShareIsAPipeWhenTheServerSaysSo) {
  connect("\\\\s\\data", 1);
  connect("\\\\s\\IPC$", 2);
  EXPECT_EQ(buffer(0, BufferId::SmbShare), "\\\\s\\data");
  EXPECT_EQ(buffer(0, BufferId::SmbNamedPipe), "");
  EXPECT_EQ(buffer(1, BufferId::SmbShare), "");
  EXPECT_EQ(buffer(1, BufferId::SmbNamedPipe), "\\\\s\\IPC$");
  EXPECT_TRUE(transaction(0).complete() && transaction(1).complete());
}

TEST_F(SmbParserTest, FilesGoBothWaysOverAnySegmentation) {
  const std::string large(10000, 'L');
  for (const size_t piece : {1UL, 7UL, 100UL, 1UL << 20U}) {
    piece_ = piece;
    parser_ = make_smb_parser(demands_);
    create("dir\\a.exe", 7);
    create("b.exe", 8);
    client(write(7, 0, "hello "));
    client(write(7, 6, large));
    read(8, 0, "back");
    // What was sent again counts once.
    client(write(7, 3, "lo "));
    close(7);
    close(8);
    ASSERT_EQ(parser_->transactions().size(), 2U);
    const TransferredFile& up = transaction(0).files()[0];
    EXPECT_EQ(up.name, "dir\\a.exe");
    EXPECT_EQ(std::string(up.window.begin(), up.window.end()), "hello " + large);
    EXPECT_TRUE(up.complete && !up.truncated);
    EXPECT_EQ(up.direction, Direction::ToServer);
    const TransferredFile& down = transaction(1).files()[0];
    EXPECT_EQ(down.name, "b.exe");
    EXPECT_EQ(std::string(down.window.begin(), down.window.end()), "back");
    EXPECT_EQ(down.direction, Direction::ToClient);
    EXPECT_TRUE(transaction(0).complete() && transaction(1).complete());
  }
}

TEST_F(SmbParserTest, MessagesInOneFrameAreToldApart) {
  Bytes first = write(9, 0, "one");
  first.resize((first.size() + 7) / 8 * 8);
  put(first, 20, first.size(), 4);
  const Bytes second = write(9, 3, "two");
  first.insert(first.end(), second.begin(), second.end());
  client(first);
  ASSERT_EQ(parser_->transactions().size(), 1U);
  const TransferredFile& file = transaction(0).files()[0];
  EXPECT_EQ(std::string(file.window.begin(), file.window.end()), "onetwo");
}

TEST_F(SmbParserTest, AHoleInAFileTruncatesIt) {
  client(write(9, 0, "one"));
  client(write(9, 10, "two"));
  close(9);
  EXPECT_TRUE(transaction(0).files()[0].truncated);
  EXPECT_EQ(transaction(0).files()[0].size, 13U);
}

TEST_F(SmbParserTest, TheFirstDialectToo) {
  Bytes request = message1(0xa2, false, 24);
  put(request, 33 + 5, 4, 2);
  put_text(request, 33 + 48 + 2, std::string_view{"\\a.b\0", 5});
  client(request);
  Bytes response = message1(0xa2, true, 34);
  put(response, 33 + 5, 0x4001, 2);
  server(response);
  Bytes write1 = message1(0x2f, false, 14);
  put(write1, 33 + 4, 0x4001, 2);
  put(write1, 33 + 20, 4, 2);
  put(write1, 33 + 22, 64, 2);
  put_text(write1, 64, "data");
  client(write1);
  Bytes close1 = message1(0x04, false, 3);
  put(close1, 33, 0x4001, 2);
  client(close1);
  ASSERT_EQ(parser_->transactions().size(), 1U);
  EXPECT_EQ(transaction(0).files()[0].name, "\\a.b");
  EXPECT_EQ(transaction(0).files()[0].size, 4U);
  EXPECT_FALSE(transaction(0).files()[0].truncated);
  uint64_t version = 0;
  EXPECT_TRUE(transaction(0).number(NumberField::SmbVersion, Direction::ToServer, version));
  EXPECT_EQ(version, 1U);
}

TEST_F(SmbParserTest, EncryptionEndsTheParser) {
  Bytes hidden(100, 0);
  hidden[0] = 0xfd;
  EXPECT_EQ(client(hidden), ParseOutcome::Finished);
  parser_ = make_smb_parser(demands_);
  EXPECT_EQ(client(Bytes(100, 0)), ParseOutcome::Failed);
}

TEST_F(SmbParserTest, RaisesEachEventOnce) {
  const auto count = [&](std::string_view name) {
    const auto event = find_event(application_events(ApplicationProtocol::Smb), name);
    return std::count_if(parser_->transactions().begin(), parser_->transactions().end(),
                         [&](const auto& each) { return each->events.test(*event); });
  };
  client(write(1, 0, "abcd"));
  EXPECT_EQ(count("file_overlap"), 0);
  client(write(1, 2, "cdef"));
  EXPECT_EQ(count("file_overlap"), 1);
  for (int turn = 0; turn < 2; ++turn) {
    client(message1(0x04, true, 3));
    EXPECT_EQ(count("response_to_server"), 1);
  }
  client(Bytes(100, 0));
  EXPECT_EQ(count("malformed_data"), 1);
}

TEST_F(SmbParserTest, OpenFilesAreBounded) {
  for (uint64_t file = 1; file < 1000; ++file) {
    client(write(file, 0, "x"));
    size_t live = 0;
    for (const auto& each : parser_->transactions()) {
      live += each->complete() ? 0 : 1;
    }
    EXPECT_LE(live, 65U);
    while (parser_->transactions().size() > 100) {
      parser_->transactions().pop_front();
    }
  }
}

}  // namespace
}  // namespace masugata::ids
