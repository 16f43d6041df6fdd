// SPDX-License-Identifier: GPL-2.0-or-later
// What a detection plan is made of: rules in the order in which they are judged, sorted into the
// places where packets, streams and transactions ask for them. For the engine; others see
// detection_plan.h.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "ids/buffers/buffer_properties.h"
#include "ids/direction.h"
#include "ids/matching/compiled_matches.h"
#include "ids/matching/endpoint_matcher.h"
#include "ids/plan/address_index.h"
#include "ids/plan/detection_plan.h"
#include "ids/plan/pattern_group.h"
#include "ids/rules/rule_set.h"
#include "net/flow_key.h"

namespace masugata::ids {

// Rules are numbered in the order in which they are judged: by PlanOptions::action_order, those
// that set flow variables before those that ask for them, then by priority.
using RuleNumber = uint32_t;

// When a rule is looked at.
enum class RuleKind : uint8_t {
  Address,        // asks only for addresses: once per direction of a flow
  ProtocolKnown,  // asks only for the application protocol: once, when that is known
  Packet,         // each packet
  Stream,         // new bytes of the stream, and perhaps each packet too
  Transaction,    // each transaction of the application protocol, until it matches
  FlowStart,      // the first packet of a flow
};

// Which packets, by what is above IP. A rule may stand in several.
enum class TransportClass : uint8_t { Tcp, Udp, Icmp, Other, Count };
inline constexpr size_t kTransportClasses = static_cast<size_t>(TransportClass::Count);
[[nodiscard]] TransportClass transport_class_of(net::Protocol protocol) noexcept;

struct CompiledRule {
  const Rule* rule = nullptr;
  RuleNumber number = 0;
  RuleKind kind = RuleKind::Packet;
  uint8_t transports = 0;      // bits of TransportClass
  bool on_packet = false;      // Stream: a packet's own payload is looked at as well
  bool flow_action = false;    // what it decides holds for the rest of the flow
  bool asks_protocol = false;  // for the application protocol, in its header or a condition
  bool one_transport = false;  // `transports` does not say all: protocol or version is checked
  uint8_t hook_progress = 0;   // Transaction: not before the side is this far, 0 = at once
  bool repeats = false;        // Transaction: matches at every change while the side is that far
  std::vector<CompiledBufferMatches> buffers;
  std::vector<const Condition*> checks;   // conditions without effects, cheap ones first
  std::vector<const Condition*> effects;  // flowbits:set and its like: carried out on a match
  std::vector<const Suppression*> suppressions;
  std::vector<uint32_t> exceptions;  // in DetectionPlan::exceptions
};

// What is asked of a packet before the rule itself is touched: see rule_gate.h. All small, as tens
// of thousands of them are asked at random.
struct RuleGate {
  struct Ports {
    uint16_t low = 0;
    uint16_t high = 0xffff;
    [[nodiscard]] bool hold(uint16_t port) const noexcept { return low <= port && port <= high; }
  };
  // Of a packet, from the sender of the bytes that are judged; ports are 0 where there are none.
  struct Packet {
    uint16_t source_port = 0;
    uint16_t destination_port = 0;
    uint8_t tcp_flags = 0;
    ApplicationProtocol application = ApplicationProtocol::Unknown;  // of its flow
  };
  Ports source;
  Ports destination;
  uint8_t flags_asked = 0;  // which TCP flags must be as `flags` says
  uint8_t flags = 0;
  ApplicationProtocol application = ApplicationProtocol::Unknown;  // Unknown: any
  bool in_transactions = false;  // its pattern in a payload concerns transactions: no gate

  [[nodiscard]] bool open_to(const Packet& packet) const noexcept {
    return source.hold(packet.source_port) && destination.hold(packet.destination_port) &&
           (packet.tcp_flags & flags_asked) == flags &&
           (application == ApplicationProtocol::Unknown || application == packet.application);
  }
};

// Rules that no pattern can find are looked at whenever their place is. Ascending.
using RuleList = std::vector<RuleNumber>;

// All patterns of one buffer in one direction, after the same transforms.
struct BufferGroup {
  BufferId buffer = BufferId::Payload;
  Direction direction = Direction::ToServer;
  uint16_t index = 0;  // in DetectionPlan::buffer_groups
  std::vector<Transform> source_transforms;
  CompiledTransforms transforms;
  PatternGroup patterns;
};

template <class T>
using PerDirection = std::array<T, 2>;
template <class T>
using PerTransport = std::array<T, kTransportClasses>;
template <class T>
using PerProtocol = std::array<T, static_cast<size_t>(ApplicationProtocol::Count)>;

// Immutable once compiled; all members are read by all workers.
class DetectionPlan {
 public:
  RuleSet set;
  PlanFacts facts;
  ParserDemands demands;
  PlanTables tables;

  std::vector<CompiledRule> rules;               // by RuleNumber
  std::vector<RuleGate> gates;                   // by RuleNumber
  std::vector<AddressMatcher> addresses;         // by index in RuleSet::address_sets
  std::vector<PortMatcher> ports;                // by index in RuleSet::port_sets
  std::vector<AddressMatcher> suppressed_hosts;  // by index in RuleSet::suppressions
  struct ExceptedHosts {
    AddressMatcher source;
    AddressMatcher destination;
  };
  std::vector<ExceptedHosts> exceptions;  // by index in RuleSet::exceptions

  // Without patterns. Address rules are found by a side that they name; those of both directions
  // and those of any address are looked at always.
  struct AddressRules {
    AddressIndex by_source;       // the rule's source holds the packet's source
    AddressIndex by_destination;  // of rules that name no source
    RuleList others;
  };
  PerTransport<AddressRules> address_rules;
  PerTransport<RuleList> flow_start_rules;
  RuleList protocol_known_rules;
  RuleList non_ip_rules;
  PerTransport<PerDirection<RuleList>> packet_lists;
  PerDirection<RuleList> stream_lists;
  PerProtocol<PerDirection<RuleList>> transaction_lists;
  // Transaction rules whose pattern is in payload_groups: looked at once it has been found.
  PerProtocol<PerDirection<RuleList>> payload_pattern_rules;
  // With patterns: of payloads (of TCP: packets and stream), and of buffers as protocols have them.
  PerTransport<PerDirection<PatternGroup>> payload_groups;
  std::vector<std::unique_ptr<BufferGroup>> buffer_groups;
  PerProtocol<PerDirection<std::vector<const BufferGroup*>>> transaction_groups;

  // Some rule looks into the stream of that direction: its bytes must be kept.
  PerDirection<bool> keeps_stream{};
};

}  // namespace masugata::ids
