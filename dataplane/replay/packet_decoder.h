// SPDX-License-Identifier: GPL-2.0-or-later
// Captured frames to packets that the inspection engine understands: link layers, tunnels within
// tunnels, fragments. Each frame gives one packet, and one more for each packet that it carries
// inside a tunnel or that it completes as the last fragment; inner ones come first.
#pragma once

#include <cstdint>
#include <span>

#include "dataplane/replay/capture_file.h"
#include "dataplane/replay/decode_event.h"
#include "dataplane/replay/fragment_assembler.h"
#include "ids/engine/packet_facts.h"

namespace masugata::dataplane {

struct DecodedPacket {
  ids::PacketFacts facts;
  // The transport header was read: the packet belongs to a flow.
  bool has_flow = false;
  bool network_checksum_ok = true;    // IPv4 header
  bool transport_checksum_ok = true;  // TCP, UDP, ICMP, ICMPv6
  uint8_t tcp_flags = 0;
};

// Thread: the decoder's. The packet is valid during the call.
class PacketReceiver {
 public:
  virtual ~PacketReceiver() = default;
  virtual void receive(DecodedPacket& packet) = 0;
};

struct DecoderOptions {
  bool verify_checksums = true;
  uint16_t vxlan_port = 4789;   // 0: not decoded
  uint16_t geneve_port = 6081;  // 0: not decoded
  bool teredo = true;
};

// Thread: one at a time. Reads never go beyond the frame; at most kMaximumLayers headers deep.
class PacketDecoder {
 public:
  static constexpr unsigned kMaximumLayers = 16;

  PacketDecoder(const DecoderOptions& options, PacketReceiver& receiver) noexcept
      : options_(options), receiver_(receiver) {}

  void decode(const CapturedFrame& frame);

 private:
  using Bytes = std::span<const uint8_t>;
  // A packet on its way through the layers.
  struct Layers {
    DecodedPacket packet;
    unsigned depth = 0;  // headers so far, those of outer packets included
    unsigned vlans = 0;
    bool guessed = false;  // nothing but its content says that it is a packet
  };
  // Where a header of IP stands and what it says goes next.
  struct UpperLayer {
    uint8_t protocol = 0;
    Bytes bytes;
  };

  // link_decoder.cpp. Each ends by handing the packet to the receiver exactly once.
  void decode_link(Layers& layers, uint16_t link_type, Bytes bytes);
  void decode_ethernet(Layers& layers, Bytes bytes);
  void decode_ethertype(Layers& layers, uint16_t ethertype, Bytes bytes);
  void decode_vlan(Layers& layers, Bytes bytes);
  void decode_mpls(Layers& layers, Bytes bytes);
  void decode_pppoe_session(Layers& layers, Bytes bytes);
  void decode_pppoe_discovery(Layers& layers, Bytes bytes);
  void decode_ppp(Layers& layers, Bytes bytes);
  void decode_null(Layers& layers, Bytes bytes, bool network_order);
  void decode_by_version(Layers& layers, Bytes bytes);
  void decode_nsh(Layers& layers, Bytes bytes);

  // network_decoder.cpp
  void decode_ipv4(Layers& layers, Bytes bytes);
  void decode_ipv6(Layers& layers, Bytes bytes);
  [[nodiscard]] bool walk_extensions(Layers& layers, Bytes packet, UpperLayer& upper);
  void check_ipv4_options(Layers& layers, Bytes options);
  void check_ipv6_options(Layers& layers, uint8_t header, Bytes options);
  void take_fragment(Layers& layers, const Fragment& fragment);
  void decode_upper(Layers& layers, const UpperLayer& upper);

  // transport_decoder.cpp
  void decode_tcp(Layers& layers, Bytes bytes);
  void decode_udp(Layers& layers, Bytes bytes);
  void decode_icmp(Layers& layers, Bytes bytes);
  void decode_icmpv6(Layers& layers, Bytes bytes);
  void decode_sctp(Layers& layers, Bytes bytes);
  void check_tcp_options(Layers& layers, Bytes options);
  [[nodiscard]] bool checksum_holds(const Layers& layers, Bytes bytes, uint8_t protocol) const;

  // tunnel_decoder.cpp
  void decode_gre(Layers& layers, Bytes bytes);
  void decode_pptp_gre(Layers& layers, Bytes bytes);
  void decode_erspan(Layers& layers, Bytes bytes);
  void decode_udp_tunnels(Layers& layers, Bytes payload);
  void decode_inner_ethertype(const Layers& outer, uint16_t ethertype, Bytes bytes);
  void decode_inner_ppp(const Layers& outer, Bytes bytes);
  [[nodiscard]] static Layers inner_of(const Layers& outer, Bytes bytes);

  void raise(Layers& layers, DecodeEvent event) const noexcept {
    numbers_.raise(event, layers.packet.facts.decode_events);
  }
  void finish(Layers& layers) { receiver_.receive(layers.packet); }
  // For a packet whose headers cannot be read: it is reported for its events only. What was guessed
  // to be a packet is then none.
  void finish_with(Layers& layers, DecodeEvent event) {
    if (layers.guessed) return;
    raise(layers, event);
    finish(layers);
  }

  DecoderOptions options_;
  PacketReceiver& receiver_;
  DecodeEventNumbers numbers_;
  FragmentAssembler assembler_;
};

}  // namespace masugata::dataplane
