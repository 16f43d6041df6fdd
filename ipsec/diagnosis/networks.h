// SPDX-License-Identifier: GPL-2.0-or-later
// Traffic selectors as charon writes them: what two lists have not in common.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace masugata::ipsec {

// Networks of an SA, ours and the peer's, in the words of our configuration: "10.1.0.0/24",
// "10.1.0.1-10.1.0.9", "0.0.0.0/0", with charon's "[tcp/http]" behind it where there is one.
struct NetworkPair {
  std::vector<std::string> local;
  std::vector<std::string> remote;
  friend bool operator==(const NetworkPair&, const NetworkPair&) = default;
};

// "10.1.0.0/24 10.3.0.0/24 === 10.2.0.0/24"; several children's, "a: X === Y; b: ...", are taken
// together. At most 64 networks a side, the rest is left out.
inline constexpr size_t kMaximumNetworks = 64;
[[nodiscard]] NetworkPair parse_networks(std::string_view text);
// One side alone: "10.1.0.0/24 10.3.0.0/24".
[[nodiscard]] std::vector<std::string> parse_network_list(std::string_view text);

// Those of `wanted` that `there` has not, in their order.
[[nodiscard]] std::vector<std::string> missing(const std::vector<std::string>& wanted,
                                               const std::vector<std::string>& there);
[[nodiscard]] bool same_networks(const std::vector<std::string>& one,
                                 const std::vector<std::string>& other);

// "10.1.0.0/24", "[ 10.1.0.0/24 10.3.0.0/24 ]", "any" for everything: as a statement takes it.
[[nodiscard]] std::string statement_value(const std::vector<std::string>& networks);
// "10.1.0.0/24, 10.3.0.0/24", for people and swanctl; "nothing" when there is none.
[[nodiscard]] std::string comma_list(const std::vector<std::string>& networks);

}  // namespace masugata::ipsec
