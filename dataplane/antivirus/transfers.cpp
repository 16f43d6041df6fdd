// SPDX-License-Identifier: GPL-2.0-or-later
// Data sessions and the control connection (FTP) that announced them: its server must not say that
// a transfer is complete before there is a verdict, nor after a refusal.
#include "dataplane/antivirus/object_guard.h"

namespace masugata::dataplane {
namespace {

// However long a transfer takes from there on, its server's word waits no longer; and so long after
// a refusal a word is still taken for the end of that transfer.
constexpr uint32_t kMostWait_ms = 60'000;

}  // namespace

const ScannedSession* ObjectGuard::control_of(const ScannedSession& data) const noexcept {
  if (data.control == kNone32) return nullptr;
  const ScannedSession& control = sessions_[data.control];
  return control.handle == data.control_handle ? &control : nullptr;
}

void ObjectGuard::open_transfer(ScannedSession& data, uint32_t control) noexcept {
  const config::AvProfile* choices = profile(data.slot);
  if (choices == nullptr || !choices->scan[static_cast<size_t>(config::AvProtocol::Ftp)]) return;
  data.control = control;
  data.control_handle = sessions_[control].handle;
  ++sessions_[control].transfers.open;
}

void ObjectGuard::end_transfer(ScannedSession& data) noexcept {
  if (control_of(data) != nullptr) {
    TransferReplies& replies = sessions_[data.control].transfers;
    if (replies.open != 0 && --replies.open == 0) {
      replies.waits = false;
      watch(sessions_[data.control]);
    }
  }
  data.control = kNone32;
}

void ObjectGuard::refuse_transfer(ScannedSession& data, const PendingRefusal& pending,
                                  uint64_t reference) noexcept {
  // When none is open the server's word was let go, and there is none to come.
  if (control_of(data) != nullptr && sessions_[data.control].transfers.open != 0) {
    TransferReplies& replies = sessions_[data.control].transfers;
    replies.refused = true;
    replies.refused_ms = now_ms_;
    replies.reason = pending.reason;
    replies.reference = reference;
    replies.signature = pending.signature;
    replies.waits = false;
    watch(sessions_[data.control]);
  }
  end_transfer(data);
}

void ObjectGuard::note_completion(ScannedSession& control, const SegmentPlace& segment) noexcept {
  TransferReplies& replies = control.transfers;
  if (segment.direction != ids::Direction::ToClient || replies.waits || replies.refused) return;
  const auto reply = find_final_reply(segment.payload, true);
  if (!reply || reply->is_refusal()) return;
  replies.waits = true;
  replies.hold_sequence = segment.sequence;
  replies.since_ms = now_ms_;
}

void ObjectGuard::tend_transfers(ScannedSession& session) noexcept {
  TransferReplies& replies = session.transfers;
  if (now_ms_ - replies.since_ms < kMostWait_ms) return;
  replies.waits = false;
  replies.open = 0;
}

std::string_view ObjectGuard::instead_of(uint32_t place, const FtpFinalReply& reply,
                                         uint32_t sequence) noexcept {
  TransferReplies& replies = sessions_[place].transfers;
  const bool again = replies.told && replies.told_sequence == sequence;
  if (now_ms_ - replies.refused_ms >= kMostWait_ms) replies.refused = false;
  if (!again && !replies.refused) return {};
  replies.told = true;
  replies.told_sequence = sequence;
  if (reply.whole) replies.refused = false;
  av::RefusalFacts facts;
  facts.reason = replies.reason;
  facts.signature = replies.signature.view();
  facts.reference = replies.reference;
  const size_t size = av::write_ftp_refusal(facts, text_);
  constexpr size_t kCodeBytes = 3;
  constexpr size_t kLineEndBytes = 2;
  if (size < kCodeBytes + kLineEndBytes + 1) return {};
  if (!reply.whole) text_[kCodeBytes] = '-';
  return {text_.data(), size - kLineEndBytes};
}

}  // namespace masugata::dataplane
