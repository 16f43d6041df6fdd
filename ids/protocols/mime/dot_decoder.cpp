// SPDX-License-Identifier: GPL-2.0-or-later
#include "ids/protocols/mime/dot_decoder.h"

#include <array>
#include <cstring>

namespace masugata::ids::mime {
namespace {

constexpr std::array<uint8_t, 1> kReturn{'\r'};

}  // namespace

std::span<const uint8_t> DotDecoder::next(std::span<const uint8_t>& bytes) noexcept {
  while (!bytes.empty()) {
    switch (state_) {
      case State::LineStart:
        state_ = bytes[0] == '.' ? State::Dot : State::Inside;
        last_ = 0;
        if (state_ == State::Dot) {
          bytes = bytes.subspan(1);
        }
        break;
      case State::Dot:
        if (bytes[0] == '\n') {
          state_ = State::Ended;
          strict_ = false;
          bytes = bytes.subspan(1);
          return {};
        }
        if (bytes[0] == '\r') {
          state_ = State::DotReturn;
          bytes = bytes.subspan(1);
        } else {
          state_ = State::Inside;  // the dot was stuffing
        }
        break;
      case State::DotReturn:
        if (bytes[0] == '\n') {
          state_ = State::Ended;
          bytes = bytes.subspan(1);
          return {};
        }
        state_ = State::Inside;
        last_ = '\r';
        return kReturn;
      case State::Inside: {
        // Whole lines together, up to the first that begins with a dot.
        size_t end = 0;
        while (end < bytes.size()) {
          const void* feed = std::memchr(bytes.data() + end, '\n', bytes.size() - end);
          if (feed == nullptr) {
            end = bytes.size();
            break;
          }
          end = static_cast<size_t>(static_cast<const uint8_t*>(feed) - bytes.data()) + 1;
          if (end == bytes.size() || bytes[end] == '.') {
            state_ = State::LineStart;
            strict_ = (end >= 2 ? bytes[end - 2] : last_) == '\r';
            break;
          }
        }
        last_ = bytes[end - 1];
        const auto run = bytes.first(end);
        bytes = bytes.subspan(end);
        return run;
      }
      case State::Ended:
        return {};
    }
  }
  return {};
}

}  // namespace masugata::ids::mime
