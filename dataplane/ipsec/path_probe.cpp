// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/ipsec/path_probe.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "dataplane/forwarding/forwarding_view.h"
#include "dataplane/ipsec/tunnel_limits.h"
#include "ipsec/esp/packet_size.h"

namespace masugata::dataplane {
namespace {

constexpr uint16_t kSmallInnerBytes = 84;  // asks who answers
constexpr size_t kMaximumAsked = 3;        // addresses, each asked twice
constexpr uint16_t kUsualMtu = 1500;
constexpr uint8_t kUsualHopLimit = 64;
constexpr uint16_t kTcpHeaderBytes = 20;
constexpr uint16_t kMinimumIpv6Mtu = 1280;  // RFC 8200 section 5

bool takes_echo(const ipsec::TrafficSelector& selector) {
  const bool any_port = selector.first_port == 0 && selector.last_port == 0xffff;
  const auto icmp = static_cast<uint8_t>(selector.addresses.first.is_v4() ? net::Protocol::Icmp
                                                                          : net::Protocol::Icmpv6);
  return any_port && (selector.protocol == 0 || selector.protocol == icmp);
}

bool is_any(const net::AddressRange& network) { return network.first.is_unspecified(); }

// The first address of a network that a host may have: most often the router's.
net::IpAddress first_host(const net::AddressRange& network) {
  return network.first == network.last ? network.first : network.first.next();
}

ipsec::EspShape shape_of(const ViewedSa& sa) {
  return {sa.installed->sa->transform(), sa.installed->mode, sa.outer.remote.family(),
          sa.outer.udp.enabled()};
}

// The smallest outer packet that holds `inner` bytes.
uint16_t outer_size(const ViewedSa& sa, uint16_t inner) {
  uint16_t outer = inner;
  while (ipsec::maximum_inner_size(shape_of(sa), outer) < inner && outer < 0xffff) ++outer;
  return outer;
}

}  // namespace

net::IpAddress PathProbe::source_in(const net::AddressRange& network) const {
  for (const config::Interface& interface : targets_.model().interfaces) {
    for (const net::Prefix& prefix : interface.addresses) {
      if (network.contains(prefix.address)) return prefix.address;
    }
  }
  return first_host(network);
}

void PathProbe::ask_for(const OutboundChoice& choice, const ViewedSa& sa,
                        const std::optional<net::IpAddress>& host, std::vector<Plan>& plans) const {
  if (!takes_echo(choice.source) || !takes_echo(choice.destination)) return;
  const net::AddressRange& there = choice.destination.addresses;
  const bool peer_fits = there.first.family() == sa.outer.remote.family();
  const net::IpAddress asked =
      host.value_or(is_any(there) && peer_fits ? sa.outer.remote : first_host(there));
  if (!there.contains(asked)) return;
  const net::IpAddress source = source_in(choice.source.addresses);
  auto plan = std::find_if(plans.begin(), plans.end(), [&source](const Plan& other) {
    return other.source.family() == source.family();
  });
  if (plan == plans.end()) {
    plan = plans.insert(plans.end(), {source, {}, sa});
  }
  // One source for all of a family, so that every answer is known by it.
  if (plan->source != source || plan->reflectors.size() >= 2 * kMaximumAsked) return;
  plan->reflectors.push_back({asked, kUsualHopLimit});
  plan->reflectors.push_back({asked, 1});
}

Result<std::vector<PathProbe::Plan>> PathProbe::plans_for(
    const config::VpnSite& site, const std::optional<net::IpAddress>& host) const {
  const std::string where = "vpn site " + site.name;
  const IpsecView* view = targets_.manager->view();
  const TunnelView* tunnel = view == nullptr ? nullptr : view->find_tunnel(site.interface);
  std::vector<Plan> plans;
  bool any_sa = false;
  for (const OutboundChoice& choice :
       tunnel == nullptr ? std::vector<OutboundChoice>() : tunnel->choices) {
    if (choice.sa == kNoSa) continue;
    any_sa = true;
    if (view->sas[choice.sa].installed->mode != ipsec::Mode::Tunnel) {
      return failure(where, "is for what the gateway itself sends: ping the peer instead");
    }
    ask_for(choice, view->sas[choice.sa], host, plans);
  }
  if (!any_sa) return failure(where, "is down: there is nothing to measure");
  if (!plans.empty()) return plans;
  if (host) {
    return failure(
        where, fmt::format("{} is not of the networks that the tunnel is for", host->to_string()));
  }
  return failure(where, "carries no ICMP: nothing can be asked through it");
}

uint16_t PathProbe::exact_mtu() const {
  return TunnelLimits::exact_mtu(site_.interface, targets_.manager->view(), targets_.forwarding(),
                                 targets_.configuration());
}

const EgressInterface* PathProbe::below(const ViewedSa& sa, std::string& name) const {
  const RunningConfiguration& configuration = targets_.configuration();
  const Route& route = targets_.forwarding().lookup(sa.outer.remote, 0);
  if (route.interface >= configuration.interfaces.size()) return nullptr;
  name = targets_.model().interfaces[route.interface].name;
  return &configuration.interfaces[route.interface];
}

const config::VpnSite* PathProbe::find(const std::string& site) const {
  const auto& sites = targets_.model().vpn.sites;
  const auto found = std::find_if(sites.begin(), sites.end(), [&site](const config::VpnSite& each) {
    return each.name == site;
  });
  return found == sites.end() ? nullptr : &*found;
}

void PathProbe::start(const std::string& site, std::optional<net::IpAddress> host, Callback done) {
  const std::string where = "vpn site " + site;
  const config::VpnSite* configured = find(site);
  if (configured == nullptr) return done(failure(where, "is not configured"));
  if (is_running()) {
    return done(
        failure(where, fmt::format("{} is measured just now; once more in a minute", site_.name)));
  }
  Result<std::vector<Plan>> plans = plans_for(*configured, host);
  if (!plans) return done(tl::unexpected(plans.error()));
  site_ = *configured;
  site_.psk = {};
  plans_ = std::move(*plans);
  reports_.clear();
  done_ = std::move(done);
  begin(plans_.front());
  next_plan_ = 1;
  tick();
}

void PathProbe::begin(const Plan& plan) {
  plan_ = plan;
  answered_by_.clear();
  ++identifier_;
  largest_ = exact_mtu();
  ipsec::PathSearch::Limits limits;
  limits.smallest = kSmallInnerBytes;
  limits.largest = largest_;
  limits.usual = site_.mtu == 0 ? largest_ : std::min(site_.mtu, largest_);
  limits.step = static_cast<uint16_t>(plan_.sa.installed->sa->transform().alignment_bytes());
  limits.reflectors = static_cast<uint16_t>(plan_.reflectors.size());
  search_.emplace(limits, targets_.now_ms());
}

void PathProbe::send(const std::vector<ipsec::PathQuestion>& questions) {
  ViewedProbe order;
  order.tunnel = site_.interface;
  order.identifier = identifier_;
  order.source = plan_.source;
  for (const ipsec::PathQuestion& question : questions) {
    const Reflector& reflector = plan_.reflectors[question.reflector];
    order.packets.push_back({plan_.source, reflector.destination, identifier_, question.sequence,
                             question.inner_bytes, reflector.hop_limit});
  }
  targets_.manager->set_probe(std::move(order));
}

void PathProbe::tick() {
  if (!is_running()) return;
  const config::VpnSite* configured = find(site_.name);
  if (configured == nullptr || configured->interface != site_.interface ||
      configured->mtu != site_.mtu) {
    return finish(failure("vpn site " + site_.name, "was changed while it was measured"));
  }
  const uint64_t now_ms = targets_.now_ms();
  for (const ProbeAnswer& answer : targets_.manager->take_probe_answers()) {
    if (answer.identifier != identifier_) continue;
    const bool known = search_->finding().answered;
    search_->take(answer.sequence, answer.kind, now_ms);
    if (!known) answered_by_ = answer.from.to_string();
  }
  // A router on the way has said how much passes: there is no need to find out.
  if (const uint16_t exact = exact_mtu(); exact != 0 && exact < largest_) {
    largest_ = exact;
    search_->lower(exact, now_ms);
  }
  const std::vector<ipsec::PathQuestion> questions = search_->next(now_ms);
  if (!questions.empty()) send(questions);
  if (!search_->done()) return;
  reports_.push_back(report());
  if (next_plan_ == plans_.size()) return finish(std::exchange(reports_, {}));
  begin(plans_[next_plan_++]);
}

void PathProbe::finish(const Result<std::vector<ipsec::PathReport>>& result) {
  const Callback done = std::exchange(done_, {});
  search_.reset();
  targets_.manager->set_probe({});
  done(result);
}

ipsec::PathReport PathProbe::report() const {
  ipsec::PathReport report;
  report.site = site_.name;
  report.family = plan_.source.family();
  report.peer = plan_.sa.outer.remote.to_string();
  report.finding = search_->finding();
  report.answered_by = answered_by_;
  for (const Reflector& reflector : plan_.reflectors) {
    std::string address = reflector.destination.to_string();
    if (std::find(report.asked.begin(), report.asked.end(), address) == report.asked.end()) {
      report.asked.push_back(std::move(address));
    }
  }
  report.configured_mtu = site_.mtu;
  const uint16_t exact = exact_mtu();
  report.lets_in_bytes = site_.mtu == 0 ? exact : std::min(site_.mtu, exact);
  const auto segment = [](uint16_t configured, uint16_t mtu, uint16_t header) {
    if (configured != 0) return configured;
    return mtu > header ? static_cast<uint16_t>(mtu - header) : uint16_t{0};
  };
  const EgressInterface& tunnel = targets_.configuration().interfaces[site_.interface];
  report.mss_ipv4 = segment(tunnel.mss_ipv4, report.lets_in_bytes, kTcpHeaderBytes + 20);
  report.mss_ipv6 = segment(tunnel.mss_ipv6, std::max(report.lets_in_bytes, kMinimumIpv6Mtu),
                            kTcpHeaderBytes + 40);
  if (report.finding.answered) {
    report.outer_passes_bytes = outer_size(plan_.sa, report.finding.passes_bytes);
  }
  const EgressInterface* interface = below(plan_.sa, report.interface);
  report.interface_mtu = interface == nullptr ? kUsualMtu : interface->mtu;
  for (const SaStatus& sa : targets_.manager->statuses()) {
    const bool same = sa.outer.local == plan_.sa.outer.local &&
                      sa.outer.remote == plan_.sa.outer.remote && sa.outer.path_mtu != 0;
    if (same) report.router_said_bytes = sa.outer.path_mtu;
  }
  return report;
}

}  // namespace masugata::dataplane
