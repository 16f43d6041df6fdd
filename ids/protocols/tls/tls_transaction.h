// SPDX-License-Identifier: GPL-2.0-or-later
// The one transaction of a TLS flow: its handshake.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "ids/protocols/tls/certificate.h"
#include "ids/protocols/tls/hello.h"
#include "ids/protocols/transaction.h"

namespace masugata::ids {

// Values of Transaction::progress, in their order.
enum class TlsProgress : uint8_t { Start, HelloDone, CertificateDone, HandshakeDone, Finished };

// What one side said. Thread: the flow's worker.
struct TlsSide {
  std::optional<TlsHello> hello;
  // As `tls.version` and `ssl_version` read it: of the records until there is a hello; 0 = none.
  uint16_t version = 0;
  std::vector<uint8_t> chain;  // the certificates as they came, one behind the other
  std::vector<std::pair<uint32_t, uint32_t>> chain_parts;  // begin and size in `chain`
  std::optional<TlsCertificate> certificate;               // the first of the chain
  std::string ja3_string, ja3_hash;                        // of servers JA3S; empty unless demanded
  std::string ja4;
  bool key_exchange = false;  // ClientKeyExchange, ServerKeyExchange

  [[nodiscard]] std::span<const uint8_t> certificate_bytes(size_t index) const noexcept {
    return std::span<const uint8_t>{chain}.subspan(chain_parts[index].first,
                                                   chain_parts[index].second);
  }
};

class TlsTransaction final : public Transaction {
 public:
  // The client's side is that of Direction::ToServer.
  [[nodiscard]] const TlsSide& side(Direction direction) const noexcept {
    return sides_[index_of(direction)];
  }
  [[nodiscard]] TlsSide& side(Direction direction) noexcept { return sides_[index_of(direction)]; }

  // What both agreed on, or what is known of it.
  [[nodiscard]] uint16_t agreed_version() const noexcept;
  // The server took up an earlier session: no certificate was shown.
  [[nodiscard]] bool session_resumed() const noexcept;

  // That side is at least so far.
  void advance(Direction direction, TlsProgress to) noexcept;
  [[nodiscard]] bool reached(Direction direction, TlsProgress step) const noexcept {
    return progress[index_of(direction)] >= static_cast<uint8_t>(step);
  }

  [[nodiscard]] size_t memory_bytes() noexcept override;
  BufferBytes buffer(BufferId buffer, Direction direction, uint32_t instance) noexcept override;
  bool number(NumberField field, Direction direction, uint64_t& value) noexcept override;
  bool number_of_many(NumberField field, Direction direction, uint32_t instance,
                      uint64_t& value) noexcept override;
  std::optional<bool> holds(const Condition& condition, Direction direction,
                            uint64_t time_us) noexcept override;

 private:
  [[nodiscard]] BufferBytes hello_buffer(BufferId buffer, Direction direction,
                                         uint32_t instance) const noexcept;
  [[nodiscard]] BufferBytes certificate_buffer(BufferId buffer, Direction direction,
                                               uint32_t instance) const noexcept;
  [[nodiscard]] bool seen(TlsStateMatch::State state) const noexcept;

  std::array<TlsSide, 2> sides_;
};

}  // namespace masugata::ids
