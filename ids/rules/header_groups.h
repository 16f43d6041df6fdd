// SPDX-License-Identifier: GPL-2.0-or-later
// Address and port groups of rule headers, variables and negation resolved.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "ids/rules/keyword_outcome.h"
#include "ids/rules/rule.h"

namespace masugata::ids {

using Variables = std::map<std::string, std::string>;

// Addresses, prefixes ("10.0.0.0/8", "10.0.0.0/255.0.0.0"), ranges "a-b", either family. A set
// that holds every address is `any`. Errors: an unknown variable, a set that holds nothing.
[[nodiscard]] Read<AddressSet> read_address_group(std::string_view text,
                                                  const Variables& variables);
// Ports "80", ranges "80:90", ":1024", "1024:".
[[nodiscard]] Read<PortSet> read_port_group(std::string_view text, const Variables& variables);

}  // namespace masugata::ids
