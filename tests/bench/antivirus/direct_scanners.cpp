// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/bench/antivirus/direct_scanners.h"

#include <clamav.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <ctime>
#include <memory>
#include <utility>

#include "av-stream/scand/scan_limits.h"

namespace masugata::bench {
namespace {

using Lists = std::vector<std::vector<std::string>>;

struct Answer {
  pid_t process = 0;  // the first answer of each says that it is there
  uint32_t not_clean = 0;
};

cl_engine* load_engine(const std::string& folder) {
  if (cl_init(CL_INIT_DEFAULT) != CL_SUCCESS) return nullptr;
  cl_engine* engine = cl_engine_new();
  cl_engine_set_num(engine, CL_ENGINE_DISABLE_CACHE, 1);
  const av::ScanLimits limits = av::bounded_limits({});
  cl_engine_set_num(engine, CL_ENGINE_MAX_SCANSIZE, static_cast<long long>(limits.scan_bytes));
  cl_engine_set_num(engine, CL_ENGINE_MAX_FILESIZE, static_cast<long long>(limits.file_bytes));
  cl_engine_set_num(engine, CL_ENGINE_MAX_FILES, limits.files);
  cl_engine_set_num(engine, CL_ENGINE_MAX_RECURSION, limits.recursion);
  cl_engine_set_num(engine, CL_ENGINE_MAX_SCANTIME, limits.time_ms);
  unsigned count = 0;
  if (cl_load(folder.c_str(), engine, &count, CL_DB_STDOPT) != CL_SUCCESS) return nullptr;
  return cl_engine_compile(engine) == CL_SUCCESS ? engine : nullptr;
}

bool is_clean(const cl_engine* engine, const std::string& object) {
  cl_scan_options options{};
  options.general = CL_SCAN_GENERAL_HEURISTICS;
  options.parse = ~0U;
  options.heuristic = CL_SCAN_HEURISTIC_ENCRYPTED_ARCHIVE | CL_SCAN_HEURISTIC_ENCRYPTED_DOC |
                      CL_SCAN_HEURISTIC_EXCEEDS_MAX;
  const std::unique_ptr<cl_fmap_t, decltype(&cl_fmap_close)> map(
      cl_fmap_open_memory(object.data(), object.size()), cl_fmap_close);
  if (!map) return false;
  const char* name = nullptr;
  unsigned long scanned = 0;
  return cl_scanmap_callback(map.get(), nullptr, &name, &scanned, engine, &options, nullptr) ==
         CL_CLEAN;
}

[[noreturn]] void serve(const cl_engine* engine, const Lists& work, uint32_t own, uint32_t all,
                        int questions, int answers) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  Answer answer{getpid(), 0};
  uint32_t list = 0;
  while (write(answers, &answer, sizeof answer) == sizeof answer &&
         read(questions, &list, sizeof list) == sizeof list) {
    answer.not_clean = 0;
    for (size_t i = own; i < work[list].size(); i += all) {
      if (!is_clean(engine, work[list][i])) ++answer.not_clean;
    }
  }
  _exit(0);
}

[[noreturn]] void host(const std::string& folder, const Lists& work, uint32_t processes,
                       const std::vector<int>& questions, int answers) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  const cl_engine* engine = load_engine(folder);
  if (engine == nullptr) _exit(1);
  for (uint32_t i = 0; i < processes; ++i) {
    if (fork() == 0) serve(engine, work, i, processes, questions[i], answers);
  }
  close(answers);
  while (wait(nullptr) > 0) continue;
  _exit(0);
}

}  // namespace

Result<DirectScanners> DirectScanners::start(const std::string& folder, uint32_t processes,
                                             const Lists& work) {
  DirectScanners scanners;
  std::vector<int> read_ends;
  std::array<int, 2> ends{};
  for (uint32_t i = 0; i < processes; ++i) {
    if (pipe(ends.data()) != 0) return failure("direct scanners", "no pipe");
    read_ends.push_back(ends[0]);
    scanners.questions_.push_back(ends[1]);
  }
  if (pipe(ends.data()) != 0) return failure("direct scanners", "no pipe");
  scanners.answers_ = ends[0];
  scanners.host_ = fork();
  if (scanners.host_ == 0) host(folder, work, processes, read_ends, ends[1]);
  close(ends[1]);
  for (const int end : read_ends) close(end);
  for (uint32_t i = 0; i < processes; ++i) {
    Answer answer;
    if (read(scanners.answers_, &answer, sizeof answer) != sizeof answer) {
      return failure(folder, "libclamav does not load these signatures");
    }
    scanners.processes_.push_back(answer.process);
  }
  return scanners;
}

DirectScanners::DirectScanners(DirectScanners&& other) noexcept
    : host_(std::exchange(other.host_, 0)),
      questions_(std::exchange(other.questions_, {})),
      answers_(std::exchange(other.answers_, -1)),
      processes_(std::exchange(other.processes_, {})) {}

DirectScanners::~DirectScanners() {
  for (const int end : questions_) close(end);
  if (answers_ >= 0) close(answers_);
  if (host_ == 0) return;
  kill(host_, SIGKILL);
  waitpid(host_, nullptr, 0);
}

int64_t DirectScanners::scan(uint32_t list) {
  for (const int end : questions_) {
    if (write(end, &list, sizeof list) != sizeof list) return -1;
  }
  int64_t not_clean = 0;
  for (size_t i = 0; i < questions_.size(); ++i) {
    Answer answer;
    if (read(answers_, &answer, sizeof answer) != sizeof answer) return -1;
    not_clean += answer.not_clean;
  }
  return not_clean;
}

double processor_time_s(pid_t process) noexcept {
  clockid_t clock{};
  timespec used{};
  if (clock_getcpuclockid(process, &clock) != 0 || clock_gettime(clock, &used) != 0) return 0;
  return static_cast<double>(used.tv_sec) + static_cast<double>(used.tv_nsec) / 1e9;
}

}  // namespace masugata::bench
