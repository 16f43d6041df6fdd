// SPDX-License-Identifier: GPL-2.0-or-later
// A DNS message (RFC 1035 section 4), read for rules and for the log.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace masugata::ids {

// A name of more characters is cut there; more labels or pointers than that end it. Both are what
// the rule language's own limits are, so that rules see the same text.
inline constexpr size_t kMaximumDnsNameBytes = 1025;
inline constexpr size_t kMaximumDnsLabels = 255;
// Of all sections together; and of all their names and texts. A message beyond is malformed.
inline constexpr size_t kMaximumDnsRecords = 2048;
inline constexpr size_t kMaximumDnsTextBytes = 256 * 1024;

// Types whose data is read; the others keep their bytes only.
enum class DnsType : uint16_t {
  A = 1,
  Ns = 2,
  Cname = 5,
  Soa = 6,
  Null = 10,
  Ptr = 12,
  Mx = 15,
  Txt = 16,
  Aaaa = 28,
  Srv = 33,
  Opt = 41,
  Sshfp = 44,
};

// Names are labels joined by dots, without a dot at the end, with letters as on the wire; the root
// is empty.
struct DnsQuestion {
  std::string name;
  uint16_t type = 0;
  uint16_t type_class = 0;
};

struct DnsRecord {
  std::string name;
  uint16_t type = 0;
  uint16_t type_class = 0;
  uint32_t ttl_seconds = 0;
  std::vector<uint8_t> data;  // as on the wire; A and AAAA: the address
  // CNAME, NS, PTR, MX (exchange), SRV (target), SOA (primary server); empty for the rest.
  std::string target;
  std::string mailbox;             // SOA
  std::vector<std::string> texts;  // TXT: its strings
  // MX: preference. SRV: priority, weight, port. SSHFP: algorithm, kind; the fingerprint is `data`
  // from byte 2. SOA: serial, refresh, retry, expire, minimum.
  uint32_t numbers[5] = {};

  [[nodiscard]] bool is(DnsType wanted) const noexcept {
    return type == static_cast<uint16_t>(wanted);
  }
};

struct DnsMessage {
  uint16_t id = 0;
  uint16_t flags = 0;
  std::vector<DnsQuestion> questions;
  std::vector<DnsRecord> answers;
  std::vector<DnsRecord> authorities;
  std::vector<DnsRecord> additionals;

  [[nodiscard]] bool is_response() const noexcept { return (flags & 0x8000U) != 0; }
  [[nodiscard]] uint8_t opcode() const noexcept { return static_cast<uint8_t>(flags >> 11U & 15U); }
  [[nodiscard]] uint8_t rcode() const noexcept { return static_cast<uint8_t>(flags & 15U); }
  [[nodiscard]] bool authoritative() const noexcept { return (flags & 0x0400U) != 0; }
  [[nodiscard]] bool truncated() const noexcept { return (flags & 0x0200U) != 0; }
  [[nodiscard]] bool recursion_desired() const noexcept { return (flags & 0x0100U) != 0; }
  [[nodiscard]] bool recursion_available() const noexcept { return (flags & 0x0080U) != 0; }
  [[nodiscard]] bool reserved_flag() const noexcept { return (flags & 0x0040U) != 0; }
};

// What was odd on the way. `no_header`: too short, or it announces more records than can be in it;
// nothing was read. `malformed`: questions or answers end before they should; what was read before
// is kept.
struct DnsReadFindings {
  bool no_header = false;
  bool malformed = false;
  bool name_too_long = false;
  bool infinite_loop = false;
  bool too_many_labels = false;
  bool invalid_authorities = false;
  bool invalid_additionals = false;
};

// Reads one message (without TCP's length). Allocates within the bounds above. Thread: any.
[[nodiscard]] DnsReadFindings read_dns_message(std::span<const uint8_t> bytes,
                                               DnsMessage& message) noexcept;

}  // namespace masugata::ids
