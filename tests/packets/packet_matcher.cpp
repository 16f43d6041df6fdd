// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/packets/packet_matcher.h"

#include <algorithm>

#include "tests/packets/layer_schema.h"
#include "tests/packets/packet_builder.h"
#include "tests/packets/packet_describer.h"

namespace masugata::test {
namespace {

bool is_ip(LayerKind kind) { return kind == LayerKind::Ipv4 || kind == LayerKind::Ipv6; }

// Layers that say something about the bytes; padding is the link's business, and a quote is always
// cut somewhere.
std::vector<const Layer*> compared_layers(const Recipe& recipe) {
  std::vector<const Layer*> layers;
  for (const Layer& layer : recipe.layers) {
    const bool empty_payload =
        layer.kind == LayerKind::Payload && layer.has("bytes") && layer.find("bytes")->empty();
    if (layer.kind == LayerKind::Padding || layer.kind == LayerKind::Truncate || empty_payload)
      continue;
    layers.push_back(&layer);
  }
  return layers;
}

std::string kinds_text(const std::vector<const Layer*>& layers) {
  std::string text;
  for (const Layer* layer : layers) {
    if (!text.empty()) text += " | ";
    text += schema_of(layer->kind).keyword;
    if (layer->kind == LayerKind::Protocol) text += " " + *layer->find("number");
  }
  return text;
}

class Matcher {
 public:
  explicit Matcher(MatchResult& result) : result_(result) {}

  void compare(const Recipe& expected, const Recipe& received, bool quoted) {
    auto wanted = compared_layers(expected);
    auto found = compared_layers(received);
    drop_unnamed_payload(wanted, found, quoted);
    const bool same_kinds =
        std::equal(wanted.begin(), wanted.end(), found.begin(), found.end(),
                   [](const Layer* left, const Layer* right) { return left->kind == right->kind; });
    if (!same_kinds) {
      note("layers", kinds_text(wanted), kinds_text(found));
      return;
    }
    for (size_t index = 0; index < wanted.size(); ++index) {
      compare_layer(*wanted[index], *found[index]);
    }
  }

 private:
  void note(const std::string& what, const std::string& expected, const std::string& received) {
    result_.differences.push_back(prefix_ + what + ": expected " + expected + ", received " +
                                  received);
  }

  static void drop_unnamed_payload(std::vector<const Layer*>& wanted,
                                   std::vector<const Layer*>& found, bool quoted) {
    const bool any =
        !wanted.empty() && wanted.back()->kind == LayerKind::Payload && wanted.back()->has("any");
    if (any) wanted.pop_back();
    const bool named = !wanted.empty() && wanted.back()->kind == LayerKind::Payload;
    const bool there = !found.empty() && found.back()->kind == LayerKind::Payload;
    if (there && !named && (any || quoted)) found.pop_back();
  }

  void compare_layer(const Layer& expected, const Layer& received) {
    for (const Field& field : expected.fields) {
      if (field.name == "bad-checksum") continue;
      if (field.name == "begins") {
        compare_beginning(field.value, received.find("bytes"));
        continue;
      }
      compare_field(expected.kind, field, received.find(field.name));
    }
    if (expected.quoted.empty()) return;
    if (received.quoted.empty()) {
      note("quoting", "a packet", "none");
      return;
    }
    const std::string outer = prefix_;
    prefix_ += "quoted ";
    compare(expected.quoted.front(), received.quoted.front(), true);
    prefix_ = outer;
  }

  // Both in hexadecimal digits.
  void compare_beginning(const std::string& expected, const std::string* received) {
    if (received != nullptr && received->starts_with(expected)) return;
    note("payload begins", expected, received == nullptr ? "none" : *received);
  }

  void compare_field(LayerKind kind, const Field& expected, const std::string* received) {
    const std::string what = std::string(schema_of(kind).keyword) + " " + expected.name;
    if (expected.value == kWithout) {
      if (received != nullptr) note(what, "none", *received);
      return;
    }
    if (received == nullptr) {
      note(what, expected.value, "none");
      return;
    }
    if (expected.value == "*") return;
    if (expected.value.starts_with('$')) {
      const auto [place, fresh] = result_.captures.emplace(expected.value.substr(1), *received);
      if (!fresh && place->second != *received) note(what, place->second, *received);
      return;
    }
    if (expected.value != *received) note(what, expected.value, *received);
  }

  MatchResult& result_;
  std::string prefix_;
};

bool expects_bad_checksum(const Recipe& expected) {
  return std::any_of(expected.layers.begin(), expected.layers.end(), [](const Layer& layer) {
    return layer.has("checksum") || layer.has("bad-checksum");
  });
}

// What a recipe with `cut` looks like on the wire: the named fields of its link and IP layers, and
// the fragment's place and bytes.
Recipe fragment_expectation(const Recipe& expected, const Recipe& built) {
  Recipe result;
  for (const Layer& layer : built.layers) {
    const Layer* named = expected.find(layer.kind);
    if (layer.kind == LayerKind::Payload) {
      result.layers.push_back(layer);
      continue;
    }
    Layer kept{layer.kind, named != nullptr ? named->fields : std::vector<Field>{}, {}};
    if (layer.kind == LayerKind::Fragment || is_ip(layer.kind)) {
      for (const char* name : {"offset", "more"}) {
        const std::string* value = layer.find(name);
        const bool has_flags = layer.kind != LayerKind::Ipv6;
        if (value != nullptr) {
          kept.set(name, *value);
        } else if (has_flags) {
          kept.set(name, std::string(kWithout));
        }
      }
    }
    result.layers.push_back(std::move(kept));
  }
  return result;
}

}  // namespace

std::string MatchResult::explain(std::span<const uint8_t> frame) const {
  std::string text;
  for (const std::string& difference : differences) text += "  " + difference + "\n";
  return text + "  received: " + describe_packet(frame) + "\n";
}

MatchResult match_packet(const Recipe& expected, std::span<const uint8_t> frame) {
  MatchResult result;
  const Dissection received = dissect_packet(frame);
  if (!expects_bad_checksum(expected)) result.differences = received.defects;
  Matcher matcher(result);
  if (expected.find(LayerKind::Cut) == nullptr) {
    matcher.compare(expected, received.recipe, false);
    return result;
  }
  const auto built = build_packet(expected, LinkDefaults{});
  if (!built) {
    result.differences.push_back("the expectation cannot be built: " + built.error().message());
    return result;
  }
  matcher.compare(fragment_expectation(expected, dissect_packet(*built).recipe), received.recipe,
                  false);
  return result;
}

}  // namespace masugata::test
