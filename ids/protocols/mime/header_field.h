// SPDX-License-Identifier: GPL-2.0-or-later
// Header fields of mail (RFC 5322 section 2.2) and their parameters (RFC 2045 section 5.1,
// RFC 2231). Encoded words (RFC 2047) stay as they are: rules are written for that.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace masugata::ids::mime {

struct HeaderField {
  std::string name;   // lower-case
  std::string value;  // unfolded: line ends and the first blank of each further line are gone
};

struct SplitField {
  std::string_view name;
  std::string_view value;  // without the blanks around it
};
// "Name: value"; nullopt when there is no colon or no name before it.
[[nodiscard]] std::optional<SplitField> split_field(std::string_view line) noexcept;

// "multipart/mixed" of "Multipart/Mixed; boundary=x", lower-case.
[[nodiscard]] std::string media_type(std::string_view value);

// The parameter `name` (lower-case) of a field's value, unquoted. Also in pieces (name*0=, name*1=)
// and percent-encoded (name*=UTF-8''..), which are joined and decoded. nullopt: there is none.
[[nodiscard]] std::optional<std::string> find_parameter(std::string_view value,
                                                        std::string_view name);

// The addresses of a To or Cc field: split at the commas outside of quotes and brackets.
[[nodiscard]] std::vector<std::string> split_addresses(std::string_view value);

}  // namespace masugata::ids::mime
