// SPDX-License-Identifier: GPL-2.0-or-later
// SSH (RFC 4253) up to where it is encrypted: identification strings and algorithm lists. There is
// one transaction per flow; Transaction::progress holds an SshProgress.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "ids/protocols/protocol_parser.h"

namespace masugata::ids {

enum class SshProgress : uint8_t { Start, BannerDone, KeysExchanged, Finished };

// RFC 4253 section 4.2: the line with its end.
inline constexpr size_t kMaximumSshBannerBytes = 255;
// Lines that a server may send before it.
inline constexpr size_t kMaximumSshOtherLines = 32;
// RFC 4253 section 6.1: what every implementation takes.
inline constexpr uint32_t kMaximumSshPacketBytes = 35000;

// What one side said. `hassh` and `hassh_string` are empty unless demanded.
struct SshSide {
  bool banner_done = false;
  bool key_exchange_done = false;
  std::string protocol;  // "2.0"
  std::string software;  // "OpenSSH_9.2p1", without comments
  std::string hassh_string;
  std::string hassh;  // MD5 of it in hex
};

class SshTransaction final : public Transaction {
 public:
  // The client's side is that of Direction::ToServer.
  [[nodiscard]] const SshSide& side(Direction direction) const noexcept {
    return sides_[index_of(direction)];
  }
  [[nodiscard]] SshSide& side(Direction direction) noexcept { return sides_[index_of(direction)]; }

  BufferBytes buffer(BufferId buffer, Direction direction, uint32_t instance) noexcept override;

 private:
  std::array<SshSide, 2> sides_;
};

// Finished after both sides' NEWKEYS. Memory: one packet of at most kMaximumSshPacketBytes per
// side.
class SshParser final : public ProtocolParser {
 public:
  explicit SshParser(const ParserDemands& demands) noexcept;
  ParseOutcome on_data(Direction direction, std::span<const uint8_t> bytes,
                       uint64_t time_us) noexcept override;
  void on_end(Direction direction) noexcept override;
  [[nodiscard]] size_t memory_bytes() const noexcept override {
    return states_[0].partial.capacity() + states_[1].partial.capacity();
  }

 private:
  struct SideState {
    std::vector<uint8_t> partial;  // a line or packet that is not whole yet
    uint32_t skip = 0;             // bytes of a packet that is not read
    size_t other_lines = 0;
    bool long_line = false;
    bool encrypted = false;
  };
  // Each takes some of the bytes; false: this is no SSH.
  bool take_line(Direction direction, std::span<const uint8_t>& bytes) noexcept;
  bool take_packet(Direction direction, std::span<const uint8_t>& bytes) noexcept;
  bool on_line(Direction direction, std::string_view line) noexcept;
  void on_packet(Direction direction, std::span<const uint8_t> payload) noexcept;
  void on_key_exchange(Direction direction, std::span<const uint8_t> payload) noexcept;
  void advance(Direction direction, SshProgress to) noexcept;

  const ParserDemands& demands_;
  SshTransaction* transaction_ = nullptr;  // owned by transactions() until both sides are encrypted
  std::array<SideState, 2> states_;
};

}  // namespace masugata::ids
