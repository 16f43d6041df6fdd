// SPDX-License-Identifier: GPL-2.0-or-later
// Rule-shaped matches on any bytes. Input: choices for up to eight matches and four transforms,
// each a few bytes, then the buffer. Whatever comes: only bytes of the buffer are read, matching
// ends within its steps, gives the same answer twice, and captures and replacements lie inside
// bounds.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <utility>

#include "ids/matching/compiled_matches.h"
#include "ids/matching/datasets.h"

namespace {

using namespace masugata::ids;  // NOLINT: a program of one file

void require(bool holds) {
  if (!holds) std::abort();
}

// Takes choices from the front of the input; zeros when it is used up.
class Choices {
 public:
  explicit Choices(std::span<const uint8_t> input) : input_(input) {}
  uint8_t byte() {
    if (input_.empty()) return 0;
    const uint8_t value = input_[0];
    input_ = input_.subspan(1);
    return value;
  }
  bool flag() { return (byte() & 1U) != 0; }
  // Small numbers of either sign, now and then a huge one.
  int64_t number() {
    const uint8_t value = byte();
    if (value == 0x7f) return INT32_MAX;
    if (value == 0x80) return -65535;
    return static_cast<int8_t>(value);
  }
  Operand operand() {
    const uint8_t kind = byte();
    if (kind % 4 != 3) return Operand{number(), std::nullopt};
    return Operand{0, static_cast<VariableIndex>(kind / 4 % kMaximumRuleVariables)};
  }
  std::string text(size_t longest) {
    const size_t size = std::min<size_t>(byte() % (longest + 1), input_.size());
    std::string value(reinterpret_cast<const char*>(input_.data()), size);
    input_ = input_.subspan(size);
    return value;
  }
  [[nodiscard]] std::span<const uint8_t> rest() const { return input_; }

 private:
  std::span<const uint8_t> input_;
};

ContentMatch choose_content(Choices& choices) {
  ContentMatch match;
  match.bytes = choices.text(20);
  if (match.bytes.empty()) match.bytes = "a";
  const uint8_t flags = choices.byte();
  match.negated = (flags & 1U) != 0;
  match.nocase = (flags & 2U) != 0;
  match.startswith = (flags & 4U) != 0;
  match.endswith = (flags & 8U) != 0;
  if ((flags & 16U) != 0) match.offset = choices.operand();
  if ((flags & 32U) != 0) match.depth = choices.operand();
  if ((flags & 64U) != 0) match.distance = choices.operand();
  if ((flags & 128U) != 0) match.within = choices.operand();
  if (flags % 16 == 0) match.replacement = match.bytes;
  return match;
}

PcreMatch choose_pcre(Choices& choices) {
  // Compiling what a fuzzer writes would test PCRE2: a few expressions do.
  static constexpr const char* kPatterns[] = {
      "a",   "^a+b*$",      "(\\w+)=(\\w*)",           "(a|b)*c",
      ".*x", "(?=a)\\w{2}", "(*NO_JIT)(a|ab)(c|bcd)*", ""};
  PcreMatch match;
  match.pattern = kPatterns[choices.byte() % 8];
  match.negated = choices.flag();
  match.relative = choices.flag();
  if (choices.flag()) {
    match.captures = {{PcreCapture::Scope::Flow, "one"}, {PcreCapture::Scope::Packet, "two"}};
  }
  return match;
}

NumberReading choose_reading(Choices& choices) {
  NumberReading reading;
  reading.byte_count = choices.operand();
  reading.offset = choices.operand();
  const uint8_t flags = choices.byte();
  reading.relative = (flags & 1U) != 0;
  reading.little_endian = (flags & 2U) != 0;
  reading.base = static_cast<NumberBase>((flags >> 2U) & 3U);
  if ((flags & 16U) != 0) reading.bitmask = static_cast<uint64_t>(choices.number());
  return reading;
}

PayloadMatch choose_jump(Choices& choices) {
  ByteJump jump;
  jump.reading = choose_reading(choices);
  jump.multiplier = choices.operand();
  jump.post_offset = static_cast<int32_t>(choices.number());
  const uint8_t flags = choices.byte();
  jump.align = (flags & 1U) != 0;
  jump.from_beginning = (flags & 2U) != 0;
  jump.from_end = (flags & 4U) != 0;
  if ((flags & 8U) != 0) jump.post_offset_variable = uint8_t{1};
  return jump;
}

PayloadMatch choose_match(Choices& choices) {
  const auto variable = [&choices] {
    return static_cast<VariableIndex>(choices.byte() % kMaximumRuleVariables);
  };
  const auto comparison = [&choices] { return static_cast<Comparison>(choices.byte() % 9); };
  switch (choices.byte() % 12) {
    case 0:
      return choose_pcre(choices);
    case 1:
      return ByteTest{choose_reading(choices), choices.flag(), comparison(), choices.operand()};
    case 2:
      return choose_jump(choices);
    case 3:
      return ByteExtract{choose_reading(choices), variable(), choices.byte(),
                         static_cast<uint8_t>(choices.byte() % 3 * 2)};
    case 4:
      return ByteMath{choose_reading(choices), static_cast<MathOperator>(choices.byte() % 6),
                      choices.operand(), variable()};
    case 5:
      return IsDataAt{choices.operand(), choices.flag(), choices.flag()};
    case 6:
      return BufferSize{comparison(), choices.byte(), choices.byte()};
    case 7:
      return Base64Decode{choices.byte(), choices.byte(), choices.flag()};
    case 8: {
      DatasetMatch match;
      match.name = "set";
      match.operation = static_cast<DatasetMatch::Operation>(choices.byte() % 5);
      match.maximum_entries = 64;
      return match;
    }
    default:
      return choose_content(choices);
  }
}

BufferMatches choose_matches(Choices& choices, BufferId buffer) {
  BufferMatches matches;
  matches.buffer = buffer;
  const size_t count = choices.byte() % 9;
  while (matches.matches.size() < count) matches.matches.push_back(choose_match(choices));
  return matches;
}

std::vector<Transform> choose_transforms(Choices& choices) {
  std::vector<Transform> transforms;
  const size_t count = choices.byte() % 5;
  while (transforms.size() < count) {
    Transform transform;
    transform.kind = static_cast<TransformKind>(choices.byte() % 18);
    if (transform.kind == TransformKind::PcreTransform) transform.argument = "a(.*)b";
    const bool packed =
        transform.kind == TransformKind::Gunzip || transform.kind == TransformKind::ZlibDeflate;
    if (packed) transform.argument = std::to_string(choices.byte() + 1);
    if (transform.kind == TransformKind::Xor) transform.argument = "k" + choices.text(4);
    transforms.push_back(std::move(transform));
  }
  return transforms;
}

struct Worker {
  Worker() {
    MatchLimits limits;
    limits.steps = 500;
    limits.pcre_matches = 2000;
    limits.transform_bytes = 512;
    limits.base64_bytes = 256;
    auto made = MatchScratch::create(limits);
    require(made.has_value());
    scratch = std::move(*made);
  }
  std::unique_ptr<MatchScratch> scratch;
  PcreLibrary library;
};

bool changes_datasets(const CompiledBufferMatches& matches) {
  for (const CompiledStep& step : matches.steps) {
    if (std::holds_alternative<CompiledDataset>(step)) return true;
  }
  return matches.derived && changes_datasets(*matches.derived);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static Worker worker;
  Choices choices({data, size});
  DatasetStore datasets;
  const CompileContext context{&worker.library, &datasets, "/nonexistent"};

  Rule rule;
  rule.buffers.push_back(choose_matches(choices, BufferId::FileData));
  rule.buffers[0].transforms = choose_transforms(choices);
  if (choices.flag()) rule.buffers.push_back(choose_matches(choices, BufferId::Base64Data));
  const uint64_t first = choices.flag() ? choices.byte() : 0;
  const bool complete = choices.flag();
  auto compiled = compile_rule_matches(rule, context);
  if (!compiled) return 0;

  const auto rest = choices.rest();
  const auto exact = std::make_unique<uint8_t[]>(rest.size());
  std::copy(rest.begin(), rest.end(), exact.get());
  MatchScratch& scratch = *worker.scratch;
  const CompiledBufferMatches& matches = compiled->front();
  const auto bytes = apply_transforms(matches.transforms, {exact.get(), rest.size()}, scratch);

  scratch.begin_rule();
  const bool answer = match_buffer(matches, {bytes, first, complete}, scratch);
  for (const Replacement& replacement : scratch.replacements()) {
    require(replacement.position >= first);
    require(replacement.position + replacement.bytes.size() <= first + bytes.size());
  }
  require(scratch.captures().size() <= MatchScratch::kMaximumCaptures);
  if (changes_datasets(matches)) return 0;
  scratch.begin_rule();
  require(match_buffer(matches, {bytes, first, complete}, scratch) == answer);
  return 0;
}
