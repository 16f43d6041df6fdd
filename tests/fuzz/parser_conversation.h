// SPDX-License-Identifier: GPL-2.0-or-later
// A conversation out of any bytes for a protocol parser, and what must hold of every parser:
// bounds, readable buffers, contents that are begun before and ended once, and the same outcome
// whatever the segmentation.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "ids/buffers/buffer_properties.h"
#include "ids/protocols/content_recorder.h"
#include "ids/protocols/protocol_parser.h"

namespace masugata::ids {

inline void require(bool holds) {
  if (!holds) std::abort();
}

// Input: turns of one byte of choices (1: to the client, 2: a loss before it, 4: that side ends
// after it), two bytes of length, and so many bytes.
struct Turn {
  Direction direction = Direction::ToServer;
  bool loss = false;
  bool ends = false;
  std::span<const uint8_t> bytes;
};

inline std::vector<Turn> read_turns(std::span<const uint8_t> input) {
  std::vector<Turn> turns;
  while (input.size() >= 3) {
    Turn turn;
    turn.direction = (input[0] & 1U) != 0 ? Direction::ToClient : Direction::ToServer;
    turn.loss = (input[0] & 2U) != 0;
    turn.ends = (input[0] & 4U) != 0;
    const size_t length = std::min<size_t>(input[1] * 256U + input[2], input.size() - 3);
    turn.bytes = input.subspan(3, length);
    input = input.subspan(3 + length);
    turns.push_back(turn);
  }
  return turns;
}

// Reads every buffer of a transaction, as rules would.
inline void touch_buffers(Transaction& transaction) {
  size_t sum = 0;
  for (size_t id = 0; id < kBufferCount; ++id) {
    for (const Direction direction : {Direction::ToServer, Direction::ToClient}) {
      for (uint32_t instance = 0; instance < 4; ++instance) {
        const BufferBytes bytes =
            transaction.buffer(static_cast<BufferId>(id), direction, instance);
        for (const uint8_t byte : bytes.bytes) sum += byte;
      }
    }
  }
  // Written and never read: the reading above must not be optimised away.
  [[maybe_unused]] static volatile size_t sink;
  sink = sum;
  require(transaction.files().size() <= kMaximumFiles);
}

// What a conversation came to. Transactions are removed as the engine does it.
class Conversation {
 public:
  explicit Conversation(std::unique_ptr<ProtocolParser> parser) : parser_(std::move(parser)) {
    parser_->set_content_receiver(&contents_);
  }

  void run(const std::vector<Turn>& turns, size_t piece_bytes) {
    for (const Turn& turn : turns) {
      if (turn.loss && !settle(parser_->on_gap(turn.direction, 7))) break;
      bool going = true;
      for (size_t at = 0; at < turn.bytes.size() && going; at += piece_bytes) {
        const auto piece = turn.bytes.subspan(at, std::min(piece_bytes, turn.bytes.size() - at));
        // An exact copy on the heap: reading beyond it is seen.
        const std::vector<uint8_t> copy(piece.begin(), piece.end());
        going = settle(parser_->on_data(turn.direction, copy, 0));
      }
      if (!going) break;
      if (turn.ends) parser_->on_end(turn.direction);
    }
    parser_->on_end(Direction::ToServer);
    parser_->on_end(Direction::ToClient);
    remove_complete();
    for (const auto& transaction : parser_->transactions()) tell(*transaction);
    require(contents_.all_ended());
    story_ += contents_.story();
  }
  [[nodiscard]] const std::string& story() const { return story_; }
  [[nodiscard]] size_t transactions() const { return told_; }

 private:
  bool settle(ParseOutcome outcome) {
    require(parser_->transactions().size() <= 2 * kMaximumTransactions);
    // Now and then, and the newest ones: the others were read when they were new.
    const auto& all = parser_->transactions();
    const bool reads = calls_++ % 16 == 0;
    for (size_t i = all.size() - std::min<size_t>(all.size(), 3); reads && i < all.size(); ++i) {
      touch_buffers(*all[i]);
    }
    remove_complete();
    return outcome == ParseOutcome::Going;
  }
  void remove_complete() {
    auto& transactions = parser_->transactions();
    while (!transactions.empty() && transactions.front()->complete()) {
      tell(*transactions.front());
      transactions.pop_front();
    }
  }
  void tell(Transaction& transaction) {
    ++told_;
    story_ += "transaction\n";
    for (const TransferredFile& file : transaction.files()) {
      story_ += file.name + " " + std::to_string(file.size) + " " + file.md5 +
                (file.truncated ? " truncated\n" : "\n");
    }
  }

  ContentRecorder contents_;
  std::unique_ptr<ProtocolParser> parser_;
  std::string story_;
  size_t told_ = 0;
  size_t calls_ = 0;
};

// The same conversation in large and in small pieces.
template <typename MakeParser>
void check_conversation(std::span<const uint8_t> input, MakeParser make) {
  const std::vector<Turn> turns = read_turns(input);
  Conversation whole{make()};
  whole.run(turns, 65536);
  Conversation pieces{make()};
  pieces.run(turns, 3);
  // Beyond the bound the engine's removal, which comes after each piece, makes a difference.
  if (whole.transactions() < kMaximumTransactions) require(whole.story() == pieces.story());
}

}  // namespace masugata::ids
