// SPDX-License-Identifier: GPL-2.0-or-later
#include "ids/protocols/events.h"

#include <algorithm>
#include <cctype>

#include "ids/protocols/event_names.h"
#include "ids/protocols/packet_event_names.h"
#if __has_include("ids/protocols/http/http_events.h")
#include "ids/protocols/http/http_events.h"
#define MASUGATA_IDS_HTTP_EVENTS kHttpEventNames
#else
#define MASUGATA_IDS_HTTP_EVENTS \
  std::span<const std::string_view> {}
#endif

namespace masugata::ids {

static_assert(kDecodeEventNames.size() <= kMaximumEvents);
static_assert(kStreamEventNames.size() <= kMaximumEvents);

std::span<const std::string_view> application_events(ApplicationProtocol protocol) noexcept {
  switch (protocol) {
    case ApplicationProtocol::Unknown:
      return kDetectionEventNames;
    case ApplicationProtocol::Http:
      return MASUGATA_IDS_HTTP_EVENTS;
    case ApplicationProtocol::Dns:
    case ApplicationProtocol::Mdns:
      return kDnsEventNames;
    case ApplicationProtocol::Tls:
      return kTlsEventNames;
    case ApplicationProtocol::Ssh:
      return kSshEventNames;
    case ApplicationProtocol::Smtp:
      return kSmtpEventNames;
    case ApplicationProtocol::Smb:
      return kSmbEventNames;
    case ApplicationProtocol::Ftp:
      return kFtpEventNames;
    case ApplicationProtocol::Pop3:
      return kPop3EventNames;
    case ApplicationProtocol::Imap:
      return kImapEventNames;
    default:
      return {};
  }
}

std::span<const std::string_view> decode_events() noexcept { return kDecodeEventNames; }

std::span<const std::string_view> stream_events() noexcept { return kStreamEventNames; }

std::optional<uint8_t> find_event(std::span<const std::string_view> events,
                                  std::string_view name) noexcept {
  const auto same = [](char one, char other) {
    return std::tolower(static_cast<unsigned char>(one)) ==
           std::tolower(static_cast<unsigned char>(other));
  };
  const auto found = std::find_if(events.begin(), events.end(), [&](std::string_view each) {
    return std::equal(each.begin(), each.end(), name.begin(), name.end(), same);
  });
  if (found == events.end()) return std::nullopt;
  return static_cast<uint8_t>(found - events.begin());
}

}  // namespace masugata::ids
