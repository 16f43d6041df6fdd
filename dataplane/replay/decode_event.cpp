// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/replay/decode_event.h"

namespace masugata::dataplane {
namespace {

constexpr std::array<std::string_view, static_cast<size_t>(DecodeEvent::Count)> kNames{
#define MASUGATA_DECODE_EVENT_NAME(id, name) std::string_view{name},
    MASUGATA_DECODE_EVENTS(MASUGATA_DECODE_EVENT_NAME)
#undef MASUGATA_DECODE_EVENT_NAME
};

}  // namespace

DecodeEventNumbers::DecodeEventNumbers() noexcept {
  for (size_t index = 0; index < kNames.size(); ++index) {
    numbers_[index] = ids::find_event(ids::decode_events(), kNames[index]).value_or(kNone);
  }
}

}  // namespace masugata::dataplane
