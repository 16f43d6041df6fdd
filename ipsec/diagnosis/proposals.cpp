// SPDX-License-Identifier: GPL-2.0-or-later
#include "ipsec/diagnosis/proposals.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "config/vpn_algorithms.h"

namespace masugata::ipsec {
namespace {

using Type = TransformType;

struct Name {
  std::string_view charon;
  std::string_view word;  // empty: our configuration has none
  std::string_view generic;
  Type type;
  bool combined = false;
};

constexpr std::array kNames{
    Name{"AES_CBC_128", "aes128", "AES-128-CBC", Type::Encryption},
    Name{"AES_CBC_192", "aes192", "AES-192-CBC", Type::Encryption},
    Name{"AES_CBC_256", "aes256", "AES-256-CBC", Type::Encryption},
    Name{"3DES_CBC", "3des", "3DES-CBC", Type::Encryption},
    Name{"AES_GCM_16_128", "aes128gcm16", "AES-128-GCM", Type::Encryption, true},
    Name{"AES_GCM_16_192", "aes192gcm16", "AES-192-GCM", Type::Encryption, true},
    Name{"AES_GCM_16_256", "aes256gcm16", "AES-256-GCM", Type::Encryption, true},
    Name{"CHACHA20_POLY1305", "chacha20poly1305", "ChaCha20-Poly1305", Type::Encryption, true},
    Name{"CHACHA20_POLY1305_256", "chacha20poly1305", "ChaCha20-Poly1305", Type::Encryption, true},
    Name{"HMAC_SHA2_256_128", "sha256", "HMAC-SHA2-256", Type::Integrity},
    Name{"HMAC_SHA2_384_192", "sha384", "HMAC-SHA2-384", Type::Integrity},
    Name{"HMAC_SHA2_512_256", "sha512", "HMAC-SHA2-512", Type::Integrity},
    Name{"HMAC_SHA1_96", "sha1", "HMAC-SHA1", Type::Integrity},
    Name{"HMAC_MD5_96", "md5", "HMAC-MD5", Type::Integrity},
    Name{"PRF_HMAC_SHA2_256", "prfsha256", "HMAC-SHA2-256", Type::Prf},
    Name{"PRF_HMAC_SHA2_384", "prfsha384", "HMAC-SHA2-384", Type::Prf},
    Name{"PRF_HMAC_SHA2_512", "prfsha512", "HMAC-SHA2-512", Type::Prf},
    Name{"PRF_HMAC_SHA1", "prfsha1", "HMAC-SHA1", Type::Prf},
    Name{"PRF_HMAC_MD5", "prfmd5", "HMAC-MD5", Type::Prf},
    Name{"MODP_768", "modp768", "group 1 (MODP 768)", Type::Group},
    Name{"MODP_1024", "modp1024", "group 2 (MODP 1024)", Type::Group},
    Name{"MODP_1536", "modp1536", "group 5 (MODP 1536)", Type::Group},
    Name{"MODP_2048", "modp2048", "group 14 (MODP 2048)", Type::Group},
    Name{"MODP_3072", "modp3072", "group 15 (MODP 3072)", Type::Group},
    Name{"MODP_4096", "modp4096", "group 16 (MODP 4096)", Type::Group},
    Name{"MODP_6144", "modp6144", "group 17 (MODP 6144)", Type::Group},
    Name{"MODP_8192", "modp8192", "group 18 (MODP 8192)", Type::Group},
    Name{"ECP_256", "ecp256", "group 19 (ECP 256)", Type::Group},
    Name{"ECP_384", "ecp384", "group 20 (ECP 384)", Type::Group},
    Name{"ECP_521", "ecp521", "group 21 (ECP 521)", Type::Group},
    Name{"MODP_1024_160", "modp1024s160", "group 22 (MODP 1024/160)", Type::Group},
    Name{"MODP_2048_224", "modp2048s224", "group 23 (MODP 2048/224)", Type::Group},
    Name{"MODP_2048_256", "modp2048s256", "group 24 (MODP 2048/256)", Type::Group},
    Name{"ECP_192", "ecp192", "group 25 (ECP 192)", Type::Group},
    Name{"ECP_224", "ecp224", "group 26 (ECP 224)", Type::Group},
    Name{"ECP_256_BP", "ecp256bp", "group 28 (brainpool 256)", Type::Group},
    Name{"ECP_384_BP", "ecp384bp", "group 29 (brainpool 384)", Type::Group},
    Name{"ECP_512_BP", "ecp512bp", "group 30 (brainpool 512)", Type::Group},
    Name{"CURVE_25519", "x25519", "group 31 (Curve25519)", Type::Group},
    Name{"CURVE_448", "x448", "group 32 (Curve448)", Type::Group},
    Name{"EXT_SEQ", "esn", "extended sequence numbers", Type::SequenceNumbers},
    Name{"NO_EXT_SEQ", "noesn", "sequence numbers of 32 bits", Type::SequenceNumbers},
};

// What of charon's names we have no word for, by how they begin.
struct Family {
  std::string_view prefix;
  Type type;
  bool combined = false;
};
constexpr std::array kFamilies{
    Family{"PRF_", Type::Prf},
    Family{"HMAC_", Type::Integrity},
    Family{"AES_XCBC", Type::Integrity},
    Family{"AES_CMAC", Type::Integrity},
    Family{"CAMELLIA_XCBC", Type::Integrity},
    Family{"DES_MAC", Type::Integrity},
    Family{"KPDK", Type::Integrity},
    Family{"MODP_", Type::Group},
    Family{"ECP_", Type::Group},
    Family{"CURVE_", Type::Group},
    Family{"KE_NONE", Type::Group},
    Family{"NTRU_", Type::Group},
    Family{"AES_GCM", Type::Encryption, true},
    Family{"AES_CCM", Type::Encryption, true},
    Family{"CAMELLIA_CCM", Type::Encryption, true},
    Family{"NULL_AES_GMAC", Type::Encryption, true},
    Family{"AES_128_GMAC", Type::Integrity},
    Family{"AES_192_GMAC", Type::Integrity},
    Family{"AES_256_GMAC", Type::Integrity},
    Family{"AES_", Type::Encryption},
    Family{"CAMELLIA_", Type::Encryption},
    Family{"BLOWFISH_", Type::Encryption},
    Family{"CAST_", Type::Encryption},
    Family{"DES_", Type::Encryption},
    Family{"NULL", Type::Encryption},
};

constexpr std::array kTypes{Type::Encryption, Type::Integrity, Type::Prf, Type::Group,
                            Type::SequenceNumbers};

std::vector<const Transform*> of_type(const Proposal& proposal, Type type) {
  std::vector<const Transform*> found;
  for (const Transform& transform : proposal.transforms) {
    if (transform.type == type) found.push_back(&transform);
  }
  return found;
}

bool combined(const Proposal& proposal) {
  return std::any_of(proposal.transforms.begin(), proposal.transforms.end(),
                     [](const Transform& one) { return one.combined; });
}

bool share(const Proposal& one, const Proposal& other, Type type) {
  const auto ones = of_type(one, type);
  const auto others = of_type(other, type);
  // A pseudo random function may follow from the integrity algorithm; 32 bit numbers are the rule
  // where nothing is said.
  const bool may_be_absent = type == Type::Prf || type == Type::SequenceNumbers;
  if (ones.empty() || others.empty()) return may_be_absent || ones.empty() == others.empty();
  return std::any_of(ones.begin(), ones.end(), [&others](const Transform* left) {
    return std::any_of(others.begin(), others.end(),
                       [left](const Transform* right) { return left->word == right->word; });
  });
}

std::vector<Type> differing(const Proposal& received, const Proposal& configured, bool groups) {
  std::vector<Type> types;
  for (const Type type : kTypes) {
    if (type == Type::Group && !groups) continue;
    // A cipher with integrity of its own against one without: that is one difference, not two.
    if (type == Type::Integrity && combined(received) != combined(configured)) continue;
    if (!share(received, configured, type)) types.push_back(type);
  }
  return types;
}

std::string first_words(const Proposal& proposal, std::string Transform::*form,
                        std::string_view separator, const std::vector<Type>& types) {
  std::string text;
  for (const Type type : types) {
    const auto found = of_type(proposal, type);
    if (found.empty()) continue;
    text += fmt::format("{}{}", text.empty() ? "" : separator, found.front()->*form);
  }
  return text;
}

// Where the pseudo random function is that of the integrity algorithm, it is not said.
bool prf_follows(const Proposal& proposal) {
  const auto integrity = of_type(proposal, Type::Integrity);
  const auto prf = of_type(proposal, Type::Prf);
  return !integrity.empty() && !prf.empty() && prf.front()->word == "prf" + integrity.front()->word;
}

std::vector<Type> types_said(const Proposal& proposal) {
  std::vector<Type> types{Type::Encryption, Type::Integrity};
  if (!proposal.esp && !prf_follows(proposal)) types.push_back(Type::Prf);
  types.push_back(Type::Group);
  return types;
}

Proposal parse_proposal(std::string_view text) {
  Proposal proposal;
  const size_t colon = text.find(':');
  if (colon == std::string_view::npos) return proposal;
  proposal.esp = text.substr(0, colon) != "IKE";
  text.remove_prefix(colon + 1);
  while (!text.empty() && proposal.transforms.size() < kMaximumTransforms) {
    const std::string_view word = text.substr(0, text.find('/'));
    text.remove_prefix(std::min(text.size(), word.size() + 1));
    if (!word.empty()) proposal.transforms.push_back(parse_transform(word));
  }
  return proposal;
}

}  // namespace

std::string_view name_of(TransformType type) noexcept {
  switch (type) {
    case Type::Encryption:
      return "encryption";
    case Type::Integrity:
      return "integrity";
    case Type::Prf:
      return "pseudo random function";
    case Type::Group:
      return "group";
    case Type::SequenceNumbers:
      return "sequence numbers";
    case Type::Unknown:
      break;
  }
  return "transform";
}

bool Proposal::has(TransformType type) const { return !of_type(*this, type).empty(); }

std::string Proposal::words(TransformType type) const {
  std::string text;
  for (const Transform* transform : of_type(*this, type)) {
    text += fmt::format("{}{}", text.empty() ? "" : "/", transform->word);
  }
  return text;
}

Transform parse_transform(std::string_view text) {
  const auto* name = std::find_if(kNames.begin(), kNames.end(),
                                  [text](const Name& one) { return one.charon == text; });
  if (name != kNames.end()) {
    return {name->type, std::string(name->word), std::string(name->generic), name->combined, true};
  }
  const auto* family = std::find_if(kFamilies.begin(), kFamilies.end(), [text](const Family& one) {
    return text.starts_with(one.prefix);
  });
  const std::string word(text);
  if (family == kFamilies.end()) return {Type::Unknown, word, word, false, false};
  return {family->type, word, word, family->combined, false};
}

std::vector<Proposal> parse_proposals(std::string_view text) {
  std::vector<Proposal> proposals;
  while (!text.empty() && proposals.size() < kMaximumProposals) {
    std::string_view one = text.substr(0, text.find(','));
    text.remove_prefix(std::min(text.size(), one.size() + 1));
    while (one.starts_with(' ')) one.remove_prefix(1);
    Proposal proposal = parse_proposal(one);
    if (!proposal.transforms.empty()) proposals.push_back(std::move(proposal));
  }
  return proposals;
}

std::optional<ProposalDifference> nearest(const std::vector<Proposal>& received,
                                          const std::vector<Proposal>& configured,
                                          bool with_groups) {
  std::optional<ProposalDifference> best;
  for (const Proposal& theirs : received) {
    for (const Proposal& ours : configured) {
      if (theirs.esp != ours.esp) continue;
      std::vector<Type> types = differing(theirs, ours, with_groups);
      if (best && best->types.size() <= types.size()) continue;
      best = ProposalDifference{std::move(types), theirs, ours};
    }
  }
  return best;
}

std::optional<std::string> configuration_words(const Proposal& proposal) {
  std::vector<Type> types = types_said(proposal);
  if (proposal.esp) types.pop_back();
  for (const Type type : types) {
    const auto found = of_type(proposal, type);
    if (!found.empty() && !found.front()->known) return std::nullopt;
  }
  std::string words = first_words(proposal, &Transform::word, "-", types);
  if (words.empty()) return std::nullopt;
  return words;
}

std::string swanctl_words(const Proposal& proposal) {
  std::string words = first_words(proposal, &Transform::word, "-", types_said(proposal));
  // swanctl takes both kinds of sequence numbers only when both are said.
  const std::string numbers = proposal.words(Type::SequenceNumbers);
  if (numbers == "esn") words += "-esn";
  if (numbers == "esn/noesn") words += "-esn-noesn";
  return words;
}

std::string generic_words(const Proposal& proposal) {
  std::string text;
  for (const Type type : types_said(proposal)) {
    const auto found = of_type(proposal, type);
    if (found.empty()) continue;
    const std::string_view what = type == Type::Group ? "Diffie-Hellman" : name_of(type);
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", what, found.front()->generic);
  }
  return text;
}

std::string to_text(const Proposal& proposal) {
  std::string text;
  for (const Type type : types_said(proposal)) {
    const std::string words = proposal.words(type);
    if (!words.empty()) text += fmt::format("{}{}", text.empty() ? "" : "-", words);
  }
  if (proposal.esp && proposal.has(Type::SequenceNumbers)) {
    text += fmt::format("-{}", proposal.words(Type::SequenceNumbers));
  }
  return text;
}

std::string to_text(const std::vector<Proposal>& proposals) {
  std::string text;
  for (const Proposal& proposal : proposals) {
    text += fmt::format("{}{}", text.empty() ? "" : ", ", to_text(proposal));
  }
  return text;
}

}  // namespace masugata::ipsec
