// SPDX-License-Identifier: GPL-2.0-or-later
#include "av-stream/scand/generation.h"

#include <fmt/format.h>
#include <iconv.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "av-stream/scand/large_pages.h"
#include "av-stream/scand/scanner.h"

namespace masugata::av {
namespace {

constexpr int kRoundMs = 50;
constexpr uint64_t kIdleSilenceMs = 5000;  // an idle scanner that does not look for work
constexpr uint64_t kShortLifeMs = 1000;    // one that dies younger waits before the next starts
constexpr uint64_t kRestartDelayMs = 200;

// The C library reads tables of character sets from files that scanners cannot see: what was
// opened once stays known.
void learn_character_sets() {
  for (const char* name :
       {"ISO-8859-1", "ISO-8859-2", "ISO-8859-5", "ISO-8859-15", "CP1250",      "CP1251",
        "CP1252",     "CP932",      "SHIFT_JIS",  "EUC-JP",      "ISO-2022-JP", "GBK",
        "GB18030",    "BIG5",       "CP949",      "EUC-KR",      "KOI8-R",      "UTF-16LE",
        "UTF-16BE",   "UTF-16",     "UTF-32",     "UTF-7"}) {
    static_cast<void>(iconv_open("UTF-8", name));
  }
}

bool end_with_parent(pid_t parent) {
  return prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && getppid() == parent;
}

ScanFailure failure_of(int wait_status, bool hung) {
  if (hung) return ScanFailure::Hang;
  if (WIFEXITED(wait_status) && WEXITSTATUS(wait_status) == kScannerOutOfMemory) {
    return ScanFailure::OutOfMemory;
  }
  return ScanFailure::Crash;
}

std::string describe_end(int wait_status, bool hung) {
  if (hung) return "did not answer in time";
  if (WIFSIGNALED(wait_status)) {
    const int signal = WTERMSIG(wait_status);
    if (signal == SIGSYS) return "made a system call that scanners do not make (signal SYS)";
    return fmt::format("signal {}", sigabbrev_np(signal) == nullptr ? "?" : sigabbrev_np(signal));
  }
  const int status = WEXITSTATUS(wait_status);
  return status == kScannerOutOfMemory ? "out of memory" : fmt::format("exit status {}", status);
}

}  // namespace

Generation::Generation(GenerationPlan plan, MessageSocket channel, ScannerBoard& board,
                       HolderNumbers& holders, std::vector<Descriptor> regions)
    : plan_(std::move(plan)),
      channel_(std::move(channel)),
      board_(board),
      holders_(holders),
      descriptors_(std::move(regions)) {}

Status Generation::map_regions(const std::vector<Descriptor>& descriptors) {
  std::vector<ScannerRegion> regions;
  for (const Descriptor& descriptor : descriptors) {
    auto region = ScannerRegion::open(descriptor.get());
    if (!region) return tl::unexpected(region.error());
    regions.push_back(std::move(*region));
  }
  regions_ = std::move(regions);
  return {};
}

Status Generation::prepare() {
  if (auto status = map_regions(descriptors_); !status) return status;
  const uint64_t begin_ms = monotonic_ms();
  auto sandbox = Sandbox::enter(plan_.sandbox);
  if (!sandbox) return tl::unexpected(sandbox.error());
  sandbox_.emplace(std::move(*sandbox));
  plan_.sources.scratch_directory = sandbox_->scratch_directory();
  auto before = examine_signatures(plan_.sources);
  if (!before) return tl::unexpected(before.error());
  auto engine = ClamavEngine::load(plan_.sources);
  if (!engine) return tl::unexpected(engine.error());
  engine_.emplace(std::move(*engine));
  if (auto status = engine_->verify(); !status) return status;
  const auto after = examine_signatures(plan_.sources);
  if (!after || after->version != before->version) {
    return failure("signatures", "changed while they were loaded");
  }
  signatures_ = std::move(*before);
  learn_character_sets();
  large_page_bytes_ = gather_in_large_pages();
  load_ms_ = monotonic_ms() - begin_ms;
  return {};
}

void Generation::report_ready() {
  nlohmann::json warnings = engine_->warnings();
  if (sandbox_->reduced()) {
    warnings.push_back("scanners run without namespaces: they see the files of their user");
  }
  const Status sent = channel_.send({{"type", "ready"},
                                     {"version", fmt::format("{:016x}", signatures_.version)},
                                     {"signatures", engine_->signatures()},
                                     {"built", signatures_.newest_build.value_or(0)},
                                     {"load_ms", load_ms_},
                                     {"large_page_bytes", large_page_bytes_},
                                     {"warnings", warnings}});
  if (!sent) stopping_ = true;
}

int Generation::run() {
  const pid_t supervisor = getppid();
  prctl(PR_SET_NAME, "scand-engine");
  Status status = prepare();
  // Changing the user has undone what was said before.
  if (!end_with_parent(supervisor)) return 1;
  if (!status) {
    static_cast<void>(channel_.send({{"type", "refused"}, {"problem", status.error().message()}}));
    return 1;
  }
  report_ready();
  while (true) {
    look_after_scanners();
    if (!problem_.empty()) {
      static_cast<void>(channel_.send({{"type", "refused"}, {"problem", problem_}}));
      return 1;
    }
    const bool alone = std::all_of(seats_.begin(), seats_.end(),
                                   [](const Seat& seat) { return seat.process == 0; });
    if (stopping_ && alone) return 0;
    if (!hear_supervisor(kRoundMs)) return 1;
  }
}

bool Generation::hear_supervisor(int timeout_ms) {
  pollfd waiting{channel_.descriptor(), POLLIN, 0};
  if (poll(&waiting, 1, timeout_ms) <= 0) return true;
  auto message = channel_.receive();
  if (!message) return false;
  if (!*message) return true;
  if ((*message)->type() == "stop") {
    stopping_ = true;
    board_.round.fetch_add(1);
  } else if ((*message)->type() == "regions") {
    replace_regions((*message)->descriptors);
  }
  return true;
}

void Generation::replace_regions(const std::vector<Descriptor>& descriptors) {
  // Their answers have no reader any more.
  for (const Seat& seat : seats_) {
    if (seat.process > 0) kill(seat.process, SIGKILL);
  }
  for (uint32_t index = 0; index < plan_.sandbox.seats; ++index) {
    if (seats_[index].process > 0) waitpid(seats_[index].process, nullptr, 0);
    seats_[index] = {};
    sandbox_->clear_seat(index);
  }
  for (ScannerSeat& seat : board_.seats) seat.holder.store(0);
  if (auto status = map_regions(descriptors); !status) {
    // The supervisor has mapped them itself: it cannot be the regions.
    problem_ = status.error().message();
  }
}

void Generation::look_after_scanners() {
  const uint64_t now_ms = monotonic_ms();
  board_.seen_ms.store(now_ms);
  bury_dead();
  for (uint32_t index = 0; index < plan_.sandbox.seats; ++index) {
    const Seat& seat = seats_[index];
    if (seat.process > 0) {
      end_hanging(index, now_ms);
    } else if (!stopping_ && !regions_.empty() && now_ms >= seat.start_at_ms) {
      start(index, now_ms);
    }
  }
}

void Generation::bury_dead() {
  int wait_status = 0;
  for (pid_t dead = waitpid(-1, &wait_status, WNOHANG); dead > 0;
       dead = waitpid(-1, &wait_status, WNOHANG)) {
    for (uint32_t index = 0; index < plan_.sandbox.seats; ++index) {
      if (seats_[index].process == dead) settle(index, wait_status);
    }
  }
}

void Generation::settle(uint32_t index, int wait_status) {
  Seat& seat = seats_[index];
  ScannerSeat& shared = board_.seats[index];
  const uint64_t now_ms = monotonic_ms();
  const pid_t process = std::exchange(seat.process, 0);
  const uint32_t holder = std::exchange(seat.holder, 0);
  shared.holder.store(0);
  const bool hung = std::exchange(seat.hung, false);
  shared.process.store(0);
  shared.busy_since_ms.store(0);
  sandbox_->clear_seat(index);
  if (WIFEXITED(wait_status) && WEXITSTATUS(wait_status) == kScannerEnded && !hung) return;
  if (WIFEXITED(wait_status) && WEXITSTATUS(wait_status) == kScannerNotConfined) {
    problem_ = "sandbox: scanners cannot be confined";
  }
  const ScanFailure cause = failure_of(wait_status, hung);
  for (ScannerRegion& region : regions_) region.settle(holder, cause);
  auto& counter = cause == ScanFailure::Hang          ? board_.hangs
                  : cause == ScanFailure::OutOfMemory ? board_.memory_shortages
                                                      : board_.crashes;
  counter.fetch_add(1);
  shared.failed.fetch_add(1);
  if (now_ms - seat.started_ms < kShortLifeMs) seat.start_at_ms = now_ms + kRestartDelayMs;
  static_cast<void>(channel_.send({{"type", "scanner-ended"},
                                   {"process", process},
                                   {"reason", describe_end(wait_status, hung)},
                                   {"failure", failure_name(cause)}}));
}

void Generation::end_hanging(uint32_t index, uint64_t now_ms) {
  const ScannerSeat& shared = board_.seats[index];
  const uint64_t busy_since_ms = shared.busy_since_ms.load();
  const bool late = busy_since_ms != 0 ? now_ms > busy_since_ms + shared.allowed_ms.load()
                                       : now_ms > shared.seen_ms.load() + kIdleSilenceMs;
  if (!late || seats_[index].hung) return;
  seats_[index].hung = true;
  kill(seats_[index].process, SIGKILL);
}

void Generation::start(uint32_t index, uint64_t now_ms) {
  Seat& seat = seats_[index];
  ScannerSeat& shared = board_.seats[index];
  const uint32_t holder = holders_.next();
  shared.holder.store(holder);
  shared.busy_since_ms.store(0);
  shared.seen_ms.store(now_ms);
  const pid_t own = getpid();
  const pid_t process = fork();
  if (process == 0) become_scanner(index, own);
  if (process < 0) {
    shared.holder.store(0);
    seat.start_at_ms = now_ms + kRestartDelayMs;
    return;
  }
  seat = {process, holder, now_ms, 0, false};
  shared.process.store(process);
}

// `generation`, known before the fork: who asks for it later may get that of its heir.
void Generation::become_scanner(uint32_t index, pid_t generation) {
  prctl(PR_SET_NAME, "scand-scanner");
  prctl(PR_SET_TIMERSLACK, 1000UL);  // nanoseconds: short sleeps are meant
  signal(SIGTERM, SIG_DFL);
  signal(SIGHUP, SIG_DFL);
  signal(SIGXFSZ, SIG_IGN);  // a file that grows too large is its object's trouble
  if (!end_with_parent(generation)) _exit(kScannerEnded);
  std::set_new_handler([] { _exit(kScannerOutOfMemory); });
  const auto scratch = sandbox_->confine(index);
  if (!scratch) _exit(kScannerNotConfined);
  engine_->set_scratch_directory(*scratch);
  Scanner scanner({*engine_, regions_, board_, board_.seats[index], signatures_.version,
                   plan_.hang_grace_ms, *scratch});
  _exit(scanner.run());
}

}  // namespace masugata::av
