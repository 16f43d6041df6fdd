// SPDX-License-Identifier: GPL-2.0-or-later
#include "ids/eve/eve_formatter.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "ids/eve/community_id.h"
#include "ids/eve/eve_protocols.h"
#include "net/headers/transport.h"

namespace masugata::ids {
namespace {

constexpr uint64_t kSecond_us = 1'000'000;

struct AddressText {
  std::array<char, INET6_ADDRSTRLEN> text{};
  explicit AddressText(const net::IpAddress& address) noexcept {
    const bool v4 = address.is_v4();
    inet_ntop(v4 ? AF_INET : AF_INET6, address.bytes.data() + (v4 ? 12 : 0), text.data(),
              static_cast<socklen_t>(text.size()));
  }
  [[nodiscard]] std::string_view view() const noexcept { return text.data(); }
};

bool has_ports(net::Protocol protocol) noexcept {
  return protocol == net::Protocol::Tcp || protocol == net::Protocol::Udp ||
         protocol == net::Protocol::Sctp;
}

bool is_icmp(net::Protocol protocol) noexcept {
  return protocol == net::Protocol::Icmp || protocol == net::Protocol::Icmpv6;
}

std::string_view name_of(net::Protocol protocol) noexcept {
  switch (protocol) {
    case net::Protocol::Tcp:
      return "TCP";
    case net::Protocol::Udp:
      return "UDP";
    case net::Protocol::Icmp:
      return "ICMP";
    case net::Protocol::Icmpv6:
      return "IPv6-ICMP";
    case net::Protocol::Sctp:
      return "SCTP";
    case net::Protocol::Gre:
      return "GRE";
    case net::Protocol::Esp:
      return "ESP";
    case net::Protocol::Ah:
      return "AH";
    default:
      return "";
  }
}

std::string_view source_of(const PacketFacts& packet) noexcept {
  if (packet.network.empty()) return "stream (flow timeout)";
  if (packet.was_reassembled) return "defrag";
  if (packet.from_tunnel) return packet.is_ipv6 ? "ipv6 tunnel" : "ipv4 tunnel";
  return "wire/pcap";
}

std::string_view name_of(Direction direction) noexcept {
  return direction == Direction::ToServer ? "to_server" : "to_client";
}

}  // namespace

EveFormatter::EveFormatter(const EveOptions& options, LineSink& lines)
    : options_(options), lines_(lines), buffer_(kLineBytes), json_(buffer_) {}

void EveFormatter::begin(std::string_view type, const Endpoints& endpoints) noexcept {
  json_.reset();
  json_.open_object();
  json_.member_time("timestamp", endpoints.time_us);
  if (endpoints.flow != nullptr) json_.member("flow_id", endpoints.flow->flow_id);
  if (endpoints.packet != nullptr && endpoints.packet->number != 0) {
    json_.member("pcap_cnt", endpoints.packet->number);
  }
  json_.member("event_type", type);
  if (endpoints.packet != nullptr && endpoints.packet->vlan[0] != 0) {
    json_.open_array("vlan");
    for (const uint16_t vlan : endpoints.packet->vlan) {
      if (vlan != 0) json_.value(uint64_t{vlan});
    }
    json_.close_array();
  }
  if (endpoints.key != nullptr) write_addresses(endpoints);
}

void EveFormatter::write_addresses(const Endpoints& endpoints) noexcept {
  const net::FlowKey& key = *endpoints.key;
  const PacketFacts* packet = endpoints.packet;
  json_.member("src_ip", AddressText(key.source).view());
  if (has_ports(key.protocol)) json_.member("src_port", uint64_t{key.source_port.host()});
  json_.member("dest_ip", AddressText(key.destination).view());
  if (has_ports(key.protocol)) json_.member("dest_port", uint64_t{key.destination_port.host()});
  const std::string_view protocol = name_of(key.protocol);
  if (!protocol.empty()) {
    json_.member("proto", protocol);
  } else {
    std::array<char, 4> digits{};
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(),
                                   static_cast<unsigned>(key.protocol));
    json_.member("proto", std::string_view(digits.data(), end.ptr));
  }
  json_.member("ip_v", uint64_t{key.source.is_v4() ? 4U : 6U});
  uint8_t icmp_type = 0;
  uint8_t icmp_code = 0;
  if (is_icmp(key.protocol) && packet != nullptr && packet->transport.size() >= 2) {
    icmp_type = packet->transport[0];
    icmp_code = packet->transport[1];
    json_.member("icmp_type", uint64_t{icmp_type});
    json_.member("icmp_code", uint64_t{icmp_code});
  }
  if (packet != nullptr) json_.member("pkt_src", source_of(*packet));
  if (options_.community_id) {
    json_.member("community_id",
                 community_id(key, icmp_type, icmp_code, options_.community_id_seed).view());
  }
}

void EveFormatter::end() noexcept {
  json_.close_object();
  if (json_.overflowed()) {
    ++counts_.too_long;
    return;
  }
  ++counts_.lines;
  lines_.line(json_.text());
}

void EveFormatter::alert(const AlertEvent& event) noexcept {
  if (!options_.alert || event.rule == nullptr || event.packet == nullptr) return;
  const PacketFacts& packet = *event.packet;
  begin("alert", {packet.is_ip ? &packet.key : nullptr, packet.time_us, event.packet, event.flow});
  if (event.transaction != nullptr) json_.member("tx_id", event.transaction->number_in_flow);
  write_rule(event);
  if (event.flow != nullptr) {
    if (event.transaction != nullptr && options_.metadata) {
      write_transaction(json_, *event.transaction, packet.direction);
      const auto files = event.transaction->files();
      if (!files.empty()) {
        json_.open_array("files");
        for (const TransferredFile& file : files) {
          json_.open_object();
          write_file(json_, file, event.transaction->number_in_flow);
          json_.close_object();
        }
        json_.close_array();
      }
    }
    write_application(*event.flow);
    json_.member("direction", name_of(packet.direction));
    if (options_.metadata) {
      json_.open_object("flow");
      write_flow_counters(*event.flow, true);
      json_.close_object();
    }
  }
  write_packet_bytes(event);
  end();
}

void EveFormatter::write_rule(const AlertEvent& event) noexcept {
  const Rule& rule = *event.rule;
  json_.open_object("alert");
  json_.member("action",
               event.fate == AlertFate::Blocked ? std::string_view("blocked") : "allowed");
  json_.member("gid", uint64_t{rule.gid});
  json_.member("signature_id", uint64_t{rule.sid});
  json_.member("rev", uint64_t{rule.revision});
  json_.member("signature", std::string_view(rule.message));
  json_.member("category", std::string_view(rule.classification));
  json_.member("severity", uint64_t{rule.priority});
  if (rule.target != Rule::Target::None) {
    const net::FlowKey& key = event.packet->key;
    const net::FlowKey attack = rule.target == Rule::Target::Source ? key.reversed() : key;
    for (const bool source : {true, false}) {
      json_.open_object(source ? "source" : "target");
      json_.member("ip", AddressText(source ? attack.source : attack.destination).view());
      if (has_ports(key.protocol)) {
        json_.member("port",
                     uint64_t{(source ? attack.source_port : attack.destination_port).host()});
      }
      json_.close_object();
    }
  }
  if (options_.metadata && !rule.metadata.empty()) {
    json_.open_object("metadata");
    for (size_t index = 0; index < rule.metadata.size(); ++index) {
      const std::string& name = rule.metadata[index].first;
      const auto same = [&](const auto& entry) { return entry.first == name; };
      const auto first = std::find_if(rule.metadata.begin(), rule.metadata.end(), same);
      if (first != rule.metadata.begin() + static_cast<ptrdiff_t>(index)) continue;
      // A name may hold what a key may not.
      if (name.find_first_of("\"\\") != std::string::npos) continue;
      json_.open_array(name);
      for (const auto& [key, value] : rule.metadata) {
        if (key == name) json_.value(std::string_view(value));
      }
      json_.close_array();
    }
    json_.close_object();
  }
  if (options_.rule_text) json_.member("rule", std::string_view(rule.text));
  json_.close_object();
}

void EveFormatter::write_packet_bytes(const AlertEvent& event) noexcept {
  const PacketFacts& packet = *event.packet;
  std::span<const uint8_t> payload = event.stream.empty() ? packet.payload : event.stream;
  payload = payload.first(std::min<size_t>(payload.size(), options_.payload_bytes));
  if (options_.payload && !payload.empty()) json_.member_base64("payload", payload);
  if (options_.payload_printable && !payload.empty()) {
    json_.member_printable("payload_printable", payload);
  }
  if (options_.payload || options_.payload_printable) {
    json_.member("stream", uint64_t{event.stream.empty() ? 0U : 1U});
  }
  if (options_.packet && !packet.frame.empty()) write_frame(packet);
}

void EveFormatter::write_frame(const PacketFacts& packet) noexcept {
  json_.member_base64("packet", packet.frame);
  json_.open_object("packet_info");
  json_.member("linktype", uint64_t{packet.link_type});
  json_.close_object();
}

void EveFormatter::tagged_packet(const PacketFacts& packet, const EventFlow* flow) noexcept {
  if (!options_.alert || packet.frame.empty()) return;
  begin("packet", {packet.is_ip ? &packet.key : nullptr, packet.time_us, &packet, flow});
  write_frame(packet);
  end();
}

void EveFormatter::write_application(const EventFlow& flow) noexcept {
  if (flow.protocol == ApplicationProtocol::Unknown) return;
  json_.member("app_proto", protocol_name(flow.protocol));
  const auto differs = [&](ApplicationProtocol side) {
    return side != ApplicationProtocol::Unknown && side != flow.protocol;
  };
  if (differs(flow.protocol_to_server)) {
    json_.member("app_proto_ts", protocol_name(flow.protocol_to_server));
  }
  if (differs(flow.protocol_to_client)) {
    json_.member("app_proto_tc", protocol_name(flow.protocol_to_client));
  }
  if (differs(flow.protocol_original)) {
    json_.member("app_proto_orig", protocol_name(flow.protocol_original));
  }
}

void EveFormatter::write_flow_counters(const EventFlow& flow, bool addresses) noexcept {
  json_.member("pkts_toserver", flow.packets[0]);
  json_.member("pkts_toclient", flow.packets[1]);
  json_.member("bytes_toserver", flow.bytes[0]);
  json_.member("bytes_toclient", flow.bytes[1]);
  json_.member_time("start", flow.start_us);
  if (!addresses) return;
  json_.member("src_ip", AddressText(flow.key.source).view());
  json_.member("dest_ip", AddressText(flow.key.destination).view());
  if (has_ports(flow.key.protocol)) {
    json_.member("src_port", uint64_t{flow.key.source_port.host()});
    json_.member("dest_port", uint64_t{flow.key.destination_port.host()});
  }
}

void EveFormatter::drop(const PacketFacts& packet, const EventFlow* flow, const Rule* rule,
                        std::string_view reason) noexcept {
  if (!options_.drop) return;
  begin("drop", {packet.is_ip ? &packet.key : nullptr, packet.time_us, &packet, flow});
  json_.open_object("drop");
  if (packet.is_ip) write_dropped_headers(packet);
  json_.member("reason", reason.empty() ? std::string_view("unknown") : reason);
  json_.close_object();
  if (rule != nullptr) {
    AlertEvent event;
    event.rule = rule;
    event.fate = AlertFate::Blocked;
    event.packet = &packet;
    event.flow = flow;
    write_rule(event);
  }
  end();
}

void EveFormatter::write_dropped_headers(const PacketFacts& packet) noexcept {
  const std::span<const uint8_t> network = packet.network;
  if (!packet.is_ipv6 && network.size() >= 20) {
    json_.member("len", uint64_t{net::load_be16(network.data() + 2).host()});
    json_.member("tos", uint64_t{network[1]});
    json_.member("ttl", uint64_t{network[8]});
    json_.member("ipid", uint64_t{net::load_be16(network.data() + 4).host()});
  } else if (packet.is_ipv6 && network.size() >= 40) {
    const uint32_t first = net::load_be32(network.data()).host();
    json_.member("len", uint64_t{net::load_be16(network.data() + 4).host()});
    json_.member("tc", uint64_t{first >> 20U & 0xffU});
    json_.member("hoplimit", uint64_t{network[7]});
    json_.member("flowlbl", uint64_t{first & 0xfffffU});
  }
  const std::span<const uint8_t> transport = packet.transport;
  if (packet.key.protocol == net::Protocol::Tcp && transport.size() >= 20) {
    const uint8_t flags = transport[13];
    json_.member("tcpseq", uint64_t{net::load_be32(transport.data() + 4).host()});
    json_.member("tcpack", uint64_t{net::load_be32(transport.data() + 8).host()});
    json_.member("tcpwin", uint64_t{net::load_be16(transport.data() + 14).host()});
    json_.member_flag("syn", (flags & net::kTcpSyn) != 0);
    json_.member_flag("ack", (flags & net::kTcpAck) != 0);
    json_.member_flag("psh", (flags & net::kTcpPsh) != 0);
    json_.member_flag("rst", (flags & net::kTcpRst) != 0);
    json_.member_flag("urg", (flags & net::kTcpUrg) != 0);
    json_.member_flag("fin", (flags & net::kTcpFin) != 0);
    json_.member("tcpres", uint64_t{0});
    json_.member("tcpurgp", uint64_t{net::load_be16(transport.data() + 18).host()});
  } else if (packet.key.protocol == net::Protocol::Udp && transport.size() >= 8) {
    json_.member("udplen", uint64_t{net::load_be16(transport.data() + 4).host()});
  }
}

bool EveFormatter::wants(ApplicationProtocol protocol) const noexcept {
  switch (protocol) {
    case ApplicationProtocol::Http:
      return options_.http;
    case ApplicationProtocol::Dns:
    case ApplicationProtocol::Mdns:
      return options_.dns;
    case ApplicationProtocol::Tls:
      return options_.tls;
    case ApplicationProtocol::Ssh:
      return options_.ssh;
    case ApplicationProtocol::Smtp:
      return options_.smtp;
    case ApplicationProtocol::Ftp:
    case ApplicationProtocol::FtpData:
      return options_.ftp;
    default:
      return false;
  }
}

void EveFormatter::transaction(Transaction& transaction, const PacketFacts* packet,
                               const EventFlow& flow, Direction direction) noexcept {
  if (!wants(transaction.protocol)) return;
  const bool message = transaction.protocol == ApplicationProtocol::Dns;
  const net::FlowKey key =
      message && direction == Direction::ToClient ? flow.key.reversed() : flow.key;
  begin(event_type_of(transaction.protocol),
        {&key, packet == nullptr ? flow.last_us : packet->time_us, packet, &flow});
  json_.member("tx_id", transaction.number_in_flow);
  write_transaction(json_, transaction, direction);
  end();
}

void EveFormatter::file(const TransferredFile& file, Transaction& transaction,
                        const EventFlow& flow) noexcept {
  if (!options_.fileinfo) return;
  const net::FlowKey key = file.direction == Direction::ToServer ? flow.key : flow.key.reversed();
  begin("fileinfo", {&key, flow.last_us, nullptr, &flow});
  write_transaction(json_, transaction, file.direction);
  write_application(flow);
  json_.open_object("fileinfo");
  write_file(json_, file, transaction.number_in_flow);
  json_.close_object();
  end();
}

void EveFormatter::anomaly(EventKind kind, std::string_view name, const PacketFacts* packet,
                           const EventFlow* flow) noexcept {
  if (!options_.anomaly || (packet == nullptr && flow == nullptr)) return;
  const net::FlowKey* key = packet != nullptr && packet->is_ip ? &packet->key : nullptr;
  if (key == nullptr && flow != nullptr) key = &flow->key;
  begin("anomaly", {key, packet != nullptr ? packet->time_us : flow->last_us, packet, flow});
  json_.open_object("anomaly");
  static constexpr std::array<std::string_view, 3> kTypes{"applayer", "decode", "stream"};
  if (kind == EventKind::Application && flow != nullptr) {
    json_.member("app_proto", protocol_name(flow->protocol));
  }
  json_.member("type", kTypes[static_cast<size_t>(kind)]);
  json_.member("event", name);
  if (kind == EventKind::Application) json_.member("layer", std::string_view("proto_parser"));
  json_.close_object();
  end();
}

void EveFormatter::flow_ended(const EventFlow& flow, std::string_view reason) noexcept {
  if (!options_.flow) return;
  begin("flow", {&flow.key, flow.last_us, nullptr, &flow});
  write_application(flow);
  json_.open_object("flow");
  write_flow_counters(flow, false);
  write_flow_end(flow, reason);
  json_.close_object();
  if (flow.key.protocol == net::Protocol::Tcp) {
    const std::array<uint8_t, 3> flags{static_cast<uint8_t>(flow.tcp_flags[0] | flow.tcp_flags[1]),
                                       flow.tcp_flags[0], flow.tcp_flags[1]};
    json_.open_object("tcp");
    json_.member_hex("tcp_flags", {flags.data(), 1}, 0);
    json_.member_hex("tcp_flags_ts", {flags.data() + 1, 1}, 0);
    json_.member_hex("tcp_flags_tc", {flags.data() + 2, 1}, 0);
    static constexpr std::array<std::pair<uint8_t, std::string_view>, 8> kNames{{
        {net::kTcpSyn, "syn"},
        {net::kTcpFin, "fin"},
        {net::kTcpRst, "rst"},
        {net::kTcpPsh, "psh"},
        {net::kTcpAck, "ack"},
        {net::kTcpUrg, "urg"},
        {net::kTcpEce, "ecn"},
        {net::kTcpCwr, "cwr"},
    }};
    for (const auto& [bit, name] : kNames) {
      if ((flags[0] & bit) != 0) json_.member_flag(name, true);
    }
    json_.member("state", flow.closed        ? std::string_view("closed")
                          : flow.established ? std::string_view("established")
                                             : std::string_view("syn_sent"));
    json_.close_object();
  }
  end();
}

void EveFormatter::write_flow_end(const EventFlow& flow, std::string_view reason) noexcept {
  json_.member_time("end", flow.last_us);
  json_.member("age", flow.last_us > flow.start_us ? (flow.last_us - flow.start_us) / kSecond_us
                                                   : uint64_t{0});
  json_.member("state", flow.closed        ? std::string_view("closed")
                        : flow.established ? std::string_view("established")
                                           : std::string_view("new"));
  json_.member("reason", reason);
  json_.member_flag("alerted", flow.alerted);
}

}  // namespace masugata::ids
