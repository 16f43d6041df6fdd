// SPDX-License-Identifier: GPL-2.0-or-later
#include "av-stream/scand/scand_settings.h"

#include <fmt/format.h>

#include <algorithm>

#include "av-stream/scand/scanner_board.h"

namespace masugata::av {
namespace {

constexpr size_t kMaximumTexts = 100'000;

class FieldReader {
 public:
  explicit FieldReader(const nlohmann::json& body) : body_(body) {}

  void number(const char* name, uint32_t minimum, uint32_t maximum, uint32_t& value) {
    const auto field = body_.find(name);
    if (field == body_.end()) return;
    if (!field->is_number_unsigned() || field->get<uint64_t>() < minimum ||
        field->get<uint64_t>() > maximum) {
      complain(name, fmt::format("must be a number from {} to {}", minimum, maximum));
      return;
    }
    value = field->get<uint32_t>();
  }

  void texts(const char* name, bool (*fits)(const std::string&), const char* form,
             std::vector<std::string>& value) {
    const auto field = body_.find(name);
    if (field == body_.end()) return;
    if (!field->is_array() || field->size() > kMaximumTexts) {
      complain(name, fmt::format("must be a list of at most {} texts", kMaximumTexts));
      return;
    }
    std::vector<std::string> read;
    for (const nlohmann::json& item : *field) {
      if (!item.is_string() || !fits(item.get_ref<const std::string&>())) {
        complain(name, fmt::format("must hold {}", form));
        return;
      }
      read.push_back(item.get<std::string>());
    }
    value = std::move(read);
  }

  [[nodiscard]] const Status& status() const { return status_; }

 private:
  void complain(const char* name, std::string what) {
    if (status_) status_ = failure(std::string("settings: ") + name, std::move(what));
  }

  const nlohmann::json& body_;
  Status status_;
};

bool is_path(const std::string& text) {
  return text.starts_with('/') && text.find('\0') == std::string::npos;
}

bool is_digest(const std::string& text) {
  return text.size() == 64 && std::all_of(text.begin(), text.end(), [](char digit) {
           return (digit >= '0' && digit <= '9') || (digit >= 'a' && digit <= 'f');
         });
}

}  // namespace

Result<ScandSettings> read_settings(const nlohmann::json& body) {
  if (!body.is_object()) return failure("settings", "are not an object");
  ScandSettings settings;
  FieldReader reader(body);
  reader.texts("signature_directories", is_path, "absolute paths", settings.signature_directories);
  reader.texts("own_signatures", is_path, "absolute paths", settings.own_signatures);
  reader.texts("allowed_sha256", is_digest, "SHA-256 sums: 64 of 0-9a-f", settings.allowed_sha256);
  reader.number("scanners", 0, kMaximumScanners, settings.scanners);
  reader.number("scanner_memory_mb", 64, 65'536, settings.scanner_memory_mb);
  reader.number("scratch_mb", kLeastScratchMb, 65'536, settings.scratch_mb);
  reader.number("hang_grace_ms", 100, 600'000, settings.hang_grace_ms);
  reader.number("check_interval_ms", 50, 3'600'000, settings.check_interval_ms);
  if (!reader.status()) return tl::unexpected(reader.status().error());
  return settings;
}

nlohmann::json settings_message(const ScandSettings& settings) {
  return {{"type", "settings"},
          {"signature_directories", settings.signature_directories},
          {"own_signatures", settings.own_signatures},
          {"allowed_sha256", settings.allowed_sha256},
          {"scanners", settings.scanners},
          {"scanner_memory_mb", settings.scanner_memory_mb},
          {"scratch_mb", settings.scratch_mb},
          {"hang_grace_ms", settings.hang_grace_ms},
          {"check_interval_ms", settings.check_interval_ms}};
}

}  // namespace masugata::av
