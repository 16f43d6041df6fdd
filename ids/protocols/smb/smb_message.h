// SPDX-License-Identifier: GPL-2.0-or-later
// The head of one SMB1 or SMB2 message (MS-CIFS, MS-SMB2): what it says of trees, files and data.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

namespace masugata::ids {

enum class SmbKind : uint8_t { Other, TreeConnect, Create, Read, Write, Close };

// A file as one dialect names it: 2 bytes in SMB1, 16 in SMB2.
using SmbFileId = std::array<uint8_t, 16>;

struct SmbMessage {
  uint8_t version = 1;  // or 2
  SmbKind kind = SmbKind::Other;
  bool response = false;
  bool failed = false;      // a response with an error
  uint64_t message_id = 0;  // pairs requests and responses
  std::string name;         // of a share or file, UTF-8; requests only
  bool is_pipe = false;     // of a tree, in its response
  SmbFileId file{};         // of Create's response, of Read, Write and Close requests
  // Bytes of a file that the message carries: a Write request, a Read response.
  uint64_t file_offset = 0;  // of Read and Write requests
  uint32_t data_at = 0;      // from the message's start
  uint32_t data_bytes = 0;
};

// Reads the message at the start of `head`, which may lack the end of long ones. nullopt: not SMB,
// encrypted, or cut short. Pure; allocates the name only, at most 2 KiB.
[[nodiscard]] std::optional<SmbMessage> parse_smb_message(std::span<const uint8_t> head);

}  // namespace masugata::ids
