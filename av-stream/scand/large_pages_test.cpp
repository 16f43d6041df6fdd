// SPDX-License-Identifier: GPL-2.0-or-later
#include "av-stream/scand/large_pages.h"

#include <gtest/gtest.h>
#include <sys/mman.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <span>
#include <string>

namespace masugata::av {
namespace {

constexpr size_t kLargePage = 2 << 20;

class Mapping {
 public:
  Mapping(size_t bytes, int kind) : bytes_(bytes) {
    memory_ =
        mmap(nullptr, bytes, PROT_READ | PROT_WRITE, kind | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  }
  ~Mapping() { munmap(memory_, bytes_); }
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;
  [[nodiscard]] std::span<uint8_t> bytes() const {
    return {static_cast<uint8_t*>(memory_), bytes_};
  }

 private:
  size_t bytes_;
  void* memory_;
};

uint64_t large_pages_kb() {
  std::ifstream sums("/proc/self/smaps_rollup");
  for (std::string word; sums >> word;) {
    uint64_t kb = 0;
    if (word == "AnonHugePages:" && sums >> kb) return kb;
  }
  return 0;
}

uint64_t resident_kb() {
  std::ifstream sums("/proc/self/smaps_rollup");
  for (std::string word; sums >> word;) {
    uint64_t kb = 0;
    if (word == "Rss:" && sums >> kb) return kb;
  }
  return 0;
}

uint8_t expected(size_t at) { return static_cast<uint8_t>(at * 7 + at / 4096); }

TEST(LargePages, HoldTheSameBytes) {
  const Mapping mapping(5 * kLargePage, MAP_PRIVATE);
  const auto bytes = mapping.bytes();
  for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = expected(i);
  const uint64_t before_kb = large_pages_kb();
  const uint64_t gathered = gather_in_large_pages();
  for (size_t i = 0; i < bytes.size(); ++i) ASSERT_EQ(bytes[i], expected(i)) << i;
  if (gathered == 0) GTEST_SKIP() << "the kernel has no large pages for those who ask";
  // Five, but that its first and last may be shared with what stands beside it.
  EXPECT_GE(gathered, 4 * kLargePage);
  EXPECT_GE(large_pages_kb(), before_kb + 4 * kLargePage / 1024);
}

TEST(LargePages, TakeNoMemoryWhereNothingWasWritten) {
  const Mapping mapping(256 * kLargePage, MAP_PRIVATE);
  mapping.bytes()[0] = 1;
  const uint64_t before_kb = resident_kb();
  static_cast<void>(gather_in_large_pages());
  EXPECT_LT(resident_kb(), before_kb + 64 * kLargePage / 1024);
  EXPECT_EQ(mapping.bytes()[0], 1);
}

// Regions of workers: they belong to others too.
TEST(LargePages, LeaveSharedMemoryAlone) {
  const Mapping mapping(4 * kLargePage, MAP_SHARED);
  std::ranges::fill(mapping.bytes(), uint8_t{3});
  static_cast<void>(gather_in_large_pages());
  std::ifstream maps("/proc/self/smaps");
  std::string line;
  char first[32];
  std::snprintf(first, sizeof first, "%lx-",
                reinterpret_cast<unsigned long>(mapping.bytes().data()));
  while (std::getline(maps, line) && !line.starts_with(first)) continue;
  ASSERT_TRUE(maps.good());
  while (std::getline(maps, line) && !line.starts_with("ShmemPmdMapped:")) continue;
  EXPECT_NE(line.find(" 0 kB"), std::string::npos) << line;
}

}  // namespace
}  // namespace masugata::av
