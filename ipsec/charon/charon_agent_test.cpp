// SPDX-License-Identifier: GPL-2.0-or-later
#include "ipsec/charon/charon_agent.h"

#include <gtest/gtest.h>
#include <poll.h>

#include <algorithm>
#include <memory>

#include "ipsec/charon/scripted_charon.h"
#include "ipsec/charon/test_sites.h"

namespace masugata::ipsec {
namespace {

using std::chrono::milliseconds;

constexpr const char* kOsaka =
    "site osaka { peer 198.51.100.7; authentication { psk \"correct horse battery staple\"; } }\n";

// A charon that can be there or not, and be started anew.
class AgentTest : public testing::Test {
 protected:
  ~AgentTest() override { agent_.reset(); }

  void start() {
    CharonAgentTargets targets;
    targets.connect = [this] { return connect(); };
    targets.connect_every = milliseconds(5);
    targets.tend_every = milliseconds(20);
    agent_ = std::make_unique<CharonAgent>(std::move(targets));
    ASSERT_TRUE(agent_->start());
  }
  Result<ViciSession> connect() {
    const std::lock_guard guard(lock_);
    if (!there_) return failure("charon", "nobody listens");
    charons_.push_back(std::make_unique<ScriptedCharon>(
        [this](const ViciPacket& packet) { return answer(packet); }));
    return ViciSession(charons_.back()->take_descriptor());
  }
  std::vector<std::string> answer(const ViciPacket& packet) {
    const std::lock_guard guard(lock_);
    if (packet.name == hangs_at_) return {};
    if (packet.name == closes_at_) return {""};
    if (packet.name == "version") {
      return {ScriptedCharon::response(
          ViciSection().set("daemon", "charon-systemd").set("version", "5.9.8"))};
    }
    if (packet.name == "get-conns" || packet.name == "list-sas") {
      return {ScriptedCharon::response({})};
    }
    if (packet.name == "load-conn" && refuses_) {
      return {ScriptedCharon::refusal("invalid value for: proposals")};
    }
    return {ScriptedCharon::success()};
  }
  void set(bool there) {
    const std::lock_guard guard(lock_);
    there_ = there;
  }
  static ConnectionPlan plan() { return plan_connections(model_of_sites(kOsaka), TestKeyStore()); }
  // The next news of this kind; what came before it is gone.
  template <class Kind>
  Kind next() {
    for (int waits = 0; waits < 500; ++waits) {
      while (!news_.empty()) {
        CharonNews news = std::move(news_.front());
        news_.erase(news_.begin());
        if (auto* wanted = std::get_if<Kind>(&news)) return std::move(*wanted);
      }
      pollfd readable{agent_->descriptor(), POLLIN, 0};
      (void)::poll(&readable, 1, 20);
      news_ = agent_->take_news();
    }
    ADD_FAILURE() << "no news";
    return {};
  }
  size_t count(size_t charon, const std::string& command) {
    const auto asked = charons_[charon]->asked();
    return static_cast<size_t>(std::count(asked.begin(), asked.end(), command));
  }

  std::mutex lock_;
  bool there_ = true;
  bool refuses_ = false;
  std::string hangs_at_;
  std::string closes_at_;
  std::vector<std::unique_ptr<ScriptedCharon>> charons_;
  std::vector<CharonNews> news_;
  std::unique_ptr<CharonAgent> agent_;
};

TEST_F(AgentTest, LoadsWhenCharonAppearsAndAgainWhenItIsAnother) {
  there_ = false;
  start();
  const uint64_t order = agent_->load(plan);
  const auto done = next<OrderDone>();
  EXPECT_EQ(done.order, order);
  ASSERT_FALSE(done.status);
  EXPECT_EQ(done.status.error().where, "charon");
  set(true);
  EXPECT_EQ(next<CharonAppeared>().version.version, "5.9.8");
  EXPECT_EQ(next<CharonLoaded>().report.loaded, std::vector<std::string>{"osaka"});
  EXPECT_EQ(next<CharonSas>().begun, std::vector<std::string>{"osaka"});
  {
    const std::lock_guard guard(lock_);
    closes_at_ = "list-sas";
  }
  EXPECT_FALSE(next<CharonVanished>().why.empty());
  {
    const std::lock_guard guard(lock_);
    closes_at_.clear();
  }
  EXPECT_EQ(next<CharonLoaded>().report.loaded, std::vector<std::string>{"osaka"});
}

TEST_F(AgentTest, ARefusalIsToldAndEverythingGoesOn) {
  refuses_ = true;
  start();
  next<CharonAppeared>();
  const uint64_t order = agent_->load(plan);
  const auto loaded = next<CharonLoaded>();
  ASSERT_EQ(loaded.report.faults.size(), 1U);
  EXPECT_EQ(loaded.report.faults[0].message(), "vpn site osaka: invalid value for: proposals");
  const auto done = next<OrderDone>();
  EXPECT_EQ(done.order, order);
  EXPECT_TRUE(done.status);
}

TEST_F(AgentTest, ActsAndAnswers) {
  start();
  next<CharonAppeared>();
  agent_->load(plan);
  next<OrderDone>();
  const uint64_t down = agent_->act("osaka", SiteAction::Down);
  EXPECT_EQ(next<OrderDone>().order, down);
  agent_->act("osaka", SiteAction::Up);
  EXPECT_TRUE(next<OrderDone>().status);
  agent_->act("osaka", SiteAction::Rekey);
  EXPECT_TRUE(next<OrderDone>().status);
  EXPECT_EQ(count(0, "terminate"), 1U);
  EXPECT_EQ(count(0, "rekey"), 1U);
  const uint64_t look = agent_->look();
  next<CharonSas>();
  EXPECT_EQ(next<OrderDone>().order, look);
}

TEST_F(AgentTest, AHangingCharonHoldsNobodyUp) {
  hangs_at_ = "get-conns";
  start();
  next<CharonAppeared>();
  const auto before = std::chrono::steady_clock::now();
  agent_->load(plan);
  agent_->look();
  agent_.reset();
  EXPECT_LT(std::chrono::steady_clock::now() - before, milliseconds(2000));
}

}  // namespace
}  // namespace masugata::ipsec
