// SPDX-License-Identifier: GPL-2.0-or-later
// A rule of the Suricata rule language, read and resolved but not yet compiled.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "ids/buffers/buffer_id.h"
#include "ids/direction.h"
#include "ids/protocols/application_protocol.h"
#include "ids/rules/condition.h"
#include "ids/rules/payload_match.h"
#include "net/address.h"

namespace masugata::ids {

enum class RuleAction : uint8_t { Alert, Pass, Drop, RejectSource, RejectDestination, RejectBoth };

// The protocol of the rule header. Application protocols are Application with `application` set.
enum class RuleProtocol : uint8_t {
  Ip,
  Tcp,
  Udp,
  Icmp,
  Sctp,
  Gre,
  TcpPacket,
  TcpStream,
  PacketHeader,
  Application,
  Ipv4,
  Ipv6,
  Icmpv6
};

// A set of addresses or ports as the header writes it, negations resolved: sorted, disjoint,
// inclusive ranges. `any` is true for "any" and then `ranges` is empty.
struct AddressSet {
  bool any = true;
  std::vector<std::pair<net::IpAddress, net::IpAddress>> ranges;  // first <= last
  bool operator==(const AddressSet&) const = default;
};
struct PortSet {
  bool any = true;
  std::vector<std::pair<uint16_t, uint16_t>> ranges;
  bool operator==(const PortSet&) const = default;
};

// The matches on one buffer, in the order written. A rule may look at the same buffer twice: that
// makes two of these when a sticky keyword of it is written again after another buffer... and
// for multi-instance buffers each must then match, not necessarily on the same instance.
struct BufferMatches {
  BufferId buffer = BufferId::Payload;
  std::vector<Transform> transforms;  // applied in this order before anything is matched
  std::vector<PayloadMatch> matches;
  // For `=>` rules and `bidir.toserver;`: which direction this buffer is meant to be of.
  std::optional<Direction> side;
};

enum class ThresholdKind : uint8_t { None, Limit, Threshold, Both, DetectionFilter, Rate, Backoff };
enum class ThresholdTrack : uint8_t { Source, Destination, Both, Rule, Flow };

struct Threshold {
  ThresholdKind kind = ThresholdKind::None;
  ThresholdTrack track = ThresholdTrack::Source;
  uint32_t count = 0;
  uint32_t seconds = 0;
  uint32_t multiplier = 0;                    // of backoff
  RuleAction new_action = RuleAction::Alert;  // of rate_filter
  uint32_t timeout_seconds = 0;               // of rate_filter
};

struct Reference {
  std::string type;
  std::string value;
};

struct RuleHook {
  ApplicationProtocol protocol = ApplicationProtocol::Unknown;
  std::string name;
};

struct Rule {
  // Where it was read.
  uint32_t file = 0;  // index into RuleSet::files
  uint32_t line = 0;
  std::string text;  // the whole rule as written, for `show` and EVE's "rule"

  RuleAction action = RuleAction::Alert;
  // As the header says. `application` is that of the header, else what the buffers imply: a `tcp`
  // rule with http.uri has protocol Tcp and application Http.
  RuleProtocol protocol = RuleProtocol::Ip;
  ApplicationProtocol application = ApplicationProtocol::Unknown;
  std::string hook;     // after ':' in the protocol ("flow_start", "response_line"), empty = none
  uint32_t source = 0;  // indexes into RuleSet::address_sets / port_sets (shared: rules
  uint32_t destination = 0;  // with the same group have the same index; 0 = any)
  uint32_t source_port = 0;
  uint32_t destination_port = 0;
  bool bidirectional = false;  // <>
  bool transactional = false;  // =>  one rule over both directions of a transaction

  uint32_t sid = 0;
  uint32_t gid = 1;
  uint32_t revision = 0;
  std::string message;
  std::string classtype;       // short name
  std::string classification;  // description from classification.config
  uint8_t priority = 3;        // 1 is the highest
  std::vector<Reference> references;
  std::vector<std::pair<std::string, std::string>> metadata;
  enum class Target : uint8_t { None, Source, Destination } target = Target::None;
  bool no_alert = false;   // noalert, flowbits:noalert
  bool bypass = false;     // `bypass`: after its match the rest of the flow is not inspected
  bool prefilter = false;  // `prefilter` keyword
  bool tagged = false;     // `tag`: the packets after the alert are logged too
  uint32_t tag_count = 0;  // with its unit
  enum class TagUnit : uint8_t { Packets, Seconds, Bytes } tag_unit = TagUnit::Packets;
  enum class TagScope : uint8_t {
    Session,
    HostSource,
    HostDestination
  } tag_scope = TagScope::Session;

  std::optional<Direction> direction;  // flow:to_server / to_client, or what the buffers imply
  std::vector<Condition> conditions;
  std::vector<BufferMatches> buffers;
  std::vector<Threshold> thresholds;  // threshold, detection_filter; rate_filter from the file
  uint8_t variable_count = 0;         // byte_extract and byte_math results

  // Asked for by keywords: what must be computed for the flows that the rule sees.
  bool needs_md5 = false;
  bool needs_sha1 = false;
  bool needs_sha256 = false;
  bool needs_magic = false;
  bool needs_ja3 = false;
  bool needs_ja4 = false;
  bool needs_hassh = false;
};

}  // namespace masugata::ids
