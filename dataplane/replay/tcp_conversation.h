// SPDX-License-Identifier: GPL-2.0-or-later
// What a captured TCP connection has come to: its handshake, who is the client, whether its
// segments may be believed. The bytes themselves are dataplane/stream's business; this is the gate
// before it, as lenient as the choices for midstream and one-sided captures make it.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "dataplane/stream/stream_segment.h"
#include "ids/direction.h"

namespace masugata::dataplane {

struct ConversationOptions {
  bool midstream = false;  // take connections whose handshake was not captured
  bool one_sided = false;  // only one direction is in the capture
  bool inline_mode = false;
};

// Oddities of handshakes; names in ids stream_events().
enum class ConversationEvent : uint8_t {
  None,
  AckInWrongDirection,      // 3whs_ack_in_wrong_dir
  AckDataInject,            // 3whs_ack_data_inject
  SynAckInWrongDirection,   // 3whs_synack_in_wrong_direction
  SynAckWithWrongAck,       // 3whs_synack_with_wrong_ack
  SynAckResendDifferent,    // 3whs_synack_resend_with_diff_ack
  SynAckSequenceDifferent,  // 3whs_synack_resend_with_diff_seq
  SynResendDifferent,       // 3whs_syn_resend_diff_seq_on_syn_recv
  RightSequenceWrongAck,    // 3whs_right_seq_wrong_ack_evasion
  WrongSequenceWrongAck,    // 3whs_wrong_seq_wrong_ack
  ResetInvalidAck,          // rst_invalid_ack
  FinWithoutSession,        // fin_but_no_session
  ResetWithoutSession,      // rst_but_no_session
  SynFlood,                 // 3whs_syn_flood
  TfoDataIgnored,           // 3whs_synack_tfo_data_ignored
  InvalidTimestamp,         // pkt_invalid_timestamp
  SuspectedReset,           // suspected_rst_inject
  Count
};
[[nodiscard]] const char* name_of(ConversationEvent event) noexcept;

// Thread: the replay's.
class TcpConversation {
 public:
  enum class State : uint8_t { None, SynSent, SynReceived, Established, Closed };

  struct Judgement {
    bool take = false;       // the segment belongs to the streams
    bool flipped = false;    // the sender of this first segment is the server: turn the flow round
    bool picked_up = false;  // begun without handshake by this segment
    ConversationEvent event = ConversationEvent::None;
    // The SYN/ACK answers this SYN, not the one that the streams began with: begin them anew.
    std::optional<StreamSegment> other_syn = std::nullopt;
  };
  // Different SYNs that may wait for the one answer.
  static constexpr size_t kMaximumSyns = 11;

  explicit TcpConversation(const ConversationOptions& options) noexcept : options_(options) {}

  // `direction` as the flow has it; after `flipped` the caller uses the opposite from then on.
  [[nodiscard]] Judgement judge(ids::Direction direction, const StreamSegment& segment) noexcept;
  // The streams have found a RST believable, or both ends.
  void close() noexcept { state_ = State::Closed; }

  [[nodiscard]] State state() const noexcept { return state_; }
  [[nodiscard]] bool established() const noexcept { return state_ >= State::Established; }
  [[nodiscard]] bool midstream() const noexcept { return midstream_; }
  // Whether a SYN begins another connection rather than belonging to this one.
  [[nodiscard]] bool is_begun_anew_by(const StreamSegment& segment) const noexcept;

 private:
  [[nodiscard]] Judgement judge_by_state(ids::Direction direction,
                                         const StreamSegment& segment) noexcept;
  [[nodiscard]] Judgement begin(const StreamSegment& segment) noexcept;
  [[nodiscard]] Judgement another_syn(const StreamSegment& segment) noexcept;
  [[nodiscard]] Judgement answer(const StreamSegment& segment) noexcept;
  [[nodiscard]] Judgement after_syn(ids::Direction direction,
                                    const StreamSegment& segment) noexcept;
  [[nodiscard]] Judgement after_syn_ack(ids::Direction direction,
                                        const StreamSegment& segment) noexcept;

  ConversationOptions options_;
  State state_ = State::None;
  bool midstream_ = false;
  bool by_syn_ack_ = false;           // begun by a SYN/ACK
  std::array<bool, 2> reset_sent_{};  // by direction: a RST, and nothing else since
  uint32_t client_first_ = 0;         // sequence numbers of the SYNs
  uint32_t server_first_ = 0;
  uint32_t syn_payload_ = 0;                        // bytes of data in the SYN (RFC 7413)
  std::array<StreamSegment, kMaximumSyns> syns_{};  // without payload spans; [0] is the first
  std::array<uint32_t, kMaximumSyns> syn_payloads_{};
  size_t syn_count_ = 0;
  size_t next_forgotten_ = 0;
};

}  // namespace masugata::dataplane
