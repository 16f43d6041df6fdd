// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/ipsec/key_exchange.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <mutex>
#include <utility>

#include "dataplane/ipsec/tunnel_events.h"
#include "ipsec/charon/scripted_charon.h"
#include "ipsec/charon/test_sites.h"

namespace masugata::dataplane {
namespace {

using ipsec::ScriptedCharon;
using ipsec::SiteAction;
using ipsec::SiteState;
using ipsec::ViciSection;

constexpr const char* kOsaka =
    "site osaka { peer 198.51.100.7; authentication { psk \"correct horse battery staple\"; } }\n";
constexpr const char* kSendai =
    "site sendai { peer any; authentication { certificate hq; ca own; "
    "remote-identity sendai.example.com; } }\n";

std::string site_of_fault(const Fault& fault) {
  return fault.where.substr(fault.where.rfind(' ') + 1);
}

class Listener final : public KeyExchangeListener {
 public:
  void site_changed(const SiteView& site, SiteState before) override {
    said.push_back(site.status.name + " " + name_of(before) + " > " + name_of(site.status.state));
  }
  void charon_changed(const CharonView& charon) override {
    said.push_back(charon.there ? "charon is there" : "charon is gone");
  }
  void site_begun(const std::string& site) override { said.push_back(site + " begun"); }
  std::vector<std::string> said;
};

class KeyExchangeTest : public testing::Test {
 protected:
  KeyExchangeTest() {
    folder_ = std::filesystem::temp_directory_path() /
              ("key-exchange-test-" + std::to_string(::getpid()));
    std::filesystem::create_directories(folder_);
    loop_ = std::move(*control::EventLoop::create());
    KeyExchangeTargets targets;
    targets.loop = loop_.get();
    targets.daemon_file = (folder_ / "strongswan.conf").string();
    targets.daemon.vici_socket = (folder_ / "charon.vici").string();
    targets.daemon.sa_socket = (folder_ / "sa.sock").string();
    targets.pki_folder = (folder_ / "pki").string();
    targets.log = [](bool, const std::string&) {};
    targets.ending = [this](std::vector<EndingSa> ending) { ending_ = std::move(ending); };
    targets.connect = [this] { return connect(); };
    exchange_ = std::make_unique<KeyExchange>(std::move(targets));
    exchange_->add_listener(&listener_);
  }
  ~KeyExchangeTest() override {
    exchange_.reset();
    std::filesystem::remove_all(folder_);
  }

  Result<ipsec::ViciSession> connect() {
    const std::lock_guard guard(lock_);
    if (!there_) return failure("charon", "nobody listens");
    charons_.push_back(std::make_unique<ScriptedCharon>(
        [this](const ipsec::ViciPacket& packet) { return answer(packet); }));
    return ipsec::ViciSession(charons_.back()->take_descriptor());
  }
  std::vector<std::string> answer(const ipsec::ViciPacket& packet) {
    const std::lock_guard guard(lock_);
    if (packet.name == "version") {
      return {ScriptedCharon::response(
          ViciSection().set("daemon", "charon-systemd").set("version", "5.9.8"))};
    }
    if (packet.name == "get-conns") return {ScriptedCharon::response({})};
    if (packet.name == "load-conn" && refuses_) {
      return {ScriptedCharon::refusal("invalid value for: proposals")};
    }
    if (packet.name != "list-sas") return {ScriptedCharon::success()};
    std::vector<std::string> replies;
    if (up_) {
      ViciSection sa;
      ViciSection& ike = sa.add_section("osaka");
      ike.set("uniqueid", "1").set("state", "ESTABLISHED").set("established", "90");
      ike.set("remote-host", "198.51.100.7").set("remote-id", "osaka.example.com");
      ike.set("initiator-spi", "0f00");
      ike.add_section("child-sas")
          .add_section("osaka-1")
          .set("state", "INSTALLED")
          .set("spi-out", "c0000001");
      replies.push_back(ScriptedCharon::event("list-sa", sa));
    }
    if (twin_) {
      ViciSection sa;
      ViciSection& ike = sa.add_section("osaka");
      ike.set("uniqueid", "2").set("state", "ESTABLISHED").set("established", "88");
      ike.set("initiator-spi", "00ff");
      ike.add_section("child-sas")
          .add_section("osaka-2")
          .set("state", twin_child_)
          .set("spi-out", "c0000002");
      replies.push_back(ScriptedCharon::event("list-sa", sa));
    }
    replies.push_back(ScriptedCharon::response({}));
    return replies;
  }
  void change(bool& what, bool value) {
    const std::lock_guard guard(lock_);
    what = value;
  }
  static config::VpnSettings settings(const std::string& sites) {
    return ipsec::model_of_sites(sites).vpn;
  }
  void run_until(const std::function<bool()>& reached) {
    for (int rounds = 0; rounds < 1000 && !reached(); ++rounds) loop_->run_once(20);
    ASSERT_TRUE(reached());
  }
  // The answer to an order.
  Status ended(const std::function<void(KeyExchange::Callback)>& order) {
    std::optional<Status> answer;
    order([&answer](const Status& status) { answer = status; });
    for (int rounds = 0; rounds < 1000 && !answer; ++rounds) loop_->run_once(20);
    return answer ? *answer : Status(failure("", "no answer"));
  }
  Status act(const std::string& site, SiteAction action) {
    return ended(
        [&](KeyExchange::Callback done) { exchange_->act(site, action, std::move(done)); });
  }
  Status look() {
    return ended([&](KeyExchange::Callback done) { exchange_->look(std::move(done)); });
  }
  std::vector<Fault> loaded() {
    std::optional<std::vector<Fault>> faults;
    exchange_->when_loaded([&](const Status& reached, const std::vector<Fault>& each) {
      faults = each;
      if (!reached) faults->push_back(reached.error());
    });
    for (int rounds = 0; rounds < 1000 && !faults; ++rounds) loop_->run_once(20);
    return faults.value_or(std::vector<Fault>{{"", "no answer"}});
  }

  std::filesystem::path folder_;
  std::mutex lock_;
  bool there_ = true;
  bool refuses_ = false;
  bool up_ = false;
  bool twin_ = false;  // once more, begun by the other side
  std::string twin_child_ = "INSTALLED";
  std::vector<std::unique_ptr<ScriptedCharon>> charons_;
  std::unique_ptr<control::EventLoop> loop_;
  std::optional<std::vector<EndingSa>> ending_;
  Listener listener_;
  std::unique_ptr<KeyExchange> exchange_;
};

TEST_F(KeyExchangeTest, NothingHappensWithoutSites) {
  EXPECT_TRUE(exchange_->configure({}));
  EXPECT_FALSE(exchange_->is_active());
  EXPECT_FALSE(std::filesystem::exists(folder_ / "strongswan.conf"));
  EXPECT_FALSE(look());
  EXPECT_TRUE(loaded().empty());
}

TEST_F(KeyExchangeTest, WritesCharonsSettingsAndLoads) {
  ASSERT_TRUE(exchange_->configure(settings(kOsaka)));
  EXPECT_TRUE(loaded().size() <= 1) << "it may not have appeared yet";
  run_until([this] { return exchange_->charon().there; });
  std::ifstream file(folder_ / "strongswan.conf");
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  EXPECT_NE(text.find((folder_ / "charon.vici").string()), std::string::npos);
  EXPECT_EQ(text.find("staple"), std::string::npos);
  run_until([this] { return !listener_.said.empty() && listener_.said.back() == "osaka begun"; });
  EXPECT_EQ(exchange_->charon().version.version, "5.9.8");
  EXPECT_EQ(exchange_->find("osaka")->status.state, SiteState::Down);
  EXPECT_EQ(exchange_->find("kobe"), nullptr);
}

TEST_F(KeyExchangeTest, SaysWhenATunnelComesAndGoes) {
  up_ = true;
  ASSERT_TRUE(exchange_->configure(settings(kOsaka)));
  run_until([this] { return exchange_->find("osaka")->status.state == SiteState::Up; });
  const SiteView& osaka = *exchange_->find("osaka");
  EXPECT_LE(*osaka.since_ms + 90'000, loop_->now_ms()) << "it was up before it was looked at";
  change(up_, false);
  EXPECT_TRUE(look());
  EXPECT_EQ(listener_.said, (std::vector<std::string>{"charon is there", "osaka down > up",
                                                      "osaka up > down", "osaka begun"}));
}

TEST_F(KeyExchangeTest, LogsWhenATunnelComesAndGoes) {
  std::vector<std::string> said;
  TunnelEventTargets targets;
  targets.log = [&said](bool problem, const std::string& text) {
    said.push_back((problem ? "! " : "") + text);
  };
  targets.write_event = [&said](const std::string& line) { said.push_back(line); };
  targets.wall_time_us = [] { return uint64_t{1'600'000'000'000'000}; };
  TunnelEvents events(std::move(targets));
  exchange_->add_listener(&events);
  up_ = true;
  ASSERT_TRUE(exchange_->configure(settings(kOsaka)));
  run_until([&said] { return said.size() == 2; });
  change(up_, false);
  EXPECT_TRUE(look());
  ASSERT_EQ(said.size(), 4U);
  EXPECT_EQ(said[0], "site osaka is up, with 198.51.100.7");
  EXPECT_EQ(said[1],
            "{\"timestamp\":\"2020-09-13T12:26:40.000000+0000\",\"event_type\":\"vpn\",\"vpn\":{"
            "\"site\":\"osaka\",\"state\":\"up\",\"before\":\"down\",\"peer\":\"198.51.100.7\","
            "\"remote_address\":\"198.51.100.7\",\"remote_identity\":\"osaka.example.com\"}}");
  EXPECT_EQ(said[2], "! site osaka is not up any more");
  exchange_.reset();
}

TEST_F(KeyExchangeTest, ARefusedSiteIsNamed) {
  refuses_ = true;
  ASSERT_TRUE(exchange_->configure(settings(kOsaka)));
  run_until([this] { return exchange_->charon().there; });
  ASSERT_TRUE(exchange_->configure(settings(kOsaka)));
  const std::vector<Fault> faults = loaded();
  ASSERT_EQ(faults.size(), 1U);
  EXPECT_EQ(faults[0].message(), "vpn site osaka: invalid value for: proposals");
  EXPECT_EQ(exchange_->find("osaka")->fault, "invalid value for: proposals");
  change(refuses_, false);
  ASSERT_TRUE(exchange_->configure(settings(kOsaka)));
  EXPECT_TRUE(loaded().empty());
  EXPECT_EQ(exchange_->find("osaka")->fault, "");
}

TEST_F(KeyExchangeTest, AMissingCertificateIsFoundBeforehand) {
  const std::vector<Fault> faults = exchange_->check(settings(kSendai));
  ASSERT_EQ(faults.size(), 1U);
  EXPECT_NE(faults[0].message().find("vpn site sendai"), std::string::npos);
}

TEST_F(KeyExchangeTest, OnlyNewTroubleRefusesACommit) {
  EXPECT_FALSE(exchange_->refuse_new_faults(settings(kSendai)));
  EXPECT_TRUE(exchange_->refuse_new_faults(settings(kOsaka)));
  there_ = false;
  ASSERT_TRUE(exchange_->configure(settings(kSendai))) << "as it is at the start";
  EXPECT_FALSE(exchange_->find("sendai")->fault.empty());
  EXPECT_TRUE(exchange_->refuse_new_faults(settings(std::string(kOsaka) + kSendai)));
}

TEST_F(KeyExchangeTest, WithoutCharonOrdersEndAtOnce) {
  there_ = false;
  ASSERT_TRUE(exchange_->configure(settings(std::string(kOsaka) + kSendai)));
  const std::vector<Fault> faults = loaded();
  ASSERT_EQ(faults.size(), 2U);
  EXPECT_EQ(site_of_fault(faults[0]), "sendai") << "it has no certificate, charon or not";
  EXPECT_EQ(faults[1].message(), "vpn: is loaded as soon as charon is there");
  EXPECT_NE(act("osaka", SiteAction::Up).error().message().find("masugata-charon"),
            std::string::npos);
  EXPECT_EQ(act("kobe", SiteAction::Up).error().message(), "vpn site kobe: is not configured");
  EXPECT_NE(act("sendai", SiteAction::Up).error().message().find("the other side"),
            std::string::npos);
  EXPECT_FALSE(look());
}

// Until charon lets go of it: the peer may have no keys for it any more.
TEST_F(KeyExchangeTest, TellsWhichSasEnd) {
  up_ = true;
  ASSERT_TRUE(exchange_->configure(settings(kOsaka)));
  run_until([this] { return exchange_->find("osaka")->status.state == SiteState::Up; });
  EXPECT_EQ(ending_, std::vector<EndingSa>{});
  change(twin_, true);
  EXPECT_TRUE(look());
  const uint32_t tunnel = exchange_->settings().sites[0].tunnel_id;
  EXPECT_EQ(ending_, (std::vector<EndingSa>{{tunnel, 0xc0000001}})) << "told as soon as ended";
  change(up_, false);
  EXPECT_TRUE(look());
  EXPECT_EQ(ending_, std::vector<EndingSa>{});
  {
    const std::lock_guard guard(lock_);
    twin_child_ = "DELETING";
  }
  EXPECT_TRUE(look());
  EXPECT_EQ(ending_, (std::vector<EndingSa>{{tunnel, 0xc0000002}})) << "charon ends it by itself";
}

TEST_F(KeyExchangeTest, HoldsDownByRequest) {
  up_ = true;
  ASSERT_TRUE(exchange_->configure(settings(kOsaka)));
  run_until([this] { return exchange_->find("osaka")->status.state == SiteState::Up; });
  change(up_, false);
  EXPECT_TRUE(act("osaka", SiteAction::Down));
  EXPECT_TRUE(look());
  EXPECT_TRUE(exchange_->find("osaka")->held_down);
  EXPECT_TRUE(act("osaka", SiteAction::Up));
  EXPECT_TRUE(look());
  EXPECT_FALSE(exchange_->find("osaka")->held_down);
}

}  // namespace
}  // namespace masugata::dataplane
