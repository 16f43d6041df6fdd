// SPDX-License-Identifier: GPL-2.0-or-later
// FTP, its control and its data connections, out of any bytes; see parser_conversation.h for the
// input and what must hold. Data connections are those that nobody announced, and each that the
// control connection announces.
#include "ids/protocols/ftp/ftp_parser.h"

#include "tests/fuzz/parser_conversation.h"

namespace {

using namespace masugata::ids;  // NOLINT: a program of one file

constexpr size_t kMaximumTransfers = 8;

std::vector<ProtocolParser::ExpectedData> announced_in(std::span<const uint8_t> input,
                                                       const ParserDemands& demands) {
  std::vector<ProtocolParser::ExpectedData> announced;
  const auto parser = make_ftp_parser(demands);
  for (const Turn& turn : read_turns(input)) {
    if (turn.loss) (void)parser->on_gap(turn.direction, 7);
    const ParseOutcome outcome = parser->on_data(turn.direction, turn.bytes, 0);
    if (outcome != ParseOutcome::Going || announced.size() == kMaximumTransfers) break;
    const ProtocolParser::ExpectedData* const expected = parser->expected_data();
    if (expected == nullptr) continue;
    const auto* const again = parser->announced_data(expected->server_port);
    require(again != nullptr && again->coded == expected->coded && again->text == expected->text &&
            again->range_first == expected->range_first && again->file_name == expected->file_name);
    announced.push_back(*expected);
  }
  return announced;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const ParserDemands demands{.md5 = true, .message_bodies = true};
  check_conversation({data, size}, [] { return make_ftp_parser(demands); });
  check_conversation({data, size}, [] { return make_ftp_data_parser(demands, nullptr); });
  for (const auto& expected : announced_in({data, size}, demands)) {
    check_conversation({data, size}, [&] { return make_ftp_data_parser(demands, &expected); });
  }
  return 0;
}
