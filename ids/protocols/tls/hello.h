// SPDX-License-Identifier: GPL-2.0-or-later
// ClientHello and ServerHello (RFC 8446 section 4.1, RFC 5246 section 7.4.1).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace masugata::ids {

// Lists are cut there; hellos are at most 64 KiB, so that these bound only what is kept twice.
inline constexpr size_t kMaximumHelloListEntries = 1024;
inline constexpr size_t kMaximumServerNameBytes = 255;

struct TlsHello {
  uint16_t legacy_version = 0;
  std::array<uint8_t, 32> random{};  // the first four bytes were meant to be the time
  std::vector<uint8_t> session_id;
  std::vector<uint16_t> ciphers;     // of servers: the one chosen
  std::vector<uint16_t> extensions;  // in their order
  std::vector<uint16_t> groups;      // RFC 8422 section 5.1.1
  std::vector<uint8_t> point_formats;
  std::vector<uint16_t> signature_algorithms;
  std::vector<uint16_t> supported_versions;  // of servers: the one chosen
  std::vector<std::string> alpn;             // of servers: the one chosen
  std::optional<std::string> server_name;
  bool heartbeat = false;
  bool pre_shared_key = false;
  bool ssl2_form = false;

  // Of clients the first real version in the supported ones, else the legacy one; of servers what
  // they chose.
  [[nodiscard]] uint16_t version() const noexcept;
};

// RFC 8701: values that clients mix in so that servers learn to skip what they do not know.
[[nodiscard]] constexpr bool is_grease(uint16_t value) noexcept {
  return (value & 0x0f0fU) == 0x0a0a && value >> 8U == (value & 0xffU);
}

struct HelloFindings {
  bool malformed = false;
  bool several_server_names = false;
  bool bad_server_name_type = false;
  bool bad_server_name_length = false;
};

// `body`: the handshake message behind its type and length. What was read before a fault is kept.
[[nodiscard]] HelloFindings read_client_hello(std::span<const uint8_t> body,
                                              TlsHello& hello) noexcept;
[[nodiscard]] HelloFindings read_server_hello(std::span<const uint8_t> body,
                                              TlsHello& hello) noexcept;
// SSLv2's CLIENT-HELLO behind its two bytes of length.
[[nodiscard]] HelloFindings read_ssl2_client_hello(std::span<const uint8_t> message,
                                                   TlsHello& hello) noexcept;

}  // namespace masugata::ids
