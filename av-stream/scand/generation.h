// SPDX-License-Identifier: GPL-2.0-or-later
// The process that holds one loaded engine and its scanners. A new set of signatures is a new
// generation beside the old one.
#pragma once

#include <sys/types.h>

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "av-stream/exchange/scanner_region.h"
#include "av-stream/scand/clamav_engine.h"
#include "av-stream/scand/message_socket.h"
#include "av-stream/scand/sandbox.h"
#include "av-stream/scand/scanner_board.h"
#include "av-stream/scand/signature_set.h"

namespace masugata::av {

struct GenerationPlan {
  EngineSources sources;  // scratch_directory is chosen by the generation
  SandboxPlan sandbox;    // seats = scanners
  uint32_t hang_grace_ms = 5000;
};

// In the forked process, with one thread. To the supervisor it says
//   {"type":"ready", "version":"<hex>", "signatures":n, "built":s, "load_ms":n,
//    "large_page_bytes":n, "warnings":[...]}
//   {"type":"refused", "problem":text}   and ends
//   {"type":"scanner-ended", "process":n, "reason":text, "failure":name}
// and it is told
//   {"type":"regions"} with their descriptors: scanners of earlier ones end at once
//   {"type":"stop"}: scanners end after their object, then the generation.
// It ends with the supervisor, its scanners end with it.
class Generation {
 public:
  // The descriptors above 2 that are kept: the channel and the regions.
  Generation(GenerationPlan plan, MessageSocket channel, ScannerBoard& board,
             HolderNumbers& holders, std::vector<Descriptor> regions);
  // Until told to stop; the exit status of the process.
  [[nodiscard]] int run();

 private:
  struct Seat {
    pid_t process = 0;
    uint32_t holder = 0;  // the board's could be changed by the scanner
    uint64_t started_ms = 0;
    uint64_t start_at_ms = 0;
    bool hung = false;
  };

  [[nodiscard]] Status prepare();
  void report_ready();
  [[nodiscard]] Status map_regions(const std::vector<Descriptor>& descriptors);
  // False when the supervisor is gone.
  [[nodiscard]] bool hear_supervisor(int timeout_ms);
  void replace_regions(const std::vector<Descriptor>& descriptors);
  void look_after_scanners();
  void bury_dead();
  void settle(uint32_t index, int wait_status);
  void end_hanging(uint32_t index, uint64_t now_ms);
  void start(uint32_t index, uint64_t now_ms);
  [[noreturn]] void become_scanner(uint32_t index, pid_t generation);

  GenerationPlan plan_;
  MessageSocket channel_;
  ScannerBoard& board_;
  HolderNumbers& holders_;
  std::vector<Descriptor> descriptors_;
  std::vector<ScannerRegion> regions_;
  std::optional<Sandbox> sandbox_;
  std::optional<ClamavEngine> engine_;
  SignatureSet signatures_;
  uint64_t load_ms_ = 0;
  uint64_t large_page_bytes_ = 0;
  std::array<Seat, kMaximumScanners> seats_{};
  bool stopping_ = false;
  std::string problem_;  // not empty: cannot go on
};

}  // namespace masugata::av
