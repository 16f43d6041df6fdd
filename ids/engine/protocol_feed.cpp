// SPDX-License-Identifier: GPL-2.0-or-later
#include <algorithm>
#include <new>
#include <utility>

#include "ids/engine/engine_core.h"
#include "ids/protocols/event_names.h"

namespace masugata::ids {
namespace {

// Protocols that give way to others within one packet; then the rest of the flow has no parser.
constexpr uint8_t kMostChangesPerPacket = 4;

std::span<const uint8_t> as_bytes(const std::string& text) noexcept {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

// What is odd about the choice of `chosen`, for rules.
void note_detection(FlowInspection& flow, ApplicationProtocol chosen) noexcept {
  const ApplicationProtocol expected = std::exchange(flow.expected, ApplicationProtocol::Unknown);
  if (expected != ApplicationProtocol::Unknown && expected != chosen) {
    flow.detection_events.set(
        expected == ApplicationProtocol::Tls
            ? event_number(kDetectionEventNames, "applayer_no_tls_after_starttls")
            : event_number(kDetectionEventNames, "applayer_unexpected_protocol"));
  }
  const bool clients_first =
      chosen == ApplicationProtocol::Http || chosen == ApplicationProtocol::Tls;
  if (clients_first && flow.event.protocol == ApplicationProtocol::Unknown &&
      flow.first_speaker == Direction::ToClient && !flow.facts.midstream) {
    flow.detection_events.set(
        event_number(kDetectionEventNames, "applayer_wrong_direction_first_data"));
  }
}

}  // namespace

void EngineCore::feed(Call& call, std::span<const StreamBytes> streams) noexcept {
  FlowInspection& flow = *call.flow;
  flow.news = {};
  flow.protocol_news = false;
  flow.parser_failed = false;
  flow.protocol_changes = 0;
  flow.detection_events.reset();
  if (!flow.encrypted && flow.parser && flow.parser->is_encrypted()) {
    flow.encrypted = true;
    flow.windows[0].release();
    flow.windows[1].release();
  }
  if (flow.unanswered && *flow.unanswered != call.packet.direction) {
    flow.unanswered.reset();
  }
  if (call.packet.key.protocol == net::Protocol::Udp) {
    if (!call.packet.payload.empty() && !call.packet.is_fragment) {
      feed_bytes(call, call.packet.direction, call.packet.payload);
    }
    return;
  }
  for (const StreamBytes& stream : streams) {
    const Direction direction = flow.reversed ? opposite(stream.direction) : stream.direction;
    if (stream.missing != 0) {
      feed_gap(call, direction, stream.missing);
    }
    if (stream.bytes.empty()) {
      feed_end(call, stream);
      continue;
    }
    counters.stream_bytes.add(stream.bytes.size());
    const size_t side = index_of(direction);
    StreamWindow& window = flow.windows[side];
    if (!flow.news[side]) {
      flow.news[side] = true;
      flow.news_from[side] = window.end();
    }
    if (plan_ != nullptr && plan_->keeps_stream[side] && !flow.encrypted &&
        flow.fate == FlowInspection::Fate::Inspect) {
      window.append(stream.bytes, limits_.stream_window_bytes);
    } else {
      window.skip(stream.bytes.size());
    }
    feed_bytes(call, direction, stream.bytes);
    feed_end(call, stream);
  }
}

void EngineCore::feed_gap(Call& call, Direction direction, uint64_t missing) noexcept {
  FlowInspection& flow = *call.flow;
  flow.windows[index_of(direction)].skip(missing);
  if (flow.detection == FlowInspection::Detection::Pending) {
    // What begins in the middle of something tells nothing, not even which protocol it is not. The
    // other direction may still tell.
    const size_t side = index_of(direction);
    const bool begun = !flow.first_bytes[side].empty();
    flow.headless[side] = true;
    if (begun || flow.headless[index_of(opposite(direction))]) {
      flow.detection = FlowInspection::Detection::Failed;
      flow.first_bytes = {};
      flow.tell_opaque(ApplicationProtocol::Failed);
    }
  } else if (flow.parser_live) {
    if (flow.announced == FlowInspection::Announced::Still) {
      if (flow.first_bytes[index_of(opposite(direction))].empty()) flow.first_speaker = direction;
      flow.announced = FlowInspection::Announced::Beyond;
      flow.first_bytes = {};
    }
    take_outcome(call, flow.parser->on_gap(direction, missing));
  }
}

void EngineCore::feed_bytes(Call& call, Direction direction,
                            std::span<const uint8_t> bytes) noexcept {
  FlowInspection& flow = *call.flow;
  if (bytes.empty()) {
    return;
  }
  if (flow.detection == FlowInspection::Detection::Pending) {
    detect(call, direction, bytes);
  } else if (flow.announced != FlowInspection::Announced::No &&
             turns_out_otherwise(flow, direction, bytes)) {
    detect(call, direction, bytes);
  } else if (flow.parser_live) {
    parse(call, direction, bytes);
  }
}

bool EngineCore::turns_out_otherwise(FlowInspection& flow, Direction direction,
                                     std::span<const uint8_t> bytes) noexcept {
  using Announced = FlowInspection::Announced;
  if (flow.announced == Announced::Otherwise) {
    return false;
  }
  std::vector<uint8_t>& kept = flow.first_bytes[index_of(direction)];
  const bool first = flow.announced == Announced::Still && flow.first_bytes[0].empty() &&
                     flow.first_bytes[1].empty();
  if (first) {
    flow.first_speaker = direction;
  }
  if (direction == flow.first_speaker) {
    bool fits = flow.announced == Announced::Still && kept.size() + bytes.size() <= kDetectionBytes;
    try {
      if (fits) kept.insert(kept.end(), bytes.begin(), bytes.end());
    } catch (const std::bad_alloc&) {
      fits = false;
    }
    if (!fits) {
      flow.announced = Announced::Beyond;
      flow.first_bytes = {};
    }
    return false;
  }
  const bool readable = std::exchange(flow.announced, Announced::Otherwise) == Announced::Still;
  if (!readable) {
    flow.tell_opaque(flow.event.protocol);
    return false;
  }
  flow.detection = FlowInspection::Detection::Pending;
  end_parser(flow);
  flow.event.protocol = flow.event.protocol_to_server = flow.event.protocol_to_client =
      ApplicationProtocol::Unknown;
  return true;
}

void EngineCore::detect(Call& call, Direction direction, std::span<const uint8_t> bytes) noexcept {
  FlowInspection& flow = *call.flow;
  const bool udp = call.packet.key.protocol == net::Protocol::Udp;
  if (flow.headless[index_of(direction)]) {
    return;
  }
  std::vector<uint8_t>& kept = flow.first_bytes[index_of(direction)];
  if (flow.first_bytes[0].empty() && flow.first_bytes[1].empty()) {
    flow.first_speaker = direction;
  }
  // What does not fit the buffer still reaches the parser, after the buffer.
  const size_t room = kDetectionBytes - std::min(kDetectionBytes, kept.size());
  const std::span<const uint8_t> fits = bytes.first(udp ? 0 : std::min(room, bytes.size()));
  try {
    kept.insert(kept.end(), fits.begin(), fits.end());
  } catch (const std::bad_alloc&) {
    give_up_detection(flow);
    return;
  }
  DetectionQuestion question;
  question.udp = udp;
  question.to_server = flow.first_bytes[0];
  question.to_client = flow.first_bytes[1];
  if (udp) {
    (direction == Direction::ToServer ? question.to_server : question.to_client) = bytes;
  }
  question.server_port = flow.facts.key.destination_port.host();
  question.client_port = flow.facts.key.source_port.host();
  const DetectionAnswer answer = protocols_.detect(question);
  if (answer.protocol == ApplicationProtocol::Unknown) {
    if (!udp && kept.size() >= kDetectionBytes) {
      give_up_detection(flow);
    }
    return;
  }
  if (answer.protocol == ApplicationProtocol::Failed) {
    give_up_detection(flow);
    return;
  }
  // A datagram flow has no handshake that says who asked.
  if (answer.reversed && (flow.facts.midstream || udp)) {
    exchange_sides(flow);
    direction = opposite(direction);
  }
  note_detection(flow, answer.protocol);
  settle_protocol(flow, answer.protocol);
  if (!udp && !limits_.inline_mode) {
    flow.unanswered = direction;
  }
  if (!flow.parser_live) {
    flow.first_bytes = {};
    return;
  }
  if (udp) {
    feed_bytes(call, direction, bytes);
    return;
  }
  const std::array<std::vector<uint8_t>, 2> first = std::exchange(flow.first_bytes, {});
  for (const Direction side : {flow.first_speaker, opposite(flow.first_speaker)}) {
    std::span<const uint8_t> waited = first[index_of(side)];
    if (flow.content_receiver != nullptr && side == direction) {
      // Contents care which bytes came with the packet at hand.
      const size_t earlier = waited.size() - fits.size();
      if (earlier != 0) {
        feed_bytes(call, side, waited.first(earlier));
      }
      waited = waited.subspan(earlier);
    }
    if (!waited.empty()) {
      feed_bytes(call, side, waited);
    }
  }
  if (fits.size() < bytes.size()) {
    feed_bytes(call, direction, bytes.subspan(fits.size()));
  }
}

void EngineCore::exchange_sides(FlowInspection& flow) noexcept {
  flow.reversed = !flow.reversed;
  flow.facts.key = flow.facts.key.reversed();
  flow.event.key = flow.facts.key;
  std::swap(flow.windows[0], flow.windows[1]);
  std::swap(flow.headless[0], flow.headless[1]);
  std::swap(flow.first_bytes[0], flow.first_bytes[1]);
  std::swap(flow.news[0], flow.news[1]);
  std::swap(flow.payload_rules[0], flow.payload_rules[1]);
  std::swap(flow.too_many_payload_rules[0], flow.too_many_payload_rules[1]);
  std::swap(flow.news_from[0], flow.news_from[1]);
  std::swap(flow.recent[0], flow.recent[1]);
  std::swap(flow.addresses_judged[0], flow.addresses_judged[1]);
  std::swap(flow.event.packets[0], flow.event.packets[1]);
  std::swap(flow.event.bytes[0], flow.event.bytes[1]);
  std::swap(flow.event.tcp_flags[0], flow.event.tcp_flags[1]);
  flow.first_speaker = opposite(flow.first_speaker);
}

void EngineCore::settle_protocol(FlowInspection& flow, ApplicationProtocol protocol) noexcept {
  EventFlow& event = flow.event;
  const bool follows_change = event.protocol != ApplicationProtocol::Unknown;
  flow.detection = FlowInspection::Detection::Known;
  flow.protocol_news = true;
  if (event.protocol != ApplicationProtocol::Unknown && event.protocol != protocol) {
    event.protocol_original = event.protocol;
  }
  event.protocol = event.protocol_to_server = event.protocol_to_client = protocol;
  counters.protocol_flows[static_cast<size_t>(protocol)].add(1);
  if (memory_bytes_ > limits_.memory_bytes) {
    flow.memory_refused = true;
    flow.tell_opaque(protocol);
    return;
  }
  try {
    flow.parser =
        protocols_.make(protocol, demands_, flow.facts.key.protocol == net::Protocol::Udp);
  } catch (const std::bad_alloc&) {
    flow.parser = nullptr;
  }
  flow.parser_live = flow.parser != nullptr;
  if (follows_change && flow.parser_live) {
    flow.parser->follow_change();
  }
  flow.equip_parser();
}

void EngineCore::give_up_detection(FlowInspection& flow) noexcept {
  flow.detection = FlowInspection::Detection::Failed;
  flow.protocol_news = true;
  flow.event.protocol = ApplicationProtocol::Failed;
  flow.event.protocol_to_server = flow.event.protocol_to_client = ApplicationProtocol::Failed;
  flow.first_bytes = {};
  flow.tell_opaque(ApplicationProtocol::Failed);
}

void EngineCore::parse(Call& call, Direction direction, std::span<const uint8_t> bytes) noexcept {
  ProtocolParser& parser = *call.flow->parser;
  const ParseOutcome outcome = parser.on_data(direction, bytes, call.packet.time_us);
  if (outcome != ParseOutcome::Changed) {
    return take_outcome(call, outcome);
  }
  const size_t taken = std::min(parser.consumed(), bytes.size());
  const std::string other = parser.take_unread(opposite(direction));
  const std::string own = parser.take_unread(direction);
  take_outcome(call, outcome);
  feed_bytes(call, opposite(direction), as_bytes(other));  // it was there first
  feed_bytes(call, direction, as_bytes(own));
  feed_bytes(call, direction, bytes.subspan(taken));
}

void EngineCore::take_outcome(Call& call, ParseOutcome outcome) noexcept {
  FlowInspection& flow = *call.flow;
  switch (outcome) {
    case ParseOutcome::Going:
      return;
    case ParseOutcome::Failed:
      counters.parsers_failed.add(1);
      flow.parser_failed = true;
      end_parser(flow);
      flow.tell_opaque(flow.event.protocol);
      return;
    case ParseOutcome::Finished:
      end_parser(flow);
      flow.tell_opaque(flow.event.protocol);
      return;
    case ParseOutcome::Changed:
      break;
  }
  const ApplicationProtocol next = flow.parser->next_protocol();
  end_parser(flow);
  if (++flow.protocol_changes > kMostChangesPerPacket) {
    counters.parsers_failed.add(1);
    // No change that anyone agreed on is so long: it counts as a parser that gave up.
    flow.tell_opaque(flow.event.protocol);
    return;
  }
  if (flow.retired) {
    // Two changes within one packet: the one in between has nothing that a rule could wait for.
    report_transactions(call, *flow.retired, true);
  }
  flow.retired = std::move(flow.parser);
  flow.expected = next;
  if (next == ApplicationProtocol::Unknown || next == ApplicationProtocol::Tls) {
    // What is announced is not always what comes.
    flow.event.protocol_original = flow.event.protocol;
    flow.detection = FlowInspection::Detection::Pending;
  } else {
    settle_protocol(flow, next);
  }
}

// No more calls of on_data; what it has is still inspected and logged.
void EngineCore::end_parser(FlowInspection& flow) noexcept {
  flow.parser_live = false;
  flow.parser->on_end(Direction::ToServer);
  flow.parser->on_end(Direction::ToClient);
}

}  // namespace masugata::ids
