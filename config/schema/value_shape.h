// SPDX-License-Identifier: GPL-2.0-or-later
// Reads from libyang's compiled schema what a message or completion says about a value.
// Internal to config/schema.
#pragma once

#include <libyang/libyang.h>

#include <string>

#include "config/schema/schema.h"

namespace masugata::config::schema {

// The argument of extension `name` of masugata-extensions on `node`; nullptr when not present.
// An extension without argument gives "".
[[nodiscard]] const char* extension_argument(const lysc_node* node, const char* name);

// `node` is a leaf or a leaf-list.
[[nodiscard]] ValueShape value_shape(const lysc_node* node);

}  // namespace masugata::config::schema
