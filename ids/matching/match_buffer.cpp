// SPDX-License-Identifier: GPL-2.0-or-later
// The evaluation of one buffer's matches: steps in order, and back to the last content or
// expression that could have matched elsewhere when a later step does not hold.
#include <algorithm>
#include <cstring>
#include <limits>

#include "ids/matching/base64_text.h"
#include "ids/matching/compiled_matches.h"
#include "ids/matching/conditions.h"
#include "ids/matching/datasets.h"
#include "ids/matching/entropy.h"
#include "ids/matching/number_reading.h"
#include "ids/matching/scratch_internals.h"

namespace masugata::ids {
namespace {

// What a step says. GiveUp: no other place of an earlier step can help.
enum class Outcome : uint8_t { Holds, Fails, GiveUp, Final };

constexpr Outcome holds_if(bool condition) { return condition ? Outcome::Holds : Outcome::Fails; }
constexpr Outcome final_unless(bool condition) {
  return condition ? Outcome::Holds : Outcome::GiveUp;
}

constexpr int64_t kUnbounded = std::numeric_limits<int64_t>::max() / 4;
// An isdataat of a variable beyond this is taken for "never there".
constexpr uint64_t kLargestDataPosition = 100'000'000;

class Evaluation {
 public:
  Evaluation(const CompiledBufferMatches& matches, const InspectedBytes& bytes, uint32_t& steps,
             MatchTrail& trail, MatchScratch& scratch) noexcept
      : matches_(matches), bytes_(bytes), steps_(steps), trail_(trail), scratch_(scratch) {}

  [[nodiscard]] bool run() noexcept;

 private:
  // Bytes [begin, end) of the whole buffer in which a content must lie.
  struct Window {
    int64_t begin = 0;
    int64_t end = kUnbounded;
  };

  [[nodiscard]] Outcome evaluate(size_t step, const ChoicePoint* again) noexcept;
  [[nodiscard]] Outcome evaluate_content(size_t step, const CompiledContent& content,
                                         const ChoicePoint* again) noexcept;
  [[nodiscard]] Outcome evaluate_pcre(size_t step, const CompiledPcre& pcre,
                                      const ChoicePoint* again) noexcept;
  [[nodiscard]] Outcome evaluate_data_at(const IsDataAt& match) const noexcept;
  [[nodiscard]] Outcome evaluate_size(const BufferSize& match) const noexcept;
  [[nodiscard]] Outcome evaluate_entropy(const BufferEntropy& match) const noexcept;
  [[nodiscard]] Outcome evaluate_base64(const Base64Decode& decode) noexcept;
  [[nodiscard]] Outcome evaluate_dataset(const CompiledDataset& match) const noexcept;
  [[nodiscard]] Window window_of(const CompiledContent& content) const noexcept;
  [[nodiscard]] int64_t operand(const CompiledOperand& operand) const noexcept;
  [[nodiscard]] bool find_content(const CompiledContent& content, const Window& window,
                                  uint64_t& position) const noexcept;
  void capture(const CompiledPcre& pcre, std::span<const uint8_t> subject,
               uint32_t groups) noexcept;
  void keep_choice(size_t step, uint64_t next, uint64_t last_before) noexcept;
  void record_replacements() noexcept;
  [[nodiscard]] uint64_t end_of_bytes() const noexcept {
    return bytes_.first + bytes_.bytes.size();
  }
  // What is there from `position` of the whole buffer; clamps to what is there.
  [[nodiscard]] std::span<const uint8_t> bytes_from(uint64_t position) const noexcept {
    const uint64_t begin = std::clamp(position, bytes_.first, end_of_bytes());
    return bytes_.bytes.subspan(begin - bytes_.first);
  }

  const CompiledBufferMatches& matches_;
  const InspectedBytes& bytes_;
  uint32_t& steps_;
  MatchTrail& trail_;
  MatchScratch& scratch_;
  size_t choice_count_ = 0;
  uint64_t last_ = 0;  // the end of the last match, from the start of the whole buffer
  bool has_replacement_ = false;
};

bool Evaluation::run() noexcept {
  size_t step = 0;
  ChoicePoint choice;
  const ChoicePoint* again = nullptr;
  while (step < matches_.steps.size()) {
    if (++steps_ >= scratch_.limits().steps) {
      ++scratch_.counters_to_change().step_limit;
      return false;
    }
    const Outcome outcome = evaluate(step, again);
    again = nullptr;
    if (outcome == Outcome::Holds) {
      ++step;
      continue;
    }
    if (outcome == Outcome::Final) break;
    if (outcome == Outcome::GiveUp || choice_count_ == 0) return false;
    choice = trail_.choices[--choice_count_];
    again = &choice;
    step = choice.step;
    last_ = choice.last_before;
  }
  // Decoded bytes are not what travels: nothing can be replaced in them.
  if (has_replacement_ && matches_.buffer != BufferId::Base64Data) record_replacements();
  return true;
}

Outcome Evaluation::evaluate(size_t step, const ChoicePoint* again) noexcept {
  const CompiledStep& what = matches_.steps[step];
  if (const auto* content = std::get_if<CompiledContent>(&what)) {
    return evaluate_content(step, *content, again);
  }
  if (const auto* pcre = std::get_if<CompiledPcre>(&what)) {
    return evaluate_pcre(step, *pcre, again);
  }
  if (const auto* test = std::get_if<ByteTest>(&what)) {
    return holds_if(match_byte_test(*test, bytes_, last_, scratch_.variables()));
  }
  if (const auto* jump = std::get_if<ByteJump>(&what)) {
    return holds_if(match_byte_jump(*jump, bytes_, last_, scratch_.variables()));
  }
  if (const auto* extract = std::get_if<ByteExtract>(&what)) {
    return holds_if(match_byte_extract(*extract, bytes_, last_, scratch_.variables_to_change()));
  }
  if (const auto* math = std::get_if<ByteMath>(&what)) {
    return holds_if(match_byte_math(*math, bytes_, last_, scratch_.variables_to_change()));
  }
  if (const auto* data_at = std::get_if<IsDataAt>(&what)) return evaluate_data_at(*data_at);
  if (const auto* size = std::get_if<BufferSize>(&what)) return evaluate_size(*size);
  if (const auto* base64 = std::get_if<Base64Decode>(&what)) return evaluate_base64(*base64);
  if (const auto* dataset = std::get_if<CompiledDataset>(&what)) return evaluate_dataset(*dataset);
  if (const auto* entropy = std::get_if<BufferEntropy>(&what)) return evaluate_entropy(*entropy);
  const auto* absent = std::get_if<BufferAbsent>(&what);
  return final_unless(absent != nullptr && absent->or_else);
}

int64_t Evaluation::operand(const CompiledOperand& operand) const noexcept {
  if (operand.variable < 0) return operand.number;
  const auto index = static_cast<size_t>(operand.variable) % kMaximumRuleVariables;
  return static_cast<int64_t>(static_cast<uint32_t>(scratch_.variables()[index]));
}

Evaluation::Window Evaluation::window_of(const CompiledContent& content) const noexcept {
  Window window;
  if (!content.relative) {
    window.begin = operand(content.offset);
    if (content.has_depth) window.end = window.begin + operand(content.depth);
    return window;
  }
  const auto last = static_cast<int64_t>(last_);
  // A distance of a variable may be negative: it is a signed number of 32 bits.
  int64_t distance = operand(content.distance);
  if (content.distance.variable >= 0) distance = static_cast<int32_t>(distance);
  window.begin = std::max<int64_t>(last + distance, 0);
  if (content.has_within) window.end = last + distance + operand(content.within);
  if (content.has_depth) window.end = std::min(window.end, last + operand(content.depth));
  window.begin = std::max(window.begin, operand(content.offset));
  return window;
}

bool Evaluation::find_content(const CompiledContent& content, const Window& window,
                              uint64_t& position) const noexcept {
  const size_t size = content.pattern.size();
  const auto begin = std::max<int64_t>(window.begin, static_cast<int64_t>(bytes_.first));
  const auto end = std::min<int64_t>(window.end, static_cast<int64_t>(end_of_bytes()));
  if (end - begin < static_cast<int64_t>(size)) return false;
  const auto from = static_cast<size_t>(begin - static_cast<int64_t>(bytes_.first));
  const auto length = static_cast<size_t>(end - begin);
  if (content.endswith) {
    if (!bytes_.complete || static_cast<uint64_t>(end) != end_of_bytes()) return false;
    position = end_of_bytes() - size;
    return content.pattern.matches_at_start(bytes_.bytes.subspan(from + length - size, size));
  }
  const size_t found = content.pattern.find(bytes_.bytes.subspan(from, length));
  if (found == SearchPattern::kNotFound) return false;
  position = static_cast<uint64_t>(begin) + found;
  return true;
}

Outcome Evaluation::evaluate_content(size_t step, const CompiledContent& content,
                                     const ChoicePoint* again) noexcept {
  Window window = window_of(content);
  const uint64_t last_before = last_;
  if (again != nullptr) window.begin = static_cast<int64_t>(again->next);
  uint64_t position = 0;
  const bool found = find_content(content, window, position);
  if (content.negated) {
    if (found) return Outcome::Fails;
    // Bytes that are still to come may hold it.
    const bool seen = bytes_.complete ||
                      (!content.endswith && window.end <= static_cast<int64_t>(end_of_bytes()));
    return holds_if(seen);
  }
  if (!found) return content.relative ? Outcome::Fails : Outcome::GiveUp;
  last_ = position + content.pattern.size();
  trail_.positions[step] = position;
  has_replacement_ = has_replacement_ || !content.replacement.empty();
  if (content.retry) {
    keep_choice(step, position + 1, last_before);
  } else {
    // Nothing that follows depends on where this one or any before it stood, or an earlier
    // occurrence leaves more room than a later one: no other place can help.
    choice_count_ = 0;
  }
  return Outcome::Holds;
}

void Evaluation::keep_choice(size_t step, uint64_t next, uint64_t last_before) noexcept {
  // Each step has at most one choice at a time, so the trail has room.
  trail_.choices[choice_count_++] = ChoicePoint{static_cast<uint16_t>(step), next, last_before};
}

Outcome Evaluation::evaluate_pcre(size_t step, const CompiledPcre& pcre,
                                  const ChoicePoint* again) noexcept {
  const uint64_t last_before = last_;
  const uint64_t base = std::max(pcre.relative ? last_ : 0, bytes_.first);
  if (base > end_of_bytes()) return Outcome::Fails;
  const auto subject = bytes_from(base);
  size_t start = 0;
  if (again != nullptr) {
    start = static_cast<size_t>(again->next - base);
    if (start > subject.size()) return Outcome::Fails;
  }
  bool failed = false;
  const uint32_t groups = run_pcre(*pcre.program, subject, start, scratch_, failed);
  if (failed) return Outcome::Fails;
  if (pcre.negated) return holds_if(groups == 0 && bytes_.complete);
  if (groups == 0) return Outcome::Fails;
  const PCRE2_SIZE* places = pcre2_get_ovector_pointer(scratch_.internals().pcre_data);
  // \K in a look-ahead can put the start behind the end.
  const uint64_t begin = base + std::min(places[0], places[1]);
  last_ = base + places[1];
  if (!pcre.captures.empty()) capture(pcre, subject, groups);
  if (pcre.retry) {
    keep_choice(step, std::max(begin + 1, again != nullptr ? again->next + 1 : 0), last_before);
  }
  return Outcome::Holds;
}

void Evaluation::capture(const CompiledPcre& pcre, std::span<const uint8_t> subject,
                         uint32_t groups) noexcept {
  auto& internals = scratch_.internals();
  auto& lost = scratch_.counters_to_change().captures_lost;
  const PCRE2_SIZE* places = pcre2_get_ovector_pointer(internals.pcre_data);
  for (size_t index = 0; index < pcre.captures.size(); ++index) {
    const size_t group = index + 1;
    if (group >= groups || places[2 * group] == PCRE2_UNSET) continue;
    const size_t begin = places[2 * group];
    const size_t end = places[2 * group + 1];
    if (begin > end || end > subject.size()) continue;
    // A match that is tried again replaces what it took before.
    const PcreCapture* which = &pcre.captures[index];
    size_t slot = 0;
    while (slot < internals.capture_count && internals.captures[slot].capture != which) ++slot;
    if (slot == internals.captures.size()) {
      ++lost;
      continue;
    }
    internals.capture_count = std::max(internals.capture_count, slot + 1);
    PcreCapturedValue& value = internals.captures[slot];
    const size_t size = std::min(end - begin, PcreCapturedValue::kMaximumBytes);
    if (size < end - begin) ++lost;
    value.capture = which;
    value.size = static_cast<uint8_t>(size);
    std::memcpy(value.bytes.data(), subject.data() + begin, size);
  }
}

Outcome Evaluation::evaluate_data_at(const IsDataAt& match) const noexcept {
  const int64_t number = value_of(match.position, scratch_.variables());
  const bool beyond =
      match.position.variable && static_cast<uint64_t>(number) >= kLargestDataPosition;
  bool there = false;
  if (!beyond && number >= 0) {
    const auto position = static_cast<uint64_t>(number);
    // Relative: so many bytes follow. Absolute: there is a byte of that number, from 0.
    there = match.relative ? last_ + position <= end_of_bytes() : position < end_of_bytes();
  }
  if (!match.negated) return holds_if(there);
  return holds_if(!there && bytes_.complete);
}

Outcome Evaluation::evaluate_size(const BufferSize& match) const noexcept {
  const bool fits = compare(match.comparison, end_of_bytes(), match.low, match.high);
  if (bytes_.complete) return final_unless(fits);
  // A buffer that grows can only be known to be larger.
  return final_unless(fits && (match.comparison == Comparison::Greater ||
                               match.comparison == Comparison::GreaterOrEqual));
}

Outcome Evaluation::evaluate_entropy(const BufferEntropy& match) const noexcept {
  // A window that began later, or a whole that is still growing, has another entropy.
  if (bytes_.first > match.offset || (match.bytes == 0 && !bytes_.complete)) {
    return Outcome::GiveUp;
  }
  BufferEntropy here = match;
  here.offset -= static_cast<uint32_t>(bytes_.first);
  return final_unless(match_entropy(here, bytes_.bytes));
}

Outcome Evaluation::evaluate_base64(const Base64Decode& decode) noexcept {
  if (!matches_.derived) return Outcome::Fails;
  const uint64_t begin = (decode.relative ? last_ : 0) + decode.offset;
  if (begin < bytes_.first || begin >= end_of_bytes()) return Outcome::Fails;
  auto input = bytes_from(begin);
  if (decode.bytes != 0 && decode.bytes < input.size()) input = input.first(decode.bytes);
  auto& internals = scratch_.internals();
  const Base64Result result = decode_base64(input, internals.base64, Base64Mode::Rfc4648);
  if (result.cut) ++scratch_.counters_to_change().base64_cut;
  if (result.written == 0) return Outcome::Fails;
  const InspectedBytes decoded{std::span<const uint8_t>(internals.base64).first(result.written), 0,
                               true};
  Evaluation inner(*matches_.derived, decoded, steps_, internals.derived_trail, scratch_);
  // What stands behind base64_data in the rule belongs to it: there is nothing after it here.
  return inner.run() ? Outcome::Final : Outcome::Fails;
}

Outcome Evaluation::evaluate_dataset(const CompiledDataset& match) const noexcept {
  // Part of a value is another value.
  if (!bytes_.complete || bytes_.first != 0) return Outcome::GiveUp;
  using Operation = DatasetMatch::Operation;
  switch (match.operation) {
    case Operation::IsSet:
      return final_unless(match.dataset->contains(bytes_.bytes));
    case Operation::IsNotSet:
      return final_unless(!match.dataset->contains(bytes_.bytes));
    case Operation::Set:
      return final_unless(match.dataset->add(bytes_.bytes));
    case Operation::Unset:
      return final_unless(match.dataset->remove(bytes_.bytes));
    case Operation::Reputation:
      break;
  }
  const auto reputation = match.dataset->reputation_of(bytes_.bytes);
  return final_unless(reputation &&
                      compare(match.comparison, *reputation, match.reputation, match.reputation));
}

void Evaluation::record_replacements() noexcept {
  auto& internals = scratch_.internals();
  for (size_t step = 0; step < matches_.steps.size(); ++step) {
    const auto* content = std::get_if<CompiledContent>(&matches_.steps[step]);
    if (content == nullptr || content->replacement.empty() || content->negated) continue;
    if (internals.replacement_count == internals.replacements.size()) {
      ++scratch_.counters_to_change().replacements_lost;
      return;
    }
    internals.replacements[internals.replacement_count++] =
        Replacement{trail_.positions[step], content->replacement};
  }
}

}  // namespace

bool match_buffer(const CompiledBufferMatches& matches, const InspectedBytes& bytes,
                  MatchScratch& scratch) noexcept {
  ++scratch.counters_to_change().buffers;
  uint32_t steps = 0;
  Evaluation evaluation(matches, bytes, steps, scratch.internals().trail, scratch);
  return evaluation.run();
}

bool match_absent_buffer(const CompiledBufferMatches& matches) noexcept {
  return std::any_of(matches.steps.begin(), matches.steps.end(), [](const CompiledStep& step) {
    return std::holds_alternative<BufferAbsent>(step);
  });
}

}  // namespace masugata::ids
