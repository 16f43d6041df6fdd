// SPDX-License-Identifier: GPL-2.0-or-later
// Transactions of SMB: a connection to a share, or one direction of one open file.
#pragma once

#include <string>

#include "ids/protocols/files/file_collection.h"
#include "ids/protocols/transaction.h"

namespace masugata::ids {

class SmbTransaction final : public Transaction {
 public:
  // `demands` outlives the transaction.
  explicit SmbTransaction(const ParserDemands& demands) noexcept : files_(demands) {}

  [[nodiscard]] BufferBytes buffer(BufferId buffer, Direction direction,
                                   uint32_t instance) noexcept override;
  [[nodiscard]] bool number(NumberField field, Direction direction,
                            uint64_t& value) noexcept override;
  [[nodiscard]] std::span<TransferredFile> files() noexcept override { return files_.files(); }

  uint8_t version = 1;  // of the protocol: 1 or 2
  std::string share;    // "\\server\share"; empty for files
  bool is_pipe = false;

  // For the parser.
  [[nodiscard]] FileCollection& collection() noexcept { return files_; }
  // No more will come, of either side; an open file ends, cut short if `broken`.
  void finish(bool broken) noexcept;

 private:
  FileCollection files_;
};

}  // namespace masugata::ids
