// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/forwarding/forwarding_view.h"

#include "dataplane/forwarding/fib_instance.h"

namespace masugata::dataplane {

const Route& ForwardingView::lookup(const net::IpAddress& destination,
                                    uint32_t flow_hash) const noexcept {
  return fib_->lookup(destination, flow_hash);
}

void ForwardingView::lookup_bulk(const net::IpAddress* destinations, const uint32_t* flow_hashes,
                                 const Route** routes, std::size_t count) const noexcept {
  fib_->lookup_bulk(destinations, flow_hashes, routes, count);
}

}  // namespace masugata::dataplane
