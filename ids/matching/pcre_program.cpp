// SPDX-License-Identifier: GPL-2.0-or-later
#define PCRE2_CODE_UNIT_WIDTH 8
#include "ids/matching/pcre_program.h"

#include <pcre2.h>

#include <array>

namespace masugata::ids {

Result<std::shared_ptr<const PcreProgram>> PcreProgram::compile(const std::string& pattern,
                                                                uint32_t options) {
  int error = 0;
  PCRE2_SIZE place = 0;
  pcre2_code* code = pcre2_compile(reinterpret_cast<PCRE2_SPTR>(pattern.data()), pattern.size(),
                                   options, &error, &place, nullptr);
  if (code == nullptr) {
    std::array<PCRE2_UCHAR, 256> text{};
    if (pcre2_get_error_message(error, text.data(), text.size()) < 0) text[0] = 0;
    return failure("pcre", std::string(reinterpret_cast<const char*>(text.data())) +
                               " at character " + std::to_string(place) + " of /" + pattern + "/");
  }
  // Without JIT (an expression that it does not know) the interpreter matches the same.
  const bool jit = pcre2_jit_compile(code, PCRE2_JIT_COMPLETE) == 0;
  return std::shared_ptr<const PcreProgram>(new PcreProgram(code, jit));
}

PcreProgram::~PcreProgram() { pcre2_code_free(code_); }

size_t PcreProgram::memory_bytes() const noexcept {
  size_t size = 0;
  size_t jit_size = 0;
  if (pcre2_pattern_info(code_, PCRE2_INFO_SIZE, &size) != 0) size = 0;
  if (pcre2_pattern_info(code_, PCRE2_INFO_JITSIZE, &jit_size) != 0) jit_size = 0;
  return size + jit_size;
}

Result<std::shared_ptr<const PcreProgram>> PcreLibrary::find_or_compile(const std::string& pattern,
                                                                        uint32_t options) {
  const auto key = std::make_pair(pattern, options);
  const auto known = programs_.find(key);
  if (known != programs_.end()) return known->second;
  auto program = PcreProgram::compile(pattern, options);
  if (program) programs_.emplace(key, *program);
  return program;
}

}  // namespace masugata::ids
