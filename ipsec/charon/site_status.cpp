// SPDX-License-Identifier: GPL-2.0-or-later
#include "ipsec/charon/site_status.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>

namespace masugata::ipsec {
namespace {

std::optional<uint64_t> seconds_left(const ViciSection& section, std::string_view name) {
  if (!section.has(name)) return std::nullopt;
  // A time that has passed is given as a negative number: due now.
  return section.number(name);
}

std::string join_algorithms(const ViciSection& sa) {
  std::string text(sa.value("encr-alg"));
  if (sa.has("encr-keysize")) text += "-" + std::string(sa.value("encr-keysize"));
  for (const char* name : {"integ-alg", "prf-alg", "dh-group"}) {
    if (sa.has(name)) text += "/" + std::string(sa.value(name));
  }
  if (sa.value("esn") == "1") text += "/ESN";
  return text;
}

std::vector<std::string> list_or_empty(const ViciSection& section, std::string_view name) {
  const ViciSection::List* items = section.list(name);
  return items == nullptr ? std::vector<std::string>() : *items;
}

ChildStatus read_child(const ViciSection& section) {
  ChildStatus child;
  child.name = section.value("name");
  child.unique_id = section.number("uniqueid");
  child.state = section.value("state");
  child.algorithms = join_algorithms(section);
  child.spi_in = section.value("spi-in");
  child.spi_out = section.value("spi-out");
  child.in_udp = section.value("encap") == "yes";
  child.bytes_in = section.number("bytes-in");
  child.packets_in = section.number("packets-in");
  child.bytes_out = section.number("bytes-out");
  child.packets_out = section.number("packets-out");
  child.age_seconds = section.number("install-time");
  child.rekey_in_seconds = seconds_left(section, "rekey-time");
  child.ends_in_seconds = seconds_left(section, "life-time");
  child.local_networks = list_or_empty(section, "local-ts");
  child.remote_networks = list_or_empty(section, "remote-ts");
  return child;
}

IkeStatus read_ike(const ViciSection& section) {
  IkeStatus ike;
  ike.unique_id = section.number("uniqueid");
  ike.version = static_cast<unsigned>(section.number("version"));
  ike.state = section.value("state");
  ike.local_address = section.value("local-host");
  ike.remote_address = section.value("remote-host");
  ike.local_port = static_cast<uint16_t>(section.number("local-port"));
  ike.remote_port = static_cast<uint16_t>(section.number("remote-port"));
  ike.local_identity = section.value("local-id");
  ike.remote_identity = section.value("remote-id");
  ike.begun_here = section.value("initiator") == "yes";
  ike.local_behind_nat = section.value("nat-local") == "yes";
  ike.remote_behind_nat = section.value("nat-remote") == "yes";
  ike.algorithms = join_algorithms(section);
  ike.age_seconds = section.number("established");
  ike.rekey_in_seconds = seconds_left(section, "rekey-time");
  if (const ViciSection* children = section.section("child-sas")) {
    for (const ViciSection::Entry& entry : children->entries()) {
      if (const auto* child = std::get_if<ViciSection>(&entry.content)) {
        ike.children.push_back(read_child(*child));
      }
    }
  }
  return ike;
}

bool carries(const ChildStatus& child) {
  return child.state == "INSTALLED" || child.state == "UPDATING" || child.state == "REKEYING" ||
         child.state == "REKEYED";
}

SiteState state_of(const SiteStatus& site) {
  SiteState best = SiteState::Down;
  for (const IkeStatus& ike : site.sas) {
    const bool known =
        ike.state == "ESTABLISHED" || ike.state == "REKEYING" || ike.state == "REKEYED";
    const bool carried = std::any_of(ike.children.begin(), ike.children.end(), carries);
    const bool begins = ike.state == "CONNECTING" || ike.state == "CREATED";
    best = std::min(best, carried  ? SiteState::Up
                          : known  ? SiteState::Incomplete
                          : begins ? SiteState::Connecting
                                   : SiteState::Down);
  }
  return best;
}

}  // namespace

const char* name_of(SiteState state) {
  switch (state) {
    case SiteState::Up:
      return "up";
    case SiteState::Incomplete:
      return "incomplete";
    case SiteState::Connecting:
      return "connecting";
    case SiteState::Disabled:
      return "disabled";
    case SiteState::Down:
      break;
  }
  return "down";
}

std::vector<SiteStatus> merge_sites(const config::VpnSettings& settings,
                                    const std::vector<ViciSection>& list_sa) {
  std::multimap<std::string, IkeStatus> by_name;
  for (const ViciSection& message : list_sa) {
    for (const ViciSection::Entry& entry : message.entries()) {
      if (const auto* ike = std::get_if<ViciSection>(&entry.content)) {
        by_name.emplace(entry.name, read_ike(*ike));
      }
    }
  }
  std::vector<SiteStatus> sites;
  for (const config::VpnSite& site : settings.sites) {
    SiteStatus status;
    status.name = site.name;
    status.peer = site.peer;
    const auto [first, last] = by_name.equal_range(site.name);
    for (auto each = first; each != last; ++each) status.sas.push_back(each->second);
    std::sort(status.sas.begin(), status.sas.end(),
              [](const IkeStatus& a, const IkeStatus& b) { return a.unique_id < b.unique_id; });
    status.state = state_of(status);
    if (!site.enabled && status.sas.empty()) status.state = SiteState::Disabled;
    for (const IkeStatus& ike : status.sas) {
      for (const ChildStatus& child : ike.children) {
        status.bytes_in += child.bytes_in;
        status.bytes_out += child.bytes_out;
      }
    }
    sites.push_back(std::move(status));
  }
  return sites;
}

Result<std::vector<SiteStatus>> site_statuses(ViciSession& session,
                                              const config::VpnSettings& settings) {
  const auto sas = session.stream("list-sas", "list-sa", {});
  if (!sas) return tl::unexpected<Fault>(sas.error());
  return merge_sites(settings, *sas);
}

std::string to_text(const SiteStatus& site) {
  const auto due = [](const std::optional<uint64_t>& seconds) {
    return seconds ? fmt::format("{}s", *seconds) : std::string("never");
  };
  std::string text = fmt::format("{} {} peer {} in {} out {}\n", site.name, name_of(site.state),
                                 site.peer, site.bytes_in, site.bytes_out);
  for (const IkeStatus& ike : site.sas) {
    text +=
        fmt::format("  IKEv{} {} {}:{} [{}] - {}:{} [{}] {} age {}s rekey {}{}{}\n", ike.version,
                    ike.state, ike.local_address, ike.local_port, ike.local_identity,
                    ike.remote_address, ike.remote_port, ike.remote_identity, ike.algorithms,
                    ike.age_seconds, due(ike.rekey_in_seconds), ike.begun_here ? " begun here" : "",
                    ike.local_behind_nat || ike.remote_behind_nat ? " NAT" : "");
    for (const ChildStatus& child : ike.children) {
      text += fmt::format(
          "    {} {} {} in {} {} bytes out {} {} bytes age {}s rekey {} ends {} {} - {}\n",
          child.name, child.state, child.algorithms, child.spi_in, child.bytes_in, child.spi_out,
          child.bytes_out, child.age_seconds, due(child.rekey_in_seconds),
          due(child.ends_in_seconds), fmt::join(child.local_networks, " "),
          fmt::join(child.remote_networks, " "));
    }
  }
  return text;
}

}  // namespace masugata::ipsec
