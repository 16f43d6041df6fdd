// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/packets/recipe.h"

#include <algorithm>
#include <cstdlib>

#include "tests/packets/layer_schema.h"

namespace masugata::test {
namespace {

bool carries_addresses(LayerKind kind) {
  return schema_of(kind).endpoints == Endpoints::Addresses ||
         schema_of(kind).endpoints == Endpoints::AddressesAndPorts;
}

bool is_ip(LayerKind kind) { return kind == LayerKind::Ipv4 || kind == LayerKind::Ipv6; }

bool is_transport(LayerKind kind) {
  return carries_addresses(kind) && !is_ip(kind) && kind != LayerKind::Arp;
}

void append_word(std::string& text, std::string_view word) {
  if (!text.empty()) text += ' ';
  text += word;
}

std::string endpoint(std::string_view address, const std::string* port) {
  if (port == nullptr) return std::string(address);
  const bool brackets = address.find(':') != std::string_view::npos;
  std::string text = brackets ? "[" + std::string(address) + "]" : std::string(address);
  return text + ":" + *port;
}

std::string printable_bytes(const std::string& hex) {
  const auto bytes = from_hex(hex);
  const bool printable =
      bytes && !bytes->empty() && std::all_of(bytes->begin(), bytes->end(), [](uint8_t byte) {
        return (byte >= 0x20 && byte < 0x7f && byte != '"' && byte != '\\') || byte == '\r' ||
               byte == '\n';
      });
  if (!printable) return hex.empty() ? "\"\"" : hex;
  std::string text = "\"";
  for (const uint8_t byte : *bytes) {
    if (byte == '\r') {
      text += "\\r";
    } else if (byte == '\n') {
      text += "\\n";
    } else {
      text += static_cast<char>(byte);
    }
  }
  return text + "\"";
}

void append_field(std::string& text, const LayerSchema& schema, const Field& field) {
  const FieldSchema* type = find_field(schema, field.name);
  if (field.value == kWithout) {
    append_word(text, "without " + field.name);
    return;
  }
  append_word(text, field.name);
  if (type == nullptr || type->type == FieldType::Flag) return;
  append_word(text, type->type == FieldType::Bytes ? printable_bytes(field.value) : field.value);
}

// The words behind the keyword; returns the names of the fields that they stand for.
std::vector<std::string_view> append_head(std::string& text, const Layer& layer) {
  if (layer.kind == LayerKind::Icmp || layer.kind == LayerKind::Icmp6) {
    const auto words = icmp_words(layer.kind == LayerKind::Icmp6, layer.number_or("type", 256),
                                  layer.number_or("code", 256));
    if (words.empty()) return {};
    append_word(text, words);
    return {"type", "code"};
  }
  if (layer.kind == LayerKind::Arp && layer.number_or("operation", 0) - 1 < 2) {
    append_word(text, layer.number_or("operation", 0) == 1 ? "request" : "reply");
    return {"operation"};
  }
  if (layer.kind == LayerKind::Vlan && layer.has("id")) {
    append_word(text, *layer.find("id"));
    return {"id"};
  }
  if (layer.kind == LayerKind::Cut) {
    append_word(text, *layer.find("offset") + "+" + *layer.find("length"));
    return {"offset", "length"};
  }
  if (layer.kind == LayerKind::Truncate || layer.kind == LayerKind::Padding) {
    append_word(text, *layer.find("size"));
    return {"size"};
  }
  if (layer.kind == LayerKind::Raw) {
    append_word(text, printable_bytes(*layer.find("bytes")));
    return {"bytes"};
  }
  return {};
}

std::string layer_text(const Layer& layer) {
  const LayerSchema& schema = schema_of(layer.kind);
  std::string text(schema.keyword);
  std::vector<std::string_view> done;
  if (layer.kind == LayerKind::Protocol) {
    const std::string_view keyword = protocol_keyword(layer.number_or("number", 256));
    text = keyword.empty() ? "protocol " + *layer.find("number") : std::string(keyword);
    done = {"number"};
  } else if (layer.kind == LayerKind::Payload) {
    if (layer.has("any")) return "payload-any";
    if (layer.has("begins")) return "payload-begins " + printable_bytes(*layer.find("begins"));
    if (!layer.has("bytes")) return "payload-size " + *layer.find("size");
    return "payload " + printable_bytes(*layer.find("bytes"));
  } else {
    done = append_head(text, layer);
  }
  const std::string* source = layer.find("source");
  const std::string* destination = layer.find("destination");
  if (source != nullptr && destination != nullptr) {
    append_word(text, endpoint(*source, layer.find("source-port")) + " > " +
                          endpoint(*destination, layer.find("destination-port")));
    done.insert(done.end(), {"source", "destination", "source-port", "destination-port"});
  }
  for (const Field& field : layer.fields) {
    const bool written = std::find(done.begin(), done.end(), field.name) != done.end();
    if (!written && !field.implied) append_field(text, schema, field);
  }
  for (const Recipe& quoted : layer.quoted) text += " quoting { " + to_text(quoted) + " }";
  return text;
}

// Addresses read best beside the ports: the inverse of what completed() does.
Recipe with_addresses_at_transport(Recipe recipe) {
  Layer* network = nullptr;
  for (Layer& layer : recipe.layers) {
    if (is_ip(layer.kind)) network = &layer;
    if (network == nullptr || !is_transport(layer.kind) || !network->has("source")) continue;
    layer.set("source", *network->find("source"));
    layer.set("destination", *network->find("destination"));
    std::erase_if(network->fields, [](const Field& field) {
      return field.name == "source" || field.name == "destination";
    });
    break;
  }
  return recipe;
}

}  // namespace

const std::string* Layer::find(std::string_view name) const {
  for (const Field& field : fields) {
    if (field.name == name) return &field.value;
  }
  return nullptr;
}

uint64_t Layer::number_or(std::string_view name, uint64_t fallback) const {
  const std::string* value = find(name);
  if (value == nullptr || value->empty() || (*value)[0] < '0' || (*value)[0] > '9') return fallback;
  return std::strtoull(value->c_str(), nullptr, 10);
}

void Layer::set(std::string_view name, std::string value, bool implied) {
  for (Field& field : fields) {
    if (field.name != name) continue;
    field.value = std::move(value);
    field.implied = implied;
    return;
  }
  fields.push_back({std::string(name), std::move(value), implied});
}

const Layer* Recipe::find(LayerKind kind) const {
  for (const Layer& layer : layers) {
    if (layer.kind == kind) return &layer;
  }
  return nullptr;
}

Layer* Recipe::find(LayerKind kind) {
  return const_cast<Layer*>(static_cast<const Recipe*>(this)->find(kind));
}

std::string to_text(const Recipe& recipe) {
  std::string text;
  for (const Layer& layer : with_addresses_at_transport(recipe).layers) {
    if (!text.empty()) text += " | ";
    text += layer_text(layer);
  }
  return text;
}

Recipe completed(Recipe recipe, bool quoted) {
  if (!recipe.layers.empty() && recipe.layers.front().kind == LayerKind::Raw) return recipe;
  auto transport = std::find_if(recipe.layers.begin(), recipe.layers.end(),
                                [](const Layer& layer) { return is_transport(layer.kind); });
  auto network = std::find_if(recipe.layers.begin(), recipe.layers.end(),
                              [](const Layer& layer) { return is_ip(layer.kind); });
  if (transport != recipe.layers.end() && transport->has("source")) {
    const std::string source = *transport->find("source");
    const std::string destination = *transport->find("destination");
    std::erase_if(transport->fields, [](const Field& field) {
      return field.name == "source" || field.name == "destination";
    });
    if (network == recipe.layers.end()) {
      const bool ipv6 = transport->kind == LayerKind::Icmp6 ||
                        (source + destination).find(':') != std::string::npos;
      auto place = std::find_if(recipe.layers.begin(), recipe.layers.end(), [](const Layer& layer) {
        return layer.kind != LayerKind::Ethernet && layer.kind != LayerKind::Vlan;
      });
      network =
          recipe.layers.insert(place, Layer{ipv6 ? LayerKind::Ipv6 : LayerKind::Ipv4, {}, {}});
    }
    network->set("source", source);
    network->set("destination", destination);
  }
  if (!quoted && (recipe.layers.empty() || recipe.layers.front().kind != LayerKind::Ethernet)) {
    recipe.layers.insert(recipe.layers.begin(), Layer{LayerKind::Ethernet, {}, {}});
  }
  for (Layer& layer : recipe.layers) {
    for (Recipe& inner : layer.quoted) inner = completed(inner, true);
  }
  return recipe;
}

std::string to_hex(const uint8_t* bytes, size_t count) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  text.reserve(count * 2);
  for (size_t index = 0; index < count; ++index) {
    text += kDigits[bytes[index] >> 4U];
    text += kDigits[bytes[index] & 15U];
  }
  return text;
}

std::optional<std::vector<uint8_t>> from_hex(std::string_view digits) {
  auto value_of = [](char digit) -> int {
    if (digit >= '0' && digit <= '9') return digit - '0';
    if (digit >= 'a' && digit <= 'f') return digit - 'a' + 10;
    if (digit >= 'A' && digit <= 'F') return digit - 'A' + 10;
    return -1;
  };
  if (digits.size() % 2 != 0) return std::nullopt;
  std::vector<uint8_t> bytes;
  for (size_t index = 0; index < digits.size(); index += 2) {
    const int high = value_of(digits[index]);
    const int low = value_of(digits[index + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    bytes.push_back(static_cast<uint8_t>(high * 16 + low));
  }
  return bytes;
}

}  // namespace masugata::test
