// SPDX-License-Identifier: GPL-2.0-or-later
// What workers refuse and let pass by: antivirus profiles, blocked URLs, the block page. Immutable
// while published; replaced as a whole when any of it changes.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "av-stream/verdicts/blocked_urls.h"
#include "av-stream/verdicts/refusal_text.h"
#include "config/antivirus_settings.h"
#include "dataplane/antivirus/antivirus_slot.h"
#include "net/siphash.h"

namespace masugata::dataplane {

struct AntivirusSet {
  uint32_t generation = 0;  // differs from the set before
  std::vector<config::AvProfile> slots;
  uint32_t choices = 0;  // differs when `slots` may have changed
  net::SipHashKey url_secret;
  bool remembers_urls = true;
  std::shared_ptr<const av::BlockedUrlSet> blocked_urls;
  av::BlockPage page;
};

}  // namespace masugata::dataplane
