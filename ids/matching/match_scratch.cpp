// SPDX-License-Identifier: GPL-2.0-or-later
#include "ids/matching/match_scratch.h"

#include <algorithm>

#include "ids/matching/scratch_internals.h"

namespace masugata::ids {
namespace {

void* take_from_arena(size_t bytes, void* arena) {
  return static_cast<PcreArena*>(arena)->take(bytes);
}
void give_back(void* /*memory*/, void* /*arena*/) {}

constexpr size_t kSmallestJitStack = 32 * 1024;

}  // namespace

PcreArena::PcreArena() : memory_(new std::byte[kBytes]) {}

void* PcreArena::take(size_t bytes) noexcept {
  constexpr size_t kAlignment = alignof(std::max_align_t);
  const size_t rounded = (bytes + kAlignment - 1) / kAlignment * kAlignment;
  if (rounded > kBytes - used_) return nullptr;
  void* memory = memory_.get() + used_;
  used_ += rounded;
  return memory;
}

MatchScratch::Internals::Internals(const MatchLimits& limits)
    : base64(limits.base64_bytes),
      // dotprefix makes one byte more of what it reads.
      transform{std::vector<uint8_t>(limits.transform_bytes + 1),
                std::vector<uint8_t>(limits.transform_bytes + 1)} {
  pcre_memory = pcre2_general_context_create(take_from_arena, give_back, &arena);
  if (pcre_memory == nullptr) return;
  pcre_context = pcre2_match_context_create(pcre_memory);
  pcre_data = pcre2_match_data_create(PcreProgram::kMaximumGroups, pcre_memory);
  const size_t stack = std::max<size_t>(limits.jit_stack_bytes, kSmallestJitStack);
  jit_stack = pcre2_jit_stack_create(kSmallestJitStack, stack, nullptr);
  if (pcre_context == nullptr || jit_stack == nullptr) return;
  pcre2_set_match_limit(pcre_context, limits.pcre_matches);
  pcre2_set_depth_limit(pcre_context, limits.pcre_depth);
  pcre2_set_heap_limit(pcre_context, PcreArena::kHeapLimitKibibytes);
  pcre2_jit_stack_assign(pcre_context, nullptr, jit_stack);
}

MatchScratch::Internals::~Internals() {
  pcre2_jit_stack_free(jit_stack);
  // The rest lies in the arena.
}

bool MatchScratch::Internals::complete() const noexcept {
  return pcre_data != nullptr && jit_stack != nullptr;
}

MatchScratch::MatchScratch(const MatchLimits& limits)
    : limits_(limits), internals_(std::make_unique<Internals>(limits)) {}

MatchScratch::~MatchScratch() = default;

Result<std::unique_ptr<MatchScratch>> MatchScratch::create(const MatchLimits& limits) {
  std::unique_ptr<MatchScratch> scratch(new MatchScratch(limits));
  if (!scratch->internals_->complete()) {
    return failure("rule matching", "no memory for a worker's scratch");
  }
  return scratch;
}

void MatchScratch::begin_rule() noexcept {
  variables_.fill(0);
  internals_->capture_count = 0;
  internals_->replacement_count = 0;
}

std::span<const PcreCapturedValue> MatchScratch::captures() const noexcept {
  return {internals_->captures.data(), internals_->capture_count};
}

std::span<const Replacement> MatchScratch::replacements() const noexcept {
  return {internals_->replacements.data(), internals_->replacement_count};
}

uint32_t run_pcre(const PcreProgram& program, std::span<const uint8_t> subject, size_t start,
                  MatchScratch& scratch, bool& failed) noexcept {
  auto& internals = scratch.internals();
  static constexpr uint8_t kNothing = 0;  // PCRE2 wants an address even for no bytes
  const uint8_t* bytes = subject.empty() ? &kNothing : subject.data();
  const int outcome = pcre2_match(program.code(), bytes, subject.size(), start, 0,
                                  internals.pcre_data, internals.pcre_context);
  failed = outcome < 0 && outcome != PCRE2_ERROR_NOMATCH;
  if (failed) {
    const bool at_limit = outcome == PCRE2_ERROR_MATCHLIMIT || outcome == PCRE2_ERROR_DEPTHLIMIT ||
                          outcome == PCRE2_ERROR_HEAPLIMIT || outcome == PCRE2_ERROR_JIT_STACKLIMIT;
    auto& counters = scratch.counters_to_change();
    ++(at_limit ? counters.pcre_limit : counters.pcre_error);
  }
  if (outcome < 0) return 0;
  // 0: there are more groups than places for them, and all places are filled.
  return outcome == 0 ? PcreProgram::kMaximumGroups : static_cast<uint32_t>(outcome);
}

}  // namespace masugata::ids
