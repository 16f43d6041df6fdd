// SPDX-License-Identifier: GPL-2.0-or-later
// TCP stream reassembly. Input: one byte of settings, then nine bytes per segment:
//   direction | fate << 1 | timestamp << 3 | scale << 4, flags, two bytes of sequence, two of
//   acknowledgement, window, length, content.
// Whatever comes: what was read of a stream is what leaves at the same positions, spans are never
// outside their memory, and all memory comes back.
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <vector>

#include "dataplane/stream/tcp_stream.h"
#include "net/headers/transport.h"

namespace {

using namespace masugata;             // NOLINT: a program of one file
using namespace masugata::dataplane;  // NOLINT

constexpr size_t kRecordBytes = 9;
constexpr uint32_t kFirstSequence[2] = {0xffffff00U, 0x7fffff00U};

void require(bool holds) {
  if (!holds) std::abort();
}

StreamSettings settings_of(uint8_t choices) {
  StreamSettings settings;
  settings.mode = (choices & 1U) != 0 ? StreamMode::Capture : StreamMode::Inline;
  settings.urgent = static_cast<UrgentPolicy>((choices >> 1U & 3U) % 3);
  settings.gap = (choices & 8U) != 0 ? GapPolicy::SkipCounted : GapPolicy::Refuse;
  settings.midstream = (choices & 16U) != 0;
  settings.syn_data = (choices & 32U) != 0 ? SynDataPolicy::Drop : SynDataPolicy::Inspect;
  settings.span_bytes = (choices & 64U) != 0 ? 6000 : 1U << 20U;
  settings.pieces_ahead = (choices & 64U) != 0 ? 3 : 128;
  settings.acknowledged_bytes = (choices & 128U) != 0 ? 100 : 0;
  return settings;
}

class Exchange {
 public:
  explicit Exchange(uint8_t choices) : settings_(settings_of(choices)) {
    require(memory_.allocate(heap_, 12 * kStreamBlockBytes));
    pair_.emplace(memory_, settings_);
  }

  void segment(const uint8_t* record) {
    const auto direction = static_cast<ids::Direction>(record[0] & 1U);
    const size_t side = ids::index_of(direction);
    StreamSegment made;
    made.flags = record[1];
    made.sequence = kFirstSequence[side] + static_cast<uint32_t>(record[2] << 8U | record[3]) - 1;
    made.acknowledgement =
        kFirstSequence[1 - side] + static_cast<uint32_t>(record[4] << 8U | record[5]);
    made.window = static_cast<uint16_t>(record[6] * 257U);
    made.has_timestamp = (record[0] & 8U) != 0;
    made.timestamp_value = record[5];
    if ((record[0] & 16U) != 0) made.window_scale = record[0] >> 5U;
    made.urgent_pointer = record[8];
    // Exactly as large as the payload: a byte beyond it is a finding.
    std::vector<uint8_t> payload(size_t{record[7]} * 8, record[8]);
    made.payload = payload;
    SegmentResult result = pair_->accept(direction, made);
    std::string read;
    uint64_t behind = 0;
    size_t pieces = 0;
    while (const auto piece = pair_->next(result)) {
      require(piece->missing != 0 || !piece->bytes.empty());
      require(++pieces <= kMaximumReadablePieces);
      for (const uint8_t byte : piece->bytes) behind += byte;
      if (piece->direction == direction) {
        read.append(reinterpret_cast<const char*>(piece->bytes.data()), piece->bytes.size());
      }
    }
    sum_ += behind;
    const bool refused = (record[0] & 6U) == 6U;
    if (refused) {
      pair_->refuse(result);
      return;
    }
    pair_->commit(result);
    if (result.fate == SegmentFate::Drop || !comparable()) return;
    read_[side] += read;
    require(read_[side].size() == pair_->counters(direction).readable_bytes);
    if ((made.flags & net::kTcpRst) == 0) compare(read_[side], result.plan.begin, payload);
  }

  void end() {
    while (const auto piece = pair_->flush()) {
      for (const uint8_t byte : piece->bytes) sum_ += byte;
    }
    pair_.reset();
    require(memory_.free_blocks() == memory_.all_blocks());
  }

 private:
  // Without gaps, urgent bytes and unkept ones every position is read exactly once.
  [[nodiscard]] bool comparable() const {
    const uint64_t unkept = pair_->counters(ids::Direction::ToServer).unkept_bytes +
                            pair_->counters(ids::Direction::ToClient).unkept_bytes;
    return settings_.mode == StreamMode::Inline && settings_.gap == GapPolicy::Refuse &&
           settings_.urgent != UrgentPolicy::TakeOut && !settings_.midstream && unkept == 0;
  }

  // What leaves is what was read, or blank where the receiver has acknowledged it.
  static void compare(const std::string& read, int64_t begin, const std::vector<uint8_t>& payload) {
    for (size_t index = 0; index < payload.size(); ++index) {
      const int64_t position = begin + static_cast<int64_t>(index);
      if (position < 0) require(payload[index] == 0);
      if (position < 0 || position >= static_cast<int64_t>(read.size())) continue;
      const auto was = static_cast<uint8_t>(read[static_cast<size_t>(position)]);
      require(payload[index] == was || payload[index] == 0);
    }
  }

  HeapMemory heap_;
  StreamMemory memory_;
  StreamSettings settings_;
  std::optional<TcpStreamPair> pair_;
  std::string read_[2];
  uint64_t sum_ = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  Exchange exchange(data[0]);
  for (size_t position = 1; position + kRecordBytes <= size; position += kRecordBytes) {
    exchange.segment(data + position);
  }
  exchange.end();
  return 0;
}
