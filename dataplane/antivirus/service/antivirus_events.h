// SPDX-License-Identifier: GPL-2.0-or-later
// Antivirus in the event log: lines of EVE with Suricata's names, beside those of the rules.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "dataplane/antivirus/antivirus_record.h"

namespace masugata::dataplane {

// Alerts of antivirus are those with this group; the signature's id is kFirstSignatureId and the
// number of the reason (av::RefusalReason).
inline constexpr uint64_t kAntivirusGroup = 3;
inline constexpr uint64_t kFirstSignatureId = 1'900'000;
inline constexpr uint64_t kOldSignaturesId = 1'900'100;
inline constexpr uint64_t kFoundFileId = 1'900'101;

// What the record does not say itself.
struct EventCircumstances {
  uint64_t time_us = 0;  // since 1970
  std::string_view profile;
  bool stored = false;  // it is in quarantine
};

// One line each, without its end; any thread.
[[nodiscard]] std::string antivirus_alert(const AntivirusRecord& record,
                                          const EventCircumstances& circumstances);
[[nodiscard]] std::string antivirus_file(const AntivirusRecord& record,
                                         const EventCircumstances& circumstances);
// What a scan job has found.
struct FileEvent {
  uint64_t time_us = 0;  // since 1970
  std::string_view path;
  std::string_view signature;
  std::string_view job;
  uint64_t bytes = 0;
  uint64_t reference = 0;  // in quarantine; 0: it is not there
};
// An alert without a session.
[[nodiscard]] std::string found_file_alert(const FileEvent& event);
// An alert without a session: the signatures are `days` old.
[[nodiscard]] std::string old_signatures_alert(uint64_t days, uint64_t time_us);

}  // namespace masugata::dataplane
