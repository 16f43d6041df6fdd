// SPDX-License-Identifier: GPL-2.0-or-later
#include "av-stream/scand/scan_job.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "av-stream/scand/scan_job_run.h"
#include "av-stream/scand/test_bench.h"

namespace masugata::av {
namespace {

ScanJobRequest request() {
  ScanJobRequest made;
  made.paths = {"/srv/mail", "/srv/files"};
  made.excluded = {"/srv/files/images"};
  made.settings.scanners = 3;
  made.settings.own_signatures = {"/etc/own.ndb"};
  made.file_bytes = 1'000'000;
  made.state_file = "/var/lib/masugata/scan-jobs/night.state";
  made.hand_over = true;
  made.other_cores = {1, 2};
  return made;
}

TEST(ScanJobRequest, IsReadAsItWasSaid) {
  EXPECT_EQ(read_job(job_message(request())).value(), request());
}

TEST(ScanJobRequest, IsChecked) {
  const auto spoiled = [](const char* name, const nlohmann::json& value) {
    nlohmann::json body = job_message(request());
    body[name] = value;
    const auto read = read_job(body);
    return read ? "no fault" : read.error().message();
  };
  EXPECT_NE(spoiled("paths", {"relative"}), "no fault");
  EXPECT_NE(spoiled("paths", {1}), "no fault");
  EXPECT_NE(spoiled("excluded", nullptr), "no fault");
  EXPECT_NE(spoiled("settings", nullptr), "no fault");
  EXPECT_NE(spoiled("settings", {{"scanners", 1000}}), "no fault");
  EXPECT_NE(spoiled("file_bytes", -1), "no fault");
  EXPECT_NE(spoiled("state_file", "relative"), "no fault");
  EXPECT_NE(spoiled("state_file", nullptr), "no fault");
  EXPECT_NE(spoiled("hand_over", 1), "no fault");
  EXPECT_NE(spoiled("other_cores", {-1}), "no fault");
  EXPECT_EQ(spoiled("state_file", ""), "no fault");
}

// The process of the job, and masugatad's end of its socket.
class Job : public ::testing::Test {
 protected:
  Job() {
    directory.write("signatures/test.ndb", body_signature("Test.Evil", kEvil));
    directory.write("files/clean", "harmless");
    evil = directory.write("files/deep/evil", kEvil);
    asked.paths = {directory.path() + "/files"};
    asked.settings.signature_directories = {directory.path() + "/signatures"};
    asked.settings.scanners = 1;
    asked.file_bytes = 1'000'000;
  }
  ~Job() override {
    link.reset();
    if (process > 0) status();
  }
  void start() {
    auto ends = MessageSocket::create_pair().value();
    process = fork();
    if (process == 0) {
      link.emplace(std::move(ends.first));
      link.reset();  // the other end is masugatad's
      ServiceOptions options;
      options.sandbox_required = geteuid() == 0;
      if (geteuid() == 0) options.user = find_sandbox_user("nobody").value();
      _exit(run_scan_job(Descriptor(dup(ends.second.descriptor())), options));
    }
    link.emplace(std::move(ends.first));
  }
  void ask() {
    start();
    ASSERT_TRUE(link->send(job_message(asked)));
  }
  // The next message that is no progress; a "gone" when the job is.
  Message next() {
    while (true) {
      pollfd ready{link->descriptor(), POLLIN, 0};
      if (poll(&ready, 1, 60'000) != 1) return {{{"type", "silent"}}, {}};
      auto message = link->receive();
      if (!message) return {{{"type", "gone"}}, {}};
      if (*message && (*message)->type() != "progress") return std::move(**message);
    }
  }
  int status() {
    int value = -1;
    waitpid(process, &value, 0);
    process = 0;
    return WIFEXITED(value) ? WEXITSTATUS(value) : -1;
  }

  TestDirectory directory;
  std::string evil;
  ScanJobRequest asked;
  std::optional<MessageSocket> link;
  pid_t process = 0;
};

TEST_F(Job, TellsWhatItFoundAndWhatItCounted) {
  asked.paths.push_back(directory.path() + "/none");
  ask();
  Message found = next();
  Message problem = next();  // what is not there needs no scan and may be told first
  if (found.type() == "problem") std::swap(found, problem);
  ASSERT_EQ(found.type(), "found") << found.body;
  EXPECT_EQ(found.body["path"], evil);
  EXPECT_EQ(found.body["signature"], "Test.Evil.UNOFFICIAL");
  EXPECT_EQ(found.body["bytes"], kEvil.size());
  EXPECT_TRUE(found.descriptors.empty());
  EXPECT_EQ(getpriority(PRIO_PROCESS, static_cast<id_t>(process)), 19);
  EXPECT_EQ(problem.body["path"], directory.path() + "/none");
  const Message done = next();
  EXPECT_EQ(done.type(), "done");
  EXPECT_EQ(done.body["problem"], "");
  EXPECT_EQ(done.body["files"], 2);
  EXPECT_EQ(done.body["infected"], 1);
  EXPECT_EQ(done.body["not_scanned"], 1);
  EXPECT_EQ(status(), 1);
  EXPECT_TRUE(std::filesystem::exists(evil));
}

TEST_F(Job, RemovesWhatIsKeptAndNothingElse) {
  asked.hand_over = true;
  const std::string other = directory.write("files/other-evil", kEvil);
  ask();
  std::set<std::string> left = {evil, other};
  for (int count = 0; count < 2; ++count) {
    Message found = next();
    if (found.type() == "removed") found = next();
    ASSERT_EQ(found.type(), "found") << found.body;
    ASSERT_EQ(found.descriptors.size(), 1U);
    std::string content(kEvil.size(), '\0');
    EXPECT_EQ(pread(found.descriptors[0].get(), content.data(), content.size(), 0),
              static_cast<ssize_t>(kEvil.size()));
    EXPECT_EQ(content, kEvil);
    const bool keep = found.body["path"] == evil;
    ASSERT_TRUE(
        link->send({{"type", keep ? "kept" : "not-kept"}, {"number", found.body["number"]}}));
    left.erase(found.body["path"].get<std::string>());
  }
  EXPECT_TRUE(left.empty());
  Message last = next();
  if (last.type() == "removed") {
    EXPECT_EQ(last.body["problem"], "");
    last = next();
  }
  EXPECT_EQ(last.type(), "done");
  EXPECT_FALSE(std::filesystem::exists(evil));
  EXPECT_TRUE(std::filesystem::exists(other));
}

TEST_F(Job, DoesNotRemoveWhatCameInThePlaceOfAFile) {
  const TestDirectory folder;
  folder.write("file", "scanned");
  ScannedFile file;
  file.name = "file";
  file.file = Descriptor(open((folder.path() + "/file").c_str(), O_RDONLY));
  file.folder = Descriptor(open(folder.path().c_str(), O_PATH | O_DIRECTORY));
  folder.write("new", "another");
  std::filesystem::rename(folder.path() + "/new", folder.path() + "/file");
  EXPECT_EQ(remove_scanned(file), "is another file by now");
  EXPECT_TRUE(std::filesystem::exists(folder.path() + "/file"));
  file.file = Descriptor(open((folder.path() + "/file").c_str(), O_RDONLY));
  EXPECT_EQ(remove_scanned(file), "");
  EXPECT_FALSE(std::filesystem::exists(folder.path() + "/file"));
  EXPECT_NE(remove_scanned(file), "");
}

TEST_F(Job, EndsWhenItIsTold) {
  asked.hand_over = true;
  ask();
  EXPECT_EQ(next().type(), "found");  // which it waits with
  ASSERT_TRUE(link->send({{"type", "stop"}}));
  const Message done = next();
  EXPECT_EQ(done.type(), "done");
  EXPECT_EQ(done.body["stopped"], true);
  EXPECT_TRUE(std::filesystem::exists(evil));
}

TEST_F(Job, EndsWithWhoAskedIt) {
  asked.hand_over = true;
  ask();
  EXPECT_EQ(next().type(), "found");
  link.reset();
  EXPECT_GE(status(), 0);
}

TEST_F(Job, SaysWhyItCannotBegin) {
  directory.write("signatures/test.ndb", "broken\n");
  ask();
  const Message done = next();
  EXPECT_EQ(done.type(), "done");
  EXPECT_NE(done.body["problem"].get<std::string>().find("test.ndb"), std::string::npos)
      << done.body;
  EXPECT_EQ(status(), 2);
}

TEST_F(Job, RefusesWhatIsNoJob) {
  start();
  ASSERT_TRUE(link->send({{"type", "job"}, {"paths", "all"}}));
  const Message done = next();
  EXPECT_NE(done.body["problem"].get<std::string>().find("paths"), std::string::npos);
  EXPECT_EQ(status(), 2);
}

}  // namespace
}  // namespace masugata::av
