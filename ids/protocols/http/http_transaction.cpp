// SPDX-License-Identifier: GPL-2.0-or-later
#include "ids/protocols/http/http_transaction.h"

#include <algorithm>
#include <utility>

#include "ids/protocols/http/doubtful_headers.h"
#include "ids/protocols/http/header_text.h"

namespace masugata::ids {
namespace {

std::optional<std::span<const uint8_t>> present(const bstr* text) noexcept {
  return text == nullptr ? std::nullopt : std::optional{bytes_of(text)};
}
std::span<const uint8_t> as_bytes(const std::string& text) noexcept {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

// Buffers that are the value of one header.
std::string_view header_behind(BufferId buffer, Direction direction) noexcept {
  switch (buffer) {
    case BufferId::HttpUserAgent:
      return "User-Agent";
    case BufferId::HttpReferer:
      return "Referer";
    case BufferId::HttpCookie:
      return direction == Direction::ToServer ? "Cookie" : "Set-Cookie";
    case BufferId::HttpAccept:
      return "Accept";
    case BufferId::HttpAcceptLanguage:
      return "Accept-Language";
    case BufferId::HttpAcceptEncoding:
      return "Accept-Encoding";
    case BufferId::HttpConnection:
      return "Connection";
    case BufferId::HttpContentType:
      return "Content-Type";
    case BufferId::HttpContentLength:
      return "Content-Length";
    case BufferId::HttpServer:
      return "Server";
    case BufferId::HttpLocation:
      return "Location";
    default:
      return {};
  }
}

}  // namespace

HttpTransaction::HttpTransaction(std::shared_ptr<HttpConnection> connection, htp_tx_t* source,
                                 const ParserDemands& demands) noexcept
    : connection_(std::move(connection)), source_(source), bodies_(demands, *this) {
  connection_->adopt();
}

HttpTransaction::~HttpTransaction() { connection_->release(source_); }

const htp_table_t* HttpTransaction::headers_of(Direction direction) const noexcept {
  return direction == Direction::ToServer ? source_->request_headers : source_->response_headers;
}

bool HttpTransaction::is_past(Direction direction, HttpProgress step) const noexcept {
  const size_t side = index_of(direction);
  return finished[side] || progress[side] > static_cast<uint8_t>(step);
}

BufferBytes HttpTransaction::settled(Direction direction, HttpProgress step,
                                     std::optional<std::span<const uint8_t>> bytes) const noexcept {
  if (!is_past(direction, step)) {
    return {BufferState::NotYet, {}, 0};
  }
  return bytes ? BufferBytes{BufferState::Complete, *bytes, 0} : BufferBytes{};
}

BufferBytes HttpTransaction::buffer(BufferId buffer, Direction direction,
                                    uint32_t instance) noexcept {
  switch (buffer) {
    case BufferId::HttpRequestHeader:
      return header_line(Direction::ToServer, instance);
    case BufferId::HttpResponseHeader:
      return header_line(Direction::ToClient, instance);
    case BufferId::FileData:
    case BufferId::FileName:
    case BufferId::FileMagic:
      return file_buffer(buffer, direction, instance);
    default:
      break;
  }
  if (instance != 0) {
    return {};
  }
  switch (buffer) {
    case BufferId::HttpUri:
    case BufferId::HttpUriRaw:
    case BufferId::HttpMethod:
    case BufferId::HttpRequestLine:
    case BufferId::HttpProtocol:
    case BufferId::HttpStatusCode:
    case BufferId::HttpStatusMessage:
    case BufferId::HttpResponseLine:
      return line_buffer(buffer, direction);
    case BufferId::HttpHost:
      return host_buffer(false);
    case BufferId::HttpHostRaw:
      return host_buffer(true);
    case BufferId::HttpRequestBody:
      return body_buffer(Direction::ToServer);
    case BufferId::HttpResponseBody:
      return body_buffer(Direction::ToClient);
    default:
      return header_buffer(buffer, direction);
  }
}

BufferBytes HttpTransaction::line_buffer(BufferId buffer, Direction direction) noexcept {
  constexpr HttpProgress kLine = HttpProgress::Line;
  constexpr Direction kRequest = Direction::ToServer;
  constexpr Direction kResponse = Direction::ToClient;
  switch (buffer) {
    case BufferId::HttpUri:
      if (!is_past(kRequest, kLine) || source_->parsed_uri == nullptr) {
        return settled(kRequest, kLine, std::nullopt);
      }
      if (!uri_) {
        uri_ = write_uri(source_->parsed_uri);
      }
      return settled(kRequest, kLine, as_bytes(*uri_));
    case BufferId::HttpUriRaw:
      return settled(kRequest, kLine, present(source_->request_uri));
    case BufferId::HttpMethod:
      return settled(kRequest, kLine, present(source_->request_method));
    case BufferId::HttpRequestLine:
      return settled(kRequest, kLine, present(source_->request_line));
    case BufferId::HttpProtocol:
      return settled(
          direction, kLine,
          present(direction == kRequest ? source_->request_protocol : source_->response_protocol));
    case BufferId::HttpStatusCode:
      return settled(kResponse, kLine, present(source_->response_status));
    case BufferId::HttpStatusMessage:
      return settled(kResponse, kLine, present(source_->response_message));
    default:
      return settled(kResponse, kLine, present(source_->response_line));
  }
}

BufferBytes HttpTransaction::header_buffer(BufferId buffer, Direction direction) noexcept {
  constexpr HttpProgress kHeaders = HttpProgress::Headers;
  const std::string_view name = header_behind(buffer, direction);
  if (!name.empty()) {
    return settled(direction, kHeaders, header(direction, name));
  }
  const htp_table_t* const headers = headers_of(direction);
  const size_t count = headers == nullptr ? 0 : htp_table_size(headers);
  if (!is_past(direction, kHeaders)) {
    return {BufferState::NotYet, {}, 0};
  }
  Derived& derived = derived_[index_of(direction)];
  switch (buffer) {
    case BufferId::HttpHeader:
      if (!derived.header) {
        derived.header =
            write_headers(headers, direction == Direction::ToServer ? "cookie" : "set-cookie");
      }
      return derived.header->empty() ? BufferBytes{}
                                     : settled(direction, kHeaders, as_bytes(*derived.header));
    case BufferId::HttpHeaderRaw: {
      const std::string& raw = raw_headers_[index_of(direction)];
      return raw.empty() ? BufferBytes{} : settled(direction, kHeaders, as_bytes(raw));
    }
    case BufferId::HttpHeaderNames:
      if (count == 0) {
        return {};
      }
      if (!derived.header_names) {
        derived.header_names = write_header_names(headers);
      }
      return settled(direction, kHeaders, as_bytes(*derived.header_names));
    case BufferId::HttpStart: {
      const bstr* const line =
          direction == Direction::ToServer ? source_->request_line : source_->response_line;
      if (line == nullptr) {
        return {};
      }
      if (!derived.start) {
        derived.start = write_start(line, headers);
      }
      return settled(direction, kHeaders, as_bytes(*derived.start));
    }
    default:
      return {};
  }
}

BufferBytes HttpTransaction::header_line(Direction direction, uint32_t instance) noexcept {
  if (!is_past(direction, HttpProgress::Headers)) {
    return {BufferState::NotYet, {}, 0};
  }
  std::optional<std::vector<std::string>>& lines = derived_[index_of(direction)].lines;
  if (!lines) {
    lines = write_header_lines(headers_of(direction));
  }
  return instance < lines->size()
             ? BufferBytes{BufferState::Complete, as_bytes((*lines)[instance]), 0}
             : BufferBytes{};
}

BufferBytes HttpTransaction::host_buffer(bool raw) noexcept {
  constexpr Direction kRequest = Direction::ToServer;
  constexpr HttpProgress kHeaders = HttpProgress::Headers;
  if (!raw) {
    const bstr* const host = source_->request_hostname;
    if (host == nullptr || !is_past(kRequest, kHeaders)) {
      return settled(kRequest, kHeaders, std::nullopt);
    }
    if (!host_) {
      host_ = write_host(host);
    }
    return settled(kRequest, kHeaders, as_bytes(*host_));
  }
  const bool in_uri = source_->parsed_uri != nullptr && source_->parsed_uri->hostname != nullptr;
  return settled(kRequest, kHeaders,
                 in_uri ? present(source_->parsed_uri->hostname) : header(kRequest, "Host"));
}

BufferBytes HttpTransaction::body_buffer(Direction direction) noexcept {
  const bool request = direction == Direction::ToServer;
  const bool over = is_past(direction, HttpProgress::Body);
  if (request ? !bodies_.request_begun() : !bodies_.response_begun()) {
    return {over ? BufferState::Absent : BufferState::NotYet, {}, 0};
  }
  const BodyView body = request ? bodies_.request() : bodies_.response();
  return {over ? BufferState::Complete : BufferState::Partial, body.bytes, body.first};
}

BufferBytes HttpTransaction::file_buffer(BufferId buffer, Direction direction,
                                         uint32_t instance) noexcept {
  const TransferredFile* const file = bodies_.files().find(direction, instance);
  if (file == nullptr) {
    const bool over = is_past(direction, HttpProgress::Body);
    return {over ? BufferState::Absent : BufferState::NotYet, {}, 0};
  }
  switch (buffer) {
    case BufferId::FileName:
      return file->name.empty() ? BufferBytes{}
                                : BufferBytes{BufferState::Complete, as_bytes(file->name), 0};
    case BufferId::FileMagic:
      if (!file->magic.empty()) {
        return {BufferState::Complete, as_bytes(file->magic), 0};
      }
      return {file->complete ? BufferState::Absent : BufferState::NotYet, {}, 0};
    default:
      return {file->complete ? BufferState::Complete : BufferState::Partial, file->window,
              file->window_first};
  }
}

bool HttpTransaction::number(NumberField field, Direction /*direction*/, uint64_t& value) noexcept {
  if (field != NumberField::HttpStatus || !is_past(Direction::ToClient, HttpProgress::Line) ||
      source_->response_status_number <= 0) {
    return false;
  }
  value = static_cast<uint64_t>(source_->response_status_number);
  return true;
}

size_t HttpTransaction::memory_bytes() noexcept {
  // libhtp keeps lines and headers once more, and so do the buffers that are made of them.
  constexpr size_t kCopies = 4;
  return Transaction::memory_bytes() + bodies_.memory_bytes() +
         kCopies * (header_bytes_[0] + header_bytes_[1] + bytes_of(source_->request_line).size() +
                    bytes_of(source_->response_line).size());
}

std::span<TransferredFile> HttpTransaction::files() noexcept { return bodies_.files().files(); }

std::optional<std::span<const uint8_t>> HttpTransaction::header(Direction direction,
                                                                std::string_view name) noexcept {
  const htp_table_t* const headers = headers_of(direction);
  if (headers == nullptr) {
    return std::nullopt;
  }
  // libhtp's own comparison takes no notice of zeros inside names.
  const std::string key{name};
  const auto* const found = static_cast<const htp_header_t*>(htp_table_get_c(headers, key.c_str()));
  return found == nullptr ? std::nullopt : present(found->value);
}

uint64_t HttpTransaction::body_length(Direction direction) const noexcept {
  const int64_t length = direction == Direction::ToServer ? source_->request_message_len
                                                          : source_->response_message_len;
  return static_cast<uint64_t>(std::max<int64_t>(length, 0));
}

void HttpTransaction::append_raw_headers(Direction direction,
                                         std::span<const uint8_t> bytes) noexcept {
  std::string& raw = raw_headers_[index_of(direction)];
  header_bytes_[index_of(direction)] += bytes.size();
  raw.append(text_of(bytes.first(std::min(bytes.size(), kMaximumRawHeaderBytes - raw.size()))));
  touch(direction);
}

bool HttpTransaction::headers_doubtful(Direction direction) const noexcept {
  const std::string& raw = raw_headers_[index_of(direction)];
  return raw.size() == kMaximumRawHeaderBytes || are_headers_doubtful(raw);
}

void HttpTransaction::headers_changed(Direction direction, bool restart) noexcept {
  derived_[index_of(direction)] = {};
  if (restart) {
    raw_headers_[index_of(direction)].clear();
    header_bytes_[index_of(direction)] = 0;
  }
  touch(direction);
}

void HttpTransaction::cut_interim_headers() noexcept {
  std::string& raw = raw_headers_[index_of(Direction::ToClient)];
  const std::string_view line = text_of(source_->response_line);
  const size_t found = line.empty() ? std::string::npos : raw.rfind(line);
  const size_t end = found == std::string::npos ? found : raw.find('\n', found);
  if (end != std::string::npos) {
    raw.erase(0, end + 1);
  }
}

void HttpTransaction::update_progress() noexcept {
  const std::array<int, 2> now{static_cast<int>(source_->request_progress),
                               static_cast<int>(source_->response_progress)};
  for (const Direction direction : {Direction::ToServer, Direction::ToClient}) {
    const size_t side = index_of(direction);
    if (!finished[side] && progress[side] != now[side]) {
      progress[side] = static_cast<uint8_t>(now[side]);
      touch(direction);
    }
  }
}

void HttpTransaction::finish(Direction direction, bool whole) noexcept {
  const size_t side = index_of(direction);
  if (finished[side]) {
    return;
  }
  if (direction == Direction::ToServer) {
    bodies_.end_request(whole);
  } else {
    bodies_.end_response(whole);
  }
  bodies_.files().close_all(direction);
  finished[side] = true;
  touch(direction);
}

}  // namespace masugata::ids
