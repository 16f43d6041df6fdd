// SPDX-License-Identifier: GPL-2.0-or-later
// What is inside a MatchScratch; for the files of this folder only.
#pragma once

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "ids/matching/compiled_matches.h"
#include "ids/matching/inflater.h"
#include "ids/matching/match_scratch.h"

namespace masugata::ids {

// Memory for PCRE2's interpreter, which asks for larger frames as expressions need them and keeps
// the largest. Each request takes new room; what PCRE2 may keep is bounded so that the sum of all
// its sizes, each twice the one before, fits.
class PcreArena {
 public:
  static constexpr size_t kBytes = 4U << 20U;
  static constexpr uint32_t kHeapLimitKibibytes = 1024;

  PcreArena();
  [[nodiscard]] void* take(size_t bytes) noexcept;  // null when exhausted

 private:
  std::unique_ptr<std::byte[]> memory_;
  size_t used_ = 0;
};

// Where to go on when a later step does not match.
struct ChoicePoint {
  uint16_t step = 0;
  uint64_t next = 0;         // the search goes on here
  uint64_t last_before = 0;  // the end of the match before this step
};

// The trail of one evaluation.
struct MatchTrail {
  std::array<ChoicePoint, kMaximumMatchSteps> choices;
  std::array<uint64_t, kMaximumMatchSteps> positions;  // of contents that matched
};

struct MatchScratch::Internals {
  explicit Internals(const MatchLimits& limits);
  ~Internals();
  Internals(const Internals&) = delete;
  Internals& operator=(const Internals&) = delete;
  [[nodiscard]] bool complete() const noexcept;

  PcreArena arena;
  pcre2_general_context* pcre_memory = nullptr;
  pcre2_match_context* pcre_context = nullptr;
  pcre2_match_data* pcre_data = nullptr;
  pcre2_jit_stack* jit_stack = nullptr;

  MatchTrail trail;          // of the buffer
  MatchTrail derived_trail;  // of base64_data inside it

  Inflater inflater;
  std::vector<uint8_t> base64;
  std::array<std::vector<uint8_t>, 2> transform;  // read from one, written to the other

  std::array<PcreCapturedValue, kMaximumCaptures> captures;
  size_t capture_count = 0;
  std::array<Replacement, kMaximumReplacements> replacements;
  size_t replacement_count = 0;
};

// Runs an expression over `subject` from `start`. Returns how many groups `internals.pcre_data`
// says something of, the whole match being the first: 0 without a match. `failed` when PCRE2 gave
// up (counted).
[[nodiscard]] uint32_t run_pcre(const PcreProgram& program, std::span<const uint8_t> subject,
                                size_t start, MatchScratch& scratch, bool& failed) noexcept;

}  // namespace masugata::ids
