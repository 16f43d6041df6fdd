// SPDX-License-Identifier: GPL-2.0-or-later
// The bodies of one HTTP transaction and the files in them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "ids/protocols/files/file_collection.h"
#include "ids/protocols/http/encoded_body.h"
#include "ids/protocols/http/http_events.h"
#include "ids/protocols/http/multipart_reader.h"

namespace masugata::ids {

// How a request's body becomes files: not at all, as one (PUT, POST), or the parts of a form.
enum class RequestBodyKind : uint8_t { Plain, WholeFile, Form };

// A body as it stands: see BufferBytes.
struct BodyView {
  std::span<const uint8_t> bytes;
  uint64_t first = 0;
};

// Takes the decoded bytes of a body besides the rules' windows, all of them.
class BodyTap : public ByteSink {
 public:
  // What the last call brought cannot be decoded to its end; what comes from now on is no content.
  virtual void undecodable() noexcept = 0;
};

// Thread: the flow's worker. Memory: that of a FileCollection, plus one window for the request's
// body. What is decoded or inflated is what is kept.
class HttpBodies final : private MultipartReceiver {
 public:
  // `owner` is told what is odd; it and `demands` outlive the bodies.
  HttpBodies(const ParserDemands& demands, Transaction& owner) noexcept;

  // Before the first bytes of the request's body. `boundary` is of Form, `name` of WholeFile,
  // `encoding` the Content-Encoding.
  void begin_request(RequestBodyKind kind, std::string_view boundary, std::string_view name,
                     std::string_view encoding) noexcept;
  void request_bytes(std::span<const uint8_t> bytes) noexcept;
  void request_gap(uint64_t missing) noexcept;
  // `whole`: the body came to its proper end.
  void end_request(bool whole) noexcept;

  // Before the first bytes of the response's body.
  void begin_response(std::string_view file_name, std::string_view encoding) noexcept;
  void response_bytes(std::span<const uint8_t> bytes) noexcept;
  void response_gap(uint64_t missing) noexcept;
  void end_response(bool whole) noexcept;

  // Who gets the decoded bytes of that direction from now on; null: nobody besides the rules. `tap`
  // stays valid while bytes come.
  void set_tap(Direction direction, BodyTap* tap) noexcept {
    decoded_[index_of(direction)].tap = tap;
  }

  // The rules have seen everything so far.
  void begin_input() noexcept;

  [[nodiscard]] bool request_begun() const noexcept { return request_begun_; }
  [[nodiscard]] bool response_begun() const noexcept { return response_begun_; }
  [[nodiscard]] BodyView request() const noexcept { return {request_window_, request_first_}; }
  [[nodiscard]] BodyView response() noexcept;
  [[nodiscard]] FileCollection& files() noexcept { return files_; }
  // The request's window and what decoding takes; without files().
  [[nodiscard]] size_t memory_bytes() const noexcept;

 private:
  void begin_file(std::string_view name) noexcept override;
  void file_bytes(std::span<const uint8_t> bytes) noexcept override;
  void end_file(bool truncated) noexcept override;
  void invalid_part_header() noexcept override;
  void malformed() noexcept override;

  // The decoded bytes of one direction.
  struct Decoded final : ByteSink {
    Decoded(HttpBodies& bodies, Direction direction) noexcept
        : bodies_(&bodies), direction_(direction) {}
    void take(std::span<const uint8_t> bytes) noexcept override;
    HttpBodies* bodies_;
    Direction direction_;
    BodyTap* tap = nullptr;
  };
  void begin_decoding(Direction direction, std::string_view encoding) noexcept;
  void decode(Direction direction, std::span<const uint8_t> bytes) noexcept;
  void end_decoding(Direction direction) noexcept;
  void decoded_request(std::span<const uint8_t> bytes) noexcept;
  std::optional<size_t> open_file(Direction direction, std::string_view name) noexcept;
  void append_to(std::optional<size_t> file, Direction direction,
                 std::span<const uint8_t> bytes) noexcept;
  void raise(Direction direction, HttpEvent event) noexcept;

  const ParserDemands* demands_;
  Transaction* owner_;
  FileCollection files_;
  std::vector<uint8_t> request_window_;
  uint64_t request_first_ = 0;
  std::unique_ptr<MultipartReader> form_;
  std::array<Decoded, 2> decoded_;
  std::array<std::unique_ptr<EncodedBody>, 2> encoded_;  // null: not encoded
  std::optional<size_t> request_file_;
  std::optional<size_t> response_file_;
  uint64_t file_in_form_bytes_ = 0;
  bool request_begun_ = false;
  bool response_begun_ = false;
};

}  // namespace masugata::ids
