// SPDX-License-Identifier: GPL-2.0-or-later
#include "av-stream/scand/clamav_engine.h"

#include <clamav.h>
#include <fmt/format.h>
#include <sys/random.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <optional>

#include "av-stream/scand/failed_allocations.h"
#include "av-stream/scand/scan_limits.h"
#include "av-stream/scand/shortage.h"

namespace masugata::av {
namespace {

constexpr const char* kWhere = "signatures";
// Unpackers that stop at the limit end this close below it.
constexpr uint64_t kLimitMargin = 16 * 1024;
constexpr size_t kNothingToScan = 5;  // bytes of which libclamav says so
constexpr size_t kEmpty7zBytes = 32;  // its first header alone

// What libclamav said; it has one place for messages in all.
struct Messages {
  std::vector<std::string> errors;
  std::vector<std::string> warnings;
};
Messages* g_messages = nullptr;

// Of one scan; given to libclamav as its context.
struct ScanWatch {
  const std::string& scratch_directory;
  uint64_t file_bytes = 0;
  bool began = false;
  bool stopped_at_limit = false;
  bool was_short = false;  // of files, of room for them, of descriptors or of memory
  bool held_rar = false;
  // Of a 7z archive that nothing has come out of yet.
  std::optional<uint32_t> unopened_7z_level = std::nullopt;
  bool held_unopened_7z = false;
};
ScanWatch* g_watch = nullptr;

// Of such shortages libclamav tells nobody but its messages: what it could not unpack it calls
// clean.
bool says_shortage(std::string_view message) {
  static const std::array<std::string, 6> causes = [] {
    std::array<std::string, 6> texts;
    constexpr std::array kCauses = {ENOSPC, EDQUOT, EFBIG, EMFILE, ENFILE, ENOMEM};
    std::transform(kCauses.begin(), kCauses.end(), texts.begin(), std::strerror);
    return texts;
  }();
  constexpr std::array<std::string_view, 5> kTexts = {"an't create temporary",
                                                      "ailed to create temporary", "an't write",
                                                      "cannot open output file", " not saved"};
  const auto contains = [&](std::string_view text) {
    return message.find(text) != std::string_view::npos;
  };
  return std::any_of(causes.begin(), causes.end(), contains) ||
         std::any_of(kTexts.begin(), kTexts.end(), contains);
}

void keep_message(cl_msg severity, const char* /*full*/, const char* message, void* /*context*/) {
  if (message == nullptr) return;
  if (g_watch != nullptr && says_shortage(message)) g_watch->was_short = true;
  if (g_messages == nullptr) return;
  auto& list = severity == CL_MSG_ERROR ? g_messages->errors : g_messages->warnings;
  if (list.size() >= ClamavEngine::kMaximumMessages) return;
  std::string text(message);
  while (!text.empty() && text.back() == '\n') text.pop_back();
  list.push_back(std::move(text));
}

class MessageScope {
 public:
  explicit MessageScope(Messages& messages) { g_messages = &messages; }
  ~MessageScope() { g_messages = nullptr; }
  MessageScope(const MessageScope&) = delete;
  MessageScope& operator=(const MessageScope&) = delete;
};

// libclamav loads what opens RAR when it is initialised, if it is installed: without it such
// archives are clean.
bool opens_rar() {
  static const bool opens = [] {
    std::ifstream maps("/proc/self/maps");
    for (std::string line; std::getline(maps, line);) {
      if (line.find("libclamunrar") != std::string::npos) return true;
    }
    return false;
  }();
  return opens;
}

Status initialise_library() {
  static const cl_error_t result = [] {
    const cl_error_t code = cl_init(CL_INIT_DEFAULT);
    cl_set_clcb_msg(keep_message);
    static_cast<void>(opens_rar());  // scanners have no /proc
    return code;
  }();
  if (result == CL_SUCCESS) return {};
  return failure("libclamav", cl_strerror(result));
}

std::string joined(const std::vector<std::string>& texts) {
  std::string result;
  for (const std::string& text : texts) result += (result.empty() ? "" : "; ") + text;
  return result;
}

std::string hexadecimal(std::string_view bytes) {
  std::string result;
  for (const char byte : bytes) result += fmt::format("{:02x}", static_cast<unsigned char>(byte));
  return result;
}

std::string sha256(std::string_view bytes) {
  std::array<unsigned char, SHA256_HASH_SIZE> digest{};
  unsigned length = 0;
  cl_sha256(bytes.data(), bytes.size(), digest.data(), &length);
  return hexadecimal({reinterpret_cast<const char*>(digest.data()), digest.size()});
}

Status write_file(const std::string& path, const std::string& text) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << text;
  file.close();
  if (!file) return failure(path, "cannot be written");
  return {};
}

class WatchScope {
 public:
  explicit WatchScope(ScanWatch& watch) { g_watch = &watch; }
  ~WatchScope() { g_watch = nullptr; }
  WatchScope(const WatchScope&) = delete;
  WatchScope& operator=(const WatchScope&) = delete;
};

// libclamav calls a 7z archive clean whose method it does not know (bzip2, deflate and others).
void note_archives(ScanWatch& watch, std::string_view type, uint32_t level, size_t bytes) {
  if (watch.unopened_7z_level && level <= *watch.unopened_7z_level) watch.held_unopened_7z = true;
  watch.unopened_7z_level.reset();
  if (type == "CL_TYPE_RAR") watch.held_rar = true;
  if (type == "CL_TYPE_7Z" && bytes > kEmpty7zBytes) watch.unopened_7z_level = level;
}

// Called before the object itself (level 0) and whatever is unpacked from it is looked into. Some
// unpackers (ZIP among them) cut what is above the limit and say nothing.
cl_error_t watch_layer(int /*descriptor*/, const char* type, const char** /*ancestors*/,
                       size_t /*parent_bytes*/, const char* /*name*/, size_t bytes,
                       const char* /*buffer*/, uint32_t level, uint32_t /*attributes*/,
                       void* context) {
  auto* watch = static_cast<ScanWatch*>(context);
  if (watch == nullptr) return CL_CLEAN;
  watch->began = true;
  if (!watch->was_short) watch->was_short = is_short(watch->scratch_directory, bytes);
  note_archives(*watch, type == nullptr ? "" : type, level, bytes);
  if (level > 0 && bytes + kLimitMargin > watch->file_bytes) watch->stopped_at_limit = true;
  return CL_CLEAN;
}

}  // namespace

std::string eicar_test_file() {
  return std::string("X5O!P%@AP[4\\PZX54(P^)7CC)7}") + "$EICAR-" + "STANDARD-" + "ANTIVIRUS-" +
         "TEST-FILE!" + "$H+H*";
}

void ClamavEngine::Free::operator()(cl_engine* engine) const noexcept { cl_engine_free(engine); }

Result<ClamavEngine> ClamavEngine::load(const EngineSources& sources) {
  if (auto status = initialise_library(); !status) return tl::unexpected(status.error());
  ClamavEngine engine;
  engine.engine_.reset(cl_engine_new());
  if (!engine.engine_) return failure("libclamav", "cannot make an engine: out of memory");
  // Its own memory of clean objects would outlive limits that were set for one scan.
  cl_engine_set_num(engine.engine_.get(), CL_ENGINE_DISABLE_CACHE, 1);
  cl_engine_set_clcb_file_inspection(engine.engine_.get(), watch_layer);
  engine.set_scratch_directory(sources.scratch_directory);
  if (auto status = engine.add_sources(sources); !status) return tl::unexpected(status.error());
  if (auto status = engine.add_built_in(sources); !status) return tl::unexpected(status.error());
  Messages messages;
  const MessageScope scope(messages);
  const cl_error_t code = cl_engine_compile(engine.engine_.get());
  if (code != CL_SUCCESS) {
    return failure(kWhere, fmt::format("cannot be compiled: {} ({})", cl_strerror(code),
                                       joined(messages.errors)));
  }
  return engine;
}

Status ClamavEngine::add_sources(const EngineSources& sources) {
  for (const std::string& directory : sources.directories) {
    if (auto status = add_path(directory, false, signatures_); !status) return status;
  }
  for (const std::string& file : sources.own_signatures) {
    if (auto status = add_path(file, true, signatures_); !status) return status;
  }
  if (signatures_ == 0) return failure(kWhere, "there are none in what was loaded");
  return {};
}

Status ClamavEngine::add_built_in(const EngineSources& sources) {
  std::array<char, 16> random{};
  if (getrandom(random.data(), random.size(), 0) != static_cast<ssize_t>(random.size())) {
    return failure(kWhere, "no random numbers for the test");
  }
  mark_ = "masugata engine test " + hexadecimal({random.data(), random.size()});
  std::string hashes;
  for (const char* end : {"", "\n", "\r\n"}) {
    const std::string file = eicar_test_file() + end;
    hashes += fmt::format("{}:{}:Eicar-Test-File:73\n", sha256(file), file.size());
  }
  std::string allowed;
  for (const std::string& digest : sources.allowed_sha256) {
    allowed += fmt::format("{}:*:allowed:73\n", digest);
  }
  std::vector<std::pair<std::string, std::string>> files = {
      {"masugata.hsb", hashes},
      {"masugata.ndb", fmt::format("Masugata.Engine.Test:0:*:{}\n", hexadecimal(mark_))}};
  if (!allowed.empty()) files.emplace_back("masugata.sfp", allowed);
  for (const auto& [name, text] : files) {
    const std::string path = sources.scratch_directory + "/" + name;
    if (auto status = write_file(path, text); !status) return status;
    uint32_t count = 0;
    const Status added = add_path(path, true, count);
    unlink(path.c_str());
    if (!added) return added;
  }
  return {};
}

Status ClamavEngine::add_path(const std::string& path, bool strict, uint32_t& count) {
  Messages messages;
  const MessageScope scope(messages);
  unsigned loaded = 0;
  const cl_error_t code = cl_load(path.c_str(), engine_.get(), &loaded, CL_DB_STDOPT);
  if (code != CL_SUCCESS) {
    const std::string details = joined(messages.errors);
    return failure(
        path, fmt::format("{}{}", cl_strerror(code), details.empty() ? "" : " (" + details + ")"));
  }
  if (strict && (!messages.errors.empty() || loaded == 0)) {
    messages.errors.insert(messages.errors.end(), messages.warnings.begin(),
                           messages.warnings.end());
    return failure(path, messages.errors.empty() ? "holds no signatures of its kind"
                                                 : joined(messages.errors));
  }
  count += loaded;
  for (const auto* list : {&messages.errors, &messages.warnings}) {
    for (const std::string& text : *list) {
      if (warnings_.size() < kMaximumMessages) warnings_.push_back(path + ": " + text);
    }
  }
  return {};
}

void ClamavEngine::set_scratch_directory(const std::string& directory) {
  cl_engine_set_str(engine_.get(), CL_ENGINE_TMPDIR, directory.c_str());
  scratch_directory_ = directory;
}

void ClamavEngine::set_limits(const ScanLimits& limits) {
  if (std::memcmp(&limits, &set_limits_, sizeof limits) == 0) return;
  set_limits_ = limits;
  const auto set = [this](cl_engine_field field, uint64_t value) {
    cl_engine_set_num(engine_.get(), field, static_cast<long long>(value));
  };
  set(CL_ENGINE_MAX_SCANSIZE, limits.scan_bytes);
  set(CL_ENGINE_MAX_FILESIZE, limits.file_bytes);
  set(CL_ENGINE_MAX_FILES, limits.files);
  set(CL_ENGINE_MAX_RECURSION, limits.recursion);
  set(CL_ENGINE_MAX_SCANTIME, limits.time_ms);
}

ScanResult ClamavEngine::scan(std::span<const uint8_t> object, const std::string& name,
                              const ScanLimits& limits) {
  if (object.empty()) return {ScanOutcome::Clean, ScanFailure::None, {}};
  set_limits(limits);
  cl_scan_options options{};
  options.general = CL_SCAN_GENERAL_HEURISTICS;
  options.parse = ~0U;
  if (limits.report_encrypted != 0) {
    options.heuristic |= CL_SCAN_HEURISTIC_ENCRYPTED_ARCHIVE | CL_SCAN_HEURISTIC_ENCRYPTED_DOC;
  }
  if (limits.report_macros != 0) options.heuristic |= CL_SCAN_HEURISTIC_MACROS;
  if (limits.report_limits != 0) options.heuristic |= CL_SCAN_HEURISTIC_EXCEEDS_MAX;
  ScanWatch watch{scratch_directory_};
  watch.file_bytes = limits.file_bytes;
  watch.stopped_at_limit = object.size() > limits.file_bytes;
  const size_t bytes = std::min<size_t>(object.size(), limits.file_bytes);
  const std::unique_ptr<cl_fmap_t, decltype(&cl_fmap_close)> map(
      cl_fmap_open_memory(object.data(), bytes), cl_fmap_close);
  if (!map) return {ScanOutcome::Failed, ScanFailure::OutOfMemory, {}};
  const WatchScope scope(watch);
  const uint64_t failed_before = failed_allocations();
  const char* signature = nullptr;
  unsigned long scanned = 0;
  const cl_error_t code =
      cl_scanmap_callback(map.get(), name.empty() ? nullptr : name.c_str(), &signature, &scanned,
                          engine_.get(), &options, &watch);
  ScanResult result = read_result(code, signature == nullptr ? "" : signature, limits);
  if (result.outcome == ScanOutcome::Infected) return result;
  if (failed_allocations() != failed_before) watch.was_short = true;
  if (watch.was_short || (!watch.began && bytes > kNothingToScan)) {
    return {ScanOutcome::Failed, ScanFailure::OutOfMemory, {}};
  }
  if (result.outcome != ScanOutcome::Clean) return result;
  if (watch.stopped_at_limit && limits.report_limits != 0) {
    result.outcome = ScanOutcome::LimitSize;
  } else if (watch.held_rar && limits.report_encrypted != 0 && !opens_rar()) {
    result = {ScanOutcome::Encrypted, ScanFailure::None, "Unopened.RAR"};
  } else if ((watch.held_unopened_7z || watch.unopened_7z_level) && limits.report_encrypted != 0) {
    result = {ScanOutcome::Encrypted, ScanFailure::None, "Unopened.7Z"};
  }
  return result;
}

Status ClamavEngine::expect(std::string_view what, std::string_view object, ScanOutcome outcome) {
  const std::span bytes(reinterpret_cast<const uint8_t*>(object.data()), object.size());
  const ScanResult result = scan(bytes, {}, bounded_limits({}));
  if (result.outcome == outcome) return {};
  return failure(kWhere, fmt::format("the engine says {} {}about {}, which must be {}",
                                     outcome_name(result.outcome),
                                     result.signature.empty() ? "" : "(" + result.signature + ") ",
                                     what, outcome_name(outcome)));
}

Status ClamavEngine::verify() {
  std::string encoded(mark_.size() * 2, '\0');
  const int length = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(encoded.data()),
                                     reinterpret_cast<const unsigned char*>(mark_.data()),
                                     static_cast<int>(mark_.size()));
  encoded.resize(static_cast<size_t>(length));
  const std::string head = "From: a@example.org\r\nTo: b@example.org\r\nSubject: test\r\n";
  const std::string attached =
      head +
      "MIME-Version: 1.0\r\nContent-Type: application/octet-stream; name=\"a.bin\"\r\n"
      "Content-Transfer-Encoding: base64\r\n\r\n" +
      encoded + "\r\n";
  std::string counted;
  for (int number = 0; number < 4096; ++number)
    counted += static_cast<char>(number * 7 + number / 256);
  const std::array<std::tuple<std::string_view, std::string, ScanOutcome>, 7> objects = {{
      {"the EICAR test file", eicar_test_file(), ScanOutcome::Infected},
      {"its own mark", mark_, ScanOutcome::Infected},
      {"its own mark inside a mail", attached, ScanOutcome::Infected},
      {"a plain text", "Nothing to see here.\n", ScanOutcome::Clean},
      {"an empty page", "<html><head><title>a</title></head><body></body></html>",
       ScanOutcome::Clean},
      {"a short mail", head + "\r\nHello.\r\n", ScanOutcome::Clean},
      {"counted bytes", counted, ScanOutcome::Clean},
  }};
  for (const auto& [what, object, outcome] : objects) {
    if (auto status = expect(what, object, outcome); !status) return status;
  }
  return {};
}

}  // namespace masugata::av
