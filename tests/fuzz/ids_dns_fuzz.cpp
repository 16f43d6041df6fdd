// SPDX-License-Identifier: GPL-2.0-or-later
// DNS messages of any bytes. The first byte chooses between datagrams and a stream.
#include "tests/fuzz/ids_parser_fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace masugata::ids;  // NOLINT: a program of one file
  if (size == 0) return 0;
  const ParserDemands demands;
  const auto parser = make_parser(ApplicationProtocol::Dns, demands, (data[0] & 1U) != 0);
  fuzz::feed(*parser, {data + 1, size - 1});
  return 0;
}
