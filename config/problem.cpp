// SPDX-License-Identifier: GPL-2.0-or-later
#include "config/problem.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <tuple>
#include <utility>

namespace masugata::config {
namespace {

void append_printable(std::string& line, std::string_view text) {
  for (const char letter : text) {
    const auto byte = static_cast<unsigned char>(letter);
    if (byte < 0x20 || byte == 0x7f) {
      fmt::format_to(std::back_inserter(line), "\\x{:02x}", byte);
    } else {
      line.push_back(letter);
    }
  }
}

}  // namespace

std::string format_problem(const Problem& problem, std::string_view name) {
  std::string line;
  append_printable(line, name);
  if (problem.line != 0) line += fmt::format(":{}", problem.line);
  if (problem.column != 0) line += fmt::format(":{}", problem.column);
  line += problem.severity == Problem::Severity::Error ? ": error: " : ": warning: ";
  if (!problem.path.empty()) {
    append_printable(line, problem.path);
    line += ": ";
  }
  append_printable(line, problem.what);
  if (!problem.accepted.empty()) {
    line += " (accepted: ";
    append_printable(line, problem.accepted);
    line += ")";
  }
  return line;
}

void ProblemList::add(Problem problem) {
  size_t& count = problem.severity == Problem::Severity::Error ? error_count_ : warning_count_;
  if (count++ < kMaximum) problems_.push_back(std::move(problem));
}

std::vector<Problem> ProblemList::take_sorted() {
  std::stable_sort(problems_.begin(), problems_.end(),
                   [](const Problem& left, const Problem& right) {
                     return std::tie(left.line, left.column) < std::tie(right.line, right.column);
                   });
  const size_t left_out = error_count_ + warning_count_ - problems_.size();
  if (left_out != 0) {
    Problem more;
    more.severity = error_count_ > kMaximum ? Problem::Severity::Error : Problem::Severity::Warning;
    more.what = fmt::format("{} more problems are not listed", left_out);
    problems_.push_back(std::move(more));
  }
  return std::exchange(problems_, {});
}

}  // namespace masugata::config
