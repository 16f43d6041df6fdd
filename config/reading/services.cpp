// SPDX-License-Identifier: GPL-2.0-or-later
#include <fmt/format.h>

#include <array>
#include <utility>

#include "config/reading/readers.h"
#include "config/reading/values.h"

namespace masugata::config::reading {
namespace {

constexpr size_t kMaximumNesting = 32;

struct BuiltInService {
  const char* name;
  bool tcp;
  bool udp;
  uint16_t port;
};

// IANA's names and ports.
constexpr std::array kBuiltInServices = {
    BuiltInService{"ftp", true, false, 21},
    BuiltInService{"ssh", true, false, 22},
    BuiltInService{"telnet", true, false, 23},
    BuiltInService{"smtp", true, false, 25},
    BuiltInService{"dns", true, true, 53},
    BuiltInService{"dhcp", false, true, 67},
    BuiltInService{"tftp", false, true, 69},
    BuiltInService{"http", true, false, 80},
    BuiltInService{"kerberos", true, true, 88},
    BuiltInService{"pop3", true, false, 110},
    BuiltInService{"ntp", false, true, 123},
    BuiltInService{"imap", true, false, 143},
    BuiltInService{"snmp", false, true, 161},
    BuiltInService{"bgp", true, false, 179},
    BuiltInService{"ldap", true, true, 389},
    BuiltInService{"https", true, false, 443},
    BuiltInService{"smb", true, false, 445},
    BuiltInService{"smtps", true, false, 465},
    BuiltInService{"isakmp", false, true, 500},
    BuiltInService{"syslog", false, true, 514},
    BuiltInService{"dhcpv6", false, true, 547},
    BuiltInService{"submission", true, false, 587},
    BuiltInService{"ldaps", true, false, 636},
    BuiltInService{"dns-tls", true, false, 853},
    BuiltInService{"imaps", true, false, 993},
    BuiltInService{"pop3s", true, false, 995},
    BuiltInService{"openvpn", true, true, 1194},
    BuiltInService{"radius", false, true, 1812},
    BuiltInService{"mysql", true, false, 3306},
    BuiltInService{"rdp", true, true, 3389},
    BuiltInService{"ipsec-nat-t", false, true, 4500},
    BuiltInService{"sip", true, true, 5060},
    BuiltInService{"postgresql", true, false, 5432},
    BuiltInService{"wireguard", false, true, 51820},
};

ServiceMatch icmp_match(net::Protocol protocol, uint8_t type) {
  ServiceMatch match;
  match.protocol = protocol;
  match.icmp_type = type;
  return match;
}

void add_built_in(Definitions<std::vector<ServiceMatch>>& services) {
  for (const BuiltInService& service : kBuiltInServices) {
    std::vector<ServiceMatch> matches;
    const PortRange port{service.port, service.port};
    if (service.tcp) matches.push_back({net::Protocol::Tcp, {}, port, {}, {}});
    if (service.udp) matches.push_back({net::Protocol::Udp, {}, port, {}, {}});
    services[service.name] = {std::move(matches), {}, true};
  }
  services["ping"] = {{icmp_match(net::Protocol::Icmp, 8)}, {}, true};
  services["ping6"] = {{icmp_match(net::Protocol::Icmpv6, 128)}, {}, true};
}

// nullopt after an error.
std::optional<std::vector<PortRange>> read_ports(Context& context, DataNode::Siblings leaves) {
  std::vector<PortRange> ports;
  bool right = true;
  for (const DataNode leaf : leaves) {
    if (const auto range = parse_ports(leaf.value())) {
      ports.push_back(*range);
    } else {
      context.refuse(leaf);
      right = false;
    }
  }
  if (!right) return std::nullopt;
  return ports;
}

// The protocols that are named, or those that are meant by naming ports only.
std::optional<std::vector<net::Protocol>> read_protocols(Context& context,
                                                         const ServiceStatements& statements) {
  const bool with_ports = !statements.ports.empty() || !statements.source_ports.empty();
  std::vector<net::Protocol> protocols;
  bool right = true;
  for (const DataNode leaf : statements.fields.children("protocol")) {
    const auto protocol = parse_protocol(leaf.value());
    if (!protocol) {
      context.refuse(leaf);
      right = false;
    } else if (with_ports && !has_ports(*protocol)) {
      context.error(
          leaf, fmt::format("port needs a protocol that has ports; '{}' has none", leaf.value()),
          "tcp, udp, sctp");
      right = false;
    } else {
      protocols.push_back(*protocol);
    }
  }
  if (!right) return std::nullopt;
  if (protocols.empty() && with_ports) protocols = {net::Protocol::Tcp, net::Protocol::Udp};
  return protocols;
}

// Sets type and code of an ICMP match; false after an error.
bool read_icmp(Context& context, DataNode fields, ServiceMatch& match) {
  const DataNode type = fields.child("icmp-type");
  if (!type) return true;
  match.icmp_type = parse_icmp_type(type.value(), match.protocol);
  if (!match.icmp_type) {
    context.error(type,
                  fmt::format("'{}' is not a type of {}", type.value(),
                              match.protocol == net::Protocol::Icmp ? "icmp" : "icmpv6"),
                  type.statement()->value.accepted);
    return false;
  }
  if (const DataNode code = fields.child("icmp-code")) {
    match.icmp_code = number_or<uint8_t>(code, 0);
  }
  return true;
}

// An ICMP type beside protocols that have none would be ignored silently.
bool check_icmp_protocols(Context& context, DataNode fields,
                          const std::vector<net::Protocol>& protocols) {
  const DataNode type = fields.child("icmp-type");
  if (!type) return true;
  bool right = !protocols.empty();
  for (const net::Protocol protocol : protocols) {
    right = right && (protocol == net::Protocol::Icmp || protocol == net::Protocol::Icmpv6);
  }
  if (!right) {
    context.error(type, "icmp-type needs protocol icmp or icmpv6, and no other beside it",
                  "protocol icmp; or protocol icmpv6;");
  }
  return right;
}

// Service sets refer to services and to each other.
class ServiceSetResolver {
 public:
  explicit ServiceSetResolver(Context& context) : context_(context) {}

  void resolve_all() {
    const DataNode sets = context_.tree().top("sets");
    for (const DataNode node : sets.children("service-set")) {
      const std::string name(node.child("name").value());
      const auto service = context_.names.services.find(name);
      if (service != context_.names.services.end() && service->second.node) {
        context_.error(node, fmt::format("a service is called '{}' already, on line {}", name,
                                         service->second.node.position().line));
        continue;
      }
      nodes_.emplace(name, Entry{node, State::Untouched});
    }
    for (auto& [name, entry] : nodes_) resolve(name, entry, 0);
  }

 private:
  enum class State : uint8_t { Untouched, InProgress, Done };
  struct Entry {
    DataNode node;
    State state;
  };

  void resolve(const std::string& name, Entry& entry, size_t depth) {
    if (entry.state != State::Untouched) return;
    entry.state = State::InProgress;
    std::vector<ServiceMatch> matches;
    for (const DataNode member : entry.node.children("service")) {
      const auto* found = find_member(member, depth);
      if (found == nullptr) continue;
      if (!context_.count_services(member, found->size())) break;
      matches.insert(matches.end(), found->begin(), found->end());
    }
    entry.state = State::Done;
    context_.names.services[name] = {std::move(matches), entry.node, false};
  }

  const std::vector<ServiceMatch>* find_member(DataNode member, size_t depth) {
    const std::string name(member.value());
    const auto set = nodes_.find(name);
    if (set != nodes_.end()) {
      if (set->second.state == State::InProgress) {
        context_.error(member, fmt::format("service-set '{}' includes itself", name));
        return nullptr;
      }
      if (depth >= kMaximumNesting) {
        context_.error(member,
                       fmt::format("service sets are nested deeper than {}", kMaximumNesting));
        return nullptr;
      }
      resolve(name, set->second, depth + 1);
    }
    const auto service = context_.names.services.find(name);
    if (service == context_.names.services.end()) {
      context_.refuse_name(member, "service", context_.names.services);
      return nullptr;
    }
    service->second.used = true;
    return &service->second.value;
  }

  Context& context_;
  std::unordered_map<std::string, Entry> nodes_;
};

}  // namespace

std::optional<std::vector<ServiceMatch>> read_service_match(Context& context,
                                                            const ServiceStatements& statements) {
  const auto ports = read_ports(context, statements.ports);
  const auto source_ports = read_ports(context, statements.source_ports);
  const auto protocols = read_protocols(context, statements);
  if (!protocols || !check_icmp_protocols(context, statements.fields, *protocols)) {
    return std::nullopt;
  }
  if (!ports || !source_ports) return std::nullopt;

  const std::vector<PortRange> every_port{PortRange{}};
  const std::vector<PortRange>& to = ports->empty() ? every_port : *ports;
  const std::vector<PortRange>& from = source_ports->empty() ? every_port : *source_ports;
  if (!context.count_services(statements.fields, protocols->size() * to.size() * from.size())) {
    return std::nullopt;
  }
  std::vector<ServiceMatch> matches;
  for (const net::Protocol protocol : *protocols) {
    for (const PortRange& source : from) {
      for (const PortRange& destination : to) {
        ServiceMatch match{protocol, source, destination, {}, {}};
        if (!read_icmp(context, statements.fields, match)) return std::nullopt;
        matches.push_back(match);
      }
    }
  }
  return matches;
}

void read_services(Context& context) {
  Definitions<std::vector<ServiceMatch>>& services = context.names.services;
  add_built_in(services);
  for (const DataNode node : context.tree().top("sets").children("service")) {
    auto matches =
        read_service_match(context, {node, node.children("port"), node.children("source-port")});
    // A service that is wrong is defined all the same: one finding is enough.
    services[std::string(node.child("name").value())] = {
        matches ? std::move(*matches) : std::vector<ServiceMatch>(), node, false};
  }
  ServiceSetResolver(context).resolve_all();
}

void read_schedules(Context& context) {
  static constexpr std::array<std::string_view, 7> kWeekdays = {"sun", "mon", "tue", "wed",
                                                                "thu", "fri", "sat"};
  for (const DataNode node : context.tree().top("sets").children("schedule")) {
    Schedule schedule;
    schedule.name = node.child("name").value();
    unsigned weekdays = 0;
    for (const DataNode leaf : node.children("weekdays")) {
      for (size_t day = 0; day < kWeekdays.size(); ++day) {
        if (leaf.value() == kWeekdays[day]) weekdays |= 1U << day;
      }
    }
    if (weekdays != 0) schedule.weekdays = static_cast<uint8_t>(weekdays);
    const DataNode time = node.child("time");
    if (time && !parse_hours(time.value(), schedule)) context.refuse(time);
    context.names.schedules[schedule.name] = {schedule, node, false};
    context.model.schedules.push_back(std::move(schedule));
  }
}

}  // namespace masugata::config::reading
