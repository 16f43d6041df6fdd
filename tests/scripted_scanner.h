// SPDX-License-Identifier: GPL-2.0-or-later
// A scanner for tests on a virtual clock: it answers what a region asks by what stands in an
// object, at once or not at all.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "av-stream/exchange/scanner_region.h"
#include "result/result.h"

namespace masugata::test {

class ScriptedScanner {
 public:
  // The worker's region. One per worker.
  Status open(int descriptor);

  // "answers" (as it begins): every object at once;
  // "waits": objects wait, the scanner is there;
  // "holds": takes objects and does not answer;
  // "gone": neither engine nor heartbeat;
  // "without-engine": it lives and has no signatures;
  // "crashes": whatever it takes or had is answered as lost;
  // "reload": goes on as before, with new signatures.
  [[nodiscard]] Status set_mode(const std::string& mode);

  // Once per turn of the gateway.
  void work();
  [[nodiscard]] uint64_t scans() const noexcept { return scans_; }

 private:
  void work_on(av::ScannerRegion& region);

  std::vector<std::unique_ptr<av::ScannerRegion>> regions_;
  std::string mode_ = "answers";
  uint64_t signatures_ = 1;
  uint32_t next_holder_ = 1;
  std::vector<uint32_t> held_;  // holders of slots that were taken and not answered
  uint64_t scans_ = 0;
};

}  // namespace masugata::test
