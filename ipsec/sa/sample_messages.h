// SPDX-License-Identifier: GPL-2.0-or-later
// Messages as charon's plugin writes them, for tests: an AES-128-GCM tunnel between 192.0.2.1
// (ours) and 192.0.2.2, networks 10.1.0.0/24 and 10.2.0.0/24.
#pragma once

#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

#include "ipsec/sa/sa_message_reader.h"
#include "ipsec/sa/sa_messages.h"

namespace masugata::ipsec::sample {

inline constexpr uint32_t kInboundSpi = 0xc0000001;
inline constexpr uint32_t kOutboundSpi = 0xca11ab1e;
inline constexpr uint8_t kKeyByte = 0x5a;

template <class Message>
Message begin(uint16_t type, uint32_t sequence = 1) {
  Message message{};
  message.header = {MASUGATA_SA_MAGIC, MASUGATA_SA_VERSION, type, sizeof(Message), sequence};
  return message;
}

inline masugata_sa_address address(std::string_view text, uint16_t port = 0) {
  return write_address(net::IpAddress::parse(text).value(), port);
}

inline masugata_sa_selector selector(std::string_view network) {
  return write_selector({.addresses = net::Prefix::parse(network).value().range()});
}

inline masugata_sa_hello hello(uint64_t generation) {
  auto message = begin<masugata_sa_hello>(MASUGATA_SA_HELLO);
  message.generation = generation;
  std::strcpy(message.daemon, "charon-systemd, strongSwan 5.9.8");
  return message;
}

inline masugata_sa_name name(bool inbound) {
  masugata_sa_name result{};
  result.spi = inbound ? kInboundSpi : kOutboundSpi;
  result.direction = inbound ? MASUGATA_SA_INBOUND : MASUGATA_SA_OUTBOUND;
  result.protocol = 50;
  result.destination = address(inbound ? "192.0.2.1" : "192.0.2.2");
  return result;
}

inline masugata_sa_add add(bool inbound) {
  auto message = begin<masugata_sa_add>(MASUGATA_SA_ADD);
  message.name = name(inbound);
  message.source = address(inbound ? "192.0.2.2" : "192.0.2.1");
  message.mode = MASUGATA_SA_TUNNEL;
  message.extended_sequence = 1;
  message.handling = MASUGATA_SA_COPY_DF | MASUGATA_SA_COPY_ECN | MASUGATA_SA_COPY_DSCP_OUT;
  message.encryption = 20;
  message.replay_window_packets = 1024;
  message.request_id = 7;
  message.tunnel_id = 42;
  message.soft = {3000, 1U << 30U, 0};
  message.hard = {3600, 2U << 30U, 0};
  message.encryption_key_bytes = 20;
  std::memset(message.encryption_key, kKeyByte, message.encryption_key_bytes);
  message.source_selector_count = 1;
  message.destination_selector_count = 1;
  message.source_selectors[0] = selector(inbound ? "10.2.0.0/24" : "10.1.0.0/24");
  message.destination_selectors[0] = selector(inbound ? "10.1.0.0/24" : "10.2.0.0/24");
  return message;
}

inline masugata_sa_update update(bool inbound) {
  auto message = begin<masugata_sa_update>(MASUGATA_SA_UPDATE);
  message.name = name(inbound);
  message.source = inbound ? address("198.51.100.7") : address("192.0.2.1");
  message.destination = inbound ? address("192.0.2.1") : address("198.51.100.7");
  message.source_port = inbound ? 61000 : 4500;
  message.destination_port = inbound ? 4500 : 61000;
  return message;
}

inline masugata_sa_about about(uint16_t type, bool inbound) {
  auto message = begin<masugata_sa_about>(type);
  message.name = name(inbound);
  return message;
}

inline masugata_sa_policy policy(uint16_t type) {
  auto message = begin<masugata_sa_policy>(type);
  message.direction = MASUGATA_SA_OUTBOUND;
  message.kind = 1;
  message.priority = 1;
  message.mode = MASUGATA_SA_TUNNEL;
  message.request_id = 7;
  message.tunnel_id = 42;
  message.spi = kOutboundSpi;
  message.peer = address("192.0.2.2");
  message.source = selector("10.1.0.0/24");
  message.destination = selector("10.2.0.0/24");
  return message;
}

inline masugata_sa_alert alert() {
  auto message = begin<masugata_sa_alert>(MASUGATA_SA_ALERT, 0);
  message.kind = MASUGATA_ALERT_SELECTORS;
  message.flags = MASUGATA_ALERT_REKEYING | MASUGATA_ALERT_NAT_THERE |
                  MASUGATA_ALERT_PEER_ANSWERED | MASUGATA_ALERT_ESTABLISHED;
  message.exchange = 36;
  message.ike_version = 2;
  message.ike_id = 3;
  message.local = address("192.0.2.1", 500);
  message.remote = address("192.0.2.2", 500);
  std::strcpy(message.connection, "osaka");
  std::strcpy(message.received, "10.1.0.0/24 === 10.9.0.0/24");
  std::strcpy(message.configured, "10.1.0.0/24 === 10.2.0.0/24");
  return message;
}

template <class Message>
std::span<const uint8_t> bytes_of(const Message& message) {
  return {reinterpret_cast<const uint8_t*>(&message), sizeof message};
}
template <class Message>
std::span<uint8_t> bytes_of(Message& message) {
  return {reinterpret_cast<uint8_t*>(&message), sizeof message};
}

}  // namespace masugata::ipsec::sample
