// SPDX-License-Identifier: GPL-2.0-or-later
// The "dns" object of EVE, version 3.
#pragma once

#include "ids/eve/json_writer.h"
#include "ids/protocols/transaction.h"

namespace masugata::ids {

// Precondition: the transaction is a DnsTransaction.
void write_dns(JsonWriter& json, Transaction& transaction, Direction direction) noexcept;

}  // namespace masugata::ids
