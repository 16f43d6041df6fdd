// SPDX-License-Identifier: GPL-2.0-or-later
// Where the engine reports to. Each call names things that are valid only during the call.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "ids/direction.h"
#include "ids/engine/packet_facts.h"
#include "ids/protocols/application_protocol.h"
#include "ids/protocols/transaction.h"
#include "ids/rules/rule.h"

namespace masugata::ids {

// What EVE says of every event of a flow.
struct EventFlow {
  uint64_t flow_id = 0;
  net::FlowKey key;  // client to server
  uint64_t start_us = 0;
  uint64_t last_us = 0;
  ApplicationProtocol protocol = ApplicationProtocol::Unknown;
  ApplicationProtocol protocol_to_server = ApplicationProtocol::Unknown;
  ApplicationProtocol protocol_to_client = ApplicationProtocol::Unknown;
  ApplicationProtocol protocol_original = ApplicationProtocol::Unknown;
  uint64_t packets[2] = {};
  uint64_t bytes[2] = {};
  bool established = false;
  bool closed = false;
  bool alerted = false;
  uint8_t tcp_flags[2] = {};
};

enum class AlertFate : uint8_t { Allowed, Blocked };

struct AlertEvent {
  const Rule* rule = nullptr;
  AlertFate fate = AlertFate::Allowed;
  RuleAction action = RuleAction::Alert;  // after overrides and rate_filter
  const PacketFacts* packet = nullptr;
  const EventFlow* flow = nullptr;     // null outside flows
  Transaction* transaction = nullptr;  // null for packet and stream rules
  std::span<const uint8_t> stream;     // the stream around the match; empty: none
};

// Thread: the engine's worker. Nothing throws or blocks.
class EventSink {
 public:
  virtual ~EventSink() = default;
  virtual void alert(const AlertEvent& event) noexcept = 0;
  // A packet was dropped; `rule` null when not by a rule, then `reason` says why.
  virtual void drop(const PacketFacts& packet, const EventFlow* flow, const Rule* rule,
                    std::string_view reason) noexcept = 0;
  // A transaction is complete (http, dns, tls, ssh, smtp, ftp ...).
  virtual void transaction(Transaction& transaction, const PacketFacts* packet,
                           const EventFlow& flow, Direction direction) noexcept = 0;
  virtual void file(const TransferredFile& file, Transaction& transaction,
                    const EventFlow& flow) noexcept = 0;
  // An application-layer, decode or stream event.
  virtual void anomaly(EventKind kind, std::string_view name, const PacketFacts* packet,
                       const EventFlow* flow) noexcept = 0;
  // A packet that a rule's `tag` asks for, after the one that the alert is about.
  virtual void tagged_packet(const PacketFacts& /*packet*/, const EventFlow* /*flow*/) noexcept {}
  virtual void flow_ended(const EventFlow& flow, std::string_view reason) noexcept = 0;
};

}  // namespace masugata::ids
