// SPDX-License-Identifier: GPL-2.0-or-later
// SYN floods: above a zone's threshold of half-open sessions, SYNs are answered by cookies and cost
// no memory until the client has proved that it is there (RFC 4987).
#pragma once

#include "dataplane/icmp/tcp_packet.h"
#include "dataplane/pipeline/verdict.h"
#include "dataplane/pipeline/worker_context.h"
#include "dataplane/snapshot/admission.h"

namespace masugata::dataplane {

// Whether a SYN that policy permits is to be answered by a cookie now. Never for the gateway's own
// services (the kernel has cookies of its own) nor for what the gateway opens itself.
[[nodiscard]] bool wants_cookie(const AdmissionResult& admission,
                                const WorkerContext& context) noexcept;

void send_cookie(const Packet& packet, const AdmissionResult& admission,
                 WorkerContext& context) noexcept;

// A packet without session that looks like the answer to a cookie, in a zone that has cookies.
[[nodiscard]] bool expects_cookies(const Packet& packet, const WorkerContext& context) noexcept;

// Does a packet without session answer a cookie of ours? Asked only of zones with cookies.
[[nodiscard]] bool is_cookie_acknowledgement(const Packet& packet,
                                             const WorkerContext& context) noexcept;

// Begins the connection to the server for a session that was built for `packet`, a cookie's
// answer; the packet itself is absorbed (not freed here). False when there was no room: the
// session has been ended.
[[nodiscard]] bool begin_proxied_session(Packet& packet, Session& session,
                                         const AdmissionResult& admission,
                                         WorkerContext& context) noexcept;

// A packet of a session whose server has not answered yet, or an echo of that handshake. True: the
// packet goes on as usual. False: it was absorbed and is to be freed without counting a drop.
[[nodiscard]] bool pass_through_proxy(Packet& packet, Session& session, Direction direction,
                                      WorkerContext& context) noexcept;

}  // namespace masugata::dataplane
