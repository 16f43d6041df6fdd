// SPDX-License-Identifier: GPL-2.0-or-later
// What a support archive asks the gateway, as data. A test holds it against the table of commands:
// each `show` command stands here once, to be asked or to be left out.
#pragma once

#include <string_view>
#include <vector>

namespace masugata::cli {

// A question, as typed behind `masugata`.
struct SupportQuestion {
  std::string_view words;   // of the command: "show sessions"
  std::string_view limits;  // what follows, so that the answer is bounded: "limit 1000"; may be ""
};
[[nodiscard]] const std::vector<SupportQuestion>& support_questions();

// A `show` command that is not asked, and why not.
struct LeftOutQuestion {
  std::string_view words;
  std::string_view why;
};
[[nodiscard]] const std::vector<LeftOutQuestion>& left_out_questions();

// Files of the kernel about the gateway's network namespace, below /proc/PID/, and about the
// machine.
[[nodiscard]] const std::vector<std::string_view>& support_process_files();
[[nodiscard]] const std::vector<std::string_view>& support_network_files();
[[nodiscard]] const std::vector<std::string_view>& support_machine_files();

}  // namespace masugata::cli
