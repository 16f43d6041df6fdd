// SPDX-License-Identifier: GPL-2.0-or-later
#include "config/vpn_algorithms.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <vector>

namespace masugata::config {
namespace {

using Kind = VpnAlgorithmKind;

constexpr std::string_view kShortBlocks = "blocks of 64 bits give plain text away (RFC 8429)";
constexpr std::string_view kBrokenHash = "collisions are found for its hash (RFC 6151)";
constexpr std::string_view kOldHash = "its hash is being given up (RFC 9395, NIST 2030)";
constexpr std::string_view kShortGroup = "a group this short can be broken (RFC 8247)";
constexpr std::string_view kDoubtfulGroup = "the origin of its subgroup is doubtful (RFC 8247)";

// RFC 8221, RFC 8247.
constexpr std::array kAlgorithms{
    VpnAlgorithm{"aes128", Kind::Cipher, true, ""},
    VpnAlgorithm{"aes192", Kind::Cipher, false, ""},
    VpnAlgorithm{"aes256", Kind::Cipher, true, ""},
    VpnAlgorithm{"3des", Kind::Cipher, false, kShortBlocks},
    VpnAlgorithm{"aes128gcm16", Kind::CombinedCipher, true, ""},
    VpnAlgorithm{"aes192gcm16", Kind::CombinedCipher, false, ""},
    VpnAlgorithm{"aes256gcm16", Kind::CombinedCipher, true, ""},
    VpnAlgorithm{"chacha20poly1305", Kind::CombinedCipher, true, ""},
    VpnAlgorithm{"sha256", Kind::Integrity, true, ""},
    VpnAlgorithm{"sha384", Kind::Integrity, true, ""},
    VpnAlgorithm{"sha512", Kind::Integrity, true, ""},
    VpnAlgorithm{"sha1", Kind::Integrity, false, kOldHash},
    VpnAlgorithm{"md5", Kind::Integrity, false, kBrokenHash},
    VpnAlgorithm{"prfsha256", Kind::Prf, false, ""},
    VpnAlgorithm{"prfsha384", Kind::Prf, false, ""},
    VpnAlgorithm{"prfsha512", Kind::Prf, false, ""},
    VpnAlgorithm{"prfsha1", Kind::Prf, false, kOldHash},
    VpnAlgorithm{"prfmd5", Kind::Prf, false, kBrokenHash},
    VpnAlgorithm{"x25519", Kind::Group, true, ""},
    VpnAlgorithm{"x448", Kind::Group, true, ""},
    VpnAlgorithm{"ecp256", Kind::Group, true, ""},
    VpnAlgorithm{"ecp384", Kind::Group, true, ""},
    VpnAlgorithm{"ecp521", Kind::Group, true, ""},
    VpnAlgorithm{"ecp256bp", Kind::Group, true, ""},
    VpnAlgorithm{"ecp384bp", Kind::Group, true, ""},
    VpnAlgorithm{"ecp512bp", Kind::Group, true, ""},
    VpnAlgorithm{"modp2048", Kind::Group, true, ""},
    VpnAlgorithm{"modp3072", Kind::Group, true, ""},
    VpnAlgorithm{"modp4096", Kind::Group, true, ""},
    VpnAlgorithm{"modp6144", Kind::Group, true, ""},
    VpnAlgorithm{"modp8192", Kind::Group, true, ""},
    VpnAlgorithm{"modp768", Kind::Group, true, kShortGroup},
    VpnAlgorithm{"modp1024", Kind::Group, true, kShortGroup},
    VpnAlgorithm{"modp1536", Kind::Group, true, kShortGroup},
    VpnAlgorithm{"ecp192", Kind::Group, true, kShortGroup},
    VpnAlgorithm{"ecp224", Kind::Group, true, kShortGroup},
    VpnAlgorithm{"modp1024s160", Kind::Group, true, kShortGroup},
    VpnAlgorithm{"modp2048s224", Kind::Group, true, kDoubtfulGroup},
    VpnAlgorithm{"modp2048s256", Kind::Group, true, kDoubtfulGroup},
};

// Names of those that are not weak.
std::string names_of(bool esp, std::initializer_list<Kind> kinds) {
  std::string text;
  for (const VpnAlgorithm& algorithm : kAlgorithms) {
    if (!algorithm.weakness.empty() || (esp && !algorithm.in_esp)) continue;
    if (std::find(kinds.begin(), kinds.end(), algorithm.kind) == kinds.end()) continue;
    text += fmt::format("{}{}", text.empty() ? "" : ", ", algorithm.name);
  }
  return text;
}

struct Parts {
  std::vector<const VpnAlgorithm*> algorithms;
  std::optional<ProposalComplaint> complaint;
  [[nodiscard]] bool has(Kind kind) const {
    return std::any_of(algorithms.begin(), algorithms.end(),
                       [kind](const VpnAlgorithm* one) { return one->kind == kind; });
  }
};

Parts split(std::string_view proposal, bool esp) {
  Parts parts;
  while (!proposal.empty()) {
    const std::string_view name = proposal.substr(0, proposal.find('-'));
    proposal.remove_prefix(std::min(proposal.size(), name.size() + 1));
    const VpnAlgorithm* found = find_vpn_algorithm(name);
    if (found == nullptr) {
      parts.complaint = {fmt::format("'{}' is not an algorithm", name),
                         esp ? names_of(true, {Kind::Cipher, Kind::CombinedCipher, Kind::Integrity})
                             : names_of(false, {Kind::Cipher, Kind::CombinedCipher, Kind::Integrity,
                                                Kind::Prf, Kind::Group}),
                         false};
      return parts;
    }
    parts.algorithms.push_back(found);
  }
  return parts;
}

std::optional<ProposalComplaint> find_weakness(const Parts& parts) {
  for (const VpnAlgorithm* algorithm : parts.algorithms) {
    if (algorithm->weakness.empty()) continue;
    return ProposalComplaint{fmt::format("'{}' is weak: {}", algorithm->name, algorithm->weakness),
                             "a stronger one, or `allow-weak;` beside it", true};
  }
  return std::nullopt;
}

std::optional<ProposalComplaint> check_ciphers(const Parts& parts, bool esp) {
  const bool combined = parts.has(Kind::CombinedCipher);
  if (!combined && !parts.has(Kind::Cipher)) {
    return ProposalComplaint{"the proposal has no cipher",
                             names_of(esp, {Kind::CombinedCipher, Kind::Cipher}), false};
  }
  if (combined && parts.has(Kind::Cipher)) {
    return ProposalComplaint{"ciphers with and without integrity of their own are in one proposal",
                             "two proposals", false};
  }
  if (combined && parts.has(Kind::Integrity)) {
    return ProposalComplaint{"its cipher checks integrity itself",
                             esp ? "no integrity algorithm" : "prfsha256 in place of sha256",
                             false};
  }
  if (!combined && !parts.has(Kind::Integrity)) {
    return ProposalComplaint{"its cipher does not check integrity",
                             names_of(esp, {Kind::Integrity}) + " besides", false};
  }
  return std::nullopt;
}

}  // namespace

const VpnAlgorithm* find_vpn_algorithm(std::string_view name) {
  const auto found = std::find_if(kAlgorithms.begin(), kAlgorithms.end(),
                                  [name](const VpnAlgorithm& one) { return one.name == name; });
  return found == kAlgorithms.end() ? nullptr : &*found;
}

std::optional<ProposalComplaint> check_ike_proposal(std::string_view proposal,
                                                    uint8_t ike_version) {
  const Parts parts = split(proposal, false);
  if (parts.complaint) return parts.complaint;
  if (const auto ciphers = check_ciphers(parts, false)) return ciphers;
  const bool combined = parts.has(Kind::CombinedCipher);
  if (ike_version == 1 && combined) {
    return ProposalComplaint{"IKE version 1 has no combined ciphers",
                             "for example aes256-sha256-ecp256", false};
  }
  if (combined && !parts.has(Kind::Prf)) {
    return ProposalComplaint{"a combined cipher needs a prf", names_of(false, {Kind::Prf}), false};
  }
  if (!parts.has(Kind::Group)) {
    return ProposalComplaint{"the proposal has no group", names_of(false, {Kind::Group}), false};
  }
  return find_weakness(parts);
}

std::optional<ProposalComplaint> check_esp_proposal(std::string_view proposal) {
  const Parts parts = split(proposal, true);
  if (parts.complaint) return parts.complaint;
  if (parts.has(Kind::Group)) {
    return ProposalComplaint{"groups do not stand in an ESP proposal", "pfs GROUP;", false};
  }
  if (parts.has(Kind::Prf)) {
    return ProposalComplaint{"ESP has no prf", "cipher and integrity only", false};
  }
  for (const VpnAlgorithm* algorithm : parts.algorithms) {
    if (algorithm->in_esp) continue;
    return ProposalComplaint{fmt::format("this gateway has no '{}' for packets", algorithm->name),
                             names_of(true, {Kind::CombinedCipher, Kind::Cipher, Kind::Integrity}),
                             false};
  }
  return check_ciphers(parts, true);
}

std::optional<ProposalComplaint> check_pfs_group(std::string_view group) {
  const Parts parts = split(group, false);
  if (parts.complaint || parts.algorithms.front()->kind != Kind::Group) {
    return ProposalComplaint{fmt::format("'{}' is not a group", group),
                             names_of(false, {Kind::Group}) + ", off", false};
  }
  return find_weakness(parts);
}

}  // namespace masugata::config
