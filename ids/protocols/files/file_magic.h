// SPDX-License-Identifier: GPL-2.0-or-later
// libmagic's description of a file by its first bytes.
#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace masugata::ids {

// Loads libmagic's database for the calling thread, which reads files: call it when a worker
// starts and its plan asks for magic. False when there is no database; then every description is
// empty. Otherwise the first describe_content() of the thread does it.
bool prepare_content_descriptions() noexcept;

// "PE32 executable (GUI) Intel 80386, for MS Windows"; empty when nothing can be said. Looks at
// 64 KiB at most. Thread: any, each with a database of its own.
[[nodiscard]] std::string describe_content(std::span<const uint8_t> first_bytes) noexcept;

}  // namespace masugata::ids
