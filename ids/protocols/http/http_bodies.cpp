// SPDX-License-Identifier: GPL-2.0-or-later
#include "ids/protocols/http/http_bodies.h"

#include <utility>

namespace masugata::ids {

HttpBodies::HttpBodies(const ParserDemands& demands, Transaction& owner) noexcept
    : demands_(&demands),
      owner_(&owner),
      files_(demands),
      decoded_{Decoded{*this, Direction::ToServer}, Decoded{*this, Direction::ToClient}} {}

void HttpBodies::Decoded::take(std::span<const uint8_t> bytes) noexcept {
  if (tap != nullptr) {
    const EncodedBody* const encoded = bodies_->encoded_[index_of(direction_)].get();
    if (encoded != nullptr && encoded->state().cut) {
      tap->undecodable();
    } else {
      tap->take(bytes);
    }
  }
  if (direction_ == Direction::ToServer) {
    bodies_->decoded_request(bytes);
  } else {
    bodies_->append_to(bodies_->response_file_, direction_, bytes);
  }
}

void HttpBodies::begin_decoding(Direction direction, std::string_view encoding) noexcept {
  const ContentCodings codings = read_content_codings(encoding);
  if (codings.too_many) {
    raise(direction, HttpEvent::TooManyEncodingLayers);
  }
  if (codings.abnormal) {
    raise(direction, HttpEvent::AbnormalContentEncoding);
  }
  const size_t side = index_of(direction);
  if (!codings.layers.empty()) {
    encoded_[side] = std::make_unique<EncodedBody>(codings.layers, decoded_[side]);
  }
}

void HttpBodies::decode(Direction direction, std::span<const uint8_t> bytes) noexcept {
  const size_t side = index_of(direction);
  if (!encoded_[side]) {
    decoded_[side].take(bytes);
    return;
  }
  encoded_[side]->take(bytes);
  if (encoded_[side]->state().bomb) {
    raise(direction, HttpEvent::CompressionBomb);
  }
  if (encoded_[side]->state().broken) {
    raise(direction, HttpEvent::GzipDecompressionFailed);
  }
  const DecodingState& state = encoded_[side]->state();
  if ((state.bomb || state.cut) && decoded_[side].tap != nullptr) {
    decoded_[side].tap->undecodable();
  }
}

void HttpBodies::end_decoding(Direction direction) noexcept {
  const std::unique_ptr<EncodedBody> encoded = std::move(encoded_[index_of(direction)]);
  if (encoded) {
    encoded->end();
  }
}

void HttpBodies::raise(Direction direction, HttpEvent event) noexcept {
  owner_->raise(direction, static_cast<uint8_t>(event));
}

std::optional<size_t> HttpBodies::open_file(Direction direction, std::string_view name) noexcept {
  if (name.size() > kMaximumFileNameBytes) {
    raise(direction, HttpEvent::FileNameTooLong);
  }
  // One place is kept for the response: a form of many files must not hide it.
  const bool last_place = files_.files().size() + 1 >= kMaximumFiles;
  if (direction == Direction::ToServer && last_place) {
    return std::nullopt;
  }
  return files_.open(direction, name);
}

void HttpBodies::append_to(std::optional<size_t> file, Direction direction,
                           std::span<const uint8_t> bytes) noexcept {
  if (file && !files_.append(*file, bytes)) {
    raise(direction, HttpEvent::CompressionBomb);
  }
}

void HttpBodies::begin_request(RequestBodyKind kind, std::string_view boundary,
                               std::string_view name, std::string_view encoding) noexcept {
  request_begun_ = true;
  begin_decoding(Direction::ToServer, encoding);
  if (kind == RequestBodyKind::Form) {
    form_ = std::make_unique<MultipartReader>(boundary);
  } else if (kind == RequestBodyKind::WholeFile) {
    request_file_ = open_file(Direction::ToServer, name);
  }
}

void HttpBodies::request_bytes(std::span<const uint8_t> bytes) noexcept {
  decode(Direction::ToServer, bytes);
}

void HttpBodies::decoded_request(std::span<const uint8_t> bytes) noexcept {
  if (demands_->bodies &&
      !ByteWindow{request_window_, request_first_}.append(bytes, demands_->body_limit)) {
    raise(Direction::ToServer, HttpEvent::CompressionBomb);
  }
  if (form_) {
    form_->read(bytes, *this);
  } else {
    append_to(request_file_, Direction::ToServer, bytes);
  }
}

void HttpBodies::request_gap(uint64_t missing) noexcept {
  end_decoding(Direction::ToServer);
  ByteWindow{request_window_, request_first_}.skip(missing);
  if (form_) {
    form_->skip(*this);
  } else if (request_file_) {
    files_.skip(*request_file_, missing);
  }
}

void HttpBodies::end_request(bool whole) noexcept {
  end_decoding(Direction::ToServer);
  if (form_) {
    form_->end(*this);
    form_.reset();
  }
  if (request_file_) {
    files_.close(*request_file_, !whole);
    request_file_.reset();
  }
}

void HttpBodies::begin_response(std::string_view file_name, std::string_view encoding) noexcept {
  response_begun_ = true;
  response_file_ = open_file(Direction::ToClient, file_name);
  begin_decoding(Direction::ToClient, encoding);
}

void HttpBodies::response_bytes(std::span<const uint8_t> bytes) noexcept {
  decode(Direction::ToClient, bytes);
}

void HttpBodies::response_gap(uint64_t missing) noexcept {
  end_decoding(Direction::ToClient);
  if (response_file_) {
    files_.skip(*response_file_, missing);
  }
}

void HttpBodies::end_response(bool whole) noexcept {
  end_decoding(Direction::ToClient);
  if (response_file_) {
    files_.close(*response_file_, !whole);
  }
}

size_t HttpBodies::memory_bytes() const noexcept {
  size_t bytes = request_window_.capacity();
  for (const auto& encoded : encoded_) {
    bytes += encoded ? encoded->memory_bytes() : 0;
  }
  return bytes;
}

void HttpBodies::begin_input() noexcept {
  ByteWindow{request_window_, request_first_}.trim(demands_->body_limit);
  files_.begin_input();
}

BodyView HttpBodies::response() noexcept {
  if (!response_file_) {
    return {};
  }
  const TransferredFile& file = files_.files()[*response_file_];
  return {file.window, file.window_first};
}

void HttpBodies::begin_file(std::string_view name) noexcept {
  request_file_ = open_file(Direction::ToServer, name);
  file_in_form_bytes_ = 0;
}

void HttpBodies::file_bytes(std::span<const uint8_t> bytes) noexcept {
  file_in_form_bytes_ += bytes.size();
  append_to(request_file_, Direction::ToServer, bytes);
}

void HttpBodies::end_file(bool truncated) noexcept {
  if (file_in_form_bytes_ == 0) {
    raise(Direction::ToServer, HttpEvent::MultipartNoFileData);
  }
  if (request_file_) {
    files_.close(*request_file_, truncated);
    request_file_.reset();
  }
}

void HttpBodies::invalid_part_header() noexcept {
  raise(Direction::ToServer, HttpEvent::MultipartInvalidHeader);
}

void HttpBodies::malformed() noexcept {
  raise(Direction::ToServer, HttpEvent::MultipartGenericError);
}

}  // namespace masugata::ids
