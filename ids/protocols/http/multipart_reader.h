// SPDX-License-Identifier: GPL-2.0-or-later
// Reads a multipart/form-data body (RFC 7578) as it arrives and tells of the files in it.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace masugata::ids {

inline constexpr size_t kMaximumBoundaryBytes = 200;  // RFC 2046 allows 70
inline constexpr size_t kMaximumPartHeaderBytes = 8192;

// What a reader tells. Parts without a file name (form fields) are not told of.
class MultipartReceiver {
 public:
  virtual ~MultipartReceiver() = default;
  // The headers of a part are over; `name`: its file name, nullopt when it has none. True: its
  // bytes are wanted. As it is here, only those of files are.
  virtual bool begin_part(std::string_view /*headers*/,
                          std::optional<std::string_view> name) noexcept {
    if (name) {
      begin_file(*name);
    }
    return name.has_value();
  }
  virtual void begin_file(std::string_view name) noexcept = 0;
  virtual void file_bytes(std::span<const uint8_t> bytes) noexcept = 0;
  // `truncated`: the body ended before the part did.
  virtual void end_file(bool truncated) noexcept = 0;
  // What stands outside of all parts: before the first and behind the last one, and behind a
  // boundary on its line.
  virtual void outside(std::span<const uint8_t> /*bytes*/) noexcept {}
  // The headers of a part are longer than the bound or not headers at all.
  virtual void invalid_part_header() noexcept = 0;
  // The body does not begin with a boundary, or ends inside a part.
  virtual void malformed() noexcept = 0;
};

// Thread: the flow's worker. Memory: a boundary's length of carried bytes, or the headers of one
// part up to their bound; a call holds its own input besides.
class MultipartReader {
 public:
  // `boundary` as the Content-Type says it, at most kMaximumBoundaryBytes.
  explicit MultipartReader(std::string_view boundary);

  void read(std::span<const uint8_t> bytes, MultipartReceiver& receiver) noexcept;
  // Bytes are missing: whatever part it was, it ends; the reader looks for the next boundary.
  void skip(MultipartReceiver& receiver) noexcept;
  // The body is over.
  void end(MultipartReceiver& receiver) noexcept;
  [[nodiscard]] size_t memory_bytes() const noexcept {
    return sizeof(MultipartReader) + delimiter_.capacity() + carried_.capacity();
  }

 private:
  enum class State : uint8_t { Preamble, AfterBoundary, Headers, Data, Epilogue };

  // Each takes what it can from `text` and returns how much; 0: more bytes are needed.
  size_t read_preamble(std::string_view text, MultipartReceiver& receiver) noexcept;
  size_t read_after_boundary(std::string_view text, MultipartReceiver& receiver) noexcept;
  size_t read_headers(std::string_view text, MultipartReceiver& receiver) noexcept;
  size_t read_data(std::string_view text, MultipartReceiver& receiver) noexcept;
  size_t step(std::string_view text, MultipartReceiver& receiver) noexcept;
  void finish_part(bool truncated, MultipartReceiver& receiver) noexcept;

  std::string delimiter_;  // "--" and the boundary
  std::string carried_;
  State state_ = State::Preamble;
  bool in_file_ = false;
  bool told_malformed_ = false;
};

}  // namespace masugata::ids
