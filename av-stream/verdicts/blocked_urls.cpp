// SPDX-License-Identifier: GPL-2.0-or-later
#include "av-stream/verdicts/blocked_urls.h"

#include <algorithm>
#include <array>

namespace masugata::av {
namespace {

constexpr size_t kHostBytes = 256;

// Takes "http://host" off the front of an absolute target and returns what is behind it.
std::string_view split_absolute(std::string_view location, std::string_view& host) noexcept {
  const size_t scheme = location.find("://");
  if (scheme == std::string_view::npos || scheme > 8) return location;
  std::string_view rest = location.substr(scheme + 3);
  const size_t path = rest.find_first_of("/?#");
  host = rest.substr(0, path);
  return path == std::string_view::npos ? std::string_view("/") : rest.substr(path);
}

}  // namespace

uint64_t url_key(const net::SipHashKey& secret, std::string_view host,
                 std::string_view location) noexcept {
  location = split_absolute(location, host);
  location = location.substr(0, location.find('#'));
  if (host.ends_with(":80")) host.remove_suffix(3);
  while (host.ends_with('.')) host.remove_suffix(1);
  std::array<char, kHostBytes> name;
  size_t size = 0;
  for (const char c : host.substr(0, kHostBytes)) {
    name[size++] = c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
  }
  // Of both hashes a third: nothing is copied, however long the location is.
  const std::array<uint64_t, 2> parts = {net::siphash(secret, name.data(), size),
                                         net::siphash(secret, location.data(), location.size())};
  return net::siphash(secret, parts.data(), sizeof parts);
}

void BlockedUrls::remove(uint64_t key) {
  const auto found = urls_.find(key);
  if (found == urls_.end()) return;
  const auto [first, last] = by_end_.equal_range(found->second.until_s);
  const auto place =
      std::find_if(first, last, [key](const auto& entry) { return entry.second == key; });
  if (place != last) by_end_.erase(place);
  urls_.erase(found);
}

void BlockedUrls::add(BlockedUrl url) {
  const uint64_t key = url.key ? *url.key : url_key(secret_, url.host, url.location);
  remove(key);
  if (urls_.size() >= kMaximum) remove(by_end_.begin()->second);
  by_end_.emplace(url.until_s, key);
  urls_.emplace(key, std::move(url));
}

bool BlockedUrls::expire(uint64_t now_s) {
  bool any = false;
  while (!by_end_.empty() && by_end_.begin()->first <= now_s) {
    remove(by_end_.begin()->second);
    any = true;
  }
  return any;
}

size_t BlockedUrls::clear(std::string_view text) {
  std::vector<uint64_t> keys;
  for (const auto& [key, url] : urls_) {
    if ((url.host + url.location).find(text) != std::string::npos) keys.push_back(key);
  }
  for (const uint64_t key : keys) remove(key);
  return keys.size();
}

std::vector<BlockedUrl> BlockedUrls::list() const {
  std::vector<BlockedUrl> urls;
  for (const auto& [until_s, key] : by_end_) urls.push_back(urls_.at(key));
  return urls;
}

std::shared_ptr<const BlockedUrlSet> BlockedUrls::snapshot() const {
  auto set = std::make_shared<BlockedUrlSet>();
  set->entries_.reserve(urls_.size());
  for (const auto& [key, url] : urls_) set->entries_[key] = {url.until_s, url.signature};
  return set;
}

}  // namespace masugata::av
