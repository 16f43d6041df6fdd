// SPDX-License-Identifier: GPL-2.0-or-later
// The whole engine with a small set of rules that asks for a bit of everything. Input: records of
// one byte for flow (2 bits), direction (1), kind (2) and whether time passes (1), two bytes of
// length, and so many bytes, which are the next bytes of a stream, a datagram, or a packet beside
// its stream. Whatever comes: nothing is read beyond its end, what a verdict says of a whole flow
// stays true for it, and flows can be closed at any time.
#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "ids/engine/inspection_engine.h"
#include "ids/eve/event_sink.h"
#include "ids/protocols/content_recorder.h"
#include "ids/rules/rule_set.h"

namespace {

using namespace masugata::ids;  // NOLINT: a program of one file
namespace net = masugata::net;

constexpr std::string_view kRules = R"(
alert tcp any any -> any any (msg:"bytes"; content:"attack"; nocase; sid:1;)
drop tcp any any -> any any (content:"evil"; content:"|0d 0a|"; distance:0; within:9; sid:2;)
reject tcp any any -> any any (flow:established,to_server; pcre:"/^GET\s+\/(\w+)bad/i"; sid:3;)
pass tcp any any -> any any (content:"friend"; depth:20; sid:4;)
alert http any any -> any any (http.uri; content:"/x"; http.header; content:"a"; sid:5;)
drop http any any -> any any (file_data; content:"virus"; sid:6;)
alert http any any -> any any (http.method; content:"P"; http.request_body; to_sha256; bsize:32; sid:7;)
alert dns any any -> any any (dns.query; dotprefix; content:".a"; endswith; sid:8;)
alert tls any any -> any any (tls.sni; content:"a"; threshold:type limit,track by_src,count 1,seconds 60; sid:9;)
alert ssh any any -> any any (ssh.proto; content:"2"; sid:10;)
alert smtp any any -> any any (file_data; content:"a"; filename:"a"; sid:11;)
alert tcp any any -> any any (content:"u"; byte_jump:1,0,relative; isdataat:2,relative; sid:12;)
alert tcp any any -> any any (byte_extract:2,0,n,little; byte_test:1,>,n,2; flowbits:set,b; sid:13;)
alert tcp any any -> any any (flowbits:isset,b; flowint:c,+,1; flowint:c,>,2; content:"b"; sid:14;)
alert udp any any -> any any (dsize:>100; content:!"a"; detection_filter:track by_src,count 2,seconds 9; sid:15;)
alert tcp any any -> any any (base64_decode:bytes 9,offset 1,relative; base64_data; content:"a"; sid:16;)
alert tcp any any -> any any (flags:S,12; xbits:set,x,track ip_src,expire 9; sid:17;)
alert ip any any -> any any (xbits:isset,x,track ip_src; ttl:>3; sid:18;)
alert http any any -> any any (app-layer-event:http.request_header_invalid; sid:19;)
alert http any any -> any any (http.response_body; content:"z"; flow:to_client; sid:20;)
)";

void require(bool holds) {
  if (!holds) std::abort();
}

// Once per process: compiling the rules takes longer than thousands of inputs.
const DetectionPlan& plan() {
  static const std::shared_ptr<const DetectionPlan> made = [] {
    RuleSet rules = read_rules({{"fuzz.rules", std::string(kRules)}}, RuleEnvironment::defaults());
    for (const RuleProblem& problem : rules.problems) {
      std::fprintf(stderr, "line %u: %s %s\n", static_cast<unsigned>(problem.line),
                   problem.keyword.c_str(), problem.reason.c_str());
    }
    require(rules.problems.empty());
    auto compiled = compile_plan(std::move(rules), {});
    require(compiled.has_value());
    return *compiled;
  }();
  return *made;
}

// Reads what it is told.
class Listener final : public EventSink {
 public:
  void alert(const AlertEvent&) noexcept override {}
  void drop(const PacketFacts&, const EventFlow*, const Rule* rule,
            std::string_view reason) noexcept override {
    require(rule != nullptr || !reason.empty());
  }
  void transaction(Transaction& transaction, const PacketFacts*, const EventFlow&,
                   Direction) noexcept override {
    require(transaction.files().size() <= kMaximumFiles);
  }
  void file(const TransferredFile&, Transaction&, const EventFlow&) noexcept override {}
  void anomaly(EventKind, std::string_view name, const PacketFacts*,
               const EventFlow*) noexcept override {
    require(!name.empty());
  }
  void flow_ended(const EventFlow&, std::string_view) noexcept override {}
};

enum class Kind : uint8_t { Stream, Gap, Loose, Close };

// One connection or conversation; opened anew after it was closed.
class Conversation {
 public:
  Conversation(InspectionEngine& engine, uint8_t place) : engine_(engine), tcp_(place != 3) {
    key_.source = *net::IpAddress::parse("10.0.0.1");
    key_.destination = *net::IpAddress::parse("192.0.2.1");
    key_.protocol = tcp_ ? net::Protocol::Tcp : net::Protocol::Udp;
    key_.source_port = net::Be16::from_host(static_cast<uint16_t>(1025 + place));
    static constexpr std::array<uint16_t, 4> kPorts{80, 25, 443, 53};
    key_.destination_port = net::Be16::from_host(kPorts[place]);
  }

  void take(Kind kind, Direction direction, std::span<const uint8_t> bytes, uint64_t now_us) {
    if (kind == Kind::Close) return close(now_us);
    if (flow_ == nullptr) open(now_us);
    if (flow_ == nullptr) return;
    send(kind, direction, bytes, now_us);
  }
  void close(uint64_t now_us) {
    if (flow_ != nullptr) {
      engine_.close_flow(flow_, now_us, "closed");
      require(contents_.all_ended() && contents_.opaques.size() <= 1);
    }
    flow_ = nullptr;
  }

 private:
  void open(uint64_t now_us) {
    flow_ = engine_.open_flow({key_, ++flows_, now_us, false});
    contents_ = {};
    if (flow_ != nullptr) set_content_receiver(*flow_, &contents_);
    state_ = {};
    state_.established = tcp_;
    condemned_ = false;
  }

  // The packet on the heap, exactly as large as it is, and the stream's bytes in it.
  void send(Kind kind, Direction direction, std::span<const uint8_t> bytes, uint64_t now_us) {
    const size_t transport_bytes = tcp_ ? 20 : 8;
    std::vector<uint8_t> packet(20 + transport_bytes);
    packet[0] = 0x45;
    packet[8] = 64;
    packet[9] = static_cast<uint8_t>(key_.protocol);
    if (tcp_) {
      packet[32] = 0x50;
      packet[33] = kind == Kind::Loose ? 0x02 : 0x18;
    }
    packet.insert(packet.end(), bytes.begin(), bytes.end());
    PacketFacts facts;
    facts.time_us = now_us;
    facts.number = ++packets_;
    facts.key = direction == Direction::ToServer ? key_ : key_.reversed();
    facts.network = packet;
    facts.transport = facts.network.subspan(20);
    facts.payload = facts.transport.subspan(transport_bytes);
    facts.direction = direction;
    facts.outside_stream = kind == Kind::Loose;
    const size_t side = index_of(direction);
    ++state_.packets[side];
    state_.bytes[side] += packet.size();
    std::array<StreamBytes, 1> streams;
    const bool in_stream = tcp_ && kind != Kind::Loose;
    if (in_stream) {
      const uint64_t missing = kind == Kind::Gap ? 9 : 0;
      streams[0] = {direction, facts.payload, missing};
      state_.stream_bytes[side] += bytes.size() + missing;
    }
    const InspectionVerdict verdict = engine_.inspect(
        facts, flow_, state_, std::span<const StreamBytes>(streams.data(), in_stream ? 1 : 0));
    if (condemned_) require(verdict.action != VerdictAction::Accept);
    condemned_ = condemned_ || (verdict.whole_flow && verdict.action != VerdictAction::Accept);
  }

  InspectionEngine& engine_;
  net::FlowKey key_;
  bool tcp_;
  bool condemned_ = false;
  ContentRecorder contents_;  // aborts when the contract of a receiver is broken
  FlowInspection* flow_ = nullptr;
  FlowState state_;
  uint64_t flows_ = 0;
  uint64_t packets_ = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Listener listener;
  EngineLimits limits;
  limits.flows = 8;
  limits.stream_window_bytes = 4096;
  InspectionEngine engine(limits, listener);
  engine.use_plan(&plan());
  std::vector<Conversation> conversations;
  for (uint8_t place = 0; place < 4; ++place) conversations.emplace_back(engine, place);
  std::span<const uint8_t> input(data, size);
  uint64_t now_us = 1'600'000'000'000'000;
  while (input.size() >= 3) {
    const uint8_t choice = input[0];
    const size_t length = std::min<size_t>(input[1] * 256U + input[2], input.size() - 3);
    const auto direction = (choice & 4U) != 0 ? Direction::ToClient : Direction::ToServer;
    now_us += (choice & 32U) != 0 ? 10'000'000 : 1'000;
    conversations[choice & 3U].take(static_cast<Kind>(choice >> 3U & 3U), direction,
                                    input.subspan(3, length), now_us);
    input = input.subspan(3 + length);
  }
  for (Conversation& conversation : conversations) conversation.close(now_us);
  engine.use_plan(nullptr);
  return 0;
}
