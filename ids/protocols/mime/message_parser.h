// SPDX-License-Identifier: GPL-2.0-or-later
// A mail message as it arrives (RFC 5322, RFC 2045-2049): its header fields, the tree of its parts,
// attachments decoded into files, addresses in its text.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ids/direction.h"
#include "ids/protocols/files/file_collection.h"
#include "ids/protocols/mime/header_field.h"
#include "ids/protocols/mime/line_reader.h"
#include "ids/protocols/mime/transfer_decoder.h"
#include "ids/protocols/mime/url_finder.h"

namespace masugata::ids::mime {

// What is odd in a message; bits.
enum class Anomaly : uint16_t {
  MalformedMessage = 1U << 0U,  // nested too deep, or a container without a boundary
  InvalidBase64 = 1U << 1U,
  InvalidQuotedPrintable = 1U << 2U,
  LongLine = 1U << 3U,         // RFC 5322 section 2.1.1
  LongEncodedLine = 1U << 4U,  // RFC 2045 section 6.7 and 6.8
  LongHeaderName = 1U << 5U,
  LongHeaderValue = 1U << 6U,
  LongBoundary = 1U << 7U,
  LongFileName = 1U << 8U,
  TruncatedLine = 1U << 9U,  // a header line of which not all was kept
};

inline constexpr size_t kMaximumHeaderLine = 16 * 1024;   // the rest of a line is not kept
inline constexpr size_t kMaximumHeaderValue = 16 * 1024;  // of an unfolded field
inline constexpr size_t kMaximumHeaderBytes = 64 * 1024;  // of all fields of a message
inline constexpr size_t kMaximumHeaderFields = 256;
inline constexpr size_t kMaximumNesting = 16;          // parts inside parts
inline constexpr size_t kMaximumBoundaryBytes = 1000;  // compared; RFC 2046 allows 70
inline constexpr size_t kMaximumAttachments = 64;      // names that are kept

enum class MessageStatus : uint8_t { Header, Body, Done, Failed };

// What is found in a message and in those that it carries.
struct MessageFindings {
  std::vector<std::string> urls;         // without scheme
  std::vector<std::string> attachments;  // names
  uint16_t anomalies = 0;                // Anomaly bits
};

// Thread: the flow's worker. Memory: the bounds above; files are bounded by the collection.
class MessageParser {
 public:
  // `files` outlives the parser. Named parts, and parts that are no text, become files;
  // `text_as_files`: nameless text too, for a virus scanner.
  MessageParser(FileCollection& files, Direction direction, bool text_as_files) noexcept;
  ~MessageParser();

  // The next bytes of the message, transparency (dot-stuffing) already undone.
  void feed(std::span<const uint8_t> bytes) noexcept;
  // The message ends; `broken`: before its end, or with a part of it missing.
  void end(bool broken) noexcept;

  [[nodiscard]] MessageStatus status() const noexcept { return status_; }
  // Header fields and lines that are kept.
  [[nodiscard]] size_t memory_bytes() const noexcept {
    return field_bytes_ + fields_.capacity() * sizeof(HeaderField) + lines_.memory_bytes() +
           field_value_.capacity() + held_.capacity();
  }
  // Fields of the message's own header, as far as it is complete.
  [[nodiscard]] const std::vector<HeaderField>& fields() const noexcept { return fields_; }
  // The `instance`th field of that lower-case name; null beyond the last.
  [[nodiscard]] const std::string* find_field(std::string_view name,
                                              uint32_t instance) const noexcept;
  [[nodiscard]] const MessageFindings& findings() const noexcept { return *findings_; }

 private:
  struct Part;
  enum class State : uint8_t {
    Header,   // of the message or of a part
    Between,  // before the first part, after the last one
    Leaf,     // content
    Carried,  // the first line of a message/rfc822
    Encoded,  // a carried message that is encoded, against RFC 2046: inner_ has it
    Finished,
  };

  MessageParser(FileCollection& files, Direction direction, bool text_as_files,
                MessageFindings& findings, size_t depth) noexcept;

  void raise(Anomaly anomaly) noexcept;
  void take_header_line(const Line& line) noexcept;
  void end_field() noexcept;
  void keep_field(std::string_view name, std::string value) noexcept;
  void end_header() noexcept;
  void open_leaf(const std::string& type) noexcept;
  [[nodiscard]] std::string part_name() noexcept;
  void take_first_carried_line(const Line& line) noexcept;
  void take_body(std::span<const uint8_t>& bytes) noexcept;
  void count_line(std::span<const uint8_t> piece, bool ends) noexcept;
  [[nodiscard]] bool take_boundary(std::string_view line, bool whole) noexcept;
  void take_content(std::span<const uint8_t> piece, bool ends) noexcept;
  void decode(std::span<const uint8_t> piece) noexcept;
  void end_part(bool broken) noexcept;
  void begin_header() noexcept;

  FileCollection& files_;
  Direction direction_;
  bool text_as_files_;
  MessageFindings own_findings_;
  MessageFindings* findings_;
  size_t depth_;  // messages around this one
  MessageStatus status_ = MessageStatus::Header;
  State state_ = State::Header;

  LineReader lines_;
  std::vector<HeaderField> fields_;
  size_t field_bytes_ = 0;
  bool own_header_ = true;  // the header at hand is the message's own
  std::string field_name_;  // the field at hand, it may go on in the next line
  std::string field_value_;

  std::unique_ptr<Part> part_;
  struct Boundary {
    std::string text;     // with "--" before it
    size_t depth;         // depth_ where the container stands
    bool digest = false;  // its parts are messages unless they say otherwise
  };
  std::vector<Boundary> boundaries_;  // innermost last
  std::string held_;                  // a body line that may be a boundary
  bool at_line_start_ = true;
  bool skip_line_ = false;  // the rest of a boundary line
  uint64_t line_length_ = 0;
  std::string pending_end_;  // CR, LF or CRLF that belongs to the boundary if one follows
  std::vector<uint8_t> decoded_;
  std::unique_ptr<MessageParser> inner_;
};

}  // namespace masugata::ids::mime
