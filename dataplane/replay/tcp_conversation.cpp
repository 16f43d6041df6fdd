// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/replay/tcp_conversation.h"

#include <array>

#include "net/headers/transport.h"

namespace masugata::dataplane {

using ids::Direction;
using net::kTcpAck;
using net::kTcpFin;
using net::kTcpRst;
using net::kTcpSyn;

const char* name_of(ConversationEvent event) noexcept {
  static constexpr std::array<const char*, static_cast<size_t>(ConversationEvent::Count)> kNames{
      "",
      "3whs_ack_in_wrong_dir",
      "3whs_ack_data_inject",
      "3whs_synack_in_wrong_direction",
      "3whs_synack_with_wrong_ack",
      "3whs_synack_resend_with_diff_ack",
      "3whs_synack_resend_with_diff_seq",
      "3whs_syn_resend_diff_seq_on_syn_recv",
      "3whs_right_seq_wrong_ack_evasion",
      "3whs_wrong_seq_wrong_ack",
      "rst_invalid_ack",
      "fin_but_no_session",
      "rst_but_no_session",
      "3whs_syn_flood",
      "3whs_synack_tfo_data_ignored",
      "pkt_invalid_timestamp",
      "suspected_rst_inject",
  };
  return kNames[static_cast<size_t>(event)];
}

bool TcpConversation::is_begun_anew_by(const StreamSegment& segment) const noexcept {
  if (!segment.has(kTcpSyn) || segment.has(kTcpAck) || segment.has(kTcpRst)) return false;
  return state_ == State::Closed || state_ == State::None;
}

TcpConversation::Judgement TcpConversation::judge(Direction direction,
                                                  const StreamSegment& segment) noexcept {
  // Who has reset the connection has nothing more to say: if it goes on, the RST was another's.
  bool& reset_sent = reset_sent_[ids::index_of(direction)];
  const bool goes_on = reset_sent && !segment.has(kTcpRst) && !segment.payload.empty();
  Judgement judgement = judge_by_state(direction, segment);
  if (goes_on && judgement.event == ConversationEvent::None) {
    judgement.event = ConversationEvent::SuspectedReset;
  }
  if (segment.has(kTcpRst)) {
    reset_sent = state_ >= State::Established;
  } else if (goes_on) {
    reset_sent = false;
  }
  return judgement;
}

TcpConversation::Judgement TcpConversation::judge_by_state(Direction direction,
                                                           const StreamSegment& segment) noexcept {
  switch (state_) {
    case State::None:
      return begin(segment);
    case State::SynSent:
      return after_syn(direction, segment);
    case State::SynReceived:
      return after_syn_ack(direction, segment);
    case State::Established:
    case State::Closed:
      break;
  }
  return {.take = true};
}

TcpConversation::Judgement TcpConversation::begin(const StreamSegment& segment) noexcept {
  if (segment.has(kTcpRst)) return {.event = ConversationEvent::ResetWithoutSession};
  if (segment.has(kTcpSyn) && !segment.has(kTcpAck)) {
    state_ = State::SynSent;
    return another_syn(segment);
  }
  if (segment.has(kTcpFin) && !options_.midstream) {
    return {.event = ConversationEvent::FinWithoutSession};
  }
  if (segment.has(kTcpSyn)) {
    if (!options_.midstream && !options_.one_sided) return {};
    midstream_ = by_syn_ack_ = true;
    state_ = State::SynReceived;
    server_first_ = segment.sequence;
    client_first_ = segment.acknowledgement - 1;
    return {.take = true, .flipped = true, .picked_up = true};
  }
  if (!segment.has(kTcpAck) || !options_.midstream) return {};
  midstream_ = true;
  state_ = State::Established;
  return {.take = true, .picked_up = true};
}

// The first SYN begins the streams; others wait for what the server answers.
TcpConversation::Judgement TcpConversation::another_syn(const StreamSegment& segment) noexcept {
  for (size_t index = 0; index < syn_count_; ++index) {
    if (syns_[index].sequence != segment.sequence) continue;
    Judgement again{.take = index == 0};
    const bool same = syns_[index].timestamp_value == segment.timestamp_value;
    if (!same && syn_count_ == kMaximumSyns) again.event = ConversationEvent::SynFlood;
    return again;
  }
  Judgement judgement;
  size_t slot = syn_count_;
  if (syn_count_ < kMaximumSyns) {
    ++syn_count_;
  } else {  // the newest are likelier to be answered; the first has begun the streams
    slot = 1 + next_forgotten_++ % (kMaximumSyns - 1);
    judgement.event = ConversationEvent::SynFlood;
  }
  const auto payload = static_cast<uint32_t>(segment.payload.size());
  syns_[slot] = segment;
  syns_[slot].payload = {};
  syn_payloads_[slot] = payload;
  if (slot != 0) return judgement;
  client_first_ = segment.sequence;
  syn_payload_ = payload;
  return {.take = true};
}

TcpConversation::Judgement TcpConversation::answer(const StreamSegment& segment) noexcept {
  for (size_t index = 0; index < syn_count_; ++index) {
    const uint32_t ahead = segment.acknowledgement - (syns_[index].sequence + 1);
    if (ahead != 0 && ahead != syn_payloads_[index]) continue;
    Judgement judgement{.take = true};
    if (ahead == 0 && syn_payloads_[index] != 0) {
      judgement.event = ConversationEvent::TfoDataIgnored;
    }
    if (index != 0) judgement.other_syn = syns_[index];
    client_first_ = syns_[index].sequence;
    syn_payload_ = syn_payloads_[index];
    server_first_ = segment.sequence;
    state_ = State::SynReceived;
    return judgement;
  }
  return {.event = ConversationEvent::SynAckWithWrongAck};
}

TcpConversation::Judgement TcpConversation::after_syn(Direction direction,
                                                      const StreamSegment& segment) noexcept {
  const bool from_client = direction == Direction::ToServer;
  // Timestamps are agreed on by both SYNs (RFC 7323 section 3.2).
  if (segment.has_timestamp && !syns_[0].has_timestamp && !segment.has(kTcpSyn)) {
    return {.event = ConversationEvent::InvalidTimestamp};
  }
  if (segment.has(kTcpRst)) {
    const bool right =
        from_client
            ? segment.sequence == client_first_ || segment.sequence == client_first_ + 1
            : segment.has(kTcpAck) && segment.acknowledgement == client_first_ + 1 + syn_payload_;
    const bool plain =
        !from_client && segment.has(kTcpAck) && segment.acknowledgement == client_first_ + 1;
    if (!right && !plain) return {.event = ConversationEvent::ResetInvalidAck};
    state_ = State::Closed;
    return {.take = true};
  }
  if (segment.has(kTcpSyn) && segment.has(kTcpAck)) {
    if (from_client) return {.event = ConversationEvent::SynAckInWrongDirection};
    return answer(segment);
  }
  if (segment.has(kTcpSyn)) {
    return from_client ? another_syn(segment) : Judgement{.take = true};
  }
  if (segment.has(kTcpAck) && from_client && options_.one_sided) {
    if (segment.sequence != client_first_ + 1 + syn_payload_ &&
        segment.sequence != client_first_ + 1) {
      return {};
    }
    state_ = State::Established;
    return {.take = true};
  }
  return {};
}

TcpConversation::Judgement TcpConversation::after_syn_ack(Direction direction,
                                                          const StreamSegment& segment) noexcept {
  const bool from_client = direction == Direction::ToServer;
  if (segment.has(kTcpRst)) return {.take = true};
  if (segment.has(kTcpSyn) && segment.has(kTcpAck)) {
    if (from_client) return {.event = ConversationEvent::SynAckInWrongDirection};
    if (segment.acknowledgement != client_first_ + 1 &&
        segment.acknowledgement != client_first_ + 1 + syn_payload_) {
      return {.event = ConversationEvent::SynAckResendDifferent};
    }
    if (segment.sequence != server_first_) {
      return {.event = ConversationEvent::SynAckSequenceDifferent};
    }
    return {.take = true};
  }
  if (segment.has(kTcpSyn)) {
    if (!from_client || segment.sequence != client_first_) {
      return {.event = ConversationEvent::SynResendDifferent};
    }
    return {.take = true};
  }
  if (!segment.has(kTcpAck)) return {};
  if (!from_client && !by_syn_ack_) {
    // The client's ACK may have been lost from a capture; a gateway sees every packet.
    if (options_.inline_mode) {
      return {.event = segment.payload.empty() ? ConversationEvent::AckInWrongDirection
                                               : ConversationEvent::AckDataInject};
    }
    state_ = State::Established;
    return {.take = true};
  }
  if (from_client && segment.acknowledgement - (server_first_ + 1) > 0x7fffffffU) {
    return {.event = segment.sequence == client_first_ + 1
                         ? ConversationEvent::RightSequenceWrongAck
                         : ConversationEvent::WrongSequenceWrongAck};
  }
  if (from_client && segment.sequence == client_first_ + 1 &&
      segment.acknowledgement != server_first_ + 1 && segment.payload.empty()) {
    return {.event = ConversationEvent::RightSequenceWrongAck};
  }
  state_ = State::Established;
  return {.take = true};
}

}  // namespace masugata::dataplane
