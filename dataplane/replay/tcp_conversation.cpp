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
  };
  return kNames[static_cast<size_t>(event)];
}

bool TcpConversation::is_begun_anew_by(const StreamSegment& segment) const noexcept {
  if (!segment.has(kTcpSyn) || segment.has(kTcpAck) || segment.has(kTcpRst)) return false;
  return state_ == State::Closed || state_ == State::None;
}

TcpConversation::Judgement TcpConversation::judge(Direction direction,
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
    client_first_ = segment.sequence;
    syn_payload_ = static_cast<uint32_t>(segment.payload.size());
    return {.take = true};
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

TcpConversation::Judgement TcpConversation::after_syn(Direction direction,
                                                      const StreamSegment& segment) noexcept {
  const bool from_client = direction == Direction::ToServer;
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
    const uint32_t ahead = segment.acknowledgement - (client_first_ + 1);
    if (ahead != 0 && ahead != syn_payload_) {
      return {.event = ConversationEvent::SynAckWithWrongAck};
    }
    state_ = State::SynReceived;
    server_first_ = segment.sequence;
    return {.take = true};
  }
  if (segment.has(kTcpSyn)) {
    if (from_client) {
      client_first_ = segment.sequence;
      syn_payload_ = static_cast<uint32_t>(segment.payload.size());
    }
    return {.take = true};
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
