// SPDX-License-Identifier: GPL-2.0-or-later
// What a session carries may turn into something else after it was recognised: the next request on
// an HTTP connection is for another host, a proxy opens a tunnel, a mail session begins TLS.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "config/applications.h"
#include "ids/direction.h"

namespace masugata::ids {

enum class ContentTurn : uint8_t {
  None,
  Now,         // with this packet something begins that has to be recognised anew
  BehindThis,  // with the next packet that has a payload
};

// What is known of the session so far.
struct KnownContents {
  config::ApplicationId application = config::kUnknownApplication;
  config::ApplicationId carrier = config::kUnknownApplication;
  std::string_view host;  // lower case
};

// Immutable; any thread.
class TurnWatcher {
 public:
  TurnWatcher();

  // Can a session with such contents turn at all? Those of others need not be looked at any more.
  [[nodiscard]] bool may_turn(config::ApplicationId application,
                              config::ApplicationId carrier) const noexcept;

  // Looks at the beginning of a payload of a session that may turn. Seen are: an HTTP request for
  // another host than the last and any CONNECT; the answer that switches protocols or opens a
  // tunnel; a query for another name on a DNS socket; a TLS record in a session without TLS. A
  // request that does not begin with its segment is not seen.
  [[nodiscard]] ContentTurn look(const KnownContents& contents, Direction direction,
                                 std::span<const uint8_t> payload) const noexcept;

 private:
  [[nodiscard]] bool has(const KnownContents& contents, config::ApplicationId id) const noexcept {
    return contents.application == id || contents.carrier == id;
  }
  [[nodiscard]] bool is_web(const KnownContents& contents) const noexcept {
    return has(contents, http_) || has(contents, http_proxy_) || has(contents, http_connect_);
  }
  [[nodiscard]] ContentTurn look_at_web(const KnownContents& contents, Direction direction,
                                        std::string_view text) const noexcept;

  config::ApplicationId http_, http_proxy_, http_connect_, dns_, tls_;
  std::vector<config::ApplicationId> turning_;  // sorted
};

// The host of a request that begins with `text`, without its port: of its Host field, or of its
// target when that names one. Empty when it is not in `text`, or when this is no request.
[[nodiscard]] std::string_view request_host(std::string_view text) noexcept;

}  // namespace masugata::ids
