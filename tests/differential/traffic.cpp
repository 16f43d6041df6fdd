// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/differential/traffic.h"

#include <algorithm>

namespace masugata::test {
namespace {

struct Hosts {
  const char* zone;
  std::array<const char*, 2> ipv4;
  std::array<const char*, 2> ipv6;
};

constexpr std::array kHosts = {
    Hosts{"lan", {"10.0.1.10", "10.0.1.11"}, {"2001:db8:2::10", "2001:db8:2::11"}},
    Hosts{"dmz", {"10.0.2.80", "10.0.2.81"}, {"2001:db8:3::80", "2001:db8:3::81"}},
    Hosts{"wan", {"198.51.100.5", "198.51.100.6"}, {"2001:db8:f::5", "2001:db8:f::6"}},
};

const Hosts& hosts_of(const std::string& zone) {
  for (const Hosts& hosts : kHosts) {
    if (zone == hosts.zone) return hosts;
  }
  return kHosts[0];
}

std::string with_port(const TrafficEndpoint& end) {
  const bool ipv6 = end.address.find(':') != std::string::npos;
  return (ipv6 ? "[" + end.address + "]" : end.address) + ":" + std::to_string(end.port);
}

// "SOURCE > DESTINATION" in the notation of the protocol.
std::string ends_text(const std::string& protocol, const TrafficEndpoint& from,
                      const TrafficEndpoint& to) {
  const bool ports = protocol == "tcp" || protocol == "udp" || protocol == "sctp";
  if (ports) return with_port(from) + " > " + with_port(to);
  return from.address + " > " + to.address;
}

// Both ends of a flow on one side of a gateway, in the direction of travel.
struct Ends {
  TrafficEndpoint from;
  TrafficEndpoint to;
};

// What a packet says when it arrives: the client speaks as it sees the world, the server answers to
// what it has seen.
Ends arriving(const TrafficFlow& flow, bool reply, size_t side) {
  if (!reply) return {flow.client, flow.server};
  const auto& observed = flow.observed[side];
  if (!observed) return {flow.server, flow.client};
  return {observed->server, observed->client};
}

std::string number(uint64_t value) { return std::to_string(value); }

}  // namespace

size_t TrafficGenerator::open_flow() {
  static constexpr std::array kPairs = {std::pair{"lan", "wan"}, std::pair{"lan", "wan"},
                                        std::pair{"lan", "dmz"}, std::pair{"wan", "dmz"},
                                        std::pair{"wan", "dmz"}, std::pair{"dmz", "wan"},
                                        std::pair{"wan", "lan"}, std::pair{"dmz", "lan"}};
  static constexpr std::array kServerPorts = {22, 53, 80, 443, 8080, 9000, 33434};
  const auto& [from, to] = kPairs[pick(random_, 0, kPairs.size() - 1)];
  TrafficFlow flow;
  flow.ipv6 = chance(random_, 35);
  flow.client_port = std::string(from) + "0";
  flow.server_port = std::string(to) + "0";
  const size_t client = pick(random_, 0, 1);
  const size_t server = pick(random_, 0, 1);
  flow.client.address = flow.ipv6 ? hosts_of(from).ipv6[client] : hosts_of(from).ipv4[client];
  flow.server.address = flow.ipv6 ? hosts_of(to).ipv6[server] : hosts_of(to).ipv4[server];
  const uint64_t kind = pick(random_, 0, 99);
  flow.protocol = kind < 50   ? "tcp"
                  : kind < 75 ? "udp"
                  : kind < 90 ? (flow.ipv6 ? "icmp6" : "icmp")
                  : kind < 95 ? "gre"
                              : "sctp";
  flow.client.port = static_cast<uint16_t>(next_port_++);
  if (next_port_ > 60000) next_port_ = 30000;
  flow.server.port = static_cast<uint16_t>(kServerPorts[pick(random_, 0, kServerPorts.size() - 1)]);
  const bool published =
      !flow.ipv6 && flow.server_port == "dmz0" && !rules_.forwards.empty() && chance(random_, 50);
  if (published) {
    const auto& forward = rules_.forwards[pick(random_, 0, rules_.forwards.size() - 1)];
    flow.protocol = forward.protocol;
    flow.server = {"203.0.113.2", forward.public_port};
  }
  if (flow.protocol == "icmp" || flow.protocol == "icmp6") {
    flow.server.port = flow.client.port;
    flow.to_self = chance(random_, 15);
    if (flow.to_self) {
      flow.server.address = flow.client_port == "lan0" ? (flow.ipv6 ? "2001:db8:2::1" : "10.0.1.1")
                            : flow.client_port == "dmz0"
                                ? (flow.ipv6 ? "2001:db8:3::1" : "10.0.2.1")
                                : (flow.ipv6 ? "2001:db8:1::2" : "203.0.113.2");
    }
  }
  flow.client_next = static_cast<uint32_t>(random_());
  flow.server_next = static_cast<uint32_t>(random_());
  flows_.push_back(std::move(flow));
  return flows_.size() - 1;
}

// Mostly one of the last flows that still agree; else a new one.
size_t TrafficGenerator::choose_flow() {
  constexpr size_t kRecent = 12;
  if (flows_.empty() || chance(random_, 18)) return open_flow();
  const size_t recent = std::min(kRecent, flows_.size());
  for (int attempt = 0; attempt < 6; ++attempt) {
    const size_t index = flows_.size() - 1 - pick(random_, 0, recent - 1);
    const TrafficFlow& flow = flows_[index];
    // Flows that nobody let through are not talked to for long.
    const bool idle = !flow.seen_by_both() && flow.packets >= 3;
    if (!flow.diverged && !idle) return index;
  }
  return open_flow();
}

TrafficGenerator::TcpStep TrafficGenerator::next_tcp_step(TrafficFlow& flow) {
  TcpStep step;
  const uint64_t choice = pick(random_, 0, 99);
  step.window = pick(random_, 500, 65535);
  if (flow.stage == 0) {
    step.flags = "S";
    if (chance(random_, 60)) step.options += " mss 1460";
    if (chance(random_, 60)) step.options += " wscale " + number(pick(random_, 0, 14));
    if (chance(random_, 40)) step.options += " sack-permitted";
    if (chance(random_, 30)) step.options += " ts 1 0";
    step.sequence = flow.client_next++;
    flow.stage = 1;
  } else if (flow.stage == 1) {
    step.reply = true;
    step.acknowledgement = flow.client_next;
    if (choice < 85) {
      step.flags = "SA";
      if (chance(random_, 60)) step.options += " wscale " + number(pick(random_, 0, 14));
      step.sequence = flow.server_next++;
      flow.stage = 2;
    } else {
      step.flags = "RA";
      flow.stage = 4;
    }
  } else if (flow.stage == 2) {
    step.sequence = flow.client_next;
    step.acknowledgement = flow.server_next;
    flow.stage = 3;
  } else {
    continue_open_flow(flow, choice, step);
  }
  return step;
}

void TrafficGenerator::continue_open_flow(TrafficFlow& flow, uint64_t choice, TcpStep& step) {
  step.reply = chance(random_, 50);
  uint32_t& next = step.reply ? flow.server_next : flow.client_next;
  bool& finished = step.reply ? flow.server_finished : flow.client_finished;
  step.sequence = next;
  step.acknowledgement = step.reply ? flow.client_next : flow.server_next;
  if (choice < 55 && !finished) {
    step.flags = "AP";
    step.payload = pick(random_, 1, 120);
    next += static_cast<uint32_t>(step.payload);
  } else if (choice < 72 && !finished) {
    step.flags = "AF";
    finished = true;
    ++next;
  } else if (choice < 76) {
    step.flags = chance(random_, 50) ? "R" : "RA";
    flow.stage = 4;
  }
}

void TrafficGenerator::disturb(TcpStep& step) {
  static constexpr std::array kFlags = {"S",  "SA", "A",      "R",   "RA", "AF", "F",   "none",
                                        "AP", "SF", "UAPRSF", "APF", "U",  "UA", "CES", "PU"};
  switch (pick(random_, 0, 7)) {
    case 0:
      step.sequence += static_cast<uint32_t>(pick(random_, 1, 100000));
      break;
    case 1:
      step.sequence -= static_cast<uint32_t>(pick(random_, 1, 100000));
      break;
    case 2:
      step.acknowledgement += static_cast<uint32_t>(pick(random_, 1, 100000));
      break;
    case 3:
      step.acknowledgement -= static_cast<uint32_t>(pick(random_, 1, 200000));
      break;
    case 4:
      step.flags = kFlags[pick(random_, 0, kFlags.size() - 1)];
      break;
    case 5:
      step.window = 0;
      break;
    case 6:
      step.reply = !step.reply;
      break;
    default:
      step.sequence = static_cast<uint32_t>(random_());
      break;
  }
}

LogicalFrame TrafficGenerator::tcp_packet(size_t index) {
  TrafficFlow& flow = flows_[index];
  LogicalFrame frame;
  frame.flow = index;
  frame.kind = "tcp valid";
  TcpStep step = next_tcp_step(flow);
  if (chance(random_, 22)) {
    frame.kind = "tcp out of state";
    disturb(step);
    // What the other end makes of it is not followed.
    if (chance(random_, 50)) flow.stage = 4;
  }
  frame.reply = step.reply;
  for (size_t side = 0; side < kSides; ++side) {
    const Ends ends = arriving(flow, step.reply, side);
    frame.recipes[side] = "tcp " + ends_text("tcp", ends.from, ends.to) + " flags " + step.flags +
                          " seq " + number(step.sequence) + " ack " + number(step.acknowledgement) +
                          " win " + number(step.window) + step.options;
    if (step.payload > 0) frame.recipes[side] += " payload-pattern " + number(step.payload);
  }
  return frame;
}

LogicalFrame TrafficGenerator::simple_packet(size_t index) {
  TrafficFlow& flow = flows_[index];
  LogicalFrame frame;
  frame.flow = index;
  frame.reply = flow.packets > 0 && chance(random_, 45);
  frame.kind = flow.protocol;
  // GRE shorter than eight bytes is none to the kernel.
  const uint64_t size = pick(random_, flow.protocol == "gre" ? 4 : 0, 200);
  const bool echo = flow.protocol == "icmp" || flow.protocol == "icmp6";
  const uint64_t sequence = pick(random_, 0, 100);
  const uint64_t other = pick(random_, 0, 99);
  for (size_t side = 0; side < kSides; ++side) {
    const Ends ends = arriving(flow, frame.reply, side);
    std::string& text = frame.recipes[side];
    text = flow.protocol + " ";
    if (echo) {
      text += frame.reply ? "echo-reply " : "echo-request ";
      if (other < 6) text = flow.protocol + " type " + number(other * 40) + " code 0 ";
    }
    text += ends_text(flow.protocol, ends.from, ends.to);
    if (echo)
      text +=
          " id " + number(frame.reply ? ends.to.port : ends.from.port) + " seq " + number(sequence);
    if (flow.protocol == "sctp") text += " tag 7";
    // The first four bytes of GRE are its header: version 0, no options, IPv4 inside.
    if (flow.protocol == "gre") {
      text += " payload 00000800" + std::string(2 * size, '5');
    } else if (size > 0) {
      text += " payload-pattern " + number(size);
    }
  }
  if (echo && other < 6) frame.kind = "icmp other type";
  return frame;
}

// About a packet of the flow as the reporting router has seen it.
LogicalFrame TrafficGenerator::icmp_error(size_t index) {
  const TrafficFlow& flow = flows_[index];
  LogicalFrame frame;
  frame.flow = index;
  frame.kind = "icmp error";
  frame.reply = chance(random_, 70);  // about a packet of the client
  static constexpr std::array kErrors4 = {
      "unreachable port",  "unreachable host", "time-exceeded", "unreachable needs-fragmentation",
      "parameter-problem", "source-quench",    "redirect host"};
  static constexpr std::array kErrors6 = {"unreachable port",  "unreachable address",
                                          "time-exceeded",     "too-big",
                                          "parameter-problem", "unreachable no-route"};
  const std::string error = flow.ipv6 ? kErrors6[pick(random_, 0, kErrors6.size() - 1)]
                                      : kErrors4[pick(random_, 0, kErrors4.size() - 1)];
  const bool by_router = chance(random_, 40);
  const bool wrong_port = chance(random_, 15);
  const uint64_t truncate = chance(random_, 30) ? (flow.ipv6 ? 48 : 28) : 0;
  const bool echo = flow.protocol == "icmp" || flow.protocol == "icmp6";
  for (size_t side = 0; side < kSides; ++side) {
    const ObservedFlow& seen = *flow.observed[side];
    // The quoted packet, as it was before it came back here.
    Ends quoted = frame.reply ? Ends{seen.client, seen.server} : Ends{flow.server, flow.client};
    if (wrong_port) quoted.to.port = static_cast<uint16_t>(quoted.to.port ^ 1U);
    std::string inner = flow.protocol + " ";
    if (echo) inner += frame.reply ? "echo-request " : "echo-reply ";
    inner += ends_text(flow.protocol, quoted.from, quoted.to);
    if (echo) inner += " id " + number(frame.reply ? quoted.from.port : quoted.to.port) + " seq 1";
    inner += flow.protocol == "gre" ? " payload 000008005555555555555555" : " payload-pattern 20";
    if (truncate > 0) inner += " | truncate " + number(truncate);
    std::string source = quoted.to.address;
    if (by_router && frame.reply) {
      const Hosts& hosts = hosts_of(flow.server_port.substr(0, 3));
      source = flow.ipv6 ? hosts.ipv6[1] : hosts.ipv4[1];
    }
    frame.recipes[side] = std::string(flow.ipv6 ? "icmp6 " : "icmp ") + error + " " + source +
                          " > " + quoted.from.address +
                          (error == "redirect host" ? " gateway 10.0.1.11" : "") +
                          (error == "too-big" ? " mtu 1400" : "") + " quoting { " + inner + " }";
  }
  return frame;
}

LogicalFrame TrafficGenerator::packet_of(size_t index) {
  TrafficFlow& flow = flows_[index];
  LogicalFrame frame;
  const bool error = flow.seen_by_both() && !flow.to_self && chance(random_, 8);
  if (error) {
    frame = icmp_error(index);
  } else if (flow.protocol == "tcp") {
    frame = tcp_packet(index);
  } else {
    frame = simple_packet(index);
  }
  ++flow.packets;
  if (flow.to_self) frame.reply = false;
  frame.port = frame.reply ? flow.server_port : flow.client_port;
  if (flow.to_self) {
    for (std::string& recipe : frame.recipes) {
      recipe = flow.protocol + " echo-request " + flow.client.address + " > " +
               flow.server.address + " id " + number(flow.client.port) + " seq 1";
    }
  }
  return frame;
}

void TrafficGenerator::damage(LogicalFrame& frame) {
  const TrafficFlow& flow = flows_[frame.flow];
  const std::string network = flow.ipv6 ? "ipv6 " : "ipv4 ";
  auto prepend = [&frame](const std::string& text) {
    for (std::string& recipe : frame.recipes) recipe = text + " | " + recipe;
  };
  auto append = [&frame](const std::string& text) {
    for (std::string& recipe : frame.recipes) recipe += text;
  };
  switch (pick(random_, 0, 9)) {
    case 0:
    case 1:
    case 2: {
      frame.kind = "bit flip";
      const uint64_t count = pick(random_, 1, 3);
      for (uint64_t index = 0; index < count; ++index) {
        // Mostly headers behind the MAC addresses, at times anywhere.
        const uint64_t position =
            chance(random_, 80) ? pick(random_, 12, 60) : pick(random_, 0, 300);
        frame.flips.push_back({position, static_cast<uint8_t>(1U << pick(random_, 0, 7))});
      }
      break;
    }
    case 3:
      frame.kind = "truncated";
      append(" | truncate " + number(pick(random_, 0, 60)));
      break;
    case 4:
      frame.kind = "ttl";
      prepend(network + (flow.ipv6 ? "hop-limit " : "ttl ") + number(pick(random_, 0, 2)));
      break;
    case 5:
      frame.kind = "ip options";
      if (flow.ipv6) {
        static constexpr std::array kHeaders = {"hop-by-hop options 050200000100",
                                                "destination-options",
                                                "routing type 0 segments-left 1 data 00000000",
                                                "hop-by-hop options c20400000000",
                                                "destination-options | hop-by-hop",
                                                "hop-by-hop options 000000000000"};
        prepend(kHeaders[pick(random_, 0, kHeaders.size() - 1)]);
      } else {
        static constexpr std::array kOptions = {"94040000", "8307040a00020100", "07270400",
                                                "01010101", "44010000",         "8904040a"};
        prepend(std::string("ipv4 options ") + kOptions[pick(random_, 0, kOptions.size() - 1)]);
      }
      break;
    case 6:
      frame.kind = "wrong length";
      prepend(network + (flow.ipv6 ? "payload-length " : "total-length ") +
              number(pick(random_, 0, 200)));
      break;
    case 7:
      frame.kind = "wrong port";
      frame.port = frame.port == "lan0" ? "dmz0" : frame.port == "dmz0" ? "wan0" : "lan0";
      break;
    case 8:
      frame.kind = "padding";
      append(" | padding " + number(pick(random_, 1, 40)));
      break;
    default:
      frame.kind = "type of service";
      prepend(network + (flow.ipv6 ? "traffic-class " : "tos ") + number(pick(random_, 0, 255)));
      break;
  }
}

std::vector<LogicalFrame> TrafficGenerator::fragments_of(const LogicalFrame& frame) {
  std::vector<LogicalFrame> fragments;
  const uint64_t step = 8 * pick(random_, chance(random_, 10) ? 1 : 3, 12);
  const std::string id = " id " + number(next_id_++ & 0xffffU);
  constexpr uint64_t kLongest = 320;
  for (uint64_t offset = 0; offset < kLongest; offset += step) {
    LogicalFrame fragment = frame;
    fragment.kind = "fragment";
    for (std::string& recipe : fragment.recipes) {
      recipe += " | cut " + number(offset) + "+" + number(step) + id;
    }
    fragments.push_back(std::move(fragment));
  }
  if (chance(random_, 30)) {
    std::shuffle(fragments.begin(), fragments.end(), random_);
    for (LogicalFrame& fragment : fragments) fragment.kind = "fragment shuffled";
  }
  if (chance(random_, 12)) {
    const uint64_t index = pick(random_, 0, fragments.size() - 1);
    const uint64_t what = pick(random_, 0, 2);
    LogicalFrame copy = fragments[index];
    if (what == 0) {
      fragments.erase(fragments.begin() + static_cast<ptrdiff_t>(index));
    } else {
      for (std::string& recipe : copy.recipes) {
        if (what == 2) recipe += recipe.ends_with("more") ? "" : " more";
      }
      fragments.insert(fragments.begin() + static_cast<ptrdiff_t>(pick(random_, 0, index)), copy);
    }
    for (LogicalFrame& fragment : fragments) fragment.kind = "fragment broken";
  }
  return fragments;
}

std::vector<LogicalFrame> TrafficGenerator::next() {
  LogicalFrame frame = packet_of(choose_flow());
  const TrafficFlow& flow = flows_[frame.flow];
  const bool long_enough = frame.recipes[0].find("payload-pattern") != std::string::npos;
  if (long_enough && !flow.to_self && frame.kind != "icmp error" && chance(random_, 8)) {
    return fragments_of(frame);
  }
  if (chance(random_, 18)) damage(frame);
  return {frame};
}

}  // namespace masugata::test
