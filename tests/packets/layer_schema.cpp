// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/packets/layer_schema.h"

#include <array>

namespace masugata::test {
namespace {

using enum FieldType;

constexpr FieldSchema kEthernet[] = {
    {"source", Mac}, {"destination", Mac}, {"type", Number, 0xffff}};
constexpr FieldSchema kVlan[] = {{"id", Number, 4095},
                                 {"priority", Number, 7},
                                 {"drop-eligible", Flag},
                                 {"type", Number, 0xffff}};
constexpr FieldSchema kArp[] = {{"operation", Number, 0xffff},
                                {"source", Address},
                                {"destination", Address},
                                {"sender-mac", Mac},
                                {"target-mac", Mac}};
constexpr FieldSchema kIpv4[] = {{"source", Address},
                                 {"destination", Address},
                                 {"version", Number, 15},
                                 {"header-words", Number, 15},
                                 {"tos", Number, 255},
                                 {"total-length", Number, 0xffff},
                                 {"id", Number, 0xffff},
                                 {"reserved-flag", Flag},
                                 {"df", Flag},
                                 {"more", Flag},
                                 {"offset", Number, 65528},
                                 {"ttl", Number, 255},
                                 {"protocol", Number, 255},
                                 {"checksum", Number, 0xffff},
                                 {"bad-checksum", Flag},
                                 {"options", Bytes}};
constexpr FieldSchema kIpv6[] = {{"source", Address},
                                 {"destination", Address},
                                 {"version", Number, 15},
                                 {"traffic-class", Number, 255},
                                 {"flow-label", Number, 0xfffff},
                                 {"payload-length", Number, 0xffff},
                                 {"next-header", Number, 255},
                                 {"hop-limit", Number, 255}};
constexpr FieldSchema kOptionsHeader[] = {
    {"options", Bytes}, {"next-header", Number, 255}, {"length-units", Number, 255}};
constexpr FieldSchema kRouting[] = {{"type", Number, 255},
                                    {"segments-left", Number, 255},
                                    {"data", Bytes},
                                    {"next-header", Number, 255},
                                    {"length-units", Number, 255}};
constexpr FieldSchema kFragment[] = {{"offset", Number, 65528},
                                     {"more", Flag},
                                     {"id", Number, 0xffffffff},
                                     {"reserved-bits", Number, 1023},
                                     {"next-header", Number, 255}};
constexpr FieldSchema kTcp[] = {{"source-port", Number, 0xffff},
                                {"destination-port", Number, 0xffff},
                                {"flags", TcpFlags},
                                {"seq", Number},
                                {"ack", Number},
                                {"win", Number, 0xffff},
                                {"urgent", Number, 0xffff},
                                {"header-words", Number, 15},
                                {"checksum", Number, 0xffff},
                                {"bad-checksum", Flag},
                                {"mss", Number, 0xffff},
                                {"wscale", Number, 255},
                                {"sack-permitted", Flag},
                                {"sack", Blocks},
                                {"ts", Timestamps},
                                {"nop", Flag, 0, true},
                                {"option-bytes", Bytes, 0, true}};
constexpr FieldSchema kUdp[] = {{"source-port", Number, 0xffff},
                                {"destination-port", Number, 0xffff},
                                {"length", Number, 0xffff},
                                {"checksum", Number, 0xffff},
                                {"bad-checksum", Flag}};
constexpr FieldSchema kIcmp[] = {{"type", Number, 255},
                                 {"code", Number, 255},
                                 {"id", Number, 0xffff},
                                 {"seq", Number, 0xffff},
                                 {"mtu", Number},
                                 {"pointer", Number},
                                 {"gateway", Address},
                                 {"rest", Number},
                                 {"target", Address},
                                 {"link-address", Mac},
                                 {"checksum", Number, 0xffff},
                                 {"bad-checksum", Flag}};
constexpr FieldSchema kSctp[] = {{"source-port", Number, 0xffff},
                                 {"destination-port", Number, 0xffff},
                                 {"tag", Number},
                                 {"checksum", Number}};
constexpr FieldSchema kProtocol[] = {{"number", Number, 255}};
constexpr FieldSchema kPayload[] = {
    {"size", Number, 65535}, {"bytes", Bytes}, {"begins", Bytes}, {"any", Flag}};
constexpr FieldSchema kRaw[] = {{"bytes", Bytes}};
constexpr FieldSchema kCut[] = {{"offset", Number, 65528},
                                {"length", Number, 65535},
                                {"id", Number},
                                {"more", Flag},
                                {"last", Flag}};
constexpr FieldSchema kTruncate[] = {{"size", Number, 65535}};
constexpr FieldSchema kPadding[] = {{"size", Number, 65535}, {"bytes", Bytes}};

constexpr LayerSchema kSchemas[] = {
    {LayerKind::Ethernet, "eth", Endpoints::Macs, kEthernet},
    {LayerKind::Vlan, "vlan", Endpoints::None, kVlan},
    {LayerKind::Arp, "arp", Endpoints::Addresses, kArp},
    {LayerKind::Ipv4, "ipv4", Endpoints::Addresses, kIpv4},
    {LayerKind::Ipv6, "ipv6", Endpoints::Addresses, kIpv6},
    {LayerKind::HopByHop, "hop-by-hop", Endpoints::None, kOptionsHeader},
    {LayerKind::DestinationOptions, "destination-options", Endpoints::None, kOptionsHeader},
    {LayerKind::Routing, "routing", Endpoints::None, kRouting},
    {LayerKind::Fragment, "fragment", Endpoints::None, kFragment},
    {LayerKind::Tcp, "tcp", Endpoints::AddressesAndPorts, kTcp},
    {LayerKind::Udp, "udp", Endpoints::AddressesAndPorts, kUdp},
    {LayerKind::Icmp, "icmp", Endpoints::Addresses, kIcmp},
    {LayerKind::Icmp6, "icmp6", Endpoints::Addresses, kIcmp},
    {LayerKind::Sctp, "sctp", Endpoints::AddressesAndPorts, kSctp},
    {LayerKind::Protocol, "protocol", Endpoints::Addresses, kProtocol},
    {LayerKind::Payload, "payload", Endpoints::None, kPayload},
    {LayerKind::Raw, "raw", Endpoints::None, kRaw},
    {LayerKind::Cut, "cut", Endpoints::None, kCut},
    {LayerKind::Truncate, "truncate", Endpoints::None, kTruncate},
    {LayerKind::Padding, "padding", Endpoints::None, kPadding},
};

constexpr IcmpName kIcmpNames[] = {
    {"echo-reply", 0, 0},
    {"unreachable net", 3, 0},
    {"unreachable host", 3, 1},
    {"unreachable protocol", 3, 2},
    {"unreachable port", 3, 3},
    {"unreachable needs-fragmentation", 3, 4},
    {"unreachable net-prohibited", 3, 9},
    {"unreachable host-prohibited", 3, 10},
    {"unreachable admin-prohibited", 3, 13},
    {"source-quench", 4, 0},
    {"redirect net", 5, 0},
    {"redirect host", 5, 1},
    {"echo-request", 8, 0},
    {"time-exceeded", 11, 0},
    {"time-exceeded reassembly", 11, 1},
    {"parameter-problem", 12, 0},
    {"timestamp-request", 13, 0},
    {"timestamp-reply", 14, 0},
};

constexpr IcmpName kIcmp6Names[] = {
    {"unreachable no-route", 1, 0},
    {"unreachable admin-prohibited", 1, 1},
    {"unreachable address", 1, 3},
    {"unreachable port", 1, 4},
    {"unreachable reject-route", 1, 6},
    {"too-big", 2, 0},
    {"time-exceeded", 3, 0},
    {"time-exceeded reassembly", 3, 1},
    {"parameter-problem", 4, 0},
    {"parameter-problem next-header", 4, 1},
    {"parameter-problem option", 4, 2},
    {"echo-request", 128, 0},
    {"echo-reply", 129, 0},
    {"router-solicitation", 133, 0},
    {"router-advertisement", 134, 0},
    {"neighbour-solicitation", 135, 0},
    {"neighbour-advertisement", 136, 0},
    {"redirect", 137, 0},
};

struct ProtocolName {
  std::string_view keyword;
  uint8_t number;
};
constexpr ProtocolName kProtocolNames[] = {{"gre", 47}, {"esp", 50}, {"ah", 51}, {"ospf", 89}};

std::span<const IcmpName> icmp_names(bool icmp6) {
  if (icmp6) return kIcmp6Names;
  return kIcmpNames;
}

}  // namespace

const LayerSchema& schema_of(LayerKind kind) { return kSchemas[static_cast<size_t>(kind)]; }

const LayerSchema* find_schema(std::string_view keyword) {
  for (const LayerSchema& schema : kSchemas) {
    if (schema.keyword == keyword) return &schema;
  }
  return nullptr;
}

const FieldSchema* find_field(const LayerSchema& schema, std::string_view name) {
  for (const FieldSchema& field : schema.fields) {
    if (field.name == name) return &field;
  }
  return nullptr;
}

std::optional<IcmpName> find_icmp(bool icmp6, std::string_view words) {
  for (const IcmpName& name : icmp_names(icmp6)) {
    if (name.words == words) return name;
  }
  return std::nullopt;
}

std::string_view icmp_words(bool icmp6, uint64_t type, uint64_t code) {
  for (const IcmpName& name : icmp_names(icmp6)) {
    if (name.type == type && name.code == code) return name.words;
  }
  return {};
}

bool icmp_quotes(bool icmp6, uint64_t type) {
  if (icmp6) return type >= 1 && type <= 4;
  return type == 3 || type == 4 || type == 5 || type == 11 || type == 12;
}

std::optional<uint8_t> protocol_of(LayerKind kind) {
  switch (kind) {
    case LayerKind::HopByHop:
      return 0;
    case LayerKind::Icmp:
      return 1;
    case LayerKind::Tcp:
      return 6;
    case LayerKind::Udp:
      return 17;
    case LayerKind::Routing:
      return 43;
    case LayerKind::Fragment:
      return 44;
    case LayerKind::Icmp6:
      return 58;
    case LayerKind::DestinationOptions:
      return 60;
    case LayerKind::Sctp:
      return 132;
    default:
      return std::nullopt;
  }
}

std::optional<uint8_t> named_protocol(std::string_view keyword) {
  for (const ProtocolName& name : kProtocolNames) {
    if (name.keyword == keyword) return name.number;
  }
  return std::nullopt;
}

std::string_view protocol_keyword(uint64_t number) {
  for (const ProtocolName& name : kProtocolNames) {
    if (name.number == number) return name.keyword;
  }
  return {};
}

}  // namespace masugata::test
