// SPDX-License-Identifier: GPL-2.0-or-later
// Transforms of a buffer before anything is matched in it: `dotprefix`, `to_sha256`, ...
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "ids/matching/pcre_program.h"
#include "ids/rules/payload_match.h"
#include "result/result.h"

namespace masugata::ids {

class MatchScratch;

// How strictly from_base64 reads (RFC 4648 stops at what is not in the alphabet, RFC 2045 skips
// it; Strict wants everything to be valid).
enum class Base64Mode : uint8_t { Rfc4648, Rfc2045, Strict };

struct CompiledTransform {
  TransformKind kind = TransformKind::DotPrefix;
  std::string key;                          // of Xor
  std::shared_ptr<const PcreProgram> pcre;  // of PcreTransform
  Base64Mode base64_mode = Base64Mode::Rfc4648;
  uint32_t base64_bytes = 0;   // of the input, 0 = all
  uint32_t base64_offset = 0;  // into the input
  uint32_t maximum_size = 0;   // of what Gunzip and ZlibDeflate write
};
using CompiledTransforms = std::vector<CompiledTransform>;

// Fails when an argument is no good (a pcrexform that PCRE2 refuses, an empty xor key).
[[nodiscard]] Result<CompiledTransforms> compile_transforms(
    const std::vector<Transform>& transforms, PcreLibrary& library);

// Applies them in order. The result is part of `bytes` when nothing had to be written, else memory
// of `scratch`, valid until the next call with the same scratch. Inputs are cut at the scratch's
// transform bound (counted there). A pcrexform without a match or without a group and a
// from_base64 that decodes nothing leave their input as it is. What gunzip and zlib_deflate cannot
// read is empty. `domain` yields the last two labels
// of a name and `tld` the last one: no list of public suffixes is consulted. Digests are raw bytes.
[[nodiscard]] std::span<const uint8_t> apply_transforms(const CompiledTransforms& transforms,
                                                        std::span<const uint8_t> bytes,
                                                        MatchScratch& scratch) noexcept;

}  // namespace masugata::ids
