// SPDX-License-Identifier: GPL-2.0-or-later
#include "ipsec/diagnosis/networks.h"

#include <fmt/format.h>

#include <algorithm>

namespace masugata::ipsec {
namespace {

constexpr std::string_view kBetween = " === ";

std::string join(const std::vector<std::string>& words, std::string_view separator) {
  std::string text;
  for (const std::string& word : words) {
    text += fmt::format("{}{}", text.empty() ? "" : separator, word);
  }
  return text;
}

void add_all(std::string_view text, std::vector<std::string>& to) {
  for (std::string& network : parse_network_list(text)) {
    if (to.size() >= kMaximumNetworks) return;
    if (std::find(to.begin(), to.end(), network) == to.end()) to.push_back(std::move(network));
  }
}

// Behind the name of a child: IPv6 addresses have colons too, but no space behind them.
std::string_view behind_name(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  const size_t colon = text.find(": ");
  return colon == std::string_view::npos ? text : text.substr(colon + 2);
}

}  // namespace

std::vector<std::string> parse_network_list(std::string_view text) {
  std::vector<std::string> networks;
  while (!text.empty() && networks.size() < kMaximumNetworks) {
    const std::string_view word = text.substr(0, text.find(' '));
    text.remove_prefix(std::min(text.size(), word.size() + 1));
    if (word.empty()) continue;
    const size_t dots = word.find("..");
    networks.push_back(dots == std::string_view::npos
                           ? std::string(word)
                           : fmt::format("{}-{}", word.substr(0, dots), word.substr(dots + 2)));
  }
  return networks;
}

NetworkPair parse_networks(std::string_view text) {
  NetworkPair pair;
  while (!text.empty()) {
    const std::string_view one = text.substr(0, text.find(';'));
    text.remove_prefix(std::min(text.size(), one.size() + 1));
    const std::string_view both = behind_name(one);
    const size_t middle = both.find(kBetween);
    if (middle == std::string_view::npos) continue;
    add_all(both.substr(0, middle), pair.local);
    add_all(both.substr(middle + kBetween.size()), pair.remote);
  }
  return pair;
}

std::vector<std::string> missing(const std::vector<std::string>& wanted,
                                 const std::vector<std::string>& there) {
  std::vector<std::string> absent;
  for (const std::string& network : wanted) {
    if (std::find(there.begin(), there.end(), network) == there.end()) absent.push_back(network);
  }
  return absent;
}

bool same_networks(const std::vector<std::string>& one, const std::vector<std::string>& other) {
  return missing(one, other).empty() && missing(other, one).empty();
}

std::string statement_value(const std::vector<std::string>& networks) {
  if (same_networks(networks, {"0.0.0.0/0", "::/0"})) return "any";
  return networks.size() == 1 ? networks.front() : fmt::format("[ {} ]", join(networks, " "));
}

std::string comma_list(const std::vector<std::string>& networks) {
  return networks.empty() ? "nothing" : join(networks, ", ");
}

}  // namespace masugata::ipsec
