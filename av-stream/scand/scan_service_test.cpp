// SPDX-License-Identifier: GPL-2.0-or-later
// Real processes: supervisor's side here, generations and scanners forked.
#include "av-stream/scand/scan_service.h"

#include <dirent.h>
#include <gtest/gtest.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <random>
#include <sstream>
#include <utility>

#include "av-stream/scand/scanner.h"
#include "av-stream/scand/test_archives.h"
#include "av-stream/scand/test_bench.h"

namespace masugata::av {
namespace {

constexpr size_t kSlowBytes = 12'000'000;
constexpr const char* kTestFiles = "/usr/share/clamav-testfiles";

std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

size_t open_descriptors() {
  size_t count = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    ++count;
  }
  return count;
}

uint64_t resident_kb(pid_t process) {
  std::istringstream status(read_file("/proc/" + std::to_string(process) + "/status"));
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmRSS:")) return std::stoull(line.substr(6));
  }
  return 0;
}

// In the folders that a process has open, plain files only.
size_t files_in_folders(pid_t process) {
  size_t files = 0;
  std::error_code error;
  const std::string folder = "/proc/" + std::to_string(process) + "/fd";
  for (const auto& descriptor : std::filesystem::directory_iterator(folder, error)) {
    if (!std::filesystem::is_directory(descriptor.path(), error)) continue;
    for (auto entry = std::filesystem::recursive_directory_iterator(descriptor.path(), error);
         entry != std::filesystem::recursive_directory_iterator(); entry.increment(error)) {
      if (entry->is_regular_file(error)) ++files;
    }
  }
  return files;
}

// While it lives, the first process that is forked `depth` processes below this one ends its
// parent, which waits for that, before either returns from fork(): as if the parent had died just
// then.
class OrphanMaker {
 public:
  explicit OrphanMaker(int depth) {
    static const int registered = pthread_atfork(
        nullptr, [] { in_parent(); }, [] { in_child(); });
    EXPECT_EQ(registered, 0);
    void* memory =
        mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory != MAP_FAILED) shared_ = static_cast<Shared*>(memory);
    EXPECT_NE(shared_, nullptr);
    wanted_ = depth_ + depth;
  }
  ~OrphanMaker() { munmap(std::exchange(shared_, nullptr), sizeof(Shared)); }
  OrphanMaker(const OrphanMaker&) = delete;
  OrphanMaker& operator=(const OrphanMaker&) = delete;

  // 0: there is none yet.
  [[nodiscard]] static pid_t orphan() { return shared_->orphan.load(); }

 private:
  struct Shared {
    std::atomic<pid_t> orphan;
    std::atomic<bool> parent_waits;
  };

  static void in_parent() {
    if (shared_ == nullptr || depth_ + 1 != wanted_) return;
    while (!shared_->parent_waits.exchange(true)) pause();
  }
  static void in_child() {
    ++depth_;
    pid_t nobody = 0;
    if (shared_ == nullptr || depth_ != wanted_) return;
    if (!shared_->orphan.compare_exchange_strong(nobody, getpid())) return;
    const pid_t parent = getppid();
    while (!shared_->parent_waits.load()) usleep(100);
    kill(parent, SIGKILL);
    while (getppid() == parent) usleep(100);
  }

  static inline Shared* shared_ = nullptr;
  static inline int depth_ = 0;
  static inline int wanted_ = 0;
};

TEST(ScanService, FindsAndLeaves) {
  ServiceBench bench;
  ASSERT_TRUE(bench.start());
  const ScanAnswer bad = bench.scan("before " + std::string(kEvil));
  EXPECT_EQ(bad.outcome, ScanOutcome::Infected);
  EXPECT_STREQ(bad.signature, "Test.Evil.UNOFFICIAL");
  EXPECT_EQ(bad.signatures, bench.worker.signatures());
  EXPECT_NE(bad.signatures, 0U);
  EXPECT_EQ(bench.scan(eicar_test_file()).outcome, ScanOutcome::Infected);
  EXPECT_EQ(bench.scan("harmless").outcome, ScanOutcome::Clean);
  EXPECT_EQ(bench.scan("").outcome, ScanOutcome::Clean);
  const auto status = bench.service->status();
  EXPECT_EQ(status["counters"]["objects"], 4);
  EXPECT_EQ(status["counters"]["found"], 2);
}

// Each holds clam.exe in another way: found by its sum only when it was unpacked rightly.
TEST(ScanService, FindsEveryTestFileOfClamav) {
  if (!std::filesystem::exists(kTestFiles)) GTEST_SKIP() << "clamav-testfiles is not installed";
  ServiceBench bench(2);
  const std::string inner = read_file(std::string(kTestFiles) + "/clam.exe");
  bench.settings.own_signatures = {bench.directory.write(
      "own.hsb", sha256_text(inner) + ":" + std::to_string(inner.size()) + ":Test.Clam:73\n")};
  ASSERT_TRUE(bench.start());
  size_t files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(kTestFiles)) {
    ++files;
    EXPECT_EQ(bench.scan(read_file(entry.path())).outcome, ScanOutcome::Infected) << entry.path();
  }
  EXPECT_GE(files, 40U);
  EXPECT_EQ(bench.service->status()["counters"]["crashes"], 0);
}

TEST(ScanService, AKilledScannerCostsItsObjectOnly) {
  ServiceBench bench;
  ASSERT_TRUE(bench.start());
  ASSERT_TRUE(bench.ask(slow_object(kSlowBytes)));
  const pid_t victim = bench.wait_for_busy_scanner();
  ASSERT_GT(victim, 0);
  ASSERT_TRUE(bench.ask(kEvil));  // waits behind it
  kill(victim, SIGKILL);
  const ScanAnswer lost = bench.answer();
  EXPECT_EQ(lost.outcome, ScanOutcome::Failed);
  EXPECT_EQ(lost.failure, ScanFailure::Crash);
  EXPECT_EQ(bench.answer().outcome, ScanOutcome::Infected);
  EXPECT_EQ(bench.service->status()["counters"]["crashes"], 1);
}

TEST(ScanService, AHangingScannerIsEnded) {
  ServiceBench bench;
  bench.settings.hang_grace_ms = 100;
  ASSERT_TRUE(bench.start());
  ASSERT_TRUE(bench.ask(slow_object(kSlowBytes), {.time_ms = 300}));
  const pid_t victim = bench.wait_for_busy_scanner();
  ASSERT_GT(victim, 0);
  kill(victim, SIGSTOP);
  const ScanAnswer lost = bench.answer();
  EXPECT_EQ(lost.outcome, ScanOutcome::Failed);
  EXPECT_EQ(lost.failure, ScanFailure::Hang);
  EXPECT_EQ(bench.scan(kEvil).outcome, ScanOutcome::Infected);
}

TEST(ScanService, LittleMemoryCostsTheObjectOnly) {
  ServiceBench bench;
  bench.settings.scanner_memory_mb = 64;
  ASSERT_TRUE(bench.start());
  EXPECT_EQ(bench.scan(std::string(80'000'000, 'a')).failure, ScanFailure::OutOfMemory);
  EXPECT_EQ(bench.scan(kEvil).outcome, ScanOutcome::Infected);
}

TEST(ScanService, ALimitOfTimeIsAnOutcome) {
  ServiceBench bench;
  bench.settings.hang_grace_ms = 60'000;  // however busy the machine is
  ASSERT_TRUE(bench.start());
  const std::string slow = slow_object(kSlowBytes);
  EXPECT_EQ(bench.scan(slow, {.time_ms = 50, .report_limits = 1}).outcome, ScanOutcome::LimitTime);
  // Limits are of one request, not of the next.
  EXPECT_EQ(bench.scan(slow, {.report_limits = 1}).outcome, ScanOutcome::Clean);
}

TEST(ScanService, ReloadsWhileItScans) {
  ServiceBench bench;
  ASSERT_TRUE(bench.start());
  const uint64_t before = bench.worker.signatures();
  EXPECT_EQ(bench.scan("unknown so far").outcome, ScanOutcome::Clean);
  ASSERT_TRUE(bench.ask(slow_object(kSlowBytes)));
  ASSERT_GT(bench.wait_for_busy_scanner(), 0);
  bench.directory.write("signatures/more.ndb", body_signature("Test.New", "unknown so far"));
  ASSERT_TRUE(bench.until([&] { return bench.worker.signatures() != before; }));
  EXPECT_EQ(bench.scan("unknown so far").outcome, ScanOutcome::Infected);
  const ScanAnswer slow = bench.answer();
  EXPECT_EQ(slow.outcome, ScanOutcome::Clean);
  EXPECT_EQ(slow.signatures, before);  // the old engine finished what it had
}

TEST(ScanService, ABrokenFileIsRefusedAndTheOldEngineStays) {
  ServiceBench bench;
  ASSERT_TRUE(bench.start());
  const uint64_t before = bench.worker.signatures();
  bench.directory.write("signatures/test.ndb", body_signature("Test.Evil", kEvil) + "Test.Cut:0:*");
  ASSERT_TRUE(bench.until([&] { return !bench.service->refusal().empty(); }));
  EXPECT_NE(bench.service->refusal().find("test.ndb"), std::string::npos);
  EXPECT_NE(bench.service->refusal().find("line 2"), std::string::npos);
  EXPECT_EQ(bench.worker.signatures(), before);
  EXPECT_EQ(bench.scan(kEvil).outcome, ScanOutcome::Infected);
  bench.directory.write("signatures/test.ndb", body_signature("Test.Good", "good again"));
  ASSERT_TRUE(bench.until([&] { return bench.service->refusal().empty(); }));
  EXPECT_EQ(bench.scan("good again").outcome, ScanOutcome::Infected);
}

TEST(ScanService, WithoutSignaturesNothingIsScanned) {
  ServiceBench bench;
  std::filesystem::remove(bench.directory.path() + "/signatures/test.ndb");
  bench.service->configure(bench.settings);
  ASSERT_TRUE(bench.give_region());
  const ScanAnswer answer = bench.scan(kEvil);
  EXPECT_EQ(answer.outcome, ScanOutcome::Failed);
  EXPECT_EQ(answer.failure, ScanFailure::NoEngine);
  EXPECT_EQ(bench.worker.signatures(), 0U);
  bench.directory.write("signatures/test.ndb", body_signature("Test.Evil", kEvil));
  ASSERT_TRUE(bench.until([&] { return bench.service->ready(); }));
  EXPECT_EQ(bench.scan(kEvil).outcome, ScanOutcome::Infected);
}

TEST(ScanService, TheEngineOutlivesTheGateway) {
  ServiceBench bench;
  ASSERT_TRUE(bench.start());
  const pid_t engine = bench.service->current()->process();
  ASSERT_TRUE(bench.ask(slow_object(kSlowBytes)));
  ASSERT_GT(bench.wait_for_busy_scanner(), 0);
  bench.service->drop_regions();
  bench.worker = WorkerRegion::create(100).value();
  ASSERT_TRUE(bench.give_region());
  EXPECT_EQ(bench.scan(kEvil).outcome, ScanOutcome::Infected);
  EXPECT_EQ(bench.service->current()->process(), engine);
}

// Names of scratch files repeat from scanner to scanner, and libclamav calls clean what it finds no
// room to begin with.
TEST(ScanService, AFreshScannerMeetsNothingOfTheOneBefore) {
  if (geteuid() != 0) GTEST_SKIP() << "only root sees into a scanner's folder";
  ServiceBench bench;
  ASSERT_TRUE(bench.start());
  ASSERT_TRUE(bench.ask(slow_object(kSlowBytes)));
  ASSERT_GT(bench.wait_for_busy_scanner(), 0);
  const pid_t engine = bench.service->current()->process();
  ASSERT_TRUE(bench.until([&] { return files_in_folders(engine) > 0; }));
  bench.service->drop_regions();
  bench.worker = WorkerRegion::create(100).value();
  ASSERT_TRUE(bench.give_region());
  EXPECT_EQ(bench.scan(kEvil).outcome, ScanOutcome::Infected);
  EXPECT_EQ(files_in_folders(engine), 0U);
}

TEST(ScanService, WithoutRoomForFilesNothingIsCalledClean) {
  ServiceBench bench;
  bench.settings.scratch_mb = 2;
  ASSERT_TRUE(bench.start());
  const std::string mail =
      "From: a@example.org\r\nTo: b@example.org\r\nSubject: a\r\nMIME-Version: 1.0\r\n"
      "Content-Type: application/octet-stream; name=a.bin\r\n"
      "Content-Transfer-Encoding: base64\r\n\r\n";
  std::string large;
  while (large.size() < 4'000'000)
    large += "aGFybWxlc3MgYW5kIGxvbmcgYW5kIHdpdGhvdXQgYW4gZW5kIA==\r\n";
  const ScanAnswer answer = bench.scan(mail + large);
  EXPECT_EQ(answer.outcome, ScanOutcome::Failed);
  EXPECT_EQ(answer.failure, ScanFailure::OutOfMemory);
  EXPECT_EQ(bench.scan(mail + "aGFybWxlc3M=\r\n").outcome, ScanOutcome::Clean);
  EXPECT_EQ(bench.scan(kEvil).outcome, ScanOutcome::Infected);
}

TEST(ScanService, TheLeastRoomForFilesIsEnoughForALargePage) {
  ServiceBench bench;
  bench.settings.scratch_mb = kLeastScratchMb;
  ASSERT_TRUE(bench.start());
  std::string page = "<html><body>";
  while (page.size() < 12'000'000) page += "<p>paragraph " + std::to_string(page.size()) + "</p>\n";
  EXPECT_EQ(bench.scan(page).outcome, ScanOutcome::Clean);
  EXPECT_EQ(bench.scan(gzipped(zipped(page))).outcome, ScanOutcome::Clean);
}

TEST(ScanService, ADeadEngineIsReplaced) {
  bury_dead_children();  // of other tests
  ServiceBench bench;
  ASSERT_TRUE(bench.start());
  ASSERT_TRUE(bench.ask(slow_object(kSlowBytes)));
  ASSERT_GT(bench.wait_for_busy_scanner(), 0);
  kill(bench.service->current()->process(), SIGKILL);
  EXPECT_EQ(bench.answer().failure, ScanFailure::Crash);
  ASSERT_TRUE(bench.until([&] { return bench.service->ready(); }));
  EXPECT_EQ(bench.scan(kEvil).outcome, ScanOutcome::Infected);
  bench.service.reset();
  EXPECT_EQ(bury_dead_children(), 0);
}

// A scanner of which the engine's process dies while it is forked gets no signal of that any more,
// and nobody has heard of it.
TEST(ScanService, AScannerThatIsBornAnOrphanEndsAndIsBuried) {
  ServiceBench bench;
  const OrphanMaker orphans(
      2);  // the engine's process is the first that is forked, scanners the second
  bench.service->configure(bench.settings);
  ASSERT_TRUE(bench.give_region());
  ASSERT_TRUE(bench.until([&] { return orphans.orphan() != 0; }));
  // Of one that is dead and that nobody has buried the number would still be there.
  EXPECT_TRUE(bench.until([&] { return kill(orphans.orphan(), 0) != 0 && errno == ESRCH; }));
  // Its engine died, whether or not it had said before that it is ready.
  ASSERT_TRUE(bench.until([&] {
    return bench.service->ready() && bench.service->status()["counters"]["engines_died"] == 1;
  }));
  EXPECT_EQ(bench.service->status()["refused_at"], 0);
  EXPECT_EQ(bench.scan(kEvil).outcome, ScanOutcome::Infected);
}

TEST(ScanService, AnEngineThatDiesBeforeItIsReadyIsStartedAgain) {
  ServiceBench bench;
  bench.service->configure(bench.settings);
  ASSERT_TRUE(bench.give_region());
  for (int died = 1; died <= 2; ++died) {
    ASSERT_TRUE(bench.until([&] { return bench.service->loading(); }));
    const pid_t loader = bench.service->next()->process();
    kill(loader, SIGKILL);
    siginfo_t end{};
    ASSERT_EQ(waitid(P_PID, static_cast<id_t>(loader), &end, WEXITED | WNOWAIT), 0);
    ASSERT_TRUE(bench.until([&] { return !bench.service->loading(); }));
    const auto told = bench.service->status();
    EXPECT_EQ(told["counters"]["engines_died"], died);
    // Nothing is wrong with the signatures; of what happens again people are told.
    EXPECT_EQ(told["refusal"].get<std::string>().empty(), died == 1) << told["refusal"];
  }
  ASSERT_TRUE(bench.until([&] { return bench.service->ready(); }));
  EXPECT_EQ(bench.service->refusal(), "");
  EXPECT_EQ(bench.service->status()["counters"]["loads"], 1);
  EXPECT_EQ(bench.scan(kEvil).outcome, ScanOutcome::Infected);
}

TEST(ScanService, ALaterSupervisorAnswersForTheDead) {
  ServiceBench bench;
  const pid_t first = fork();
  if (first == 0) {
    bench.start();
    bench.until([] { return false; });
    _exit(0);
  }
  const RegionMemory region = RegionMemory::open(bench.worker.descriptor()).value();
  while (bench.worker.signatures() == 0) usleep(1000);
  const auto ticket = bench.ask(slow_object(kSlowBytes));
  ASSERT_TRUE(ticket);
  while (region.slot(ticket->slot).holder.load() == 0) usleep(100);
  kill(first, SIGKILL);
  ASSERT_EQ(waitpid(first, nullptr, 0), first);
  ASSERT_TRUE(bench.give_region());
  EXPECT_EQ(bench.worker.signatures(), 0U);
  const ScanAnswer answer = bench.answer();
  EXPECT_EQ(answer.outcome, ScanOutcome::Failed);
  EXPECT_EQ(answer.failure, ScanFailure::Crash);
  ASSERT_TRUE(bench.start());
  EXPECT_EQ(bench.scan(kEvil).outcome, ScanOutcome::Infected);
}

TEST(ScanService, RefusesWhatIsNotARegion) {
  ServiceBench bench;
  std::vector<Descriptor> descriptors;
  descriptors.emplace_back(open("/dev/null", O_RDWR));
  EXPECT_FALSE(bench.service->take_regions(std::move(descriptors)));
}

TEST(ScanService, KeepsItsMemoryAndDescriptors) {
  constexpr uint32_t kObjects = 20'000;
  ServiceBench bench;
  ASSERT_TRUE(bench.start());
  std::mt19937 random(7);
  const size_t descriptors = open_descriptors();
  uint32_t asked = 0;
  uint32_t answered = 0;
  uint32_t wrong = 0;
  uint64_t early_kb = 0;
  std::map<uint32_t, bool> evil_of;  // by serial
  const auto scanner = [&] { return bench.service->current()->board().seats[0].process.load(); };
  const pid_t first_scanner = [&] {
    bench.until([&] { return scanner() != 0; });
    return scanner();
  }();
  while (answered < kObjects) {
    while (asked < kObjects && evil_of.size() < 64) {
      std::string object(random() % 3000, 'x');
      for (char& character : object) character = static_cast<char>('a' + random() % 26);
      const bool evil = random() % 10 == 0;
      if (evil) object += kEvil;
      if (random() % 4 == 0) object = "<html><body>" + object + "</body></html>";
      const auto ticket = bench.ask(object);
      ASSERT_TRUE(ticket);
      evil_of[ticket->serial] = evil;
      ++asked;
    }
    std::optional<ScanAnswer> answer;
    ASSERT_TRUE(bench.until([&] { return (answer = bench.worker.take_answer()).has_value(); }));
    for (; answer; answer = bench.worker.take_answer()) {
      const auto expected = evil_of[answer->serial] ? ScanOutcome::Infected : ScanOutcome::Clean;
      if (answer->outcome != expected) ++wrong;
      evil_of.erase(answer->serial);
      bench.worker.release(answer->object);
      if (++answered == kObjects / 4) early_kb = resident_kb(scanner());
    }
  }
  EXPECT_EQ(wrong, 0U);
  EXPECT_EQ(scanner(), first_scanner);
  EXPECT_EQ(open_descriptors(), descriptors);
  EXPECT_LT(resident_kb(scanner()), early_kb + 2048) << "KB after a quarter: " << early_kb;
  EXPECT_EQ(bench.worker.free_blocks(), ServiceBench::kBlocks);
}

}  // namespace
}  // namespace masugata::av
