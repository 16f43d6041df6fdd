// SPDX-License-Identifier: GPL-2.0-or-later
#include "av-stream/scand/large_pages.h"

#include <sys/mman.h>

#include <fstream>
#include <ios>
#include <sstream>
#include <string>
#include <vector>

namespace masugata::av {
namespace {

constexpr uintptr_t kLargePageBytes = 2 << 20;
// MADV_COLLAPSE, which the C library of Debian 12 does not name.
constexpr int kCollapse = 25;

struct AddressRange {
  uintptr_t begin = 0;
  uintptr_t end = 0;
};

// Writable, without a file, nobody else's; no stacks. See proc(5), /proc/pid/maps.
std::vector<AddressRange> private_memory() {
  std::vector<AddressRange> ranges;
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    std::istringstream fields(line);
    AddressRange range;
    char dash = 0;
    std::string rights, offset, device, name;
    uint64_t file = 0;
    fields >> std::hex >> range.begin >> dash >> range.end >> rights >> offset >> device >>
        std::dec >> file;
    if (!fields || rights.size() < 4 || rights[1] != 'w' || rights[3] != 'p' || file != 0) continue;
    fields >> name;
    if (name.empty() || name == "[heap]" || name.starts_with("[anon")) ranges.push_back(range);
  }
  return ranges;
}

}  // namespace

uint64_t gather_in_large_pages() {
  uint64_t gathered = 0;
  for (const AddressRange& range : private_memory()) {
    uintptr_t at = (range.begin + kLargePageBytes - 1) & ~(kLargePageBytes - 1);
    // One by one: a part that was never written, or for which there is no large page, ends nothing.
    for (; at + kLargePageBytes <= range.end; at += kLargePageBytes) {
      void* const page = reinterpret_cast<void*>(at);
      if (madvise(page, kLargePageBytes, kCollapse) == 0) gathered += kLargePageBytes;
    }
  }
  return gathered;
}

}  // namespace masugata::av
