// SPDX-License-Identifier: GPL-2.0-or-later
// Alerts of charon's plugin as the diagnosis takes them. Input: alerts, one behind the other; what
// is missing of the last one is zero.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>

#include "ipsec/diagnosis/diagnosis.h"
#include "ipsec/diagnosis/sample_alerts.h"
#include "ipsec/sa/sa_message_reader.h"

namespace {

using namespace masugata::ipsec;  // NOLINT: a program of one file

void require(bool holds) {
  if (!holds) std::abort();
}

void require_printable(const std::string& text) {
  for (const char c : text) require((c >= ' ' && c <= '~') || c == '\n');
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  int64_t now = sample::kNow;
  Diagnosis diagnosis({.now = [&now] { return now; },
                       .event =
                           [](const TunnelEvent& event) {
                             require_printable(event.text);
                             require(event.text.find('\n') == std::string::npos);
                           },
                       .alert = nullptr});
  diagnosis.configure(sample::settings());
  while (size > 0) {
    masugata_sa_alert message{};
    const size_t bytes = std::min(size, sizeof message);
    std::memcpy(&message, data, bytes);
    data += bytes;
    size -= bytes;
    ++now;
    message.kind = static_cast<uint16_t>(message.kind % (MASUGATA_ALERT_LAST + 1));
    if (const auto alert = read_alert(message)) diagnosis.take(*alert);
  }
  for (const char* site : {"", "osaka", "nagoya", "sendai", "kobe"}) {
    const auto entries = diagnosis.history().of_site(site);
    require(entries.size() <= FailureHistory::kStrangers);
    for (const auto& entry : entries) {
      const Explanation text = explain(entry.failure, diagnosis.settings());
      require(!text.what.empty() && !text.here.empty() && !text.there.empty());
      require_printable(to_text(entry.failure, text));
    }
  }
  return 0;
}
