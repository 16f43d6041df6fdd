// SPDX-License-Identifier: GPL-2.0-or-later
// All that the engine remembers of one flow.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "ids/engine/flow_variables.h"
#include "ids/engine/inspection_engine.h"
#include "ids/engine/recent_matches.h"
#include "ids/engine/stream_window.h"
#include "ids/engine/tags.h"
#include "ids/eve/event_sink.h"
#include "ids/protocols/protocol_parser.h"

namespace masugata::ids {

// Thread: the worker of the engine that opened it. Freed by close_flow().
class FlowInspection {
 public:
  enum class Fate : uint8_t { Inspect, Pass, Drop };
  enum class Detection : uint8_t { Pending, Known, Failed };

  FlowFacts facts;  // `key` and directions as the engine takes them, see `reversed`
  EventFlow event;
  uint64_t last_us = 0;
  // The side that sent first is the server (a stream that was joined in the middle, datagrams of
  // which the answer was seen first): directions of the caller are exchanged.
  bool reversed = false;
  std::array<bool, 2> addresses_judged{};  // address rules have seen this direction

  Fate fate = Fate::Inspect;
  VerdictAction fate_action = VerdictAction::Drop;
  uint32_t fate_sid = 0;

  // Application protocol.
  Detection detection = Detection::Pending;
  bool protocol_news = false;                       // became known at the packet at hand
  std::array<std::vector<uint8_t>, 2> first_bytes;  // at most kDetectionBytes each, while pending
  std::array<bool, 2> headless{};                   // bytes are missing where the direction begins
  Direction first_speaker = Direction::ToServer;
  std::unique_ptr<ProtocolParser> parser;
  bool parser_live = false;
  bool parser_failed = false;  // at the packet at hand
  // Where nothing is dropped: the side that told the protocol, until the other one has answered.
  // Only then do rules on the packets of a protocol know it.
  std::optional<Direction> unanswered;
  std::unique_ptr<ProtocolParser> retired;  // gave way to `parser` at the packet at hand
  uint8_t protocol_changes = 0;             // of the packet at hand
  ApplicationProtocol expected = ApplicationProtocol::Unknown;  // after STARTTLS and its like
  // Another flow announced this one as a file on its way. Files go one way: bytes of the other side
  // say that it is something else.
  enum class Announced : uint8_t {
    No,
    Still,   // `first_bytes` are those of the side that speaks
    Beyond,  // likewise, and they are too many, or lost, to be read as something else
    Otherwise,
  };
  Announced announced = Announced::No;
  EventSet detection_events;  // of the packet at hand
  bool encrypted = false;     // both sides, since a packet before: rules do not look into payloads
  const ParserDemands* demands = nullptr;  // the engine's, for parsers made from outside

  // Contents; null: nobody takes them.
  ContentReceiver* content_receiver = nullptr;
  bool told_opaque = false;
  void tell_opaque(ApplicationProtocol protocol) noexcept;
  // A parser was made, or there is none for what was recognised.
  void equip_parser() noexcept;

  // Streams.
  std::array<StreamWindow, 2> windows;
  std::array<uint64_t, 2> news_from{};  // number of the first byte that came with this packet
  std::array<bool, 2> news{};
  std::array<RecentMatches, 2> recent;  // of rules on streams

  // Transaction rules of `payload_rules_of` (a plan's generation) whose pattern was found in the
  // payload of that direction, each once; too many: all of the plan count as found.
  static constexpr size_t kMostPayloadRules = 64;
  std::array<std::vector<uint32_t>, 2> payload_rules;
  std::array<bool, 2> too_many_payload_rules{};
  uint32_t payload_rules_of = 0;

  FlowVariables variables;
  Tag tag;
  bool memory_refused = false;  // at the packet at hand: no room for a parser or a window
  bool memory_counted = false;  // that once was so

  FlowInspection* next = nullptr;
  FlowInspection* previous = nullptr;
  uint64_t accounted_bytes = 0;

  [[nodiscard]] size_t memory_bytes() const noexcept;
};

}  // namespace masugata::ids
