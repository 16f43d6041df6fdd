// SPDX-License-Identifier: GPL-2.0-or-later
// File names in Content-Disposition (RFC 6266, RFC 7578) and the boundary in Content-Type.
#pragma once

#include <optional>
#include <string_view>

namespace masugata::ids {

// The value of parameter `name` in "attachment; filename=\"a b\"; size=3": without its quotes,
// escapes kept. nullopt when there is none. Names compare without case; an unclosed quote ends
// with the text. The view points into `value`.
[[nodiscard]] std::optional<std::string_view> find_parameter(std::string_view value,
                                                             std::string_view name) noexcept;

// The file name that a Content-Disposition gives: `filename`, else `filename*` without its
// character set. nullopt when neither is there or it is empty.
[[nodiscard]] std::optional<std::string_view> file_name_of(std::string_view disposition) noexcept;

[[nodiscard]] bool equals_ignoring_case(std::string_view left, std::string_view right) noexcept;
[[nodiscard]] std::string_view trim_blanks(std::string_view text) noexcept;

}  // namespace masugata::ids
