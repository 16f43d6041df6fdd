// SPDX-License-Identifier: GPL-2.0-or-later
// Reads one HTTP/1.1 response after the other, with a length or in chunks. For measurements: trusts
// the server.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace masugata::bench {

class ResponseReader {
 public:
  enum class State : uint8_t { Head, Body, ChunkSize, Chunk, ChunkEnd, Trailer, Done, Broken };

  // For the next response.
  void begin() noexcept { *this = {}; }
  // Takes what came; nothing may come behind the response's end.
  void take(std::string_view bytes);
  // The server closed: a body without a length is whole.
  void closed() noexcept;

  [[nodiscard]] bool done() const noexcept { return state_ == State::Done; }
  [[nodiscard]] bool broken() const noexcept { return state_ == State::Broken; }
  [[nodiscard]] int status() const noexcept { return status_; }
  [[nodiscard]] bool last_of_connection() const noexcept { return closes_; }
  [[nodiscard]] uint64_t body_bytes() const noexcept { return body_bytes_; }
  // Its first bytes.
  [[nodiscard]] const std::string& body_begin() const noexcept { return body_begin_; }

 private:
  static constexpr size_t kKept = 128;

  [[nodiscard]] bool read_head(std::string_view& bytes);
  [[nodiscard]] bool read_line(std::string_view& bytes);
  void read_chunked(std::string_view& bytes);
  void body(std::string_view& bytes);

  State state_ = State::Head;
  int status_ = 0;
  bool closes_ = false;
  bool sized_ = false;
  uint64_t left_ = 0;  // of the body or the chunk
  uint64_t body_bytes_ = 0;
  std::string line_;  // or head
  std::string body_begin_;
};

}  // namespace masugata::bench
