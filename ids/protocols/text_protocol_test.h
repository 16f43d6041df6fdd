// SPDX-License-Identifier: GPL-2.0-or-later
// For tests: a conversation of lines with one parser, in pieces of any size.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "ids/protocols/protocol_parser.h"

namespace masugata::ids {

inline std::string text_of(const BufferBytes& bytes) {
  return {reinterpret_cast<const char*>(bytes.bytes.data()), bytes.bytes.size()};
}

class TextProtocolTest : public testing::Test {
 protected:
  using Maker = std::unique_ptr<ProtocolParser> (*)(const ParserDemands&);
  explicit TextProtocolTest(Maker make, const ParserDemands& demands = {})
      : demands_(demands), parser_(make(demands_)) {}

  ParseOutcome client(std::string_view text) { return send(Direction::ToServer, text); }
  ParseOutcome server(std::string_view text) { return send(Direction::ToClient, text); }
  // In pieces of `piece_` bytes; the first outcome that is not Going.
  ParseOutcome send(Direction direction, std::string_view text) {
    ParseOutcome outcome = ParseOutcome::Going;
    // Exact copies, so that reading beyond a piece is seen by the sanitizer.
    for (size_t at = 0; at < text.size() && outcome == ParseOutcome::Going; at += piece_) {
      const std::string_view part = text.substr(at, piece_);
      const std::vector<uint8_t> piece{part.begin(), part.end()};
      outcome = parser_->on_data(direction, piece, 0);
    }
    return outcome;
  }
  template <typename Transaction>
  Transaction& transaction_at(size_t index) {
    return static_cast<Transaction&>(*parser_->transactions().at(index));
  }

  ParserDemands demands_;
  std::unique_ptr<ProtocolParser> parser_;
  size_t piece_ = 1 << 20;
};

}  // namespace masugata::ids
