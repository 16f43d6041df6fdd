// SPDX-License-Identifier: GPL-2.0-or-later
// For tests: a conversation that a parser sees whole, byte by byte and cut at random places, with a
// ContentRecorder that must be told the same each time.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "ids/protocols/content_recorder.h"
#include "ids/protocols/protocol_parser.h"

namespace masugata::ids {

struct SaidTurn {
  Direction direction;
  std::string bytes;
  bool ends = false;  // FIN behind it
};
inline SaidTurn client_says(std::string_view bytes) {
  return {Direction::ToServer, std::string{bytes}};
}
inline SaidTurn server_says(std::string_view bytes) {
  return {Direction::ToClient, std::string{bytes}};
}
inline SaidTurn server_ends() { return {Direction::ToClient, {}, true}; }
inline SaidTurn client_ends() { return {Direction::ToServer, {}, true}; }

using ParserMaker = std::function<std::unique_ptr<ProtocolParser>(const ParserDemands&)>;

class ContentConversation {
 public:
  ContentConversation(ParserMaker make, std::vector<SaidTurn> turns)
      : make_(std::move(make)), turns_(std::move(turns)) {}

  // The conversation in pieces of at most `most` bytes; random ones when `seed` is not 0. Ends the
  // flow when `closes`.
  void run(ContentRecorder& recorder, size_t most, uint32_t seed = 0, bool closes = true) const {
    const ParserDemands demands;
    const std::unique_ptr<ProtocolParser> parser = make_(demands);
    parser->set_content_receiver(&recorder);
    std::mt19937 random{seed};
    ParseOutcome outcome = ParseOutcome::Going;
    for (const SaidTurn& turn : turns_) {
      for (size_t at = 0; at < turn.bytes.size() && outcome == ParseOutcome::Going;) {
        const size_t length = seed == 0 ? most : 1 + random() % most;
        const std::string_view piece = std::string_view{turn.bytes}.substr(at, length);
        // A copy of its own: reading beyond it, or keeping it, is seen by the sanitizer.
        const std::vector<uint8_t> packet(piece.begin(), piece.end());
        outcome = parser->on_data(turn.direction, packet, 0);
        at += piece.size();
      }
      if (turn.ends && outcome == ParseOutcome::Going) parser->on_end(turn.direction);
    }
    if (closes) {
      parser->on_end(Direction::ToServer);
      parser->on_end(Direction::ToClient);
      EXPECT_TRUE(recorder.all_ended());
    }
  }

  // What is told of the whole conversation, which must be what is told of any cut of it.
  [[nodiscard]] ContentRecorder told(bool closes = true) const {
    ContentRecorder whole;
    run(whole, 1 << 20, 0, closes);
    ContentRecorder bytewise;
    run(bytewise, 1, 0, closes);
    EXPECT_EQ(bytewise.story(), whole.story());
    for (uint32_t seed = 1; seed <= 20; ++seed) {
      ContentRecorder cut;
      run(cut, seed % 2 == 0 ? 7 : 150, seed, closes);
      if (cut.story() != whole.story()) {
        ADD_FAILURE() << "seed " << seed << "\n" << cut.story().substr(0, 3000);
        break;
      }
    }
    return whole;
  }

 private:
  ParserMaker make_;
  std::vector<SaidTurn> turns_;
};

}  // namespace masugata::ids
