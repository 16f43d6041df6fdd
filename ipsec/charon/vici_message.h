// SPDX-License-Identifier: GPL-2.0-or-later
// Messages of vici, the interface by which charon is configured and asked: a tree of sections,
// key-values and lists, and packets that carry it.
//
// Wire format (strongSwan's libcharon/plugins/vici/README.md): elements of one type byte:
// SECTION_START name, SECTION_END, KEY_VALUE name value, LIST_START name, LIST_ITEM value,
// LIST_END. A name has a length of one byte, a value one of two bytes in network order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "config/secrets/secret_bytes.h"
#include "result/result.h"

namespace masugata::ipsec {

// Bounds of what is read; more is a Fault.
inline constexpr size_t kMaximumViciBytes = 512 * 1024;  // charon's own for a packet
inline constexpr size_t kMaximumViciDepth = 16;
inline constexpr size_t kMaximumViciElements = 65536;

// One section. Entries keep their order; a name may come more than once.
class ViciSection {
 public:
  struct Entry;
  using List = std::vector<std::string>;

  ViciSection& set(std::string_view name, std::string_view value);
  // A value that is held as a secret; for readers it is a value as any other.
  ViciSection& set_secret(std::string_view name, std::string_view value);
  ViciSection& set_list(std::string_view name, List items);
  // An empty section, to be filled.
  ViciSection& add_section(std::string_view name);

  [[nodiscard]] const std::vector<Entry>& entries() const { return entries_; }
  [[nodiscard]] bool empty() const { return entries_.empty(); }
  // The value of the first key-value of that name; empty when there is none.
  [[nodiscard]] std::string_view value(std::string_view name) const;
  [[nodiscard]] bool has(std::string_view name) const;
  // As a number; 0 when it is missing or none.
  [[nodiscard]] uint64_t number(std::string_view name) const;
  // nullptr when there is none.
  [[nodiscard]] const ViciSection* section(std::string_view name) const;
  [[nodiscard]] const List* list(std::string_view name) const;
  friend bool operator==(const ViciSection& left, const ViciSection& right);

 private:
  std::vector<Entry> entries_;
};

struct ViciSection::Entry {
  std::string name;
  std::variant<std::string, List, ViciSection, config::SecretBytes> content;
  friend bool operator==(const Entry&, const Entry&) = default;
};

// A name has at most 255 bytes, a value 65,535: a Fault names what is longer. There may be a secret
// in what comes out.
[[nodiscard]] Result<config::SecretBytes> encode_vici(const ViciSection& section);

// The whole of `bytes` must be one message. Fault.where holds the offset.
[[nodiscard]] Result<ViciSection> decode_vici(std::string_view bytes);

enum class ViciPacketType : uint8_t {
  Request = 0,
  Response = 1,
  UnknownCommand = 2,
  RegisterEvent = 3,
  UnregisterEvent = 4,
  EventConfirm = 5,
  UnknownEvent = 6,
  Event = 7,
};

// What a packet holds behind its length. `name` is that of a command or an event, empty for
// packets without one.
struct ViciPacket {
  ViciPacketType type = ViciPacketType::Request;
  std::string name;
  ViciSection message;
};

// With the length of four bytes in front.
[[nodiscard]] Result<config::SecretBytes> encode_vici_packet(const ViciPacket& packet);

// `bytes` without the length.
[[nodiscard]] Result<ViciPacket> decode_vici_packet(std::string_view bytes);

// The tree in words for people, tests and logs: "name = value", lists in [ ], sections in { }.
// Values of keys in `hidden` are left out.
[[nodiscard]] std::string to_text(const ViciSection& section,
                                  const std::vector<std::string_view>& hidden = {"data"});

}  // namespace masugata::ipsec
