// SPDX-License-Identifier: GPL-2.0-or-later
// A packet as a recipe: the layers from the outside in, each with the fields that somebody named.
// README.md in this folder shows the text form. No DPDK, and nothing of net/: what checks the
// gateway must not share its mistakes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace masugata::test {

enum class LayerKind : uint8_t {
  Ethernet,
  Vlan,
  Arp,
  Ipv4,
  Ipv6,
  HopByHop,
  DestinationOptions,
  Routing,
  Fragment,
  Tcp,
  Udp,
  Icmp,
  Icmp6,
  Sctp,
  Protocol,  // any other IP protocol by number; has no header of its own
  Payload,   // bytes above the last header
  Raw,       // bytes that could not be read as the layer that was announced
  Cut,       // modifier: one fragment of the IP packet before it
  Truncate,  // modifier: only so many bytes of the IP packet
  Padding,   // modifier: bytes after the IP packet
};

// A field in canonical text, so that two fields are equal when their values are equal:
// numbers in decimal, addresses as inet_ntop writes them, MACs and bytes in lower case hexadecimal.
// In an expected recipe a value may be "*" (anything), "$name" (capture) or absent (kWithout).
struct Field {
  std::string name;
  std::string value;
  // Follows from the rest of the packet; left out of the text.
  bool implied = false;
};

inline constexpr std::string_view kFlagValue = "yes";
inline constexpr std::string_view kWithout = "\x01without";

struct Recipe;

struct Layer {
  LayerKind kind = LayerKind::Payload;
  std::vector<Field> fields;   // in the order written; TCP options keep it on the wire
  std::vector<Recipe> quoted;  // ICMP errors: no or one recipe, from its IP layer on

  // The value of the first field of that name, nullptr when it is not there.
  [[nodiscard]] const std::string* find(std::string_view name) const;
  // The field as a number; `fallback` when it is not there, "*" or a capture.
  [[nodiscard]] uint64_t number_or(std::string_view name, uint64_t fallback) const;
  [[nodiscard]] bool has(std::string_view name) const { return find(name) != nullptr; }
  void set(std::string_view name, std::string value, bool implied = false);
};

struct Recipe {
  std::vector<Layer> layers;

  // First layer of that kind, nullptr when there is none.
  [[nodiscard]] const Layer* find(LayerKind kind) const;
  [[nodiscard]] Layer* find(LayerKind kind);
};

// The text form; parse_recipe() reads it back. Fields that are implied are left out.
[[nodiscard]] std::string to_text(const Recipe& recipe);

// The same recipe with every layer that the text may leave out: Ethernet (unless `quoted`), the IP
// layer with the addresses that stand at its transport. Needed before building or matching.
[[nodiscard]] Recipe completed(Recipe recipe, bool quoted);

// Bytes as hexadecimal digits and back; nullopt for an odd number of digits or other characters.
[[nodiscard]] std::string to_hex(const uint8_t* bytes, size_t count);
[[nodiscard]] std::optional<std::vector<uint8_t>> from_hex(std::string_view digits);

}  // namespace masugata::test
