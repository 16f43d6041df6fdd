// SPDX-License-Identifier: GPL-2.0-or-later
#include "av-stream/scand/generation_handle.h"

#include <fmt/format.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <ctime>
#include <utility>

namespace masugata::av {
namespace {

void close_all_but(std::vector<int> kept) {
  std::sort(kept.begin(), kept.end());
  unsigned first = 3;
  for (const int descriptor : kept) {
    const auto number = static_cast<unsigned>(descriptor);
    if (number > first) close_range(first, number - 1, 0);
    first = number + 1;
  }
  close_range(first, ~0U, 0);
}

// The forked process: nothing of the supervisor's is left in it but the channel and the regions.
[[noreturn]] void become_generation(const GenerationPlan& plan, MessageSocket channel,
                                    ScannerBoard& board, HolderNumbers& holders,
                                    std::span<const int> regions) {
  for (const int number : {SIGTERM, SIGINT, SIGHUP, SIGCHLD}) signal(number, SIG_DFL);
  std::vector<int> kept(regions.begin(), regions.end());
  kept.push_back(channel.descriptor());
  close_all_but(kept);
  std::vector<Descriptor> owned;
  for (const int descriptor : regions) owned.emplace_back(descriptor);
  int status = 1;
  try {
    Generation generation(plan, std::move(channel), board, holders, std::move(owned));
    status = generation.run();
  } catch (const std::exception&) {
    // Out of memory or a library's own: the supervisor sees the end.
  }
  _exit(status);
}

}  // namespace

ScanCounters& ScanCounters::operator+=(const ScanCounters& other) noexcept {
  objects += other.objects;
  bytes += other.bytes;
  found += other.found;
  failed += other.failed;
  scan_us += other.scan_us;
  crashes += other.crashes;
  hangs += other.hangs;
  memory_shortages += other.memory_shortages;
  return *this;
}

Result<std::unique_ptr<GenerationHandle>> GenerationHandle::start(const GenerationPlan& plan,
                                                                  HolderNumbers& holders,
                                                                  std::span<const int> regions) {
  auto channel = MessageSocket::create_pair();
  if (!channel) return tl::unexpected(channel.error());
  auto board = SharedWithForks<ScannerBoard>::create();
  if (!board) return tl::unexpected(board.error());
  std::unique_ptr<GenerationHandle> handle(
      new GenerationHandle(std::move(channel->first), std::move(*board)));
  handle->started_ms_ = monotonic_ms();
  GenerationPlan own_plan = plan;
  if (!plan.sandbox.required) {
    const SandboxUser owner = plan.sandbox.user.value_or(SandboxUser{geteuid(), getegid()});
    auto folder = ScratchFolder::create(owner.user, owner.group);
    if (!folder) return tl::unexpected(folder.error());
    own_plan.sandbox.folder = folder->path();
    handle->folder_.emplace(std::move(*folder));
  }
  const pid_t own = getpid();
  const pid_t process = fork();
  if (process < 0) return failure("generation", std::strerror(errno));
  if (process == 0) {
    // Whose parent is gone by now gets no signal of its end.
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != own) _exit(1);
    if (setpgid(0, 0) != 0) _exit(1);
    become_generation(own_plan, std::move(channel->second), *handle->board_, holders, regions);
  }
  // Whoever of the two is first: it stands before anybody is killed by it.
  setpgid(process, process);
  handle->process_ = process;
  return handle;
}

GenerationHandle::~GenerationHandle() {
  if (process_ == 0 || state_ == State::Ended) return;
  kill(process_, SIGKILL);
  siginfo_t ended{};
  waitid(P_PID, static_cast<id_t>(process_), &ended, WEXITED | WNOWAIT);
  reap();
}

// While a dead process keeps its number nobody else has it, nor its group; scanners whose parent it
// was are ours by then.
void GenerationHandle::reap() {
  kill(-process_, SIGKILL);
  while (waitpid(-process_, nullptr, 0) > 0 || errno == EINTR) {
  }
}

GenerationHandle::State GenerationHandle::look() {
  if (state_ == State::Ended) return state_;
  // First whether it lives: what it said before it died is heard after that.
  siginfo_t ended{};
  const bool dead =
      waitid(P_PID, static_cast<id_t>(process_), &ended, WEXITED | WNOHANG | WNOWAIT) == 0 &&
      ended.si_pid == process_;
  while (true) {
    auto message = channel_.receive();
    if (!message || !*message) break;
    hear(**message);
  }
  if (dead) {
    reap();
    state_ = State::Ended;
  }
  return state_;
}

void GenerationHandle::hear(const Message& message) {
  const std::string type = message.type();
  const nlohmann::json& body = message.body;
  if (type == "ready" && state_ == State::Loading) {
    const std::string version = body.value("version", "0");
    std::from_chars(version.data(), version.data() + version.size(), facts_.version, 16);
    facts_.signatures = body.value("signatures", 0U);
    facts_.built = body.value("built", int64_t{0});
    facts_.load_ms = body.value("load_ms", uint64_t{0});
    facts_.large_page_bytes = body.value("large_page_bytes", uint64_t{0});
    facts_.warnings = body.value("warnings", std::vector<std::string>());
    state_ = State::Ready;
  } else if (type == "refused") {
    problem_ = body.value("problem", "");
    state_ = State::Refused;
  } else if (type == "scanner-ended") {
    ends_.push_back(
        {body.value("process", 0), body.value("reason", ""), body.value("failure", "")});
  }
}

std::vector<ScannerEnd> GenerationHandle::take_scanner_ends() { return std::exchange(ends_, {}); }

ScanCounters GenerationHandle::counters() const noexcept {
  ScanCounters sum;
  for (const ScannerSeat& seat : board_->seats) {
    sum += {.objects = seat.objects.load(),
            .bytes = seat.bytes.load(),
            .found = seat.found.load(),
            .failed = seat.failed.load(),
            .scan_us = seat.scan_us.load()};
  }
  sum.crashes = board_->crashes.load();
  sum.hangs = board_->hangs.load();
  sum.memory_shortages = board_->memory_shortages.load();
  return sum;
}

void GenerationHandle::give_regions(std::span<const int> regions) {
  // When it cannot take them it is ending; look() will tell.
  static_cast<void>(channel_.send({{"type", "regions"}}, {regions.begin(), regions.end()}));
}

void GenerationHandle::ask_to_stop() { static_cast<void>(channel_.send({{"type", "stop"}})); }

void GenerationHandle::kill_at_once() { kill(process_, SIGKILL); }

void GenerationHandle::settle(std::vector<ScannerRegion>& regions) {
  for (const ScannerSeat& seat : board_->seats) {
    const uint32_t holder = seat.holder.load();
    if (holder == 0) continue;
    for (ScannerRegion& region : regions) region.settle(holder, ScanFailure::Crash);
  }
}

}  // namespace masugata::av
