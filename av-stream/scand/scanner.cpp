// SPDX-License-Identifier: GPL-2.0-or-later
#include "av-stream/scand/scanner.h"

#include <unistd.h>

#include <algorithm>
#include <ctime>
#include <new>

#include "av-stream/scand/readings.h"
#include "av-stream/scand/scan_limits.h"

namespace masugata::av {
namespace {

uint64_t clock_us(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1'000'000 + static_cast<uint64_t>(now.tv_nsec) / 1000;
}

void sleep_us(uint64_t duration_us) {
  const timespec duration{0, static_cast<long>(duration_us) * 1000};
  nanosleep(&duration, nullptr);
}

}  // namespace

Scanner::Scanner(const Context& context)
    : context_(context),
      round_(context.board.round.load()),
      holder_(context.seat.holder.load()),
      left_behind_(context.scratch_directory) {}

ScannerExit Scanner::run() {
  uint64_t idle_since_us = clock_us(CLOCK_MONOTONIC);
  while (context_.board.round.load(std::memory_order_relaxed) == round_ &&
         served_ < kObjectsPerProcess) {
    if (serve_one()) {
      if (out_of_memory_) return kScannerOutOfMemory;
      if (left_behind_.too_much()) break;
      idle_since_us = clock_us(CLOCK_MONOTONIC);
      continue;
    }
    const uint64_t now_us = clock_us(CLOCK_MONOTONIC);
    context_.seat.seen_ms.store(now_us / 1000, std::memory_order_relaxed);
    const uint64_t pause_us = IdleWait::sleep_us(now_us - idle_since_us);
    if (pause_us == 0) {
      __builtin_ia32_pause();
    } else {
      sleep_us(pause_us);
    }
  }
  return kScannerEnded;
}

bool Scanner::serve_one() {
  for (size_t step = 0; step < context_.regions.size(); ++step) {
    ScannerRegion& region = context_.regions[next_region_];
    next_region_ = (next_region_ + 1) % context_.regions.size();
    const auto slot = region.take(holder_);
    if (!slot) continue;
    ScannerSeat& seat = context_.seat;
    seat.allowed_ms.store(kDefaultTimeMs, std::memory_order_relaxed);
    seat.busy_since_ms.store(monotonic_ms(), std::memory_order_release);
    const uint64_t begin_us = clock_us(CLOCK_PROCESS_CPUTIME_ID);
    ScanVerdict verdict = scan(region, *slot);
    verdict.signatures = context_.signatures;
    verdict.scan_us = clock_us(CLOCK_PROCESS_CPUTIME_ID) - begin_us;
    region.answer(*slot, verdict);
    seat.busy_since_ms.store(0, std::memory_order_release);
    seat.seen_ms.store(monotonic_ms(), std::memory_order_relaxed);
    seat.objects.fetch_add(1, std::memory_order_relaxed);
    seat.scan_us.fetch_add(verdict.scan_us, std::memory_order_relaxed);
    if (verdict.outcome == ScanOutcome::Infected) seat.found.fetch_add(1);
    if (verdict.outcome == ScanOutcome::Failed) seat.failed.fetch_add(1);
    out_of_memory_ = verdict.failure == ScanFailure::OutOfMemory;
    ++served_;
    return true;
  }
  return false;
}

std::span<uint8_t> Scanner::buffer(uint64_t bytes) {
  if (buffer_bytes_ > kKeptBufferBytes || buffer_bytes_ < bytes) {
    buffer_.reset();
    buffer_bytes_ = std::max<size_t>(bytes, 64 * 1024);
    buffer_.reset(new (std::nothrow) uint8_t[buffer_bytes_]);
    if (!buffer_) buffer_bytes_ = 0;
  }
  return {buffer_.get(), buffer_ ? static_cast<size_t>(bytes) : 0};
}

ScanVerdict Scanner::scan(const ScannerRegion& region, uint32_t slot) {
  const auto request = region.read(slot);
  if (!request) return {.failure = ScanFailure::BadRequest};
  const ScanLimits limits = bounded_limits(request->limits);
  context_.seat.allowed_ms.store(limits.time_ms + context_.hang_grace_ms,
                                 std::memory_order_relaxed);
  const std::span<uint8_t> room = buffer(kHeaderRoom + request->object_bytes);
  if (room.empty()) return {.failure = ScanFailure::OutOfMemory};
  const std::span<uint8_t> object = room.subspan(kHeaderRoom);
  if (!region.copy_object(*request, object)) return {.failure = ScanFailure::BadRequest};
  context_.seat.bytes.fetch_add(object.size(), std::memory_order_relaxed);
  const uint64_t begin_ms = monotonic_ms();
  ScanResult result = scan_readings(room, limits.reading, [&](std::span<const uint8_t> bytes) {
    // The time is that of all readings together.
    ScanLimits left = limits;
    const uint64_t spent_ms = std::min<uint64_t>(monotonic_ms() - begin_ms, limits.time_ms - 1);
    left.time_ms -= static_cast<uint32_t>(spent_ms);
    return context_.engine.scan(bytes, request->name, left);
  });
  return {.outcome = result.outcome,
          .failure = result.failure,
          .signatures = 0,
          .scan_us = 0,
          .signature = std::move(result.signature)};
}

}  // namespace masugata::av
