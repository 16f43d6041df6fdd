// SPDX-License-Identifier: GPL-2.0-or-later
// URLs from which something infected came, refused for a time.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "net/siphash.h"

namespace masugata::av {

// Stands for a host and a target: without the scheme and the default port, host in lower case,
// fragment cut off; the query counts. Keyed by `secret`, so that nobody can make two URLs meet.
// All of the location counts, of the host 256 bytes. Packet path.
[[nodiscard]] uint64_t url_key(const net::SipHashKey& secret, std::string_view host,
                               std::string_view location) noexcept;

// What a worker asks. Immutable once published.
class BlockedUrlSet {
 public:
  struct Entry {
    uint64_t until_s = 0;  // since 1970
    std::string signature;
  };
  // nullptr: not refused at `now_s`.
  [[nodiscard]] const Entry* find(uint64_t key, uint64_t now_s) const noexcept {
    const auto found = entries_.find(key);
    return found == entries_.end() || now_s >= found->second.until_s ? nullptr : &found->second;
  }
  [[nodiscard]] size_t size() const noexcept { return entries_.size(); }

 private:
  friend class BlockedUrls;
  std::unordered_map<uint64_t, Entry> entries_;
};

struct BlockedUrl {
  std::string host;
  std::string location;
  // When `location` is only the beginning: url_key() of the whole, and of how many bytes that is.
  std::optional<uint64_t> key;
  uint64_t location_bytes = 0;
  std::string signature;
  uint64_t since_s = 0;
  uint64_t until_s = 0;
  uint64_t reference = 0;  // of the event that began it
};

// The list itself. Control thread. At kMaximum the one that ends first gives way.
class BlockedUrls {
 public:
  static constexpr size_t kMaximum = 65536;

  explicit BlockedUrls(const net::SipHashKey& secret) : secret_(secret) {}

  // An URL that is there already begins anew.
  void add(BlockedUrl url);
  // True when something ended.
  bool expire(uint64_t now_s);
  // All, or those whose host and location, as far as they are kept, contain `text`; how many went.
  size_t clear(std::string_view text = {});

  // The soonest to end first.
  [[nodiscard]] std::vector<BlockedUrl> list() const;
  [[nodiscard]] size_t size() const noexcept { return urls_.size(); }
  [[nodiscard]] std::shared_ptr<const BlockedUrlSet> snapshot() const;

 private:
  void remove(uint64_t key);

  net::SipHashKey secret_;
  std::unordered_map<uint64_t, BlockedUrl> urls_;
  std::multimap<uint64_t, uint64_t> by_end_;  // until_s to key
};

}  // namespace masugata::av
