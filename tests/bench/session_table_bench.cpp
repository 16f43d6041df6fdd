// SPDX-License-Identifier: GPL-2.0-or-later
// Cycles of the session table alone: bulk lookup, lookup with tracking, insertion, expiry.
// Plain memory with madvise(MADV_HUGEPAGE); no DPDK. Prints p5 and median of chunks of bursts.
#include <sys/mman.h>
#include <x86intrin.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "dataplane/session/session_table.h"
#include "dataplane/session/session_tracker.h"

namespace {

using namespace masugata;
using namespace masugata::dataplane;

constexpr size_t kBurst = 32;
constexpr size_t kBurstsPerChunk = 32;
constexpr size_t kChunks = 400;

class HugePageMemory final : public MemorySource {
 public:
  void* allocate(size_t bytes, size_t /*alignment*/, const char* /*purpose*/) noexcept override {
    constexpr size_t kHugePage = 2U << 20U;
    const size_t rounded = (bytes + kHugePage - 1) / kHugePage * kHugePage;
    void* block = std::aligned_alloc(kHugePage, rounded);
    if (block == nullptr) return nullptr;
    madvise(block, rounded, MADV_HUGEPAGE);
    std::memset(block, 0, rounded);
    return block;
  }
  void release(void* block) noexcept override { std::free(block); }
};

struct Spread {
  double low;
  double median;
};

Spread spread_of(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return {values[values.size() / 20], values[values.size() / 2]};
}

net::FlowKey key_of(uint32_t number, net::Protocol protocol) {
  net::FlowKey key;
  key.source = net::IpAddress::from_v4(net::Be32::from_host(0x0a000000U + number / 16));
  key.destination = net::IpAddress::from_v4(net::Be32::from_host(0xc6336401U + number % 251));
  key.source_port = net::Be16::from_host(static_cast<uint16_t>(1024 + number % 16));
  key.destination_port = net::Be16::from_host(443);
  key.protocol = protocol;
  return key;
}

// As source NAT makes it: the reply comes to another address and port.
net::FlowKey reply_of(uint32_t number, net::Protocol protocol) {
  net::FlowKey key = key_of(number, protocol).reversed();
  key.destination = net::IpAddress::from_v4(net::Be32::from_host(0xcb007100U + number / 60000));
  key.destination_port = net::Be16::from_host(static_cast<uint16_t>(1024 + number % 60000));
  return key;
}

InsertRequest request_for(uint32_t number, net::Protocol protocol, const net::HashSecret& secret) {
  InsertRequest request;
  request.original = key_of(number, protocol);
  request.reply = reply_of(number, protocol);
  request.original_hash = net::hash_flow(request.original, secret);
  request.reply_hash = net::hash_flow(request.reply, secret);
  request.state = first_state_of(protocol);
  request.timeout_ms = 30'000;
  return request;
}

class Bench {
 public:
  Bench(uint32_t sessions, net::Protocol protocol) : sessions_(sessions), protocol_(protocol) {
    SessionTableSettings settings;
    settings.capacity = sessions;
    auto created = SessionTable::create(settings, memory_);
    if (!created) {
      std::fprintf(stderr, "%s\n", created.error().message().c_str());
      std::exit(1);
    }
    table_ = std::move(*created);
    tracking_ = compile_tracking_settings(config::SessionSettings{});
    keys_.resize(kBurst * kBurstsPerChunk);
    hashes_.resize(keys_.size());
    pointers_.resize(keys_.size());
    for (size_t i = 0; i < keys_.size(); ++i) pointers_[i] = &keys_[i];
  }

  void fill() {
    for (uint32_t number = 0; number < sessions_; ++number) {
      const auto result = table_->insert(request_for(number, protocol_, secret_), 0);
      if (result.session == nullptr) {
        std::fprintf(stderr, "insert %u refused\n", number);
        std::exit(1);
      }
      if (protocol_ == net::Protocol::Tcp) {
        establish(*result.session);
      } else {
        table_->change_state(*result.session, ProtocolState::UdpReplied,
                             tracking_.timeouts.of(ProtocolState::UdpReplied));
      }
    }
  }

  template <class Work>
  Spread measure(Work&& work) {
    std::vector<double> cycles;
    for (size_t chunk = 0; chunk < kChunks; ++chunk) {
      prepare();
      const uint64_t begin = __rdtsc();
      for (size_t burst = 0; burst < kBurstsPerChunk; ++burst) work(burst * kBurst);
      cycles.push_back(static_cast<double>(__rdtsc() - begin) / static_cast<double>(keys_.size()));
    }
    return spread_of(std::move(cycles));
  }

  void lookup(size_t at) {
    table_->lookup_bulk(&pointers_[at], &hashes_[at], kBurst, matches_);
    for (const SessionMatch& match : matches_) found_ += match.session != nullptr ? 1 : 0;
  }

  void lookup_and_track(size_t at) {
    table_->lookup_bulk(&pointers_[at], &hashes_[at], kBurst, matches_);
    TcpSegment segment;
    segment.sequence = 1001;
    segment.acknowledgement = 1001;
    segment.window = 1000;
    segment.flags = net::kTcpAck;
    for (const SessionMatch& match : matches_) {
      Session& session = *match.session;
      const TrackResult result =
          protocol_ == net::Protocol::Tcp
              ? track_tcp_packet(*table_, session, match.direction, segment, 60, tracking_, 1)
              : track_other_packet(*table_, session, match.direction, true, 60, tracking_, 1);
      found_ += result.action == TrackAction::Forward ? 1 : 0;
      // What translation reads, too.
      found_ += session.flow(match.direction).rewrite.l4_checksum_delta;
    }
  }

  // Cycles per insertion into a table that is filling up, and per eviction with insertion at the
  // bound.
  Spread insertion(uint32_t first, uint32_t count) {
    std::vector<double> cycles;
    constexpr uint32_t kPerChunk = 32;
    std::vector<InsertRequest> requests(kPerChunk);
    for (uint32_t number = first; number + kPerChunk <= first + count; number += kPerChunk) {
      for (uint32_t i = 0; i < kPerChunk; ++i) {
        requests[i] = request_for(number + i, protocol_, secret_);
        pointers_[i] = &requests[i].original;
        hashes_[i] = requests[i].original_hash;
      }
      const uint64_t begin = __rdtsc();
      table_->lookup_bulk(pointers_.data(), hashes_.data(), kPerChunk, matches_);
      for (const InsertRequest& request : requests) table_->prefetch_bucket(request.reply_hash);
      for (const InsertRequest& request : requests) {
        found_ += table_->insert(request, 0).session != nullptr ? 1 : 0;
      }
      table_->release_burst();
      cycles.push_back(static_cast<double>(__rdtsc() - begin) / kPerChunk);
    }
    return spread_of(std::move(cycles));
  }

  // Cycles per expired session.
  double expiry() {
    uint64_t cycles = 0;
    size_t ended = 0;
    for (uint32_t now_ms = 0; now_ms < 400'000 && table_->size() != 0; now_ms += 10) {
      const uint32_t before = table_->size();
      const uint64_t begin = __rdtsc();
      table_->expire(now_ms, 32);
      table_->release_burst();
      if (table_->size() == before) continue;
      cycles += __rdtsc() - begin;
      ended += before - table_->size();
    }
    return ended == 0 ? 0 : static_cast<double>(cycles) / static_cast<double>(ended);
  }

  [[nodiscard]] const SessionTable& table() const { return *table_; }
  [[nodiscard]] uint64_t found() const { return found_; }

 private:
  static void establish_end(TcpDirection& end) {
    end.end = 1001;
    end.max_ack = 1001;
    end.max_end = 1'000'000;
    end.max_window = 1000;
    end.flags = kTcpSynSeen | kTcpAckSeen;
  }
  void establish(Session& session) {
    establish_end(session.tcp[0]);
    establish_end(session.tcp[1]);
    table_->change_state(session, ProtocolState::TcpEstablished,
                         tracking_.timeouts.of(ProtocolState::TcpEstablished));
  }
  void prepare() {
    for (size_t i = 0; i < keys_.size(); ++i) {
      const auto number = static_cast<uint32_t>(random_() % sessions_);
      keys_[i] = (random_() & 1U) != 0 ? key_of(number, protocol_) : reply_of(number, protocol_);
      hashes_[i] = net::hash_flow(keys_[i], secret_);
    }
  }

  uint32_t sessions_;
  net::Protocol protocol_;
  HugePageMemory memory_;
  net::HashSecret secret_;
  std::unique_ptr<SessionTable> table_;
  TrackingSettings tracking_;
  std::mt19937_64 random_{42};
  std::vector<net::FlowKey> keys_;
  std::vector<uint64_t> hashes_;
  std::vector<const net::FlowKey*> pointers_;
  SessionMatch matches_[kBurst];
  uint64_t found_ = 0;
};

void print(const char* what, uint32_t sessions, Spread spread) {
  std::printf("%-34s %9u sessions  p5 %7.1f  median %7.1f cycles\n", what, sessions, spread.low,
              spread.median);
}

}  // namespace

int main() {
  for (const uint32_t sessions : {1'000U, 100'000U, 1'000'000U}) {
    uint64_t found = 0;
    for (const net::Protocol protocol : {net::Protocol::Udp, net::Protocol::Tcp}) {
      Bench bench(sessions, protocol);
      bench.fill();
      const char* name = protocol == net::Protocol::Udp ? "UDP" : "TCP";
      bench.measure([&](size_t at) { bench.lookup_and_track(at); });
      print((std::string(name) + " bulk lookup").c_str(), sessions,
            bench.measure([&](size_t at) { bench.lookup(at); }));
      print((std::string(name) + " bulk lookup and tracking").c_str(), sessions,
            bench.measure([&](size_t at) { bench.lookup_and_track(at); }));
      if (protocol == net::Protocol::Udp) {
        print("insertion with eviction", sessions, bench.insertion(sessions, 20'000));
        const SessionIndex& index = bench.table().index();
        std::printf("%-34s %u of %u overflow buckets for %u buckets\n", "index",
                    index.overflow_in_use(), index.overflow_capacity(), index.bucket_count());
        std::printf("%-34s %.0f cycles per session\n", "expiry", bench.expiry());
      }
      found += bench.found();
    }
    Bench fresh(sessions, net::Protocol::Udp);
    print("insertion", sessions, fresh.insertion(0, sessions));
    SessionTableSettings settings;
    settings.capacity = sessions;
    std::printf("%-34s %.1f bytes per session (checked %llu)\n", "memory",
                static_cast<double>(SessionTable::memory_bytes(settings)) / sessions,
                static_cast<unsigned long long>(found));
  }
  return 0;
}
