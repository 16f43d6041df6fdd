// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/stages/egress/ftp_helper.h"

#include <cstring>

#include "dataplane/antivirus/object_guard.h"
#include "dataplane/inspection/inspector.h"
#include "dataplane/nat/ftp_control.h"
#include "dataplane/pipeline/worker_messages.h"
#include "dataplane/stages/admit/expected_session.h"
#include "net/checksum.h"
#include "net/headers/transport.h"

namespace masugata::dataplane {
namespace {

// Beside the helper's number in SessionRecord::helper.
constexpr uint8_t kFtpClientMidLine = 0x40;
constexpr uint8_t kFtpServerMidLine = 0x80;

std::span<const uint8_t> payload_of(Packet& packet) noexcept {
  return {packet.frame() + packet.payload_offset, packet.payload_length};
}

// Lengths after the payload has changed; the packet is contiguous.
void renew_lengths(Packet& packet, int growth) noexcept {
  packet.payload_length = static_cast<uint16_t>(packet.payload_length + growth);
  packet.network_length = static_cast<uint16_t>(packet.network_length + growth);
  uint8_t* network = packet.network();
  const bool ipv4 = (network[0] >> 4U) == 4;
  if (ipv4) {
    const uint16_t before = net::load_be16(network + 2).raw;
    net::store(network + 2, net::Be16::from_host(packet.network_length));
    const uint16_t delta = net::checksum_delta(before, net::load_be16(network + 2).raw);
    net::store(network + 10,
               net::Be16{net::checksum_apply(net::load_be16(network + 10).raw, delta)});
  } else {
    const auto payload = static_cast<uint16_t>(packet.network_length - 40);
    net::store(network + 4, net::Be16::from_host(payload));
  }
  packet.set(kPacketChecksumPending);
}

// Replaces a part of the payload by a text of another length. False without room.
bool replace_text(Packet& packet, size_t offset, size_t length, std::string_view text) noexcept {
  rte_mbuf& mbuf = packet.mbuf();
  const int growth = static_cast<int>(text.size()) - static_cast<int>(length);
  const size_t end = static_cast<size_t>(packet.payload_offset) + packet.payload_length;
  // Link padding behind the packet would move with it: cut it off first.
  if (mbuf.pkt_len > end) rte_pktmbuf_trim(&mbuf, static_cast<uint16_t>(mbuf.pkt_len - end));
  if (growth > 0 && rte_pktmbuf_append(&mbuf, static_cast<uint16_t>(growth)) == nullptr) {
    return false;
  }
  uint8_t* payload = packet.frame() + packet.payload_offset;
  const size_t behind = offset + length;
  std::memmove(payload + offset + text.size(), payload + behind, packet.payload_length - behind);
  std::memcpy(payload + offset, text.data(), text.size());
  if (growth < 0) rte_pktmbuf_trim(&mbuf, static_cast<uint16_t>(-growth));
  renew_lengths(packet, growth);
  return true;
}

struct TextPlace {
  size_t offset = 0;
  size_t length = 0;
};

// Another text in a part of the payload; sequence numbers behind it follow.
DropReason say_instead(Packet& packet, Session& session, Direction direction, TextPlace place,
                       std::string_view text, WorkerContext& context) noexcept {
  SequenceAdjustment* adjustment = context.adjustments.acquire(session);
  if (adjustment == nullptr) return DropReason::NatUntranslatable;
  if (!replace_text(packet, place.offset, place.length, text)) return DropReason::NoBuffer;
  const int growth = static_cast<int>(text.size()) - static_cast<int>(place.length);
  if (growth != 0) {
    const uint32_t begin =
        net::load_be32(packet.transport() + 4).host() + static_cast<uint32_t>(place.offset);
    // False for a retransmission: its change is remembered already.
    (void)adjustment->streams[index_of(direction)].add_change(
        begin, begin + static_cast<uint32_t>(place.length), growth);
  }
  return DropReason::None;
}

// Says the translated address in place of the announcer's own.
DropReason translate_text(Packet& packet, Session& session, Direction direction,
                          const FtpAnnouncement& announcement, WorkerContext& context) noexcept {
  const net::IpAddress& shown = session.flow(opposite(direction)).key.destination;
  const FtpReplacement replacement = write_announcement(announcement, shown, announcement.port);
  if (replacement.length == 0) return DropReason::None;
  return say_instead(packet, session, direction,
                     {announcement.replace_offset, announcement.replace_length}, replacement.view(),
                     context);
}

// The end of a transfer that antivirus has refused says so, whatever its server says.
DropReason correct_completion(Packet& packet, Session& session, bool at_line_start,
                              WorkerContext& context) noexcept {
  const uint32_t place =
      context.inspector->guarded_place(context.sessions->index_in_table(session));
  if (place == kNone32) return DropReason::None;
  const auto reply = find_final_reply(payload_of(packet), at_line_start);
  if (!reply) return DropReason::None;
  const uint32_t sequence = net::load_be32(packet.transport() + 4).host() + reply->offset;
  const std::string_view text = context.guard->instead_of(place, *reply, sequence);
  if (text.empty()) return DropReason::None;
  return say_instead(packet, session, Direction::Reply, {reply->offset, reply->length}, text,
                     context);
}

// Whether the segment begins a line; remembers for the next one whether this one ends a line. Only
// the newest bytes of a side count: a segment that fills a gap says nothing about what follows it,
// and what the receiver has already may be anything (a keep-alive's byte, bytes that the stream has
// blanked).
bool note_line_end(Packet& packet, Session& session, Direction direction,
                   std::span<const uint8_t> payload) noexcept {
  const auto mid_line = static_cast<uint8_t>(direction == Direction::Original ? kFtpClientMidLine
                                                                              : kFtpServerMidLine);
  const bool at_line_start = (session.record.helper & mid_line) == 0;
  const uint32_t end =
      net::load_be32(packet.transport() + 4).host() + static_cast<uint32_t>(payload.size());
  const TcpDirection& receiver = session.tcp[index_of(opposite(direction))];
  const bool unread =
      (receiver.flags & kTcpAckSeen) == 0 || static_cast<int32_t>(end - receiver.max_ack) > 0;
  if (unread && end == session.tcp[index_of(direction)].end) {
    session.record.helper = static_cast<uint8_t>(
        ends_line(payload) ? session.record.helper & ~mid_line : session.record.helper | mid_line);
  }
  return at_line_start;
}

}  // namespace

DropReason apply_ftp_helper(Packet& packet, Session& session, Direction direction,
                            WorkerContext& context) noexcept {
  if (packet.mbuf().nb_segs > 1) return DropReason::None;
  const FtpSide side = direction == Direction::Original ? FtpSide::Client : FtpSide::Server;
  std::span<const uint8_t> payload = payload_of(packet);
  const bool at_line_start = note_line_end(packet, session, direction, payload);
  if (side == FtpSide::Server && session.inspection_profile != kNoInspection) {
    const DropReason refused = correct_completion(packet, session, at_line_start, context);
    if (refused != DropReason::None) return refused;
    payload = payload_of(packet);
  }
  const auto announcement = find_announcement(payload, side, packet.key.source, at_line_start);
  if (!announcement.has_value()) return DropReason::None;
  const Expectation expectation = expectation_of(session, direction, announcement->port, context);
  // What the stream's reader says goes: the announcement may be repeated, or come before what it
  // stands behind.
  const bool known = context.inspector->control_parser(session, *context.sessions) != nullptr &&
                     !context.expectations.contains(expectation.key, context.now_ms);
  if (!known) {
    if (!context.expectations.add(expectation, context.now_ms)) return DropReason::None;
    share_expectation(expectation, context);
  }
  const bool translated =
      session.flow(opposite(direction)).key.destination != session.flow(direction).key.source;
  return translated ? translate_text(packet, session, direction, *announcement, context)
                    : DropReason::None;
}

}  // namespace masugata::dataplane
