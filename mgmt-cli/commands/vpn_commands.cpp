// SPDX-License-Identifier: GPL-2.0-or-later
#include "mgmt-cli/commands/vpn_commands.h"

namespace masugata::cli {

std::vector<Command> vpn_questions() {
  return {
      {{"show", "vpn"},
       "tunnels to other offices; with SITE its SAs, ciphers, counters and failures",
       Action::Call,
       "show.vpn",
       {{"SITE", ValueKind::Site, "site", "only this one, in full", false}},
       {}},
  };
}

std::vector<Command> vpn_actions() {
  return {
      {{"request", "vpn"},
       "begin a tunnel, end it and leave it down, or renew its keys",
       Action::Call,
       "vpn.act",
       {{"SITE", ValueKind::Site, "site", "name of the site"},
        {"up|down|rekey", ValueKind::TunnelAction, "action", "what to do"}},
       {}},
      {{"request", "vpn", "probe"},
       "measure how large packets pass a tunnel; also request vpn SITE probe",
       Action::Call,
       "vpn.probe",
       {{"SITE", ValueKind::Site, "site", "name of the site"},
        {"HOST", ValueKind::Addresses, "host", "behind it, that answers pings", false}},
       {}},
  };
}

}  // namespace masugata::cli
