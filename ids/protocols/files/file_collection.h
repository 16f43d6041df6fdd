// SPDX-License-Identifier: GPL-2.0-or-later
// The files of one transaction, with their trackers. HTTP and SMTP transactions hold one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "ids/protocols/files/file_tracker.h"

namespace masugata::ids {

// Thread: the flow's worker. Bounds: kMaximumFiles files; all windows together hold at most
// body_limit + kWindowBurstBytes plus one window: beyond, windows of finished files are emptied,
// oldest first. A file is named by its index, which never changes.
class FileCollection {
 public:
  // `demands` outlives the collection.
  explicit FileCollection(const ParserDemands& demands) noexcept : demands_(&demands) {}

  // A new file; its name is cut at kMaximumFileNameBytes. nullopt at the bound: the file is then
  // not followed.
  [[nodiscard]] std::optional<size_t> open(Direction direction, std::string_view name) noexcept;
  // False when bytes fell out of the window before they could be inspected.
  bool append(size_t file, std::span<const uint8_t> bytes) noexcept;
  void skip(size_t file, uint64_t missing) noexcept;
  void close(size_t file, bool truncated) noexcept;
  // Ends the files of a direction that are still open, as truncated.
  void close_all(Direction direction) noexcept;
  // The rules have seen all windows: called when the parser is given the next bytes.
  void begin_input() noexcept;

  [[nodiscard]] std::span<TransferredFile> files() noexcept { return files_; }
  // The `instance`th file of that direction; null beyond the last.
  [[nodiscard]] TransferredFile* find(Direction direction, uint32_t instance) noexcept;

 private:
  void release_finished(size_t except) noexcept;

  const ParserDemands* demands_;
  std::vector<TransferredFile> files_;
  std::vector<FileTracker> trackers_;
};

}  // namespace masugata::ids
