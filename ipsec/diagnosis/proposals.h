// SPDX-License-Identifier: GPL-2.0-or-later
// Proposals as charon writes them, in transforms; what two lists of them have not in common.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace masugata::ipsec {

// RFC 7296 section 3.3.2.
enum class TransformType : uint8_t { Encryption, Integrity, Prf, Group, SequenceNumbers, Unknown };
[[nodiscard]] std::string_view name_of(TransformType type) noexcept;  // "encryption"

struct Transform {
  TransformType type = TransformType::Unknown;
  std::string word;       // of our configuration: "aes256gcm16"; charon's own where we have none
  std::string generic;    // as other products write it: "AES-256-GCM", "group 20 (ECP 384)"
  bool combined = false;  // a cipher with integrity of its own
  bool known = false;     // our configuration has a word for it
};

struct Proposal {
  bool esp = false;
  std::vector<Transform> transforms;

  [[nodiscard]] bool has(TransformType type) const;
  // The words of one type, joined by '/'; empty when there is none.
  [[nodiscard]] std::string words(TransformType type) const;
};

// Bounds: 32 proposals with 64 transforms each; what is beyond them is left out. Text that is no
// proposal gives none. `text`: "IKE:AES_GCM_16_256/PRF_HMAC_SHA2_384/ECP_384, IKE:...".
inline constexpr size_t kMaximumProposals = 32;
inline constexpr size_t kMaximumTransforms = 64;
[[nodiscard]] std::vector<Proposal> parse_proposals(std::string_view text);

// "ECP_384" and the like; the type is Unknown when it is nothing known.
[[nodiscard]] Transform parse_transform(std::string_view text);

// Where the two that are nearest to each other differ.
struct ProposalDifference {
  std::vector<TransformType> types;  // empty: they fit
  Proposal received;
  Proposal configured;
};
// nullopt: one of the lists is empty. Groups are left out of account without `with_groups`: the
// first child SA has none (RFC 7296 section 1.2).
[[nodiscard]] std::optional<ProposalDifference> nearest(const std::vector<Proposal>& received,
                                                        const std::vector<Proposal>& configured,
                                                        bool with_groups);

// A single choice, as our configuration's `proposal` takes it; the first of each type. For ESP
// without groups and sequence numbers, which are other statements there. nullopt: it holds what
// our configuration has no word for.
[[nodiscard]] std::optional<std::string> configuration_words(const Proposal& proposal);
// The same for swanctl.conf, where groups are part of it.
[[nodiscard]] std::string swanctl_words(const Proposal& proposal);
// "encryption AES-256-GCM, PRF HMAC-SHA2-384, group 20 (ECP 384)".
[[nodiscard]] std::string generic_words(const Proposal& proposal);

// All that a list takes, for people: "aes128gcm16-prfsha256-x25519, aes256-sha256-ecp256". Types
// with several choices have them all: "aes128gcm16-x25519/ecp256".
[[nodiscard]] std::string to_text(const std::vector<Proposal>& proposals);
[[nodiscard]] std::string to_text(const Proposal& proposal);

}  // namespace masugata::ipsec
