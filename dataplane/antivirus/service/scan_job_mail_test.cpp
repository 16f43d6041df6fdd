// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/antivirus/service/scan_job_mail.h"

#include <gtest/gtest.h>

namespace masugata::dataplane {
namespace {

ScanJobReport report() {
  ScanJobReport made;
  made.job = "nightly";
  made.run.started_s = 1'600'000'000;
  made.run.ended_s = 1'600'000'125;
  made.run.result = ScanJobResult::Found;
  made.run.counts = {1000, 25'000'000, 2000, 3, 1, 2, 124'900, 8'000'000};
  made.found = {{"/srv/mail/a", "Eicar", FoundFileState::InQuarantine, "", 1234},
                {"/srv/b\n\nForged: yes", "Evil", FoundFileState::Stays, "no room", 0},
                {"/srv/c", "Evil", FoundFileState::CopyInQuarantine, "Read-only file system", 77}};
  made.unread = {{"/srv/locked", "Permission denied"}};
  return made;
}

TEST(ScanJobMail, HasTotalsAndLists) {
  EXPECT_EQ(subject_of(report()), "Antivirus scan nightly: 4 found");
  const std::string body = body_of(report());
  for (const char* part : {"1000 files, 25.0 MB", "2020-09-13 12:26:40 UTC", "125 s", "8000000",
                           "  /srv/mail/a\n", "Eicar, in quarantine", "reference 1234",
                           "still there / 残存: no room", "reference 77: Read-only file system",
                           "  ... 1 more", "  /srv/locked\n    Permission denied"}) {
    EXPECT_NE(body.find(part), std::string::npos) << part << "\n" << body;
  }
}

TEST(ScanJobMail, NoLineBeginsWithATextOfStrangers) {
  EXPECT_EQ(body_of(report()).find("\nForged"), std::string::npos);
}

TEST(ScanJobMail, SaysHowItEnded) {
  ScanJobReport told;
  told.job = "j";
  EXPECT_EQ(subject_of(told), "Antivirus scan j: nothing found");
  told.run.result = ScanJobResult::Incomplete;
  told.run.counts.not_scanned = 2;
  EXPECT_EQ(subject_of(told), "Antivirus scan j: nothing found, 2 not scanned");
  told.run.result = ScanJobResult::Stopped;
  EXPECT_EQ(subject_of(told), "Antivirus scan j: stopped");
  told.run.result = ScanJobResult::Failed;
  told.run.problem = "holds no signature files";
  EXPECT_EQ(subject_of(told), "Antivirus scan j: failed");
  EXPECT_NE(body_of(told).find("holds no signature files"), std::string::npos);
}

}  // namespace
}  // namespace masugata::dataplane
