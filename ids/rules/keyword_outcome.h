// SPDX-License-Identifier: GPL-2.0-or-later
// What reading one keyword can end in. The place (file, line, keyword) is added by the caller.
#pragma once

#include <string>
#include <tl/expected.hpp>
#include <utility>

namespace masugata::ids {

// `reason` completes the sentence "KEYWORD ..." or stands alone ("expects a number, not 'x'").
struct KeywordFault {
  std::string reason;
  bool unsupported = false;  // right in the language, but not expressible here
};

template <class T>
using Read = tl::expected<T, KeywordFault>;
using Outcome = Read<void>;

// The rule is wrong.
[[nodiscard]] inline tl::unexpected<KeywordFault> wrong(std::string reason) {
  return tl::unexpected<KeywordFault>(KeywordFault{std::move(reason), false});
}
// The rule is right, but asks for something that the engine does not have.
[[nodiscard]] inline tl::unexpected<KeywordFault> not_supported(std::string reason) {
  return tl::unexpected<KeywordFault>(KeywordFault{std::move(reason), true});
}

}  // namespace masugata::ids
