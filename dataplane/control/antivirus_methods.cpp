// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/control/antivirus_methods.h"

#include <charconv>
#include <string>

#include "dataplane/control/answering.h"
#include "dataplane/control/gateway_records.h"

namespace masugata::dataplane::control {
namespace {

constexpr uint32_t kDefaultListed = 50;

Json object_of(const NamedCounts& counts) {
  Json object = Json::object();
  for (const auto& [name, value] : counts) object[name] = value;
  return object;
}

Json scanner_json(const AvScannerStatus& status) {
  Json files = Json::array();
  for (const AvSignatureFile& file : status.files) {
    files.push_back({{"path", file.path},
                     {"version", file.version},
                     {"signatures", file.signatures},
                     {"bytes", file.bytes},
                     {"built", file.built_s},
                     {"own", file.own}});
  }
  Json scanners = Json::array();
  for (const AvScanner& scanner : status.scanners) {
    scanners.push_back(
        {{"process", scanner.process}, {"busy_ms", scanner.busy_ms}, {"objects", scanner.objects}});
  }
  return {{"connected", status.connected},
          {"connections", status.connections},
          {"engine", status.engine},
          {"loading", status.loading},
          {"version", status.version},
          {"signatures", status.signatures},
          {"built", status.built_s},
          {"age_days", status.age_days ? Json(*status.age_days) : Json(nullptr)},
          {"maximum_age_days", status.maximum_age_days},
          {"old", status.old},
          {"refusal", status.refusal},
          {"files", files},
          {"scanners", scanners},
          {"restarts", object_of(status.restarts)}};
}

Json status_json(const AvStatus& status) {
  return {{"active", status.active},
          {"profiles", status.profiles},
          {"scanner", scanner_json(status.scanner)},
          {"memory_bytes", status.memory_bytes},
          {"memory_used_bytes", status.memory_used_bytes},
          {"now", object_of(status.now)},
          {"counters", object_of(status.counters)},
          {"passed", object_of(status.passed)},
          {"refused", object_of(status.refused)},
          {"notices", object_of(status.notices)},
          {"notice_problem", status.notice_problem},
          {"blocked_urls", status.blocked_urls},
          {"quarantine",
           {{"objects", status.quarantine.objects},
            {"bytes", status.quarantine.bytes},
            {"maximum_bytes", status.quarantine.maximum_bytes},
            {"not_kept", status.quarantine.not_kept},
            {"problem", status.quarantine.problem}}}};
}

Json urls_json(const AvBlockedUrlList& list) {
  Json urls = Json::array();
  for (const AvBlockedUrl& url : list.urls) {
    urls.push_back({{"host", url.host},
                    {"location", url.location},
                    {"location_bytes", url.location_bytes},
                    {"signature", url.signature},
                    {"reference", url.reference},
                    {"seconds_left", url.seconds_left}});
  }
  return {{"urls", urls}, {"total", list.total}};
}

Json kept_json(const AvKeptList& list) {
  Json objects = Json::array();
  for (const AvKeptObject& kept : list.objects) {
    objects.push_back({{"reference", kept.reference},
                       {"time", kept.time_s},
                       {"bytes", kept.bytes},
                       {"complete", kept.complete},
                       {"sha256", kept.sha256},
                       {"signature", kept.signature},
                       {"reason", kept.reason},
                       {"profile", kept.profile},
                       {"protocol", kept.protocol},
                       {"client", kept.client},
                       {"server", kept.server},
                       {"name", kept.name},
                       {"url", kept.url},
                       {"sender", kept.sender},
                       {"recipients", kept.recipients}});
  }
  return {{"objects", objects}, {"total", list.total}};
}

Json jobs_json(const std::vector<AvScanJob>& list) {
  Json jobs = Json::array();
  for (const AvScanJob& job : list) {
    Json item = {{"name", job.name},
                 {"state", job.state},
                 {"next", job.next_s},
                 {"skipped", job.skipped},
                 {"last", nullptr}};
    if (job.started_s != 0) {
      item["started"] = job.started_s;
      item["so_far"] = object_of(job.so_far);
    }
    if (job.ran) {
      item["last"] = {{"started", job.last_started_s},
                      {"ended", job.last_ended_s},
                      {"result", job.result},
                      {"problem", job.problem},
                      {"counts", object_of(job.counts)}};
    }
    jobs.push_back(std::move(item));
  }
  return {{"jobs", jobs}};
}

// Numbers of 64 bits travel as text, which every JSON reader takes.
uint64_t wide_number(ParameterReader& reader, const char* name, bool required) {
  const std::string text = required ? reader.required_text(name) : reader.text(name);
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (!text.empty() && (error != std::errc() || end != text.data() + text.size())) {
    reader.complain(std::string("\"") + name + "\" is not a whole number, as a text");
  }
  return value;
}

std::string hexadecimal(const std::vector<uint8_t>& bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  text.reserve(bytes.size() * 2);
  for (const uint8_t byte : bytes) {
    text += kDigits[byte >> 4U];
    text += kDigits[byte & 15U];
  }
  return text;
}

void show_status(AntivirusState& state, const Json& parameters, const Responder& responder) {
  ParameterReader reader(parameters);
  if (!refused(reader, responder)) responder.result(status_json(state.status()));
}

void show_urls(AntivirusState& state, const Json& parameters, const Responder& responder) {
  ParameterReader reader(parameters);
  const uint32_t limit = reader.number("limit", 1, kMaximumListed, kDefaultListed);
  if (!refused(reader, responder)) responder.result(urls_json(state.blocked_urls(limit)));
}

void show_kept(AntivirusState& state, const Json& parameters, const Responder& responder) {
  ParameterReader reader(parameters);
  const uint32_t limit = reader.number("limit", 1, kMaximumListed, kDefaultListed);
  if (!refused(reader, responder)) responder.result(kept_json(state.kept(limit)));
}

void clear_urls(AntivirusState& state, const Json& parameters, const Responder& responder) {
  ParameterReader reader(parameters);
  const std::string text = reader.text("text");
  if (refused(reader, responder)) return;
  responder.result({{"cleared", state.clear_blocked_urls(text)}});
}

void read_kept(AntivirusState& state, const Json& parameters, const Responder& responder) {
  ParameterReader reader(parameters);
  const uint64_t reference = wide_number(reader, "reference", true);
  const uint64_t offset = wide_number(reader, "offset", false);
  if (refused(reader, responder)) return;
  const auto bytes = state.read_kept(reference, offset);
  if (bytes) {
    responder.result({{"bytes", hexadecimal(*bytes)}});
  } else {
    responder.error({RpcErrorCode::Failed, bytes.error().message(), nullptr});
  }
}

void remove_kept(AntivirusState& state, const Json& parameters, const Responder& responder) {
  ParameterReader reader(parameters);
  const uint64_t reference = wide_number(reader, "reference", true);
  if (refused(reader, responder)) return;
  answer(state.remove_kept(reference), responder, {{"deleted", true}});
}

void show_jobs(AntivirusState& state, const Json& parameters, const Responder& responder) {
  ParameterReader reader(parameters);
  if (!refused(reader, responder)) responder.result(jobs_json(state.scan_jobs()));
}

void run_job(AntivirusState& state, const Json& parameters, const Responder& responder) {
  ParameterReader reader(parameters);
  const std::string name = reader.required_text("name");
  const std::string action = reader.required_text("action");
  if (action != "start" && action != "stop") reader.complain("\"action\" is start or stop");
  if (refused(reader, responder)) return;
  const bool start = action == "start";
  answer(start ? state.start_scan_job(name) : state.stop_scan_job(name), responder,
         {{start ? "started" : "stopped", name}});
}

void reload(AntivirusState& state, const Json& parameters, const Responder& responder) {
  ParameterReader reader(parameters);
  if (!refused(reader, responder)) answer(state.reload(), responder, {{"loading", true}});
}

}  // namespace

void add_antivirus_methods(AntivirusState& state, MethodTable& methods) {
  using Call = void (*)(AntivirusState&, const Json&, const Responder&);
  const auto add = [&](const char* name, Role role, Call call) {
    methods[name] = {role, [&state, call](const Json& parameters, const Responder& responder) {
                       call(state, parameters, responder);
                     }};
  };
  add("show.av", Role::Observer, show_status);
  add("show.av.blocked-urls", Role::Observer, show_urls);
  add("show.av.quarantine", Role::Observer, show_kept);
  add("show.av.scan-jobs", Role::Observer, show_jobs);
  add("av.scan-job", Role::Administrator, run_job);
  add("clear.av.blocked-urls", Role::Administrator, clear_urls);
  add("av.reload", Role::Administrator, reload);
  add("av.release", Role::Administrator, read_kept);
  add("av.delete", Role::Administrator, remove_kept);
}

}  // namespace masugata::dataplane::control
