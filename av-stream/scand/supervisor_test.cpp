// SPDX-License-Identifier: GPL-2.0-or-later
// The link between masugatad, played here, and a supervisor in a process of its own.
#include "av-stream/scand/supervisor.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <cstring>

#include "av-stream/scand/test_bench.h"

namespace masugata::av {
namespace {

class Link : public ::testing::Test {
 protected:
  Link() {
    directory.write("signatures/test.ndb", body_signature("Test.Evil", kEvil));
    settings.signature_directories = {directory.path() + "/signatures"};
    settings.scanners = 1;
    settings.check_interval_ms = 50;
    listener = Descriptor(socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
    EXPECT_EQ(bind(listener.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(listen(listener.get(), 4), 0);
    start_supervisor();
    accept_supervisor();
  }
  ~Link() override { end_supervisor(); }

  void start_supervisor() {
    supervisor = fork();
    if (supervisor != 0) return;
    ServiceOptions options;
    if (geteuid() == 0) {
      options.user = find_sandbox_user("nobody").value();
    } else {
      options.sandbox_required = false;
    }
    SupervisorRequests requests;
    Supervisor(path, ScanService::create(options).value()).run(requests);
    _exit(0);
  }
  void end_supervisor() const {
    kill(supervisor, SIGKILL);
    waitpid(supervisor, nullptr, 0);
  }
  void accept_supervisor() {
    link.emplace(Descriptor(accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC)));
  }
  void give_region() { ASSERT_TRUE(link->send({{"type", "regions"}}, {worker.descriptor()})); }
  // The next message of this type for which `fits` holds; an empty object after a minute.
  nlohmann::json hear(
      const std::string& type, const std::function<bool(const nlohmann::json&)>& fits =
                                   [](const nlohmann::json&) { return true; }) {
    const uint64_t end_ms = monotonic_ms() + 60'000;
    while (monotonic_ms() < end_ms) {
      pollfd waiting{link->descriptor(), POLLIN, 0};
      poll(&waiting, 1, 1000);
      auto message = link->receive();
      if (!message) return nlohmann::json::object();
      if (*message && (*message)->type() == type && fits((*message)->body)) return (*message)->body;
    }
    return nlohmann::json::object();
  }
  nlohmann::json hear_ready() {
    return hear("status", [](const auto& body) { return body["engine"] == "ready"; });
  }
  ScanAnswer scan(std::string_view object) {
    StoredObject stored;
    if (!worker.append(stored, bytes_of(object)) || !worker.submit(stored, {}, "a")) return {};
    while (true) {
      if (auto answer = worker.take_answer()) {
        worker.release(answer->object);
        return *answer;
      }
      usleep(200);
    }
  }

  TestDirectory directory;
  std::string path = directory.path() + "/scand.sock";
  ScandSettings settings;
  Descriptor listener;
  std::optional<MessageSocket> link;
  pid_t supervisor = 0;
  WorkerRegion worker = WorkerRegion::create(100).value();
};

TEST_F(Link, ServesTheRegionsThatItIsGiven) {
  EXPECT_EQ(hear("hello")["link_version"], 1);
  ASSERT_TRUE(link->send(settings_message(settings)));
  give_region();
  const auto status = hear_ready();
  EXPECT_EQ(status["signatures"], 1);
  EXPECT_EQ(status["files"][0]["path"], settings.signature_directories[0] + "/test.ndb");
  EXPECT_EQ(scan(kEvil).outcome, ScanOutcome::Infected);
  EXPECT_EQ(scan("harmless").outcome, ScanOutcome::Clean);
  const uint64_t beat = worker.heartbeat();
  hear("status");
  EXPECT_GT(worker.heartbeat(), beat);
}

TEST_F(Link, SaysWhatItRefuses) {
  ASSERT_TRUE(link->send({{"type", "settings"}, {"scanners", -1}}));
  EXPECT_EQ(hear("problem")["about"], "settings");
  ASSERT_TRUE(link->send({{"type", "dance"}}));
  EXPECT_EQ(hear("problem")["about"], "dance");
  ASSERT_TRUE(link->send({{"type", "regions"}}, {listener.get()}));
  EXPECT_EQ(hear("problem")["about"], "regions");
  ASSERT_TRUE(link->send(settings_message(settings)));
  hear_ready();
  directory.write("signatures/test.ndb", "broken");
  ASSERT_TRUE(link->send({{"type", "reload"}}));
  const auto status = hear("status", [](const auto& body) { return body["refusal"] != ""; });
  EXPECT_NE(status["refusal"].get<std::string>().find("test.ndb"), std::string::npos);
  EXPECT_EQ(status["engine"], "ready");
}

TEST_F(Link, KeepsTheEngineWhenMasugatadReturns) {
  ASSERT_TRUE(link->send(settings_message(settings)));
  give_region();
  const auto before = hear_ready();
  link.reset();
  accept_supervisor();
  worker = WorkerRegion::create(100).value();
  ASSERT_TRUE(link->send(settings_message(settings)));
  give_region();
  EXPECT_EQ(scan(kEvil).outcome, ScanOutcome::Infected);
  const auto after = hear_ready();
  EXPECT_EQ(after["engine_process"], before["engine_process"]);
  EXPECT_EQ(after["counters"]["loads"], 1);
}

TEST_F(Link, ALaterSupervisorTakesTheSameRegions) {
  ASSERT_TRUE(link->send(settings_message(settings)));
  give_region();
  hear_ready();
  end_supervisor();
  const uint64_t beat = worker.heartbeat();
  start_supervisor();
  accept_supervisor();
  ASSERT_TRUE(link->send(settings_message(settings)));
  give_region();
  hear_ready();
  EXPECT_GT(worker.heartbeat(), beat);
  EXPECT_EQ(scan(kEvil).outcome, ScanOutcome::Infected);
}

TEST_F(Link, TakesALongAllowList) {
  const std::string object = "allowed: " + std::string(kEvil);
  for (int number = 0; number < 3000; ++number) {
    settings.allowed_sha256.push_back(sha256_text(std::to_string(number)));
  }
  settings.allowed_sha256.push_back(sha256_text(object));
  ASSERT_TRUE(link->send(settings_message(settings)));
  give_region();
  hear_ready();
  EXPECT_EQ(scan(object).outcome, ScanOutcome::Clean);
  EXPECT_EQ(scan(kEvil).outcome, ScanOutcome::Infected);
}

TEST(MessageSocket, CarriesMessagesAndDescriptors) {
  auto [left, right] = MessageSocket::create_pair().value();
  EXPECT_FALSE(right.receive()->has_value());
  const std::string text(100'000, 'a');
  ASSERT_TRUE(left.send({{"type", "long"}, {"text", text}}, {0}));
  auto message = right.receive();
  ASSERT_TRUE(message && *message);
  EXPECT_EQ((*message)->type(), "long");
  EXPECT_EQ((*message)->body["text"], text);
  EXPECT_EQ((*message)->descriptors.size(), 1U);
  ASSERT_EQ(send(left.descriptor(), "{", 1, 0), 1);
  EXPECT_FALSE(right.receive());
  ASSERT_EQ(send(left.descriptor(), "{\"type\":3}", 10, 0), 10);
  EXPECT_FALSE(right.receive());
  left = MessageSocket(Descriptor());
  EXPECT_FALSE(right.receive());
}

TEST(ScandSettings, AreReadAsTheyAreSaid) {
  ScandSettings settings;
  settings.own_signatures = {"/etc/masugata/own.ndb"};
  settings.allowed_sha256 = {std::string(64, 'a')};
  settings.scanners = 3;
  EXPECT_EQ(read_settings(settings_message(settings)).value(), settings);
  EXPECT_EQ(read_settings({{"type", "settings"}}).value(), ScandSettings());
}

TEST(ScandSettings, AreChecked) {
  EXPECT_FALSE(read_settings(nlohmann::json::array()));
  EXPECT_FALSE(read_settings({{"scanners", 65}}));
  EXPECT_FALSE(read_settings({{"scanners", "2"}}));
  EXPECT_FALSE(read_settings({{"own_signatures", {"relative.ndb"}}}));
  EXPECT_FALSE(read_settings({{"own_signatures", "/one"}}));
  EXPECT_FALSE(read_settings({{"allowed_sha256", {std::string(64, 'g')}}}));
  EXPECT_FALSE(read_settings({{"allowed_sha256", {std::string(63, 'a')}}}));
  EXPECT_EQ(read_settings({{"scratch_mb", kLeastScratchMb - 1}}).error().where,
            "settings: scratch_mb");
  EXPECT_TRUE(read_settings({{"scratch_mb", kLeastScratchMb}}));
}

}  // namespace
}  // namespace masugata::av
