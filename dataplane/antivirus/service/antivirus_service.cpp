// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/antivirus/service/antivirus_service.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "config/scanner_scratch.h"

namespace masugata::dataplane {
namespace {

bool wants(const config::IpsLog& log, std::string_view event) {
  return log.events.empty() ||
         std::find(log.events.begin(), log.events.end(), event) != log.events.end();
}

// For logs of lines: what strangers wrote, without what would end a line or steer a terminal.
std::string printable(std::string_view text) {
  std::string result(text);
  for (char& c : result) {
    if (static_cast<uint8_t>(c) < 0x20 || static_cast<uint8_t>(c) >= 0x7f) c = '?';
  }
  return result;
}

std::string hexadecimal(const av::Sha256& digest) {
  std::string text;
  for (const uint8_t byte : digest) text += fmt::format("{:02x}", byte);
  return text;
}

std::string address_text(const net::IpAddress& address, net::Be16 port) {
  return fmt::format(fmt::runtime(address.is_v4() ? "{}:{}" : "[{}]:{}"), address.to_string(),
                     port.host());
}

}  // namespace

av::ScandSettings scand_settings(const config::AntivirusSettings& settings) {
  av::ScandSettings result;
  result.signature_directories = {settings.signature_folder};
  result.own_signatures = settings.own_signatures;
  result.allowed_sha256 = settings.allowed_sha256;
  result.scanners = settings.scanners;
  result.scanner_memory_mb = settings.scanner_megabytes;
  result.scratch_mb = config::kScannerScratchMegabytes;
  return result;
}

AntivirusService::AntivirusService(AntivirusServiceTargets targets)
    : targets_(std::move(targets)),
      link_(*targets_.loop, targets_.log),
      quarantine_(targets_.wall_clock),
      notices_([this](NoticeMail mail) { return smart_host_.send(std::move(mail)); },
               targets_.wall_clock),
      scan_jobs_(job_targets()) {
  targets_.manager->add_listener(
      [this](size_t worker, const AntivirusRecord& record) { take(worker, record); });
  timer_ = targets_.loop->call_every(kTickMs, [this] { tick(); });
}

AntivirusService::~AntivirusService() { targets_.loop->cancel(timer_); }

Status AntivirusService::configure(const config::Model& model) {
  settings_ = model.antivirus;
  wants_alerts_ = wants(model.ips.log, "alert");
  wants_files_ = wants(model.ips.log, "fileinfo");
  smart_host_.configure(settings_.notices);
  notices_.configure(settings_.notices);
  scan_jobs_.configure(settings_.jobs, scand_settings(settings_));
  const bool active = targets_.manager->is_active();
  const Status listening = active ? serve_scanner() : Status();
  if (!active && settings_.jobs.empty()) return {};
  QuarantineLimits limits;
  limits.bytes = settings_.quarantine.megabytes << 20U;
  limits.age_days = settings_.quarantine.days;
  Status keeping = quarantine_.configure(settings_.quarantine.folder, limits);
  return listening ? keeping : listening;
}

Status AntivirusService::serve_scanner() {
  link_.configure(scand_settings(settings_));
  std::vector<int> regions;
  for (const ObjectGuard* guard : targets_.manager->guards()) {
    regions.push_back(guard->region_descriptor());
  }
  link_.give_regions(std::move(regions));
  return link_.listens() ? Status() : link_.listen(targets_.scanner_socket);
}

ScanJobsTargets AntivirusService::job_targets() {
  ScanJobsTargets result;
  result.loop = targets_.loop;
  result.quarantine = &quarantine_;
  result.wall_clock = targets_.wall_clock;
  result.connect = [this] { return av::MessageSocket::connect(targets_.scan_job_socket); };
  result.log = targets_.log;
  result.write_event = [this](const std::string& line) {
    if (wants_alerts_) targets_.write_event(line);
  };
  result.send_report = [this](const config::AvJob& job, const ScanJobReport& report) {
    notices_.report(job.report_to, subject_of(report), body_of(report));
  };
  result.folder = targets_.scan_job_folder;
  result.other_cores = targets_.worker_cores;
  return result;
}

bool AntivirusService::keep(size_t worker, const AntivirusRecord& record, int64_t time_us) {
  if (record.object.bytes == 0) return false;
  const av::WorkerRegion& region = targets_.manager->guards()[worker]->region();
  std::vector<uint8_t> object;
  object.reserve(record.object.bytes);
  auto position = av::WorkerRegion::first_piece(record.object);
  for (auto piece = region.next_piece(position); !piece.empty();
       piece = region.next_piece(position)) {
    object.insert(object.end(), piece.begin(), piece.end());
  }
  QuarantineEntry entry;
  entry.reference = record.reference;
  entry.time_s = time_us / 1'000'000;
  entry.complete = record.complete;
  if (record.complete) entry.sha256 = hexadecimal(record.sha256);
  entry.signature = record.signature.view();
  entry.reason = av::name_of(record.reason);
  entry.profile = targets_.manager->name_of(record.slot);
  entry.protocol = ids::protocol_name(record.facts.protocol);
  entry.client = address_text(record.key.source, record.key.source_port);
  entry.server = address_text(record.key.destination, record.key.destination_port);
  entry.name = record.facts.name.view();
  if (record.facts.host.size != 0 || record.facts.location.size != 0) {
    entry.url = fmt::format("{}{}", record.facts.host.view(), record.facts.location.view());
  }
  entry.sender = record.facts.sender.view();
  entry.recipients = record.facts.recipients.view();
  return quarantine_.add(std::move(entry), std::move(object));
}

void AntivirusService::tell_log(const AntivirusRecord& record, bool kept) {
  const bool passed = record.action == AntivirusAction::Passed;
  const std::string_view what =
      record.signature.size != 0 ? record.signature.view() : av::name_of(record.reason);
  targets_.log(
      !passed || record.reason == av::RefusalReason::Infected,
      fmt::format("{} {} ({}) in {} between {} and {}, {}{}, reference {}{}",
                  passed ? "passed:" : "refused:", printable(what), av::name_of(record.reason),
                  ids::protocol_name(record.facts.protocol),
                  address_text(record.key.source, record.key.source_port),
                  address_text(record.key.destination, record.key.destination_port),
                  printable(record.facts.host.view()), printable(record.facts.location.view()),
                  record.reference, kept ? ", in quarantine" : ""));
}

void AntivirusService::take(size_t worker, const AntivirusRecord& record) {
  const int64_t time_us = targets_.wall_time_us(record.time_us);
  EventCircumstances circumstances;
  circumstances.time_us = static_cast<uint64_t>(std::max<int64_t>(time_us, 0));
  circumstances.profile = targets_.manager->name_of(record.slot);
  circumstances.stored = keep(worker, record, time_us);
  if (wants_alerts_) targets_.write_event(antivirus_alert(record, circumstances));
  if (wants_files_ && record.bytes != 0) {
    targets_.write_event(antivirus_file(record, circumstances));
  }
  tell_log(record, circumstances.stored);
  tell_people(record, time_us);
}

void AntivirusService::tell_people(const AntivirusRecord& record, int64_t time_us) {
  const bool is_mail = record.facts.protocol == ids::ApplicationProtocol::Smtp;
  const bool refused = record.action != AntivirusAction::Passed;
  // Of the web only what was found, not each page that could not be scanned.
  if (record.reason != av::RefusalReason::Infected && !(is_mail && refused)) return;
  if (settings_.notices.smart_host.empty()) return;
  NoticeFacts facts;
  facts.reference = record.reference;
  facts.time_s = time_us / 1'000'000;
  facts.what = record.signature.size != 0 ? record.signature.view() : av::name_of(record.reason);
  facts.protocol = ids::protocol_name(record.facts.protocol);
  facts.client = address_text(record.key.source, record.key.source_port);
  facts.server = address_text(record.key.destination, record.key.destination_port);
  facts.url = fmt::format("{}{}", record.facts.host.view(), record.facts.location.view());
  facts.sender = record.facts.sender.view();
  facts.recipients = record.facts.recipients.view();
  facts.is_mail = is_mail;
  facts.refused = refused;
  const auto& inside = settings_.notices.zones_inside;
  if (is_mail && !inside.empty()) {
    const std::string zone = targets_.zone_of(record.key.destination);
    facts.comes_in = std::find(inside.begin(), inside.end(), zone) != inside.end();
    facts.goes_out = !facts.comes_in;
  }
  notices_.tell(facts);
}

std::optional<uint64_t> AntivirusService::signature_age() const {
  const auto& status = link_.status();
  if (!status || status->engine != "ready" || status->built_s == 0) return std::nullopt;
  return signature_age_days(*status, now_s());
}

bool AntivirusService::signatures_are_old() const {
  return signature_age().value_or(0) > settings_.signature_days;
}

void AntivirusService::watch_age() {
  if (!signatures_are_old()) {
    age_alerted_s_ = 0;
    return;
  }
  if (age_alerted_s_ != 0 && now_s() < age_alerted_s_ + kAgeAlertPeriodS) return;
  age_alerted_s_ = now_s();
  const uint64_t days = *signature_age();
  targets_.log(true, fmt::format("signatures are {} days old, more than `av signatures "
                                 "maximum-age` allows: does freshclam run?",
                                 days));
  if (wants_alerts_) {
    targets_.write_event(
        old_signatures_alert(days, static_cast<uint64_t>(microseconds_of(targets_.wall_clock()))));
  }
}

void AntivirusService::tick() {
  quarantine_.tick();
  notices_.tick();
  scan_jobs_.tick();
  watch_age();
}

}  // namespace masugata::dataplane
