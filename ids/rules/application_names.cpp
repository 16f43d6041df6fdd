// SPDX-License-Identifier: GPL-2.0-or-later
#include "ids/rules/application_names.h"

#include <algorithm>
#include <array>

namespace masugata::ids {
namespace {

struct OtherName {
  std::string_view name;
  ApplicationProtocol protocol;
};
constexpr std::array kOtherNames{
    OtherName{"http1", ApplicationProtocol::Http},     OtherName{"ssl", ApplicationProtocol::Tls},
    OtherName{"ikev2", ApplicationProtocol::Ike},      OtherName{"ikev1", ApplicationProtocol::Ike},
    OtherName{"dce-rpc", ApplicationProtocol::DceRpc},
};

constexpr std::array<std::string_view, 8> kElsewhere{"doh2", "irc",     "jabber",   "llmnr",
                                                     "msn",  "rpcbind", "template", "mysql"};

}  // namespace

std::optional<ApplicationProtocol> find_application(std::string_view name) noexcept {
  const auto first = kApplicationProtocolNames.begin() + 2;  // after unknown and failed
  const auto found = std::find(first, kApplicationProtocolNames.end(), name);
  if (found != kApplicationProtocolNames.end()) {
    return static_cast<ApplicationProtocol>(found - kApplicationProtocolNames.begin());
  }
  for (const OtherName& each : kOtherNames) {
    if (each.name == name) return each.protocol;
  }
  return std::nullopt;
}

bool is_application_elsewhere(std::string_view name) noexcept {
  return std::find(kElsewhere.begin(), kElsewhere.end(), name) != kElsewhere.end();
}

}  // namespace masugata::ids
