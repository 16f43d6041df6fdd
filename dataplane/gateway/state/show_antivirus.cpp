// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/gateway/state/show_antivirus.h"

#include <algorithm>
#include <array>
#include <string>

namespace masugata::dataplane {
namespace {

struct NamedCounter {
  const char* name;
  RelaxedCounter AntivirusCounters::*counter;
};

constexpr std::array kCounters{
    NamedCounter{"objects", &AntivirusCounters::objects},
    NamedCounter{"bytes", &AntivirusCounters::bytes},
    NamedCounter{"scanned", &AntivirusCounters::scanned},
    NamedCounter{"scanned_early", &AntivirusCounters::scanned_early},
    NamedCounter{"clean", &AntivirusCounters::clean},
    NamedCounter{"known_clean", &AntivirusCounters::known_clean},
    NamedCounter{"broken_off", &AntivirusCounters::broken_off},
    NamedCounter{"infected", &AntivirusCounters::infected},
    NamedCounter{"exempt", &AntivirusCounters::exempt},
    NamedCounter{"opaque_sessions", &AntivirusCounters::opaque_sessions},
    NamedCounter{"encryption_refused", &AntivirusCounters::encryption_refused},
    NamedCounter{"ranges_widened", &AntivirusCounters::ranges_widened},
    NamedCounter{"urls_refused", &AntivirusCounters::urls_refused},
    NamedCounter{"answered", &AntivirusCounters::answered},
    NamedCounter{"reset", &AntivirusCounters::reset},
    NamedCounter{"scan_us", &AntivirusCounters::scan_us},
    NamedCounter{"records_lost", &AntivirusCounters::records_lost},
    NamedCounter{"segments_refused", &AntivirusCounters::segments_refused},
};
constexpr std::array kGauges{
    NamedCounter{"sessions", &AntivirusCounters::sessions_now},
    NamedCounter{"objects", &AntivirusCounters::objects_now},
    NamedCounter{"segments_held", &AntivirusCounters::segments_held_now},
};

uint64_t sum(const std::vector<ObjectGuard*>& guards, RelaxedCounter AntivirusCounters::*counter) {
  uint64_t total = 0;
  for (const ObjectGuard* guard : guards) total += (guard->counters().*counter).get();
  return total;
}

using ReasonCounters = std::array<RelaxedCounter, static_cast<size_t>(av::RefusalReason::Count)>;

control::NamedCounts by_reason(const std::vector<ObjectGuard*>& guards,
                               ReasonCounters AntivirusCounters::*counters) {
  control::NamedCounts counts;
  for (size_t reason = 0; reason < static_cast<size_t>(av::RefusalReason::Count); ++reason) {
    uint64_t total = 0;
    for (const ObjectGuard* guard : guards) total += (guard->counters().*counters)[reason].get();
    if (total == 0) continue;
    counts.emplace_back(av::name_of(static_cast<av::RefusalReason>(reason)), total);
  }
  return counts;
}

control::AvKeptObject kept_object(const QuarantineEntry& entry) {
  control::AvKeptObject kept;
  kept.reference = entry.reference;
  kept.time_s = entry.time_s;
  kept.bytes = entry.bytes;
  kept.complete = entry.complete;
  kept.sha256 = entry.sha256;
  kept.signature = entry.signature;
  kept.reason = entry.reason;
  kept.profile = entry.profile;
  kept.protocol = entry.protocol;
  kept.client = entry.client;
  kept.server = entry.server;
  kept.name = entry.name;
  kept.url = entry.url;
  kept.sender = entry.sender;
  kept.recipients = entry.recipients;
  return kept;
}

control::NamedCounts named_counts(const ScanJobCounts& counts) {
  return {{"files", counts.files},
          {"bytes", counts.bytes},
          {"unchanged", counts.unchanged},
          {"infected", counts.infected},
          {"other_findings", counts.other_findings},
          {"not_scanned", counts.not_scanned},
          {"signatures", counts.signatures}};
}

}  // namespace

void add_guard_counters(const std::vector<ObjectGuard*>& guards, control::AvStatus& status) {
  for (const NamedCounter& each : kCounters) {
    status.counters.emplace_back(each.name, sum(guards, each.counter));
  }
  for (const NamedCounter& each : kGauges) {
    status.now.emplace_back(each.name, sum(guards, each.counter));
  }
  status.passed = by_reason(guards, &AntivirusCounters::passed);
  status.refused = by_reason(guards, &AntivirusCounters::refused);
}

void subtract_counts(control::NamedCounts& counts, const control::NamedCounts& base,
                     bool only_counted) {
  for (auto& [name, count] : counts) {
    const auto before = std::find_if(base.begin(), base.end(),
                                     [&](const auto& each) { return each.first == name; });
    if (before != base.end()) count -= std::min(count, before->second);
  }
  if (only_counted) std::erase_if(counts, [](const auto& each) { return each.second == 0; });
}

void RunningAntivirus::clear_counters() {
  base_ = {};
  add_guard_counters(service_.manager().guards(), base_);
}

control::AvScannerStatus RunningAntivirus::scanner() const {
  control::AvScannerStatus result;
  ScannerLink& link = service_.link();
  result.connected = link.connected();
  result.connections = link.connections();
  result.maximum_age_days = service_.manager().settings().signature_days;
  result.age_days = service_.signature_age();
  result.old = service_.signatures_are_old();
  if (!link.status()) return result;
  const ScannerStatus& status = *link.status();
  result.engine = status.engine;
  result.loading = status.loading;
  result.version = status.version;
  result.signatures = status.signatures;
  result.built_s = static_cast<int64_t>(status.built_s);
  result.refusal = status.refusal;
  for (const SignatureFileStatus& file : status.files) {
    result.files.push_back({file.path, file.version, file.signatures, file.bytes,
                            static_cast<int64_t>(file.built_s), file.own});
  }
  for (const ScannerProcessStatus& each : status.scanners) {
    result.scanners.push_back({each.process, each.busy_ms, each.objects});
  }
  result.restarts = {{"crashes", status.crashes},
                     {"hangs", status.hangs},
                     {"memory_shortages", status.memory_shortages},
                     {"engines_died", status.engines_died}};
  return result;
}

control::AvStatus RunningAntivirus::status() {
  control::AvStatus result;
  const AntivirusManager& manager = service_.manager();
  result.active = manager.is_active();
  for (const config::AvProfile& profile : manager.settings().profiles) {
    result.profiles.push_back(profile.name);
  }
  result.scanner = scanner();
  add_guard_counters(manager.guards(), result);
  subtract_counts(result.counters, base_.counters, false);
  subtract_counts(result.passed, base_.passed, true);
  subtract_counts(result.refused, base_.refused, true);
  if (result.active) {
    result.memory_bytes = uint64_t{manager.settings().memory_megabytes} << 20U;
    const uint64_t free_bytes =
        sum(manager.guards(), &AntivirusCounters::free_blocks) * av::kBlockBytes;
    result.memory_used_bytes = result.memory_bytes - std::min(result.memory_bytes, free_bytes);
  }
  const SmartHostCounts notices = service_.notice_counts();
  result.notices = {{"sent", notices.sent},
                    {"failed", notices.failed},
                    {"waiting", notices.waiting},
                    {"suppressed", service_.notices().suppressed()}};
  result.notice_problem = notices.problem;
  result.blocked_urls = manager.blocked_urls().size();
  const Quarantine& quarantine = service_.quarantine();
  result.quarantine = {quarantine.objects(), quarantine.bytes(), quarantine.limits().bytes,
                       quarantine.not_kept(), quarantine.problem()};
  return result;
}

control::AvBlockedUrlList RunningAntivirus::blocked_urls(uint32_t limit) {
  control::AvBlockedUrlList list;
  const auto now_s = static_cast<uint64_t>(std::max<int64_t>(seconds_of(wall_clock_()), 0));
  for (const av::BlockedUrl& url : service_.manager().blocked_urls()) {
    ++list.total;
    if (list.urls.size() >= limit) continue;
    list.urls.push_back({url.host, url.location, url.signature, url.reference,
                         url.until_s - std::min(url.until_s, now_s), url.location_bytes});
  }
  return list;
}

uint64_t RunningAntivirus::clear_blocked_urls(std::string_view text) {
  return service_.manager().clear_blocked_urls(text);
}

control::AvKeptList RunningAntivirus::kept(uint32_t limit) {
  control::AvKeptList list;
  service_.quarantine().tick();
  for (const QuarantineEntry& entry : service_.quarantine().list()) {
    ++list.total;
    if (list.objects.size() < limit) list.objects.push_back(kept_object(entry));
  }
  return list;
}

Result<std::vector<uint8_t>> RunningAntivirus::read_kept(uint64_t reference, uint64_t offset) {
  return service_.quarantine().read(reference, offset, kPartBytes);
}

Status RunningAntivirus::remove_kept(uint64_t reference) {
  return service_.quarantine().remove(reference);
}

std::vector<control::AvScanJob> RunningAntivirus::scan_jobs() {
  std::vector<control::AvScanJob> jobs;
  for (const ScanJobStatus& status : service_.scan_jobs().list()) {
    control::AvScanJob job;
    job.name = status.name;
    job.state = name_of(status.state);
    job.started_s = status.started_s;
    job.so_far = named_counts(status.so_far);
    job.next_s = status.next_s;
    job.skipped = status.skipped;
    if (status.last) {
      job.ran = true;
      job.last_started_s = status.last->started_s;
      job.last_ended_s = status.last->ended_s;
      job.result = name_of(status.last->result);
      job.problem = status.last->problem;
      job.counts = named_counts(status.last->counts);
    }
    jobs.push_back(std::move(job));
  }
  return jobs;
}

Status RunningAntivirus::start_scan_job(const std::string& name) {
  return service_.scan_jobs().start(name);
}

Status RunningAntivirus::stop_scan_job(const std::string& name) {
  return service_.scan_jobs().stop(name);
}

Status RunningAntivirus::reload() { return service_.link().reload(); }

}  // namespace masugata::dataplane
