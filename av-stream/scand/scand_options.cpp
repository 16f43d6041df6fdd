// SPDX-License-Identifier: GPL-2.0-or-later
#include "av-stream/scand/scand_options.h"

#include <charconv>
#include <filesystem>
#include <functional>
#include <map>

#include "av-stream/scand/scanner_board.h"

namespace masugata::av {
namespace {

class Arguments {
 public:
  explicit Arguments(const std::vector<std::string>& words) : words_(words) {}
  [[nodiscard]] bool ended() const { return next_ == words_.size(); }
  const std::string& take() { return words_[next_++]; }

 private:
  const std::vector<std::string>& words_;
  size_t next_ = 0;
};

Result<uint64_t> number(const std::string& option, const std::string& text, uint64_t maximum) {
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value == 0 || value > maximum) {
    return failure(option, "must be a number from 1 to " + std::to_string(maximum));
  }
  return value;
}

using Setter = std::function<Status(ScandOptions&, const std::string&)>;

Setter text_setter(std::string ScandOptions::*member) {
  return [member](ScandOptions& options, const std::string& value) {
    options.*member = value;
    return Status();
  };
}

Setter number_setter(std::string option, uint64_t maximum,
                     std::function<void(ScandOptions&, uint64_t)> set) {
  return [=](ScandOptions& options, const std::string& text) -> Status {
    const auto value = number(option, text, maximum);
    if (!value) return tl::unexpected(value.error());
    set(options, *value);
    return {};
  };
}

const std::map<std::string, Setter>& valued_options() {
  constexpr uint64_t kMegabyte = 1 << 20;
  const auto scanners = [](ScandOptions& options, uint64_t value) {
    options.scanners = static_cast<uint32_t>(value);
  };
  static const std::map<std::string, Setter> options = {
      {"--socket", text_setter(&ScandOptions::socket)},
      {"--user", text_setter(&ScandOptions::user)},
      {"--state", text_setter(&ScandOptions::state_file)},
      {"--scanners", number_setter("--scanners", kMaximumScanners, scanners)},
      {"--jobs", number_setter("--jobs", kMaximumScanners, scanners)},
      {"--signatures",
       [](ScandOptions& to, const std::string& value) {
         to.signature_directories.push_back(value);
         return Status();
       }},
      {"--own",
       [](ScandOptions& to, const std::string& value) {
         to.own_signatures.push_back(value);
         return Status();
       }},
      {"--exclude",
       [](ScandOptions& to, const std::string& value) {
         to.excluded.push_back(std::filesystem::absolute(value).lexically_normal().string());
         return Status();
       }},
      {"--file-mb", number_setter("--file-mb", 2047,
                                  [](ScandOptions& to, uint64_t value) {
                                    to.limits.file_bytes = value * kMegabyte;
                                  })},
      {"--scan-mb", number_setter("--scan-mb", 8192,
                                  [](ScandOptions& to, uint64_t value) {
                                    to.limits.scan_bytes = value * kMegabyte;
                                  })},
      {"--time-s", number_setter("--time-s", 600,
                                 [](ScandOptions& to, uint64_t value) {
                                   to.limits.time_ms = static_cast<uint32_t>(value * 1000);
                                 })},
  };
  return options;
}

const std::map<std::string, std::function<void(ScandOptions&)>>& plain_options() {
  static const std::map<std::string, std::function<void(ScandOptions&)>> options = {
      {"--scan", [](ScandOptions& to) { to.mode = ScandMode::Scan; }},
      {"--check", [](ScandOptions& to) { to.mode = ScandMode::Check; }},
      {"--job", [](ScandOptions& to) { to.mode = ScandMode::Job; }},
      {"--help", [](ScandOptions& to) { to.mode = ScandMode::Help; }},
      {"-h", [](ScandOptions& to) { to.mode = ScandMode::Help; }},
      {"--version", [](ScandOptions& to) { to.mode = ScandMode::Version; }},
      {"--syslog", [](ScandOptions& to) { to.syslog = true; }},
      {"--quiet", [](ScandOptions& to) { to.quiet = true; }},
      {"--json", [](ScandOptions& to) { to.json = true; }},
      {"--report-encrypted", [](ScandOptions& to) { to.limits.report_encrypted = 1; }},
      {"--report-macros", [](ScandOptions& to) { to.limits.report_macros = 1; }},
      {"--report-limits", [](ScandOptions& to) { to.limits.report_limits = 1; }},
  };
  return options;
}

}  // namespace

Result<ScandOptions> parse_scand_options(const std::vector<std::string>& words) {
  ScandOptions options;
  Arguments arguments(words);
  bool only_paths = false;
  while (!arguments.ended()) {
    const std::string& word = arguments.take();
    if (only_paths || !word.starts_with('-')) {
      options.paths.push_back(word);
    } else if (word == "--") {
      only_paths = true;
    } else if (const auto plain = plain_options().find(word); plain != plain_options().end()) {
      plain->second(options);
    } else if (const auto valued = valued_options().find(word); valued != valued_options().end()) {
      if (arguments.ended()) return failure(word, "needs a value");
      if (auto status = valued->second(options, arguments.take()); !status) {
        return tl::unexpected(status.error());
      }
    } else {
      return failure(word, "is not an option");
    }
  }
  if (options.signature_directories.empty()) options.signature_directories = {"/var/lib/clamav"};
  const bool takes_paths = options.mode == ScandMode::Scan || options.mode == ScandMode::Check;
  if (options.mode == ScandMode::Scan && options.paths.empty()) {
    return failure("--scan", "needs files or directories");
  }
  if (options.mode == ScandMode::Check && options.paths.size() > 1) {
    return failure("--check", "takes one directory");
  }
  if (!takes_paths && !options.paths.empty())
    return failure(options.paths.front(), "is not expected");
  return options;
}

std::string scand_usage() {
  return R"(usage: masugata-scand [--socket PATH] [--user NAME] [--scanners N] [--syslog]
       masugata-scand --check [DIRECTORY]
       masugata-scand --scan [OPTION...] PATH...
       masugata-scand --job

Scans objects for masugatad with libclamav, in processes without rights.

  --socket PATH       masugatad's socket (/run/masugata/scand.sock)
  --user NAME         whom scanners become when started by root (masugata-scan)
  --scanners N        processes; otherwise as configured
  --syslog            log there instead of on standard error

  --check DIRECTORY   say what signatures are in it and whether an engine of them works

  --scan PATH...      scan files and directories; exit status 0: clean, 1: something was found,
                      2: something could not be scanned
    --jobs N            scanners at a time (as many as processors)
    --quiet             no progress, only what was found
    --json              one JSON object per finding and problem, then the summary
    --state FILE        skip files that were clean before, with the same signatures
    --exclude PATH      leave out a file or directory, may be repeated
    --report-encrypted  encrypted archives and documents are findings
    --report-macros     documents with macros are findings
    --report-limits     files that meet a limit are findings
    --file-mb N         most of one file (100)
    --scan-mb N         most of a file and what is unpacked from it (400)
    --time-s N          most time for one file (120)

  --job               carry out a scan job for the masugatad at standard input, a socket

  --signatures DIRECTORY  of --check and --scan, may be repeated (/var/lib/clamav)
  --own FILE              further signatures, may be repeated
)";
}

}  // namespace masugata::av
