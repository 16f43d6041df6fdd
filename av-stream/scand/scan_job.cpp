// SPDX-License-Identifier: GPL-2.0-or-later
#include "av-stream/scand/scan_job.h"

#include <algorithm>
#include <utility>

namespace masugata::av {
namespace {

constexpr size_t kMaximumPaths = 1000;
constexpr size_t kMaximumCores = 4096;
constexpr const char* kWhere = "job";

bool is_path(const nlohmann::json& item) {
  if (!item.is_string()) return false;
  const auto& text = item.get_ref<const std::string&>();
  return text.starts_with('/') && text.find('\0') == std::string::npos;
}

const nlohmann::json& member(const nlohmann::json& body, const char* name) {
  static const nlohmann::json nothing;
  const auto field = body.find(name);
  return field == body.end() ? nothing : *field;
}

Result<std::vector<std::string>> read_paths(const nlohmann::json& body, const char* name) {
  const nlohmann::json& list = member(body, name);
  if (!list.is_array() || list.size() > kMaximumPaths ||
      !std::all_of(list.begin(), list.end(), is_path)) {
    return failure(kWhere, std::string(name) + " must be a list of absolute paths");
  }
  return list.get<std::vector<std::string>>();
}

}  // namespace

nlohmann::json job_message(const ScanJobRequest& request) {
  return {{"type", "job"},
          {"paths", request.paths},
          {"excluded", request.excluded},
          {"settings", settings_message(request.settings)},
          {"file_bytes", request.file_bytes},
          {"state_file", request.state_file},
          {"hand_over", request.hand_over},
          {"other_cores", request.other_cores}};
}

Result<ScanJobRequest> read_job(const nlohmann::json& body) {
  ScanJobRequest request;
  auto paths = read_paths(body, "paths");
  if (!paths) return tl::unexpected(paths.error());
  request.paths = std::move(*paths);
  auto excluded = read_paths(body, "excluded");
  if (!excluded) return tl::unexpected(excluded.error());
  request.excluded = std::move(*excluded);
  auto settings = read_settings(member(body, "settings"));
  if (!settings) return tl::unexpected(settings.error());
  request.settings = std::move(*settings);
  const nlohmann::json& bytes = member(body, "file_bytes");
  if (!bytes.is_number_unsigned()) return failure(kWhere, "file_bytes must be a number");
  request.file_bytes = bytes.get<uint64_t>();
  const nlohmann::json& state = member(body, "state_file");
  if (!is_path(state) && state != "") return failure(kWhere, "state_file must be a path");
  request.state_file = state.get<std::string>();
  const nlohmann::json& hand_over = member(body, "hand_over");
  if (!hand_over.is_boolean()) return failure(kWhere, "hand_over must be true or false");
  request.hand_over = hand_over.get<bool>();
  const nlohmann::json& cores = member(body, "other_cores");
  if (!cores.is_array() || cores.size() > kMaximumCores ||
      !std::all_of(cores.begin(), cores.end(), [](const nlohmann::json& core) {
        return core.is_number_unsigned() && core.get<uint64_t>() < kMaximumCores;
      })) {
    return failure(kWhere, "other_cores must be a list of numbers");
  }
  request.other_cores = cores.get<std::vector<uint32_t>>();
  return request;
}

}  // namespace masugata::av
