// SPDX-License-Identifier: GPL-2.0-or-later
// TCP options of any shape. Input: two bytes for the clamp, then up to 40 bytes of options.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "net/headers/tcp_options.h"

namespace {

using namespace masugata;  // NOLINT: a program of one file

void require(bool holds) {
  if (!holds) std::abort();
}

// Whether the header with its checksum field sums up as a correct one does.
bool sums_up(const uint8_t* header, size_t header_bytes) {
  return net::checksum_fold(net::checksum_add(header, header_bytes)) == 0xffff;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2) return 0;
  const auto maximum = static_cast<uint16_t>(data[0] << 8U | data[1]);
  const size_t option_bytes = std::min(size - 2, net::kTcpMaximumOptionBytes) & ~size_t{3};
  const size_t header_bytes = net::kTcpMinimumHeaderBytes + option_bytes;
  // Exactly as large as the header: a byte beyond it is a finding.
  const auto header = std::make_unique<uint8_t[]>(header_bytes);
  header[1] = 80;
  header[12] = static_cast<uint8_t>(header_bytes / 4 << 4U);
  header[13] = net::kTcpSyn;
  std::memcpy(header.get() + net::kTcpMinimumHeaderBytes, data + 2, option_bytes);
  const uint16_t sum = net::checksum_fold(net::checksum_add(header.get(), header_bytes));
  net::store(header.get() + 16, net::Be16{static_cast<uint16_t>(~sum)});
  require(sums_up(header.get(), header_bytes));

  net::TcpOptionFacts before;
  const bool valid = net::parse_tcp_options(header.get(), header_bytes, before);
  require(valid == net::tcp_options_valid(header.get(), header_bytes));
  require(before.window_scale <= net::kTcpMaximumWindowScale);

  const bool changed = net::clamp_tcp_maximum_segment_size(header.get(), header_bytes, maximum);
  require(sums_up(header.get(), header_bytes));
  net::TcpOptionFacts after;
  require(net::parse_tcp_options(header.get(), header_bytes, after) == valid);
  if (valid) {
    require(after.maximum_segment_size <= maximum || before.maximum_segment_size == 0);
    require(!changed || maximum < 0xffff);
    after.maximum_segment_size = before.maximum_segment_size;
    require(after == before);
  }
  return 0;
}
