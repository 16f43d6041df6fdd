// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/scripted_scanner.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace masugata::test {
namespace {

struct Marker {
  std::string_view text;
  av::ScanOutcome outcome;
  bool whole = false;  // nothing else is in the object, as signatures by digest have it
};

constexpr std::array kMarkers{
    Marker{"VIRUS-HERE", av::ScanOutcome::Infected},
    Marker{"EXACTLY-THIS", av::ScanOutcome::Infected, true},
    Marker{"ENCRYPTED-HERE", av::ScanOutcome::Encrypted},
    Marker{"MACROS-HERE", av::ScanOutcome::Macros},
    Marker{"BOMB-HERE", av::ScanOutcome::LimitSize},
    Marker{"DEEP-HERE", av::ScanOutcome::LimitRecursion},
    Marker{"MANY-HERE", av::ScanOutcome::LimitFiles},
    Marker{"SLOW-HERE", av::ScanOutcome::LimitTime},
    Marker{"UNREADABLE-HERE", av::ScanOutcome::Failed},
};

av::ScanVerdict verdict_on(std::string_view object) {
  av::ScanVerdict verdict;
  verdict.outcome = av::ScanOutcome::Clean;
  for (const Marker& marker : kMarkers) {
    const bool found =
        marker.whole ? object == marker.text : object.find(marker.text) != std::string_view::npos;
    if (!found) continue;
    verdict.outcome = marker.outcome;
    if (marker.outcome == av::ScanOutcome::Infected) verdict.signature = "Test.Virus";
    if (marker.outcome == av::ScanOutcome::Failed) verdict.failure = av::ScanFailure::Unreadable;
    break;
  }
  return verdict;
}

constexpr std::array kModes{"answers", "waits", "holds", "gone", "without-engine", "crashes"};

}  // namespace

Status ScriptedScanner::open(int descriptor) {
  auto region = av::ScannerRegion::open(descriptor);
  if (!region) return tl::unexpected(region.error());
  regions_.push_back(std::make_unique<av::ScannerRegion>(std::move(*region)));
  return {};
}

Status ScriptedScanner::set_mode(const std::string& mode) {
  if (mode == "reload") {
    ++signatures_;
    return {};
  }
  if (std::find(kModes.begin(), kModes.end(), mode) == kModes.end()) {
    return failure("scanner " + mode, "unknown");
  }
  mode_ = mode;
  return {};
}

void ScriptedScanner::work() {
  for (const auto& region : regions_) work_on(*region);
  // Each region has settled its own.
  if (mode_ == "crashes") held_.clear();
}

void ScriptedScanner::work_on(av::ScannerRegion& region) {
  const bool engine = mode_ != "gone" && mode_ != "without-engine";
  region.publish_signatures(engine ? signatures_ : 0);
  if (mode_ == "gone") return;
  region.beat();
  if (mode_ == "waits" || mode_ == "without-engine") return;
  if (mode_ == "crashes") {
    for (const uint32_t holder : held_) (void)region.settle(holder, av::ScanFailure::Crash);
  }
  while (const auto slot = region.take(next_holder_)) {
    const uint32_t holder = next_holder_++;
    ++scans_;
    if (mode_ == "holds") {
      held_.push_back(holder);
      return;
    }
    if (mode_ == "crashes") {
      (void)region.settle(holder, av::ScanFailure::Crash);
      continue;
    }
    const auto request = region.read(*slot);
    av::ScanVerdict verdict;
    std::string object(request ? request->object_bytes : 0, '\0');
    if (request &&
        region.copy_object(*request, {reinterpret_cast<uint8_t*>(object.data()), object.size()})) {
      verdict = verdict_on(object);
    } else {
      verdict.failure = av::ScanFailure::BadRequest;
    }
    verdict.signatures = signatures_;
    region.answer(*slot, verdict);
  }
}

}  // namespace masugata::test
