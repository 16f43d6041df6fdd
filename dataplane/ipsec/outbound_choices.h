// SPDX-License-Identifier: GPL-2.0-or-later
// Which SA encrypts what goes into a tunnel, out of charon's outbound policies. Control thread.
#pragma once

#include <cstdint>
#include <vector>

#include "dataplane/ipsec/ipsec_view.h"
#include "ipsec/sa/sa_consumer.h"

namespace masugata::dataplane {

// An outbound SA that charon is about to end: the peer has been told, and may have no keys for it
// any more.
struct EndingSa {
  uint32_t tunnel_id = 0;
  uint32_t spi = 0;  // host order
  friend auto operator<=>(const EndingSa&, const EndingSa&) = default;
};

// The choices of one tunnel, the most wanted first, each pair of selectors once. `sas` are those of
// the view that the choices are for. One of `ending` (sorted) is chosen when there is no other.
[[nodiscard]] std::vector<OutboundChoice> outbound_choices(
    uint32_t tunnel_id, const std::vector<ipsec::SaPolicy>& policies,
    const std::vector<ViewedSa>& sas, const std::vector<EndingSa>& ending);

}  // namespace masugata::dataplane
