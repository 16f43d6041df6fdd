// SPDX-License-Identifier: GPL-2.0-or-later
#include "ids/rules/keyword.h"

#include <algorithm>
#include <array>
#include <vector>

#include "ids/buffers/buffer_properties.h"
#include "ids/rules/text_reading.h"

namespace masugata::ids {
namespace {

std::optional<Direction> find_side(std::string_view text) noexcept {
  if (text == "to_server" || text == "toserver") return Direction::ToServer;
  if (text == "to_client" || text == "toclient") return Direction::ToClient;
  return std::nullopt;
}

void note_needs(Rule& rule, BufferId buffer) noexcept {
  switch (buffer) {
    case BufferId::FileMagic:
      rule.needs_magic = true;
      break;
    case BufferId::Ja3Hash:
    case BufferId::Ja3String:
    case BufferId::Ja3sHash:
    case BufferId::Ja3sString:
      rule.needs_ja3 = true;
      break;
    case BufferId::Ja4Hash:
      rule.needs_ja4 = true;
      break;
    case BufferId::SshHassh:
    case BufferId::SshHasshString:
    case BufferId::SshHasshServer:
    case BufferId::SshHasshServerString:
      rule.needs_hassh = true;
      break;
    default:
      break;
  }
}

Outcome select_sticky(RuleDraft& draft, const KeywordUse& use) {
  const auto buffer = static_cast<BufferId>(use.keyword.argument);
  std::optional<Direction> side;
  if (!use.value.empty()) {
    side = find_side(use.value);
    if (!side)
      return wrong("takes no value but to_server or to_client, not " + in_quotes(use.value));
    if (!draft.rule.transactional) return wrong("takes a direction only in a rule with '=>'");
  }
  note_needs(draft.rule, buffer);
  return draft.select_buffer(buffer, side);
}

Outcome move_content(RuleDraft& draft, const KeywordUse& use) {
  return draft.move_last_content(static_cast<BufferId>(use.keyword.argument));
}

void append_buffers(std::vector<Keyword>& table) {
  for (size_t i = 1; i < kBufferCount; ++i) {
    const auto id = static_cast<uint16_t>(i);
    const BufferProperties& properties = properties_of(static_cast<BufferId>(i));
    table.push_back({properties.name, select_sticky, ValueForm::Optional, id});
    std::string_view names = properties.older_names;
    while (!names.empty()) {
      const size_t end = std::min(names.find(' '), names.size());
      const std::string_view name = names.substr(0, end);
      names.remove_prefix(std::min(end + 1, names.size()));
      if (name.starts_with('!')) {
        table.push_back({name.substr(1), select_sticky, ValueForm::Optional, id});
      } else {
        table.push_back({name, move_content, ValueForm::None, id});
      }
    }
  }
}

std::vector<Keyword> make_table() {
  std::vector<Keyword> table;
  for (const auto part : {meta_keywords(), content_keywords(), byte_keywords(), number_keywords(),
                          packet_keywords(), flow_keywords(), memory_keywords(), limit_keywords(),
                          application_keywords(), tls_keywords(), file_keywords(),
                          transform_keywords(), list_keywords(), unsupported_keywords()}) {
    table.insert(table.end(), part.begin(), part.end());
  }
  append_buffers(table);
  std::sort(table.begin(), table.end(),
            [](const Keyword& a, const Keyword& b) { return a.name < b.name; });
  return table;
}

Read<KeywordUse> read_use(const Keyword& keyword, std::string_view value, bool has_value) {
  if (keyword.form == ValueForm::None) {
    if (has_value) return wrong("takes no value, not " + in_quotes(value));
    return KeywordUse{keyword, {}, false};
  }
  if (keyword.form == ValueForm::Optional) return KeywordUse{keyword, unquoted(value), false};
  if (value.empty()) return wrong("expects a value after ':'");
  if (keyword.form == ValueForm::Required) return KeywordUse{keyword, unquoted(value), false};
  const bool negated = value.starts_with('!');
  if (negated) value = trimmed(value.substr(1));
  const bool has_quotes = value.size() >= 2 && value.front() == '"' && value.back() == '"';
  if (keyword.form == ValueForm::Text && !has_quotes) {
    return wrong("expects a value in double quotes, not " + in_quotes(value));
  }
  return KeywordUse{keyword, unquoted(value), negated};
}

}  // namespace

std::span<const Keyword> all_keywords() {
  static const std::vector<Keyword> table = make_table();
  return table;
}

const Keyword* find_keyword(std::string_view name) {
  const auto table = all_keywords();
  const auto find = [table](std::string_view wanted) -> const Keyword* {
    const auto place = std::lower_bound(
        table.begin(), table.end(), wanted,
        [](const Keyword& keyword, std::string_view text) { return keyword.name < text; });
    return place != table.end() && place->name == wanted ? &*place : nullptr;
  };
  if (const Keyword* keyword = find(name)) return keyword;
  const size_t end = name.find_first_of("._");
  if (end == std::string_view::npos) return nullptr;
  return find(std::string(name.substr(0, end)) + ".*");
}

Outcome read_option(RuleDraft& draft, std::string_view name, std::string_view value,
                    bool has_value) {
  const Keyword* keyword = find_keyword(name);
  if (keyword == nullptr) return wrong("is no keyword of the rule language");
  if (keyword->form == ValueForm::Unsupported) return not_supported("is not supported");
  const auto use = read_use(*keyword, value, has_value);
  if (!use) return tl::unexpected(use.error());
  return keyword->read(draft, *use);
}

}  // namespace masugata::ids
