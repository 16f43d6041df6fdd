// SPDX-License-Identifier: GPL-2.0-or-later
#include "ids/matching/compiled_matches.h"

#include <utility>

#include "ids/matching/datasets.h"

namespace masugata::ids {
namespace {

CompiledOperand compile_operand(const std::optional<Operand>& operand) {
  CompiledOperand compiled;
  if (!operand) return compiled;
  compiled.number = operand->number;
  if (operand->variable) compiled.variable = static_cast<int16_t>(*operand->variable);
  return compiled;
}

Result<CompiledContent> compile_content(const ContentMatch& match) {
  if (match.bytes.empty()) return failure("content", "is empty");
  CompiledContent content;
  content.pattern = SearchPattern(match.bytes, match.nocase);
  content.replacement = match.replacement;
  content.offset = compile_operand(match.offset);
  content.depth = compile_operand(match.depth);
  content.distance = compile_operand(match.distance);
  content.within = compile_operand(match.within);
  content.has_depth = match.depth.has_value();
  content.has_within = match.within.has_value();
  content.relative = match.relative();
  content.negated = match.negated;
  content.endswith = match.endswith;
  if (match.startswith) {
    content.offset = CompiledOperand{};
    content.depth = CompiledOperand{static_cast<int64_t>(match.bytes.size()), -1};
    content.has_depth = true;
  }
  return content;
}

// Does the step begin where a content or expression before it ended?
bool is_relative(const PayloadMatch& match) {
  if (const auto* pcre = std::get_if<PcreMatch>(&match)) return pcre->relative;
  if (const auto* test = std::get_if<ByteTest>(&match)) return test->reading.relative;
  if (const auto* jump = std::get_if<ByteJump>(&match)) return jump->reading.relative;
  if (const auto* extract = std::get_if<ByteExtract>(&match)) return extract->reading.relative;
  if (const auto* math = std::get_if<ByteMath>(&match)) return math->reading.relative;
  if (const auto* data_at = std::get_if<IsDataAt>(&match)) return data_at->relative;
  return false;
}

// Is another occurrence of the content or expression at `index` worth trying? What begins at its
// end decides, up to the next content or expression. A content that only has a distance cannot
// tell: what is not found behind the first occurrence is not behind a later one either.
bool other_occurrence_helps(const std::vector<PayloadMatch>& matches, size_t index) {
  const bool is_pcre = std::holds_alternative<PcreMatch>(matches[index]);
  for (size_t next = index + 1; next < matches.size(); ++next) {
    if (const auto* content = std::get_if<ContentMatch>(&matches[next])) {
      return content->within.has_value() || (is_pcre && content->relative());
    }
    if (is_relative(matches[next])) return true;
    if (std::holds_alternative<PcreMatch>(matches[next])) return false;
  }
  return false;
}

Result<CompiledPcre> compile_pcre(const PcreMatch& match, const CompileContext& context) {
  auto program = context.library->find_or_compile(match.pattern, match.options);
  if (!program) return tl::unexpected(program.error());
  CompiledPcre pcre;
  pcre.program = std::move(*program);
  pcre.captures = match.captures;
  pcre.negated = match.negated;
  pcre.relative = match.relative;
  return pcre;
}

Result<CompiledDataset> compile_dataset(const DatasetMatch& match, const CompileContext& context) {
  if (context.datasets == nullptr) return failure("dataset " + match.name, "has no store");
  auto dataset = context.datasets->open(match, context.data_folder);
  if (!dataset) return tl::unexpected(dataset.error());
  CompiledDataset compiled;
  compiled.dataset = *dataset;
  compiled.operation = match.operation;
  compiled.comparison = match.comparison;
  compiled.reputation = match.reputation;
  return compiled;
}

template <class T>
Result<CompiledStep> as_step(Result<T> compiled) {
  if (!compiled) return tl::unexpected(compiled.error());
  return CompiledStep(std::move(*compiled));
}

Result<CompiledStep> compile_step(const std::vector<PayloadMatch>& matches, size_t index,
                                  const CompileContext& context) {
  const PayloadMatch& match = matches[index];
  if (const auto* content = std::get_if<ContentMatch>(&match)) {
    auto compiled = compile_content(*content);
    if (compiled) compiled->retry = other_occurrence_helps(matches, index);
    return as_step(std::move(compiled));
  }
  if (const auto* pcre = std::get_if<PcreMatch>(&match)) {
    auto compiled = compile_pcre(*pcre, context);
    if (compiled) compiled->retry = !pcre->negated && other_occurrence_helps(matches, index);
    return as_step(std::move(compiled));
  }
  if (const auto* dataset = std::get_if<DatasetMatch>(&match)) {
    return as_step(compile_dataset(*dataset, context));
  }
  return std::visit(
      [](const auto& plain) -> Result<CompiledStep> {
        using Plain = std::decay_t<decltype(plain)>;
        if constexpr (std::is_constructible_v<CompiledStep, Plain>) {
          return CompiledStep(plain);
        } else {
          return failure("rule", "has a match that cannot be compiled");  // handled above
        }
      },
      match);
}

bool decodes_base64(const CompiledBufferMatches& compiled) {
  for (const CompiledStep& step : compiled.steps) {
    if (std::holds_alternative<Base64Decode>(step)) return true;
  }
  return false;
}

}  // namespace

Result<CompiledBufferMatches> compile_matches(const BufferMatches& matches,
                                              const CompileContext& context) {
  if (matches.matches.size() > kMaximumMatchSteps) {
    return failure(
        "rule", "has more than " + std::to_string(kMaximumMatchSteps) + " matches on one buffer");
  }
  CompiledBufferMatches compiled;
  compiled.buffer = matches.buffer;
  compiled.side = matches.side;
  auto transforms = compile_transforms(matches.transforms, *context.library);
  if (!transforms) return tl::unexpected(transforms.error());
  compiled.transforms = std::move(*transforms);
  compiled.steps.reserve(matches.matches.size());
  for (size_t index = 0; index < matches.matches.size(); ++index) {
    auto step = compile_step(matches.matches, index, context);
    if (!step) return tl::unexpected(step.error());
    compiled.steps.push_back(std::move(*step));
  }
  return compiled;
}

Result<std::vector<CompiledBufferMatches>> compile_rule_matches(const Rule& rule,
                                                                const CompileContext& context) {
  std::vector<CompiledBufferMatches> all;
  for (const BufferMatches& matches : rule.buffers) {
    auto compiled = compile_matches(matches, context);
    if (!compiled) return tl::unexpected(compiled.error());
    if (matches.buffer != BufferId::Base64Data) {
      all.push_back(std::move(*compiled));
      continue;
    }
    if (decodes_base64(*compiled) || !compiled->transforms.empty()) {
      return failure("base64_data", "can be neither decoded again nor transformed");
    }
    size_t source = all.size();
    while (source > 0 && (!decodes_base64(all[source - 1]) || all[source - 1].derived)) --source;
    if (source == 0) return failure("base64_data", "needs a base64_decode before it");
    all[source - 1].derived = std::make_unique<CompiledBufferMatches>(std::move(*compiled));
  }
  return all;
}

}  // namespace masugata::ids
