// SPDX-License-Identifier: GPL-2.0-or-later
// What is wrong with a configuration and where: one shape for every step that reads it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace masugata::config {

// One finding. `line` and `column` are 1-based (0 = the text as a whole), columns count bytes.
// `path` names the statement ("policy from wan to dmz rule www action"), may be empty.
// `accepted` says what would be right, empty when `what` says it all.
struct Problem {
  enum class Severity : uint8_t { Error, Warning };
  Severity severity = Severity::Error;
  uint32_t line = 0;
  uint32_t column = 0;
  std::string path;
  std::string what;
  std::string accepted;
};

// "gateway.conf:12:9: error: policy from wan to dmz rule www action: 'permitt' is not an action
// (accepted: permit, deny, reject)" on one line; control characters in quoted input are escaped.
[[nodiscard]] std::string format_problem(const Problem& problem, std::string_view name);

// Collects findings, at most kMaximum of each severity; the rest is only counted.
class ProblemList {
 public:
  static constexpr size_t kMaximum = 100;

  void add(Problem problem);
  [[nodiscard]] bool has_errors() const { return error_count_ != 0; }
  [[nodiscard]] size_t error_count() const { return error_count_; }
  // Further errors are only counted: composing their text is a waste.
  [[nodiscard]] bool is_full() const { return error_count_ >= kMaximum; }
  // The findings in the order of the text. When some were left out, the last one says how many.
  [[nodiscard]] std::vector<Problem> take_sorted();

 private:
  std::vector<Problem> problems_;
  size_t error_count_ = 0;
  size_t warning_count_ = 0;
};

}  // namespace masugata::config
