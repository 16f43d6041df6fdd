// SPDX-License-Identifier: GPL-2.0-or-later
#include "ids/protocols/http/multipart_reader.h"

#include <algorithm>
#include <optional>

#include "ids/protocols/http/content_disposition.h"

namespace masugata::ids {
namespace {

std::span<const uint8_t> as_bytes(std::string_view text) noexcept {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

// The value of the Content-Disposition among the lines of `headers`; folded lines are not joined,
// parameters of RFC 7578 are on one line.
std::optional<std::string_view> find_disposition(std::string_view headers) noexcept {
  while (!headers.empty()) {
    const size_t end = std::min(headers.find('\n'), headers.size());
    const std::string_view line = headers.substr(0, end);
    const size_t colon = line.find(':');
    if (colon != std::string_view::npos &&
        equals_ignoring_case(trim_blanks(line.substr(0, colon)), "Content-Disposition")) {
      return trim_blanks(line.substr(colon + 1));
    }
    headers.remove_prefix(std::min(end + 1, headers.size()));
  }
  return std::nullopt;
}

}  // namespace

MultipartReader::MultipartReader(std::string_view boundary)
    : delimiter_("--" + std::string{boundary.substr(0, kMaximumBoundaryBytes)}) {}

void MultipartReader::read(std::span<const uint8_t> bytes, MultipartReceiver& receiver) noexcept {
  if (state_ == State::Epilogue) {
    receiver.outside(bytes);
    return;
  }
  carried_.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  size_t at = 0;
  while (at < carried_.size()) {
    const size_t taken = step(std::string_view{carried_}.substr(at), receiver);
    if (taken == 0) {
      break;
    }
    at += taken;
  }
  carried_.erase(0, at);
}

size_t MultipartReader::step(std::string_view text, MultipartReceiver& receiver) noexcept {
  switch (state_) {
    case State::Preamble:
      return read_preamble(text, receiver);
    case State::AfterBoundary:
      return read_after_boundary(text, receiver);
    case State::Headers:
      return read_headers(text, receiver);
    case State::Data:
      return read_data(text, receiver);
    case State::Epilogue:
      break;
  }
  return text.size();
}

size_t MultipartReader::read_preamble(std::string_view text, MultipartReceiver& receiver) noexcept {
  const size_t found = text.find(delimiter_);
  if (found != std::string_view::npos) {
    state_ = State::AfterBoundary;
    receiver.outside(as_bytes(text.substr(0, found)));
    return found + delimiter_.size();
  }
  if (text.size() < delimiter_.size()) {
    return 0;
  }
  if (!told_malformed_) {
    told_malformed_ = true;
    receiver.malformed();
  }
  const size_t taken = text.size() - (delimiter_.size() - 1);
  receiver.outside(as_bytes(text.substr(0, taken)));
  return taken;
}

size_t MultipartReader::read_after_boundary(std::string_view text,
                                            MultipartReceiver& receiver) noexcept {
  if (text.size() >= 2 && text.starts_with("--")) {
    state_ = State::Epilogue;
    receiver.outside(as_bytes(text.substr(2)));
    return text.size();
  }
  const size_t newline = text.find('\n');
  if (newline != std::string_view::npos) {
    state_ = State::Headers;
    const bool with_return = newline != 0 && text[newline - 1] == '\r';
    receiver.outside(as_bytes(text.substr(0, newline - (with_return ? 1 : 0))));
    return newline + 1;
  }
  // RFC 2046 allows blanks here; anything longer is passed over all the same.
  if (text.size() <= kMaximumBoundaryBytes) {
    return 0;
  }
  receiver.outside(as_bytes(text));
  return text.size();
}

size_t MultipartReader::read_headers(std::string_view text, MultipartReceiver& receiver) noexcept {
  size_t end = 0;  // of the headers, and `next` is where the data begins
  size_t next = 0;
  if (text.starts_with("\r\n") || text.starts_with("\n")) {
    next = text.front() == '\r' ? 2 : 1;
  } else {
    const size_t strict = text.find("\r\n\r\n");
    const size_t loose = text.find("\n\n");
    end = std::min(strict, loose);
    next = end == std::string_view::npos ? text.size() : end + (strict < loose ? 4 : 2);
    // What has no end of its headers before the next boundary has none.
    if (text.find(delimiter_) < end || next > kMaximumPartHeaderBytes) {
      receiver.invalid_part_header();
      in_file_ = receiver.begin_part({}, std::nullopt);
      state_ = State::Data;
      return read_data(text, receiver);
    }
    if (end == std::string_view::npos) {
      return 0;
    }
  }
  const std::string_view headers = text.substr(0, end);
  const std::optional<std::string_view> disposition = find_disposition(headers);
  if (!disposition && !headers.empty() && headers.find(':') == std::string_view::npos) {
    receiver.invalid_part_header();
  }
  const std::optional<std::string_view> name =
      disposition ? file_name_of(*disposition) : std::nullopt;
  in_file_ = receiver.begin_part(headers, name);
  state_ = State::Data;
  return next;
}

size_t MultipartReader::read_data(std::string_view text, MultipartReceiver& receiver) noexcept {
  const size_t found = text.find(delimiter_);
  if (found == std::string_view::npos) {
    // The line end before a boundary is the boundary's.
    const size_t kept = delimiter_.size() + 1;
    if (text.size() <= kept) {
      return 0;
    }
    const size_t taken = text.size() - kept;
    if (in_file_) {
      receiver.file_bytes(as_bytes(text.substr(0, taken)));
    }
    return taken;
  }
  std::string_view data = text.substr(0, found);
  if (data.ends_with('\n')) {
    data.remove_suffix(data.ends_with("\r\n") ? 2 : 1);
  }
  if (in_file_ && !data.empty()) {
    receiver.file_bytes(as_bytes(data));
  }
  finish_part(false, receiver);
  state_ = State::AfterBoundary;
  return found + delimiter_.size();
}

void MultipartReader::finish_part(bool truncated, MultipartReceiver& receiver) noexcept {
  if (in_file_) {
    in_file_ = false;
    receiver.end_file(truncated);
  }
}

void MultipartReader::skip(MultipartReceiver& receiver) noexcept {
  finish_part(true, receiver);
  carried_.clear();
  if (state_ != State::Epilogue) {
    state_ = State::Data;
  }
}

void MultipartReader::end(MultipartReceiver& receiver) noexcept {
  if (state_ == State::Data && in_file_ && !carried_.empty()) {
    receiver.file_bytes(as_bytes(carried_));
  }
  if (state_ == State::Headers || state_ == State::Data) {
    receiver.malformed();
  }
  if (state_ == State::Preamble || state_ == State::AfterBoundary || state_ == State::Headers) {
    receiver.outside(as_bytes(carried_));
  }
  finish_part(true, receiver);
  carried_.clear();
  state_ = State::Epilogue;
}

}  // namespace masugata::ids
