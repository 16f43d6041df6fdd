// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/inspection/inspector.h"

#include <rte_mbuf.h>

#include <algorithm>
#include <cstring>
#include <new>

#include "ids/protocols/files/file_magic.h"
#include "net/headers/transport.h"

namespace masugata::dataplane {
namespace {

using config::InspectionFailure;

constexpr size_t kLargestPacket = 65536 + 64;

ids::Direction side_of(Direction direction) noexcept {
  return direction == Direction::Original ? ids::Direction::ToServer : ids::Direction::ToClient;
}

bool announces_data(const InspectedSession& entry) noexcept {
  if (ids::protocol_of(*entry.flow) != ids::ApplicationProtocol::Ftp) return false;
  const ids::ProtocolParser* parser = ids::reading_parser_of(*entry.flow);
  return parser != nullptr && !parser->new_endpoints().empty();
}

// Client and server as they are behind all translation.
net::FlowKey real_key(const Session& session) noexcept {
  net::FlowKey key = session.flow(Direction::Original).key;
  const net::FlowKey& reply = session.flow(Direction::Reply).key;
  key.destination = reply.source;
  if (session.kind == SessionKind::Tcp || session.kind == SessionKind::Udp) {
    key.destination_port = reply.source_port;
  }
  return key;
}

bool is_established(const Session& session) noexcept {
  switch (session.state) {
    case ProtocolState::TcpSynSent:
    case ProtocolState::TcpSynReceived:
    case ProtocolState::UdpNew:
    case ProtocolState::IcmpNew:
    case ProtocolState::OtherNew:
    case ProtocolState::Free:
      return false;
    default:
      return true;
  }
}

bool is_closed(const Session& session) noexcept {
  return session.state == ProtocolState::TcpTimeWait || session.state == ProtocolState::TcpReset;
}

ids::FlowState state_of(const Session& session) noexcept {
  ids::FlowState state;
  state.established = is_established(session);
  state.closed = is_closed(session);
  for (const Direction direction : {Direction::Original, Direction::Reply}) {
    state.packets[index_of(direction)] = session.packets(direction);
    state.bytes[index_of(direction)] = session.bytes(direction);
  }
  return state;
}

SegmentPlace place_of(const StreamSegment& segment, ids::Direction direction,
                      const SegmentResult& result) noexcept {
  const bool fin = segment.has(net::kTcpFin);
  SegmentPlace place;
  place.direction = direction;
  place.sequence = segment.sequence;
  place.end = segment.sequence + static_cast<uint32_t>(segment.payload.size()) +
              (segment.has(net::kTcpSyn) ? 1U : 0U) + (fin ? 1U : 0U);
  place.carries = !segment.payload.empty() || fin;
  place.ends = fin || segment.has(net::kTcpRst);
  place.resets = result.reset;
  place.readable_end = place.end - (fin ? 1U : 0U) + result.bytes_behind;
  place.ahead = result.ahead;
  place.repeated = result.repeated && !fin;
  place.payload = segment.payload;
  return place;
}

// The payload of a packet in several buffers, after it was changed in a copy.
void write_back(Packet& packet, std::span<const uint8_t> payload) noexcept {
  uint32_t skip = packet.payload_offset;
  for (rte_mbuf* part = &packet.mbuf(); part != nullptr && !payload.empty(); part = part->next) {
    if (skip >= part->data_len) {
      skip -= part->data_len;
      continue;
    }
    const size_t count = std::min<size_t>(part->data_len - skip, payload.size());
    std::memcpy(rte_pktmbuf_mtod_offset(part, uint8_t*, skip), payload.data(), count);
    payload = payload.subspan(count);
    skip = 0;
  }
}

}  // namespace

struct Inspector::Sight {
  ids::PacketFacts facts;
  std::span<uint8_t> network;  // contiguous: in the packet, or in whole_
  std::span<uint8_t> transport;
  std::span<uint8_t> payload;
  uint64_t now_us = 0;  // worker clock
  bool copied = false;  // in whole_: changes must be written back
};

Inspector::Inspector() = default;

Inspector::~Inspector() {
  for (uint32_t place = 0; place < inspected_.touched(); ++place) {
    InspectedSession& entry = inspected_.at(place);
    if (entry.session_index != kNone32 && entry.has_stream) entry.stream().~TcpStreamPair();
  }
}

Status Inspector::prepare(const InspectorLimits& limits, MemorySource& memory, size_t slots) {
  if (slots == 0) return {};
  if (!inspected_.is_allocated()) {
    const bool taken = inspected_.allocate(memory, limits.sessions, limits.inspected_sessions) &&
                       stream_memory_.allocate(memory, limits.stream_bytes);
    if (!taken) return failure("ips", "no memory for the streams that are to be inspected");
    stream_settings_.span_bytes = limits.stream_span_bytes;
    midstream_settings_ = stream_settings_;
    midstream_settings_.midstream = true;
    pieces_ = std::make_unique<ids::StreamBytes[]>(kMaximumReadablePieces);
    whole_ = std::make_unique_for_overwrite<uint8_t[]>(kLargestPacket);
    if (sink_ == nullptr) {
      ring_ = std::make_unique<LineRing>(limits.event_ring_bytes);
      ids::EveOptions options;
      options.community_id = true;
      formatter_ = std::make_unique<ids::EveFormatter>(options, *ring_);
      sink_ = formatter_.get();
    }
  }
  ids::EngineLimits engine;
  engine.flows = std::min(limits.engine_flows, limits.inspected_sessions);
  engine.memory_bytes = limits.engine_memory_bytes;
  for (size_t slot = 0; slot < std::min(slots, kMaximumInspectionSlots); ++slot) {
    if (engines_[slot] == nullptr) {
      engines_[slot] = std::make_unique<ids::InspectionEngine>(engine, *sink_);
    }
  }
  return {};
}

void Inspector::begin() noexcept {
  // Without a database descriptions are empty, and rules that ask for them do not match.
  static_cast<void>(ids::prepare_content_descriptions());
}

void Inspector::adopt(const InspectionSet* set) noexcept {
  const bool changed = set != nullptr && set_ != set;
  if (changed) take_up(*set);
  const bool profiling = wants_profiling_.load(std::memory_order_relaxed);
  if (!changed && profiling == profiling_) return;
  profiling_ = profiling;
  // Engines of later slots may be in the making.
  const size_t slots = set_ == nullptr ? 0 : set_->slots.size();
  for (size_t slot = 0; slot < slots; ++slot) {
    if (engines_[slot] != nullptr) engines_[slot]->set_profiling(profiling);
  }
}

void Inspector::take_up(const InspectionSet& set) noexcept {
  for (size_t slot = 0; slot < set.slots.size(); ++slot) {
    const InspectionSlot& next = set.slots[slot];
    const bool same = set_ != nullptr && slot < set_->slots.size() &&
                      set_->slots[slot].plan == next.plan && set_->slots[slot].costs == next.costs;
    if (engines_[slot] == nullptr) continue;
    engines_[slot]->set_memory_failure(next.memory_full == InspectionFailure::Drop
                                           ? ids::Failure::Drop
                                           : ids::Failure::PassCounted);
    if (same) continue;
    const bool counted = next.plan != nullptr && next.costs != nullptr;
    engines_[slot]->use_plan(next.plan.get(),
                             counted ? next.costs->of_worker(place_) : std::span<ids::RuleCost>());
  }
  if (formatter_ != nullptr) formatter_->set_options(set.events);
  set_ = &set;
  // Releases what the engines have counted under the plan before, too.
  adopted_.store(set.generation, std::memory_order_release);
}

bool Inspector::see(Packet& packet, const net::FlowKey& key, ids::Direction direction,
                    uint64_t now_us, Sight& sight) noexcept {
  rte_mbuf& mbuf = packet.mbuf();
  uint8_t* frame = packet.frame();
  const size_t length = std::min<size_t>(
      rte_pktmbuf_pkt_len(&mbuf), static_cast<size_t>(packet.link_length) + packet.network_length);
  if (mbuf.nb_segs > 1) {
    if (length > kLargestPacket) return false;
    const void* read = rte_pktmbuf_read(&mbuf, 0, static_cast<uint32_t>(length), whole_.get());
    if (read == nullptr) return false;
    sight.copied = read == whole_.get();
    if (sight.copied) frame = whole_.get();
  }
  const std::span<uint8_t> all(frame, length);
  sight.network = all.subspan(packet.link_length);
  sight.transport = all.subspan(std::min<size_t>(packet.transport_offset, length));
  sight.payload = all.subspan(std::min<size_t>(packet.payload_offset, length));
  if (sight.payload.size() > packet.payload_length) {
    sight.payload = sight.payload.first(packet.payload_length);
  }
  sight.now_us = now_us;
  ids::PacketFacts& facts = sight.facts;
  facts.time_us = now_us + static_cast<uint64_t>(wall_offset_us_.load(std::memory_order_relaxed));
  facts.key = key;
  facts.frame = all;
  facts.network = sight.network;
  facts.transport = sight.transport;
  facts.payload = sight.payload;
  facts.is_ipv6 = !key.source.is_v4();
  facts.was_reassembled = packet.has(kPacketWasReassembled);
  facts.direction = direction;
  return true;
}

InspectionOutcome Inspector::inspect(Packet& packet, Session& session, SessionTable& sessions,
                                     SlotChoice slots, uint64_t now_us) noexcept {
  InspectionOutcome outcome;
  const InspectionSlotIndex slot = slots.rules;
  if (!has_slot(slot)) {
    outcome.reason = DropReason::InspectionWithoutRules;
    return outcome;
  }
  const uint32_t index = sessions.index_in_table(session);
  InspectedSession* entry = inspected_.find(index);
  if (entry != nullptr && (entry->serial != session.record.serial || entry->slot != slot ||
                           entry->antivirus_slot != slots.antivirus)) {
    // The session now has another profile: what was remembered for the old one is closed, and the
    // new one meets a session in its middle.
    close(*entry, now_us, "profile");
    entry = nullptr;
  }
  if (entry == nullptr && inspected_.is_left_out(index)) {
    if (set_->slots[slot].overload == InspectionFailure::Pass) {
      counters_.passed_packets.add(1);
      return outcome;
    }
    inspected_.forget(index);
  }
  if (entry == nullptr) {
    entry = open(packet, session, sessions, slots, now_us, outcome);
    if (entry == nullptr || outcome.reason != DropReason::None) return outcome;
  }
  if (entry->guarded != kNone32 && guard_->is_closed(entry->guarded)) {
    outcome.reason = DropReason::AntivirusRefused;
    outcome.guard = InspectionOutcome::Guard::Closed;
    outcome.guarded = entry->guarded;
    return outcome;
  }
  if (entry->state == InspectionState::Condemned) {
    outcome.reason = DropReason::InspectionFlow;
    return outcome;
  }
  // For as long as it lives, with rules or without: nothing is known of its stream.
  if (entry->state == InspectionState::Pass) {
    counters_.passed_packets.add(1);
    return outcome;
  }
  const InspectionSlot& choices = set_->slots[slot];
  if (choices.plan == nullptr) {
    // For this packet only: when there are rules, they meet the stream that was followed so far.
    if (choices.without_rules == InspectionFailure::Drop) {
      outcome.reason = DropReason::InspectionWithoutRules;
      return outcome;
    }
    counters_.passed_without_rules.add(1);
  }
  const Direction direction = static_cast<Direction>(packet.direction);
  const net::FlowKey key = real_key(session);
  Sight sight;
  if (!see(packet, direction == Direction::Original ? key : key.reversed(), side_of(direction),
           now_us, sight)) {
    outcome.reason = DropReason::InternalError;
    return outcome;
  }
  counters_.packets.add(1);
  return entry->has_stream ? inspect_stream(packet, session, *entry, sight)
                           : inspect_packet(session, *entry, sight);
}

InspectionOutcome Inspector::inspect_alone(Packet& packet, InspectionSlotIndex slot,
                                           uint64_t now_us) noexcept {
  InspectionOutcome outcome;
  if (!has_slot(slot)) {
    outcome.reason = DropReason::InspectionWithoutRules;
    return outcome;
  }
  const InspectionSlot& choices = set_->slots[slot];
  if (choices.plan == nullptr) {
    if (choices.without_rules == InspectionFailure::Drop) {
      outcome.reason = DropReason::InspectionWithoutRules;
    } else {
      counters_.passed_without_rules.add(1);
    }
    return outcome;
  }
  Sight sight;
  const auto direction = side_of(static_cast<Direction>(packet.direction));
  if (!see(packet, packet.key, direction, now_us, sight)) {
    outcome.reason = DropReason::InternalError;
    return outcome;
  }
  counters_.packets.add(1);
  return act(engines_[slot]->inspect(sight.facts, nullptr, {}, {}), nullptr);
}

void Inspector::count_uninspected(InspectionFailure failure, RelaxedCounter& passed,
                                  DropReason reason, InspectedSession& entry,
                                  InspectionOutcome& outcome) noexcept {
  if (failure == InspectionFailure::Pass && may_pass_unscanned(entry.antivirus_slot)) {
    passed.add(1);
    entry.state = InspectionState::Pass;
  } else {
    entry.state = InspectionState::Condemned;
    outcome.reason = reason;
  }
}

InspectedSession* Inspector::open(const Packet& packet, Session& session, SessionTable& sessions,
                                  SlotChoice slots, uint64_t now_us,
                                  InspectionOutcome& outcome) noexcept {
  const InspectionSlotIndex slot = slots.rules;
  const InspectionSlot& choices = set_->slots[slot];
  const uint32_t index = sessions.index_in_table(session);
  InspectedSession* entry = inspected_.add(index, session.record.serial);
  if (entry == nullptr) {
    if (choices.overload == InspectionFailure::Pass && may_pass_unscanned(slots.antivirus)) {
      counters_.passed_overload.add(1);
      counters_.passed_packets.add(1);
      // Later there may be room, but no beginning of its stream. Datagrams need none.
      if (session.kind == SessionKind::Tcp) inspected_.leave_out(index);
    } else {
      outcome.reason = DropReason::InspectionOverload;
    }
    return nullptr;
  }
  entry->slot = slot;
  entry->antivirus_slot = slots.antivirus;
  counters_.sessions.add(1);
  counters_.sessions_now.set(inspected_.count());
  // The handshake of a proxied session is the gateway's own.
  const bool proxied = (session.flags & kSessionSynProxied) != 0;
  const bool tcp = session.kind == SessionKind::Tcp;
  const bool opening = !tcp || (packet.tcp_flags & net::kTcpSyn) != 0 || proxied;
  if (!opening) {
    count_uninspected(choices.midstream, counters_.passed_midstream,
                      DropReason::InspectionMidstream, *entry, outcome);
    return entry;
  }
  ids::FlowFacts facts;
  facts.key = real_key(session);
  // Unique over all workers, and exact where numbers are JSON's (53 bits).
  facts.flow_id = (uint64_t{place_} << 44U) | next_flow_id_++;
  facts.start_us = now_us + static_cast<uint64_t>(wall_offset_us_.load(std::memory_order_relaxed));
  entry->flow = engines_[slot]->open_flow(facts);
  if (entry->flow == nullptr) {
    count_uninspected(choices.overload, counters_.passed_overload, DropReason::InspectionOverload,
                      *entry, outcome);
    return entry;
  }
  if (tcp) {
    new (entry->stream_bytes)
        TcpStreamPair(stream_memory_, proxied ? midstream_settings_ : stream_settings_);
    entry->has_stream = true;
    if (!open_guard(session, facts, *entry, outcome)) return entry;
  }
  return entry;
}

bool Inspector::open_guard(const Session& session, const ids::FlowFacts& facts,
                           InspectedSession& entry, InspectionOutcome& outcome) noexcept {
  if (entry.antivirus_slot == kNoAntivirusSlot) return true;
  if (guard_ != nullptr) {
    GuardedSession guarded;
    guarded.session = {entry.session_index, session.record.serial};
    guarded.slot = entry.antivirus_slot;
    guarded.key = facts.key;
    guarded.flow_id = facts.flow_id;
    if (session.record.helper == kFtpDataHelper) {
      guarded.control = guarded_place(session.record.parent);
    }
    entry.guarded = guard_->open(guarded);
  }
  if (entry.guarded != kNone32) {
    ids::set_content_receiver(*entry.flow, guard_);
    return true;
  }
  count_uninspected(InspectionFailure::Pass, counters_.passed_overload,
                    DropReason::InspectionOverload, entry, outcome);
  // What may pass unscanned is still inspected by rules.
  if (outcome.reason != DropReason::None) return false;
  entry.state = InspectionState::Inspect;
  return true;
}

// The control connection of an FTP data session has said what is in it, often not before the data
// connection is open.
void Inspector::take_announcement(const Session& session, const InspectedSession& entry) noexcept {
  const uint16_t server_port = real_key(session).destination_port.host();
  const InspectedSession* parent =
      session.record.parent == kNone32 ? nullptr : inspected_.find(session.record.parent);
  const ids::ProtocolParser* parser =
      parent == nullptr || parent->flow == nullptr || parent->slot != entry.slot
          ? nullptr
          : ids::parser_of(*parent->flow);
  const auto* announced = parser == nullptr ? nullptr : parser->announced_data(server_port);
  // Its control connection may be another worker's, or may not have named a file: which one it is
  // stays unknown, not that it is one.
  ids::ProtocolParser::ExpectedData some_file;
  some_file.server_port = server_port;
  ids::set_expected(*entry.flow, announced != nullptr ? *announced : some_file);
}

ids::ProtocolParser* Inspector::control_parser(const Session& session,
                                               const SessionTable& sessions) noexcept {
  if (session.inspection_profile == 0) return nullptr;
  const InspectedSession* entry = inspected_.find(sessions.index_in_table(session));
  const bool read = entry != nullptr && entry->flow != nullptr &&
                    entry->state == InspectionState::Inspect &&
                    ids::protocol_of(*entry->flow) == ids::ApplicationProtocol::Ftp;
  return read ? ids::reading_parser_of(*entry->flow) : nullptr;
}

InspectionOutcome Inspector::inspect_packet(Session& session, InspectedSession& entry,
                                            const Sight& sight) noexcept {
  return act(engines_[entry.slot]->inspect(sight.facts, entry.flow, state_of(session), {}), &entry);
}

InspectionOutcome Inspector::inspect_stream(Packet& packet, Session& session,
                                            InspectedSession& entry, const Sight& sight) noexcept {
  InspectionOutcome outcome;
  const size_t header_bytes = sight.transport.size() - sight.payload.size();
  const StreamSegment segment =
      read_stream_segment(sight.transport.first(header_bytes), sight.payload);
  TcpStreamPair& stream = entry.stream();
  if (session.record.helper == kFtpDataHelper && !sight.payload.empty() &&
      ids::protocol_of(*entry.flow) == ids::ApplicationProtocol::Unknown) {
    take_announcement(session, entry);
  }
  SegmentResult result = stream.accept(sight.facts.direction, segment);
  if (result.fate == SegmentFate::Drop) {
    counters_.segments_refused.add(1);
    outcome.reason = DropReason::StreamSegment;
    return outcome;
  }
  if (!segment.payload.empty() && entry.guarded != kNone32 && guard_->is_reset(entry.guarded)) {
    stream.refuse(result);
    outcome.reason = DropReason::AfterReset;
    outcome.tell_sender = true;
    return outcome;
  }
  if (result.fate == SegmentFate::NoMemory) {
    if (set_->slots[entry.slot].memory_full == InspectionFailure::Drop) {
      // The sender repeats it; by then there may be room.
      stream.refuse(result);
      outcome.reason = DropReason::StreamMemory;
      return outcome;
    }
    counters_.passed_memory.add(1);
  }
  size_t count = 0;
  while (const auto readable = stream.next(result)) {
    if (count == kMaximumReadablePieces) break;
    pieces_[count++] = {readable->direction, readable->bytes, readable->missing};
  }
  if (result.ended && count < kMaximumReadablePieces) {
    pieces_[count++] = {
        .direction = sight.facts.direction, .bytes = {}, .missing = 0, .ends = true};
  }
  const bool guarded = entry.guarded != kNone32;
  const SegmentPlace place =
      guarded ? place_of(segment, sight.facts.direction, result) : SegmentPlace{};
  if (guarded) guard_->begin_segment(entry.guarded, place, packet.received_ms, sight.now_us);
  ids::FlowState state = state_of(session);
  state.established = state.established || stream.is_established();
  for (const auto side : {ids::Direction::ToServer, ids::Direction::ToClient}) {
    state.stream_bytes[ids::index_of(side)] = stream.stream_bytes(side);
  }
  outcome =
      act(engines_[entry.slot]->inspect(sight.facts, entry.flow, state, {pieces_.get(), count}),
          &entry);
  if (outcome.reason == DropReason::None && guarded) ask_guard(entry, place, result, outcome);
  if (outcome.reason != DropReason::None) {
    if (guarded) guard_->cancel_segment();
    stream.refuse(result);
    // The parsers have read what the receiver does not get: nothing true can be said any more of
    // what would come in its place, and the connection stands still anyway.
    if (count != 0) entry.state = InspectionState::Condemned;
    return outcome;
  }
  stream.commit(result);
  outcome.announces = announces_data(entry);
  if (result.clear_urgent) {
    uint8_t* header = packet.transport();
    header[13] = static_cast<uint8_t>(header[13] & ~net::kTcpUrg);
    net::store(header + 18, net::Be16{});
    counters_.urgent_cleared.add(1);
    outcome.payload_changed = true;
  }
  const uint16_t window = stream.announce_window(sight.facts.direction, segment);
  if (window != segment.window) {
    net::store(packet.transport() + 14, net::Be16::from_host(window));
    counters_.windows_lowered.add(1);
    outcome.payload_changed = true;
  }
  if (result.payload_changed) {
    if (result.overlap_differed) counters_.segments_rewritten.add(1);
    outcome.payload_changed = true;
    if (sight.copied) write_back(packet, sight.payload);
  }
  return outcome;
}

void Inspector::ask_guard(InspectedSession& entry, const SegmentPlace& place, SegmentResult& result,
                          InspectionOutcome& outcome) noexcept {
  const GuardVerdict verdict = guard_->end_segment();
  outcome.guarded = entry.guarded;
  outcome.segment = place;
  if (verdict.fate == GuardFate::Refuse) {
    outcome.reason = DropReason::AntivirusRefused;
    outcome.guard = InspectionOutcome::Guard::Refuse;
    return;
  }
  if (verdict.fate == GuardFate::Hold) outcome.guard = InspectionOutcome::Guard::Hold;
  // Before it is committed: a repetition is set right to what passes now.
  if (verdict.payload_changed) result.payload_changed = true;
}

InspectionOutcome Inspector::act(const ids::InspectionVerdict& verdict,
                                 InspectedSession* entry) noexcept {
  InspectionOutcome outcome;
  using Action = ids::VerdictAction;
  if (verdict.action == Action::Accept) {
    if (verdict.memory_full) counters_.passed_memory.add(1);
    // Without a parser nothing takes its contents out any more.
    if (verdict.memory_full && entry != nullptr && !may_pass_unscanned(entry->antivirus_slot)) {
      entry->state = InspectionState::Condemned;
      outcome.reason = DropReason::InspectionMemory;
    }
    return outcome;
  }
  const bool by_rule = verdict.sid != 0 || !verdict.memory_full;
  outcome.reason = by_rule ? DropReason::InspectionRule : DropReason::InspectionMemory;
  outcome.tell_sender =
      verdict.action == Action::RejectSource || verdict.action == Action::RejectBoth;
  outcome.tell_receiver =
      verdict.action == Action::RejectDestination || verdict.action == Action::RejectBoth;
  if (verdict.whole_flow && entry != nullptr) entry->state = InspectionState::Condemned;
  return outcome;
}

void Inspector::close(InspectedSession& entry, uint64_t now_us, std::string_view reason) noexcept {
  if (entry.guarded != kNone32) {
    // First: what the flow's end says of contents is of no use any more.
    guard_->close(entry.guarded);
    entry.guarded = kNone32;
  }
  if (entry.flow != nullptr) {
    const auto offset = static_cast<uint64_t>(wall_offset_us_.load(std::memory_order_relaxed));
    engines_[entry.slot]->close_flow(entry.flow, now_us + offset, reason);
    entry.flow = nullptr;
  }
  if (entry.has_stream) {
    entry.stream().~TcpStreamPair();
    entry.has_stream = false;
  }
  inspected_.remove(entry);
  counters_.sessions_now.set(inspected_.count());
}

void Inspector::session_ended(const Session& session, uint32_t session_index, uint64_t now_us,
                              std::string_view reason) noexcept {
  InspectedSession* entry = inspected_.find(session_index);
  if (entry != nullptr && entry->serial == session.record.serial) close(*entry, now_us, reason);
  inspected_.forget(session_index);
}

}  // namespace masugata::dataplane
