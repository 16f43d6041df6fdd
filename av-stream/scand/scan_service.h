// SPDX-License-Identifier: GPL-2.0-or-later
// Keeps one verified generation of scanners at work on the regions, whatever happens to them.
#pragma once

#include <cstdint>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "av-stream/exchange/scanner_region.h"
#include "av-stream/scand/generation_handle.h"
#include "av-stream/scand/sandbox.h"
#include "av-stream/scand/scand_settings.h"
#include "av-stream/scand/signature_set.h"

namespace masugata::av {

struct ServiceOptions {
  std::optional<SandboxUser> user;  // whom scanners become
  bool sandbox_required = true;
  std::optional<uint32_t> scanners;  // instead of the settings'
};

// Thread: one; the process's only one, because it forks.
class ScanService {
 public:
  static constexpr uint64_t kSilenceMs = 10'000;         // of a generation that is ready
  static constexpr uint64_t kLoadingMs = 15 * 60'000;    // the most that loading may take
  static constexpr uint64_t kFirstRestartMs = 500;       // after a generation died; doubles
  static constexpr uint64_t kLongestRestartMs = 30'000;  // up to this

  // This process becomes a subreaper.
  [[nodiscard]] static Result<ScanService> create(ServiceOptions options);

  // Other settings mean a new generation; the old one works until that is verified.
  void configure(const ScandSettings& settings);
  // Replaces the regions. What scanners that are all dead left in them is answered. A fault: one is
  // not a region, there are none now.
  [[nodiscard]] Status take_regions(std::vector<Descriptor> descriptors);
  void drop_regions();
  // Looks at the signatures now, and tries again what was refused.
  void reload();

  // To be called at least every 100 ms: heartbeat, scanners, generations, changed signatures.
  void tick();
  // For poll(): when one is readable tick() has something to do.
  [[nodiscard]] std::vector<int> descriptors() const;

  // Signatures are loaded; their version is what the regions say.
  [[nodiscard]] bool ready() const noexcept { return current_ != nullptr; }
  [[nodiscard]] bool loading() const noexcept { return next_ != nullptr; }
  // Why the signatures that were tried last are not in use; empty: they are.
  [[nodiscard]] const std::string& refusal() const noexcept { return refusal_; }
  [[nodiscard]] const GenerationHandle* current() const noexcept { return current_.get(); }
  // The one that loads signatures; nullptr: none does.
  [[nodiscard]] const GenerationHandle* next() const noexcept { return next_.get(); }
  // {"type":"status", ...}, see av-stream/scand/README.md.
  [[nodiscard]] nlohmann::json status() const;

 private:
  ScanService(ServiceOptions options, SharedWithForks<HolderNumbers> holders)
      : options_(std::move(options)), holders_(std::move(holders)) {}

  [[nodiscard]] GenerationPlan plan() const;
  [[nodiscard]] EngineSources sources() const;
  [[nodiscard]] std::vector<int> region_descriptors() const;
  void publish(uint64_t version);
  void look_at_signatures(uint64_t now_ms);
  void start_generation(uint64_t now_ms, uint64_t version);
  void look_at_next(uint64_t now_ms);
  void lose_next(uint64_t now_ms);
  void start_again_later(uint64_t now_ms);
  void look_at_current(uint64_t now_ms);
  void look_at_leaving(uint64_t now_ms);
  void report_scanner_ends(GenerationHandle& generation);
  void refuse(std::string problem);
  void bury(std::unique_ptr<GenerationHandle> generation);

  struct Leaving {
    std::unique_ptr<GenerationHandle> generation;
    uint64_t until_ms;  // then it is ended
  };

  ServiceOptions options_;
  SharedWithForks<HolderNumbers> holders_;
  std::optional<ScandSettings> settings_;
  std::vector<Descriptor> descriptors_;
  std::vector<ScannerRegion> regions_;
  std::unique_ptr<GenerationHandle> current_;
  std::unique_ptr<GenerationHandle> next_;
  std::vector<Leaving> leaving_;
  SignatureSet signatures_;     // as last looked at
  uint64_t tried_version_ = 0;  // loaded, or refused: not tried again by itself
  uint64_t seen_version_ = 0;   // at the look before: files at rest have it twice
  uint64_t next_look_ms_ = 0;
  uint64_t restart_ms_ = kFirstRestartMs;
  std::string refusal_;
  int64_t refused_at_ = 0;  // seconds since 1970
  int64_t ready_at_ = 0;
  ScanCounters ended_;  // of generations that are gone
  uint64_t loaded_ = 0;
  uint64_t generations_died_ = 0;
};

}  // namespace masugata::av
