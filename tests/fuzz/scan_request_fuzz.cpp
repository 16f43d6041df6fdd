// SPDX-License-Identifier: GPL-2.0-or-later
// A region whose worker lies: what it asks for is written over slots and links. Input: pairs of a
// place and a value, then a scanner takes, copies and answers; then the worker takes the answers,
// after the same bytes were written over the scanner's part.
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "av-stream/exchange/scanner_region.h"
#include "av-stream/exchange/worker_region.h"

namespace {

using namespace masugata::av;  // NOLINT: a program of one file

constexpr uint32_t kBlocks = 8;

void require(bool holds) {
  if (!holds) std::abort();
}

struct Overwriting {
  uint16_t place;
  uint32_t value;
};

// What lies before the blocks: header, slots, links.
void overwrite(const RegionMemory& region, const uint8_t* data, size_t size) {
  const size_t words = (links_offset() + kBlocks * sizeof(uint32_t)) / sizeof(uint32_t);
  auto* memory = reinterpret_cast<uint32_t*>(&region.header());
  for (; size >= 6; data += 6, size -= 6) {
    Overwriting what{};
    std::memcpy(&what.place, data, 2);
    std::memcpy(&what.value, data + 2, 4);
    memory[what.place % words] = what.value;
  }
}

void scan(ScannerRegion& scanner) {
  for (uint32_t round = 0; round < kScanSlots; ++round) {
    const auto slot = scanner.take(7);
    if (!slot) return;
    require(*slot < kScanSlots);
    const auto request = scanner.read(*slot);
    ScanVerdict verdict{.failure = ScanFailure::BadRequest};
    if (request) {
      // Exactly as large as the object: a byte beyond it is a finding.
      const auto bytes = std::make_unique<uint8_t[]>(request->object_bytes);
      if (scanner.copy_object(*request, {bytes.get(), request->object_bytes})) {
        verdict = {.outcome = ScanOutcome::Infected, .signature = request->name};
      }
    }
    scanner.answer(*slot, verdict);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  auto worker = WorkerRegion::create(kBlocks);
  require(worker.has_value());
  auto scanner = ScannerRegion::open(worker->descriptor());
  const auto raw = RegionMemory::open(worker->descriptor());
  require(scanner.has_value() && raw.has_value());
  constexpr size_t kObjectBytes = 2 * kBlockBytes + 5;
  const auto bytes = std::make_unique<uint8_t[]>(kObjectBytes);
  for (int count = 0; count < 3; ++count) {
    StoredObject object;
    if (!worker->append(object, {bytes.get(), kObjectBytes})) worker->release(object);
    static_cast<void>(worker->submit(object, {}, "name"));
  }
  overwrite(*raw, data, size / 2);
  scan(*scanner);
  overwrite(*raw, data + size / 2, size - size / 2);
  scanner->settle(7, ScanFailure::Crash);
  while (auto answer = worker->take_answer()) {
    require(std::memchr(answer->signature, 0, kSignatureNameBytes) != nullptr);
    require(answer->outcome < ScanOutcome::Count && answer->failure < ScanFailure::Count);
    worker->release(answer->object);
  }
  require(worker->free_blocks() <= kBlocks);
  return 0;
}
