// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/replay/replay.h"

#include <algorithm>
#include <utility>

#include "net/headers/quoted_packet.h"
#include "net/headers/transport.h"

namespace masugata::dataplane {
namespace {

using ids::Direction;

constexpr uint64_t kSecond_us = 1'000'000;
constexpr uint64_t kExpiryInterval_us = 10 * kSecond_us;
constexpr uint64_t kExpectationLifetime_us = 300 * kSecond_us;
constexpr size_t kMaximumExpectations = 256;

StreamSettings stream_settings_of(const ReplaySettings& settings) noexcept {
  StreamSettings streams;
  const bool as_gateway = settings.inline_mode || settings.stream_inline;
  streams.mode = as_gateway ? StreamMode::Inline : StreamMode::Capture;
  // A capture is no place to be strict about loss: what the capturing machine missed is a gap.
  streams.gap = GapPolicy::SkipCounted;
  streams.urgent = as_gateway ? UrgentPolicy::Clear : UrgentPolicy::TakeOut;
  streams.midstream = settings.midstream || settings.one_sided;
  return streams;
}

ids::EngineLimits limits_of(const ReplaySettings& settings) noexcept {
  ids::EngineLimits limits;
  limits.flows = settings.maximum_flows;
  limits.alerts_per_packet = settings.alerts_per_packet;
  limits.inline_mode = settings.inline_mode;
  const bool as_gateway = settings.inline_mode || settings.stream_inline;
  const bool strict = settings.inline_mode && settings.exceptions_drop;
  limits.parser_failure = settings.parser_failure.value_or(strict ? ids::ParserFailure::DropFlow
                                                                  : ids::ParserFailure::Ignore);
  limits.stream_repeat_bytes = as_gateway ? ids::kUsualStreamRepeatBytes : 0;
  return limits;
}

DecoderOptions decoder_options_of(const ReplaySettings& settings) noexcept {
  DecoderOptions options;
  options.verify_checksums = settings.verify_checksums;
  options.vxlan_port = settings.vxlan_port;
  options.geneve_port = settings.geneve_port;
  return options;
}

ConversationOptions conversation_options_of(const ReplaySettings& settings) noexcept {
  return {.midstream = settings.midstream,
          .one_sided = settings.one_sided,
          .inline_mode = settings.inline_mode || settings.stream_inline};
}

}  // namespace

Replay::Replay(const ReplaySettings& settings, const ids::DetectionPlan* plan, ids::EventSink& sink)
    : settings_(settings),
      stream_settings_(stream_settings_of(settings)),
      sink_(sink),
      engine_(limits_of(settings), sink),
      flows_(settings_),
      decoder_(decoder_options_of(settings), *this) {
  // Without the memory every stream meets its bound at once, which is reported per packet.
  static_cast<void>(memory_.allocate(memory_source_, settings.stream_memory_bytes));
  engine_.use_plan(plan);
}

Replay::~Replay() = default;

Status Replay::run(const std::string& path) {
  Result<CaptureFile> file = CaptureFile::open(path);
  if (!file) return tl::unexpected(file.error());
  for (;;) {
    Result<std::optional<CapturedFrame>> frame = file->next();
    if (!frame) return tl::unexpected(frame.error());
    if (!*frame) return {};
    take(**frame);
  }
}

void Replay::take(const CapturedFrame& captured) {
  ++counts_.frames;
  counts_.bytes += captured.bytes.size();
  now_us_ = std::max(now_us_, captured.time_us);
  expire(now_us_);
  dropped_inside_ = false;
  decoder_.decode(captured);
}

void Replay::finish() {
  for (ReplayFlow* flow : flows_.all()) end_flow(*flow, "shutdown");
}

void Replay::expire(uint64_t time_us) {
  if (time_us < expired_at_us_ + kExpiryInterval_us) return;
  expired_at_us_ = time_us;
  for (ReplayFlow* flow : flows_.all_timed_out(time_us)) end_flow(*flow, "timeout");
  std::erase_if(expectations_, [&](const Expectation& known) { return known.until_us < time_us; });
}

void Replay::receive(DecodedPacket& packet) {
  const bool dropped_inside = dropped_inside_;
  const uint64_t dropped = counts_.dropped;
  judge(packet);
  // Who drops what is inside drops what is around it.
  if (dropped_inside && counts_.dropped == dropped) drop(packet.facts, "tunnel packet drop");
}

void Replay::judge(DecodedPacket& packet) {
  ++counts_.packets;
  ids::PacketFacts& facts = packet.facts;
  if (!packet.transport_checksum_ok || !packet.network_checksum_ok) ++counts_.wrong_checksums;
  const bool followed = packet.has_flow && facts.is_ip;
  ReplayFlow* flow = followed ? quoted_flow(facts) : nullptr;
  pieces_.clear();
  if (flow != nullptr) return receive_other(packet, *flow);
  flow = followed ? flow_of(packet) : nullptr;
  if (flow == nullptr) {
    inspect(facts, nullptr, false);
    return;
  }
  facts.direction = flow->direction_of(facts.key);
  if (flow->tcp) return receive_tcp(packet, *flow);
  receive_other(packet, *flow);
}

void Replay::receive_other(DecodedPacket& packet, ReplayFlow& flow) {
  ids::PacketFacts& facts = packet.facts;
  flow.last_us = std::max(flow.last_us, facts.time_us);
  ++flow.packets[ids::index_of(facts.direction)];
  flow.bytes[ids::index_of(facts.direction)] += facts.network.size();
  if (flow.treatment == FlowTreatment::Drop) return drop(facts, "flow drop");
  if (flow.treatment == FlowTreatment::Pass) return;
  const bool established = flow.tcp ? flow.tcp->conversation.established()
                                    : flow.packets[0] != 0 && flow.packets[1] != 0;
  // What is inside came first.
  const bool dropped_inside = dropped_inside_;
  inspect(facts, &flow, established);
  if (dropped_inside && settings_.inline_mode && settings_.track_parent_flow) {
    flow.treatment = FlowTreatment::Drop;
  }
}

ReplayFlow* Replay::quoted_flow(ids::PacketFacts& facts) {
  const net::Protocol protocol = facts.key.protocol;
  if (protocol != net::Protocol::Icmp && protocol != net::Protocol::Icmpv6) return nullptr;
  const uint8_t type = facts.transport[0];
  const bool v4 = protocol == net::Protocol::Icmp;
  const bool is_error =
      v4 ? type == 3 || type == 4 || type == 5 || type == 11 || type == 12 : type >= 1 && type <= 4;
  net::QuotedPacket quote;
  if (!is_error || !net::QuotedPacket::parse(v4 ? net::Family::Ipv4 : net::Family::Ipv6,
                                             facts.payload.data(), facts.payload.size(), quote)) {
    return nullptr;
  }
  ReplayFlow* flow = flows_.find(quote.key, facts.vlan);
  if (flow == nullptr || flow->inspection == nullptr) return nullptr;
  facts.direction = ids::opposite(flow->direction_of(quote.key));
  return flow;
}

ReplayFlow* Replay::flow_of(const DecodedPacket& packet) {
  const ids::PacketFacts& facts = packet.facts;
  ReplayFlow* flow = flows_.find(facts.key, facts.vlan);
  if (flow != nullptr && flows_.timed_out(*flow, facts.time_us)) {
    end_flow(*flow, "timeout");
    flow = nullptr;
  }
  if (flow != nullptr && flow->tcp) {
    StreamSegment segment;
    segment.flags = packet.tcp_flags;
    if (flow->tcp->conversation.is_begun_anew_by(segment)) {
      end_flow(*flow, "tcp_reuse");
      flow = nullptr;
    }
  }
  return flow != nullptr ? flow : open_flow(packet);
}

ReplayFlow* Replay::open_flow(const DecodedPacket& packet) {
  const ids::PacketFacts& facts = packet.facts;
  if (flows_.full()) {
    ReplayFlow* idle = flows_.idle_longest();
    if (idle == nullptr) return nullptr;
    end_flow(*idle, "forced");
  }
  ReplayFlow& flow = flows_.open(facts.key, facts.vlan, facts.time_us);
  ++counts_.flows;
  if (facts.key.protocol == net::Protocol::Tcp) {
    flow.tcp =
        std::make_unique<ReplayTcp>(memory_, stream_settings_, conversation_options_of(settings_));
  } else {
    begin_inspection(flow, false);
  }
  return &flow;
}

void Replay::begin_inspection(ReplayFlow& flow, bool midstream) {
  ids::FlowFacts facts;
  facts.key = flow.key;
  facts.flow_id = flow.id;
  facts.start_us = flow.start_us;
  facts.midstream = midstream;
  flow.inspection = engine_.open_flow(facts);
  if (flow.inspection == nullptr) {
    ++counts_.uninspected_flows;
    return;
  }
  for (const Expectation& expected : expectations_) {
    if (expected.data.server_address == flow.key.destination &&
        expected.data.server_port == flow.key.destination_port.host()) {
      ids::set_expected(*flow.inspection, expected.data);
      break;
    }
  }
}

void Replay::receive_tcp(DecodedPacket& packet, ReplayFlow& flow) {
  ids::PacketFacts& facts = packet.facts;
  ReplayTcp& tcp = *flow.tcp;
  segment_.assign(facts.payload.begin(), facts.payload.end());
  const size_t header = facts.transport.size() - facts.payload.size();
  const StreamSegment segment = read_stream_segment(facts.transport.first(header), segment_);
  const bool established = tcp.conversation.established();

  TcpConversation::Judgement judgement;
  if (packet.transport_checksum_ok) {
    judgement = tcp.conversation.judge(facts.direction, segment);
    if (judgement.flipped) {
      flow.key = flow.key.reversed();
      facts.direction = Direction::ToClient;
    }
  }
  if (flow.inspection == nullptr) begin_inspection(flow, judgement.picked_up);
  const size_t side = ids::index_of(facts.direction);
  flow.last_us = std::max(flow.last_us, facts.time_us);
  ++flow.packets[side];
  flow.bytes[side] += facts.network.size();
  if (judgement.event != ConversationEvent::None) raise(facts, name_of(judgement.event));
  if (!apply_midstream_policy(packet, flow, judgement.take)) return;
  if (!judgement.take) {
    const bool invalid = judgement.event != ConversationEvent::None && established;
    if (invalid && settings_.inline_mode) return drop(facts, "stream error");
    facts.outside_stream = true;
    inspect(facts, &flow, established);
    return;
  }

  if (judgement.other_syn) {
    tcp.streams.emplace(memory_, stream_settings_);
    SegmentResult begun = tcp.streams->accept(Direction::ToServer, *judgement.other_syn);
    if (begun.fate != SegmentFate::Drop) tcp.streams->commit(begun);
  }
  SegmentResult result = tcp.streams->accept(facts.direction, segment);
  for (unsigned event = 0; event < static_cast<unsigned>(StreamEvent::Count); ++event) {
    const auto named = static_cast<StreamEvent>(event);
    if (result.events.has(named)) raise(facts, name_of(named));
  }
  if (result.fate == SegmentFate::Drop) {
    if (settings_.inline_mode) return drop(facts, "stream error");
    facts.outside_stream = true;
    inspect(facts, &flow, established);
    return;
  }
  // The receiver reads what the stream says, so that is what packet rules see as well.
  if (result.fate == SegmentFate::ForwardChanged) facts.payload = segment_;
  while (const std::optional<ReadableBytes> readable = tcp.streams->next(result)) {
    pieces_.push_back({readable->direction, readable->bytes, readable->missing});
  }
  inspect(facts, &flow, established);
  // The capture goes on as if nothing had been dropped: so do its streams.
  tcp.streams->commit(result);
  if (tcp.streams->is_closed() || result.reset) tcp.conversation.close();
}

// False: the packet has had its fate.
bool Replay::apply_midstream_policy(const DecodedPacket& packet, ReplayFlow& flow, bool taken) {
  const ids::PacketFacts& facts = packet.facts;
  if (flow.treatment == FlowTreatment::Drop) {
    drop(facts, "flow drop");
    return false;
  }
  if (flow.treatment == FlowTreatment::Pass) return false;
  const TcpConversation& conversation = flow.tcp->conversation;
  const bool lost = !taken && conversation.state() == TcpConversation::State::None &&
                    packet.transport_checksum_ok;
  if (!lost && !conversation.midstream()) return true;
  MidstreamPolicy policy = settings_.midstream_policy;
  if (policy == MidstreamPolicy::Automatic) {
    const bool strict =
        settings_.exceptions_drop && settings_.inline_mode && lost && !settings_.midstream;
    policy = strict ? MidstreamPolicy::DropFlow : MidstreamPolicy::Ignore;
  }
  if (policy == MidstreamPolicy::Reject && !settings_.inline_mode) policy = MidstreamPolicy::Ignore;
  switch (policy) {
    case MidstreamPolicy::Automatic:
    case MidstreamPolicy::Ignore:
      return true;
    case MidstreamPolicy::PassFlow:
      flow.treatment = FlowTreatment::Pass;
      return false;
    case MidstreamPolicy::PassPacket:
      return false;
    case MidstreamPolicy::DropFlow:
    case MidstreamPolicy::Reject:
      flow.treatment = FlowTreatment::Drop;
      [[fallthrough]];
    case MidstreamPolicy::DropPacket:
      drop(facts, "stream midstream");
      return false;
  }
  return true;
}

bool Replay::inspect(const ids::PacketFacts& facts, ReplayFlow* flow, bool established) {
  ids::FlowState state;
  ids::FlowInspection* inspection = nullptr;
  if (flow != nullptr) {
    inspection = flow->inspection;
    state.established = established;
    for (const size_t side : {size_t{0}, size_t{1}}) {
      state.packets[side] = flow->packets[side];
      state.bytes[side] = flow->bytes[side];
      if (flow->tcp) {
        state.stream_bytes[side] = flow->tcp->streams->stream_bytes(static_cast<Direction>(side));
      }
    }
    if (flow->tcp) {
      state.closed = flow->tcp->conversation.state() == TcpConversation::State::Closed;
    }
  }
  const ids::InspectionVerdict verdict = engine_.inspect(facts, inspection, state, pieces_);
  const bool dropped = settings_.inline_mode && verdict.action != ids::VerdictAction::Accept;
  if (dropped) ++counts_.dropped;
  dropped_inside_ = dropped_inside_ || (dropped && facts.from_tunnel);
  if (inspection != nullptr && flow->tcp && !facts.payload.empty()) {
    note_expected_data(*flow, facts.time_us);
  }
  return !dropped;
}

void Replay::drop(const ids::PacketFacts& facts, std::string_view reason) {
  ++counts_.dropped;
  sink_.drop(facts, nullptr, nullptr, reason);
}

void Replay::note_expected_data(const ReplayFlow& flow, uint64_t time_us) {
  const ids::ProtocolParser* parser = ids::parser_of(*flow.inspection);
  const auto* data = parser == nullptr ? nullptr : parser->expected_data();
  if (data == nullptr) return;
  const auto known =
      std::find_if(expectations_.begin(), expectations_.end(), [&](const Expectation& one) {
        return one.data.server_address == data->server_address &&
               one.data.server_port == data->server_port;
      });
  Expectation expectation{*data, time_us + kExpectationLifetime_us};
  if (known != expectations_.end()) {
    *known = std::move(expectation);
    return;
  }
  if (expectations_.size() >= kMaximumExpectations) expectations_.erase(expectations_.begin());
  expectations_.push_back(std::move(expectation));
}

void Replay::end_flow(ReplayFlow& flow, std::string_view reason) {
  const uint64_t time_us = std::max(now_us_, flow.last_us);
  if (flow.tcp && flow.inspection != nullptr && flow.treatment == FlowTreatment::Inspect) {
    // What lies behind gaps is given with a packet that nobody sent.
    ids::PacketFacts facts;
    facts.time_us = flow.last_us;
    facts.key = flow.key;
    facts.is_ipv6 = flow.is_ipv6;
    while (const std::optional<ReadableBytes> readable = flow.tcp->streams->flush()) {
      pieces_.assign({{readable->direction, readable->bytes, readable->missing}});
      facts.direction = readable->direction;
      facts.key = readable->direction == Direction::ToServer ? flow.key : flow.key.reversed();
      inspect(facts, &flow, flow.tcp->conversation.established());
    }
    pieces_.clear();
  }
  if (flow.inspection != nullptr) engine_.close_flow(flow.inspection, time_us, reason);
  flows_.erase(flow);
}

void Replay::raise(ids::PacketFacts& facts, std::string_view stream_event) const noexcept {
  if (const auto number = ids::find_event(ids::stream_events(), stream_event)) {
    facts.stream_events.set(*number);
  }
}

}  // namespace masugata::dataplane
