// SPDX-License-Identifier: GPL-2.0-or-later
#include "av-stream/scand/scan_service.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <utility>

#include "av-stream/scand/scan_limits.h"

namespace masugata::av {
namespace {

constexpr uint64_t kMegabyte = 1 << 20;
constexpr uint64_t kFirstLookAgainMs = 1000;  // for files that were seen changing

uint32_t processors() {
  const long count = sysconf(_SC_NPROCESSORS_ONLN);
  return static_cast<uint32_t>(std::clamp<long>(count, 1, kMaximumScanners));
}

}  // namespace

Result<ScanService> ScanService::create(ServiceOptions options) {
  if (prctl(PR_SET_CHILD_SUBREAPER, 1) != 0) return failure("subreaper", std::strerror(errno));
  auto holders = SharedWithForks<HolderNumbers>::create();
  if (!holders) return tl::unexpected(holders.error());
  // A supervisor before this one counted from elsewhere.
  (*holders)->last.store(static_cast<uint32_t>(time(nullptr)) << 8U);
  return ScanService(std::move(options), std::move(*holders));
}

EngineSources ScanService::sources() const {
  return {
      settings_->signature_directories, settings_->own_signatures, settings_->allowed_sha256, {}};
}

GenerationPlan ScanService::plan() const {
  uint32_t scanners = options_.scanners.value_or(settings_->scanners);
  if (scanners == 0) scanners = processors();
  return {sources(),
          {options_.user, scanners, settings_->scratch_mb * kMegabyte,
           settings_->scanner_memory_mb * kMegabyte, options_.sandbox_required},
          settings_->hang_grace_ms};
}

std::vector<int> ScanService::region_descriptors() const {
  std::vector<int> numbers;
  for (const Descriptor& descriptor : descriptors_) numbers.push_back(descriptor.get());
  return numbers;
}

std::vector<int> ScanService::descriptors() const {
  std::vector<int> numbers;
  if (current_) numbers.push_back(current_->descriptor());
  if (next_) numbers.push_back(next_->descriptor());
  return numbers;
}

void ScanService::configure(const ScandSettings& settings) {
  if (settings_ == settings) return;
  settings_ = settings;
  next_.reset();
  reload();
}

void ScanService::reload() {
  tried_version_ = 0;
  next_look_ms_ = 0;
  seen_version_ = 0;
}

Status ScanService::take_regions(std::vector<Descriptor> descriptors) {
  drop_regions();
  std::vector<ScannerRegion> regions;
  for (const Descriptor& descriptor : descriptors) {
    auto region = ScannerRegion::open(descriptor.get());
    if (!region) return tl::unexpected(region.error());
    regions.push_back(std::move(*region));
  }
  // An earlier supervisor's scanners died with it.
  uint32_t left = 0;
  for (ScannerRegion& region : regions) left += region.settle(0, ScanFailure::Crash);
  if (left > 0) spdlog::warn("{} objects were left by scanners that are dead", left);
  regions_ = std::move(regions);
  descriptors_ = std::move(descriptors);
  publish(current_ ? current_->facts().version : 0);
  for (GenerationHandle* generation : {current_.get(), next_.get()}) {
    if (generation != nullptr) generation->give_regions(region_descriptors());
  }
  return {};
}

void ScanService::drop_regions() {
  if (regions_.empty()) return;
  regions_.clear();
  descriptors_.clear();
  for (GenerationHandle* generation : {current_.get(), next_.get()}) {
    if (generation != nullptr) generation->give_regions({});
  }
  for (Leaving& leaving : leaving_) leaving.generation->kill_at_once();
}

void ScanService::publish(uint64_t version) {
  for (ScannerRegion& region : regions_) region.publish_signatures(version);
}

void ScanService::tick() {
  const uint64_t now_ms = monotonic_ms();
  for (ScannerRegion& region : regions_) region.beat();
  if (!settings_) return;
  look_at_next(now_ms);
  look_at_current(now_ms);
  look_at_leaving(now_ms);
  if (now_ms >= next_look_ms_) look_at_signatures(now_ms);
  if (current_) return;
  for (ScannerRegion& region : regions_) {
    region.refuse_waiting(holders_->next(), ScanFailure::NoEngine);
  }
}

void ScanService::look_at_signatures(uint64_t now_ms) {
  next_look_ms_ = now_ms + settings_->check_interval_ms;
  auto set = examine_signatures(sources());
  if (!set) {
    if (refusal_ != set.error().message()) refuse(set.error().message());
    return;
  }
  signatures_ = std::move(*set);
  const uint64_t version = signatures_.version;
  const bool at_rest = std::exchange(seen_version_, version) == version;
  if (version == tried_version_) return;
  if (current_ && tried_version_ != 0 && !at_rest) {
    // In the middle of an update.
    next_look_ms_ = now_ms + std::min<uint64_t>(settings_->check_interval_ms, kFirstLookAgainMs);
    return;
  }
  start_generation(now_ms, version);
}

void ScanService::start_generation(uint64_t now_ms, uint64_t version) {
  next_.reset();
  tried_version_ = version;
  auto started = GenerationHandle::start(plan(), *holders_, region_descriptors());
  if (!started) {
    refuse(started.error().message());
    next_look_ms_ = now_ms + kFirstLookAgainMs;
    tried_version_ = 0;
    return;
  }
  next_ = std::move(*started);
  spdlog::info("loading signatures");
}

void ScanService::refuse(std::string problem) {
  spdlog::error("signatures are refused, {}: {}",
                current_ ? "the ones before stay in use" : "nothing can be scanned", problem);
  refusal_ = std::move(problem);
  refused_at_ = time(nullptr);
}

void ScanService::look_at_next(uint64_t now_ms) {
  if (!next_) return;
  const auto state = next_->look();
  if (state == GenerationHandle::State::Loading) {
    if (now_ms < next_->started_ms() + kLoadingMs) return;
    refuse("loading took too long");
    next_.reset();
    return;
  }
  if (state != GenerationHandle::State::Ready) {
    lose_next(now_ms);
    return;
  }
  const GenerationFacts& facts = next_->facts();
  spdlog::info("{} signatures loaded in {} ms, {} MB in large pages", facts.signatures,
               facts.load_ms, facts.large_page_bytes >> 20);
  for (const std::string& warning : facts.warnings) spdlog::warn("{}", warning);
  refusal_.clear();
  ready_at_ = time(nullptr);
  ++loaded_;
  if (current_) {
    current_->ask_to_stop();
    leaving_.push_back({std::move(current_), now_ms + kMaximumTimeMs});
  }
  current_ = std::move(next_);
  publish(facts.version);
}

void ScanService::lose_next(uint64_t now_ms) {
  const bool said_why = !next_->problem().empty();
  const std::string problem =
      said_why ? next_->problem()
               : "the process that loaded them died, perhaps of too little memory";
  next_.reset();
  if (current_ || said_why) {
    refuse(problem);
    if (current_) return;
    tried_version_ = 0;
    next_look_ms_ = now_ms + kLongestRestartMs;
    return;
  }
  // Nobody has found anything wrong with the signatures.
  ++generations_died_;
  if (restart_ms_ == kFirstRestartMs) {
    spdlog::error("the engine's process died before it was ready");
  } else {
    refuse(problem);
  }
  start_again_later(now_ms);
}

void ScanService::start_again_later(uint64_t now_ms) {
  tried_version_ = 0;
  next_look_ms_ = next_ ? next_look_ms_ : now_ms + restart_ms_;
  restart_ms_ = std::min(restart_ms_ * 2, kLongestRestartMs);
}

void ScanService::look_at_current(uint64_t now_ms) {
  if (!current_) return;
  const auto state = current_->look();
  report_scanner_ends(*current_);
  if (state == GenerationHandle::State::Ready) {
    const uint64_t seen_ms = current_->board().seen_ms.load();
    if (seen_ms != 0 && now_ms > seen_ms + kSilenceMs) {
      spdlog::error("the engine's process does not answer and is ended");
      current_->kill_at_once();
    }
    if (now_ms > current_->started_ms() + kLongestRestartMs) restart_ms_ = kFirstRestartMs;
    return;
  }
  if (state == GenerationHandle::State::Refused) return;  // its end follows
  spdlog::error("the engine's process died{}{}", current_->problem().empty() ? "" : ": ",
                current_->problem());
  ++generations_died_;
  publish(0);
  bury(std::move(current_));
  start_again_later(now_ms);
}

void ScanService::look_at_leaving(uint64_t now_ms) {
  for (Leaving& leaving : leaving_) {
    if (leaving.generation->look() == GenerationHandle::State::Ended) {
      report_scanner_ends(*leaving.generation);
      bury(std::move(leaving.generation));
    } else if (now_ms > leaving.until_ms) {
      leaving.generation->kill_at_once();
    }
  }
  std::erase_if(leaving_, [](const Leaving& leaving) { return leaving.generation == nullptr; });
}

void ScanService::report_scanner_ends(GenerationHandle& generation) {
  for (const ScannerEnd& end : generation.take_scanner_ends()) {
    spdlog::warn("scanner {} ended: {}; its object counts as not scanned ({})", end.process,
                 end.reason, end.failure);
  }
}

void ScanService::bury(std::unique_ptr<GenerationHandle> generation) {
  generation->settle(regions_);
  ended_ += generation->counters();
}

nlohmann::json ScanService::status() const {
  ScanCounters counters = ended_;
  if (current_) counters += current_->counters();
  for (const Leaving& leaving : leaving_) counters += leaving.generation->counters();
  nlohmann::json files = nlohmann::json::array();
  for (const SignatureFile& file : signatures_.files) {
    files.push_back({{"path", file.path},
                     {"bytes", file.bytes},
                     {"own", file.own},
                     {"version", file.database_version.value_or(0)},
                     {"signatures", file.signatures.value_or(0)},
                     {"built", file.built.value_or(0)}});
  }
  nlohmann::json scanners = nlohmann::json::array();
  const uint64_t now_ms = monotonic_ms();
  for (uint32_t index = 0; current_ && index < kMaximumScanners; ++index) {
    const ScannerSeat& seat = current_->board().seats[index];
    if (seat.process.load() == 0) continue;
    const uint64_t busy_since_ms = seat.busy_since_ms.load();
    scanners.push_back(
        {{"process", seat.process.load()},
         {"busy_ms", busy_since_ms == 0 ? 0 : now_ms - std::min(now_ms, busy_since_ms)},
         {"objects", seat.objects.load()}});
  }
  const GenerationFacts facts = current_ ? current_->facts() : GenerationFacts{};
  return {{"type", "status"},
          {"engine", current_ ? "ready"
                     : next_  ? "loading"
                              : "none"},
          {"loading", next_ != nullptr},
          {"version", fmt::format("{:016x}", facts.version)},
          {"signatures", facts.signatures},
          {"built", facts.built},
          {"ready_at", ready_at_},
          {"load_ms", facts.load_ms},
          {"engine_process", current_ ? current_->process() : 0},
          {"refusal", refusal_},
          {"refused_at", refused_at_},
          {"files", files},
          {"regions", regions_.size()},
          {"scanners", scanners},
          {"counters",
           {{"objects", counters.objects},
            {"bytes", counters.bytes},
            {"found", counters.found},
            {"failed", counters.failed},
            {"scan_us", counters.scan_us},
            {"crashes", counters.crashes},
            {"hangs", counters.hangs},
            {"memory_shortages", counters.memory_shortages},
            {"loads", loaded_},
            {"engines_died", generations_died_}}}};
}

}  // namespace masugata::av
