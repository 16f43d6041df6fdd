// SPDX-License-Identifier: GPL-2.0-or-later
#include "ids/protocols/smb/smb_message.h"

#include <algorithm>

namespace masugata::ids {
namespace {

constexpr size_t kHeader1 = 32;
constexpr size_t kHeader2 = 64;
constexpr size_t kMaximumName = 1024;  // UTF-16 units

// Little-endian fields of a message; reading beyond its end gives zeros.
class Fields {
 public:
  explicit Fields(std::span<const uint8_t> bytes) noexcept : bytes_(bytes) {}
  [[nodiscard]] uint64_t number(size_t at, size_t width) const noexcept {
    uint64_t value = 0;
    for (size_t i = width; i-- > 0;) {
      value = value << 8U | (at + i < bytes_.size() ? bytes_[at + i] : 0U);
    }
    return value;
  }
  [[nodiscard]] uint16_t u16(size_t at) const noexcept {
    return static_cast<uint16_t>(number(at, 2));
  }
  [[nodiscard]] uint32_t u32(size_t at) const noexcept {
    return static_cast<uint32_t>(number(at, 4));
  }
  [[nodiscard]] size_t size() const noexcept { return bytes_.size(); }
  [[nodiscard]] SmbFileId file(size_t at, size_t width) const noexcept {
    SmbFileId id{};
    for (size_t i = 0; i < width; ++i) {
      id[i] = static_cast<uint8_t>(number(at + i, 1));
    }
    return id;
  }
  // UTF-16 text of `units`, up to its first zero; characters beyond ASCII become '?'.
  [[nodiscard]] std::string wide(size_t at, size_t units) const {
    std::string text;
    for (size_t i = 0; i < std::min(units, kMaximumName) && at + 2 * i + 1 < size(); ++i) {
      const uint16_t unit = u16(at + 2 * i);
      if (unit == 0) {
        break;
      }
      text.push_back(unit < 0x80 ? static_cast<char>(unit) : '?');
    }
    return text;
  }
  [[nodiscard]] std::string narrow(size_t at) const {
    std::string text;
    for (size_t i = at; i < size() && bytes_[i] != 0 && text.size() < kMaximumName; ++i) {
      text.push_back(static_cast<char>(bytes_[i]));
    }
    return text;
  }

 private:
  std::span<const uint8_t> bytes_;
};

void read_request1(const Fields& f, SmbMessage& message, bool wide) {
  const size_t words = kHeader1 + 1;
  const size_t bytes = words + 2 * f.number(kHeader1, 1) + 2;
  switch (message.kind) {
    case SmbKind::TreeConnect: {
      size_t at = bytes + f.u16(words + 6);  // behind the password
      at += wide ? at % 2 : 0;
      message.name = wide ? f.wide(at, kMaximumName) : f.narrow(at);
      break;
    }
    case SmbKind::Create: {
      const size_t at = bytes + (wide ? bytes % 2 : 0);
      message.name = wide ? f.wide(at, f.u16(words + 5) / 2U) : f.narrow(at);
      break;
    }
    case SmbKind::Read:
      message.file = f.file(words + 4, 2);
      message.file_offset = f.u32(words + 6);
      break;
    case SmbKind::Write:
      message.file = f.file(words + 4, 2);
      message.file_offset = f.u32(words + 6);
      message.data_bytes = f.u16(words + 20) | static_cast<uint32_t>(f.u16(words + 18)) << 16U;
      message.data_at = f.u16(words + 22);
      if (f.number(kHeader1, 1) >= 14) {
        message.file_offset |= static_cast<uint64_t>(f.u32(words + 24)) << 32U;
      }
      break;
    case SmbKind::Close:
      message.file = f.file(words, 2);
      break;
    case SmbKind::Other:
      break;
  }
}

void read_response1(const Fields& f, SmbMessage& message) {
  const size_t words = kHeader1 + 1;
  if (message.kind == SmbKind::TreeConnect) {
    message.is_pipe = f.narrow(words + 2 * f.number(kHeader1, 1) + 2) == "IPC";
  } else if (message.kind == SmbKind::Create) {
    message.file = f.file(words + 5, 2);
  } else if (message.kind == SmbKind::Read) {
    message.data_bytes = f.u16(words + 10) | static_cast<uint32_t>(f.u16(words + 14)) << 16U;
    message.data_at = f.u16(words + 12);
  }
}

std::optional<SmbMessage> parse1(const Fields& f) {
  SmbMessage message;
  switch (f.number(4, 1)) {
    case 0x04:
      message.kind = SmbKind::Close;
      break;
    case 0x2e:
      message.kind = SmbKind::Read;
      break;
    case 0x2f:
      message.kind = SmbKind::Write;
      break;
    case 0x75:
      message.kind = SmbKind::TreeConnect;
      break;
    case 0xa2:
      message.kind = SmbKind::Create;
      break;
    default:
      break;
  }
  message.response = (f.number(9, 1) & 0x80U) != 0;
  message.failed = message.response && f.u32(5) != 0;
  // The process and the multiplex id together name a request.
  message.message_id = static_cast<uint64_t>(f.u16(26)) << 16U | f.u16(30);
  const bool wide = (f.u16(10) & 0x8000U) != 0;
  if (!message.response) {
    read_request1(f, message, wide);
  } else if (!message.failed) {
    read_response1(f, message);
  }
  return message;
}

void read_request2(const Fields& f, SmbMessage& message) {
  const size_t body = kHeader2;
  switch (message.kind) {
    case SmbKind::TreeConnect:
      message.name = f.wide(f.u16(body + 4), f.u16(body + 6) / 2U);
      break;
    case SmbKind::Create:
      message.name = f.wide(f.u16(body + 44), f.u16(body + 46) / 2U);
      break;
    case SmbKind::Read:
      message.file_offset = f.number(body + 8, 8);
      message.file = f.file(body + 16, 16);
      break;
    case SmbKind::Write:
      message.data_at = f.u16(body + 2);
      message.data_bytes = f.u32(body + 4);
      message.file_offset = f.number(body + 8, 8);
      message.file = f.file(body + 16, 16);
      break;
    case SmbKind::Close:
      message.file = f.file(body + 8, 16);
      break;
    case SmbKind::Other:
      break;
  }
}

void read_response2(const Fields& f, SmbMessage& message) {
  const size_t body = kHeader2;
  if (message.kind == SmbKind::TreeConnect) {
    message.is_pipe = f.number(body + 2, 1) == 2;
  } else if (message.kind == SmbKind::Create) {
    message.file = f.file(body + 64, 16);
  } else if (message.kind == SmbKind::Read) {
    message.data_at = static_cast<uint32_t>(f.number(body + 2, 1));
    message.data_bytes = f.u32(body + 4);
  }
}

std::optional<SmbMessage> parse2(const Fields& f) {
  SmbMessage message;
  message.version = 2;
  switch (f.u16(12)) {
    case 3:
      message.kind = SmbKind::TreeConnect;
      break;
    case 5:
      message.kind = SmbKind::Create;
      break;
    case 6:
      message.kind = SmbKind::Close;
      break;
    case 8:
      message.kind = SmbKind::Read;
      break;
    case 9:
      message.kind = SmbKind::Write;
      break;
    default:
      break;
  }
  message.response = (f.u32(16) & 1U) != 0;
  message.failed = message.response && f.u32(8) != 0;
  message.message_id = f.number(24, 8);
  if (!message.response) {
    read_request2(f, message);
  } else if (!message.failed) {
    read_response2(f, message);
  }
  return message;
}

}  // namespace

std::optional<SmbMessage> parse_smb_message(std::span<const uint8_t> head) {
  if (head.size() < kHeader1 + 3 || head[1] != 'S' || head[2] != 'M' || head[3] != 'B') {
    return std::nullopt;
  }
  if (head[0] == 0xff) {
    return parse1(Fields{head});
  }
  return head[0] == 0xfe && head.size() >= kHeader2 + 2 ? parse2(Fields{head}) : std::nullopt;
}

}  // namespace masugata::ids
