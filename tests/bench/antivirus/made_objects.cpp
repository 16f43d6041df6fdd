// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/bench/antivirus/made_objects.h"

#include <array>

#include "tests/bench/random_source.h"

namespace masugata::bench {
namespace {

struct Shape {
  std::string_view name;
  std::string_view media_type;
  std::string_view head;  // the seed's digits come behind it
};
constexpr std::array<Shape, kObjectKinds> kShapes = {{
    {"page", "text/html", "<!DOCTYPE html>\n<html><head><title>page "},
    {"text", "text/plain", "record "},
    {"noise", "application/octet-stream", "made noise "},
}};

const Shape& shape(ObjectKind kind) noexcept { return kShapes[static_cast<size_t>(kind)]; }

std::string word(RandomSource& random) {
  std::string text;
  for (size_t left = 2 + random.below(8); left > 0; --left) {
    text += static_cast<char>('a' + random.below(26));
  }
  return text;
}

void add_page(std::string& object, size_t bytes, RandomSource& random) {
  object += "</title></head><body>\n";
  for (uint32_t number = 0; object.size() < bytes; ++number) {
    object += number % 8 == 0 ? "<p><a href=\"/" + word(random) + "\">" : "<p>";
    for (int i = 0; i < 12; ++i) object += word(random) + " ";
    object += number % 8 == 0 ? "</a></p>\n" : "</p>\n";
  }
}

void add_text(std::string& object, size_t bytes, RandomSource& random) {
  while (object.size() < bytes) {
    object += "\n{\"" + word(random) + "\": " + std::to_string(random.below(100'000)) + ", \"" +
              word(random) + "\": \"" + word(random) + " " + word(random) + "\"}";
  }
}

void add_noise(std::string& object, size_t bytes, RandomSource& random) {
  // Its first byte says that this is no text.
  object += '\0';
  while (object.size() < bytes) {
    for (uint64_t value = random.next(), i = 0; i < 8; ++i) {
      object += static_cast<char>(value >> (8 * i) & 0xff);
    }
  }
}

}  // namespace

size_t seed_place(ObjectKind kind) noexcept { return shape(kind).head.size(); }
std::string_view media_type(ObjectKind kind) noexcept { return shape(kind).media_type; }
std::string_view name_of(ObjectKind kind) noexcept { return shape(kind).name; }

std::optional<ObjectKind> kind_named(std::string_view name) noexcept {
  for (size_t i = 0; i < kObjectKinds; ++i) {
    if (kShapes[i].name == name) return static_cast<ObjectKind>(i);
  }
  return std::nullopt;
}

void write_seed(char* to, uint64_t seed) noexcept {
  for (size_t i = kSeedDigits; i-- > 0; seed >>= 4) to[i] = "0123456789abcdef"[seed & 15];
}

std::string made_object(ObjectKind kind, size_t bytes, uint64_t seed) {
  std::string object(shape(kind).head);
  object.reserve(bytes + 256);
  object.append(kSeedDigits, '0');
  write_seed(object.data() + seed_place(kind), seed);
  RandomSource random(static_cast<uint64_t>(kind) + 1);
  switch (kind) {
    case ObjectKind::Page:
      add_page(object, bytes, random);
      break;
    case ObjectKind::Text:
      add_text(object, bytes, random);
      break;
    case ObjectKind::Noise:
      add_noise(object, bytes, random);
      break;
  }
  object.resize(bytes);
  return object;
}

}  // namespace masugata::bench
