// SPDX-License-Identifier: GPL-2.0-or-later
#include "ids/rules/rule_draft.h"

#include <algorithm>

#include "ids/buffers/buffer_properties.h"
#include "ids/rules/text_reading.h"

namespace masugata::ids {
namespace {

bool is_variable_name(std::string_view text) noexcept {
  return !text.empty() && text.size() <= 64 &&
         std::all_of(text.begin(), text.end(),
                     [](char c) {
                       return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                              (c >= '0' && c <= '9') || c == '_' || c == '.' || c == '-';
                     }) &&
         !(text[0] >= '0' && text[0] <= '9') && text[0] != '-';
}

}  // namespace

Outcome RuleDraft::check_buffers_used() const {
  if (sticky_ && !index_) {
    return wrong("expects a match in the buffer " + in_quotes(properties_of(buffer_).name) +
                 " before the next buffer or the end");
  }
  return {};
}

Outcome RuleDraft::select_buffer(BufferId buffer, std::optional<Direction> side) {
  if (auto used = check_buffers_used(); !used) return used;
  buffer_ = buffer;
  sticky_ = true;
  transforms_.clear();
  side_ = side ? side : stated_side;
  index_.reset();
  return {};
}

Outcome RuleDraft::select_payload() {
  if (auto used = check_buffers_used(); !used) return used;
  buffer_ = BufferId::Payload;
  sticky_ = false;
  transforms_.clear();
  side_.reset();
  index_.reset();
  return {};
}

Outcome RuleDraft::add_transform(Transform transform) {
  if (!sticky_) return wrong("expects a sticky buffer before it");
  if (index_) return wrong("expects to stand right after its buffer, before any match in it");
  if (transforms_.size() >= 16) return wrong("is one of too many transforms (more than 16)");
  transforms_.push_back(std::move(transform));
  return {};
}

size_t RuleDraft::index_for(BufferId buffer, const std::vector<Transform>& transforms,
                            std::optional<Direction> side, bool always_new) {
  auto& buffers = rule.buffers;
  if (!always_new) {
    const auto found = std::find_if(buffers.begin(), buffers.end(), [&](const BufferMatches& each) {
      return each.buffer == buffer && each.transforms == transforms && each.side == side;
    });
    if (found != buffers.end()) return static_cast<size_t>(found - buffers.begin());
  }
  buffers.push_back({buffer, transforms, {}, side});
  return buffers.size() - 1;
}

size_t RuleDraft::current_index() {
  if (!sticky_) return index_for(BufferId::Payload, {}, std::nullopt, false);
  if (!index_) {
    // Naming a buffer with many instances again asks for a further instance.
    const BufferProperties& properties = properties_of(buffer_);
    const bool many = properties.many || properties.source == BufferSource::File;
    index_ = index_for(buffer_, transforms_, side_, many);
  }
  return *index_;
}

void RuleDraft::push(size_t index, PayloadMatch match) {
  auto& matches = rule.buffers[index].matches;
  if (std::holds_alternative<ContentMatch>(match)) last_content_ = {index, matches.size()};
  matches.push_back(std::move(match));
  last_index_ = index;
}

void RuleDraft::add(PayloadMatch match) { push(current_index(), std::move(match)); }

void RuleDraft::add_relative(PayloadMatch match) {
  push(!sticky_ && last_index_ ? *last_index_ : current_index(), std::move(match));
}

void RuleDraft::add_to(BufferId buffer, PayloadMatch match) {
  push(index_for(buffer, {}, stated_side, false), std::move(match));
}

ContentMatch* RuleDraft::last_content() noexcept {
  if (!last_content_) return nullptr;
  return std::get_if<ContentMatch>(
      &rule.buffers[last_content_->buffer].matches[last_content_->match]);
}

Outcome RuleDraft::move_last_content(BufferId buffer) {
  if (last_content() == nullptr) return wrong("expects a content before it");
  if (sticky_) {
    return wrong("cannot follow the sticky buffer " + in_quotes(properties_of(buffer_).name) +
                 "; use the sticky name of this buffer too");
  }
  auto& from = rule.buffers[last_content_->buffer];
  if (from.buffer != BufferId::Payload) {
    return wrong("expects a content that no other buffer has taken yet");
  }
  ContentMatch content = *last_content();
  from.matches.erase(from.matches.begin() + static_cast<std::ptrdiff_t>(last_content_->match));
  push(index_for(buffer, {}, stated_side, false), std::move(content));
  return {};
}

Read<VariableIndex> RuleDraft::define_variable(std::string_view name) {
  if (!is_variable_name(name))
    return wrong("expects a name for its result, not " + in_quotes(name));
  const auto found = std::find(variables_.begin(), variables_.end(), name);
  const auto index = static_cast<VariableIndex>(found - variables_.begin());
  if (found != variables_.end()) return index;
  if (variables_.size() >= kMaximumRuleVariables) {
    return wrong("defines more than " + std::to_string(kMaximumRuleVariables) + " variables");
  }
  variables_.emplace_back(name);
  rule.variable_count = static_cast<uint8_t>(variables_.size());
  return index;
}

Read<Operand> RuleDraft::operand(std::string_view text, int64_t minimum, int64_t maximum) const {
  text = trimmed(text);
  if (const auto number = parse_signed(text, minimum, maximum)) {
    return Operand{*number, std::nullopt};
  }
  if (is_variable_name(text)) {
    const auto found = std::find(variables_.begin(), variables_.end(), text);
    if (found == variables_.end()) {
      return wrong("uses the variable " + in_quotes(text) +
                   ", which no byte_extract or byte_math before it defines");
    }
    return Operand{0, static_cast<VariableIndex>(found - variables_.begin())};
  }
  return wrong("expects a number from " + std::to_string(minimum) + " to " +
               std::to_string(maximum) + " or a variable, not " + in_quotes(text));
}

}  // namespace masugata::ids
