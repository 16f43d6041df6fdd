// SPDX-License-Identifier: GPL-2.0-or-later
// FTP control connections: lets the announced data connection in and says its translated address.
#pragma once

#include "dataplane/pipeline/worker_context.h"

namespace masugata::dataplane {

// Reads the payload of a control packet before its translation. When it announces a data
// connection, adds the expectation and, where the announcer's address is translated, writes the
// translated one into the text (the packet's length, lengths in headers and the TCP checksum are
// right again afterwards). None also when there is nothing to do or no room for an expectation (the
// transfer then fails, nothing is let through by mistake).
[[nodiscard]] DropReason apply_ftp_helper(Packet& packet, Session& session, Direction direction,
                                          WorkerContext& context) noexcept;

}  // namespace masugata::dataplane
