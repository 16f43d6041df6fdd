// SPDX-License-Identifier: GPL-2.0-or-later
#include "mgmt-cli/commands/antivirus_commands.h"

namespace masugata::cli {
namespace {

Positional reference() {
  return {"REFERENCE", ValueKind::Reference, "reference", "number that log and block page show"};
}

}  // namespace

std::vector<Command> antivirus_questions() {
  const std::vector<Option> limit = {
      {"limit", ValueKind::Count, "limit", "show at most so many (50)"}};
  return {
      {{"show", "av"},
       "antivirus: signatures, scanners, what was scanned and refused",
       Action::Call,
       "show.av",
       {},
       {}},
      {{"show", "av", "blocked-urls"},
       "URLs that are refused because something infected came from there",
       Action::Call,
       "show.av.blocked-urls",
       {},
       limit},
      {{"show", "av", "quarantine"},
       "objects that were refused and kept",
       Action::Call,
       "show.av.quarantine",
       {},
       limit},
      {{"show", "av", "scan-jobs"},
       "scan jobs: when they ran, what came of it, when they run next",
       Action::Call,
       "show.av.scan-jobs",
       {},
       {}},
  };
}

std::vector<Command> antivirus_actions() {
  return {
      {{"clear", "av", "blocked-urls"},
       "let blocked URLs be asked for again",
       Action::Call,
       "clear.av.blocked-urls",
       {{"TEXT", ValueKind::Text, "text", "only those that contain it", false}},
       {}},
      {{"request", "av", "reload"},
       "look at the signatures again, also at those that were refused",
       Action::Call,
       "av.reload",
       {},
       {}},
      {{"request", "av", "release"},
       "write an object of the quarantine into a file, as it was",
       Action::Release,
       "av.release",
       {reference(),
        {"to", ValueKind::Keyword, "to", "stands before the file"},
        {"FILE", ValueKind::File, "file", "a new file"}},
       {}},
      {{"request", "av", "delete"},
       "delete an object of the quarantine",
       Action::Call,
       "av.delete",
       {reference()},
       {}},
      {{"request", "av", "scan-job"},
       "run a scan job now, or end its run",
       Action::Call,
       "av.scan-job",
       {{"NAME", ValueKind::Text, "name", "name of the job"},
        {"start|stop", ValueKind::StartStop, "action", "what to do"}},
       {}},
  };
}

}  // namespace masugata::cli
