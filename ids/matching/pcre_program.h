// SPDX-License-Identifier: GPL-2.0-or-later
// A compiled regular expression (PCRE2, JIT where the machine allows).
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "result/result.h"

struct pcre2_real_code_8;

namespace masugata::ids {

// Immutable after compile(); any number of workers match with it at the same time, each with its
// own MatchScratch.
class PcreProgram {
 public:
  // Groups that one match can report: the whole and 15 captures.
  static constexpr uint32_t kMaximumGroups = 16;

  // `options` are PCRE2_* compile options. Fails with PCRE2's own message and the place in the
  // pattern.
  [[nodiscard]] static Result<std::shared_ptr<const PcreProgram>> compile(
      const std::string& pattern, uint32_t options);
  ~PcreProgram();
  PcreProgram(const PcreProgram&) = delete;
  PcreProgram& operator=(const PcreProgram&) = delete;

  [[nodiscard]] const pcre2_real_code_8* code() const noexcept { return code_; }
  [[nodiscard]] bool jit() const noexcept { return jit_; }
  [[nodiscard]] size_t memory_bytes() const noexcept;

 private:
  PcreProgram(pcre2_real_code_8* code, bool jit) noexcept : code_(code), jit_(jit) {}
  pcre2_real_code_8* code_;
  bool jit_;
};

// Rules repeat each other's expressions: each is compiled once per plan. Compile step only, one
// thread.
class PcreLibrary {
 public:
  [[nodiscard]] Result<std::shared_ptr<const PcreProgram>> find_or_compile(
      const std::string& pattern, uint32_t options);

 private:
  std::map<std::pair<std::string, uint32_t>, std::shared_ptr<const PcreProgram>> programs_;
};

}  // namespace masugata::ids
