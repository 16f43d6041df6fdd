// SPDX-License-Identifier: GPL-2.0-or-later
// What a stage says about a packet: where it goes next, or why it goes no further.
#pragma once

#include <cstdint>

#include "dataplane/pipeline/drop_reason.h"

namespace masugata::dataplane {

// `Next` is the stage's own enum of exits. Two of its enumerators have a fixed meaning:
//   Drop  the runner counts `reason` and frees the packet;
//   Hold  the stage has moved the packet into a queue of its own (with a bound and a timeout).
template <class Next>
struct Verdict {
  Next next;
  DropReason reason = DropReason::None;
};

template <class Next>
[[nodiscard]] constexpr Verdict<Next> forward_to(Next next) noexcept {
  return {next, DropReason::None};
}

// There is no drop without a reason.
template <class Next>
[[nodiscard]] constexpr Verdict<Next> drop(DropReason reason) noexcept {
  return {Next::Drop, reason};
}

}  // namespace masugata::dataplane
