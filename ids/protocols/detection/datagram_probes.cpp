// SPDX-License-Identifier: GPL-2.0-or-later
#include "ids/protocols/detection/datagram_probes.h"

#include "ids/protocols/byte_reader.h"

namespace masugata::ids::detection {
namespace {

constexpr uint16_t kDnsPort = 53;
constexpr uint16_t kMdnsPort = 5353;
constexpr uint32_t kNfsProgram = 100003;

Likeness yes_if(bool holds) noexcept { return holds ? Likeness::Yes : Likeness::No; }

// A name without compression, as questions have it: RFC 1035 section 3.1.
bool skip_plain_name(ByteReader& reader) noexcept {
  size_t total = 0;
  while (reader.ok()) {
    const uint8_t length = reader.u8();
    if (!reader.ok() || length > 63) return false;
    if (length == 0) return true;
    total += length + 1U;
    if (total > 255) return false;
    reader.skip(length);
  }
  return false;
}

// Strict: a type and class that somebody has assigned a meaning.
bool is_known_question(uint16_t type, uint16_t type_class) noexcept {
  const bool known_type = (type >= 1 && type <= 70) || (type >= 99 && type <= 109) ||
                          (type >= 249 && type <= 262) || type == 32768 || type == 32769;
  const uint16_t plain_class = type_class & 0x7fffU;
  return known_type &&
         (plain_class == 1 || plain_class == 3 || plain_class == 4 || plain_class == 255);
}

}  // namespace

bool looks_like_dns(std::span<const uint8_t> message, bool from_client, bool on_its_port) noexcept {
  ByteReader reader{message};
  reader.skip(2);
  const uint16_t flags = reader.u16();
  const uint16_t questions = reader.u16();
  const uint16_t answers = reader.u16();
  const uint16_t authorities = reader.u16();
  const uint16_t additionals = reader.u16();
  const bool response = (flags & 0x8000U) != 0;
  if (!reader.ok() || response == from_client) return false;
  const unsigned records = unsigned{answers} + authorities + additionals;
  if (!on_its_port) {
    const unsigned opcode = flags >> 11U & 15U;
    const bool usual = opcode <= 6 && opcode != 3 && questions == 1 && (flags & 0x40U) == 0;
    if (!usual || (from_client && (answers != 0 || additionals > 2)) || records > 200) return false;
  }
  if (questions == 0) return on_its_port && records != 0;
  if (!skip_plain_name(reader)) return false;
  const uint16_t type = reader.u16();
  const uint16_t type_class = reader.u16();
  if (on_its_port) return true;
  if (!reader.ok() || !is_known_question(type, type_class)) return false;
  return from_client && records == 0 ? reader.left() == 0 : true;
}

bool looks_like_kerberos(std::span<const uint8_t> message) noexcept {
  // RFC 4120 section 5.10: application tags of AS, TGS, AP, ... and of errors.
  ByteReader reader{message};
  const uint8_t tag = reader.u8();
  const bool known = (tag >= 0x6a && tag <= 0x6f) || tag == 0x74 || tag == 0x75 || tag == 0x7e;
  if (!known) return false;
  auto skip_length = [&reader]() noexcept {
    const uint8_t length = reader.u8();
    if ((length & 0x80U) != 0) reader.skip(length & 0x7fU);
  };
  skip_length();
  if (reader.u8() != 0x30) return false;
  skip_length();
  // [0] or [1] INTEGER 5: the protocol version
  const uint8_t context = reader.u8();
  if (context != 0xa0 && context != 0xa1) return false;
  return reader.u8() == 3 && reader.u8() == 2 && reader.u8() == 1 && reader.u8() == 5 &&
         reader.ok();
}

bool looks_like_nfs_call(std::span<const uint8_t> message) noexcept {
  ByteReader reader{message};
  reader.skip(4);
  const uint32_t kind = reader.u32();
  const uint32_t rpc_version = reader.u32();
  const uint32_t program = reader.u32();
  const uint32_t version = reader.u32();
  return reader.ok() && kind == 0 && rpc_version == 2 && program == kNfsProgram && version >= 2 &&
         version <= 4;
}

Likeness probe_dns_datagram(const Opening& opening) noexcept {
  if (opening.on_port(kMdnsPort)) return Likeness::No;
  return yes_if(looks_like_dns(opening.bytes, opening.from_client, opening.on_port(kDnsPort)));
}

Likeness probe_mdns(const Opening& opening) noexcept {
  if (!opening.on_port(kMdnsPort)) return Likeness::No;
  return yes_if(looks_like_dns(opening.bytes, opening.from_client, true));
}

Likeness probe_nfs_datagram(const Opening& opening) noexcept {
  return yes_if(opening.from_client && looks_like_nfs_call(opening.bytes));
}

Likeness probe_dcerpc_datagram(const Opening& opening) noexcept {
  // C706 section 12.5: version 4, a PDU type up to 10, byte order of the host.
  const auto bytes = opening.bytes;
  return yes_if(bytes.size() >= 80 && bytes[0] == 4 && bytes[1] <= 10 && (bytes[4] & 0xeeU) == 0 &&
                bytes[5] <= 3 && bytes[6] == 0);
}

Likeness probe_krb5_datagram(const Opening& opening) noexcept {
  return yes_if(looks_like_kerberos(opening.bytes));
}

Likeness probe_ntp(const Opening& opening) noexcept {
  const auto bytes = opening.bytes;
  if (!opening.on_port(123) || bytes.empty()) return Likeness::No;
  const unsigned version = bytes[0] >> 3U & 7U;
  const unsigned mode = bytes[0] & 7U;
  const size_t shortest = mode >= 6 ? 8 : 48;
  return yes_if(version >= 1 && version <= 4 && mode != 0 && bytes.size() >= shortest);
}

Likeness probe_dhcp(const Opening& opening) noexcept {
  ByteReader reader{opening.bytes};
  const uint8_t operation = reader.u8();
  reader.skip(235);
  return yes_if((operation == 1 || operation == 2) && reader.u32() == 0x63825363 && reader.ok());
}

Likeness probe_tftp(const Opening& opening) noexcept {
  // RFC 1350 section 5: a read or write request with two strings, the second a known mode.
  const std::string_view text = opening.text();
  if (text.size() < 6 || text[0] != 0 || (text[1] != 1 && text[1] != 2)) return Likeness::No;
  const size_t end = text.find('\0', 2);
  if (end == std::string_view::npos || end == 2) return Likeness::No;
  const std::string_view mode = text.substr(end + 1);
  const Likeness known =
      likelier(begins_with_nocase(mode, "OCTET"),
               likelier(begins_with_nocase(mode, "NETASCII"), begins_with_nocase(mode, "MAIL")));
  return yes_if(known == Likeness::Yes);
}

Likeness probe_ike(const Opening& opening) noexcept {
  ByteReader reader{opening.bytes};
  if (opening.on_port(4500) && reader.u32() != 0) return Likeness::No;  // that is ESP
  const uint32_t initiator_high = reader.u32();
  const uint32_t initiator_low = reader.u32();
  reader.skip(8 + 1);
  const uint8_t version = reader.u8();
  const uint8_t exchange = reader.u8();
  reader.skip(1 + 4);
  const uint32_t length = reader.u32();
  if (!reader.ok() || (initiator_high | initiator_low) == 0) return Likeness::No;
  const bool first = version == 0x10 && ((exchange >= 1 && exchange <= 5) || exchange == 32);
  const bool second = version == 0x20 && exchange >= 34 && exchange <= 44;
  const size_t marker = opening.on_port(4500) ? 4 : 0;
  return yes_if((first || second) && length == opening.bytes.size() - marker);
}

Likeness probe_snmp(const Opening& opening) noexcept {
  ByteReader reader{opening.bytes};
  if (reader.u8() != 0x30) return Likeness::No;
  const uint8_t length = reader.u8();
  size_t announced = length;
  if (length == 0x81) announced = reader.u8();
  if (length == 0x82) announced = reader.u16();
  if (length > 0x82 || length == 0x80 || announced != reader.left()) return Likeness::No;
  if (reader.u8() != 2 || reader.u8() != 1) return Likeness::No;
  const uint8_t version = reader.u8();
  if (version > 3 || version == 2) return Likeness::No;
  // A community string, or the sequence of SNMPv3's header.
  return yes_if(reader.u8() == (version == 3 ? 0x30 : 0x04) && reader.ok());
}

Likeness probe_quic(const Opening& opening) noexcept {
  // RFC 8999 section 5.1: the long header, and an Initial large enough (RFC 9000 section 14.1).
  ByteReader reader{opening.bytes};
  const uint8_t first = reader.u8();
  const uint32_t version = reader.u32();
  const uint8_t destination = reader.u8();
  reader.skip(destination);
  const uint8_t source = reader.u8();
  reader.skip(source);
  if (!reader.ok() || (first & 0x80U) == 0 || destination > 20 || source > 20) return Likeness::No;
  const bool ietf = version == 1 || version == 0x6b3343cf || (version >> 8U) == 0xff0000;
  const bool google = version >> 24U == 'Q' && (version >> 16U & 0xffU) == '0';
  const bool negotiation = version == 0 && !opening.from_client && reader.left() >= 4;
  if (negotiation) return yes_if(opening.on_port(443));
  return yes_if((ietf || google) && (!opening.from_client || opening.bytes.size() >= 1200));
}

Likeness probe_bittorrent_dht(const Opening& opening) noexcept {
  for (const std::string_view prefix :
       {"d1:ad2:id20:", "d1:rd2:id20:", "d2:ip", "d1:el", "d1:v4:"}) {
    if (opening.text().starts_with(prefix)) return yes_if(opening.text().ends_with('e'));
  }
  return Likeness::No;
}

}  // namespace masugata::ids::detection
