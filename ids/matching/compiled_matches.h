// SPDX-License-Identifier: GPL-2.0-or-later
// The matches of one rule on one buffer, compiled for the packet path, and their evaluation.
//
//   scratch.begin_rule();
//   for each buffer of the rule:
//     bytes = apply_transforms(compiled.transforms, bytes, scratch);
//     match_buffer(compiled, {bytes, first, complete}, scratch)
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "ids/buffers/buffer_id.h"
#include "ids/direction.h"
#include "ids/matching/content_search.h"
#include "ids/matching/match_scratch.h"
#include "ids/matching/pcre_program.h"
#include "ids/matching/transforms.h"
#include "ids/rules/payload_match.h"
#include "ids/rules/rule.h"
#include "result/result.h"

namespace masugata::ids {

class Dataset;
class DatasetStore;

// A number of the rule, or a variable of it.
struct CompiledOperand {
  int64_t number = 0;
  int16_t variable = -1;  // >= 0: index of the variable, `number` is not used
};

struct CompiledContent {
  SearchPattern pattern;
  std::string replacement;
  CompiledOperand offset;
  CompiledOperand depth;  // number 0 and no variable: not asked for
  CompiledOperand distance;
  CompiledOperand within;
  bool has_depth = false;
  bool has_within = false;
  bool relative = false;
  bool negated = false;
  bool endswith = false;
  // Another occurrence is worth trying when what follows does not match: something after it
  // depends on where this one ended.
  bool retry = false;
};

struct CompiledPcre {
  std::shared_ptr<const PcreProgram> program;
  std::vector<PcreCapture> captures;  // of groups 1..
  bool negated = false;
  bool relative = false;
  bool retry = false;
};

struct CompiledDataset {
  Dataset* dataset = nullptr;  // of the store that the rule was compiled with
  DatasetMatch::Operation operation = DatasetMatch::Operation::IsSet;
  Comparison comparison = Comparison::Equal;
  uint16_t reputation = 0;
};

using CompiledStep =
    std::variant<CompiledContent, CompiledPcre, ByteTest, ByteJump, ByteExtract, ByteMath, IsDataAt,
                 BufferSize, Base64Decode, CompiledDataset, BufferAbsent, BufferEntropy>;

// Immutable; shared by all workers.
struct CompiledBufferMatches {
  BufferId buffer = BufferId::Payload;
  std::optional<Direction> side;
  CompiledTransforms transforms;  // for the caller to apply before match_buffer
  std::vector<CompiledStep> steps;
  // What base64_data must hold, when one of the steps is base64_decode.
  std::unique_ptr<CompiledBufferMatches> derived;
};

// What the compile step needs. The store, when given, must outlive what is compiled.
struct CompileContext {
  PcreLibrary* library = nullptr;    // never null
  DatasetStore* datasets = nullptr;  // null: rules with datasets are refused
  std::string data_folder;           // where the files of datasets are, when not absolute
};

inline constexpr size_t kMaximumMatchSteps = 256;  // per buffer of a rule

// Fails when PCRE2 refuses an expression, a dataset cannot be opened, or the matches are more
// than kMaximumMatchSteps or have an empty content. `matches` is of any buffer but base64_data.
[[nodiscard]] Result<CompiledBufferMatches> compile_matches(const BufferMatches& matches,
                                                            const CompileContext& context);

// All buffers of a rule in their order. Base64Data becomes `derived` of the buffer before it that
// decodes; a rule that uses base64_data without base64_decode is refused.
[[nodiscard]] Result<std::vector<CompiledBufferMatches>> compile_rule_matches(
    const Rule& rule, const CompileContext& context);

// Bytes of a buffer, or of a window of it.
struct InspectedBytes {
  std::span<const uint8_t> bytes;
  uint64_t first = 0;  // number of bytes[0] in the whole buffer
  // No more bytes will come (or be looked at). While false, what depends on bytes that have not
  // come yet does not match: `endswith`, `bsize`, negated `isdataat`, and negated content and
  // pcre whose window is not yet filled.
  bool complete = true;
};

// Do all matches hold? Offsets and depths count from the start of the whole buffer. Variables of
// the rule are read and written in `scratch`. Worker thread; at most MatchLimits::steps steps.
[[nodiscard]] bool match_buffer(const CompiledBufferMatches& matches, const InspectedBytes& bytes,
                                MatchScratch& scratch) noexcept;

// Do the matches hold on a buffer that does not exist at all (BufferState::Absent)? Only those
// with `absent` do, and `dataset:isnotset` does not.
[[nodiscard]] bool match_absent_buffer(const CompiledBufferMatches& matches) noexcept;

}  // namespace masugata::ids
