// SPDX-License-Identifier: GPL-2.0-or-later
// The working memory of a worker while it matches rules: everything that matching needs beyond
// the rule and the bytes is allocated here once.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "ids/rules/payload_match.h"
#include "result/result.h"

namespace masugata::ids {

struct MatchLimits {
  // Steps per call of match_buffer: each keyword tried counts one. At the bound the buffer does
  // not match.
  uint32_t steps = 3000;
  // PCRE2's match and depth limit per search; at the bound the expression does not match, negated
  // or not.
  uint32_t pcre_matches = 50'000;
  uint32_t pcre_depth = 5'000;
  uint32_t jit_stack_bytes = 256 * 1024;
  // Transforms read at most so many bytes; the rest of a longer buffer is not seen by rules that
  // transform it.
  uint32_t transform_bytes = 128 * 1024;
  // base64_decode and from_base64 write at most so many bytes.
  uint32_t base64_bytes = 64 * 1024;
};

// What the bounds did, since the scratch was made. Monotonic.
struct MatchCounters {
  uint64_t buffers = 0;        // calls of match_buffer
  uint64_t step_limit = 0;     // given up after MatchLimits::steps
  uint64_t pcre_limit = 0;     // searches given up by PCRE2 (match, depth, JIT stack)
  uint64_t pcre_error = 0;     // searches that failed otherwise
  uint64_t transform_cut = 0;  // inputs longer than transform_bytes
  uint64_t base64_cut = 0;     // outputs longer than base64_bytes
  uint64_t captures_lost = 0;  // captures beyond the bound or cut to it
  uint64_t replacements_lost = 0;
};

// What a pcre's named group took; kept until begin_rule().
struct PcreCapturedValue {
  static constexpr size_t kMaximumBytes = 255;
  const PcreCapture* capture = nullptr;  // of the rule: name and scope
  uint8_t size = 0;
  std::array<uint8_t, kMaximumBytes> bytes{};
};

// `replace:` of a content that matched: where in the matched buffer which bytes should stand.
struct Replacement {
  uint64_t position = 0;  // of the whole buffer, as `first` counts
  std::string_view bytes;
};

// Thread: one per worker, never shared.
class MatchScratch {
 public:
  static constexpr size_t kMaximumCaptures = 8;
  static constexpr size_t kMaximumReplacements = 8;

  // Fails when memory is short.
  [[nodiscard]] static Result<std::unique_ptr<MatchScratch>> create(const MatchLimits& limits);
  ~MatchScratch();
  MatchScratch(const MatchScratch&) = delete;
  MatchScratch& operator=(const MatchScratch&) = delete;

  // Before the first buffer of a rule: forgets variables, captures and replacements. Variables
  // hold from one buffer of the rule to the next, in the order in which they are matched.
  void begin_rule() noexcept;

  // Valid until begin_rule().
  [[nodiscard]] std::span<const PcreCapturedValue> captures() const noexcept;
  [[nodiscard]] std::span<const Replacement> replacements() const noexcept;
  [[nodiscard]] const MatchCounters& counters() const noexcept { return counters_; }
  [[nodiscard]] const MatchLimits& limits() const noexcept { return limits_; }

  // A flow's variables for rules whose buffers are matched at different packets.
  using Variables = std::array<uint64_t, kMaximumRuleVariables>;
  [[nodiscard]] const Variables& variables() const noexcept { return variables_; }
  void set_variables(const Variables& variables) noexcept { variables_ = variables; }

  // For the matcher and the transforms only.
  struct Internals;
  [[nodiscard]] Internals& internals() noexcept { return *internals_; }
  [[nodiscard]] MatchCounters& counters_to_change() noexcept { return counters_; }
  [[nodiscard]] Variables& variables_to_change() noexcept { return variables_; }

 private:
  explicit MatchScratch(const MatchLimits& limits);

  MatchLimits limits_;
  MatchCounters counters_;
  Variables variables_{};
  std::unique_ptr<Internals> internals_;
};

}  // namespace masugata::ids
