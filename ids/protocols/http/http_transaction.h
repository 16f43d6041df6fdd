// SPDX-License-Identifier: GPL-2.0-or-later
// One HTTP/1 request and its response, read out of libhtp's transaction.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ids/protocols/http/http_bodies.h"
#include "ids/protocols/http/http_connection.h"
#include "ids/protocols/http/message_end.h"
#include "ids/protocols/transaction.h"

namespace masugata::ids {

// The steps of `progress`, for hooks: request_started, request_line ... and response_started, ...
// A step that is named has begun and those before it are over: the request line is known from
// Headers on.
enum class HttpProgress : uint8_t { Started, Line, Headers, Body, Trailer, Complete };

// Raw headers of a side, with trailers, are kept up to this.
inline constexpr size_t kMaximumRawHeaderBytes = 64 * 1024;

class HttpTransaction final : public Transaction {
 public:
  // Takes over `source`, which belongs to `connection`.
  HttpTransaction(std::shared_ptr<HttpConnection> connection, htp_tx_t* source,
                  const ParserDemands& demands) noexcept;
  ~HttpTransaction() override;

  [[nodiscard]] BufferBytes buffer(BufferId buffer, Direction direction,
                                   uint32_t instance) noexcept override;
  [[nodiscard]] bool number(NumberField field, Direction direction,
                            uint64_t& value) noexcept override;
  [[nodiscard]] std::span<TransferredFile> files() noexcept override;

  [[nodiscard]] size_t memory_bytes() noexcept override;

  // The value of a header, several of a name joined by ", "; nullopt when there is none (yet).
  // `name` in any case. Valid as long as buffers are.
  [[nodiscard]] std::optional<std::span<const uint8_t>> header(Direction direction,
                                                               std::string_view name) noexcept;
  // The length of the body as it was sent, before decoding: EVE's http.length.
  [[nodiscard]] uint64_t body_length(Direction direction) const noexcept;

  // For HttpParser only.
  [[nodiscard]] HttpBodies& bodies() noexcept { return bodies_; }
  // What of a message is known to be its own; see MessageEnd.
  [[nodiscard]] MessageEnd& message_end(Direction direction) noexcept {
    return ends_[index_of(direction)];
  }
  void append_raw_headers(Direction direction, std::span<const uint8_t> bytes) noexcept;
  // See are_headers_doubtful(); also when there are more than kMaximumRawHeaderBytes.
  [[nodiscard]] bool headers_doubtful(Direction direction) const noexcept;
  // Headers came, or the response starts again after an interim one (then `restart`).
  void headers_changed(Direction direction, bool restart) noexcept;
  // libhtp counts the interim response and the next status line among the raw headers.
  void cut_interim_headers() noexcept;
  [[nodiscard]] const htp_tx_t& source() const noexcept { return *source_; }
  // Takes over how far libhtp is.
  void update_progress() noexcept;
  // Nothing more will come from that side; `whole`: it came to its proper end.
  void finish(Direction direction, bool whole) noexcept;

 private:
  struct Derived {
    std::optional<std::string> header;
    std::optional<std::string> header_names;
    std::optional<std::string> start;
    std::optional<std::vector<std::string>> lines;  // "Name: value" each
  };

  [[nodiscard]] const htp_table_t* headers_of(Direction direction) const noexcept;
  // `bytes` once `step` is over.
  [[nodiscard]] BufferBytes settled(Direction direction, HttpProgress step,
                                    std::optional<std::span<const uint8_t>> bytes) const noexcept;
  [[nodiscard]] bool is_past(Direction direction, HttpProgress step) const noexcept;
  [[nodiscard]] BufferBytes line_buffer(BufferId buffer, Direction direction) noexcept;
  [[nodiscard]] BufferBytes header_buffer(BufferId buffer, Direction direction) noexcept;
  [[nodiscard]] BufferBytes header_line(Direction direction, uint32_t instance) noexcept;
  [[nodiscard]] BufferBytes host_buffer(bool raw) noexcept;
  [[nodiscard]] BufferBytes body_buffer(Direction direction) noexcept;
  [[nodiscard]] BufferBytes file_buffer(BufferId buffer, Direction direction,
                                        uint32_t instance) noexcept;

  std::shared_ptr<HttpConnection> connection_;
  htp_tx_t* source_;
  std::array<std::string, 2> raw_headers_;
  std::array<size_t, 2> header_bytes_{};  // of all headers, also those beyond raw_headers_
  std::array<Derived, 2> derived_;
  std::array<MessageEnd, 2> ends_{};
  std::optional<std::string> uri_;
  std::optional<std::string> host_;
  HttpBodies bodies_;
};

}  // namespace masugata::ids
