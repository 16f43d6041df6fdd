// SPDX-License-Identifier: GPL-2.0-or-later
// A rule while its keywords are read: the rule so far, which buffer the next match looks into,
// which content the next modifier changes.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ids/rules/keyword_outcome.h"
#include "ids/rules/rule.h"
#include "ids/rules/set_builder.h"

namespace masugata::ids {

class RuleDraft {
 public:
  // `set` outlives the draft.
  explicit RuleDraft(SetBuilder& set) : builder(set) {}

  Rule rule;
  SetBuilder& builder;
  bool has_sid = false;
  bool has_message = false;
  bool has_flow = false;
  std::optional<uint8_t> stated_priority;
  // `bidir.toserver;`: of which direction the buffers after it are.
  std::optional<Direction> stated_side;

  // --- which buffer ---
  // A sticky buffer: all matches that follow look into it. Error: the one before has none.
  [[nodiscard]] Outcome select_buffer(BufferId buffer, std::optional<Direction> side);
  // Back to the payload (pkt_data).
  [[nodiscard]] Outcome select_payload();
  // Of the buffer selected, before its first match.
  [[nodiscard]] Outcome add_transform(Transform transform);
  // Is one selected, other than the payload?
  [[nodiscard]] bool has_sticky_buffer() const noexcept { return sticky_; }
  [[nodiscard]] BufferId current_buffer() const noexcept { return buffer_; }
  // All selected buffers have a match.
  [[nodiscard]] Outcome check_buffers_used() const;

  // --- matches ---
  // Into the buffer selected, else the payload.
  void add(PayloadMatch match);
  // The same; without a sticky buffer into the buffer of the match before: it begins there.
  void add_relative(PayloadMatch match);
  // Into a buffer without transforms, whichever is selected.
  void add_to(BufferId buffer, PayloadMatch match);

  // The content that modifiers change; null before the first.
  [[nodiscard]] ContentMatch* last_content() noexcept;
  // An older modifier (`http_uri;`): the last content belongs into `buffer`.
  [[nodiscard]] Outcome move_last_content(BufferId buffer);

  // --- variables ---
  // A new result of byte_extract or byte_math; the same name again is the same variable.
  [[nodiscard]] Read<VariableIndex> define_variable(std::string_view name);
  // A number within the bounds, or a variable defined before.
  [[nodiscard]] Read<Operand> operand(std::string_view text, int64_t minimum,
                                      int64_t maximum) const;

 private:
  [[nodiscard]] size_t index_for(BufferId buffer, const std::vector<Transform>& transforms,
                                 std::optional<Direction> side, bool always_new);
  [[nodiscard]] size_t current_index();
  void push(size_t index, PayloadMatch match);

  BufferId buffer_ = BufferId::Payload;
  bool sticky_ = false;
  std::vector<Transform> transforms_;
  std::optional<Direction> side_;
  std::optional<size_t> index_;       // of the selected buffer in rule.buffers, once it has a match
  std::optional<size_t> last_index_;  // where the last match went
  struct Place {
    size_t buffer = 0;
    size_t match = 0;
  };
  std::optional<Place> last_content_;
  std::vector<std::string> variables_;
};

}  // namespace masugata::ids
