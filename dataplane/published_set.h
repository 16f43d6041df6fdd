// SPDX-License-Identifier: GPL-2.0-or-later
// A set that workers read through one pointer and that is replaced as a whole: what was published
// before stays until every reader has said that it has turned to its successor.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

namespace masugata::dataplane {

// `Set` has a `uint32_t generation`, which is written here and differs from the set before. Control
// thread; readers load the pointer with acquire once per turn.
template <class Set>
class PublishedSet {
 public:
  // `pointer` outlives this and is null again when this is gone.
  explicit PublishedSet(std::atomic<const Set*>* pointer) : pointer_(pointer) {}
  ~PublishedSet() {
    if (pointer_ != nullptr) pointer_->store(nullptr);
  }
  PublishedSet(const PublishedSet&) = delete;
  PublishedSet& operator=(const PublishedSet&) = delete;

  void publish(std::unique_ptr<Set> next) {
    next->generation = ++generation_;
    pointer_->store(next.get(), std::memory_order_release);
    if (running_ != nullptr) retired_.push_back({std::move(running_), next->generation});
    running_ = std::move(next);
  }

  // Frees what none of `readers` reads any more, oldest first, each behind a call of `last_words`.
  // A reader's adopted() is the generation that it has turned to; it may hold on to the old one for
  // as long as it sleeps. Returns how many went.
  template <class Readers, class LastWords>
  size_t free_unread(const Readers& readers, LastWords&& last_words) {
    const auto adopted = [this](const auto* reader) {
      return static_cast<int32_t>(reader->adopted() - retired_.front().replaced_by) >= 0;
    };
    size_t freed = 0;
    for (; !retired_.empty() && std::all_of(readers.begin(), readers.end(), adopted); ++freed) {
      last_words(*retired_.front().set);
      retired_.erase(retired_.begin());
    }
    return freed;
  }

  // Null before the first.
  [[nodiscard]] const Set* running() const noexcept { return running_.get(); }
  // Of the set that is published next.
  [[nodiscard]] uint32_t next_generation() const noexcept { return generation_ + 1; }
  // Those that readers may still hold, oldest first, the running one last.
  template <class Take>
  void each_live(Take&& take) const {
    for (const Retired& retired : retired_) take(*retired.set);
    if (running_ != nullptr) take(*running_);
  }

 private:
  struct Retired {
    std::unique_ptr<const Set> set;
    uint32_t replaced_by = 0;  // generation
  };

  std::atomic<const Set*>* pointer_;
  std::unique_ptr<const Set> running_;
  std::vector<Retired> retired_;
  uint32_t generation_ = 0;
};

}  // namespace masugata::dataplane
