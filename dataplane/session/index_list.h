// SPDX-License-Identifier: GPL-2.0-or-later
// Doubly linked lists over 32-bit indexes, the links kept in an array beside the elements.
#pragma once

#include <cstdint>

namespace masugata::dataplane {

inline constexpr uint32_t kEndOfList = 0xffffffffU;

struct IndexLink {
  uint32_t next;
  uint32_t previous;
};

// A list whose elements are indexes into `links`. An index is in at most one list that uses the
// same links. All operations take constant time. Old elements are at the head.
class IndexList {
 public:
  void push_back(IndexLink* links, uint32_t element) noexcept {
    links[element] = {kEndOfList, tail_};
    if (tail_ == kEndOfList) {
      head_ = element;
    } else {
      links[tail_].next = element;
    }
    tail_ = element;
    ++size_;
  }
  // `element` must be in this list.
  void remove(IndexLink* links, uint32_t element) noexcept {
    const IndexLink link = links[element];
    if (link.previous == kEndOfList) {
      head_ = link.next;
    } else {
      links[link.previous].next = link.next;
    }
    if (link.next == kEndOfList) {
      tail_ = link.previous;
    } else {
      links[link.next].previous = link.previous;
    }
    --size_;
  }
  [[nodiscard]] uint32_t head() const noexcept { return head_; }
  [[nodiscard]] uint32_t size() const noexcept { return size_; }
  [[nodiscard]] bool empty() const noexcept { return head_ == kEndOfList; }

 private:
  uint32_t head_ = kEndOfList;
  uint32_t tail_ = kEndOfList;
  uint32_t size_ = 0;
};

}  // namespace masugata::dataplane
