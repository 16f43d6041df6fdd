// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/ipsec/tunnel_events.h"

#include <fmt/format.h>

#include <span>
#include <string_view>
#include <vector>

#include "ids/eve/json_writer.h"

namespace masugata::dataplane {
namespace {

using ipsec::SiteState;

constexpr size_t kLineBytes = 4096;

// Identities come from the peer: any bytes.
std::span<const uint8_t> bytes_of(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

}  // namespace

std::string tunnel_event(const SiteView& site, SiteState before, uint64_t time_us) {
  std::vector<char> buffer(kLineBytes);
  ids::JsonWriter json(buffer);
  json.open_object();
  json.member_time("timestamp", time_us);
  json.member("event_type", std::string_view("vpn"));
  json.open_object("vpn");
  json.member("site", std::string_view(site.status.name));
  json.member("state", std::string_view(name_of(site.status.state)));
  json.member("before", std::string_view(name_of(before)));
  json.member("peer", std::string_view(site.status.peer));
  if (!site.status.sas.empty()) {
    const ipsec::IkeStatus& ike = site.status.sas.back();
    json.member("remote_address", std::string_view(ike.remote_address));
    json.member_bytes("remote_identity", bytes_of(ike.remote_identity));
  }
  json.close_object();
  json.close_object();
  return json.overflowed() ? std::string() : std::string(json.text());
}

void TunnelEvents::site_changed(const SiteView& site, SiteState before) {
  const bool up = site.status.state == SiteState::Up;
  if (!up && before != SiteState::Up) return;
  const std::string& name = site.status.name;
  if (up) {
    const std::string remote =
        site.status.sas.empty() ? std::string() : site.status.sas.back().remote_address;
    targets_.log(false, fmt::format("site {} is up, with {}", name, remote));
  } else {
    targets_.log(!site.held_down, fmt::format("site {} is not up any more", name));
  }
  const std::string line = tunnel_event(site, before, targets_.wall_time_us());
  if (!line.empty()) targets_.write_event(line);
}

}  // namespace masugata::dataplane
