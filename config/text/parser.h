// SPDX-License-Identifier: GPL-2.0-or-later
// Curly configuration text -> generic tree.
//
//   statement = keyword { word } ( ";" | "[" { word } "]" ";" | "{" { statement } "}" )
//   word      = bare word | "quoted string" with \" and \\ ;  comments: # to the end of the line
//               and slash-star ... star-slash.
//
// The words of a statement stand on one line (a quoted string may follow on the next), so that a
// forgotten ';' is found where it is missing. Only lists in [ ] and blocks span lines.
#pragma once

#include <cstddef>
#include <string_view>

#include "config/problem.h"
#include "config/text/statement.h"

namespace masugata::config::text {

inline constexpr size_t kMaximumDepth = 32;
inline constexpr size_t kMaximumTextBytes = size_t{16} * 1024 * 1024;
inline constexpr size_t kMaximumStatements = 1'000'000;

// What parse() hands on. When `structure_known` is false, braces did not match or a bound was
// exceeded: names defined behind that point may be missing although they are written.
struct ParsedText {
  Document document;
  bool structure_known = true;
};

// Parses `source`. Every syntax error goes to `problems`; parsing continues behind the next ';' or
// '}'. The result holds whatever could be understood. Off the packet path, one thread at a time
// per call; memory is proportional to the text and bounded by the limits above.
[[nodiscard]] ParsedText parse(std::string_view source, ProblemList& problems);

}  // namespace masugata::config::text
