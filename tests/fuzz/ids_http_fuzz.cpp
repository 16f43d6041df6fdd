// SPDX-License-Identifier: GPL-2.0-or-later
// HTTP in both directions: the input is a series of pieces, each after one byte that says whose it
// is, or that bytes are missing, and two that say how long it is.
#include <algorithm>
#include <cstdlib>
#include <span>
#include <vector>

#include "ids/buffers/buffer_id.h"
#include "ids/protocols/content_recorder.h"
#include "ids/protocols/http/http_parser.h"
#include "ids/protocols/http/http_transaction.h"

namespace {

using namespace masugata::ids;

void read_all_buffers(ProtocolParser& parser) {
  size_t sum = 0;
  for (const auto& transaction : parser.transactions()) {
    for (size_t id = 0; id < kBufferCount; ++id) {
      for (const Direction direction : {Direction::ToServer, Direction::ToClient}) {
        for (uint32_t instance = 0; instance < 3; ++instance) {
          const BufferBytes found =
              transaction->buffer(static_cast<BufferId>(id), direction, instance);
          for (const uint8_t byte : found.bytes) {
            sum += byte;
          }
        }
      }
    }
    for (const TransferredFile& file : transaction->files()) {
      if (file.window.size() > 2000 + kWindowBurstBytes) {
        std::abort();
      }
    }
  }
  volatile size_t seen = sum;
  (void)seen;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  ParserDemands demands;
  demands.body_limit = 2000;
  demands.md5 = true;
  ContentRecorder contents;  // aborts when the contract of a receiver is broken
  const auto parser = make_http_parser(demands);
  parser->set_content_receiver(&contents);
  std::span<const uint8_t> input{data, size};
  while (input.size() >= 3) {
    const uint8_t choice = input[0];
    const size_t length = std::min<size_t>(input[1] * 256U + input[2], input.size() - 3);
    // An exact copy, so that reading beyond it is seen.
    const std::vector<uint8_t> piece(input.begin() + 3,
                                     input.begin() + 3 + static_cast<std::ptrdiff_t>(length));
    input = input.subspan(3 + length);
    const auto direction = static_cast<Direction>(choice & 1U);
    if ((choice & 2U) != 0 && (choice & 4U) != 0) {
      (void)parser->on_gap(direction, length);
    } else if ((choice & 8U) != 0 && (choice & 16U) != 0) {
      parser->on_end(direction);
    } else {
      (void)parser->on_data(direction, piece, 1'000'000);
    }
    read_all_buffers(*parser);
    auto& transactions = parser->transactions();
    while (!transactions.empty() && (transactions.front()->complete() || (choice & 32U) != 0)) {
      transactions.pop_front();
    }
  }
  parser->on_end(Direction::ToServer);
  parser->on_end(Direction::ToClient);
  read_all_buffers(*parser);
  if (!contents.all_ended()) {
    std::abort();
  }
  return 0;
}
