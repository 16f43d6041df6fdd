// SPDX-License-Identifier: GPL-2.0-or-later
#include "ipsec/esp/esp_refusal.h"

#include <array>

namespace masugata::ipsec {
namespace {

constexpr std::array<std::string_view, kEspRefusalCount> kNames = {
    "none",
    "dummy",
    "wrong-direction",
    "no-room",
    "sequence-exhausted",
    "lifetime-expired",
    "inner-malformed",
    "inner-fragment",
    "too-long",
    "too-short",
    "bad-alignment",
    "replay-old",
    "replay-duplicate",
    "authentication-failed",
    "bad-padding",
    "bad-next-header",
    "bad-inner-length",
    "crypto-failed",
    "congestion-unmarkable",
};

}  // namespace

std::string_view name_of(EspRefusal refusal) noexcept {
  const auto index = static_cast<size_t>(refusal);
  return index < kNames.size() ? kNames[index] : "unknown";
}

}  // namespace masugata::ipsec
