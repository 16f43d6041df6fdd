// SPDX-License-Identifier: GPL-2.0-or-later
// The "tls" object of EVE.
#pragma once

#include "ids/eve/json_writer.h"
#include "ids/protocols/transaction.h"

namespace masugata::ids {

// Precondition: the transaction is a TlsTransaction.
void write_tls(JsonWriter& json, Transaction& transaction) noexcept;

}  // namespace masugata::ids
