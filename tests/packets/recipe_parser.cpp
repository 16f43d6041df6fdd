// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/packets/recipe_parser.h"

#include <utility>

#include "tests/packets/field_values.h"
#include "tests/packets/layer_schema.h"
#include "tests/packets/recipe_tokens.h"

namespace masugata::test {
namespace {

class RecipeParser {
 public:
  explicit RecipeParser(std::vector<Token> tokens) : tokens_(std::move(tokens)) {}

  // Layers up to the end or to the closing brace of a quote, which is left in place.
  Result<Recipe> read_recipe(bool quoted) {
    Recipe recipe;
    while (true) {
      auto status = read_layer(recipe);
      if (!status) return tl::unexpected(status.error());
      if (!take("|")) break;
    }
    if (!at_end() && !peek().is("}")) return failure("", "unexpected '" + peek().text + "'");
    return completed(std::move(recipe), quoted);
  }

  [[nodiscard]] bool at_end() const { return position_ >= tokens_.size(); }

 private:
  [[nodiscard]] const Token& peek(size_t ahead = 0) const {
    static const Token kNone;
    return position_ + ahead < tokens_.size() ? tokens_[position_ + ahead] : kNone;
  }

  bool take(std::string_view word) {
    if (at_end() || !peek().is(word)) return false;
    ++position_;
    return true;
  }

  [[nodiscard]] bool at_layer_end() const { return at_end() || peek().is("|") || peek().is("}"); }

  Result<std::string> read_value(const FieldSchema& schema) {
    if (schema.type == FieldType::Flag) return std::string(kFlagValue);
    if (at_layer_end()) return failure(std::string(schema.name), "a value is missing");
    Token token = tokens_[position_++];
    if (schema.type == FieldType::Timestamps && !is_open_value(token.text)) {
      if (at_layer_end()) return failure(std::string(schema.name), "two numbers are needed");
      token.text += " " + tokens_[position_++].text;
    }
    auto value = canonical_value(schema, token.text, token.quoted);
    if (!value) return failure(std::string(schema.name), value.error().what);
    return value;
  }

  // Adds `name` with the value that follows. Fault: unknown, twice, or no such value.
  Status read_field(Layer& layer, const std::string& name) {
    const LayerSchema& schema = schema_of(layer.kind);
    const FieldSchema* field = find_field(schema, name);
    if (field == nullptr) {
      return failure(std::string(schema.keyword), "has no field '" + name + "'");
    }
    if (layer.has(name) && !field->repeats) {
      return failure(std::string(schema.keyword), "names '" + name + "' twice");
    }
    auto value = read_value(*field);
    if (!value) return tl::unexpected(value.error());
    layer.fields.push_back({name, std::move(*value), false});
    return {};
  }

  // "SOURCE > DESTINATION", both standing at the cursor.
  Status read_endpoints(Layer& layer) {
    const LayerSchema& schema = schema_of(layer.kind);
    const std::string texts[2] = {peek(0).text, peek(2).text};
    position_ += 3;
    const char* const names[2] = {"source", "destination"};
    for (size_t index = 0; index < 2; ++index) {
      if (schema.endpoints == Endpoints::None) {
        return failure(std::string(schema.keyword), "takes no SOURCE > DESTINATION");
      }
      std::string address = texts[index];
      std::optional<std::string> port;
      if (schema.endpoints == Endpoints::AddressesAndPorts) {
        std::tie(address, port) = split_endpoint(texts[index]);
      }
      const FieldSchema address_field{
          names[index], schema.endpoints == Endpoints::Macs ? FieldType::Mac : FieldType::Address};
      auto value = canonical_value(address_field, address, false);
      if (!value) return failure(std::string(schema.keyword), value.error().what);
      layer.fields.push_back({names[index], std::move(*value), false});
      if (schema.endpoints != Endpoints::AddressesAndPorts) continue;
      if (!port) return failure(std::string(schema.keyword), "'" + texts[index] + "' has no port");
      const std::string port_name = std::string(names[index]) + "-port";
      auto number = canonical_value(*find_field(schema, port_name), *port, false);
      if (!number) return failure(std::string(schema.keyword), number.error().what);
      layer.fields.push_back({port_name, std::move(*number), false});
    }
    return {};
  }

  Status read_quote(Layer& layer) {
    if (layer.kind != LayerKind::Icmp && layer.kind != LayerKind::Icmp6) {
      return failure("", "only icmp and icmp6 quote");
    }
    if (!take("{")) return failure("quoting", "'{' is missing");
    auto inner = read_recipe(true);
    if (!inner) return tl::unexpected(inner.error());
    if (!take("}")) return failure("quoting", "'}' is missing");
    layer.quoted.push_back(std::move(*inner));
    return {};
  }

  // Everything behind the keyword that has no field name of its own.
  Status read_head(Layer& layer) {
    if (layer.kind == LayerKind::Icmp || layer.kind == LayerKind::Icmp6) {
      const bool icmp6 = layer.kind == LayerKind::Icmp6;
      auto name = find_icmp(icmp6, peek(0).text + " " + peek(1).text);
      size_t words = 2;
      if (!name) {
        name = find_icmp(icmp6, peek(0).text);
        words = 1;
      }
      if (!name) return {};
      position_ += words;
      layer.fields.push_back({"type", std::to_string(name->type), false});
      layer.fields.push_back({"code", std::to_string(name->code), false});
      return {};
    }
    if (layer.kind == LayerKind::Arp) {
      if (take("request")) layer.set("operation", "1");
      if (take("reply")) layer.set("operation", "2");
      return {};
    }
    if (layer.kind == LayerKind::Cut) return read_cut(layer);
    const char* only = layer.kind == LayerKind::Vlan       ? "id"
                       : layer.kind == LayerKind::Truncate ? "size"
                       : layer.kind == LayerKind::Padding  ? "size"
                       : layer.kind == LayerKind::Raw      ? "bytes"
                       : layer.kind == LayerKind::Protocol ? "number"
                                                           : nullptr;
    if (only == nullptr || layer.has(only)) return {};
    return read_field(layer, only);
  }

  Status read_cut(Layer& layer) {
    const std::string text = peek().text;
    const size_t plus = text.find('+');
    if (plus == std::string::npos) return failure("cut", "OFFSET+LENGTH is missing");
    ++position_;
    const LayerSchema& schema = schema_of(LayerKind::Cut);
    auto offset = canonical_value(*find_field(schema, "offset"), text.substr(0, plus), false);
    if (!offset) return failure("cut", offset.error().what);
    auto length = canonical_value(*find_field(schema, "length"), text.substr(plus + 1), false);
    if (!length) return failure("cut", length.error().what);
    layer.set("offset", std::move(*offset));
    layer.set("length", std::move(*length));
    return {};
  }

  // payload, payload-size, payload-pattern, payload-begins, payload-any; the word has been taken.
  Result<Layer> read_payload(const std::string& word) {
    Layer layer{LayerKind::Payload, {}, {}};
    if (word == "payload-any") {
      layer.set("any", std::string(kFlagValue));
      return layer;
    }
    const LayerSchema& schema = schema_of(LayerKind::Payload);
    const char* const field =
        word == "payload" ? "bytes" : (word == "payload-begins" ? "begins" : "size");
    auto value = read_value(*find_field(schema, field));
    if (!value) return tl::unexpected(value.error());
    if (word == "payload-pattern") {
      std::vector<uint8_t> bytes(std::stoul(*value));
      for (size_t index = 0; index < bytes.size(); ++index)
        bytes[index] = static_cast<uint8_t>(index);
      layer.set("bytes", to_hex(bytes.data(), bytes.size()));
    } else {
      layer.set(field, std::move(*value));
    }
    return layer;
  }

  static bool is_payload_word(const Token& token) {
    return token.is("payload") || token.is("payload-size") || token.is("payload-pattern") ||
           token.is("payload-begins") || token.is("payload-any");
  }

  Status read_layer(Recipe& recipe) {
    if (at_layer_end()) return failure("", "a layer is missing");
    if (!is_payload_word(peek())) {
      const std::string keyword = tokens_[position_++].text;
      const LayerSchema* schema = find_schema(keyword);
      const auto number = named_protocol(keyword);
      if (schema == nullptr && !number) return failure("", "unknown layer '" + keyword + "'");
      Layer layer{schema != nullptr ? schema->kind : LayerKind::Protocol, {}, {}};
      if (number) layer.set("number", std::to_string(*number));
      auto status = read_head(layer);
      if (!status) return status;
      status = read_fields(layer);
      if (!status) return status;
      recipe.layers.push_back(std::move(layer));
    }
    if (at_end() || !is_payload_word(peek())) return {};
    auto payload = read_payload(tokens_[position_++].text);
    if (!payload) return tl::unexpected(payload.error());
    recipe.layers.push_back(std::move(*payload));
    if (!at_layer_end()) return failure("payload", "must come last in its layer");
    return {};
  }

  // The name behind `without`.
  Status read_absence(Layer& layer) {
    const LayerSchema& schema = schema_of(layer.kind);
    const std::string name = at_layer_end() ? "" : tokens_[position_++].text;
    if (find_field(schema, name) == nullptr) {
      return failure(std::string(schema.keyword), "has no field '" + name + "'");
    }
    layer.fields.push_back({name, std::string(kWithout), false});
    return {};
  }

  Status read_fields(Layer& layer) {
    while (!at_layer_end() && !is_payload_word(peek())) {
      Status status;
      if (peek(1).is(">")) {
        status = read_endpoints(layer);
      } else if (take("quoting")) {
        status = read_quote(layer);
      } else if (take("without")) {
        status = read_absence(layer);
      } else if (take("opt")) {
        continue;  // reads well in front of TCP options
      } else {
        const std::string name = tokens_[position_++].text;
        status = read_field(layer, name);
      }
      if (!status) return status;
    }
    return {};
  }

  std::vector<Token> tokens_;
  size_t position_ = 0;
};

}  // namespace

Result<Recipe> parse_recipe(std::string_view text) {
  auto tokens = split_tokens(text);
  if (!tokens) return tl::unexpected(tokens.error());
  RecipeParser parser(std::move(*tokens));
  auto recipe = parser.read_recipe(false);
  if (recipe && !parser.at_end()) return failure("", "a '}' too many");
  return recipe;
}

}  // namespace masugata::test
