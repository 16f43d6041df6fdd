// SPDX-License-Identifier: GPL-2.0-or-later
// Any bytes as a configuration: no crash, every finding can be printed, and what is accepted means
// the same in its canonical form.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "config/load.h"

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace masugata::config;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const Loaded loaded = load_text(text, "fuzz");

  bool any_error = false;
  for (const Problem& problem : loaded.problems) {
    any_error = any_error || problem.severity == Problem::Severity::Error;
    require(format_problem(problem, "fuzz").find('\n') == std::string::npos);
  }
  require(loaded.model.has_value() == !any_error);

  const auto canonical = to_canonical_text(text, "fuzz");
  require(!loaded.model || canonical.has_value());
  if (!canonical) return 0;
  require(to_canonical_text(*canonical, "canonical") == *canonical);
  require(load_text(*canonical, "canonical").model.has_value() == loaded.model.has_value());
  require(to_json(text, "fuzz").has_value());
  return 0;
}
