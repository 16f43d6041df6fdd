// SPDX-License-Identifier: GPL-2.0-or-later
#include "ids/rules/hooks.h"

#include <algorithm>
#include <array>

namespace masugata::ids {
namespace {

using Names = std::string_view;

constexpr std::array<Names, 2> kPacketHooks{"all", "flow_start"};
constexpr std::array<Names, 4> kAnyApplication{"request_started", "request_complete",
                                               "response_started", "response_complete"};
constexpr std::array<Names, 8> kHttp{"request_line",    "request_headers", "request_body",
                                     "request_trailer", "response_line",   "response_headers",
                                     "response_body",   "response_trailer"};
constexpr std::array<Names, 12> kTls{
    "client_in_progress", "client_hello_done",     "client_cert_done", "client_handshake_done",
    "client_finished",    "server_in_progress",    "server_hello",     "server_hello_done",
    "server_cert_done",   "server_handshake_done", "server_finished",  "server_cert"};

template <size_t N>
bool includes(const std::array<Names, N>& names, std::string_view name) noexcept {
  return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

std::optional<HookProperties> find_hook(RuleProtocol protocol, ApplicationProtocol application,
                                        std::string_view name) noexcept {
  if (protocol != RuleProtocol::Application) {
    if (!includes(kPacketHooks, name)) return std::nullopt;
    return HookProperties{};
  }
  const bool known = includes(kAnyApplication, name) ||
                     (application == ApplicationProtocol::Http && includes(kHttp, name)) ||
                     (application == ApplicationProtocol::Tls && includes(kTls, name));
  if (!known) return std::nullopt;
  const bool from_client = name.starts_with("request") || name.starts_with("client");
  return HookProperties{from_client ? Direction::ToServer : Direction::ToClient};
}

}  // namespace masugata::ids
