// SPDX-License-Identifier: GPL-2.0-or-later
// The supervisor's hold on one generation.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "av-stream/exchange/scanner_region.h"
#include "av-stream/scand/generation.h"
#include "av-stream/scand/message_socket.h"
#include "av-stream/scand/scanner_board.h"
#include "av-stream/scand/scratch_folder.h"

namespace masugata::av {

// What a generation said when it was ready.
struct GenerationFacts {
  uint64_t version = 0;  // of its signatures
  uint32_t signatures = 0;
  int64_t built = 0;  // seconds since 1970, 0: not known
  uint64_t load_ms = 0;
  uint64_t large_page_bytes = 0;  // of the engine's process; see large_pages.h
  std::vector<std::string> warnings;
};

struct ScannerEnd {
  pid_t process = 0;
  std::string reason;
  std::string failure;
};

// Sums over the seats of a board.
struct ScanCounters {
  uint64_t objects = 0;
  uint64_t bytes = 0;
  uint64_t found = 0;
  uint64_t failed = 0;
  uint64_t scan_us = 0;
  uint64_t crashes = 0;
  uint64_t hangs = 0;
  uint64_t memory_shortages = 0;

  ScanCounters& operator+=(const ScanCounters& other) noexcept;
};

// Thread: one; it must be the process's only one. Its process is a subreaper: scanners of a
// generation that died are its children. A generation and its scanners are a process group of their
// own, by which all are found, and to which no terminal sends signals.
class GenerationHandle {
 public:
  enum class State : uint8_t { Loading, Ready, Refused, Ended };

  // Forks. `regions` stay the caller's.
  [[nodiscard]] static Result<std::unique_ptr<GenerationHandle>> start(
      const GenerationPlan& plan, HolderNumbers& holders, std::span<const int> regions);
  GenerationHandle(const GenerationHandle&) = delete;
  GenerationHandle& operator=(const GenerationHandle&) = delete;
  // Ends it and its scanners when they still run, sees them dead, and removes their files.
  ~GenerationHandle();

  // Hears what it has to say. State only goes forward.
  State look();
  // Where poll() sees that look() has something to do.
  [[nodiscard]] int descriptor() const noexcept { return channel_.descriptor(); }
  [[nodiscard]] const GenerationFacts& facts() const noexcept { return facts_; }
  [[nodiscard]] const std::string& problem() const noexcept { return problem_; }
  [[nodiscard]] std::vector<ScannerEnd> take_scanner_ends();
  [[nodiscard]] const ScannerBoard& board() const noexcept { return *board_; }
  [[nodiscard]] ScanCounters counters() const noexcept;
  [[nodiscard]] pid_t process() const noexcept { return process_; }
  [[nodiscard]] uint64_t started_ms() const noexcept { return started_ms_; }

  void give_regions(std::span<const int> regions);
  void ask_to_stop();
  void kill_at_once();
  // When it has ended, and its scanners with it: answers what they had.
  void settle(std::vector<ScannerRegion>& regions);

 private:
  GenerationHandle(MessageSocket channel, SharedWithForks<ScannerBoard> board)
      : channel_(std::move(channel)), board_(std::move(board)) {}
  void hear(const Message& message);
  void reap();

  MessageSocket channel_;
  SharedWithForks<ScannerBoard> board_;
  pid_t process_ = 0;
  uint64_t started_ms_ = 0;
  std::optional<ScratchFolder> folder_;  // where namespaces may be forbidden
  State state_ = State::Loading;
  GenerationFacts facts_;
  std::string problem_;
  std::vector<ScannerEnd> ends_;
};

}  // namespace masugata::av
