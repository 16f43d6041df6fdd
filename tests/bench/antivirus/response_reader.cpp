// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/bench/antivirus/response_reader.h"

#include <algorithm>
#include <cctype>
#include <charconv>

namespace masugata::bench {
namespace {

// The value of a header field; empty when it is not there.
std::string_view field(std::string_view head, std::string_view name) {
  for (size_t at = head.find("\r\n"); at != std::string_view::npos; at = head.find("\r\n", at)) {
    at += 2;
    const std::string_view line = head.substr(at, head.find("\r\n", at) - at);
    if (line.size() <= name.size() || line[name.size()] != ':') continue;
    const bool same = std::equal(name.begin(), name.end(), line.begin(), [](char a, char b) {
      return std::tolower(static_cast<unsigned char>(a)) ==
             std::tolower(static_cast<unsigned char>(b));
    });
    if (!same) continue;
    std::string_view value = line.substr(name.size() + 1);
    while (!value.empty() && value.front() == ' ') value.remove_prefix(1);
    return value;
  }
  return {};
}

}  // namespace

bool ResponseReader::read_head(std::string_view& bytes) {
  const size_t before = line_.size();
  line_.append(bytes.substr(0, 16 * 1024));
  const size_t end = line_.find("\r\n\r\n");
  if (end == std::string::npos) {
    bytes = {};
    if (line_.size() > 64 * 1024) state_ = State::Broken;
    return false;
  }
  bytes.remove_prefix(end + 4 - before);
  const std::string_view head = std::string_view(line_).substr(0, end);
  if (head.size() > 12) std::from_chars(head.data() + 9, head.data() + 12, status_);
  const std::string_view length = field(head, "content-length");
  closes_ = field(head, "connection") == "close";
  state_ = State::Body;
  if (field(head, "transfer-encoding") == "chunked") {
    state_ = State::ChunkSize;
  } else if (!length.empty()) {
    sized_ = true;
    std::from_chars(length.data(), length.data() + length.size(), left_);
    if (left_ == 0) state_ = State::Done;
  } else {
    closes_ = true;
  }
  line_.clear();
  return true;
}

bool ResponseReader::read_line(std::string_view& bytes) {
  const size_t end = bytes.find('\n');
  line_.append(bytes.substr(0, end));
  if (end == std::string_view::npos) {
    bytes = {};
    return false;
  }
  bytes.remove_prefix(end + 1);
  return true;
}

void ResponseReader::body(std::string_view& bytes) {
  const bool bounded = sized_ || state_ == State::Chunk;
  const size_t count = bounded ? std::min<uint64_t>(left_, bytes.size()) : bytes.size();
  if (body_begin_.size() < kKept) {
    body_begin_.append(bytes.substr(0, std::min(count, kKept - body_begin_.size())));
  }
  body_bytes_ += count;
  bytes.remove_prefix(count);
  if (bounded) left_ -= count;
}

void ResponseReader::read_chunked(std::string_view& bytes) {
  if (state_ == State::Chunk) {
    body(bytes);
    if (left_ == 0) state_ = State::ChunkEnd;
    return;
  }
  if (!read_line(bytes)) return;
  if (state_ == State::ChunkEnd) {
    state_ = State::ChunkSize;
  } else if (state_ == State::ChunkSize) {
    left_ = 0;
    std::from_chars(line_.data(), line_.data() + line_.size(), left_, 16);
    state_ = left_ == 0 ? State::Trailer : State::Chunk;
  } else if (line_ == "\r" || line_.empty()) {
    state_ = State::Done;
  }
  line_.clear();
}

void ResponseReader::take(std::string_view bytes) {
  while (!bytes.empty() && !broken()) {
    if (state_ == State::Head) {
      if (!read_head(bytes)) return;
    } else if (state_ == State::Body) {
      body(bytes);
      if (sized_ && left_ == 0) state_ = State::Done;
    } else if (state_ == State::Done) {
      state_ = State::Broken;
    } else {
      read_chunked(bytes);
    }
  }
}

void ResponseReader::closed() noexcept {
  if (done()) return;
  state_ = state_ == State::Body && !sized_ ? State::Done : State::Broken;
}

}  // namespace masugata::bench
