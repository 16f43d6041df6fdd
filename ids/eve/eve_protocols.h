// SPDX-License-Identifier: GPL-2.0-or-later
// What each application protocol says of its transactions, as an object of an EVE event.
#pragma once

#include <string_view>

#include "ids/eve/json_writer.h"
#include "ids/protocols/transaction.h"

namespace masugata::ids {

// Writes the object ("http": {...}) of the transaction, as far as it is known; nothing for
// protocols without one. `direction`: of the event, which matters for DNS messages. No allocation
// but for what summarises a mail.
void write_transaction(JsonWriter& json, Transaction& transaction, Direction direction) noexcept;

// Members of a "fileinfo" object.
void write_file(JsonWriter& json, const TransferredFile& file, uint64_t transaction) noexcept;

// The event type of a protocol's transactions; empty for protocols that are not logged.
[[nodiscard]] std::string_view event_type_of(ApplicationProtocol protocol) noexcept;

}  // namespace masugata::ids
