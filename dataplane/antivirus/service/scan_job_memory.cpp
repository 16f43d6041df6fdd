// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/antivirus/service/scan_job_memory.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "av-stream/scand/message_socket.h"

namespace masugata::dataplane {
namespace {

using Json = nlohmann::json;

constexpr std::array kResults{ScanJobResult::Clean, ScanJobResult::Found, ScanJobResult::Incomplete,
                              ScanJobResult::Stopped, ScanJobResult::Failed};

int64_t number(const Json& body, const char* name) {
  const auto field = body.find(name);
  return field != body.end() && field->is_number_integer() ? field->get<int64_t>() : 0;
}

std::string text(const Json& body, const char* name) {
  const auto field = body.find(name);
  return field != body.end() && field->is_string() ? field->get<std::string>() : "";
}

ScanJobMemory read_memory(const Json& body) {
  ScanJobMemory memory;
  memory.settled_s = number(body, "settled");
  const auto unfinished = body.find("unfinished");
  memory.unfinished = unfinished != body.end() && *unfinished == true;
  const auto last = body.find("last");
  if (last == body.end() || !last->is_object()) return memory;
  ScanJobRun& run = memory.last.emplace();
  run.started_s = number(*last, "started");
  run.ended_s = number(*last, "ended");
  run.problem = text(*last, "problem");
  run.counts = read_counts(*last);
  const std::string result = text(*last, "result");
  const auto* const found = std::find_if(kResults.begin(), kResults.end(), [&](ScanJobResult each) {
    return result == name_of(each);
  });
  run.result = found == kResults.end() ? ScanJobResult::Failed : *found;
  return memory;
}

Json memory_json(const ScanJobMemory& memory) {
  Json body = {{"settled", memory.settled_s}, {"unfinished", memory.unfinished}};
  if (!memory.last) return body;
  const ScanJobRun& run = *memory.last;
  body["last"] = {{"started", run.started_s},
                  {"ended", run.ended_s},
                  {"result", name_of(run.result)},
                  {"problem", run.problem},
                  {"files", run.counts.files},
                  {"bytes", run.counts.bytes},
                  {"unchanged", run.counts.unchanged},
                  {"infected", run.counts.infected},
                  {"other_findings", run.counts.other_findings},
                  {"not_scanned", run.counts.not_scanned},
                  {"duration_ms", run.counts.duration_ms},
                  {"signatures", run.counts.signatures}};
  return body;
}

Status write_synced(const std::string& file, const std::string& content) {
  const av::Descriptor output(
      open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!output ||
      write(output.get(), content.data(), content.size()) != static_cast<ssize_t>(content.size()) ||
      fsync(output.get()) != 0) {
    return failure(file, std::strerror(errno));
  }
  return {};
}

}  // namespace

ScanJobMemories load_memories(const std::string& file) {
  ScanJobMemories memories;
  std::ifstream input(file, std::ios::binary);
  const Json body = Json::parse(input, nullptr, false);
  if (!body.is_object()) return memories;
  for (const auto& [name, memory] : body.items()) {
    if (memory.is_object()) memories[name] = read_memory(memory);
  }
  return memories;
}

Status save_memories(const std::string& file, const ScanJobMemories& memories) {
  Json body = Json::object();
  for (const auto& [name, memory] : memories) body[name] = memory_json(memory);
  const std::filesystem::path folder = std::filesystem::path(file).parent_path();
  std::error_code ignored;
  std::filesystem::create_directories(folder, ignored);
  const std::string unfinished = file + ".new";
  Status written = write_synced(
      unfinished, body.dump(2, ' ', true, nlohmann::json::error_handler_t::replace) + "\n");
  if (written && std::rename(unfinished.c_str(), file.c_str()) != 0) {
    written = failure(file, std::strerror(errno));
  }
  if (!written) unlink(unfinished.c_str());
  return written;
}

}  // namespace masugata::dataplane
