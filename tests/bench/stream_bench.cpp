// SPDX-License-Identifier: GPL-2.0-or-later
// Cycles per segment of TCP reassembly alone, windows lowered: segments of 1,400 bytes in order, an
// ACK for every second one; and with one segment in a hundred late. Prints p5 and median of chunks.
#include <x86intrin.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>
#include <memory>
#include <vector>

#include "dataplane/stream/tcp_stream.h"
#include "net/headers/transport.h"

namespace {

using namespace masugata;             // NOLINT: a program of one file
using namespace masugata::dataplane;  // NOLINT

constexpr size_t kSegmentBytes = 1400;
constexpr size_t kSegmentsPerChunk = 64;
constexpr size_t kChunks = 4000;
constexpr uint32_t kFirst[2] = {1001, 5001};

struct Spread {
  double low;
  double median;
};

Spread spread_of(std::vector<double>& values) {
  std::sort(values.begin(), values.end());
  return {values[values.size() / 20], values[values.size() / 2]};
}

class Bench {
 public:
  explicit Bench(size_t flows) : flows_(flows) {
    if (!memory_.allocate(heap_, flows * 64 * kStreamBlockBytes)) std::abort();
    for (size_t flow = 0; flow < flows; ++flow) {
      pairs_.push_back(std::make_unique<TcpStreamPair>(memory_, settings_));
      pass(flow, ids::Direction::ToServer, net::kTcpSyn, -1, 0, {});
      pass(flow, ids::Direction::ToClient, net::kTcpSyn | net::kTcpAck, -1, 0, {});
      pass(flow, ids::Direction::ToServer, net::kTcpAck, 0, 0, {});
    }
    position_.resize(flows);
    payload_.resize(kSegmentsPerChunk * kSegmentBytes, 'x');
  }

  // A copy of each payload and nothing else: the part that cannot be saved.
  Spread copying() {
    std::vector<uint8_t> target(kSegmentsPerChunk * kSegmentBytes);
    return measured([&](size_t) {
      for (size_t index = 0; index < kSegmentsPerChunk; ++index) {
        std::memcpy(target.data() + index * kSegmentBytes, payload(index).data(), kSegmentBytes);
      }
    });
  }

  // Chunks take turns over the flows. `late`: one segment in a hundred follows 4 later ones.
  Spread streaming(bool late) {
    return measured([&](size_t chunk) {
      const size_t flow = chunk % flows_;
      for (size_t index = 0; index < kSegmentsPerChunk; ++index) {
        const bool shifted = late && chunk % 2 == 0 && index < 5;
        const size_t slot = shifted ? (index + 1) % 5 : index;
        const int64_t at = position_[flow] + static_cast<int64_t>(slot * kSegmentBytes);
        pass(flow, ids::Direction::ToServer, net::kTcpAck, at, 0, payload(index));
        if (index % 2 != 0 && (!shifted || index > 4)) {
          const int64_t read = at + (shifted ? 0 : static_cast<int64_t>(kSegmentBytes));
          pass(flow, ids::Direction::ToClient, net::kTcpAck, 0, read, {});
        }
      }
      position_[flow] += static_cast<int64_t>(kSegmentsPerChunk * kSegmentBytes);
    });
  }

  [[nodiscard]] uint64_t seen() const { return seen_; }

 private:
  std::span<uint8_t> payload(size_t index) {
    return {payload_.data() + index * kSegmentBytes, kSegmentBytes};
  }

  void pass(size_t flow, ids::Direction direction, unsigned flags, int64_t position,
            int64_t acknowledged, std::span<uint8_t> payload) {
    const size_t side = ids::index_of(direction);
    StreamSegment segment;
    segment.sequence = kFirst[side] + static_cast<uint32_t>(position);
    segment.acknowledgement = kFirst[1 - side] + static_cast<uint32_t>(acknowledged);
    segment.window = 65535;
    segment.window_scale = 7;
    segment.flags = static_cast<uint8_t>(flags);
    segment.payload = payload;
    TcpStreamPair& pair = *pairs_[flow];
    SegmentResult result = pair.accept(direction, segment);
    if (result.fate != SegmentFate::Forward) std::abort();
    while (const auto piece = pair.next(result)) seen_ += piece->bytes.size();
    pair.commit(result);
    seen_ += pair.announce_window(direction, segment);
  }

  template <class Body>
  Spread measured(Body body) {
    std::vector<double> cycles;
    for (size_t chunk = 0; chunk < kChunks; ++chunk) {
      const uint64_t start = __rdtsc();
      body(chunk);
      const uint64_t spent = __rdtsc() - start;
      if (chunk >= kChunks / 10) {
        cycles.push_back(static_cast<double>(spent) / kSegmentsPerChunk);
      }
    }
    return spread_of(cycles);
  }

  size_t flows_;
  HeapMemory heap_;
  StreamMemory memory_;
  StreamSettings settings_;
  std::vector<std::unique_ptr<TcpStreamPair>> pairs_;
  std::vector<int64_t> position_;
  std::vector<uint8_t> payload_;
  uint64_t seen_ = 0;
};

void print(const char* what, size_t flows, Spread spread) {
  std::printf("%-34s %6zu flows  p5 %6.0f  p50 %6.0f cycles per segment\n", what, flows, spread.low,
              spread.median);
}

}  // namespace

int main() {
  std::printf("A pair of streams takes %zu bytes\n", sizeof(TcpStreamPair));
  for (const size_t flows : {size_t{1}, size_t{1000}}) {
    Bench bench(flows);
    print("copying alone", flows, bench.copying());
    print("in order, with half an ACK", flows, bench.streaming(false));
    print("some late", flows, bench.streaming(true));
    if (bench.seen() == 0) return 1;
  }
  return 0;
}
