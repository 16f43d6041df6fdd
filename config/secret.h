// SPDX-License-Identifier: GPL-2.0-or-later
// A value that is never shown, logged or repeated in a message.
#pragma once

#include <cstdint>
#include <string_view>
#include <utility>

#include "config/secrets/secret_bytes.h"

namespace masugata::config {

// Whether a text holds the values that the schema calls secret, or kHiddenSecret in their place
// (JSON: nothing), which no reader takes for one.
enum class Secrets : uint8_t { Keep, Hide };
inline constexpr const char* kHiddenSecret = "(hidden)";

// Holds it in memory that is in no core dump, and overwrites it when it goes; what is moved from is
// empty. Has no output operator, and fmt refuses it.
class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string_view text) : bytes_(text) {}
  explicit Secret(SecretBytes bytes) noexcept : bytes_(std::move(bytes)) {}

  [[nodiscard]] bool empty() const { return bytes_.empty(); }
  // For whoever needs it; valid as long as this object is unchanged.
  [[nodiscard]] std::string_view reveal() const { return bytes_.view(); }
  friend bool operator==(const Secret&, const Secret&) = default;

 private:
  SecretBytes bytes_;
};

}  // namespace masugata::config
