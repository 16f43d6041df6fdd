// SPDX-License-Identifier: GPL-2.0-or-later
// For tests: an engine with rules from text, packets made of a few words, and what it reported.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "ids/engine/engine_counters.h"
#include "ids/engine/inspection_engine.h"
#include "ids/eve/event_sink.h"
#include "ids/rules/rule_set.h"

namespace masugata::ids::testing {

class RecordingSink final : public EventSink {
 public:
  struct Alert {
    uint32_t sid = 0;
    uint64_t packet = 0;
    AlertFate fate = AlertFate::Allowed;
  };
  void alert(const AlertEvent& event) noexcept override;
  void drop(const PacketFacts& packet, const EventFlow* flow, const Rule* rule,
            std::string_view reason) noexcept override;
  void transaction(Transaction& transaction, const PacketFacts* packet, const EventFlow& flow,
                   Direction direction) noexcept override;
  void file(const TransferredFile& file, Transaction& transaction,
            const EventFlow& flow) noexcept override;
  void anomaly(EventKind kind, std::string_view name, const PacketFacts* packet,
               const EventFlow* flow) noexcept override;
  void tagged_packet(const PacketFacts& packet, const EventFlow* flow) noexcept override;
  void flow_ended(const EventFlow& flow, std::string_view reason) noexcept override;

  std::vector<Alert> alerts;
  std::vector<uint64_t> dropped_packets;
  std::vector<std::string> drop_reasons;
  std::vector<uint64_t> tagged;  // numbers of packets
  std::vector<std::string> anomalies;
  size_t transactions = 0;
  size_t files = 0;
  size_t flows_ended = 0;
  std::vector<EventFlow> flows;  // as they ended
};

// A parser of lines: each line to the server is a transaction, the next line to the client its
// answer. "uri" is http.uri, the answer's line the body of the response, growing with its bytes.
// Once both sides have said "seal" what follows is encrypted.
// After the line "change" another protocol begins, which is detected anew. What begins with '?' is
// no protocol; with '<', what a server says.
[[nodiscard]] ProtocolSource line_protocols();

class Bench {
 public:
  explicit Bench(std::string_view rules, const EngineLimits& limits = {},
                 const ProtocolSource& protocols = {});
  ~Bench();

  void use_rules(std::string_view rules,
                 const RuleEnvironment& environment = RuleEnvironment::defaults());

  // One TCP connection or UDP conversation, from 10.0.0.1:1025 to `server`.
  class Flow {
   public:
    Flow(Bench& bench, net::Protocol protocol, uint16_t port, std::string_view client,
         std::string_view server);
    // The packet's payload is the next bytes of the stream (TCP) or a datagram.
    InspectionVerdict send(Direction direction, std::string_view bytes);
    InspectionVerdict to_server(std::string_view bytes) { return send(Direction::ToServer, bytes); }
    InspectionVerdict to_client(std::string_view bytes) { return send(Direction::ToClient, bytes); }
    // A TCP packet whose payload the stream does not take in, with these flags.
    InspectionVerdict loose(Direction direction, std::string_view bytes, uint8_t flags = 0x18);
    // That side's last packet: the stream is complete behind `bytes`.
    InspectionVerdict end(Direction direction, std::string_view bytes = {}) {
      ends_ = true;
      return send(direction, bytes);
    }
    void gap(Direction direction, uint64_t missing) { missing_[index_of(direction)] = missing; }
    void close();
    [[nodiscard]] FlowInspection* inspection() const { return inspection_; }
    FlowState state;
    bool outside_stream = false;  // of the packets from now on

   private:
    InspectionVerdict pass(Direction direction, std::string_view bytes, bool in_stream,
                           uint8_t flags);
    Bench& bench_;
    net::FlowKey key_;
    FlowInspection* inspection_ = nullptr;
    uint64_t missing_[2] = {};
    bool ends_ = false;  // with the packet at hand
  };
  Flow tcp(uint16_t port = 80, std::string_view client = "10.0.0.1",
           std::string_view server = "192.0.2.1");
  Flow udp(uint16_t port = 53, std::string_view client = "10.0.0.1",
           std::string_view server = "192.0.2.1");

  // "1 1 2": sids of all alerts so far, in order.
  [[nodiscard]] std::string sids() const;
  void advance_seconds(uint64_t seconds) { now_us += seconds * 1'000'000; }

  RecordingSink sink;
  InspectionEngine engine;
  uint64_t now_us = 1'600'000'000'000'000;
  uint64_t packets = 0;
  uint64_t next_flow = 1;

 private:
  std::vector<std::shared_ptr<const DetectionPlan>> plans_;
};

}  // namespace masugata::ids::testing
