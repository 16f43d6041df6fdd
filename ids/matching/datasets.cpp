// SPDX-License-Identifier: GPL-2.0-or-later
#include "ids/matching/datasets.h"

#include <sys/random.h>

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>

#include "ids/matching/base64_text.h"
#include "ids/matching/content_search.h"
#include "net/address.h"

namespace masugata::ids {
namespace {

constexpr size_t kMd5Bytes = 16;
constexpr size_t kSha256Bytes = 32;
constexpr size_t kLongestDigest = 64;
// Slots looked at per value. At most half of the slots are members, so a longer run of taken ones
// comes only from removed members, which must not make lookups slow.
constexpr size_t kMaximumProbes = 256;

std::span<const uint8_t> bytes_of(std::string_view text) noexcept {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

int hex_value(uint8_t byte) noexcept {
  if (byte >= '0' && byte <= '9') return byte - '0';
  const uint8_t lower = to_lower_ascii(byte);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

bool read_hex(std::span<const uint8_t> text, uint8_t* out) noexcept {
  for (size_t index = 0; index + 1 < text.size(); index += 2) {
    const int high = hex_value(text[index]);
    const int low = hex_value(text[index + 1]);
    if (high < 0 || low < 0) return false;
    out[index / 2] = static_cast<uint8_t>(high << 4 | low);
  }
  return true;
}

net::SipHashKey random_key() {
  net::SipHashKey key;
  if (getrandom(&key, sizeof key, 0) != static_cast<ssize_t>(sizeof key)) {
    std::random_device device;
    key.low = static_cast<uint64_t>(device()) << 32U | device();
    key.high = static_cast<uint64_t>(device()) << 32U | device();
  }
  return key;
}

size_t slots_for(size_t entries) { return std::bit_ceil(std::max<size_t>(entries * 2, 16)); }

size_t digest_bytes(DatasetType type) noexcept {
  return type == DatasetType::Md5 ? kMd5Bytes : kSha256Bytes;
}

Result<std::string> read_value(DatasetType type, std::string_view text) {
  const auto source = bytes_of(text);
  switch (type) {
    case DatasetType::String: {
      std::string value(text.size(), '\0');
      const std::span<uint8_t> out(reinterpret_cast<uint8_t*>(value.data()), value.size());
      const Base64Result result = decode_base64(source, out, Base64Mode::Strict);
      if (result.invalid) return failure("dataset", "a string is written in base64");
      value.resize(result.written);
      return value;
    }
    case DatasetType::Md5:
    case DatasetType::Sha256: {
      std::string value(digest_bytes(type), '\0');
      if (text.size() != value.size() * 2 ||
          !read_hex(source, reinterpret_cast<uint8_t*>(value.data()))) {
        return failure("dataset",
                       "a digest is " + std::to_string(value.size() * 2) + " hexadecimal digits");
      }
      return value;
    }
    case DatasetType::Ipv4:
    case DatasetType::Ip:
      break;
  }
  const auto address = net::IpAddress::parse(text);
  if (!address || (type == DatasetType::Ipv4 && !address->is_v4())) {
    return failure("dataset", "'" + std::string(text) + "' is no address of this set's kind");
  }
  // Always in the long shape; contains() brings the short one to it.
  return std::string(reinterpret_cast<const char*>(address->bytes.data()), address->bytes.size());
}

}  // namespace

Dataset::Dataset(DatasetType type, size_t maximum_entries)
    : type_(type),
      maximum_entries_(maximum_entries),
      key_(random_key()),
      slots_(slots_for(maximum_entries)) {}

std::optional<uint64_t> Dataset::hash_of(std::span<const uint8_t> value) const noexcept {
  std::array<uint8_t, kLongestDigest> digest{};
  switch (type_) {
    case DatasetType::String:
      break;
    case DatasetType::Md5:
    case DatasetType::Sha256: {
      const size_t size = digest_bytes(type_);
      if (value.size() == size * 2) {
        if (!read_hex(value, digest.data())) return std::nullopt;
        value = std::span<const uint8_t>(digest).first(size);
      }
      if (value.size() != size) return std::nullopt;
      break;
    }
    case DatasetType::Ipv4:
    case DatasetType::Ip: {
      if (value.size() == 16 && type_ == DatasetType::Ip) break;
      net::IpAddress address;
      if (value.size() == 4) {
        address = net::IpAddress::from_v4(net::load_be32(value.data()));
      } else if (value.size() == 16) {
        address = net::IpAddress::from_v6(value.data());
        if (!address.is_v4()) return std::nullopt;
      } else {
        return std::nullopt;
      }
      std::memcpy(digest.data(), address.bytes.data(), address.bytes.size());
      value = std::span<const uint8_t>(digest).first(address.bytes.size());
      break;
    }
  }
  const uint64_t hash = net::siphash(key_, value.data(), value.size());
  // Two values mark slots; whoever hashes to them shares the next.
  return hash <= kRemoved ? kRemoved + 1 : hash;
}

const Dataset::Slot* Dataset::find(uint64_t hash) const noexcept {
  const size_t mask = slots_.size() - 1;
  for (size_t step = 0; step < std::min(slots_.size(), kMaximumProbes); ++step) {
    const Slot& slot = slots_[(hash + step) & mask];
    const uint64_t seen = slot.hash.load(std::memory_order_acquire);
    if (seen == hash) return &slot;
    if (seen == kEmpty) return nullptr;
  }
  return nullptr;
}

bool Dataset::contains(std::span<const uint8_t> value) const noexcept {
  const auto hash = hash_of(value);
  return hash && find(*hash) != nullptr;
}

std::optional<uint16_t> Dataset::reputation_of(std::span<const uint8_t> value) const noexcept {
  const auto hash = hash_of(value);
  const Slot* slot = hash ? find(*hash) : nullptr;
  if (slot == nullptr) return std::nullopt;
  return slot->reputation.load(std::memory_order_relaxed);
}

bool Dataset::add(std::span<const uint8_t> value, uint16_t reputation) noexcept {
  const auto hash = hash_of(value);
  if (!hash || find(*hash) != nullptr) return false;
  if (size_.fetch_add(1, std::memory_order_relaxed) >= maximum_entries_) {
    size_.fetch_sub(1, std::memory_order_relaxed);
    full_.fetch_add(1, std::memory_order_relaxed);
    return false;
  }
  const size_t mask = slots_.size() - 1;
  for (size_t step = 0; step < std::min(slots_.size(), kMaximumProbes); ++step) {
    Slot& slot = slots_[(*hash + step) & mask];
    uint64_t seen = slot.hash.load(std::memory_order_acquire);
    // A slot that was emptied is used again: entries behind it stay reachable since it is not free.
    while (seen == kEmpty || seen == kRemoved) {
      if (slot.hash.compare_exchange_strong(seen, *hash, std::memory_order_acq_rel)) {
        slot.reputation.store(reputation, std::memory_order_relaxed);
        if (journal_ != nullptr) (void)journal_->note(true, value);
        return true;
      }
    }
    if (seen == *hash) {  // another worker was faster
      size_.fetch_sub(1, std::memory_order_relaxed);
      return false;
    }
  }
  size_.fetch_sub(1, std::memory_order_relaxed);
  full_.fetch_add(1, std::memory_order_relaxed);
  return false;
}

bool Dataset::remove(std::span<const uint8_t> value) noexcept {
  const auto hash = hash_of(value);
  if (!hash) return false;
  // Two workers that added it at the same time may have left it twice.
  bool removed = false;
  for (const Slot* slot = find(*hash); slot != nullptr; slot = find(*hash)) {
    uint64_t expected = *hash;
    auto& word = slots_[static_cast<size_t>(slot - slots_.data())].hash;
    if (word.compare_exchange_strong(expected, kRemoved, std::memory_order_acq_rel)) {
      size_.fetch_sub(1, std::memory_order_relaxed);
      removed = true;
    }
  }
  if (removed && journal_ != nullptr) (void)journal_->note(false, value);
  return removed;
}

Result<DatasetLine> read_dataset_line(DatasetType type, std::string_view line) {
  DatasetLine read;
  const size_t comma = std::min(line.find(','), line.size());
  auto value = read_value(type, line.substr(0, comma));
  if (!value) return tl::unexpected(value.error());
  read.value = std::move(*value);
  if (comma == line.size()) return read;
  const std::string_view score = line.substr(comma + 1);
  const auto [end, error] =
      std::from_chars(score.data(), score.data() + score.size(), read.reputation);
  if (error != std::errc{} || end != score.data() + score.size()) {
    return failure("dataset", "the reputation after the comma is a number up to 65535");
  }
  return read;
}

namespace {

Result<std::vector<DatasetLine>> read_dataset_file(DatasetType type, const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return failure(path, "cannot be read");
  std::vector<DatasetLine> lines;
  std::string line;
  for (uint32_t number = 1; std::getline(file, line); ++number) {
    if (!line.empty() && line.back() == '\r') line.pop_back();
    if (line.empty() || line[0] == '#') continue;
    auto read = read_dataset_line(type, line);
    if (!read) return failure(path + ":" + std::to_string(number), read.error().what);
    if (lines.size() == DatasetStore::kLargestMaximumEntries) {
      return failure(path, "holds more values than a set can");
    }
    lines.push_back(std::move(*read));
  }
  return lines;
}

std::string full_path(const std::string& path, const std::string& folder) {
  return (std::filesystem::path(folder) / path).string();
}

// The lines that a new set begins with.
Result<std::vector<DatasetLine>> read_initial_lines(const DatasetMatch& match,
                                                    const std::string& folder) {
  const DatasetType type = match.type.value_or(DatasetType::String);
  if (!match.load_path.empty()) {
    return read_dataset_file(type, full_path(match.load_path, folder));
  }
  std::error_code error;
  const std::string state = full_path(match.state_path, folder);
  if (!match.state_path.empty() && std::filesystem::exists(state, error)) {
    return read_dataset_file(type, state);
  }
  return std::vector<DatasetLine>{};
}

}  // namespace

Result<Dataset*> DatasetStore::open(const DatasetMatch& match, const std::string& folder) {
  const std::string where = "dataset " + match.name;
  if (match.name.empty()) return failure("dataset", "has no name");
  if (Dataset* known = find(match.name); known != nullptr) {
    if (match.type && known->type() != *match.type) {
      return failure(where, "is used with two types");
    }
    return known;
  }
  auto lines = read_initial_lines(match, folder);
  if (!lines) return tl::unexpected(lines.error());
  const size_t asked = match.maximum_entries != 0 ? match.maximum_entries : kDefaultMaximumEntries;
  // What is loaded always fits; as much again can be added.
  const size_t entries = std::min(std::max(asked, lines->size() * 2), kLargestMaximumEntries);
  auto dataset = std::make_unique<Dataset>(match.type.value_or(DatasetType::String), entries);
  for (const DatasetLine& line : *lines) {
    dataset->add(bytes_of(line.value), line.reputation);
  }
  if (!match.state_path.empty()) {
    dataset->keep_journal();
    std::set<std::string> saved;
    for (const DatasetLine& line : *lines) {
      if (saved.size() == kMaximumSavedLines) {
        return failure(where, "has more members than are written back (262144)");
      }
      std::string text = dataset_line_of(dataset->type(), bytes_of(line.value));
      if (line.reputation != 0) text += "," + std::to_string(line.reputation);
      saved.insert(std::move(text));
    }
    files_.try_emplace(match.name, dataset->type(), full_path(match.state_path, folder),
                       std::move(saved));
  }
  Dataset* opened = dataset.get();
  sets_.emplace(match.name, std::move(dataset));
  return opened;
}

Dataset* DatasetStore::find(std::string_view name) const noexcept {
  const auto found = sets_.find(name);
  return found == sets_.end() ? nullptr : found->second.get();
}

Status DatasetStore::follow_changes(bool write) {
  Status first;
  for (auto& [name, file] : files_) {
    file.follow(*find(name)->journal());
    if (!write) continue;
    Status saved = file.save();
    if (!saved && first) first = std::move(saved);
  }
  return first;
}

}  // namespace masugata::ids
