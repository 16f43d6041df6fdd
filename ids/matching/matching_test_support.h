// SPDX-License-Identifier: GPL-2.0-or-later
// Short ways to write matches and evaluate them, for the tests of this folder.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ids/matching/compiled_matches.h"
#include "ids/matching/datasets.h"

namespace masugata::ids {

inline std::span<const uint8_t> bytes_of(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}
inline std::string text_of(std::span<const uint8_t> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

inline Operand number(int64_t value) { return Operand{value, std::nullopt}; }
inline Operand variable(VariableIndex index) { return Operand{0, index}; }

// content("abc").within(5).build()
class ContentBuilder {
 public:
  explicit ContentBuilder(std::string bytes) { match_.bytes = std::move(bytes); }
  ContentBuilder& negated() { return set(match_.negated); }
  ContentBuilder& nocase() { return set(match_.nocase); }
  ContentBuilder& startswith() { return set(match_.startswith); }
  ContentBuilder& endswith() { return set(match_.endswith); }
  ContentBuilder& offset(Operand value) { return assign(match_.offset, value); }
  ContentBuilder& depth(Operand value) { return assign(match_.depth, value); }
  ContentBuilder& distance(Operand value) { return assign(match_.distance, value); }
  ContentBuilder& within(Operand value) { return assign(match_.within, value); }
  ContentBuilder& offset(int64_t value) { return offset(number(value)); }
  ContentBuilder& depth(int64_t value) { return depth(number(value)); }
  ContentBuilder& distance(int64_t value) { return distance(number(value)); }
  ContentBuilder& within(int64_t value) { return within(number(value)); }
  ContentBuilder& replace(std::string bytes) {
    match_.replacement = std::move(bytes);
    return *this;
  }
  operator PayloadMatch() const { return match_; }  // NOLINT: that is what it is for

 private:
  ContentBuilder& set(bool& flag) {
    flag = true;
    return *this;
  }
  ContentBuilder& assign(std::optional<Operand>& field, Operand value) {
    field = value;
    return *this;
  }
  ContentMatch match_;
};
inline ContentBuilder content(std::string bytes) { return ContentBuilder(std::move(bytes)); }

inline PcreMatch pcre(std::string pattern, bool relative = false, bool negated = false) {
  PcreMatch match;
  match.pattern = std::move(pattern);
  match.relative = relative;
  match.negated = negated;
  return match;
}

inline IsDataAt is_data_at(int64_t position, bool relative = false, bool negated = false) {
  IsDataAt match;
  match.position = number(position);
  match.relative = relative;
  match.negated = negated;
  return match;
}

inline BufferMatches buffer(std::vector<PayloadMatch> matches, BufferId id = BufferId::Payload) {
  BufferMatches all;
  all.buffer = id;
  all.matches = std::move(matches);
  return all;
}

// A worker with its scratch, and what rules are compiled with.
class Matcher {
 public:
  explicit Matcher(const MatchLimits& limits = {}) {
    auto scratch = MatchScratch::create(limits);
    EXPECT_TRUE(scratch.has_value());
    scratch_ = std::move(*scratch);
    context_.library = &library_;
    context_.datasets = &datasets_;
  }

  [[nodiscard]] CompiledBufferMatches compile(std::vector<PayloadMatch> matches) {
    auto compiled = compile_matches(buffer(std::move(matches)), context_);
    EXPECT_TRUE(compiled.has_value()) << (compiled ? "" : compiled.error().message());
    return compiled ? std::move(*compiled) : CompiledBufferMatches{};
  }
  // Do the matches, alone in their rule, hold on `bytes`, which are the whole buffer?
  bool matches(std::vector<PayloadMatch> matches, std::string_view bytes) {
    return matches_window(std::move(matches), bytes, 0, true);
  }
  bool matches_window(std::vector<PayloadMatch> matches, std::string_view bytes, uint64_t first,
                      bool complete) {
    const CompiledBufferMatches compiled = compile(std::move(matches));
    scratch_->begin_rule();
    // An exact copy on the heap lets a sanitizer see a byte read too much.
    const auto copy = std::make_unique<uint8_t[]>(bytes.size());
    std::copy(bytes.begin(), bytes.end(), copy.get());
    return match_buffer(compiled, {{copy.get(), bytes.size()}, first, complete}, *scratch_);
  }
  [[nodiscard]] MatchScratch& scratch() { return *scratch_; }
  [[nodiscard]] DatasetStore& datasets() { return datasets_; }
  [[nodiscard]] PcreLibrary& library() { return library_; }
  [[nodiscard]] CompileContext& context() { return context_; }

 private:
  PcreLibrary library_;
  DatasetStore datasets_;
  CompileContext context_;
  std::unique_ptr<MatchScratch> scratch_;
};

}  // namespace masugata::ids
