// SPDX-License-Identifier: GPL-2.0-or-later
// FTP control connection: the lines that announce a data connection (RFC 959 PORT and 227,
// RFC 2428 EPRT and 229).
//
// Only lines that are complete inside one TCP segment are seen; one that is split over segments
// opens nothing (the transfer then fails, nothing is let through by mistake). At most one
// announcement per segment counts: the first.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "net/flow_key.h"

namespace masugata::dataplane {

enum class FtpSide : uint8_t { Client, Server };  // who sent the segment

enum class FtpAnnouncementKind : uint8_t { Port, ExtendedPort, Passive, ExtendedPassive };

struct FtpAnnouncement {
  FtpAnnouncementKind kind = FtpAnnouncementKind::Port;
  net::IpAddress address;  // where the sender of the line will listen
  net::Be16 port;
  // The part of the payload that write_announcement() replaces, in bytes.
  uint16_t replace_offset = 0;
  uint16_t replace_length = 0;
};

// Finds an announcement in the payload of a segment. `sender` is the address from which the
// segment came, as its line must say: an announcement of any other address (bounce attack,
// RFC 2577), of port 0 or of a port below 1024 is not an announcement.
// `at_line_start`: whether the segment begins a line, that is, the segment before it in sequence
// ended one (ends_line()); the first segment of a side does. When not, bytes up to the first line
// end are skipped, so that nobody makes a peer's echoed text look like a line.
[[nodiscard]] std::optional<FtpAnnouncement> find_announcement(std::span<const uint8_t> payload,
                                                               FtpSide side,
                                                               const net::IpAddress& sender,
                                                               bool at_line_start) noexcept;

[[nodiscard]] inline bool ends_line(std::span<const uint8_t> payload) noexcept {
  return !payload.empty() && payload.back() == static_cast<uint8_t>('\n');
}

// Longest replacement text in bytes.
inline constexpr size_t kFtpReplacementBytes = 64;

struct FtpReplacement {
  std::array<char, kFtpReplacementBytes> text{};
  uint8_t length = 0;  // 0: the address cannot be said in this kind of line (PORT with IPv6)
  [[nodiscard]] std::string_view view() const noexcept { return {text.data(), length}; }
};

// The text that announces `address` and `port` instead, for the bytes at replace_offset. Its
// length may differ: the caller moves the payload and keeps the TCP sequence offset.
[[nodiscard]] FtpReplacement write_announcement(const FtpAnnouncement& announcement,
                                                const net::IpAddress& address,
                                                net::Be16 port) noexcept;

// A reply that ends a transfer: 226 or 250 (RFC 959 section 4.2.2), or a refusal (400 and above).
struct FtpFinalReply {
  uint16_t code = 0;
  // Its lines as far as they are in the segment, without the last line's end.
  uint16_t offset = 0;
  uint16_t length = 0;
  bool whole = false;  // its last line begins in the segment
  [[nodiscard]] bool is_refusal() const noexcept { return code >= 400; }
};

// The first such reply that begins in a server's segment; `at_line_start` as in
// find_announcement().
[[nodiscard]] std::optional<FtpFinalReply> find_final_reply(std::span<const uint8_t> payload,
                                                            bool at_line_start) noexcept;

// The data connection that an announcement makes possible. The source port of the one who
// connects is not known: source_port 0 stands for any.
// `listener` announced, `connector` is the other end of the control connection; both as the
// gateway sees them on the side where the connection will come from.
[[nodiscard]] net::FlowKey expected_data_flow(const net::IpAddress& connector,
                                              const net::IpAddress& listener,
                                              net::Be16 listener_port) noexcept;

}  // namespace masugata::dataplane
