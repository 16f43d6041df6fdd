// SPDX-License-Identifier: GPL-2.0-or-later
// Small pieces around libyang's data nodes. Internal to config/schema.
#pragma once

#include <libyang/libyang.h>

#include <cstdint>

#include "config/schema/schema.h"
#include "config/text/statement.h"

namespace masugata::config::schema {

// The statement that `node` is an instance of; nullptr for the key of an entry.
[[nodiscard]] inline const StatementSchema* statement_of(const lyd_node* node) {
  return static_cast<const StatementSchema*>(node->schema->priv);
}

// The place in the text travels in libyang's private pointer: no side table is needed, and a node
// that is freed takes its place along.
inline void set_position(lyd_node* node, text::Position position) {
  const uint64_t packed = (static_cast<uint64_t>(position.line) << 32U) | position.column;
  node->priv = reinterpret_cast<void*>(static_cast<uintptr_t>(packed));
}
[[nodiscard]] inline text::Position get_position(const lyd_node* node) {
  const auto packed = static_cast<uint64_t>(reinterpret_cast<uintptr_t>(node->priv));
  return {static_cast<uint32_t>(packed >> 32U), static_cast<uint32_t>(packed)};
}

}  // namespace masugata::config::schema
