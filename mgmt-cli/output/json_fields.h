// SPDX-License-Identifier: GPL-2.0-or-later
// Reads fields of answers. An absent or odd field reads as empty: the gateway may be a version
// older or newer than the command.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>

namespace masugata::cli {

using Json = nlohmann::json;

// The member, or a null that lives forever.
[[nodiscard]] const Json& member(const Json& object, const char* name);
[[nodiscard]] std::string text_of(const Json& object, const char* name);
[[nodiscard]] uint64_t number_of(const Json& object, const char* name);
[[nodiscard]] double real_of(const Json& object, const char* name);
[[nodiscard]] bool flag_of(const Json& object, const char* name);
// An array; empty when there is none.
[[nodiscard]] const Json& list_of(const Json& object, const char* name);
// The texts of an array, with ", " between them.
[[nodiscard]] std::string joined_of(const Json& object, const char* name);
// "10.0.0.1:80", "[2001:db8::1]:80"; without a port when it is 0.
[[nodiscard]] std::string endpoint_of(const Json& object, const char* name);

}  // namespace masugata::cli
