// SPDX-License-Identifier: GPL-2.0-or-later
// FTP, its control and its data connections, out of any bytes; see parser_conversation.h for the
// input and what must hold.
#include "ids/protocols/ftp/ftp_parser.h"

#include "tests/fuzz/parser_conversation.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace masugata::ids;  // NOLINT: a program of one file
  static const ParserDemands demands{.md5 = true, .message_bodies = true};
  check_conversation({data, size}, [] { return make_ftp_parser(demands); });
  check_conversation({data, size}, [] { return make_ftp_data_parser(demands, nullptr); });
  return 0;
}
