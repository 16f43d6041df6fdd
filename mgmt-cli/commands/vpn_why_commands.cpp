// SPDX-License-Identifier: GPL-2.0-or-later
#include "mgmt-cli/commands/vpn_why_commands.h"

namespace masugata::cli {

std::vector<Command> vpn_why_questions() {
  return {
      {{"show", "vpn", "why"},
       "what keeps tunnels down, and what to set on which side; also show vpn SITE why",
       Action::Call,
       "show.vpn.why",
       {{"SITE", ValueKind::Site, "site", "only this one", false}},
       {}},
  };
}

Command vpn_monitor() {
  return {{"monitor", "vpn"},
          "what happens to tunnels, until interrupted",
          Action::Monitor,
          "monitor.vpn",
          {{"SITE", ValueKind::Site, "site", "only this one", false}},
          {}};
}

}  // namespace masugata::cli
