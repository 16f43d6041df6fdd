// SPDX-License-Identifier: GPL-2.0-or-later
// The real binary: exit status, streams, the environment.
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <fstream>
#include <iterator>

#include "mgmt-cli/commands/program.h"
#include "tests/cli/gateway_server.h"

namespace masugata::tests {
namespace {

using Words = std::vector<std::string>;

struct Outcome {
  int status = -1;
  std::string output;
  std::string errors;
};

std::string read_file(const std::filesystem::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

class ProgramTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "masugata-XXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
    socket_ = folder_ / "control.sock";
    const char* program = std::getenv("MASUGATA_PROGRAM");
    ASSERT_NE(program, nullptr) << "MASUGATA_PROGRAM must name the binary";
    program_ = program;
    server_ = std::make_unique<GatewayServer>(socket_);
  }
  void TearDown() override {
    server_.reset();
    std::filesystem::remove_all(folder_);
  }
  // In a process of its own, with the socket from the environment.
  Outcome run(const Words& words) {
    const std::string output = folder_ / "output";
    const std::string errors = folder_ / "errors";
    const pid_t child = fork();
    if (child == 0) {
      std::vector<char*> arguments = {program_.data()};
      for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
      arguments.push_back(nullptr);
      setenv("MASUGATA_CONTROL_SOCKET", socket_.c_str(), 1);
      if (freopen(output.c_str(), "w", stdout) == nullptr) _exit(99);
      if (freopen(errors.c_str(), "w", stderr) == nullptr) _exit(99);
      execv(program_.c_str(), arguments.data());
      _exit(98);
    }
    int status = 0;
    waitpid(child, &status, 0);
    return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, read_file(output), read_file(errors)};
  }
  std::string write_configuration(const std::string& text) {
    const std::string path = folder_ / "gateway.conf";
    std::ofstream(path) << text;
    return path;
  }

  std::filesystem::path folder_;
  std::filesystem::path socket_;
  std::string program_;
  std::unique_ptr<GatewayServer> server_;
};

TEST_F(ProgramTest, TakesAnObjectOutOfQuarantine) {
  server_->run_thread();
  const std::string file = folder_ / "object";
  const Outcome released = run({"request", "av", "release", "1000000007", "to", file});
  EXPECT_EQ(released.status, cli::kDone) << released.errors;
  EXPECT_EQ(read_file(file), std::string("MZ\0\xff\n", 5));
  EXPECT_EQ(std::filesystem::status(file).permissions(), std::filesystem::perms(0600));
  // What is there stays.
  EXPECT_EQ(run({"request", "av", "release", "1000000007", "to", file}).status, cli::kProblem);
  const std::string other = folder_ / "other";
  const Outcome unknown = run({"request", "av", "release", "8", "to", other});
  EXPECT_EQ(unknown.status, cli::kProblem);
  EXPECT_FALSE(std::filesystem::exists(other));
}

TEST_F(ProgramTest, MakesASupportArchive) {
  server_->run_thread();
  const std::string file = folder_ / "support.tar.gz";
  const Outcome made = run({"request", "support", "archive", file});
  EXPECT_EQ(made.status, cli::kDone) << made.errors;
  EXPECT_EQ(made.output.substr(0, file.size() + 1), file + "\n");
  EXPECT_NE(made.output.find("  SHA-256 "), std::string::npos) << made.output;
  EXPECT_EQ(std::filesystem::status(file).permissions(), std::filesystem::perms(0600));
  FILE* listing = popen(("tar --list --gzip --file " + file).c_str(), "r");
  ASSERT_NE(listing, nullptr);
  std::string names;
  for (int letter = 0; (letter = fgetc(listing)) != EOF;) names += static_cast<char>(letter);
  EXPECT_EQ(pclose(listing), 0);
  for (const char* name : {"contents.txt", "version.txt", "show/system.txt", "show/sessions.json",
                           "show/ips-hits.txt", "show/vpn-site-osaka.txt", "kernel/net-dev.txt"}) {
    EXPECT_NE(names.find(std::string("masugata-support/") + name + "\n"), std::string::npos)
        << name << " is not in\n"
        << names;
  }
  EXPECT_EQ(run({"request", "support", "archive", file}).status, cli::kProblem) << "it is there";
}

TEST_F(ProgramTest, DoneIsZero) {
  server_->run_thread();
  const Outcome outcome = run({"clear", "counters"});
  EXPECT_EQ(outcome.status, 0);
  EXPECT_EQ(outcome.output, "counters start again at zero\n");
  EXPECT_EQ(outcome.errors, "");
  server_->stop();
  EXPECT_EQ(server_->gateway.cleared_counters, 1);
}

TEST_F(ProgramTest, AProblemIsOne) {
  server_->gateway.fault = Fault{"zone dmz", "is not configured"};
  server_->run_thread();
  const Outcome outcome = run({"show", "sessions", "zone", "dmz"});
  EXPECT_EQ(outcome.status, 1);
  EXPECT_EQ(outcome.output, "");
  EXPECT_EQ(outcome.errors, "masugata: zone dmz: is not configured\n");
}

TEST_F(ProgramTest, ObserversAreToldWhoMay) {
  server_->role = dataplane::control::Role::Observer;
  server_->run_thread();
  const Outcome outcome = run({"reload"});
  EXPECT_EQ(outcome.status, 1);
  EXPECT_EQ(outcome.errors, "masugata: reload is for administrators: root or the group masugata\n");
}

TEST_F(ProgramTest, WrongUsageIsTwo) {
  EXPECT_EQ(run({}).status, 2);
  EXPECT_EQ(run({"shwo"}).errors, "masugata: there is no command 'shwo': did you mean 'show'?\n");
  EXPECT_EQ(run({"shwo"}).status, 2);
  EXPECT_EQ(run({"--nonsense"}).status, 2);
  EXPECT_EQ(run({"--control-socket"}).status, 2);
  EXPECT_EQ(run({"help", "nonsense"}).status, 2);
}

TEST_F(ProgramTest, NoGatewayIsThree) {
  server_.reset();
  const Outcome outcome = run({"show", "drops"});
  EXPECT_EQ(outcome.status, 3);
  EXPECT_EQ(outcome.errors, "masugata: no gateway listens on " + socket_.string() +
                                ": start it (systemctl start masugata) or name its socket with "
                                "--control-socket\n");
  EXPECT_EQ(run({"show", "drops", "--control-socket", std::string(200, 'x')}).status, 3);
}

TEST_F(ProgramTest, AGatewayThatRefusesTheClientIsThree) {
  server_->role = std::nullopt;
  server_->run_thread();
  const Outcome outcome = run({"show", "drops"});
  EXPECT_EQ(outcome.status, 3);
  EXPECT_NE(outcome.errors.find("only root and the group masugata"), std::string::npos);
}

TEST_F(ProgramTest, AServerThatTalksNonsenseIsThree) {
  const std::filesystem::path path = folder_ / "other.sock";
  const auto socket =
      dataplane::control::ListeningSocket::create(path.string(), 0600, std::nullopt);
  ASSERT_TRUE(socket);
  std::thread nonsense([&] {
    int client = -1;
    while (client < 0) client = accept(socket->descriptor(), nullptr, nullptr);
    // Reads the request first, so that nothing unread resets the connection.
    std::array<char, 4096> bytes;
    (void)!recv(client, bytes.data(), bytes.size(), 0);
    (void)!send(client, "hello\n", 6, MSG_NOSIGNAL);
    close(client);
  });
  const Outcome outcome = run({"show", "drops", "--control-socket", path.string()});
  nonsense.join();
  EXPECT_EQ(outcome.status, 3);
  EXPECT_NE(outcome.errors.find("no JSON-RPC message"), std::string::npos);
}

// A masugata-replay that says how it was called.
TEST_F(ProgramTest, ReplayAndRuleTestsAreAnotherProgram) {
  server_.reset();
  const std::filesystem::path other = folder_ / "masugata-replay";
  std::ofstream(other) << "#!/bin/sh\nfor word; do echo \"[$word]\"; done\nexit 7\n";
  std::filesystem::permissions(other, std::filesystem::perms::owner_all);
  const std::string path = std::getenv("PATH");
  setenv("PATH", (folder_.string() + ":" + path).c_str(), 1);
  const Outcome replay = run({"replay", "--rules", "a b.rules", "--pcap", "x.pcap", "--json"});
  const Outcome test = run({"ips", "test", "a.rules", "b.rules", "--json"});
  setenv("PATH", folder_.c_str(), 1);
  std::filesystem::remove(other);
  const Outcome none = run({"ips", "test", "a.rules"});
  setenv("PATH", path.c_str(), 1);
  EXPECT_EQ(replay.status, 7);
  EXPECT_EQ(replay.output, "[--rules]\n[a b.rules]\n[--pcap]\n[x.pcap]\n[--json]\n");
  EXPECT_EQ(test.status, 7);
  EXPECT_EQ(test.output, "[--test-rules]\n[a.rules]\n[b.rules]\n[--json]\n");
  EXPECT_EQ(none.status, 1);
  EXPECT_EQ(none.errors, "masugata: masugata-replay is not installed beside masugata or in PATH\n");
}

TEST_F(ProgramTest, ScanningFilesIsAnotherProgram) {
  server_.reset();
  const std::filesystem::path other = folder_ / "masugata-scand";
  std::ofstream(other) << "#!/bin/sh\nfor word; do echo \"[$word]\"; done\nexit 1\n";
  std::filesystem::permissions(other, std::filesystem::perms::owner_all);
  const std::string path = std::getenv("PATH");
  setenv("PATH", (folder_.string() + ":" + path).c_str(), 1);
  const Outcome scan = run({"scan", "--json", "--jobs", "2", "a b", "--", "--quiet"});
  setenv("PATH", path.c_str(), 1);
  EXPECT_EQ(scan.status, 1);
  EXPECT_EQ(scan.output, "[--scan]\n[--json]\n[--jobs]\n[2]\n[a b]\n[--]\n[--quiet]\n");
}

TEST_F(ProgramTest, CertificatesAreAnotherProgram) {
  server_.reset();
  const std::filesystem::path other = folder_ / "masugata-pki";
  std::ofstream(other) << "#!/bin/sh\nfor word; do echo \"[$word]\"; done\nexit 2\n";
  std::filesystem::permissions(other, std::filesystem::perms::owner_all);
  const std::string path = std::getenv("PATH");
  setenv("PATH", (folder_.string() + ":" + path).c_str(), 1);
  const Outcome pki = run({"pki", "issue", "hq", "--ca", "own", "--json"});
  setenv("PATH", path.c_str(), 1);
  EXPECT_EQ(pki.status, 2);
  EXPECT_EQ(pki.output, "[issue]\n[hq]\n[--ca]\n[own]\n[--json]\n");
}

TEST_F(ProgramTest, HelpAndVersionNeedNoGateway) {
  server_.reset();
  EXPECT_EQ(run({"--version"}).output.substr(0, 9), "masugata ");
  EXPECT_EQ(run({"version"}).status, 0);
  EXPECT_EQ(run({"help", "clear"}).output,
            "masugata clear counters: start all counters again at zero\n\n"
            "masugata clear ips hits: start the hits of IPS rules again at zero\n"
            "\n"
            "masugata clear av blocked-urls: let blocked URLs be asked for again\n"
            "    TEXT                       only those that contain it\n");
  EXPECT_EQ(run({"--help"}).status, 0);
}

TEST_F(ProgramTest, ChecksAGoodConfiguration) {
  const std::string file = write_configuration(R"(
interfaces { interface lan0 { device net_ring0; address 10.0.1.1/24; }
             interface wan0 { device net_ring1; address 203.0.113.2/24; } }
zones { zone lan { interface lan0; } zone wan { interface wan0; } }
policy { from lan to wan { rule web { action permit; } } }
)");
  const Outcome outcome = run({"check", file});
  EXPECT_EQ(outcome.status, 0) << outcome.errors;
  EXPECT_EQ(outcome.output, file + ": ok (2 interfaces, 2 zones, 1 rule, 0 NAT rules)\n");
  const auto json = nlohmann::json::parse(run({"check", "--json", file}).output);
  EXPECT_EQ(json.at("ok"), true);
  EXPECT_EQ(json.at("rules"), 1);
}

TEST_F(ProgramTest, ChecksABadConfiguration) {
  const std::string file = write_configuration(R"(
interfaces { interface lan0 { device net_ring0; address 10.0.1.300/24; } }
zones { zone lan { interface lan7; } }
)");
  const Outcome outcome = run({"check", file});
  EXPECT_EQ(outcome.status, 1);
  EXPECT_EQ(outcome.output, "");
  EXPECT_NE(outcome.errors.find(file + ":2:"), std::string::npos) << outcome.errors;
  EXPECT_NE(outcome.errors.find("10.0.1.300"), std::string::npos) << outcome.errors;
  const auto json = nlohmann::json::parse(run({"check", "--json", file}).output);
  EXPECT_EQ(json.at("ok"), false);
  EXPECT_EQ(json.at("problems").at(0).at("line"), 2);
  EXPECT_EQ(run({"check", (folder_ / "absent.conf").string()}).status, 1);
}

}  // namespace
}  // namespace masugata::tests
