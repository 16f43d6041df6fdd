// SPDX-License-Identifier: GPL-2.0-or-later
// DNS over UDP and TCP. Each message is a transaction of one direction, as the rule language
// counts them; `Transaction::progress` is 1 from the start.
#pragma once

#include <array>
#include <memory>
#include <vector>

#include "ids/protocols/dns/dns_message.h"
#include "ids/protocols/protocol_parser.h"

namespace masugata::ids {

class DnsTransaction final : public Transaction {
 public:
  explicit DnsTransaction(Direction direction) noexcept;

  [[nodiscard]] const DnsMessage& message() const noexcept { return message_; }
  [[nodiscard]] DnsMessage& message() noexcept { return message_; }
  [[nodiscard]] Direction direction() const noexcept { return direction_; }

  BufferBytes buffer(BufferId buffer, Direction direction, uint32_t instance) noexcept override;
  bool number(NumberField field, Direction direction, uint64_t& value) noexcept override;
  bool number_of_many(NumberField field, Direction direction, uint32_t instance,
                      uint64_t& value) noexcept override;

 private:
  [[nodiscard]] const std::string* response_name(size_t instance) const noexcept;

  Direction direction_;
  DnsMessage message_;
};

// Memory: over TCP at most one message (64 KiB) is kept per direction until it is whole. A message
// that cannot be read raises malformed_data and is passed over; kMaximumBadMessages of them, and
// the flow is no DNS. After a gap a TCP direction waits for bytes that begin like a message.
class DnsParser final : public ProtocolParser {
 public:
  static constexpr size_t kMaximumBadMessages = 16;

  explicit DnsParser(bool datagrams) noexcept;
  ParseOutcome on_data(Direction direction, std::span<const uint8_t> bytes,
                       uint64_t time_us) noexcept override;
  ParseOutcome on_gap(Direction direction, uint64_t bytes) noexcept override;
  [[nodiscard]] size_t memory_bytes() const noexcept override {
    return sides_[0].partial.capacity() + sides_[1].partial.capacity();
  }

 private:
  struct Side {
    std::vector<uint8_t> partial;  // a message that is not whole yet, with its length
    bool after_gap = false;
  };
  // False when the flow is no DNS, or more transactions wait than may.
  bool take_message(Direction direction, std::span<const uint8_t> bytes) noexcept;
  bool take_stream(Direction direction, std::span<const uint8_t> bytes) noexcept;
  bool count_bad_message() noexcept { return ++bad_messages_ < kMaximumBadMessages; }

  bool datagrams_;
  size_t bad_messages_ = 0;
  std::array<Side, 2> sides_;
};

}  // namespace masugata::ids
