// SPDX-License-Identifier: GPL-2.0-or-later
#include "mgmt-cli/support/local_facts.h"

#include <fcntl.h>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <systemd/sd-journal.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <memory>
#include <string_view>

namespace masugata::cli {
namespace {

// Closes it.
class Descriptor {
 public:
  explicit Descriptor(const std::string& path)
      // A pipe or a terminal must not hold us up.
      : number_(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  [[nodiscard]] int number() const { return number_; }

 private:
  int number_;
};

Result<std::string> read_from(int descriptor, off_t offset, size_t bound) {
  struct stat about {};
  if (::fstat(descriptor, &about) != 0) return failure("", std::strerror(errno));
  if (!S_ISREG(about.st_mode)) return failure("", "is no file");
  if (offset > 0 && ::lseek(descriptor, offset, SEEK_SET) < 0) {
    return failure("", std::strerror(errno));
  }
  std::string bytes;
  char buffer[16384];
  while (bytes.size() < bound) {
    const ssize_t count = ::read(descriptor, buffer, std::min(sizeof buffer, bound - bytes.size()));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return failure("", std::strerror(errno));
    if (count == 0) break;
    bytes.append(buffer, static_cast<size_t>(count));
  }
  return bytes;
}

using Journal = std::unique_ptr<sd_journal, decltype(&sd_journal_close)>;

std::string field_of(sd_journal* journal, const char* name) {
  const void* data = nullptr;
  size_t size = 0;
  if (sd_journal_get_data(journal, name, &data, &size) < 0) return {};
  const std::string_view field(static_cast<const char*>(data), size);
  return std::string(field.substr(std::min(field.size(), std::strlen(name) + 1)));
}

std::string journal_line(sd_journal* journal) {
  uint64_t microseconds = 0;
  sd_journal_get_realtime_usec(journal, &microseconds);
  const auto time = static_cast<std::time_t>(microseconds / 1000000);
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:06}Z {}: {}\n", fmt::gmtime(time),
                     microseconds % 1000000, field_of(journal, "_SYSTEMD_UNIT"),
                     field_of(journal, "MESSAGE"));
}

}  // namespace

Result<std::string> beginning_of_file(const std::string& path, size_t bound) {
  const Descriptor file(path);
  if (file.number() < 0) return failure(path, std::strerror(errno));
  Result<std::string> bytes = read_from(file.number(), 0, bound);
  if (!bytes) return failure(path, bytes.error().what);
  return bytes;
}

Result<std::string> end_of_file(const std::string& path, size_t bound) {
  const Descriptor file(path);
  if (file.number() < 0) return failure(path, std::strerror(errno));
  const off_t end = ::lseek(file.number(), 0, SEEK_END);
  if (end < 0) return failure(path, std::strerror(errno));
  const off_t begin = std::max<off_t>(0, end - static_cast<off_t>(bound));
  if (begin == 0) ::lseek(file.number(), 0, SEEK_SET);
  Result<std::string> bytes = read_from(file.number(), begin, bound);
  if (!bytes) return failure(path, bytes.error().what);
  const size_t line_end = bytes->find('\n');
  if (begin > 0 && line_end != std::string::npos) bytes->erase(0, line_end + 1);
  return bytes;
}

std::vector<pid_t> processes_named(const std::string& name) {
  std::vector<pid_t> found;
  std::error_code trouble;
  for (std::filesystem::directory_iterator entry("/proc", trouble), end; !trouble && entry != end;
       entry.increment(trouble)) {
    const std::string digits = entry->path().filename();
    pid_t process = 0;
    const auto [rest, error] =
        std::from_chars(digits.data(), digits.data() + digits.size(), process);
    if (error != std::errc() || *rest != '\0') continue;
    const Result<std::string> called = beginning_of_file(entry->path() / "comm", 32);
    if (called && *called == name + "\n") found.push_back(process);
  }
  std::sort(found.begin(), found.end());
  return found;
}

std::vector<std::string> words_of_process(pid_t process) {
  constexpr size_t kBound = 65536;
  std::vector<std::string> words;
  const auto text = beginning_of_file(fmt::format("/proc/{}/cmdline", process), kBound);
  if (!text) return words;
  for (size_t at = 0; at < text->size();) {
    const size_t end = std::min(text->find('\0', at), text->size());
    words.push_back(text->substr(at, end - at));
    at = end + 1;
  }
  return words;
}

std::optional<OutputFile> output_file_of_process(pid_t process) {
  const std::string link = fmt::format("/proc/{}/fd/1", process);
  std::error_code trouble;
  const auto path = std::filesystem::read_symlink(link, trouble);
  if (trouble || !std::filesystem::is_regular_file(link, trouble)) return std::nullopt;
  return OutputFile{path.filename(), link};
}

Result<std::string> journal_of_units(const std::vector<std::string>& units, size_t bound,
                                     std::chrono::steady_clock::time_point deadline) {
  sd_journal* opened = nullptr;
  const int status = sd_journal_open(&opened, SD_JOURNAL_LOCAL_ONLY);
  if (status < 0) return failure("journal", std::strerror(-status));
  const Journal journal(opened, sd_journal_close);
  for (const std::string& unit : units) {
    sd_journal_add_match(journal.get(), fmt::format("_SYSTEMD_UNIT={}", unit).c_str(), 0);
  }
  if (sd_journal_seek_tail(journal.get()) < 0) return failure("journal", "cannot be read");
  // From the newest backwards, as far as there is room.
  std::vector<std::string> lines;
  size_t bytes = 0;
  while (bytes < bound && std::chrono::steady_clock::now() < deadline &&
         sd_journal_previous(journal.get()) > 0) {
    lines.push_back(journal_line(journal.get()));
    bytes += lines.back().size();
  }
  if (bytes > bound) lines.pop_back();
  if (lines.empty()) return failure("journal", "has no line of the gateway");
  std::string text;
  for (auto line = lines.rbegin(); line != lines.rend(); ++line) text += *line;
  return text;
}

}  // namespace masugata::cli
