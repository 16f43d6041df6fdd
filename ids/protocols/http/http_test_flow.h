// SPDX-License-Identifier: GPL-2.0-or-later
// For tests: a flow of HTTP, written as text.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "ids/protocols/http/http_events.h"
#include "ids/protocols/http/http_parser.h"
#include "ids/protocols/http/http_transaction.h"

namespace masugata::ids {

inline constexpr Direction kUp = Direction::ToServer;
inline constexpr Direction kDown = Direction::ToClient;

class HttpTestFlow {
 public:
  HttpTestFlow() : HttpTestFlow(ParserDemands{}) {}
  explicit HttpTestFlow(const ParserDemands& demands)
      : demands_(demands), parser_(make_http_parser(demands_)) {}

  // In pieces of `piece` bytes; 0: all at once. The first outcome that is not Going.
  ParseOutcome send(Direction direction, std::string_view bytes, size_t piece = 0) {
    while (!bytes.empty()) {
      const std::string_view part = bytes.substr(0, piece == 0 ? bytes.size() : piece);
      // A copy of its own: nothing may be kept that points into the packet.
      const std::vector<uint8_t> packet(part.begin(), part.end());
      const ParseOutcome outcome = parser_->on_data(direction, packet, 1'000'000);
      if (outcome != ParseOutcome::Going) {
        return outcome;
      }
      bytes.remove_prefix(part.size());
    }
    return ParseOutcome::Going;
  }
  ParseOutcome up(std::string_view bytes) { return send(kUp, bytes); }
  ParseOutcome down(std::string_view bytes) { return send(kDown, bytes); }
  void end() {
    parser_->on_end(kUp);
    parser_->on_end(kDown);
  }

  ProtocolParser& parser() { return *parser_; }
  size_t count() { return parser_->transactions().size(); }
  HttpTransaction& transaction(size_t index = 0) {
    return static_cast<HttpTransaction&>(*parser_->transactions().at(index));
  }
  // The buffer's text; "<absent>" and "<not yet>" when there is none.
  std::string text(BufferId id, Direction direction = kUp, uint32_t instance = 0,
                   size_t index = 0) {
    const BufferBytes found = transaction(index).buffer(id, direction, instance);
    switch (found.state) {
      case BufferState::Absent:
        return "<absent>";
      case BufferState::NotYet:
        return "<not yet>";
      default:
        return {found.bytes.begin(), found.bytes.end()};
    }
  }
  BufferState state(BufferId id, Direction direction = kUp) {
    return transaction().buffer(id, direction, 0).state;
  }
  bool has(HttpEvent event, size_t index = 0) {
    return transaction(index).events.test(static_cast<size_t>(event));
  }

 private:
  ParserDemands demands_;
  std::unique_ptr<ProtocolParser> parser_;
};

}  // namespace masugata::ids
