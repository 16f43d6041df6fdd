// SPDX-License-Identifier: GPL-2.0-or-later
// Domain lists as an administrator may bring them: whatever is taken is found again.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "net/domain_set.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  constexpr size_t kMaximumNames = 64;
  masugata::net::DomainSet set;
  const auto report = masugata::net::read_domain_list(text, kMaximumNames, set);
  if (report.names > kMaximumNames || set.size() > report.names) std::abort();
  (void)set.matches(text);
  if (const auto pattern = masugata::net::parse_domain_pattern(text)) {
    masugata::net::DomainSet one;
    one.add(*pattern);
    if (one.matches(pattern->name) == pattern->below_only) std::abort();
    if (!one.matches("x." + pattern->name)) std::abort();
    if (one.matches("x" + pattern->name)) std::abort();
  }
  return 0;
}
