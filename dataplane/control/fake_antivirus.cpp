// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/control/fake_antivirus.h"

namespace masugata::dataplane::control {

FakeAntivirus::FakeAntivirus() : kept_bytes({0x4d, 0x5a, 0x00, 0xff, 0x0a}) {
  AvStatus& status = status_answer;
  status.active = true;
  status.profiles = {"strict", "guests"};
  status.scanner.connected = true;
  status.scanner.connections = 1;
  status.scanner.engine = "ready";
  status.scanner.version = "00000000000000ab";
  status.scanner.signatures = 8'701'234;
  status.scanner.built_s = 1'600'000'000;
  status.scanner.age_days = 5;
  status.scanner.maximum_age_days = 3;
  status.scanner.old = true;
  status.scanner.files = {
      {"/var/lib/clamav/daily.cvd", 27'001, 2'000'000, 62'000'000, 1'600'000'000, false}};
  status.scanner.scanners = {{4242, 0, 12'345}, {4243, 17, 12'001}};
  status.scanner.restarts = {
      {"crashes", 2}, {"hangs", 1}, {"memory_shortages", 0}, {"engines_died", 0}};
  status.memory_bytes = 256ULL << 20U;
  status.memory_used_bytes = 3ULL << 20U;
  status.now = {{"sessions", 17}, {"objects", 4}, {"segments_held", 9}};
  status.counters = {
      {"objects", 1'234'567},   {"bytes", 9'876'543'210}, {"scanned", 234'567}, {"clean", 234'550},
      {"known_clean", 990'000}, {"infected", 17},         {"answered", 15},     {"reset", 2},
      {"urls_refused", 3}};
  status.passed = {{"too-large", 12}, {"encrypted", 3}};
  status.refused = {{"infected", 17}, {"not-scanned", 1}};
  status.notices = {{"sent", 7}, {"failed", 0}, {"suppressed", 2}, {"waiting", 1}};
  status.blocked_urls = 1;
  status.quarantine = {1, 5, 1ULL << 30U, 0, ""};
  urls_answer = {
      {{"example.com", "/eicar.com", "Eicar-Test-Signature", 1'000'000'007, 14'000, 0},
       {"example.com", "/get?t=0123456789", "Eicar-Test-Signature", 1'000'000'008, 14'100, 1'234}},
      2};
  AvKeptObject kept_object;
  kept_object.reference = 1'000'000'007;
  kept_object.time_s = 1'600'000'000;
  kept_object.bytes = kept_bytes.size();
  kept_object.complete = true;
  kept_object.sha256 = std::string(64, 'a');
  kept_object.signature = "Eicar-Test-Signature";
  kept_object.reason = "infected";
  kept_object.profile = "strict";
  kept_object.protocol = "http";
  kept_object.client = "10.0.1.2:40000";
  kept_object.server = "192.0.2.80:80";
  kept_object.name = "eicar.com";
  kept_object.url = "example.com/eicar.com";
  kept_answer = {{kept_object}, 1};
  AvScanJob mail;
  mail.name = "mail-store";
  mail.state = "running";
  mail.started_s = 1'600'048'800;
  mail.so_far = {{"files", 12'000}, {"bytes", 1'500'000'000}, {"infected", 0}};
  mail.next_s = 1'600'135'200;
  mail.skipped = 1;
  AvScanJob shares;
  shares.name = "shares";
  shares.state = "idle";
  shares.next_s = 1'600'392'600;
  shares.ran = true;
  shares.last_started_s = 1'599'787'800;
  shares.last_ended_s = 1'599'791'520;
  shares.result = "found";
  shares.counts = {{"files", 1'000},         {"bytes", 25'000'000}, {"unchanged", 99'000},
                   {"infected", 2},          {"other_findings", 1}, {"not_scanned", 3},
                   {"signatures", 8'701'234}};
  AvScanJob broken;
  broken.name = "broken";
  broken.state = "waiting";
  broken.next_s = 1'600'135'200;
  broken.ran = true;
  broken.last_started_s = 1'600'048'800;
  broken.last_ended_s = 1'600'048'801;
  broken.result = "failed";
  broken.problem = "/var/lib/clamav: holds no signature files: freshclam fetches them";
  jobs_answer = {mail, shares, broken};
}

AvBlockedUrlList FakeAntivirus::blocked_urls(uint32_t limit) {
  AvBlockedUrlList list = urls_answer;
  list.urls.resize(std::min<size_t>(limit, list.urls.size()));
  return list;
}

uint64_t FakeAntivirus::clear_blocked_urls(std::string_view text) {
  calls.push_back("clear " + std::string(text));
  return urls_answer.urls.size();
}

AvKeptList FakeAntivirus::kept(uint32_t limit) {
  AvKeptList list = kept_answer;
  list.objects.resize(std::min<size_t>(limit, list.objects.size()));
  return list;
}

Result<std::vector<uint8_t>> FakeAntivirus::read_kept(uint64_t reference, uint64_t offset) {
  if (reference != kept_answer.objects.front().reference) {
    return failure("quarantine", "has nothing with this reference");
  }
  const size_t begin = std::min<size_t>(offset, kept_bytes.size());
  const size_t end = std::min<size_t>(begin + 2, kept_bytes.size());
  return std::vector<uint8_t>(kept_bytes.begin() + static_cast<ptrdiff_t>(begin),
                              kept_bytes.begin() + static_cast<ptrdiff_t>(end));
}

Status FakeAntivirus::remove_kept(uint64_t reference) {
  calls.push_back("remove " + std::to_string(reference));
  if (reference == kept_answer.objects.front().reference) return {};
  return failure("quarantine", "has nothing with this reference");
}

Status FakeAntivirus::start_scan_job(const std::string& name) {
  calls.push_back("start " + name);
  if (name == "shares") return {};
  return failure("scan job " + name, "runs already");
}

Status FakeAntivirus::stop_scan_job(const std::string& name) {
  calls.push_back("stop " + name);
  return {};
}

}  // namespace masugata::dataplane::control
