// SPDX-License-Identifier: GPL-2.0-or-later
#include "ids/matching/transforms.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <string_view>

#include "ids/matching/base64_text.h"
#include "ids/matching/content_search.h"
#include "ids/matching/digests.h"
#include "ids/matching/match_scratch.h"
#include "ids/matching/scratch_internals.h"

namespace masugata::ids {
namespace {

using Bytes = std::span<const uint8_t>;

constexpr bool is_space(uint8_t byte) { return byte == ' ' || (byte >= '\t' && byte <= '\r'); }

constexpr uint8_t to_upper_ascii(uint8_t byte) {
  return byte >= 'a' && byte <= 'z' ? static_cast<uint8_t>(byte & 0xdfU) : byte;
}

constexpr int hex_value(uint8_t byte) {
  if (byte >= '0' && byte <= '9') return byte - '0';
  const uint8_t lower = to_lower_ascii(byte);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

// Writes into a vector that is large enough by the bound on inputs.
class Output {
 public:
  explicit Output(std::vector<uint8_t>& memory) noexcept : memory_(memory) {}
  void push(uint8_t byte) noexcept {
    if (size_ < memory_.size()) memory_[size_++] = byte;
  }
  void append(Bytes bytes) noexcept {
    const size_t count = std::min(bytes.size(), memory_.size() - size_);
    if (count == 0) return;
    std::memcpy(memory_.data() + size_, bytes.data(), count);
    size_ += count;
  }
  [[nodiscard]] std::span<uint8_t> room() noexcept { return memory_; }
  [[nodiscard]] Bytes bytes() const noexcept { return {memory_.data(), size_}; }

 private:
  std::vector<uint8_t>& memory_;
  size_t size_ = 0;
};

void strip_whitespace(Bytes in, Output& out) noexcept {
  for (const uint8_t byte : in) {
    if (!is_space(byte)) out.push(byte);
  }
}

// The first byte of each run stays, whichever kind of white space it is.
void compress_whitespace(Bytes in, Output& out) noexcept {
  bool in_space = false;
  for (const uint8_t byte : in) {
    const bool space = is_space(byte);
    if (!space || !in_space) out.push(byte);
    in_space = space;
  }
}

// A '%' without two hexadecimal digits stands for itself; '+' is a blank.
void decode_url(Bytes in, Output& out) noexcept {
  for (size_t place = 0; place < in.size(); ++place) {
    const uint8_t byte = in[place];
    if (byte == '%' && in.size() - place > 2) {
      const int high = hex_value(in[place + 1]);
      const int low = hex_value(in[place + 2]);
      if (high >= 0 && low >= 0) {
        out.push(static_cast<uint8_t>(high << 4 | low));
        place += 2;
        continue;
      }
    }
    out.push(byte == '+' ? uint8_t{' '} : byte);
  }
}

void apply_xor(Bytes in, std::string_view key, Output& out) noexcept {
  size_t place = 0;
  for (const uint8_t byte : in) {
    out.push(static_cast<uint8_t>(byte ^ static_cast<uint8_t>(key[place])));
    if (++place == key.size()) place = 0;
  }
}

// Names up to the colon of each line become lower-case, values stay.
void lower_header_names(Bytes in, Output& out) noexcept {
  bool in_value = false;
  for (const uint8_t byte : in) {
    out.push(in_value ? byte : to_lower_ascii(byte));
    in_value = in_value ? byte != '\n' : byte == ':';
  }
}

// Drops the lines that begin with a colon (":path: /").
void strip_pseudo_headers(Bytes in, Output& out) noexcept {
  while (!in.empty()) {
    const auto newline = std::find(in.begin(), in.end(), uint8_t{'\n'});
    const size_t length =
        newline == in.end() ? in.size() : static_cast<size_t>(newline - in.begin()) + 1;
    if (in[0] != ':') out.append(in.first(length));
    in = in.subspan(length);
  }
}

Bytes last_labels(Bytes in, int labels) noexcept {
  size_t begin = in.size();
  while (begin > 0) {
    if (in[begin - 1] == '.' && --labels == 0) break;
    --begin;
  }
  return in.subspan(begin);
}

Bytes first_group(Bytes in, const CompiledTransform& transform, MatchScratch& scratch) noexcept {
  bool failed = false;
  if (run_pcre(*transform.pcre, in, 0, scratch, failed) < 2) return in;
  const PCRE2_SIZE* places = pcre2_get_ovector_pointer(scratch.internals().pcre_data);
  if (places[2] == PCRE2_UNSET || places[2] > places[3]) return in;
  return in.subspan(places[2], places[3] - places[2]);
}

void decode_from_base64(Bytes in, const CompiledTransform& transform, MatchScratch& scratch,
                        Output& out) noexcept {
  Bytes input = in;
  if (transform.base64_offset >= input.size()) return out.append(in);
  input = input.subspan(transform.base64_offset);
  if (transform.base64_bytes != 0 && transform.base64_bytes < input.size()) {
    input = input.first(transform.base64_bytes);
  }
  auto& memory = scratch.internals().base64;
  const Base64Result result = decode_base64(input, memory, transform.base64_mode);
  if (result.cut) ++scratch.counters_to_change().base64_cut;
  out.append(result.written == 0 ? in : Bytes(memory).first(result.written));
}

Bytes decompress(Bytes in, DeflateFormat format, const CompiledTransform& transform,
                 MatchScratch& scratch, Output& out) noexcept {
  const auto room = out.room();
  const size_t most = std::min<size_t>(room.size(), transform.maximum_size);
  return room.first(scratch.internals().inflater.inflate(format, in, room.first(most)));
}

// One transform; the result is part of `in` or what `out` holds.
Bytes apply_one(const CompiledTransform& transform, Bytes in, MatchScratch& scratch,
                Output& out) noexcept {
  switch (transform.kind) {
    case TransformKind::DotPrefix:
      out.push('.');
      out.append(in);
      break;
    case TransformKind::ToLowercase:
      for (const uint8_t byte : in) out.push(to_lower_ascii(byte));
      break;
    case TransformKind::ToUppercase:
      for (const uint8_t byte : in) out.push(to_upper_ascii(byte));
      break;
    case TransformKind::UrlDecode:
      decode_url(in, out);
      break;
    case TransformKind::Xor:
      apply_xor(in, transform.key, out);
      break;
    case TransformKind::StripWhitespace:
      strip_whitespace(in, out);
      break;
    case TransformKind::CompressWhitespace:
      compress_whitespace(in, out);
      break;
    case TransformKind::ToMd5:
      out.append(compute_md5(in));
      break;
    case TransformKind::ToSha1:
      out.append(compute_sha1(in));
      break;
    case TransformKind::ToSha256:
      out.append(compute_sha256(in));
      break;
    case TransformKind::PcreTransform:
      return first_group(in, transform, scratch);
    case TransformKind::HeaderLowercase:
      lower_header_names(in, out);
      break;
    case TransformKind::StripPseudoHeaders:
      strip_pseudo_headers(in, out);
      break;
    case TransformKind::FromBase64:
      decode_from_base64(in, transform, scratch, out);
      break;
    case TransformKind::Domain:
      return last_labels(in, 2);
    case TransformKind::Tld:
      return last_labels(in, 1);
    case TransformKind::Gunzip:
      return decompress(in, DeflateFormat::Gzip, transform, scratch, out);
    case TransformKind::ZlibDeflate:
      return decompress(in, DeflateFormat::Zlib, transform, scratch, out);
  }
  return out.bytes();
}

Status read_base64_option(std::string_view option, CompiledTransform& transform) {
  const size_t space = option.find(' ');
  const std::string_view name = option.substr(0, space);
  const std::string_view text =
      space == std::string_view::npos ? std::string_view{} : option.substr(space + 1);
  if (name == "mode") {
    if (text == "rfc4648") {
      transform.base64_mode = Base64Mode::Rfc4648;
    } else if (text == "rfc2045") {
      transform.base64_mode = Base64Mode::Rfc2045;
    } else if (text == "strict") {
      transform.base64_mode = Base64Mode::Strict;
    } else {
      return failure("from_base64", "has no mode '" + std::string(text) + "'");
    }
    return {};
  }
  uint32_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool good = error == std::errc{} && end == text.data() + text.size();
  if (!good || (name != "bytes" && name != "offset")) {
    return failure("from_base64", "does not know '" + std::string(option) + "'");
  }
  (name == "bytes" ? transform.base64_bytes : transform.base64_offset) = number;
  return {};
}

// "bytes 10, offset 2, mode rfc2045", in any order.
Status read_base64_options(std::string_view text, CompiledTransform& transform) {
  while (!text.empty()) {
    const size_t comma = std::min(text.find(','), text.size());
    std::string_view option = text.substr(0, comma);
    text.remove_prefix(std::min(comma + 1, text.size()));
    while (!option.empty() && option.front() == ' ') option.remove_prefix(1);
    while (!option.empty() && option.back() == ' ') option.remove_suffix(1);
    if (option.empty()) continue;
    if (auto status = read_base64_option(option, transform); !status) return status;
  }
  return {};
}

Status read_maximum_size(std::string_view text, CompiledTransform& transform) {
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), transform.maximum_size);
  if (error != std::errc{} || end != text.data() + text.size() || transform.maximum_size == 0) {
    return failure("max-size", "expects a number from 1 on, not '" + std::string(text) + "'");
  }
  return {};
}

}  // namespace

Result<CompiledTransforms> compile_transforms(const std::vector<Transform>& transforms,
                                              PcreLibrary& library) {
  CompiledTransforms all;
  for (const Transform& transform : transforms) {
    CompiledTransform compiled;
    compiled.kind = transform.kind;
    if (transform.kind == TransformKind::Xor) {
      if (transform.argument.empty()) return failure("xor", "needs a key");
      compiled.key = transform.argument;
    } else if (transform.kind == TransformKind::PcreTransform) {
      auto program = library.find_or_compile(transform.argument, 0);
      if (!program) return failure("pcrexform", program.error().what);
      compiled.pcre = std::move(*program);
    } else if (transform.kind == TransformKind::Gunzip ||
               transform.kind == TransformKind::ZlibDeflate) {
      if (auto status = read_maximum_size(transform.argument, compiled); !status) {
        return tl::unexpected(status.error());
      }
    } else if (transform.kind == TransformKind::FromBase64) {
      if (auto status = read_base64_options(transform.argument, compiled); !status) {
        return tl::unexpected(status.error());
      }
    }
    all.push_back(std::move(compiled));
  }
  return all;
}

std::span<const uint8_t> apply_transforms(const CompiledTransforms& transforms,
                                          std::span<const uint8_t> bytes,
                                          MatchScratch& scratch) noexcept {
  if (transforms.empty()) return bytes;
  const size_t limit = scratch.limits().transform_bytes;
  if (bytes.size() > limit) ++scratch.counters_to_change().transform_cut;
  auto& memory = scratch.internals().transform;
  size_t next = 0;
  Bytes current = bytes;
  for (const CompiledTransform& transform : transforms) {
    Output out(memory[next]);
    const Bytes in = current.first(std::min(current.size(), limit));
    current = apply_one(transform, in, scratch, out);
    // What was read may lie in the other one; it is free as soon as this one was written.
    if (current.data() == memory[next].data()) next = 1 - next;
  }
  return current;
}

}  // namespace masugata::ids
