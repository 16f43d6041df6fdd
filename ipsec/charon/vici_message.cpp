// SPDX-License-Identifier: GPL-2.0-or-later
#include "ipsec/charon/vici_message.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>

namespace masugata::ipsec {
namespace {

enum class Element : uint8_t {
  SectionStart = 1,
  SectionEnd = 2,
  KeyValue = 3,
  ListStart = 4,
  ListItem = 5,
  ListEnd = 6,
};

// Of a key-value.
std::optional<std::string_view> text_of(const ViciSection::Entry& entry) {
  if (const auto* text = std::get_if<std::string>(&entry.content)) return *text;
  if (const auto* secret = std::get_if<config::SecretBytes>(&entry.content)) return secret->view();
  return std::nullopt;
}

class Writer {
 public:
  explicit Writer(config::SecretBytes& out) : out_(out) {}

  void element(Element type) { out_.push_back(static_cast<char>(type)); }
  void name(std::string_view text) {
    if (text.empty() || text.size() > UINT8_MAX) refuse("name", text);
    out_.push_back(static_cast<char>(text.size()));
    out_.append(text);
  }
  void value(std::string_view text, std::string_view of) {
    if (text.size() > UINT16_MAX) refuse("value of", of);
    out_.push_back(static_cast<char>(text.size() >> 8U));
    out_.push_back(static_cast<char>(text.size() & 0xffU));
    out_.append(text);
  }
  void section(const ViciSection& section) {
    for (const ViciSection::Entry& entry : section.entries()) write(entry);
  }
  [[nodiscard]] const std::string& refused() const { return refused_; }

 private:
  void refuse(const char* what, std::string_view name) {
    if (refused_.empty()) refused_ = fmt::format("the {} '{}' does not fit", what, name);
  }
  void write(const ViciSection::Entry& entry) {
    if (const auto text = text_of(entry)) {
      element(Element::KeyValue);
      name(entry.name);
      value(*text, entry.name);
    } else if (const auto* items = std::get_if<ViciSection::List>(&entry.content)) {
      element(Element::ListStart);
      name(entry.name);
      for (const std::string& item : *items) {
        element(Element::ListItem);
        value(item, entry.name);
      }
      element(Element::ListEnd);
    } else {
      element(Element::SectionStart);
      name(entry.name);
      section(std::get<ViciSection>(entry.content));
      element(Element::SectionEnd);
    }
  }

  config::SecretBytes& out_;
  std::string refused_;
};

class Reader {
 public:
  explicit Reader(std::string_view bytes) : bytes_(bytes) {}

  Status section(ViciSection& into, size_t depth) {
    while (offset_ < bytes_.size()) {
      if (++elements_ > kMaximumViciElements) return fail("too many elements");
      const auto type = static_cast<Element>(bytes_[offset_++]);
      if (type == Element::SectionEnd) {
        return depth == 0 ? fail("a section ends that never began") : Status();
      }
      if (Status read = entry(type, into, depth); !read) return read;
    }
    return depth == 0 ? Status() : fail("a section does not end");
  }

 private:
  Status fail(const char* what) const {
    return failure(fmt::format("vici message, byte {}", offset_), what);
  }
  bool take(size_t length_bytes, std::string_view& text) {
    if (bytes_.size() - offset_ < length_bytes) return false;
    size_t length = 0;
    for (size_t i = 0; i < length_bytes; ++i) {
      length = (length << 8U) | static_cast<uint8_t>(bytes_[offset_ + i]);
    }
    if (bytes_.size() - offset_ - length_bytes < length) return false;
    text = bytes_.substr(offset_ + length_bytes, length);
    offset_ += length_bytes + length;
    return true;
  }
  Status entry(Element type, ViciSection& into, size_t depth) {
    std::string_view name;
    std::string_view value;
    switch (type) {
      case Element::KeyValue:
        if (!take(1, name) || !take(2, value)) return fail("a key-value is cut off");
        into.set(name, value);
        return {};
      case Element::ListStart:
        if (!take(1, name)) return fail("a list is cut off");
        return list(name, into);
      case Element::SectionStart:
        if (!take(1, name)) return fail("a section is cut off");
        if (depth + 1 >= kMaximumViciDepth) return fail("sections are nested too deep");
        return section(into.add_section(name), depth + 1);
      case Element::SectionEnd:
      case Element::ListItem:
      case Element::ListEnd:
        break;
    }
    return fail("an element stands where it cannot");
  }
  Status list(std::string_view name, ViciSection& into) {
    ViciSection::List items;
    while (offset_ < bytes_.size()) {
      if (++elements_ > kMaximumViciElements) return fail("too many elements");
      const auto type = static_cast<Element>(bytes_[offset_++]);
      if (type == Element::ListEnd) {
        into.set_list(name, std::move(items));
        return {};
      }
      std::string_view item;
      if (type != Element::ListItem) return fail("a list holds something else than items");
      if (!take(2, item)) return fail("an item is cut off");
      items.emplace_back(item);
    }
    return fail("a list does not end");
  }

  std::string_view bytes_;
  size_t offset_ = 0;
  size_t elements_ = 0;
};

bool has_name(ViciPacketType type) {
  return type == ViciPacketType::Request || type == ViciPacketType::RegisterEvent ||
         type == ViciPacketType::UnregisterEvent || type == ViciPacketType::Event;
}

bool has_message(ViciPacketType type) {
  return type == ViciPacketType::Request || type == ViciPacketType::Response ||
         type == ViciPacketType::Event;
}

const ViciSection::Entry* find(const std::vector<ViciSection::Entry>& entries,
                               std::string_view name, size_t kind) {
  for (const ViciSection::Entry& entry : entries) {
    if (entry.content.index() == kind && entry.name == name) return &entry;
  }
  return nullptr;
}

// Bytes that no terminal must see as they are become '.'.
std::string printable(std::string_view text) {
  std::string result(text);
  for (char& c : result) {
    if (static_cast<uint8_t>(c) < 0x20 || c == '\x7f') c = '.';
  }
  return result;
}

void append_text(const ViciSection& section, const std::vector<std::string_view>& hidden,
                 size_t indent, std::string& out) {
  const std::string blanks(indent, ' ');
  for (const ViciSection::Entry& entry : section.entries()) {
    const bool hide = std::find(hidden.begin(), hidden.end(), entry.name) != hidden.end();
    out += blanks + printable(entry.name);
    if (std::holds_alternative<config::SecretBytes>(entry.content)) {
      out += " = (hidden)\n";
    } else if (const auto* text = std::get_if<std::string>(&entry.content)) {
      out += " = " + (hide ? "(hidden)" : printable(*text)) + "\n";
    } else if (const auto* items = std::get_if<ViciSection::List>(&entry.content)) {
      out += " = [";
      for (const std::string& item : *items) out += " " + (hide ? "(hidden)" : printable(item));
      out += " ]\n";
    } else {
      out += " {\n";
      append_text(std::get<ViciSection>(entry.content), hidden, indent + 2, out);
      out += blanks + "}\n";
    }
  }
}

}  // namespace

ViciSection& ViciSection::set(std::string_view name, std::string_view value) {
  entries_.push_back({std::string(name), std::string(value)});
  return *this;
}

ViciSection& ViciSection::set_secret(std::string_view name, std::string_view value) {
  entries_.push_back({std::string(name), config::SecretBytes(value)});
  return *this;
}

ViciSection& ViciSection::set_list(std::string_view name, List items) {
  entries_.push_back({std::string(name), std::move(items)});
  return *this;
}

ViciSection& ViciSection::add_section(std::string_view name) {
  entries_.push_back({std::string(name), ViciSection()});
  return std::get<ViciSection>(entries_.back().content);
}

std::string_view ViciSection::value(std::string_view name) const {
  for (const Entry& entry : entries_) {
    if (entry.name != name) continue;
    if (const auto text = text_of(entry)) return *text;
  }
  return {};
}

bool ViciSection::has(std::string_view name) const {
  return std::any_of(entries_.begin(), entries_.end(), [name](const Entry& entry) {
    return entry.name == name && text_of(entry).has_value();
  });
}

uint64_t ViciSection::number(std::string_view name) const {
  const std::string_view text = value(name);
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() ? number : 0;
}

const ViciSection* ViciSection::section(std::string_view name) const {
  const Entry* entry = find(entries_, name, 2);
  return entry == nullptr ? nullptr : &std::get<ViciSection>(entry->content);
}

const ViciSection::List* ViciSection::list(std::string_view name) const {
  const Entry* entry = find(entries_, name, 1);
  return entry == nullptr ? nullptr : &std::get<List>(entry->content);
}

bool operator==(const ViciSection& left, const ViciSection& right) {
  return left.entries_ == right.entries_;
}

Result<config::SecretBytes> encode_vici(const ViciSection& section) {
  config::SecretBytes bytes;
  Writer writer(bytes);
  writer.section(section);
  if (!writer.refused().empty()) return failure("vici message", writer.refused());
  if (bytes.size() > kMaximumViciBytes) return failure("vici message", "it is too long");
  return bytes;
}

Result<ViciSection> decode_vici(std::string_view bytes) {
  if (bytes.size() > kMaximumViciBytes) return failure("vici message", "it is too long");
  ViciSection section;
  if (Status read = Reader(bytes).section(section, 0); !read) {
    return tl::unexpected<Fault>(read.error());
  }
  return section;
}

Result<config::SecretBytes> encode_vici_packet(const ViciPacket& packet) {
  config::SecretBytes bytes;
  bytes.resize(4);
  bytes.push_back(static_cast<char>(packet.type));
  if (has_name(packet.type)) {
    if (packet.name.empty() || packet.name.size() > UINT8_MAX) {
      return failure("vici packet", "its name does not fit");
    }
    bytes.push_back(static_cast<char>(packet.name.size()));
    bytes.append(packet.name);
  }
  if (has_message(packet.type)) {
    const Result<config::SecretBytes> message = encode_vici(packet.message);
    if (!message) return message;
    bytes.append(*message);
  }
  const size_t length = bytes.size() - 4;
  if (length > kMaximumViciBytes) return failure("vici packet", "it is too long");
  for (size_t i = 0; i < 4; ++i) bytes.data()[i] = static_cast<char>(length >> (24 - 8 * i));
  return bytes;
}

Result<ViciPacket> decode_vici_packet(std::string_view bytes) {
  if (bytes.empty()) return failure("vici packet", "it is empty");
  if (static_cast<uint8_t>(bytes[0]) > static_cast<uint8_t>(ViciPacketType::Event)) {
    return failure("vici packet", "its type is not known");
  }
  ViciPacket packet;
  packet.type = static_cast<ViciPacketType>(bytes[0]);
  bytes.remove_prefix(1);
  if (has_name(packet.type)) {
    const size_t length = bytes.empty() ? 0 : static_cast<uint8_t>(bytes[0]);
    if (length == 0 || bytes.size() - 1 < length) return failure("vici packet", "it has no name");
    packet.name = bytes.substr(1, length);
    bytes.remove_prefix(1 + length);
  }
  if (!has_message(packet.type)) {
    if (!bytes.empty()) return failure("vici packet", "bytes stand behind its end");
    return packet;
  }
  Result<ViciSection> message = decode_vici(bytes);
  if (!message) return tl::unexpected<Fault>(message.error());
  packet.message = std::move(*message);
  return packet;
}

std::string to_text(const ViciSection& section, const std::vector<std::string_view>& hidden) {
  std::string text;
  append_text(section, hidden, 0, text);
  return text;
}

}  // namespace masugata::ipsec
