// SPDX-License-Identifier: GPL-2.0-or-later
#include "ids/engine/test_bench.h"

#include <cstdio>
#include <cstdlib>

namespace masugata::ids::testing {

void RecordingSink::alert(const AlertEvent& event) noexcept {
  alerts.push_back({event.rule->sid, event.packet->number, event.fate});
}
void RecordingSink::drop(const PacketFacts& packet, const EventFlow*, const Rule*,
                         std::string_view reason) noexcept {
  dropped_packets.push_back(packet.number);
  drop_reasons.emplace_back(reason);
}
void RecordingSink::transaction(Transaction&, const PacketFacts*, const EventFlow&,
                                Direction) noexcept {
  ++transactions;
}
void RecordingSink::file(const TransferredFile&, Transaction&, const EventFlow&) noexcept {
  ++files;
}
void RecordingSink::anomaly(EventKind, std::string_view name, const PacketFacts*,
                            const EventFlow*) noexcept {
  anomalies.emplace_back(name);
}
void RecordingSink::tagged_packet(const PacketFacts& packet, const EventFlow*) noexcept {
  tagged.push_back(packet.number);
}
void RecordingSink::flow_ended(const EventFlow& flow, std::string_view) noexcept {
  ++flows_ended;
  flows.push_back(flow);
}

Bench::Bench(std::string_view rules, const EngineLimits& limits, const ProtocolSource& protocols)
    : engine(limits, sink, protocols) {
  use_rules(rules);
}
Bench::~Bench() { engine.use_plan(nullptr); }

void Bench::use_rules(std::string_view rules, const RuleEnvironment& environment) {
  RuleSet set = read_rules({{"test.rules", std::string(rules)}}, environment);
  auto plan = compile_plan(std::move(set), {});
  if (!plan) {
    std::fprintf(stderr, "%s\n", plan.error().message().c_str());
    std::abort();
  }
  for (const RuleProblem& problem : rules_of(**plan).problems) {
    std::fprintf(stderr, "%s:%u %s %s\n", problem.file.c_str(), problem.line,
                 problem.keyword.c_str(), problem.reason.c_str());
    std::abort();
  }
  plans_.push_back(*plan);
  engine.use_plan(plans_.back().get());
}

Bench::Flow::Flow(Bench& bench, net::Protocol protocol, uint16_t port, std::string_view client,
                  std::string_view server)
    : bench_(bench) {
  key_.source = *net::IpAddress::parse(client);
  key_.destination = *net::IpAddress::parse(server);
  key_.set_transport(net::Be16::from_host(1025), net::Be16::from_host(port), protocol);
  inspection_ = bench.engine.open_flow({key_, bench.next_flow++, bench.now_us, false});
  state.established = protocol == net::Protocol::Tcp;
}

InspectionVerdict Bench::Flow::send(Direction direction, std::string_view bytes) {
  return pass(direction, bytes, true, 0x18);
}

InspectionVerdict Bench::Flow::loose(Direction direction, std::string_view bytes, uint8_t flags) {
  return pass(direction, bytes, false, flags);
}

// An IPv4 packet with a header of TCP or UDP that is right as far as rules ask.
InspectionVerdict Bench::Flow::pass(Direction direction, std::string_view bytes, bool in_stream,
                                    uint8_t flags) {
  const bool tcp = key_.protocol == net::Protocol::Tcp;
  std::string packet(tcp ? 40 : 28, '\0');
  const net::FlowKey key = direction == Direction::ToServer ? key_ : key_.reversed();
  packet[0] = 0x45;
  packet[8] = 64;
  packet[9] = static_cast<char>(key.protocol);
  const size_t size = packet.size() + bytes.size();
  packet[2] = static_cast<char>(size >> 8U);
  packet[3] = static_cast<char>(size);
  const net::Be32 source = key.source.v4();
  const net::Be32 destination = key.destination.v4();
  packet.replace(12, 4, reinterpret_cast<const char*>(&source.raw), 4);
  packet.replace(16, 4, reinterpret_cast<const char*>(&destination.raw), 4);
  packet.replace(20, 2, reinterpret_cast<const char*>(&key.source_port.raw), 2);
  packet.replace(22, 2, reinterpret_cast<const char*>(&key.destination_port.raw), 2);
  if (tcp) {
    packet[32] = 0x50;
    packet[33] = static_cast<char>(flags);
  }
  const size_t headers = packet.size();
  packet += bytes;
  PacketFacts facts;
  facts.time_us = bench_.now_us;
  facts.number = ++bench_.packets;
  facts.key = key;
  facts.network = {reinterpret_cast<const uint8_t*>(packet.data()), packet.size()};
  facts.transport = facts.network.subspan(20);
  facts.payload = facts.network.subspan(headers);
  facts.direction = direction;
  facts.outside_stream = outside_stream;
  const size_t side = index_of(direction);
  ++state.packets[side];
  state.bytes[side] += packet.size();
  state.stream_bytes[side] += in_stream ? bytes.size() : 0;
  if (!tcp) {
    state.established = state.packets[0] != 0 && state.packets[1] != 0;
  }
  std::vector<StreamBytes> streams;
  if (tcp && in_stream && (!bytes.empty() || missing_[side] != 0 || ends_)) {
    streams.push_back({direction, facts.payload, missing_[side], ends_});
    missing_[side] = 0;
    ends_ = false;
  }
  return bench_.engine.inspect(facts, inspection_, state, streams);
}

void Bench::Flow::close() {
  bench_.engine.close_flow(inspection_, bench_.now_us, "closed");
  inspection_ = nullptr;
}

Bench::Flow Bench::tcp(uint16_t port, std::string_view client, std::string_view server) {
  return {*this, net::Protocol::Tcp, port, client, server};
}
Bench::Flow Bench::udp(uint16_t port, std::string_view client, std::string_view server) {
  return {*this, net::Protocol::Udp, port, client, server};
}

std::string Bench::sids() const {
  std::string text;
  for (const RecordingSink::Alert& alert : sink.alerts) {
    text += (text.empty() ? "" : " ") + std::to_string(alert.sid);
  }
  return text;
}

namespace {

class LineTransaction final : public Transaction {
 public:
  std::string lines[2];

  BufferBytes buffer(BufferId buffer, Direction direction, uint32_t instance) noexcept override {
    if (instance != 0) {
      return {};
    }
    const size_t side = index_of(direction);
    const std::span<const uint8_t> bytes{reinterpret_cast<const uint8_t*>(lines[side].data()),
                                         lines[side].size()};
    const bool over = finished[side];
    if (buffer == BufferId::HttpUri) {
      return over ? BufferBytes{BufferState::Complete, bytes, 0}
                  : BufferBytes{BufferState::NotYet, {}, 0};
    }
    if (buffer == BufferId::HttpResponseBody || buffer == BufferId::HttpRequestBody ||
        buffer == BufferId::FileData) {
      return {over ? BufferState::Complete : BufferState::Partial, bytes, 0};
    }
    return {};
  }
};

class LineParser final : public ProtocolParser {
 public:
  LineParser() : ProtocolParser(ApplicationProtocol::Http) {}

  ParseOutcome on_data(Direction direction, std::span<const uint8_t> bytes,
                       uint64_t) noexcept override {
    const size_t side = index_of(direction);
    size_t taken = 0;
    for (const uint8_t byte : bytes) {
      LineTransaction* transaction = current(direction);
      if (transaction == nullptr || byte == '!') {
        return ParseOutcome::Failed;
      }
      transaction->touch(direction);
      ++taken;
      if (byte == '\n') {
        transaction->finished[side] = true;
        sealed_[side] = sealed_[side] || transaction->lines[side] == "seal";
        if (transaction->lines[side] == "change") {
          consumed_ = taken;
          return ParseOutcome::Changed;
        }
      } else {
        transaction->lines[side] += static_cast<char>(byte);
      }
    }
    return ParseOutcome::Going;
  }
  void on_end(Direction direction) noexcept override {
    for (const auto& transaction : transactions()) {
      transaction->finished[index_of(direction)] = true;
      transaction->touch(direction);
    }
  }

  [[nodiscard]] size_t consumed() const noexcept override { return consumed_; }
  [[nodiscard]] bool is_encrypted() const noexcept override { return sealed_[0] && sealed_[1]; }

 private:
  std::array<bool, 2> sealed_{};
  size_t consumed_ = SIZE_MAX;
  LineTransaction* current(Direction direction) noexcept {
    for (const auto& transaction : transactions()) {
      if (!transaction->finished[index_of(direction)]) {
        return static_cast<LineTransaction*>(transaction.get());
      }
    }
    if (direction == Direction::ToClient) {
      return nullptr;
    }
    return static_cast<LineTransaction*>(append(std::make_unique<LineTransaction>()));
  }
};

DetectionAnswer detect_lines(const DetectionQuestion& question) noexcept {
  if (question.to_server.empty()) {
    return {};
  }
  if (question.to_server[0] == '<') {
    return {ApplicationProtocol::Http, Direction::ToServer, true};
  }
  return question.to_server[0] == '?'
             ? DetectionAnswer{ApplicationProtocol::Failed, Direction::ToServer, false}
             : DetectionAnswer{ApplicationProtocol::Http, Direction::ToServer, false};
}

std::unique_ptr<ProtocolParser> make_lines(ApplicationProtocol, const ParserDemands&, bool) {
  return std::make_unique<LineParser>();
}

}  // namespace

ProtocolSource line_protocols() { return {&detect_lines, &make_lines}; }

}  // namespace masugata::ids::testing
