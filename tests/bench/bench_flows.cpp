// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/bench/bench_flows.h"

#include <cstring>

#include "net/checksum.h"
#include "net/headers/ethernet.h"
#include "net/headers/ipv4.h"

namespace masugata::bench {
namespace {

constexpr uint32_t kClients = 61'440;
constexpr uint32_t kFirstClient = 0x0a010000;
constexpr uint32_t kFirstServer = 0xc6120000;
constexpr uint16_t kFirstClientPort = 1024;
constexpr size_t kIpv4 = net::kEthernetHeaderBytes;
constexpr size_t kUdp = kIpv4 + net::kIpv4MinimumHeaderBytes;
constexpr uint16_t kIpv4Bytes = kFrameBytes - kIpv4;
constexpr uint16_t kUdpBytes = kFrameBytes - kUdp;

net::Be16 be16(uint32_t value) noexcept {
  return net::Be16::from_host(static_cast<uint16_t>(value));
}

void write_link(uint8_t* bytes, size_t port) noexcept {
  std::memcpy(bytes, gateway_mac(port).bytes.data(), 6);
  std::memcpy(bytes + 6, router_mac(port).bytes.data(), 6);
  net::store(bytes + 12, be16(static_cast<uint16_t>(net::EtherType::Ipv4)));
}

}  // namespace

UdpEndpoints client_flow(uint32_t number) noexcept {
  UdpEndpoints endpoints;
  endpoints.source = net::Be32::from_host(kFirstClient + number % kClients);
  endpoints.source_port = be16(kFirstClientPort + number / kClients);
  endpoints.destination = net::Be32::from_host(kFirstServer + ((number * 2654435761U) >> 16U));
  endpoints.destination_port = be16(kServerPort);
  return endpoints;
}

void write_frame(rte_mbuf& frame, const UdpEndpoints& endpoints, size_t port,
                 bool checksums_checked) noexcept {
  frame.data_off = RTE_PKTMBUF_HEADROOM;
  frame.data_len = kFrameBytes;
  frame.pkt_len = kFrameBytes;
  frame.ol_flags =
      checksums_checked ? RTE_MBUF_F_RX_IP_CKSUM_GOOD | RTE_MBUF_F_RX_L4_CKSUM_GOOD : uint64_t{0};
  auto* bytes = rte_pktmbuf_mtod(&frame, uint8_t*);
  std::memset(bytes, 0, kFrameBytes);
  write_link(bytes, port);
  uint8_t* ip = bytes + kIpv4;
  ip[0] = 0x45;
  net::store(ip + 2, be16(kIpv4Bytes));
  ip[8] = 64;
  ip[9] = static_cast<uint8_t>(net::Protocol::Udp);
  net::store(ip + 12, endpoints.source);
  net::store(ip + 16, endpoints.destination);
  const auto invert = [](uint64_t sum) noexcept {
    return net::Be16{static_cast<uint16_t>(~net::checksum_fold(sum))};
  };
  net::store(ip + 10, invert(net::checksum_add(ip, net::kIpv4MinimumHeaderBytes)));
  uint8_t* udp = bytes + kUdp;
  net::store(udp, endpoints.source_port);
  net::store(udp + 2, endpoints.destination_port);
  net::store(udp + 4, be16(kUdpBytes));
  const uint64_t pseudo = net::pseudo_header_sum(net::IpAddress::from_v4(endpoints.source),
                                                 net::IpAddress::from_v4(endpoints.destination),
                                                 net::Protocol::Udp, kUdpBytes);
  net::Be16 checksum = invert(net::checksum_add(udp, kUdpBytes, pseudo));
  if (checksum.raw == 0) checksum.raw = 0xffff;
  net::store(udp + 6, checksum);
}

void read_source(const rte_mbuf& frame, net::Be32& address, net::Be16& port) noexcept {
  const auto* bytes = rte_pktmbuf_mtod(&frame, const uint8_t*);
  address = net::load_be32(bytes + kIpv4 + 12);
  port = net::load_be16(bytes + kUdp);
}

}  // namespace masugata::bench
