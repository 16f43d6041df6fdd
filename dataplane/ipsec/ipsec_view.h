// SPDX-License-Identifier: GPL-2.0-or-later
// The security associations as workers see them. Immutable while published; replaced as a whole
// when an SA or a policy comes or goes.
#pragma once

#include <bit>
#include <cstdint>
#include <limits>
#include <memory>
#include <vector>

#include "dataplane/identifiers.h"
#include "dataplane/ipsec/probe_packet.h"
#include "dataplane/ipsec/promised_spis.h"
#include "ipsec/esp/sa_memory.h"
#include "ipsec/sa/sa_consumer.h"
#include "ipsec/sa/sa_parameters.h"
#include "net/address.h"
#include "net/flow_key.h"
#include "net/relaxed_counter.h"

namespace masugata::dataplane {

inline constexpr uint16_t kNoSa = 0xffff;

// The worker that an SA belongs to. SPIs are random, so this spreads them.
[[nodiscard]] constexpr uint16_t sa_owner_of(uint32_t spi, size_t workers) noexcept {
  return static_cast<uint16_t>(spi % workers);
}

// The way to the peer as its owner last found it; counts while routes and configuration are those.
struct OuterWay {
  bool known = false;
  uint32_t routes = 0;         // ForwardingView::generation()
  uint32_t configuration = 0;  // RunningConfiguration::epoch
  InterfaceIndex interface = kNoInterface;
  uint32_t neighbour = 0;  // NeighbourIndex
};

// An SA in force. Made by the control thread; `sa` is the owner worker's to change, the rest does
// not change while it is published. Lives for as long as a view names it.
struct InstalledSa {
  ipsec::SaMemory::Pointer sa;
  ipsec::SaName name;  // as it was installed; the destination may have moved since
  uint16_t owner = 0;  // worker; the only one that encrypts or decrypts with it
  InterfaceIndex tunnel = kNoInterface;
  ipsec::Mode mode = ipsec::Mode::Tunnel;
  ipsec::DfHandling df = ipsec::DfHandling::Copy;
  uint32_t request_id = 0;
  uint32_t tunnel_id = 0;
  ipsec::TrafficSelectors local_selectors;
  ipsec::TrafficSelectors remote_selectors;
  // Written by the owner, read by any thread: authentic packets of other networks than these.
  net::RelaxedCounter selector_mismatches;
  // The owner's own:
  uint32_t applied_serial = 0;    // of the outer addresses that `sa` works with
  uint64_t mapping_noted_ms = 0;  // when the control thread was last told of another address
  OuterWay way;
};

// Outer addresses, which MOBIKE and NATs change: those of the view count, and the owner tells the
// SA when it adopts it.
struct OuterAddresses {
  net::IpAddress local;
  net::IpAddress remote;
  ipsec::UdpEncapsulation udp;
  uint32_t serial = 0;  // differs after each change
  // What a router on the way said is the largest packet that it passes on; 0: none did.
  uint16_t path_mtu = 0;
};

struct ViewedSa {
  std::shared_ptr<InstalledSa> installed;
  OuterAddresses outer;
};

// An outbound policy of a tunnel, the most wanted first.
struct OutboundChoice {
  ipsec::TrafficSelector source;
  ipsec::TrafficSelector destination;
  uint32_t request_id = 0;
  uint16_t sa = kNoSa;  // into IpsecView::sas; kNoSa: traffic calls for one
};

struct TunnelView {
  InterfaceIndex interface = kNoInterface;
  std::vector<OutboundChoice> choices;
};

// What decides whether a selector fits. `has_ports`: false for fragments and protocols without.
struct SelectorFacts {
  net::IpAddress source;
  net::IpAddress destination;
  uint8_t protocol = 0;
  bool has_ports = false;
  uint16_t source_port = 0;
  uint16_t destination_port = 0;
};

[[nodiscard]] inline bool selects(const ipsec::TrafficSelector& selector,
                                  const net::IpAddress& address, uint8_t protocol, bool has_port,
                                  uint16_t port) noexcept {
  if (!selector.addresses.contains(address)) return false;
  if (selector.protocol != 0 && selector.protocol != protocol) return false;
  const bool any_port = selector.first_port == 0 && selector.last_port == 0xffff;
  return any_port || (has_port && port >= selector.first_port && port <= selector.last_port);
}

// Probes of a tunnel that are to be sent, once for each `serial`; answers to earlier ones are
// taken as long as it stands.
struct ViewedProbe {
  uint32_t serial = 0;  // 0: nothing is measured
  InterfaceIndex tunnel = kNoInterface;
  uint16_t identifier = 0;
  net::IpAddress source;
  std::vector<ProbePacket> packets;
};

struct IpsecView {
  uint32_t generation = 0;
  ViewedProbe probe;
  std::vector<ViewedSa> sas;
  std::vector<TunnelView> tunnels;         // in no order, one for each interface that has policies
  const PromisedSpis* promised = nullptr;  // outlives the view; changes without it

  // The inbound SA of an SPI; kNoSa when there is none. Thread: any.
  [[nodiscard]] uint16_t find_inbound(net::Be32 spi) const noexcept {
    if (inbound.empty()) return kNoSa;
    const size_t mask = inbound.size() - 1;
    for (size_t place = slot_of(spi, mask);; place = (place + 1) & mask) {
      const Slot& slot = inbound[place];
      if (slot.sa == kNoSa || slot.spi == spi) return slot.sa;
    }
  }
  // The outbound SA of an SPI between these addresses; kNoSa when there is none. Thread: any.
  [[nodiscard]] uint16_t find_outbound(net::Be32 spi, const net::IpAddress& local,
                                       const net::IpAddress& remote) const noexcept {
    if (outbound.empty()) return kNoSa;
    const size_t mask = outbound.size() - 1;
    for (size_t place = slot_of(spi, mask);; place = (place + 1) & mask) {
      const Slot& slot = outbound[place];
      if (slot.sa == kNoSa) return kNoSa;
      const OuterAddresses& outer = sas[slot.sa].outer;
      if (slot.spi == spi && outer.local == local && outer.remote == remote) return slot.sa;
    }
  }
  [[nodiscard]] const TunnelView* find_tunnel(InterfaceIndex interface) const noexcept {
    if (interface >= tunnel_places.size()) return nullptr;
    const uint16_t place = tunnel_places[interface];
    return place < tunnels.size() ? &tunnels[place] : nullptr;
  }

  struct Slot {
    net::Be32 spi;
    uint16_t sa = kNoSa;
  };
  // Filled by index_sas(); at most half full, so that every search ends.
  std::vector<Slot> inbound;
  std::vector<Slot> outbound;
  std::vector<uint16_t> tunnel_places;  // by interface, into `tunnels`; filled by index_tunnels()

  // Control thread, before the view is published.
  void index_tunnels() {
    for (size_t i = 0; i < tunnels.size(); ++i) {
      const size_t interface = tunnels[i].interface;
      if (interface >= tunnel_places.size()) tunnel_places.resize(interface + 1, 0xffff);
      tunnel_places[interface] = static_cast<uint16_t>(i);
    }
  }
  void index_sas() {
    inbound.assign(std::bit_ceil(sas.size() * 2 + 2), {});
    outbound.assign(inbound.size(), {});
    const size_t mask = inbound.size() - 1;
    for (size_t i = 0; i < sas.size(); ++i) {
      const ipsec::SaName& name = sas[i].installed->name;
      std::vector<Slot>& slots = name.direction == ipsec::Direction::Inbound ? inbound : outbound;
      const auto spi = net::Be32::from_host(name.spi);
      size_t place = slot_of(spi, mask);
      while (slots[place].sa != kNoSa) place = (place + 1) & mask;
      slots[place] = {spi, static_cast<uint16_t>(i)};
    }
  }

 private:
  // SPIs are random numbers already.
  static size_t slot_of(net::Be32 spi, size_t mask) noexcept { return spi.raw & mask; }
};

}  // namespace masugata::dataplane
