// SPDX-License-Identifier: GPL-2.0-or-later
// Fragment reassembly, without packet buffers. Input: one byte of choices, then either one IP
// packet for parse_fragment() (choices odd) or six bytes per fragment (choices even):
//   datagram | 128 to let time pass, offset / 8, length, more | congestion << 1, two bytes of time.
// Whatever comes: bounds hold, and a completed datagram consists of spans that touch and never
// overlap; nothing is lost or given back twice.
#include <array>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <vector>

#include "dataplane/fragments/fragment_facts.h"
#include "dataplane/fragments/fragment_index.h"

namespace {

using namespace masugata;             // NOLINT: a program of one file
using namespace masugata::dataplane;  // NOLINT
using Outcome = FragmentIndex::Outcome;

void require(bool holds) {
  if (!holds) std::abort();
}

void check_parser(const uint8_t* data, size_t size) {
  // Exactly as large as the packet: a byte beyond it is a finding.
  const auto packet = std::make_unique<uint8_t[]>(size);
  if (size != 0) std::memcpy(packet.get(), data, size);
  for (const size_t readable : {size, size / 2}) {
    const FragmentFacts facts = parse_fragment(packet.get(), size, readable);
    if (!facts.is_fragment || facts.problem != DropReason::None) continue;
    require(facts.data_length != 0);
    require(size_t{facts.data_offset} + facts.data_length == size);
    require(facts.end() <= 65535);
    require(!facts.more || facts.data_length % 8 == 0);
    require(facts.fragment_header_offset == 0 ||
            facts.next_header_offset < facts.fragment_header_offset);
  }
}

struct Span {
  uint32_t offset;
  uint32_t end;
};

class Model {
 public:
  Model() : index_(limits(), net::HashSecret{}) {}

  void fragment(const uint8_t* bytes) {
    now_ms_ += static_cast<uint32_t>(bytes[4] << 8U | bytes[5]);
    if ((bytes[0] & 0x80U) != 0) expire();
    FragmentArrival arrival;
    arrival.datagram.source = net::IpAddress::from_v4(net::Be32::from_host(bytes[0] & 0x03U));
    arrival.datagram.destination_port = net::Be16::from_host(bytes[0] & 0x0fU);
    arrival.offset = static_cast<uint16_t>(bytes[1] * 8U);
    arrival.more = (bytes[3] & 1U) != 0;
    arrival.length =
        static_cast<uint16_t>(arrival.more ? (bytes[2] / 8U + 1U) * 8U : bytes[2] + 1U);
    arrival.congestion = (bytes[3] >> 1U) & 3U;
    arrival.network_length = static_cast<uint16_t>(arrival.length + 20U);
    auto span =
        std::make_unique<Span>(Span{arrival.offset, uint32_t{arrival.offset} + arrival.length});
    arrival.handle = span.get();
    const FragmentIndex::Offer offer = index_.offer(arrival, now_ms_);
    const bool kept = offer.outcome == Outcome::Held || offer.outcome == Outcome::Completed;
    if (kept) held_.emplace(span.get(), std::move(span));
    switch (offer.outcome) {
      case Outcome::Completed:
        complete(offer.datagram);
        break;
      case Outcome::Duplicate:
        duplicate(offer, *span, bytes[3]);
        break;
      case Outcome::Discarded:
        drain(offer.datagram);
        break;
      default:
        require(kept || offer.reason != DropReason::None);
    }
    check_bounds();
  }

  ~Model() {
    while (index_.oldest() != kNoDatagram) {
      const uint32_t datagram = index_.oldest();
      drain(datagram);
      index_.erase(datagram);
    }
    require(held_.empty() && index_.held_fragments() == 0 && index_.open_datagrams() == 0);
  }

 private:
  static ReassemblyLimits limits() {
    ReassemblyLimits bounds;
    bounds.datagrams = 6;
    bounds.datagrams_per_source = 3;
    bounds.fragments_per_datagram = 8;
    bounds.held_fragments = 20;
    bounds.timeout_ms = 30000;
    return bounds;
  }

  Span take(void* handle) {
    const auto found = held_.find(handle);
    require(found != held_.end());
    const Span span = *found->second;
    held_.erase(found);
    return span;
  }

  void drain(uint32_t datagram) {
    uint32_t end = 0;
    while (void* handle = index_.take_fragment(datagram)) {
      const Span span = take(handle);
      require(span.offset >= end);
      end = span.end;
    }
  }

  void complete(uint32_t datagram) {
    const uint32_t total = index_.total_length(datagram);
    uint32_t end = 0;
    while (void* handle = index_.take_fragment(datagram)) {
      const Span span = take(handle);
      require(span.offset == end);
      end = span.end;
    }
    require(end == total);
    index_.erase(datagram);
  }

  void duplicate(const FragmentIndex::Offer& offer, const Span& span, uint8_t choices) {
    const auto found = held_.find(offer.existing);
    require(found != held_.end());
    require(found->second->offset == span.offset && found->second->end == span.end);
    if ((choices & 0x80U) == 0) return;
    index_.discard(offer.datagram, DropReason::FragmentOverlap);
    drain(offer.datagram);
  }

  void expire() {
    for (uint32_t datagram = index_.oldest_expired(now_ms_); datagram != kNoDatagram;
         datagram = index_.oldest_expired(now_ms_)) {
      drain(datagram);
      index_.erase(datagram);
    }
  }

  void check_bounds() {
    require(index_.open_datagrams() <= index_.limits().datagrams);
    require(index_.held_fragments() <= index_.limits().held_fragments);
    require(index_.held_fragments() == held_.size());
  }

  FragmentIndex index_;
  std::map<void*, std::unique_ptr<Span>> held_;
  uint32_t now_ms_ = 0xffff0000U;  // the clock wraps on the way
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  if ((data[0] & 1U) != 0) {
    check_parser(data + 1, size - 1);
    return 0;
  }
  constexpr size_t kRecordBytes = 6;
  Model model;
  for (size_t position = 1; position + kRecordBytes <= size; position += kRecordBytes) {
    model.fragment(data + position);
  }
  return 0;
}
