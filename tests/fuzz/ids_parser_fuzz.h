// SPDX-License-Identifier: GPL-2.0-or-later
// What fuzz targets of protocol parsers share: a flow of pieces in both directions from one input.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <span>
#include <vector>

#include "ids/buffers/buffer_properties.h"
#include "ids/protocols/protocol_parser.h"

namespace masugata::ids::fuzz {

// Reads every buffer and number, as the engine would.
inline size_t read_all(Transaction& transaction) {
  constexpr uint32_t kInstances = 64;
  size_t bytes = 0;
  for (size_t index = 0; index < kBufferCount; ++index) {
    for (const Direction direction : {Direction::ToServer, Direction::ToClient}) {
      for (uint32_t instance = 0; instance < kInstances; ++instance) {
        const BufferBytes found =
            transaction.buffer(static_cast<BufferId>(index), direction, instance);
        if (found.state != BufferState::Complete && found.state != BufferState::Partial) break;
        for (const uint8_t byte : found.bytes) bytes += byte;
        if (!properties_of(static_cast<BufferId>(index)).many) break;
      }
    }
  }
  for (size_t field = 0; field < static_cast<size_t>(NumberField::Count); ++field) {
    uint64_t value = 0;
    if (transaction.number(static_cast<NumberField>(field), Direction::ToServer, value)) ++bytes;
    if (transaction.number(static_cast<NumberField>(field), Direction::ToClient, value)) ++bytes;
  }
  return bytes;
}

// Input: pieces, each a byte of flags (1: to the client, 2: a gap, 4: take complete transactions
// away) and a byte of length, 255 meaning all the rest.
inline void feed(ProtocolParser& parser, std::span<const uint8_t> input) {
  while (input.size() >= 2) {
    const uint8_t flags = input[0];
    const size_t length =
        input[1] == 255 ? input.size() - 2 : std::min<size_t>(input[1], input.size() - 2);
    const Direction direction = (flags & 1U) != 0 ? Direction::ToClient : Direction::ToServer;
    // Exactly as large as the piece: a byte beyond it is a finding.
    const auto piece = std::make_unique<uint8_t[]>(length);
    std::copy_n(input.begin() + 2, length, piece.get());
    input = input.subspan(2 + length);
    const ParseOutcome outcome = (flags & 2U) != 0
                                     ? parser.on_gap(direction, length)
                                     : parser.on_data(direction, {piece.get(), length}, 0);
    auto& transactions = parser.transactions();
    if (transactions.size() > 2 * kMaximumTransactions) std::abort();
    if (!transactions.empty()) (void)read_all(*transactions.back());
    while ((flags & 4U) != 0 && !transactions.empty() && transactions.front()->complete()) {
      transactions.pop_front();
    }
    if (outcome != ParseOutcome::Going) break;
  }
  parser.on_end(Direction::ToServer);
  parser.on_end(Direction::ToClient);
  for (const auto& transaction : parser.transactions()) (void)read_all(*transaction);
}

}  // namespace masugata::ids::fuzz
