// SPDX-License-Identifier: GPL-2.0-or-later
#include "net/dns_answer.h"

#include <algorithm>

namespace masugata::net {
namespace {

constexpr size_t kHeaderBytes = 12;
constexpr size_t kRecordBytes = 10;  // behind the name
constexpr uint16_t kTypeA = 1;
constexpr uint16_t kTypeCname = 5;
constexpr uint16_t kTypeAaaa = 28;
constexpr uint16_t kClassInternet = 1;
constexpr uint16_t kResponse = 0x8000;
constexpr uint16_t kOpcode = 0x7800;
constexpr uint16_t kCode = 0x000f;

class MessageReader {
 public:
  explicit MessageReader(std::span<const uint8_t> message) noexcept : message_(message) {}

  [[nodiscard]] bool has(size_t bytes) const noexcept { return message_.size() - place_ >= bytes; }
  [[nodiscard]] uint16_t word() noexcept {
    const auto value = static_cast<uint16_t>(message_[place_] << 8U | message_[place_ + 1]);
    place_ += 2;
    return value;
  }
  [[nodiscard]] uint32_t long_word() noexcept {
    const uint32_t high = word();
    return high << 16U | word();
  }
  [[nodiscard]] std::span<const uint8_t> bytes(size_t count) noexcept {
    const auto part = message_.subspan(place_, count);
    place_ += count;
    return part;
  }
  void move_to(size_t place) noexcept { place_ = place; }
  [[nodiscard]] size_t place() const noexcept { return place_; }

  // Reads a name and goes behind it. False when it ends before it should; `is_host` says whether it
  // is one that `name` can hold.
  [[nodiscard]] bool name(DnsHostName& name, bool& is_host) noexcept {
    name.bytes = 0;
    is_host = true;
    size_t at = place_;
    size_t lowest = place_;  // pointers lead back only, so that they come to an end
    bool jumped = false;
    while (at < message_.size()) {
      const uint8_t length = message_[at];
      if (length == 0) {
        if (!jumped) place_ = at + 1;
        is_host = is_host && name.bytes != 0;
        return true;
      }
      if ((length & 0xc0U) == 0xc0U) {
        if (at + 1 >= message_.size()) return false;
        if (!jumped) place_ = at + 2;
        jumped = true;
        const size_t target = static_cast<size_t>(length & 0x3fU) << 8U | message_[at + 1];
        if (target >= lowest) return false;
        lowest = at = target;
        continue;
      }
      if ((length & 0xc0U) != 0 || message_.size() - at <= length) return false;
      is_host = is_host && append(name, message_.subspan(at + 1, length));
      at += size_t{1} + length;
    }
    return false;
  }

 private:
  static bool append(DnsHostName& name, std::span<const uint8_t> label) noexcept {
    const size_t dot = name.bytes == 0 ? 0 : 1;
    if (name.bytes + dot + label.size() > name.text.size()) return false;
    char* to = name.text.data() + name.bytes;
    if (dot != 0) *to++ = '.';
    for (const uint8_t byte : label) {
      auto character = static_cast<char>(byte);
      if (character >= 'A' && character <= 'Z') character = static_cast<char>(character + 32);
      const bool fits = (character >= 'a' && character <= 'z') ||
                        (character >= '0' && character <= '9') || character == '-' ||
                        character == '_';
      if (!fits) return false;
      *to++ = character;
    }
    name.bytes = static_cast<uint8_t>(name.bytes + dot + label.size());
    return true;
  }

  std::span<const uint8_t> message_;
  size_t place_ = 0;
};

// Takes in one record of the answer section. False when it ends before it should.
bool read_record(MessageReader& reader, DnsAnswer& answer, uint32_t& ttl, bool& lost) noexcept {
  DnsHostName owner;
  bool is_host = false;
  if (!reader.name(owner, is_host) || !reader.has(kRecordBytes)) return false;
  const uint16_t type = reader.word();
  const uint16_t record_class = reader.word();
  const uint32_t record_ttl = reader.long_word();
  const uint16_t length = reader.word();
  if (!reader.has(length)) return false;
  const size_t next = reader.place() + length;
  const DnsHostName& present =
      answer.alias_count == 0 ? answer.question : answer.aliases[answer.alias_count - 1U];
  const bool ours =
      !lost && is_host && record_class == kClassInternet && owner.view() == present.view();
  if (ours && type == kTypeCname) {
    lost = answer.alias_count == kMaximumAnswerAliases;
    if (!lost) {
      DnsHostName& alias = answer.aliases[answer.alias_count];
      if (!reader.name(alias, is_host)) return false;
      lost = !is_host;
      if (!lost) ++answer.alias_count;
      ttl = std::min(ttl, record_ttl);
    }
  } else if (ours && answer.address_count < kMaximumAnswerAddresses &&
             ((type == kTypeA && length == 4) || (type == kTypeAaaa && length == 16))) {
    const auto data = reader.bytes(length);
    DnsAddress& address = answer.addresses[answer.address_count++];
    address.address =
        length == 4 ? IpAddress::from_v4(load_be32(data.data())) : IpAddress::from_v6(data.data());
    address.ttl_seconds = std::min(ttl, record_ttl);
    // An IPv4 address in disguise would be taken for one.
    if (length == 16 && address.address.is_v4()) --answer.address_count;
  }
  reader.move_to(next);
  return true;
}

}  // namespace

bool read_dns_answer(std::span<const uint8_t> message, DnsAnswer& answer) noexcept {
  MessageReader reader(message);
  answer.alias_count = 0;
  answer.address_count = 0;
  if (!reader.has(kHeaderBytes)) return false;
  answer.id = reader.word();
  const uint16_t flags = reader.word();
  const uint16_t questions = reader.word();
  const uint16_t records = reader.word();
  answer.is_response = (flags & kResponse) != 0;
  answer.has_error = answer.is_response && (flags & kCode) != 0;
  if ((flags & kOpcode) != 0 || questions != 1) return false;
  reader.move_to(kHeaderBytes);
  bool is_host = false;
  if (!reader.name(answer.question, is_host) || !is_host || !reader.has(4)) return false;
  answer.question_type = reader.word();
  if (reader.word() != kClassInternet) return false;
  if (!answer.is_response) return true;
  uint32_t ttl = 0xffffffff;
  bool lost = false;
  for (uint16_t record = 0; record < records; ++record) {
    if (!read_record(reader, answer, ttl, lost)) return false;
  }
  return true;
}

}  // namespace masugata::net
