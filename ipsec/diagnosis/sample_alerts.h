// SPDX-License-Identifier: GPL-2.0-or-later
// Sites, and alerts as charon raises them. For tests.
#pragma once

#include <string>

#include "config/vpn_settings.h"
#include "ipsec/sa/sa_consumer.h"

namespace masugata::ipsec::sample {

inline constexpr int64_t kNow = 1'795'402'800;  // 2026-11-23 03:00:00 UTC

inline net::IpAddress ip(const char* text) { return net::IpAddress::parse(text).value(); }

inline config::VpnSite site(const char* name, const char* peer) {
  config::VpnSite site;
  site.name = name;
  site.peer = peer;
  site.peer_address = net::IpAddress::parse(peer);
  site.local_address = ip("203.0.113.1");
  site.local_networks = {net::AddressRange::parse("10.0.0.0/16").value()};
  site.remote_networks = {net::AddressRange::parse("10.20.0.0/16").value()};
  site.exchange.ike_proposals = {"aes128gcm16-prfsha256-x25519", "aes256-sha256-ecp256"};
  site.exchange.esp_proposals = {"aes128gcm16"};
  site.exchange.pfs_groups = {"x25519", "ecp256"};
  return site;
}

// osaka: by address and secret. nagoya: by domain name. sendai: anywhere, by certificate. kobe:
// switched off. logs: no tunnel.
inline config::VpnSettings settings() {
  config::VpnSettings settings;
  settings.sites.push_back(site("osaka", "198.51.100.7"));
  settings.sites.push_back(site("nagoya", "nagoya.example.com"));
  config::VpnSite sendai = site("sendai", "any");
  sendai.authentication = config::VpnAuthentication::Certificate;
  sendai.certificate = "hq";
  sendai.authorities = {"own"};
  sendai.identities.remote = "sendai.example.com";
  settings.sites.push_back(sendai);
  config::VpnSite kobe = site("kobe", "198.51.100.9");
  kobe.enabled = false;
  settings.sites.push_back(kobe);
  config::VpnSite logs = site("logs", "198.51.100.20");
  logs.transport_mode = true;
  logs.local_networks.clear();
  logs.remote_networks.clear();
  settings.sites.push_back(logs);
  return settings;
}

// osaka's, where it asked us; without a connection, as charon has none yet.
inline CharonAlert alert(AlertKind kind) {
  CharonAlert alert;
  alert.kind = kind;
  alert.ike_version = 2;
  alert.ike_id = 5;
  alert.local = ip("203.0.113.1");
  alert.remote = ip("198.51.100.7");
  alert.local_port = alert.remote_port = 500;
  alert.peer_answered = true;
  return alert;
}

inline CharonAlert of_site(AlertKind kind, const char* site) {
  CharonAlert made = alert(kind);
  made.connection = site;
  made.local_identity = "203.0.113.1";
  made.remote_identity =
      std::string(site) == "sendai" ? "sendai.example.com" : made.remote->to_string();
  return made;
}

inline CharonAlert asked_by_us(AlertKind kind, const char* site) {
  CharonAlert made = of_site(kind, site);
  made.we_asked = true;
  return made;
}

inline constexpr const char* kOurIke =
    "IKE:AES_GCM_16_128/PRF_HMAC_SHA2_256/CURVE_25519, "
    "IKE:AES_CBC_256/HMAC_SHA2_256_128/PRF_HMAC_SHA2_256/ECP_256";
inline constexpr const char* kOurEsp = "ESP:AES_GCM_16_128/CURVE_25519/ECP_256/EXT_SEQ/NO_EXT_SEQ";

}  // namespace masugata::ipsec::sample
