// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/nat/ftp_control.h"

#include <algorithm>
#include <charconv>

namespace masugata::dataplane {

namespace {

constexpr uint16_t kFirstUnprivilegedPort = 1024;
constexpr size_t kLongestLine = 512;  // RFC 959 names no limit; no server announces longer ones

bool is_digit(char letter) noexcept { return letter >= '0' && letter <= '9'; }

// Case-insensitive for ASCII letters; `upper` is upper case.
bool starts_with(std::string_view line, std::string_view upper) noexcept {
  if (line.size() < upper.size()) return false;
  return std::equal(upper.begin(), upper.end(), line.begin(), [](char want, char have) {
    return have == want || (have >= 'a' && have <= 'z' && have - 'a' + 'A' == want);
  });
}

// A decimal number of at most `digits` digits at the front of `text`, which is moved behind it.
std::optional<uint32_t> take_number(std::string_view& text, size_t digits) noexcept {
  uint32_t value = 0;
  size_t length = 0;
  while (length < text.size() && is_digit(text[length])) {
    if (++length > digits) return std::nullopt;
    value = value * 10 + static_cast<uint32_t>(text[length - 1] - '0');
  }
  if (length == 0) return std::nullopt;
  text.remove_prefix(length);
  return value;
}

bool take_letter(std::string_view& text, char letter) noexcept {
  if (text.empty() || text.front() != letter) return false;
  text.remove_prefix(1);
  return true;
}

// Where something stands inside the line.
struct Found {
  FtpAnnouncement announcement;
  size_t offset = 0;
  size_t length = 0;
};

// h1,h2,h3,h4,p1,p2 at the front of `text` (RFC 959 section 4.1.2).
std::optional<Found> parse_six_numbers(std::string_view text, FtpAnnouncementKind kind) noexcept {
  const size_t before = text.size();
  uint32_t numbers[6];
  for (size_t index = 0; index < 6; ++index) {
    if (index > 0 && !take_letter(text, ',')) return std::nullopt;
    const auto number = take_number(text, 3);
    if (!number || *number > 255) return std::nullopt;
    numbers[index] = *number;
  }
  Found found;
  found.announcement.kind = kind;
  found.announcement.address = net::IpAddress::from_v4(
      net::Be32::from_host(numbers[0] << 24U | numbers[1] << 16U | numbers[2] << 8U | numbers[3]));
  found.announcement.port =
      net::Be16::from_host(static_cast<uint16_t>(numbers[4] << 8U | numbers[5]));
  found.length = before - text.size();
  return found;
}

std::optional<net::Be16> take_port(std::string_view& text) noexcept {
  const auto port = take_number(text, 5);
  if (!port || *port > 65535) return std::nullopt;
  return net::Be16::from_host(static_cast<uint16_t>(*port));
}

bool is_delimiter(char letter) noexcept {
  return letter >= 33 && letter <= 126 && !is_digit(letter);
}

// "PORT " was read; the rest must be the numbers alone.
std::optional<Found> parse_port(std::string_view line) noexcept {
  const size_t start = line.find_first_not_of(' ', 5);
  if (start == std::string_view::npos) return std::nullopt;
  auto found = parse_six_numbers(line.substr(start), FtpAnnouncementKind::Port);
  if (!found || start + found->length != line.size()) return std::nullopt;
  found->offset = start;
  return found;
}

// <d>family<d>address<d>port<d> (RFC 2428 section 2).
std::optional<Found> parse_extended_port(std::string_view line) noexcept {
  const size_t start = line.find_first_not_of(' ', 5);
  if (start == std::string_view::npos || !is_delimiter(line[start])) return std::nullopt;
  const char delimiter = line[start];
  std::string_view text = line.substr(start + 1);
  const auto family = take_number(text, 1);
  if (!family || !take_letter(text, delimiter)) return std::nullopt;
  const size_t end = text.find(delimiter);
  if (end == std::string_view::npos) return std::nullopt;
  const auto address = net::IpAddress::parse(text.substr(0, end));
  if (!address || *family != (address->is_v4() ? 1U : 2U)) return std::nullopt;
  text.remove_prefix(end + 1);
  const auto port = take_port(text);
  if (!port || !take_letter(text, delimiter) || !text.empty()) return std::nullopt;
  Found found;
  found.announcement.kind = FtpAnnouncementKind::ExtendedPort;
  found.announcement.address = *address;
  found.announcement.port = *port;
  found.offset = start;
  found.length = line.size() - start;
  return found;
}

// "227 " was read. Servers differ in the text around the numbers (RFC 1123 section 4.1.2.6): the
// first digit behind the code begins them.
std::optional<Found> parse_passive(std::string_view line) noexcept {
  const auto digit = std::find_if(line.begin() + 4, line.end(), is_digit);
  const auto start = static_cast<size_t>(digit - line.begin());
  auto found = parse_six_numbers(line.substr(start), FtpAnnouncementKind::Passive);
  if (found) found->offset = start;
  return found;
}

// "229 " was read: text (<d><d><d>port<d>) (RFC 2428 section 3). The address is the sender's.
std::optional<Found> parse_extended_passive(std::string_view line,
                                            const net::IpAddress& sender) noexcept {
  const size_t open = line.find('(', 4);
  if (open == std::string_view::npos || open + 4 > line.size()) return std::nullopt;
  const char delimiter = line[open + 1];
  if (!is_delimiter(delimiter) || line[open + 2] != delimiter || line[open + 3] != delimiter) {
    return std::nullopt;
  }
  std::string_view text = line.substr(open + 4);
  const size_t before = text.size();
  const auto port = take_port(text);
  if (!port) return std::nullopt;
  Found found;
  found.announcement.kind = FtpAnnouncementKind::ExtendedPassive;
  found.announcement.address = sender;
  found.announcement.port = *port;
  found.offset = open + 4;
  found.length = before - text.size();
  if (!take_letter(text, delimiter) || !take_letter(text, ')')) return std::nullopt;
  return found;
}

std::optional<Found> parse_line(std::string_view line, FtpSide side,
                                const net::IpAddress& sender) noexcept {
  if (side == FtpSide::Client) {
    if (starts_with(line, "PORT ")) return parse_port(line);
    if (starts_with(line, "EPRT ")) return parse_extended_port(line);
    return std::nullopt;
  }
  if (starts_with(line, "227 ")) return parse_passive(line);
  if (starts_with(line, "229 ")) return parse_extended_passive(line, sender);
  return std::nullopt;
}

class TextWriter {
 public:
  explicit TextWriter(FtpReplacement& target) noexcept : target_(target) {}
  void letter(char value) noexcept { target_.text[target_.length++] = value; }
  void number(uint32_t value, int base = 10) noexcept {
    char* const begin = target_.text.data() + target_.length;
    char* const end = target_.text.data() + target_.text.size();
    const auto result = std::to_chars(begin, end, value, base);
    target_.length = static_cast<uint8_t>(result.ptr - target_.text.data());
  }

 private:
  FtpReplacement& target_;
};

void write_v4(TextWriter& writer, const net::IpAddress& address, char separator) noexcept {
  for (size_t index = 12; index < 16; ++index) {
    if (index > 12) writer.letter(separator);
    writer.number(address.bytes[index]);
  }
}

void write_v6(TextWriter& writer, const net::IpAddress& address) noexcept {
  for (size_t group = 0; group < 8; ++group) {
    if (group > 0) writer.letter(':');
    writer.number(net::load_be16(&address.bytes[group * 2]).host(), 16);
  }
}

// Of a line that begins a reply or ends one; 0 for any other.
uint16_t reply_code(std::string_view line) noexcept {
  const bool coded = line.size() >= 3 && is_digit(line[0]) && is_digit(line[1]) &&
                     is_digit(line[2]) && (line.size() == 3 || line[3] == ' ' || line[3] == '-');
  if (!coded) return 0;
  return static_cast<uint16_t>((line[0] - '0') * 100 + (line[1] - '0') * 10 + (line[2] - '0'));
}

std::string_view as_text(std::span<const uint8_t> payload) noexcept {
  return {reinterpret_cast<const char*>(payload.data()), std::min(payload.size(), size_t{0xffff})};
}

// Without its end.
std::string_view line_at(std::string_view text, size_t start) noexcept {
  std::string_view line = text.substr(start);
  line = line.substr(0, line.find('\n'));
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

size_t behind_line(std::string_view text, size_t start) noexcept {
  const size_t end = text.find('\n', start);
  return end == std::string_view::npos ? text.size() : end + 1;
}

}  // namespace

std::optional<FtpFinalReply> find_final_reply(std::span<const uint8_t> payload,
                                              bool at_line_start) noexcept {
  const std::string_view text = as_text(payload);
  for (size_t start = at_line_start ? 0 : behind_line(text, 0); start < text.size();
       start = behind_line(text, start)) {
    const uint16_t code = reply_code(line_at(text, start));
    if (code != 226 && code != 250 && code < 400) continue;
    FtpFinalReply reply;
    reply.code = code;
    reply.offset = static_cast<uint16_t>(start);
    // Of several lines the last has the code and no hyphen.
    for (size_t line = start; line < text.size() && !reply.whole; line = behind_line(text, line)) {
      const std::string_view words = line_at(text, line);
      reply.whole = reply_code(words) == code && (words.size() == 3 || words[3] == ' ');
      reply.length = static_cast<uint16_t>(line + words.size() - start);
    }
    return reply;
  }
  return std::nullopt;
}

std::optional<FtpAnnouncement> find_announcement(std::span<const uint8_t> payload, FtpSide side,
                                                 const net::IpAddress& sender,
                                                 bool at_line_start) noexcept {
  const std::string_view text = as_text(payload);
  size_t start = 0;
  if (!at_line_start) {
    const size_t end = text.find('\n');
    if (end == std::string_view::npos) return std::nullopt;
    start = end + 1;
  }
  for (size_t end = text.find('\n', start); end != std::string_view::npos;
       start = end + 1, end = text.find('\n', start)) {
    if (end - start < 2 || end - start > kLongestLine || text[end - 1] != '\r') continue;
    auto found = parse_line(text.substr(start, end - 1 - start), side, sender);
    if (!found) continue;
    FtpAnnouncement& announcement = found->announcement;
    if (announcement.address != sender || announcement.port.host() < kFirstUnprivilegedPort) {
      return std::nullopt;
    }
    announcement.replace_offset = static_cast<uint16_t>(start + found->offset);
    announcement.replace_length = static_cast<uint16_t>(found->length);
    return announcement;
  }
  return std::nullopt;
}

FtpReplacement write_announcement(const FtpAnnouncement& announcement,
                                  const net::IpAddress& address, net::Be16 port) noexcept {
  FtpReplacement replacement;
  TextWriter writer(replacement);
  switch (announcement.kind) {
    case FtpAnnouncementKind::Port:
    case FtpAnnouncementKind::Passive:
      if (!address.is_v4()) break;
      write_v4(writer, address, ',');
      writer.letter(',');
      writer.number(port.host() >> 8U);
      writer.letter(',');
      writer.number(port.host() & 0xffU);
      break;
    case FtpAnnouncementKind::ExtendedPort:
      writer.letter('|');
      writer.number(address.is_v4() ? 1 : 2);
      writer.letter('|');
      if (address.is_v4()) {
        write_v4(writer, address, '.');
      } else {
        write_v6(writer, address);
      }
      writer.letter('|');
      writer.number(port.host());
      writer.letter('|');
      break;
    case FtpAnnouncementKind::ExtendedPassive:
      writer.number(port.host());
      break;
  }
  return replacement;
}

net::FlowKey expected_data_flow(const net::IpAddress& connector, const net::IpAddress& listener,
                                net::Be16 listener_port) noexcept {
  net::FlowKey key;
  key.source = connector;
  key.destination = listener;
  key.destination_port = listener_port;
  key.protocol = net::Protocol::Tcp;
  return key;
}

}  // namespace masugata::dataplane
