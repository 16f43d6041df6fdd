// SPDX-License-Identifier: GPL-2.0-or-later
// A SSH flow of any bytes, cut anyhow.
#include "tests/fuzz/ids_parser_fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace masugata::ids;  // NOLINT: a program of one file
  ParserDemands demands;
  demands.ja3 = demands.ja4 = demands.hassh = true;
  const auto parser = make_parser(ApplicationProtocol::Ssh, demands);
  fuzz::feed(*parser, {data, size});
  return 0;
}
