// SPDX-License-Identifier: GPL-2.0-or-later
// The file buffers (file.data, file.name, file.magic) of a transaction that keeps its files in a
// FileCollection.
#pragma once

#include "ids/protocols/files/file_collection.h"
#include "ids/protocols/transaction.h"

namespace masugata::ids::mime {

// Instance `instance` of `buffer`, Absent for buffers that are no file's. `finished`: no more files
// of that direction will come.
[[nodiscard]] BufferBytes file_buffer(FileCollection& files, BufferId buffer, Direction direction,
                                      uint32_t instance, bool finished) noexcept;

}  // namespace masugata::ids::mime
