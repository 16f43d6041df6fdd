// SPDX-License-Identifier: GPL-2.0-or-later
// Memory for keys: the same as for every other secret.
#pragma once

#include "config/secrets/secret_pages.h"

namespace masugata::ipsec {

using KeyMemory = config::SecretPages;

}  // namespace masugata::ipsec
