// SPDX-License-Identifier: GPL-2.0-or-later
// A DNS message as the packet path reads it for addresses: within its bounds, whatever comes.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <span>

#include "net/dns_answer.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  // In a block of exactly that size, so that a read beyond it is seen.
  const std::unique_ptr<uint8_t[]> copy(new uint8_t[size]);
  std::copy_n(data, size, copy.get());
  masugata::net::DnsAnswer answer;
  const bool read = masugata::net::read_dns_answer(std::span(copy.get(), size), answer);
  if (answer.address_count > masugata::net::kMaximumAnswerAddresses) std::abort();
  if (answer.alias_count > masugata::net::kMaximumAnswerAliases) std::abort();
  if (read && answer.question.bytes == 0) std::abort();
  for (size_t i = 0; i < answer.alias_count; ++i) {
    if (answer.aliases[i].bytes == 0 || answer.aliases[i].bytes > 253) std::abort();
  }
  return 0;
}
