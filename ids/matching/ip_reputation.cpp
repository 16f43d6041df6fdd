// SPDX-License-Identifier: GPL-2.0-or-later
#include "ids/matching/ip_reputation.h"

#include <algorithm>
#include <charconv>
#include <tuple>

namespace masugata::ids {
namespace {

constexpr uint8_t kHostBits = 128;
constexpr uint8_t kIpv4PrefixBits = 96;  // of an IPv4 address in its 128-bit shape

std::string_view trim(std::string_view text) {
  constexpr std::string_view kBlank = " \t\r";
  const size_t begin = text.find_first_not_of(kBlank);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlank) - begin + 1);
}

// Takes what stands before the next comma.
std::string_view take_field(std::string_view& line) {
  const size_t comma = std::min(line.find(','), line.size());
  const std::string_view field = trim(line.substr(0, comma));
  line.remove_prefix(std::min(comma + 1, line.size()));
  return field;
}

std::optional<uint8_t> read_number(std::string_view text, uint8_t largest) {
  uint8_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size() || number > largest) {
    return std::nullopt;
  }
  return number;
}

// Calls `use(line)` for each line that says something; stops at the first that returns a message.
template <class Use>
Status for_each_line(std::string_view file, std::string_view text, const Use& use) {
  uint32_t number = 0;
  while (!text.empty()) {
    ++number;
    const size_t newline = std::min(text.find('\n'), text.size());
    const std::string_view line = trim(text.substr(0, newline));
    text.remove_prefix(std::min(newline + 1, text.size()));
    if (line.empty() || line[0] == '#') continue;
    if (std::string problem = use(line); !problem.empty()) {
      return failure(std::string(file) + ":" + std::to_string(number), std::move(problem));
    }
  }
  return {};
}

net::IpAddress mask(net::IpAddress address, uint8_t length) noexcept {
  for (size_t index = 0; index < address.bytes.size(); ++index) {
    const size_t bits = index * 8;
    if (bits >= length) {
      address.bytes[index] = 0;
    } else if (bits + 8 > length) {
      address.bytes[index] =
          static_cast<uint8_t>(address.bytes[index] & (0xff00U >> (length - bits)));
    }
  }
  return address;
}

}  // namespace

Status IpReputationTable::add_categories(std::string_view file, std::string_view text) {
  std::map<std::string, uint8_t, std::less<>> read = categories_;
  auto status = for_each_line(file, text, [&read](std::string_view line) -> std::string {
    const auto id = read_number(take_field(line), kMaximumCategories - 1);
    const std::string_view name = take_field(line);
    if (!id) return "a line begins with the number of a category, 0 to 59";
    if (name.empty()) return "a category has a short name after its number";
    read[std::string(name)] = *id;
    return {};
  });
  if (status) categories_ = std::move(read);
  return status;
}

Status IpReputationTable::add_scores(std::string_view file, std::string_view text) {
  std::vector<Entry> read;
  auto status = for_each_line(file, text, [&read](std::string_view line) -> std::string {
    const auto prefix = net::Prefix::parse(take_field(line));
    const auto category = read_number(take_field(line), kMaximumCategories - 1);
    const auto score = read_number(take_field(line), kMaximumScore);
    if (!prefix) return "a line begins with an address or a network";
    if (!category) return "the second field is the number of a category, 0 to 59";
    if (!score) return "the third field is a score, 0 to 127";
    const bool ipv4 = prefix->family() == net::Family::Ipv4;
    const auto length = static_cast<uint8_t>(prefix->length + (ipv4 ? kIpv4PrefixBits : 0));
    read.push_back(Entry{mask(prefix->address, length), length, *category, *score});
    return {};
  });
  if (status) added_.insert(added_.end(), read.begin(), read.end());
  return status;
}

void IpReputationTable::finish() {
  entries_.insert(entries_.end(), added_.begin(), added_.end());
  added_.clear();
  auto key = [](const Entry& entry) {
    return std::make_tuple(entry.category, kHostBits - entry.length, entry.network);
  };
  std::stable_sort(entries_.begin(), entries_.end(),
                   [&key](const Entry& one, const Entry& other) { return key(one) < key(other); });
  // Of the same network twice the later line counts.
  std::vector<Entry> unique;
  for (const Entry& entry : entries_) {
    if (!unique.empty() && key(unique.back()) == key(entry)) unique.pop_back();
    unique.push_back(entry);
  }
  entries_ = std::move(unique);
  groups_.clear();
  for (size_t index = 0; index < entries_.size(); ++index) {
    const Entry& entry = entries_[index];
    if (groups_.empty() || groups_.back().category != entry.category ||
        groups_.back().length != entry.length) {
      groups_.push_back(Group{entry.category, entry.length, index, index});
    }
    groups_.back().end = index + 1;
  }
}

std::optional<uint8_t> IpReputationTable::find_category(std::string_view name) const noexcept {
  const auto found = categories_.find(name);
  if (found == categories_.end()) return std::nullopt;
  return found->second;
}

std::optional<uint8_t> IpReputationTable::score_of(const net::IpAddress& address,
                                                   uint8_t category) const noexcept {
  for (const Group& group : groups_) {
    if (group.category != category) continue;
    const net::IpAddress network = mask(address, group.length);
    const auto begin = entries_.begin() + static_cast<ptrdiff_t>(group.begin);
    const auto end = entries_.begin() + static_cast<ptrdiff_t>(group.end);
    const auto found = std::lower_bound(
        begin, end, network,
        [](const Entry& entry, const net::IpAddress& wanted) { return entry.network < wanted; });
    if (found != end && found->network == network) return found->score;
  }
  return std::nullopt;
}

}  // namespace masugata::ids
