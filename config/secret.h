// SPDX-License-Identifier: GPL-2.0-or-later
// A value that is never shown, logged or repeated in a message.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace masugata::config {

// Whether a text holds the values that the schema calls secret, or kHiddenSecret in their place
// (JSON: nothing), which no reader takes for one.
enum class Secrets : uint8_t { Keep, Hide };
inline constexpr const char* kHiddenSecret = "(hidden)";

// Holds it, and overwrites it when it goes. Has no output operator, and fmt refuses it.
class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string_view text) : text_(text) {}
  Secret(const Secret&) = default;
  Secret(Secret&& other) noexcept : text_(other.text_) { other.wipe(); }
  Secret& operator=(const Secret& other) {
    if (this != &other) {
      wipe();
      text_ = other.text_;
    }
    return *this;
  }
  Secret& operator=(Secret&& other) noexcept {
    if (this != &other) {
      wipe();
      // Never swapped or stolen: what is left behind is overwritten at once.
      text_ = other.text_;
      other.wipe();
    }
    return *this;
  }
  ~Secret() { wipe(); }

  [[nodiscard]] bool empty() const { return text_.empty(); }
  // For whoever needs it; valid as long as this object is unchanged.
  [[nodiscard]] std::string_view reveal() const { return text_; }
  friend bool operator==(const Secret&, const Secret&) = default;

 private:
  void wipe() noexcept {
    // Through a volatile pointer, so that the compiler keeps the writes.
    volatile char* byte = text_.data();
    for (size_t i = 0; i < text_.size(); ++i) byte[i] = '\0';
    text_.clear();
  }

  std::string text_;
};

}  // namespace masugata::config
