// SPDX-License-Identifier: GPL-2.0-or-later
#include "ids/protocols/detection/stream_probes.h"

#include <algorithm>
#include <array>

#include "ids/protocols/byte_reader.h"
#include "ids/protocols/detection/datagram_probes.h"

namespace masugata::ids::detection {
namespace {

constexpr uint8_t kHandshake = 22;
constexpr uint8_t kServerHello = 2;

Likeness yes_if(bool holds) noexcept { return holds ? Likeness::Yes : Likeness::No; }

// Yes when the bytes begin with these, Undecided when they could still.
template <size_t size>
Likeness begins_with_bytes(std::span<const uint8_t> bytes,
                           const std::array<uint8_t, size>& prefix) noexcept {
  const size_t common = std::min(bytes.size(), size);
  if (!std::equal(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(common),
                  prefix.begin())) {
    return Likeness::No;
  }
  return common == size ? Likeness::Yes : Likeness::Undecided;
}

// SSLv2's CLIENT-HELLO: a two-byte length with the high bit set, type 1, the version offered, and
// the length of the cipher specifications, which is a multiple of three.
Likeness ssl2_hello(const Opening& opening) noexcept {
  const auto bytes = opening.bytes;
  if (!opening.from_client || (bytes[0] & 0x80U) == 0) return Likeness::No;
  if (bytes.size() >= 3 && bytes[2] != 1) return Likeness::No;
  if (bytes.size() < 5) return Likeness::Undecided;
  const bool version2 = (bytes[3] == 0 && bytes[4] == 2) || (bytes[3] == 2 && bytes[4] == 0);
  const bool version3 = bytes[3] == 3 && bytes[4] <= 4;
  if (!version2 && !version3) return Likeness::No;
  if (bytes.size() < 7) return Likeness::Undecided;
  const unsigned ciphers = static_cast<unsigned>(bytes[5]) << 8U | bytes[6];
  return yes_if(ciphers != 0 && ciphers % 3 == 0);
}

Likeness too_short_or_no(const Opening& opening, size_t needed) noexcept {
  return opening.bytes.size() < needed ? Likeness::Undecided : Likeness::No;
}

}  // namespace

Likeness probe_tls(const Opening& opening) noexcept {
  const auto bytes = opening.bytes;
  if (bytes.empty()) return Likeness::Undecided;
  if (bytes[0] < 20 || bytes[0] > 24) return ssl2_hello(opening);
  if (bytes.size() >= 2 && bytes[1] != 3) return Likeness::No;
  if (bytes.size() < 3) return Likeness::Undecided;
  if (bytes[2] > 4) return Likeness::No;
  if (bytes[0] != kHandshake) return Likeness::Yes;
  if (bytes.size() < 6) return Likeness::Undecided;
  return yes_if(opening.from_client != (bytes[5] == kServerHello));
}

Likeness probe_dns_stream(const Opening& opening) noexcept {
  const auto bytes = opening.bytes;
  const bool on_its_port = opening.on_port(53);
  // Few bytes rule most other protocols out already.
  if (bytes.size() > 4 && ((bytes[4] & 0x80U) == 0) != opening.from_client) return Likeness::No;
  if (bytes.size() > 7 && !on_its_port && (bytes[6] != 0 || bytes[7] != 1)) return Likeness::No;
  if (bytes.size() < 14) return Likeness::Undecided;
  const size_t length = static_cast<size_t>(bytes[0]) << 8U | bytes[1];
  if (length < 17 && !(on_its_port && length >= 12)) return Likeness::No;
  const auto message = bytes.subspan(2, std::min(length, bytes.size() - 2));
  if (looks_like_dns(message, opening.from_client, on_its_port)) return Likeness::Yes;
  // The whole first question may not be there yet: 255 bytes of name, type and class.
  if (message.size() == length || message.size() >= 12 + 255 + 4) return Likeness::No;
  return Likeness::Undecided;
}

Likeness probe_smb(const Opening& opening) noexcept {
  // [MS-SMB2] section 2.1: a zero byte and a 24-bit length; or a NetBIOS session request first.
  const auto bytes = opening.bytes;
  if (bytes[0] == 0x81 && opening.from_client) {
    return bytes.size() < 4
               ? Likeness::Undecided
               : yes_if(opening.on_port(139) && bytes[1] == 0 && bytes[2] == 0 && bytes[3] == 68);
  }
  if (bytes[0] != 0) return Likeness::No;
  if (bytes.size() < 8) return Likeness::Undecided;
  const bool named = bytes[5] == 'S' && bytes[6] == 'M' && bytes[7] == 'B';
  return yes_if(named && bytes[4] >= 0xfc);
}

Likeness probe_dcerpc(const Opening& opening) noexcept {
  // C706 section 12.6.3: version 5.0 or 5.1, PDU type, flags, data representation, length.
  const auto bytes = opening.bytes;
  if (bytes[0] != 5 || (bytes.size() >= 2 && bytes[1] > 1)) return Likeness::No;
  if (bytes.size() < 10) return Likeness::Undecided;
  const bool little = (bytes[4] & 0x10U) != 0;
  const unsigned length = little ? bytes[8] | static_cast<unsigned>(bytes[9]) << 8U
                                 : bytes[9] | static_cast<unsigned>(bytes[8]) << 8U;
  const bool from_client = bytes[2] == 0 || bytes[2] == 11 || bytes[2] == 14 || bytes[2] == 16;
  return yes_if(bytes[2] <= 20 && (bytes[4] & 0xeeU) == 0 && bytes[5] <= 3 && length >= 16 &&
                from_client == opening.from_client);
}

Likeness probe_nfs_stream(const Opening& opening) noexcept {
  if (!opening.from_client || (opening.bytes[0] & 0x80U) == 0) return Likeness::No;
  if (opening.bytes.size() < 24) return Likeness::Undecided;
  return yes_if(looks_like_nfs_call(opening.bytes.subspan(4)));
}

Likeness probe_krb5_stream(const Opening& opening) noexcept {
  if (opening.bytes[0] != 0) return Likeness::No;
  if (opening.bytes.size() < 24) return Likeness::Undecided;
  return yes_if(looks_like_kerberos(opening.bytes.subspan(4)));
}

Likeness probe_mqtt(const Opening& opening) noexcept {
  // MQTT 3.1.1 and 5 section 3.1: CONNECT, the remaining length in up to four bytes, the name.
  const auto bytes = opening.bytes;
  if (!opening.from_client) {
    if (bytes[0] != 0x20 || bytes.size() < 4) return too_short_or_no(opening, 1);
    return yes_if(opening.on_port(1883) && bytes[1] >= 2 && bytes[2] <= 1);
  }
  if (bytes[0] != 0x10) return Likeness::No;
  size_t name = 1;
  while (name < bytes.size() && name < 5 && (bytes[name] & 0x80U) != 0) ++name;
  if (name == 5) return Likeness::No;
  if (++name >= bytes.size()) return Likeness::Undecided;
  constexpr std::array<uint8_t, 6> kName{0, 4, 'M', 'Q', 'T', 'T'};
  constexpr std::array<uint8_t, 8> kOlderName{0, 6, 'M', 'Q', 'I', 's', 'd', 'p'};
  return likelier(begins_with_bytes(bytes.subspan(name), kName),
                  begins_with_bytes(bytes.subspan(name), kOlderName));
}

Likeness probe_rdp(const Opening& opening) noexcept {
  // [MS-RDPBCGR] section 2.2.1: TPKT, then a connection request or confirm of X.224.
  const auto bytes = opening.bytes;
  if (bytes[0] != 3 || (bytes.size() >= 2 && bytes[1] != 0)) return Likeness::No;
  if (bytes.size() < 7) return Likeness::Undecided;
  const unsigned length = static_cast<unsigned>(bytes[2]) << 8U | bytes[3];
  const unsigned code = bytes[5] & 0xf0U;
  return yes_if(length >= 11 && length <= 2048 && bytes[4] + 5U == length &&
                code == (opening.from_client ? 0xe0U : 0xd0U));
}

Likeness probe_telnet(const Opening& opening) noexcept {
  // RFC 854: IAC, then WILL, WONT, DO, DONT or a subnegotiation.
  const auto bytes = opening.bytes;
  if (bytes[0] != 0xff || (bytes.size() >= 2 && (bytes[1] < 0xfa || bytes[1] == 0xff))) {
    return Likeness::No;
  }
  if (bytes.size() < 3) return Likeness::Undecided;
  return yes_if(bytes[2] <= 50);
}

Likeness probe_modbus(const Opening& opening) noexcept {
  if (!opening.on_port(502)) return Likeness::No;
  const auto bytes = opening.bytes;
  if (bytes.size() < 8) return Likeness::Undecided;
  const unsigned length = static_cast<unsigned>(bytes[4]) << 8U | bytes[5];
  return yes_if(bytes[2] == 0 && bytes[3] == 0 && length >= 2 && length <= 254);
}

Likeness probe_dnp3(const Opening& opening) noexcept {
  const auto bytes = opening.bytes;
  if (bytes[0] != 5 || (bytes.size() >= 2 && bytes[1] != 0x64)) return Likeness::No;
  if (bytes.size() < 4) return Likeness::Undecided;
  const bool to_outstation = (bytes[3] & 0x80U) != 0;
  return yes_if(bytes[2] >= 5 && to_outstation == opening.from_client);
}

Likeness probe_enip(const Opening& opening) noexcept {
  if (!opening.on_port(44818)) return Likeness::No;
  const auto bytes = opening.bytes;
  if (bytes.size() < 24) return Likeness::Undecided;
  constexpr std::array<unsigned, 9> kCommands{0, 0x04, 0x63, 0x64, 0x65, 0x66, 0x6f, 0x70, 0x73};
  const unsigned command = bytes[0] | static_cast<unsigned>(bytes[1]) << 8U;
  const bool known = std::find(kCommands.begin(), kCommands.end(), command) != kCommands.end();
  return yes_if(known && bytes[20] == 0 && bytes[21] == 0 && bytes[22] == 0 && bytes[23] == 0);
}

Likeness probe_pgsql(const Opening& opening) noexcept {
  const auto bytes = opening.bytes;
  if (!opening.from_client || bytes[0] != 0) return Likeness::No;
  if (bytes.size() < 8) return Likeness::Undecided;
  ByteReader reader{bytes};
  const uint32_t length = reader.u32();
  const uint32_t code = reader.u32();
  const bool start = code == 0x00030000 && length >= 9 && length <= 10000;
  const bool request = (code == 80877103 || code == 80877104) && length == 8;
  return yes_if(start || request || (code == 80877102 && length == 16));
}

Likeness probe_ldap(const Opening& opening) noexcept {
  // RFC 4511 section 4.1.1: a sequence of a message number and an operation.
  if (opening.bytes[0] != 0x30) return Likeness::No;
  if (opening.bytes.size() < 14) return Likeness::Undecided;
  ByteReader reader{opening.bytes};
  reader.skip(1);
  const uint8_t length = reader.u8();
  if (length == 0x80 || length > 0x84) return Likeness::No;
  if (length > 0x80) reader.skip(length & 0x7fU);
  if (reader.u8() != 2) return Likeness::No;
  const uint8_t number_bytes = reader.u8();
  if (number_bytes == 0 || number_bytes > 4) return Likeness::No;
  reader.skip(number_bytes);
  const uint8_t operation = reader.u8();
  constexpr std::array<uint8_t, 10> kRequests{0x60, 0x42, 0x63, 0x66, 0x68,
                                              0x4a, 0x6c, 0x6e, 0x50, 0x77};
  constexpr std::array<uint8_t, 5> kAnswers{0x61, 0x64, 0x65, 0x73, 0x78};
  const bool known =
      opening.from_client
          ? std::find(kRequests.begin(), kRequests.end(), operation) != kRequests.end()
          : std::find(kAnswers.begin(), kAnswers.end(), operation) != kAnswers.end();
  return yes_if(known && reader.ok());
}

}  // namespace masugata::ids::detection
