// SPDX-License-Identifier: GPL-2.0-or-later
// What admission is asked with, from a packet and a worker's tables.
#pragma once

#include "dataplane/pipeline/worker_context.h"
#include "dataplane/snapshot/admission.h"

namespace masugata::dataplane {

// A translated reply key is free when no session of this worker has it and its packets will be led
// to this worker. With one worker the second half is always true.
class SessionPortProbe {
 public:
  explicit SessionPortProbe(WorkerContext& context) noexcept : context_(context) {}
  [[nodiscard]] bool is_free(const net::FlowKey& reply_key) noexcept {
    if (context_.worker_count > 1 &&
        worker_of(reply_key, context_.worker_count) != context_.worker) {
      return false;
    }
    return !context_.sessions->contains(reply_key, net::hash_flow(reply_key, context_.secret));
  }

 private:
  WorkerContext& context_;
};

// Routes as they are, but what the kernel sends leaves by the interface that the kernel chose.
class PacketRoutes {
 public:
  PacketRoutes(const ForwardingView& view, const Packet& packet) noexcept;
  [[nodiscard]] const Route& lookup(const net::IpAddress& address,
                                    uint32_t flow_hash) const noexcept {
    if (pinned_ && address == destination_) return route_;
    return view_.lookup(address, flow_hash);
  }

 private:
  const ForwardingView& view_;
  net::IpAddress destination_;
  Route route_;
  bool pinned_ = false;
};

[[nodiscard]] PacketFacts facts_of(const Packet& packet) noexcept;

}  // namespace masugata::dataplane
