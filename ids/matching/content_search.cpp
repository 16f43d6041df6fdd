// SPDX-License-Identifier: GPL-2.0-or-later
#include "ids/matching/content_search.h"

#include <emmintrin.h>

#include <array>
#include <bit>
#include <cstring>

namespace masugata::ids {
namespace {

constexpr bool is_lower(uint8_t byte) { return byte >= 'a' && byte <= 'z'; }

// How common a byte is in what rules look at: text protocols, and binary ones full of zeros.
// Only the order matters.
constexpr uint8_t commonness(uint8_t byte) {
  constexpr std::string_view kFrequent = " etaoinsrhldcu/.\r\n";
  if (byte == 0) return 250;
  if (kFrequent.find(static_cast<char>(byte)) != std::string_view::npos) return 200;
  if (is_lower(byte)) return 150;
  if (byte == 0xff || (byte >= '0' && byte <= '9')) return 120;
  if (byte >= 'A' && byte <= 'Z') return 100;
  if (byte > 0x20 && byte < 0x7f) return 80;
  return 20;
}

__m128i load(const uint8_t* bytes) noexcept {
  return _mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes));
}

__m128i lower_16(__m128i bytes) noexcept {
  // Signed comparison: bytes from 0x80 are negative and so never in the range.
  const __m128i from_a = _mm_cmpgt_epi8(bytes, _mm_set1_epi8('A' - 1));
  const __m128i up_to_z = _mm_cmpgt_epi8(_mm_set1_epi8('Z' + 1), bytes);
  return _mm_or_si128(bytes, _mm_and_si128(_mm_and_si128(from_a, up_to_z), _mm_set1_epi8(0x20)));
}

bool equal_16_nocase(const uint8_t* bytes, const uint8_t* lower) noexcept {
  return _mm_movemask_epi8(_mm_cmpeq_epi8(lower_16(load(bytes)), load(lower))) == 0xffff;
}

bool equal_nocase(const uint8_t* bytes, const uint8_t* lower, size_t size) noexcept {
  if (size < 16) {
    for (size_t index = 0; index < size; ++index) {
      if (to_lower_ascii(bytes[index]) != lower[index]) return false;
    }
    return true;
  }
  for (size_t done = 0; done + 16 <= size; done += 16) {
    if (!equal_16_nocase(bytes + done, lower + done)) return false;
  }
  return equal_16_nocase(bytes + size - 16, lower + size - 16);
}

}  // namespace

SearchPattern::SearchPattern(std::string_view bytes, bool nocase) : bytes_(bytes) {
  bool has_letter = false;
  if (nocase) {
    for (char& byte : bytes_) {
      byte = static_cast<char>(to_lower_ascii(static_cast<uint8_t>(byte)));
      has_letter = has_letter || is_lower(static_cast<uint8_t>(byte));
    }
  }
  nocase_ = has_letter;
  auto score = [this](size_t place) {
    // A letter in either case is met more often than in one.
    const auto byte = static_cast<uint8_t>(bytes_[place]);
    return commonness(byte) + (nocase_ && is_lower(byte) ? 5 : 0);
  };
  // Places are kept in 16 bits; a longer pattern is told apart by its beginning well enough.
  const size_t considered = bytes_.size() < 0xffff ? bytes_.size() : 0xffff;
  size_t first = 0;
  for (size_t place = 1; place < considered; ++place) {
    if (score(place) < score(first)) first = place;
  }
  size_t second = considered > 1 && first == 0 ? considered - 1 : 0;
  for (size_t place = 0; place < considered; ++place) {
    if (place != first && score(place) < score(second)) second = place;
  }
  auto fold_of = [this](size_t place) {
    return nocase_ && is_lower(static_cast<uint8_t>(bytes_[place])) ? uint8_t{0x20} : uint8_t{0};
  };
  if (bytes_.empty()) return;
  first_place_ = static_cast<uint16_t>(first);
  second_place_ = static_cast<uint16_t>(second);
  first_value_ = static_cast<uint8_t>(bytes_[first]);
  second_value_ = static_cast<uint8_t>(bytes_[second]);
  first_fold_ = fold_of(first);
  second_fold_ = fold_of(second);
}

bool SearchPattern::equal_at(const uint8_t* place) const noexcept {
  const auto* pattern = reinterpret_cast<const uint8_t*>(bytes_.data());
  if (nocase_) return equal_nocase(place, pattern, bytes_.size());
  return std::memcmp(place, pattern, bytes_.size()) == 0;
}

bool SearchPattern::matches_at_start(std::span<const uint8_t> bytes) const noexcept {
  return bytes.size() >= bytes_.size() && equal_at(bytes.data());
}

size_t SearchPattern::find_short(const uint8_t* bytes, size_t places) const noexcept {
  for (size_t place = 0; place < places; ++place) {
    const uint8_t probe = bytes[place + first_place_];
    if (static_cast<uint8_t>(probe | first_fold_) == first_value_ && equal_at(bytes + place)) {
      return place;
    }
  }
  return kNotFound;
}

size_t SearchPattern::find(std::span<const uint8_t> bytes) const noexcept {
  if (bytes_.empty() || bytes.size() < bytes_.size()) return kNotFound;
  const size_t places = bytes.size() - bytes_.size() + 1;
  const uint8_t* const start = bytes.data();
  if (places < 16) return find_short(start, places);

  const __m128i first_value = _mm_set1_epi8(static_cast<char>(first_value_));
  const __m128i first_fold = _mm_set1_epi8(static_cast<char>(first_fold_));
  const __m128i second_value = _mm_set1_epi8(static_cast<char>(second_value_));
  const __m128i second_fold = _mm_set1_epi8(static_cast<char>(second_fold_));
  for (size_t block = 0; block < places; block += 16) {
    // The last block overlaps the one before it, so that no load reaches beyond the bytes.
    const size_t place = block + 16 <= places ? block : places - 16;
    const __m128i first = _mm_or_si128(load(start + place + first_place_), first_fold);
    const __m128i second = _mm_or_si128(load(start + place + second_place_), second_fold);
    auto candidates = static_cast<unsigned>(_mm_movemask_epi8(
        _mm_and_si128(_mm_cmpeq_epi8(first, first_value), _mm_cmpeq_epi8(second, second_value))));
    while (candidates != 0) {
      const size_t candidate = place + static_cast<size_t>(std::countr_zero(candidates));
      if (equal_at(start + candidate)) return candidate;
      candidates &= candidates - 1;
    }
  }
  return kNotFound;
}

}  // namespace masugata::ids
