// SPDX-License-Identifier: GPL-2.0-or-later
#include "ids/protocols/http/http_contents.h"

#include <algorithm>
#include <utility>

#include "ids/protocols/http/content_disposition.h"
#include "ids/protocols/http/content_range.h"
#include "ids/protocols/http/header_text.h"
#include "ids/protocols/http/http_transaction.h"
#include "ids/protocols/http/message_end.h"

namespace masugata::ids {
namespace {

std::string_view header_text(HttpTransaction& transaction, Direction direction,
                             std::string_view name) noexcept {
  const auto value = transaction.header(direction, name);
  return value ? text_of(*value) : std::string_view{};
}

bool begins_ignoring_case(std::string_view text, std::string_view beginning) noexcept {
  return equals_ignoring_case(text.substr(0, beginning.size()), beginning);
}

bool contains_ignoring_case(std::string_view text, std::string_view word) noexcept {
  for (size_t i = 0; i + word.size() <= text.size(); ++i) {
    if (equals_ignoring_case(text.substr(i, word.size()), word)) {
      return true;
    }
  }
  return false;
}

// The value of the header `name` among the lines of a part.
std::string_view part_header(std::string_view headers, std::string_view name) noexcept {
  while (!headers.empty()) {
    const size_t end = std::min(headers.find('\n'), headers.size());
    const std::string_view line = headers.substr(0, end);
    const size_t colon = line.find(':');
    if (colon != std::string_view::npos &&
        equals_ignoring_case(trim_blanks(line.substr(0, colon)), name)) {
      std::string_view value = trim_blanks(line.substr(colon + 1));
      while (value.ends_with('\r') || value.ends_with(' ')) {
        value.remove_suffix(1);
      }
      return value;
    }
    headers.remove_prefix(std::min(end + 1, headers.size()));
  }
  return {};
}

std::string_view last_part(std::string_view path) noexcept {
  const size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

// libhtp has a request for every response, also when none was seen.
bool is_made_up(const htp_tx_t& source) noexcept {
  std::string_view target = text_of(source.request_uri);
  target.remove_prefix(target.starts_with('/') ? 1 : 0);
  return target.starts_with("libhtp::");
}

// The target as an origin gets it, also of requests to a proxy: without scheme and authority.
std::string_view target_of(const htp_tx_t& source) noexcept {
  std::string_view target = text_of(source.request_uri);
  if (is_made_up(source)) {
    return {};
  }
  const size_t scheme = target.find("://");
  if (!target.starts_with('/') && scheme != std::string_view::npos) {
    const size_t path = target.find('/', scheme + 3);
    target = path == std::string_view::npos ? std::string_view{"/"} : target.substr(path);
  }
  return target;
}

std::string host_of(const htp_tx_t& source) {
  return source.request_hostname == nullptr ? std::string{} : write_host(source.request_hostname);
}

int64_t announced_of(const htp_tx_t& source, Direction direction) noexcept {
  return direction == Direction::ToServer ? source.request_content_length
                                          : source.response_content_length;
}

// A coding that is not undone, of the content or of its transfer.
bool is_beyond_us(HttpTransaction& transaction, Direction direction) {
  std::string_view transfer = header_text(transaction, direction, "Transfer-Encoding");
  while (!transfer.empty()) {
    const size_t end = std::min(transfer.find(','), transfer.size());
    const std::string_view coding = trim_blanks(transfer.substr(0, end));
    if (!coding.empty() && !equals_ignoring_case(coding, "chunked") &&
        !equals_ignoring_case(coding, "identity")) {
      return true;
    }
    transfer.remove_prefix(std::min(end + 1, transfer.size()));
  }
  return read_content_codings(header_text(transaction, direction, "Content-Encoding")).beyond_us;
}

bool expects_body(const htp_tx_t& source) noexcept {
  const int status = source.response_status_number;
  const bool none = (status >= 100 && status < 200) || status == 204 || status == 304;
  const bool tunnel =
      source.request_method_number == HTP_M_CONNECT && status >= 200 && status < 300;
  return !none && !tunnel && source.request_method_number != HTP_M_HEAD &&
         source.response_transfer_coding != HTP_CODING_NO_BODY &&
         (is_in_chunks(source, Direction::ToClient) || source.response_content_length != 0);
}

}  // namespace

bool is_whole_at_close(const htp_tx_t& source, Direction direction) noexcept {
  if (is_in_chunks(source, direction)) {
    return false;
  }
  const int64_t announced = announced_of(source, direction);
  const int64_t came =
      direction == Direction::ToServer ? source.request_message_len : source.response_message_len;
  return announced < 0 || came >= announced;
}

HttpContents::HttpContents() noexcept {
  sides_[index_of(Direction::ToClient)].direction = Direction::ToClient;
}

void HttpContents::request_headers(HttpTransaction& transaction, bool answered_next) noexcept {
  abandon(Direction::ToServer);
  request_answered_next_ = answered_next;
  const htp_tx_t& source = transaction.source();
  receiver_->request(host_of(source), target_of(source),
                     header_text(transaction, Direction::ToServer, "Accept-Language"),
                     answered_next);
}

void HttpContents::response_headers(HttpTransaction& transaction, bool came_now,
                                    const uint8_t* first_byte) noexcept {
  abandon(Direction::ToClient);
  response_came_now_ = came_now;
  response_first_byte_ = came_now ? first_byte : nullptr;
  if (expects_body(transaction.source())) {
    begin(transaction, Direction::ToClient);
  }
  response_came_now_ = false;
  response_first_byte_ = nullptr;
}

void HttpContents::begin(HttpTransaction& transaction, Direction direction) noexcept {
  Side& side = side_of(direction);
  side.receiver = receiver_;
  side.progress = Progress::Given;
  describe(transaction, side);
  side.facts.begins_with_packet = response_came_now_;
  side.facts.first_byte = response_first_byte_;
  side.facts.answered_next = direction == Direction::ToClient || request_answered_next_;
  if (!side.raw) {
    transaction.bodies().set_tap(direction, &side);
  }
  const auto boundary = find_parameter(side.media_type, "boundary");
  const bool ranges = direction == Direction::ToClient &&
                      begins_ignoring_case(side.media_type, "multipart/byteranges");
  side.is_form = direction == Direction::ToServer;
  if (boundary && !boundary->empty() && !side.raw &&
      (ranges || (side.is_form && begins_ignoring_case(side.media_type, "multipart/")))) {
    side.parts = std::make_unique<MultipartReader>(*boundary);
    side.name.clear();
    side.facts.announced_bytes.reset();
    side.facts.useless_before_end = side.is_form;
    return;
  }
  side.begin_feed();
}

void HttpContents::describe(HttpTransaction& transaction, Side& side) noexcept {
  const htp_tx_t& source = transaction.source();
  const Direction direction = side.direction;
  const std::string_view disposition =
      direction == Direction::ToClient ? header_text(transaction, direction, "Content-Disposition")
                                       : std::string_view{};
  const auto named = file_name_of(disposition);
  const std::string_view path = source.parsed_uri == nullptr || is_made_up(source)
                                    ? std::string_view{}
                                    : text_of(source.parsed_uri->path);
  side.name = (named ? *named : last_part(path)).substr(0, kMaximumFileNameBytes);
  side.host = host_of(source);
  side.location = target_of(source);
  side.media_type = header_text(transaction, direction, "Content-Type");
  side.languages = header_text(transaction, Direction::ToServer, "Accept-Language");
  side.raw = is_beyond_us(transaction, direction);
  side.facts = {};
  side.facts.protocol = ApplicationProtocol::Http;
  side.facts.direction = direction;
  side.facts.coded = side.raw;
  const int64_t announced = announced_of(source, direction);
  if (!is_in_chunks(source, direction) && announced >= 0) {
    side.facts.announced_bytes = static_cast<uint64_t>(announced);
    side.facts.useless_before_end = true;
  }
  const std::string_view range = header_text(transaction, direction, "Content-Range");
  if (direction == Direction::ToClient ? source.response_status_number == 206 : !range.empty()) {
    const auto read = read_content_range(range);
    if (!read || !read->is_whole()) {
      side.facts.range_first = read ? read->first.value_or(0) : 0;
    }
  }
}

void HttpContents::body_data(HttpTransaction& transaction, Direction direction,
                             std::span<const uint8_t> bytes) noexcept {
  Side& side = side_of(direction);
  if (side.progress == Progress::Idle) {
    begin(transaction, direction);
  }
  if (bytes.data() == nullptr) {
    if (side.parts) {
      side.parts->skip(side);
    } else if (side.progress == Progress::Given) {
      side.undecodable();
    }
  } else if (side.progress == Progress::Given) {
    side.feed.arrived(bytes.size());
    if (side.raw) {
      side.feed.bytes(bytes);
    }
  }
}

void HttpContents::unannounced(Direction direction, const uint8_t* first) noexcept {
  const Side& side = side_of(direction);
  ContentFacts facts;
  facts.protocol = ApplicationProtocol::Http;
  facts.direction = direction;
  facts.host = side.host;
  facts.location = side.location;
  facts.begins_with_packet = true;
  facts.first_byte = first;
  receiver_->unannounced(facts);
}

void HttpContents::complete(HttpTransaction& transaction, Direction direction,
                            bool whole) noexcept {
  Side& side = side_of(direction);
  transaction.bodies().set_tap(direction, nullptr);
  if (side.parts) {
    side.body_whole = whole;
    side.parts->end(side);
  }
  side.feed.end(whole ? ContentEnd::Whole : ContentEnd::Broken);
  side.parts.reset();
  side.progress = Progress::Idle;
}

void HttpContents::abandon(Direction direction) noexcept {
  Side& side = side_of(direction);
  side.feed.end(ContentEnd::Broken);
  side.parts.reset();
  side.progress = Progress::Idle;
}

size_t HttpContents::memory_bytes() const noexcept {
  return sizeof(HttpContents) + sides_[0].memory_bytes() + sides_[1].memory_bytes();
}

size_t HttpContents::Side::memory_bytes() const noexcept {
  return name.capacity() + host.capacity() + location.capacity() + media_type.capacity() +
         languages.capacity() + (parts ? parts->memory_bytes() : 0);
}

void HttpContents::Side::begin_feed() noexcept {
  facts.name = name;
  facts.host = host;
  facts.location = location;
  facts.media_type = media_type;
  facts.languages = languages;
  feed.begin(receiver, facts);
}

void HttpContents::Side::take(std::span<const uint8_t> bytes) noexcept {
  if (progress != Progress::Given) {
    return;
  }
  if (parts) {
    parts->read(bytes, *this);
  } else {
    feed.bytes(bytes);
  }
}

// Whoever receives must learn that something passes that is not given.
void HttpContents::Side::undecodable() noexcept {
  if (progress != Progress::Given) {
    return;
  }
  progress = Progress::Over;
  if (!feed.is_open()) {
    begin_feed();
  }
  feed.end(ContentEnd::Broken);
  parts.reset();
}

// Fields of a form that are no files are not given. What looks unusual is: programs differ in what
// they take for a file.
bool HttpContents::Side::begin_part(std::string_view headers,
                                    std::optional<std::string_view> part_name) noexcept {
  feed.end(ContentEnd::Whole);
  const std::string_view disposition = part_header(headers, "Content-Disposition");
  const bool field = is_form && begins_ignoring_case(disposition, "form-data") &&
                     !contains_ignoring_case(headers, "filename") &&
                     part_header(headers, "Content-Type").empty();
  if (field) {
    return false;
  }
  name = part_name.value_or(std::string_view{}).substr(0, kMaximumFileNameBytes);
  media_type = part_header(headers, "Content-Type");
  facts.range_first.reset();
  const std::string_view range = part_header(headers, "Content-Range");
  if (!is_form || !range.empty()) {
    const auto read = read_content_range(range);
    if (!read || !read->is_whole()) {
      facts.range_first = read ? read->first.value_or(0) : 0;
    }
  }
  begin_feed();
  facts.begins_with_packet = false;
  facts.first_byte = nullptr;
  return true;
}

void HttpContents::Side::end_file(bool truncated) noexcept {
  feed.end(truncated && !body_whole ? ContentEnd::Broken : ContentEnd::Whole);
}

void HttpContents::Side::outside(std::span<const uint8_t> bytes) noexcept {
  if (!feed.is_open()) {
    const auto first = std::find_if_not(bytes.begin(), bytes.end(), [](uint8_t byte) {
      return byte == '\r' || byte == '\n' || byte == ' ' || byte == '\t';
    });
    bytes = bytes.subspan(static_cast<size_t>(first - bytes.begin()));
    if (bytes.empty()) {
      return;
    }
    name.clear();
    media_type.clear();
    facts.range_first.reset();
    begin_feed();
  }
  feed.bytes(bytes);
}

}  // namespace masugata::ids
