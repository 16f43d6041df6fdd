// SPDX-License-Identifier: GPL-2.0-or-later
// `expect session tcp A:P > B:P translated C:Q > D:R state S expires 30s rule NAME zones A > B
// packets N/M`: everything behind the flow may be left out, '*' stands for any endpoint.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "result/result.h"
#include "tests/scenarios/gateway_under_test.h"

namespace masugata::test {

class SessionExpectation {
 public:
  [[nodiscard]] static Result<SessionExpectation> parse(const std::string& text);
  [[nodiscard]] bool matches(const SessionView& session) const;

 private:
  std::map<std::string, std::string> wanted_;  // by the names of session_fields()
};

// Every field of a session by name, in the notation of expectations.
[[nodiscard]] std::map<std::string, std::string> session_fields(const SessionView& session);

// One line, the canonical expectation.
[[nodiscard]] std::string session_text(const SessionView& session);

}  // namespace masugata::test
