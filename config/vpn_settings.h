// SPDX-License-Identifier: GPL-2.0-or-later
// The `vpn` section of a configuration, typed; part of config::Model.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "config/secret.h"
#include "net/address.h"

namespace masugata::config {

enum class VpnRole : uint8_t { Both, Initiate, Respond };
enum class VpnStart : uint8_t { AtOnce, OnTraffic, ByHand };
enum class VpnAuthentication : uint8_t { Psk, PskFile, Certificate };
enum class VpnRevocation : uint8_t { Relaxed, IfNamed, Strict };
enum class VpnEsn : uint8_t { Offer, On, Off };
enum class VpnCopyDscp : uint8_t { Out, In, Both, Off };

// What the two gateways must agree on, and when keys are renewed. Algorithms in strongSwan's words,
// joined by '-': "aes128gcm16-prfsha256-x25519".
struct VpnExchange {
  uint8_t ike_version = 2;
  std::vector<std::string> ike_proposals{
      "aes128gcm16-prfsha256-x25519", "aes128gcm16-prfsha256-ecp256",
      "aes256gcm16-prfsha384-ecp384", "aes256-sha256-ecp256", "aes256-sha256-modp3072"};
  // Without groups and without ESN: those are below.
  std::vector<std::string> esp_proposals{"aes128gcm16", "aes256gcm16", "aes256-sha256"};
  std::vector<std::string> pfs_groups{"x25519", "ecp256", "ecp384"};  // empty = no PFS
  uint32_t ike_rekey_seconds = 4 * 3600;
  uint32_t esp_rekey_seconds = 3600;
  uint64_t esp_rekey_bytes = 0;   // 0 = by time only
  uint16_t replay_window = 1024;  // packets
  VpnEsn esn = VpnEsn::Offer;
  VpnCopyDscp copy_dscp = VpnCopyDscp::Out;
  bool ike_fragmentation = true;
  bool mobike = false;
  bool always_in_udp = false;
  bool allow_weak = false;
  uint32_t dead_peer_interval_seconds = 10;
  uint32_t dead_peer_timeout_seconds = 30;  // IKE version 1 only
};

struct VpnIdentities {
  std::string local;   // empty = our address, or the certificate's subject
  std::string remote;  // empty = the peer's address or domain name
};

// A tunnel to another office. It is the logical interface `interface`, of the same name.
struct VpnSite {
  std::string name;
  std::string description;
  uint32_t line = 0;  // in the text, for messages of later steps
  // Ties SAs to the site (if_id, reqid). Made from the name, so that charon and a gateway that was
  // started anew agree; never 0, each site has another.
  uint32_t tunnel_id = 0;
  uint16_t interface = 0;  // index into Model::interfaces; its kind is Tunnel
  bool enabled = true;
  std::string peer;                             // as written; "any" when it is not known beforehand
  std::optional<net::IpAddress> peer_address;   // when `peer` is an address
  std::optional<uint16_t> local_interface;      // index into Model::interfaces
  std::optional<net::IpAddress> local_address;  // written, or that of local_interface
  VpnRole role = VpnRole::Both;
  VpnStart start = VpnStart::AtOnce;
  VpnAuthentication authentication = VpnAuthentication::Psk;
  VpnIdentities identities;
  Secret psk;
  std::string psk_file;     // absolute; read when the tunnel is loaded
  std::string certificate;  // names in the gateway's own key store
  std::vector<std::string> authorities;
  VpnRevocation revocation = VpnRevocation::Relaxed;
  // Each is a network.
  std::vector<net::AddressRange> local_networks;  // traffic selectors; empty = any
  std::vector<net::AddressRange> remote_networks;
  // What routes would send out by the interface below the tunnel, or by another of its zone, goes
  // into the tunnel, or is dropped while there is none. Traffic of the gateway itself is not meant.
  bool closed_network = false;
  // What the gateway itself and the peer send each other is protected without a tunnel; the site
  // has no networks, and its interface carries only that.
  bool transport_mode = false;
  uint16_t mtu = 0;      // bytes of the inner packet; 0 = what the cipher leaves of the path
  uint16_t tcp_mss = 0;  // 0 = from the MTU
  VpnExchange exchange;

  [[nodiscard]] bool peer_is_any() const { return peer == "any"; }
};

struct VpnSettings {
  uint32_t nat_keep_alive_seconds = 20;
  std::vector<VpnSite> sites;
};

}  // namespace masugata::config
