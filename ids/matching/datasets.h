// SPDX-License-Identifier: GPL-2.0-or-later
// Sets of strings, digests and addresses that rules ask and change (`dataset`), or ask for a
// score (`datarep`).
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ids/matching/dataset_file.h"
#include "ids/matching/dataset_journal.h"
#include "ids/rules/payload_match.h"
#include "net/siphash.h"
#include "result/result.h"

namespace masugata::ids {

// A set of bounded size. Members are kept as 64-bit keyed hashes (SipHash with a key of this
// process, so that no sender can make two values fall together): contents cannot be listed, and
// two different values are taken for one with a probability of 2^-64 per comparison.
// Any number of workers ask and change it at the same time without locks. At the bound add()
// fails and is counted.
class Dataset {
 public:
  Dataset(DatasetType type, size_t maximum_entries);

  [[nodiscard]] DatasetType type() const noexcept { return type_; }
  [[nodiscard]] size_t maximum_entries() const noexcept { return maximum_entries_; }
  [[nodiscard]] size_t size() const noexcept { return size_.load(std::memory_order_relaxed); }
  // add() that found no room.
  [[nodiscard]] uint64_t full() const noexcept { return full_.load(std::memory_order_relaxed); }

  // `value` is the buffer as matched: any bytes for strings, raw or hexadecimal digests for md5
  // and sha256, 4 or 16 bytes in network order for addresses. A value of the wrong shape is in no
  // set and cannot be added.
  [[nodiscard]] bool contains(std::span<const uint8_t> value) const noexcept;
  // nullopt: not in the set. 0 for members without a score.
  [[nodiscard]] std::optional<uint16_t> reputation_of(
      std::span<const uint8_t> value) const noexcept;
  // True when the value was new and is in the set now.
  bool add(std::span<const uint8_t> value, uint16_t reputation = 0) noexcept;
  // True when the value was in the set.
  bool remove(std::span<const uint8_t> value) noexcept;

  // From now on add() and remove() note what they change, for a file. Compile step, before workers
  // know the set.
  void keep_journal() { journal_ = std::make_unique<DatasetJournal>(); }
  [[nodiscard]] DatasetJournal* journal() noexcept { return journal_.get(); }

 private:
  struct Slot {
    std::atomic<uint64_t> hash{0};
    std::atomic<uint16_t> reputation{0};
  };
  static constexpr uint64_t kEmpty = 0;
  static constexpr uint64_t kRemoved = 1;

  [[nodiscard]] std::optional<uint64_t> hash_of(std::span<const uint8_t> value) const noexcept;
  [[nodiscard]] const Slot* find(uint64_t hash) const noexcept;

  DatasetType type_;
  size_t maximum_entries_;
  net::SipHashKey key_;
  std::vector<Slot> slots_;  // a power of two, at least twice the maximum
  std::atomic<size_t> size_{0};
  std::atomic<uint64_t> full_{0};
  std::unique_ptr<DatasetJournal> journal_;  // null: nothing is written back
};

// The sets by name. Sets live as long as the store and outlast a reload of the rules, with what
// was added to them. Compile step only, one thread.
class DatasetStore {
 public:
  static constexpr size_t kDefaultMaximumEntries = 65'536;
  static constexpr size_t kLargestMaximumEntries = 16'777'216;

  // The set that a rule names, made and loaded from its load or state file when it is new.
  // Relative paths are looked for in `folder`. A state file that does not exist is an empty set.
  // Fails when the file cannot be read, a line is no value of the type, the name is known with
  // another type, or there are more values than kLargestMaximumEntries.
  [[nodiscard]] Result<Dataset*> open(const DatasetMatch& match, const std::string& folder);
  // Null when there is none of that name.
  [[nodiscard]] Dataset* find(std::string_view name) const noexcept;

  // Takes in what workers changed in sets with a state file, and with `write` brings the files up
  // to date. One thread, while no rules are compiled. Fault: the first file that cannot be written;
  // the others are written all the same.
  Status follow_changes(bool write);

 private:
  std::map<std::string, std::unique_ptr<Dataset>, std::less<>> sets_;
  std::map<std::string, DatasetFile, std::less<>> files_;  // of those with one, by name
};

// One line of a dataset file: the value and, after a comma, its reputation. Strings are base64,
// digests hexadecimal, addresses text. Fails with what is wrong.
struct DatasetLine {
  std::string value;
  uint16_t reputation = 0;
};
[[nodiscard]] Result<DatasetLine> read_dataset_line(DatasetType type, std::string_view line);

}  // namespace masugata::ids
