// SPDX-License-Identifier: GPL-2.0-or-later
// The algorithms that IKE and ESP may use, by strongSwan's names, and what is wrong with a
// proposal made of them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace masugata::config {

enum class VpnAlgorithmKind : uint8_t { Cipher, CombinedCipher, Integrity, Prf, Group };

struct VpnAlgorithm {
  std::string_view name;
  VpnAlgorithmKind kind = VpnAlgorithmKind::Cipher;
  bool in_esp = false;        // the data plane has it
  std::string_view weakness;  // why it is refused without `allow-weak`; empty = it is not weak
};

// nullptr for a name that is not known.
[[nodiscard]] const VpnAlgorithm* find_vpn_algorithm(std::string_view name);

// What a proposal is refused for, or what it is warned of.
struct ProposalComplaint {
  std::string what;
  std::string accepted;
  bool weak_only = false;  // it would be taken with `allow-weak`
};

// `proposal` as in the configuration. IKE (RFC 7296 section 3.3): ciphers of one sort, prf with
// combined ciphers, integrity with others, a group. ESP: ciphers, integrity with those that need
// it; groups are said by `pfs`. nullopt when nothing is wrong.
[[nodiscard]] std::optional<ProposalComplaint> check_ike_proposal(std::string_view proposal,
                                                                  uint8_t ike_version);
[[nodiscard]] std::optional<ProposalComplaint> check_esp_proposal(std::string_view proposal);
[[nodiscard]] std::optional<ProposalComplaint> check_pfs_group(std::string_view group);

}  // namespace masugata::config
