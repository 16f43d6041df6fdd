// SPDX-License-Identifier: GPL-2.0-or-later
// One flow that speaks HTTP/1: feeds libhtp and turns what it calls back into transactions.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "ids/protocols/http/chunk_reader.h"
#include "ids/protocols/http/head_reader.h"
#include "ids/protocols/http/http_connection.h"
#include "ids/protocols/http/http_contents.h"
#include "ids/protocols/http/http_transaction.h"
#include "ids/protocols/protocol_parser.h"

namespace masugata::ids {

// Bytes of one direction that wait for the other one (after CONNECT), at most; when the flow is
// another protocol's after that, they are the first ones of it.
inline constexpr size_t kMaximumWaitingBytes = 64 * 1024;
// libhtp never forgets the place of a transaction: after so many, its connection is made anew as
// soon as none is open.
inline constexpr size_t kTransactionsPerConnection = 4096;

// Thread: the flow's worker. Nothing throws.
class HttpSession final : public ProtocolParser {
 public:
  explicit HttpSession(const ParserDemands& demands) noexcept;

  ParseOutcome on_data(Direction direction, std::span<const uint8_t> bytes,
                       uint64_t time_us) noexcept override;
  ParseOutcome on_gap(Direction direction, uint64_t bytes) noexcept override;
  void on_end(Direction direction) noexcept override;
  [[nodiscard]] ApplicationProtocol next_protocol() const noexcept override { return next_; }
  [[nodiscard]] std::string take_unread(Direction direction) noexcept override;
  [[nodiscard]] size_t memory_bytes() const noexcept override {
    return waiting_[0].capacity() + waiting_[1].capacity() +
           (contents_ ? contents_->memory_bytes() : 0);
  }

  // For the callbacks of libhtp. The transaction that stands for `source`; begun if it is new;
  // null when there are too many or the engine took it away.
  [[nodiscard]] HttpTransaction* find(htp_tx_t* source, bool begin) noexcept;
  // Null when nobody receives contents.
  [[nodiscard]] HttpContents* contents() noexcept;
  // Bytes of a body that belong to no transaction any more: with a receiver the parser fails.
  void miss_content() noexcept { failed_ = failed_ || content_receiver() != nullptr; }
  // The body of that direction came to its end, or the connection did.
  void finish_body(HttpTransaction& transaction, Direction direction) noexcept;
  // The status line is complete: did all of it come with the bytes at hand?
  void note_response_line(const htp_tx_t& source) noexcept;
  [[nodiscard]] bool response_came_now() const noexcept { return response_call_ == calls_; }
  // Of the response that came now, in the bytes that the parser was given.
  [[nodiscard]] const uint8_t* response_first_byte() const noexcept { return first_byte_; }
  // Have all requests before that one their responses?
  [[nodiscard]] bool is_answered_next(const HttpTransaction& transaction) noexcept;
  // What libhtp has read of a response belongs to it so far; `bytes`: a part of its body.
  void note_response_bytes(std::span<const uint8_t> bytes) noexcept;
  // Likewise of its headers, or of its trailer.
  void note_response_end() noexcept { response_end_ = bytes_read(); }
  // Of bytes that libhtp takes for a body those that are; the parser fails when they are not of the
  // chunk that they should be of. Without a receiver all: rules look into what stands behind, too.
  [[nodiscard]] std::span<const uint8_t> own_bytes(HttpTransaction& transaction,
                                                   Direction direction,
                                                   std::span<const uint8_t> bytes) noexcept;
  // A message begins: how the lines of its head end is looked at from here on.
  void begin_head(Direction direction) noexcept;
  // libhtp has read the first line of a head, or all of it (`over`). False: a line, or the head,
  // ends elsewhere, and no more is to be parsed.
  [[nodiscard]] bool is_head_as_read(Direction direction, bool over) noexcept;
  // Its header is complete: how its chunks are written is looked at from here on.
  void begin_body(const htp_tx_t& source, Direction direction) noexcept;
  // The message is over before `bytes`. False: no more is to be parsed.
  [[nodiscard]] bool ends_before(HttpTransaction& transaction, Direction direction,
                                 std::span<const uint8_t> bytes) noexcept;
  // No more is to be parsed.
  [[nodiscard]] bool failed() const noexcept { return failed_; }
  void note_message(const htp_log_t& message) noexcept;
  // Is there anything but blanks behind what libhtp has read of the request bytes at hand?
  [[nodiscard]] bool more_request_bytes() const noexcept;
  // The flow goes on as `protocol` once the bytes at hand are parsed. Right after another change it
  // does not: an event says so, and nothing more is parsed.
  void change_to(ApplicationProtocol protocol) noexcept;

 private:
  ParseOutcome feed(Direction direction, const uint8_t* bytes, size_t size) noexcept;
  ParseOutcome outcome_of(int state, bool is_gap) noexcept;
  [[nodiscard]] size_t bytes_read() const noexcept;  // of input_
  ParseOutcome feed_waiting(Direction direction) noexcept;
  ParseOutcome conclude(ParseOutcome outcome) noexcept;
  void judge_unasked(std::span<const uint8_t> bytes) noexcept;
  void read_unfinished_line() noexcept;
  [[nodiscard]] bool read_chunks(size_t end) noexcept;
  [[nodiscard]] bool read_head() noexcept;
  [[nodiscard]] bool is_chunk_data(Direction direction, std::span<const uint8_t> bytes) noexcept;
  void miss_announcement(Direction direction, const uint8_t* first) noexcept;
  void begin_input() noexcept;
  void update_progress() noexcept;
  void finish_all(Direction direction) noexcept;

  const ParserDemands* demands_;
  std::shared_ptr<HttpConnection> connection_;
  std::array<std::string, 2> waiting_;
  std::array<bool, 2> ended_{};
  htp_time_t now_{};
  std::span<const uint8_t> input_;  // during a call of libhtp
  Direction feeding_ = Direction::ToServer;
  ApplicationProtocol next_ = ApplicationProtocol::Unknown;
  std::array<bool, 2> begun_{};  // libhtp has had bytes
  bool unmatched_ = false;       // the next transaction is a response without request
  std::unique_ptr<HttpContents> contents_;
  uint64_t calls_ = 0;                   // of on_data()
  uint64_t response_call_ = 0;           // the one that brought the status line at hand; 0: several
  const uint8_t* first_byte_ = nullptr;  // of that status line
  size_t response_end_ = 0;              // of input_: behind what is known to be of a response
  bool unasked_ = false;                 // a response without request begins
  bool waited_behind_ = false;           // its beginning came with the end of another
  std::string line_;                     // that libhtp keeps, as far as it is not known what it is
  std::string unasked_head_;             // of it, without blanks before it
  // Of bodies in chunks, when contents are taken.
  std::array<std::optional<ChunkReader>, 2> chunks_;
  size_t chunks_from_ = 0;  // of input_: where they go on
  // Of messages whose head is not complete, when contents are taken.
  std::array<std::optional<HeadReader>, 2> heads_;
  size_t head_from_ = 0;  // of input_: where it goes on
  bool feeding_waiting_ = false;
  bool closing_ = false;
  bool changed_ = false;
  size_t read_at_change_ = 0;  // bytes of input_
  bool stopped_ = false;       // it asked for a change that cannot be
  bool failed_ = false;
};

}  // namespace masugata::ids
