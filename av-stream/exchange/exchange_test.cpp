// SPDX-License-Identifier: GPL-2.0-or-later
// Both sides of a region in one process.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <map>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "av-stream/exchange/region_memory.h"
#include "av-stream/exchange/scanner_region.h"
#include "av-stream/exchange/worker_region.h"

namespace masugata::av {
namespace {

std::vector<uint8_t> pattern(size_t bytes, uint32_t seed) {
  std::mt19937 generator(seed);
  std::vector<uint8_t> result(bytes);
  for (uint8_t& byte : result) byte = static_cast<uint8_t>(generator());
  return result;
}

std::vector<uint8_t> copy_of(const ScannerRegion& scanner, uint32_t slot) {
  const auto request = scanner.read(slot);
  if (!request) return {};
  std::vector<uint8_t> bytes(request->object_bytes);
  EXPECT_TRUE(scanner.copy_object(*request, bytes));
  return bytes;
}

class Exchange : public ::testing::Test {
 protected:
  static constexpr uint32_t kBlocks = 64;

  StoredObject stored(std::span<const uint8_t> bytes) {
    StoredObject object;
    EXPECT_TRUE(worker.append(object, bytes));
    return object;
  }
  ScanTicket asked(size_t bytes = 10) {
    StoredObject object = stored(pattern(bytes, 1));
    const auto ticket = worker.submit(object, {}, "name");
    EXPECT_TRUE(ticket);
    return *ticket;
  }

  WorkerRegion worker = WorkerRegion::create(kBlocks).value();
  ScannerRegion scanner = ScannerRegion::open(worker.descriptor()).value();
  RegionMemory raw = RegionMemory::open(worker.descriptor()).value();
};

TEST_F(Exchange, CarriesAnObjectOverAndItsAnswerBack) {
  const auto bytes = pattern(3 * kBlockBytes + 17, 2);
  StoredObject object;
  size_t position = 0;
  for (const size_t piece : {size_t{1}, size_t{1459}, size_t{kBlockBytes}, size_t{7}}) {
    ASSERT_TRUE(worker.append(object, std::span(bytes).subspan(position, piece)));
    position += piece;
  }
  ASSERT_TRUE(worker.append(object, std::span(bytes).subspan(position)));
  ScanLimits limits;
  limits.files = 7;
  const auto ticket = worker.submit(object, limits, "invoice.zip");
  ASSERT_TRUE(ticket);
  EXPECT_EQ(object.bytes, 0U);

  const auto slot = scanner.take(1);
  ASSERT_EQ(slot, ticket->slot);
  EXPECT_FALSE(scanner.take(1));
  const auto request = scanner.read(*slot);
  ASSERT_TRUE(request);
  EXPECT_STREQ(request->name, "invoice.zip");
  EXPECT_EQ(request->limits.files, 7U);
  EXPECT_EQ(copy_of(scanner, *slot), bytes);
  EXPECT_FALSE(worker.take_answer());
  scanner.answer(*slot, {.outcome = ScanOutcome::Infected,
                         .failure = ScanFailure::None,
                         .signatures = 77,
                         .scan_us = 5,
                         .signature = "Test.Thing"});

  auto answer = worker.take_answer();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->serial, ticket->serial);
  EXPECT_EQ(answer->outcome, ScanOutcome::Infected);
  EXPECT_EQ(answer->signatures, 77U);
  EXPECT_STREQ(answer->signature, "Test.Thing");
  std::vector<uint8_t> kept;
  auto place = WorkerRegion::first_piece(answer->object);
  for (auto piece = worker.next_piece(place); !piece.empty(); piece = worker.next_piece(place)) {
    kept.insert(kept.end(), piece.begin(), piece.end());
  }
  EXPECT_EQ(kept, bytes);
  worker.release(answer->object);
  EXPECT_EQ(worker.free_blocks(), kBlocks);
  EXPECT_EQ(worker.scans_under_way(), 0U);
}

TEST_F(Exchange, RefusesWhatDoesNotFitWhole) {
  StoredObject object = stored(pattern(kBlocks * kBlockBytes - 1, 3));
  EXPECT_FALSE(worker.append(object, pattern(2, 3)));
  EXPECT_EQ(object.bytes, uint64_t{kBlocks} * kBlockBytes - 1);
  EXPECT_TRUE(worker.append(object, pattern(1, 3)));
  StoredObject other;
  EXPECT_FALSE(worker.append(other, pattern(1, 3)));
  EXPECT_EQ(other.blocks, 0U);
  worker.release(object);
  EXPECT_TRUE(worker.append(other, pattern(1, 3)));
}

TEST_F(Exchange, RefusesAScanWhenAllSlotsAreInUse) {
  for (uint32_t count = 0; count < kScanSlots; ++count) asked(0);
  StoredObject object = stored(pattern(1, 4));
  EXPECT_FALSE(worker.submit(object, {}, ""));
  EXPECT_EQ(object.bytes, 1U);
  const auto slot = scanner.take(1);
  scanner.answer(*slot, {.outcome = ScanOutcome::Clean});
  EXPECT_TRUE(worker.take_answer());
  EXPECT_TRUE(worker.submit(object, {}, ""));
}

TEST_F(Exchange, CutsLongNames) {
  StoredObject object;
  ASSERT_TRUE(worker.submit(object, {}, std::string(500, 'n')));
  const auto slot = scanner.take(1);
  EXPECT_EQ(std::strlen(scanner.read(*slot)->name), kObjectNameBytes - 1);
}

TEST_F(Exchange, TakesWaitingSlotsInTurn) {
  // However many new requests come, one that waits is reached after a round.
  const ScanTicket first = asked();
  std::vector<uint32_t> taken;
  for (int count = 0; count < 5; ++count) {
    taken.push_back(*scanner.take(1));
    asked();
  }
  EXPECT_EQ(taken.front(), first.slot);
  EXPECT_TRUE(std::is_sorted(taken.begin(), taken.end()));
}

TEST_F(Exchange, WithdrawsAnAbandonedScanThatWaits) {
  const ScanTicket ticket = asked(2 * kBlockBytes);
  worker.abandon(ticket);
  EXPECT_EQ(worker.free_blocks(), kBlocks);
  EXPECT_EQ(worker.scans_under_way(), 0U);
  EXPECT_FALSE(scanner.take(1));
}

TEST_F(Exchange, DropsTheAnswerOfAnAbandonedScan) {
  const ScanTicket ticket = asked(2 * kBlockBytes);
  const auto slot = scanner.take(1);
  worker.abandon(ticket);
  EXPECT_EQ(worker.free_blocks(), kBlocks - 2);  // the scanner reads them
  asked();
  scanner.answer(*slot, {.outcome = ScanOutcome::Clean});
  EXPECT_FALSE(worker.take_answer());
  EXPECT_EQ(worker.free_blocks(), kBlocks - 1);
  worker.abandon(ticket);  // old: nothing happens
  EXPECT_EQ(worker.scans_under_way(), 1U);
}

TEST_F(Exchange, AnswersForADeadScannerAndNoOther) {
  asked();
  asked();
  asked();
  const auto dead = scanner.take(5);
  const auto living = scanner.take(6);
  EXPECT_EQ(scanner.settle(5, ScanFailure::Crash), 1U);
  auto answer = worker.take_answer();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->slot, *dead);
  EXPECT_EQ(answer->outcome, ScanOutcome::Failed);
  EXPECT_EQ(answer->failure, ScanFailure::Crash);
  EXPECT_FALSE(worker.take_answer());
  EXPECT_EQ(scanner.settle(5, ScanFailure::Crash), 0U);
  scanner.answer(*living, {.outcome = ScanOutcome::Clean});
  EXPECT_EQ(worker.take_answer()->outcome, ScanOutcome::Clean);
  EXPECT_EQ(scanner.take(6), 2U);
}

TEST_F(Exchange, SettlesWhatAnEarlierSupervisorLeft) {
  asked();
  asked();
  asked();
  ASSERT_TRUE(scanner.take(5));
  const auto answered = scanner.take(5);
  scanner.answer(*answered, {.outcome = ScanOutcome::Clean});
  // One is with a dead scanner, one is answered, one waits.
  auto later = ScannerRegion::open(worker.descriptor()).value();
  EXPECT_EQ(later.settle(0, ScanFailure::Crash), 1U);
  EXPECT_TRUE(later.take(9));
}

TEST_F(Exchange, AnswersADeathBetweenTheTwoStepsOfTaking) {
  const ScanTicket ticket = asked();
  raw.slot(ticket.slot).holder.store(5);  // died before it took the bit away
  EXPECT_EQ(scanner.settle(5, ScanFailure::Crash), 1U);
  EXPECT_TRUE(worker.take_answer());
  EXPECT_FALSE(scanner.take(6));
}

TEST_F(Exchange, LeavesASlotToWhoClaimedItBeforeItWasAsked) {
  // A scanner that was held up after its look at `ready`, for as long as all slots went round.
  raw.slot(0).holder.store(5);
  const ScanTicket ticket = asked(2 * kBlockBytes);
  ASSERT_EQ(ticket.slot, 0U);
  EXPECT_FALSE(scanner.take(6));
  ASSERT_EQ(raw.header().ready[0].exchange(0), 1U);  // it goes on, and has the slot
  worker.abandon(ticket);
  EXPECT_EQ(worker.free_blocks(), kBlocks - 2);  // it reads them
  EXPECT_EQ(scanner.settle(5, ScanFailure::Crash), 1U);
  EXPECT_FALSE(worker.take_answer());
  EXPECT_EQ(worker.free_blocks(), kBlocks);
}

TEST_F(Exchange, LeavesASlotWhoseBitIsGone) {
  // As after a withdrawal between the look at `ready` and the attempt.
  raw.header().ready[0].store(0);
  EXPECT_FALSE(scanner.take(5));
  EXPECT_EQ(raw.slot(0).holder.load(), 0U);
}

TEST_F(Exchange, RefusesAllThatWaits) {
  asked();
  asked();
  EXPECT_EQ(scanner.refuse_waiting(3, ScanFailure::NoEngine), 2U);
  EXPECT_EQ(worker.take_answer()->failure, ScanFailure::NoEngine);
  EXPECT_EQ(worker.take_answer()->failure, ScanFailure::NoEngine);
}

TEST_F(Exchange, BelievesNoAnswerToNoQuestion) {
  raw.header().done[1].store(~uint64_t{0});
  EXPECT_FALSE(worker.take_answer());
  EXPECT_EQ(worker.forged_answers(), 64U);
  EXPECT_EQ(worker.scans_under_way(), 0U);
  EXPECT_EQ(raw.header().done[1].load(), 0U);
}

TEST_F(Exchange, ChecksWhatTheScannerAnswers) {
  const ScanTicket ticket = asked();
  ScanSlot& slot = raw.slot(ticket.slot);
  std::memset(slot.signature, '\n', sizeof slot.signature);
  const uint8_t outside = 200;
  std::memcpy(&slot.outcome, &outside, 1);
  std::memcpy(&slot.failure, &outside, 1);
  raw.header().done[0].store(1);
  auto answer = worker.take_answer();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->outcome, ScanOutcome::Failed);
  EXPECT_EQ(answer->failure, ScanFailure::BadRequest);
  EXPECT_EQ(std::string(answer->signature), std::string(kSignatureNameBytes - 1, '?'));
}

TEST_F(Exchange, ChecksWhatTheWorkerAsks) {
  asked(3 * kBlockBytes);
  const auto index = scanner.take(1);
  ScanSlot& slot = raw.slot(*index);
  const uint32_t first = slot.first_block;
  std::vector<uint8_t> bytes(3 * kBlockBytes);
  slot.object_bytes = uint64_t{kBlocks} * kBlockBytes + 1;
  EXPECT_FALSE(scanner.read(*index));
  slot.object_bytes = bytes.size();
  slot.first_block = kBlocks;
  EXPECT_FALSE(scanner.read(*index));
  slot.first_block = first;
  const auto request = scanner.read(*index);
  ASSERT_TRUE(request);
  EXPECT_TRUE(scanner.copy_object(*request, bytes));
  raw.link(first) = kBlocks;
  EXPECT_FALSE(scanner.copy_object(*request, bytes));
  raw.link(first) = kNoBlock;
  EXPECT_FALSE(scanner.copy_object(*request, bytes));
  raw.link(first) = first;  // bites its tail: ends with the object's length
  EXPECT_TRUE(scanner.copy_object(*request, bytes));
}

TEST(RegionMemory, RefusesWhatIsNotARegion) {
  EXPECT_FALSE(RegionMemory::create(0));
  EXPECT_FALSE(RegionMemory::create(kMaximumBlocks + 1));
  const int plain = memfd_create("test", MFD_ALLOW_SEALING | MFD_CLOEXEC);
  ASSERT_EQ(ftruncate(plain, static_cast<off_t>(region_bytes(1))), 0);
  EXPECT_EQ(RegionMemory::open(plain).error().what, "its size is not sealed");
  ASSERT_EQ(fcntl(plain, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW), 0);
  EXPECT_EQ(RegionMemory::open(plain).error().what, "is of another kind");
  close(plain);
  const int null_device = open("/dev/null", O_RDWR);
  EXPECT_FALSE(RegionMemory::open(null_device));
  close(null_device);
  auto region = RegionMemory::create(4).value();
  region.header().blocks = 5;
  EXPECT_FALSE(RegionMemory::open(region.descriptor()));
  region.header().blocks = 4;
  EXPECT_TRUE(RegionMemory::open(region.descriptor()));
  region.header().version = kExchangeVersion + 1;
  EXPECT_FALSE(RegionMemory::open(region.descriptor()));
}

// Each object's first bytes say how long it is and what its sum is; scanners check and answer.
struct Label {
  uint32_t bytes;
  uint32_t seed;
};

void scan_until(const std::atomic<bool>& stop, int descriptor, uint32_t holder) {
  auto scanner = ScannerRegion::open(descriptor).value();
  while (!stop) {
    const auto slot = scanner.take(holder);
    if (!slot) continue;
    const auto bytes = copy_of(scanner, *slot);
    Label label{};
    const bool labelled = bytes.size() >= sizeof label;
    if (labelled) std::memcpy(&label, bytes.data(), sizeof label);
    const bool whole =
        labelled && label.bytes == bytes.size() && bytes.back() == uint8_t(label.seed);
    scanner.answer(*slot, {.outcome = whole ? ScanOutcome::Clean : ScanOutcome::Infected,
                           .signatures = label.seed});
  }
}

TEST(ExchangeThreads, ManyObjectsThroughSeveralScanners) {
  constexpr uint32_t kObjects = 20000;
  auto worker = WorkerRegion::create(128).value();
  std::atomic<bool> stop{false};
  std::vector<std::thread> scanners;
  for (uint32_t holder = 1; holder <= 3; ++holder) {
    scanners.emplace_back([&, holder] { scan_until(stop, worker.descriptor(), holder); });
  }
  std::mt19937 generator(1);
  std::map<uint32_t, uint32_t> seed_of;  // by serial
  uint32_t sent = 0;
  uint32_t answered = 0;
  uint32_t abandoned = 0;
  uint32_t wrong = 0;
  while (answered + abandoned < kObjects) {
    const Label label{static_cast<uint32_t>(9 + generator() % 40000),
                      static_cast<uint32_t>(generator())};
    std::vector<uint8_t> bytes(label.bytes);
    std::memcpy(bytes.data(), &label, sizeof label);
    bytes.back() = static_cast<uint8_t>(label.seed);
    StoredObject object;
    if (sent < kObjects && worker.append(object, bytes)) {
      const auto ticket = worker.submit(object, {}, "");
      if (ticket) {
        ++sent;
        if (label.seed % 16 == 0) {
          worker.abandon(*ticket);
          ++abandoned;
        } else {
          seed_of[ticket->serial] = label.seed;
        }
      } else {
        worker.release(object);
      }
    }
    while (auto answer = worker.take_answer()) {
      ++answered;
      if (answer->outcome != ScanOutcome::Clean) ++wrong;
      if (seed_of[answer->serial] != answer->signatures) ++wrong;
      seed_of.erase(answer->serial);
      worker.release(answer->object);
    }
  }
  while (worker.scans_under_way() > 0) static_cast<void>(worker.take_answer());
  stop = true;
  for (std::thread& thread : scanners) thread.join();
  EXPECT_EQ(wrong, 0U);
  EXPECT_TRUE(seed_of.empty());
  EXPECT_EQ(worker.free_blocks(), 128U);
  EXPECT_EQ(worker.forged_answers(), 0U);
}

}  // namespace
}  // namespace masugata::av
