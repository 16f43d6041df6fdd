// SPDX-License-Identifier: GPL-2.0-or-later
// The bodies of one HTTP flow on their way to a ContentReceiver: whole bodies, the files of forms,
// the parts of multipart/byteranges.
#pragma once

#include <htp/htp.h>

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "ids/protocols/content_feed.h"
#include "ids/protocols/http/http_bodies.h"
#include "ids/protocols/http/multipart_reader.h"

namespace masugata::ids {

class HttpTransaction;

// Thread: the flow's worker. A body and its response are never open twice in a direction: HTTP/1
// sends one after the other. Memory: of each direction a few header values while a body is open,
// and a MultipartReader.
class HttpContents {
 public:
  HttpContents() noexcept;
  HttpContents(const HttpContents&) = delete;
  HttpContents& operator=(const HttpContents&) = delete;

  void set_receiver(ContentReceiver* receiver) noexcept { receiver_ = receiver; }

  // `answered_next`, as in ContentFacts.
  void request_headers(HttpTransaction& transaction, bool answered_next) noexcept;
  // `came_now`: nothing of the response was in packets before; then `first_byte` is its first.
  void response_headers(HttpTransaction& transaction, bool came_now,
                        const uint8_t* first_byte) noexcept;
  // Bytes of a body as sent (data() null: so many are missing), before the transaction's bodies
  // get them, which give back what they decode to.
  void body_data(HttpTransaction& transaction, Direction direction,
                 std::span<const uint8_t> bytes) noexcept;
  // Bytes behind a message that it did not announce; `first`: in the memory that the parser was
  // given.
  void unannounced(Direction direction, const uint8_t* first) noexcept;
  // The body is over, and its transaction has flushed what it held back. `whole`: as announced.
  void complete(HttpTransaction& transaction, Direction direction, bool whole) noexcept;
  // The parser stops: what is open ends as broken.
  void abandon(Direction direction) noexcept;

  [[nodiscard]] size_t memory_bytes() const noexcept;

 private:
  enum class Progress : uint8_t { Idle, Given, Over };

  struct Side final : BodyTap, MultipartReceiver {
    void take(std::span<const uint8_t> bytes) noexcept override;
    void undecodable() noexcept override;
    bool begin_part(std::string_view headers,
                    std::optional<std::string_view> name) noexcept override;
    void begin_file(std::string_view /*name*/) noexcept override {}
    void file_bytes(std::span<const uint8_t> bytes) noexcept override { feed.bytes(bytes); }
    void end_file(bool truncated) noexcept override;
    void invalid_part_header() noexcept override {}
    void malformed() noexcept override {}
    void outside(std::span<const uint8_t> bytes) noexcept override;
    void begin_feed() noexcept;
    [[nodiscard]] size_t memory_bytes() const noexcept override;

    ContentReceiver* receiver = nullptr;
    Direction direction = Direction::ToServer;
    Progress progress = Progress::Idle;
    bool raw = false;         // bytes are taken as sent
    bool body_whole = false;  // at the end of a form
    bool is_form = false;     // parts() are of a request
    ContentFeed feed;
    std::unique_ptr<MultipartReader> parts;
    // What begin() is told, of the body at hand.
    std::string name, host, location, media_type, languages;
    ContentFacts facts;
  };

  void begin(HttpTransaction& transaction, Direction direction) noexcept;
  static void describe(HttpTransaction& transaction, Side& side) noexcept;
  Side& side_of(Direction direction) noexcept { return sides_[index_of(direction)]; }

  ContentReceiver* receiver_ = nullptr;
  bool response_came_now_ = false;
  const uint8_t* response_first_byte_ = nullptr;
  bool request_answered_next_ = true;
  std::array<Side, 2> sides_;
};

// Whether a message that ends with its connection is all that was announced.
[[nodiscard]] bool is_whole_at_close(const htp_tx_t& source, Direction direction) noexcept;

}  // namespace masugata::ids
