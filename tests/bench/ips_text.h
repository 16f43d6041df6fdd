// SPDX-License-Identifier: GPL-2.0-or-later
// Words, names and pages for generated traffic and rules.
#pragma once

#include <string>

#include "tests/bench/random_source.h"

namespace masugata::bench {

[[nodiscard]] std::string make_word(RandomSource& random);
// `length` letters and digits in lower case.
[[nodiscard]] std::string make_token(RandomSource& random, size_t length);
[[nodiscard]] std::string make_bytes(RandomSource& random, size_t length);
// "www.word-word.example"-like, two to four labels.
[[nodiscard]] std::string make_host(RandomSource& random);
// "/word/word.js?word=12ab", one to four folders.
[[nodiscard]] std::string make_path(RandomSource& random);
// About `length` bytes of a page with head, scripts, links and sentences.
[[nodiscard]] std::string make_page(RandomSource& random, size_t length);
// About `length` bytes of JSON.
[[nodiscard]] std::string make_json(RandomSource& random, size_t length);
// About `length` bytes of sentences, lines ended by CRLF.
[[nodiscard]] std::string make_letter(RandomSource& random, size_t length);
[[nodiscard]] std::string base64_of(const std::string& bytes, size_t line_length);
[[nodiscard]] std::string gzip_of(const std::string& bytes);

}  // namespace masugata::bench
