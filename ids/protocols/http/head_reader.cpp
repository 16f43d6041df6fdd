// SPDX-License-Identifier: GPL-2.0-or-later
#include "ids/protocols/http/head_reader.h"

namespace masugata::ids {

HeadReader::State HeadReader::next(uint8_t byte) const noexcept {
  if (byte == 0) return State::Broken;
  switch (state_) {
    case State::First:
    case State::Over:
      if (byte == '\r') return State::FirstReturn;
      return byte == '\n' ? State::LineBegin : State::First;
    case State::FirstReturn:
      return byte == '\n' ? State::LineBegin : State::Broken;
    case State::Line:
      if (byte == '\r') return State::LineReturn;
      return byte == '\n' ? State::LineBegin : State::Line;
    case State::LineReturn:
      if (byte == '\r') return State::LineReturn;
      return byte == '\n' ? State::LineBegin : State::Broken;
    case State::LineBegin:
      if (byte == '\r') return State::EmptyReturn;
      return byte == '\n' ? State::Over : State::Line;
    case State::EmptyReturn:
      return byte == '\n' ? State::Over : State::Broken;
    default:
      return State::Broken;
  }
}

bool HeadReader::read(std::span<const uint8_t> bytes) noexcept {
  for (const uint8_t byte : bytes) {
    state_ = next(byte);
    if (state_ == State::Broken) return false;
  }
  return state_ != State::Broken;
}

}  // namespace masugata::ids
