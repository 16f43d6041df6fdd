// SPDX-License-Identifier: GPL-2.0-or-later
#include "ids/protocols/dns/dns_message.h"

#include <algorithm>
#include <utility>

#include "ids/protocols/byte_reader.h"

namespace masugata::ids {
namespace {

constexpr size_t kHeaderBytes = 12;
constexpr size_t kUsualRecords = 8;  // room for these at once; what a header announces may be false

class MessageReader {
 public:
  MessageReader(std::span<const uint8_t> bytes, DnsMessage& message) noexcept
      : bytes_(bytes), message_(message) {}

  DnsReadFindings read() noexcept {
    ByteReader header{bytes_};
    message_.id = header.u16();
    message_.flags = header.u16();
    const uint16_t questions = header.u16();
    const uint16_t answers = header.u16();
    const uint16_t authorities = header.u16();
    const uint16_t additionals = header.u16();
    const size_t records = size_t{questions} + answers + authorities + additionals;
    // No record is shorter than two bytes: counts beyond that are not those of a DNS header.
    if (!header.ok() || 2 * records > bytes_.size() - kHeaderBytes + 1) {
      findings_.no_header = true;
      return findings_;
    }
    position_ = kHeaderBytes;
    if (!read_questions(questions) || !read_records(answers, message_.answers)) {
      findings_.malformed = true;
    } else if (!read_records(authorities, message_.authorities)) {
      findings_.invalid_authorities = true;
      message_.authorities.clear();
    } else if (!read_records(additionals, message_.additionals)) {
      findings_.invalid_additionals = true;
      message_.additionals.clear();
    }
    return findings_;
  }

 private:
  bool spend(size_t text_bytes) noexcept {
    text_bytes_ += text_bytes;
    return text_bytes_ <= kMaximumDnsTextBytes;
  }
  [[nodiscard]] bool may_read_another() noexcept { return ++records_ <= kMaximumDnsRecords; }

  // Where a pointer at `position` leads; false when it leads out of the message or to itself.
  bool follow(size_t& position) noexcept {
    if (position + 1 >= bytes_.size()) return false;
    const size_t target = (bytes_[position] & 0x3fU) * size_t{256} + bytes_[position + 1];
    if (target > bytes_.size()) return false;
    if (target == position) {
      findings_.infinite_loop = true;
      return false;
    }
    position = target;
    return true;
  }

  // A name from `position`, which moves behind it. `end` bounds the part that is not pointed to.
  // Each step is a label or a pointer, and there are at most kMaximumDnsLabels of them.
  bool read_name(size_t& position, size_t end, std::string& name) noexcept {
    size_t at = position;
    bool jumped = false;
    bool cut = false;
    for (size_t steps = 1;; ++steps) {
      const size_t limit = jumped ? bytes_.size() : end;
      if (at >= limit) break;
      const uint8_t length = bytes_[at];
      if (length == 0) {
        ++at;
        break;
      }
      if ((length & 0xc0U) == 0) {
        if (at + 1 + length > limit) return false;
        append_label(bytes_.subspan(at + 1, length), cut, name);
        at += length + 1U;
      } else if ((length & 0xc0U) == 0xc0U) {
        const size_t after = at + 2;
        if (after > limit) return false;
        if (!follow(at)) {
          // What follows the name is known once a pointer has been passed.
          if (!findings_.infinite_loop || !jumped) return false;
          break;
        }
        if (!jumped) position = after;
        jumped = true;
      } else {
        return false;
      }
      if (steps >= kMaximumDnsLabels) {
        findings_.too_many_labels = true;
        if (!jumped) return false;
        break;
      }
      if (cut && jumped) break;
    }
    if (!jumped) position = at;
    return spend(name.size());
  }

  void append_label(std::span<const uint8_t> label, bool& cut, std::string& name) noexcept {
    if (cut) return;
    if (!name.empty()) name.push_back('.');
    name.append(reinterpret_cast<const char*>(label.data()), label.size());
    if (name.size() > kMaximumDnsNameBytes) {
      name.resize(kMaximumDnsNameBytes);
      findings_.name_too_long = true;
      cut = true;
    }
  }

  bool read_questions(uint16_t count) noexcept {
    message_.questions.reserve(std::min<size_t>(count, kUsualRecords));
    for (uint16_t number = 0; number < count; ++number) {
      DnsQuestion question;
      if (!may_read_another() || !read_name(position_, bytes_.size(), question.name)) return false;
      ByteReader reader{bytes_.subspan(position_)};
      question.type = reader.u16();
      question.type_class = reader.u16();
      if (!reader.ok()) return false;
      position_ += reader.position();
      message_.questions.push_back(std::move(question));
    }
    return true;
  }

  bool read_records(uint16_t count, std::vector<DnsRecord>& records) noexcept {
    records.reserve(std::min<size_t>(count, kUsualRecords));
    for (uint16_t number = 0; number < count; ++number) {
      DnsRecord record;
      if (!may_read_another() || !read_name(position_, bytes_.size(), record.name)) return false;
      ByteReader reader{bytes_.subspan(position_)};
      record.type = reader.u16();
      record.type_class = reader.u16();
      record.ttl_seconds = reader.u32();
      const auto data = reader.take_counted16();
      if (!reader.ok()) return false;
      const size_t data_position = position_ + reader.position() - data.size();
      position_ += reader.position();
      record.data.assign(data.begin(), data.end());
      if (!read_data(record, data_position)) return false;
      records.push_back(std::move(record));
    }
    return true;
  }

  bool read_data(DnsRecord& record, size_t position) noexcept {
    const size_t end = position + record.data.size();
    switch (static_cast<DnsType>(record.type)) {
      case DnsType::Cname:
      case DnsType::Ns:
      case DnsType::Ptr:
        return read_name(position, end, record.target);
      case DnsType::Mx:
        return read_numbers16(record, 1, position, end) && read_name(position, end, record.target);
      case DnsType::Srv:
        return read_numbers16(record, 3, position, end) && read_name(position, end, record.target);
      case DnsType::Soa:
        return read_name(position, end, record.target) &&
               read_name(position, end, record.mailbox) && read_times(record, position, end);
      case DnsType::Txt:
        return read_texts(record);
      case DnsType::Sshfp:
        if (record.data.size() < 2) return false;
        record.numbers[0] = record.data[0];
        record.numbers[1] = record.data[1];
        return true;
      default:
        return true;
    }
  }

  bool read_numbers16(DnsRecord& record, size_t count, size_t& position, size_t end) noexcept {
    ByteReader reader{bytes_.subspan(position, end - position)};
    for (size_t index = 0; index < count; ++index) record.numbers[index] = reader.u16();
    position += reader.position();
    return reader.ok();
  }

  bool read_times(DnsRecord& record, size_t position, size_t end) noexcept {
    if (position > end) return false;
    ByteReader reader{bytes_.subspan(position, end - position)};
    for (uint32_t& number : record.numbers) number = reader.u32();
    return reader.ok();
  }

  bool read_texts(DnsRecord& record) noexcept {
    ByteReader reader{record.data};
    while (reader.left() > 0) {
      const auto text = reader.take_counted8();
      // A string that the data cuts off ends them; the first must be whole.
      if (!reader.ok()) return !record.texts.empty();
      record.texts.emplace_back(reinterpret_cast<const char*>(text.data()), text.size());
      if (!spend(text.size() + sizeof(std::string))) return false;
    }
    return !record.texts.empty();
  }

  std::span<const uint8_t> bytes_;
  DnsMessage& message_;
  DnsReadFindings findings_;
  size_t position_ = 0;
  size_t text_bytes_ = 0;
  size_t records_ = 0;
};

}  // namespace

DnsReadFindings read_dns_message(std::span<const uint8_t> bytes, DnsMessage& message) noexcept {
  if (bytes.size() < kHeaderBytes) {
    DnsReadFindings findings;
    findings.no_header = true;
    return findings;
  }
  return MessageReader{bytes, message}.read();
}

}  // namespace masugata::ids
