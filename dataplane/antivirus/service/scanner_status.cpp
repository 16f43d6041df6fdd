// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/antivirus/service/scanner_status.h"

#include <algorithm>

namespace masugata::dataplane {
namespace {

using Json = nlohmann::json;

constexpr size_t kMaximumListed = 1024;
constexpr size_t kMaximumText = 1024;
constexpr uint64_t kSecondsPerDay = 86'400;

uint64_t number(const Json& body, const char* name) {
  const auto field = body.find(name);
  return field != body.end() && field->is_number_unsigned() ? field->get<uint64_t>() : 0;
}

// Times since 1970 are signed at the other side.
uint64_t time_s(const Json& body, const char* name) {
  const auto field = body.find(name);
  if (field == body.end() || !field->is_number_integer()) return 0;
  if (field->is_number_unsigned()) return field->get<uint64_t>();
  return static_cast<uint64_t>(std::max<int64_t>(field->get<int64_t>(), 0));
}

std::string text(const Json& body, const char* name) {
  const auto field = body.find(name);
  if (field == body.end() || !field->is_string()) return {};
  return field->get_ref<const std::string&>().substr(0, kMaximumText);
}

bool flag(const Json& body, const char* name) {
  const auto field = body.find(name);
  return field != body.end() && field->is_boolean() && field->get<bool>();
}

template <class Entry, class Read>
std::vector<Entry> list(const Json& body, const char* name, Read read) {
  std::vector<Entry> entries;
  const auto field = body.find(name);
  if (field == body.end() || !field->is_array()) return entries;
  for (const Json& item : *field) {
    if (entries.size() == kMaximumListed) break;
    if (item.is_object()) entries.push_back(read(item));
  }
  return entries;
}

SignatureFileStatus read_file(const Json& item) {
  return {text(item, "path"),         number(item, "bytes"), number(item, "version"),
          number(item, "signatures"), time_s(item, "built"), flag(item, "own")};
}

// Of a negative process number nothing is shown.
ScannerProcessStatus read_scanner(const Json& item) {
  return {time_s(item, "process"), number(item, "busy_ms"), number(item, "objects")};
}

}  // namespace

ScannerStatus read_scanner_status(const Json& body) {
  ScannerStatus status;
  if (!body.is_object()) return status;
  const std::string engine = text(body, "engine");
  if (engine == "loading" || engine == "ready") status.engine = engine;
  status.loading = flag(body, "loading");
  status.version = text(body, "version");
  status.signatures = number(body, "signatures");
  status.built_s = time_s(body, "built");
  status.ready_at_s = time_s(body, "ready_at");
  status.load_ms = number(body, "load_ms");
  status.refusal = text(body, "refusal");
  status.refused_at_s = time_s(body, "refused_at");
  status.files = list<SignatureFileStatus>(body, "files", read_file);
  status.scanners = list<ScannerProcessStatus>(body, "scanners", read_scanner);
  const auto counters = body.find("counters");
  if (counters == body.end() || !counters->is_object()) return status;
  status.crashes = number(*counters, "crashes");
  status.hangs = number(*counters, "hangs");
  status.memory_shortages = number(*counters, "memory_shortages");
  status.engines_died = number(*counters, "engines_died");
  status.loads = number(*counters, "loads");
  return status;
}

uint64_t signature_age_days(const ScannerStatus& status, int64_t now_s) {
  const auto now = static_cast<uint64_t>(std::max<int64_t>(now_s, 0));
  if (status.built_s == 0 || now <= status.built_s) return 0;
  return (now - status.built_s) / kSecondsPerDay;
}

}  // namespace masugata::dataplane
