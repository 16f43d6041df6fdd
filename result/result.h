// SPDX-License-Identifier: GPL-2.0-or-later
// The one way to report failure off the packet path: what went wrong and where.
#pragma once

#include <string>
#include <tl/expected.hpp>
#include <utility>

namespace masugata {

// `where` names the place for the person who has to mend it ("gateway.conf:12 policy from wan",
// "port lan0", "/run/masugata/control.sock"); `what` says what is wrong and, where known, what
// would be right. Both are plain sentences without a trailing newline and never hold a secret.
struct Fault {
  std::string where;
  std::string what;

  [[nodiscard]] std::string message() const { return where.empty() ? what : where + ": " + what; }
};

template <class T>
using Result = tl::expected<T, Fault>;

using Status = Result<void>;

[[nodiscard]] inline tl::unexpected<Fault> failure(std::string where, std::string what) {
  return tl::unexpected<Fault>(Fault{std::move(where), std::move(what)});
}

}  // namespace masugata
