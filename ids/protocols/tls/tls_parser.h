// SPDX-License-Identifier: GPL-2.0-or-later
// TLS 1.3 down to SSLv2's hello, up to where it is encrypted. There is one transaction per flow;
// Transaction::progress holds a TlsProgress.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "ids/protocols/protocol_parser.h"
#include "ids/protocols/tls/tls_transaction.h"

namespace masugata::ids {

// A handshake message beyond raises handshake_invalid_length and is passed over.
inline constexpr size_t kMaximumHandshakeMessageBytes = 128 * 1024;
inline constexpr size_t kMaximumChainCertificates = 32;
// More records in one call than these, or than one per so many bytes, raise
// too_many_records_in_packet: records without content serve to hide.
inline constexpr size_t kUsualTlsRecordsInCall = 4;
inline constexpr size_t kUsualTlsRecordBytes = 6;

// Finished as soon as both sides are encrypted, unless both spoke of heartbeats: then the sizes of
// encrypted heartbeats are watched to the end of the flow. Memory: one handshake message per side
// and what TlsSide keeps.
class TlsParser final : public ProtocolParser {
 public:
  explicit TlsParser(const ParserDemands& demands) noexcept;
  ParseOutcome on_data(Direction direction, std::span<const uint8_t> bytes,
                       uint64_t time_us) noexcept override;
  // A gap within a record that is not read is passed over.
  ParseOutcome on_gap(Direction direction, uint64_t bytes) noexcept override;
  void on_end(Direction direction) noexcept override;
  [[nodiscard]] bool is_encrypted() const noexcept override {
    return states_[0].encrypted && states_[1].encrypted;
  }
  [[nodiscard]] size_t memory_bytes() const noexcept override {
    return states_[0].message.capacity() + states_[1].message.capacity();
  }

 private:
  struct SideState {
    std::array<uint8_t, 5> header{};
    uint8_t header_bytes = 0;
    bool begun = false;        // has read a record or an SSLv2 hello
    bool ssl2 = false;         // `message` collects an SSLv2 message
    bool encrypted = false;    // from ChangeCipherSpec or application data on
    bool plain_hello = false;  // the record at hand holds a hello although it could be encrypted
    uint32_t record_left = 0;
    uint32_t record_read = 0;
    std::vector<uint8_t> message;  // a handshake message that is not whole yet
    uint32_t message_skip = 0;     // bytes of one that is not read
    std::array<uint8_t, 3> heartbeat{};
  };

  enum class Step : uint8_t { Continue, Failed };
  Step take_header(Direction direction, std::span<const uint8_t>& bytes) noexcept;
  Step begin_record(Direction direction) noexcept;
  void take_fragment(Direction direction, std::span<const uint8_t> fragment) noexcept;
  void take_handshake(Direction direction, std::span<const uint8_t> fragment) noexcept;
  void begin_message(Direction direction) noexcept;
  Step take_ssl2(Direction direction, std::span<const uint8_t>& bytes) noexcept;
  void on_message(Direction direction, uint8_t type, std::span<const uint8_t> body) noexcept;
  void on_client_hello(std::span<const uint8_t> body) noexcept;
  void on_server_hello(std::span<const uint8_t> body) noexcept;
  void on_certificates(Direction direction, std::span<const uint8_t> body) noexcept;
  void on_ssl2_message(Direction direction) noexcept;
  void on_heartbeat(Direction direction) noexcept;
  void read_leaf(Direction direction) noexcept;
  void become_encrypted(Direction direction, TlsProgress progress) noexcept;
  Step fail(Direction direction, uint8_t event) noexcept;
  [[nodiscard]] bool ready() noexcept;
  [[nodiscard]] bool nothing_left() const noexcept;
  SideState& state(Direction direction) noexcept { return states_[index_of(direction)]; }

  const ParserDemands& demands_;
  // Owned by transactions(); the engine takes it only when the handshake is over.
  TlsTransaction* transaction_ = nullptr;
  std::array<SideState, 2> states_;
  std::array<uint32_t, 2> heartbeat_request_bytes_{};
};

}  // namespace masugata::ids
