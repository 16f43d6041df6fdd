// SPDX-License-Identifier: GPL-2.0-or-later
// One content at a time on its way from a parser to a ContentReceiver: whatever a parser does, the
// receiver sees begin, bytes, one end.
#pragma once

#include <cstdint>
#include <span>

#include "ids/protocols/content_receiver.h"

namespace masugata::ids {

// Thread: the flow's worker. Costs a comparison when nobody receives.
class ContentFeed {
 public:
  // What was open before ends as broken. `receiver` null: nobody wants it.
  void begin(ContentReceiver* receiver, const ContentFacts& facts) noexcept {
    end(ContentEnd::Broken);
    if (receiver != nullptr) {
      content_ = receiver->begin(facts);
      receiver_ = content_ == kNoContent ? nullptr : receiver;
    }
    begun_ = true;
  }
  void bytes(std::span<const uint8_t> bytes) noexcept {
    if (receiver_ != nullptr && !bytes.empty()) {
      receiver_->bytes(content_, bytes);
    }
  }
  // See ContentReceiver::arrived().
  void arrived(size_t bytes) noexcept {
    if (receiver_ != nullptr) {
      receiver_->arrived(content_, bytes);
    }
  }
  // See ContentReceiver::continues().
  void continues(std::string_view tag) noexcept {
    if (receiver_ != nullptr) {
      receiver_->continues(content_, tag);
    }
  }
  // Nothing to do when none is open.
  void end(ContentEnd how) noexcept {
    begun_ = false;
    if (receiver_ != nullptr) {
      ContentReceiver* const receiver = receiver_;
      receiver_ = nullptr;
      receiver->end(content_, how);
    }
  }
  // Between begin() and end(), also when the receiver did not want it.
  [[nodiscard]] bool is_open() const noexcept { return begun_; }
  // Its bytes go somewhere.
  [[nodiscard]] bool is_received() const noexcept { return receiver_ != nullptr; }

 private:
  ContentReceiver* receiver_ = nullptr;
  ContentId content_ = kNoContent;
  bool begun_ = false;
};

}  // namespace masugata::ids
