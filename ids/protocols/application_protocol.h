// SPDX-License-Identifier: GPL-2.0-or-later
// The application protocols that the engine tells apart.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace masugata::ids {

// clang-format off
// X(Id, "name in rules and in EVE's app_proto"). Those from Http to Imap have a parser; the rest
// are recognised only, which is enough for `app-layer-protocol` and rule headers.
#define MASUGATA_IDS_PROTOCOLS(X) \
  X(Unknown, "unknown")           \
  X(Failed, "failed")             \
  X(Http, "http")                 \
  X(Dns, "dns")                   \
  X(Tls, "tls")                   \
  X(Ssh, "ssh")                   \
  X(Smtp, "smtp")                 \
  X(Ftp, "ftp")                   \
  X(FtpData, "ftp-data")          \
  X(Pop3, "pop3")                 \
  X(Imap, "imap")                 \
  X(Smb, "smb")                   \
  X(Http2, "http2")               \
  X(DceRpc, "dcerpc")             \
  X(Nfs, "nfs")                   \
  X(Ntp, "ntp")                   \
  X(Dhcp, "dhcp")                 \
  X(Tftp, "tftp")                 \
  X(Ike, "ike")                   \
  X(Krb5, "krb5")                 \
  X(Snmp, "snmp")                 \
  X(Sip, "sip")                   \
  X(Rfb, "rfb")                   \
  X(Mqtt, "mqtt")                 \
  X(Rdp, "rdp")                   \
  X(Telnet, "telnet")             \
  X(Modbus, "modbus")             \
  X(Dnp3, "dnp3")                 \
  X(Enip, "enip")                 \
  X(Quic, "quic")                 \
  X(BitTorrentDht, "bittorrent-dht") \
  X(Pgsql, "pgsql")               \
  X(Ldap, "ldap")                 \
  X(WebSocket, "websocket")       \
  X(Mdns, "mdns")
// clang-format on

enum class ApplicationProtocol : uint8_t {
#define MASUGATA_IDS_PROTOCOL_ID(id, name) id,
  MASUGATA_IDS_PROTOCOLS(MASUGATA_IDS_PROTOCOL_ID)
#undef MASUGATA_IDS_PROTOCOL_ID
      Count,
};

inline constexpr std::array<std::string_view, static_cast<size_t>(ApplicationProtocol::Count)>
    kApplicationProtocolNames{
#define MASUGATA_IDS_PROTOCOL_NAME(id, name) std::string_view{name},
        MASUGATA_IDS_PROTOCOLS(MASUGATA_IDS_PROTOCOL_NAME)
#undef MASUGATA_IDS_PROTOCOL_NAME
    };

[[nodiscard]] constexpr std::string_view protocol_name(ApplicationProtocol protocol) noexcept {
  return kApplicationProtocolNames[static_cast<size_t>(protocol)];
}

}  // namespace masugata::ids
