// SPDX-License-Identifier: GPL-2.0-or-later
#include "ipsec/charon/charon_control.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "ipsec/charon/scripted_charon.h"
#include "ipsec/charon/test_sites.h"

namespace masugata::ipsec {
namespace {

using Names = std::vector<std::string>;
using std::chrono::seconds;
using std::chrono::steady_clock;

constexpr const char* kOsaka =
    "site osaka { peer 198.51.100.7; authentication { psk \"correct horse battery staple\"; } }\n";
constexpr const char* kNagoya =
    "site nagoya { peer 198.51.100.8; authentication { certificate hq; ca own; } }\n";

// Does as charon does with connections and SAs, as far as commands go.
class Charon : public testing::Test {
 protected:
  Charon()
      : charon_([this](const ViciPacket& packet) { return answer(packet); }),
        session_(charon_.take_descriptor()) {}

  std::vector<std::string> answer(const ViciPacket& packet) {
    const std::string& name = packet.name;
    if (name == "get-conns") {
      return {ScriptedCharon::response(ViciSection().set_list("conns", connections_))};
    }
    if (name == "list-sas") return list_sas(packet.message.value("ike"));
    if (name == "load-conn") return load(packet.message);
    if (name == "unload-conn") {
      std::erase(connections_, std::string(packet.message.value("name")));
    }
    if (name == "load-key") {
      return {ScriptedCharon::response(ViciSection().set("success", "yes").set("id", "abcd"))};
    }
    if (name == "initiate") begun_.emplace_back(packet.message.value("child"));
    if (name == "terminate") {
      const bool forced = packet.message.value("force") == "yes";
      (forced ? forced_ : ended_).emplace_back(packet.message.value("ike-id"));
    }
    return {ScriptedCharon::success()};
  }
  std::vector<std::string> list_sas(std::string_view wanted) {
    std::vector<std::string> replies;
    for (const std::string& up : up_) {
      if (!wanted.empty() && up != wanted) continue;
      ViciSection sa;
      ViciSection& ike = sa.add_section(up).set("uniqueid", "7").set("state", "ESTABLISHED");
      ViciSection& children = ike.add_section("child-sas");
      if (!childless_) children.add_section(up + "-1").set("name", up).set("state", "INSTALLED");
      replies.push_back(ScriptedCharon::event("list-sa", sa));
    }
    replies.push_back(ScriptedCharon::response({}));
    return replies;
  }
  std::vector<std::string> load(const ViciSection& message) {
    const std::string name = message.entries()[0].name;
    if (name == refused_) return {ScriptedCharon::refusal("invalid value for: proposals")};
    if (std::find(connections_.begin(), connections_.end(), name) == connections_.end()) {
      connections_.push_back(name);
    }
    return {ScriptedCharon::success()};
  }

  CommitReport commit(const std::string& sites) {
    const auto report =
        control_.commit(session_, plan_connections(model_of_sites(sites), TestKeyStore()));
    EXPECT_TRUE(report) << report.error().message();
    return report ? *report : CommitReport();
  }
  size_t count(const std::string& command) {
    const Names asked = charon_.asked();
    return static_cast<size_t>(std::count(asked.begin(), asked.end(), command));
  }

  Names connections_;
  Names up_;
  Names begun_;
  Names ended_;
  Names forced_;  // without waiting for the peer's answer
  std::string refused_;
  bool childless_ = false;
  ScriptedCharon charon_;
  ViciSession session_;
  CharonControl control_;
};

TEST_F(Charon, LoadsOnceWhatDoesNotChange) {
  CommitReport report = commit(std::string(kOsaka) + kNagoya);
  EXPECT_EQ(report.loaded, (Names{"osaka", "nagoya"}));
  EXPECT_EQ(count("load-conn"), 2U);
  EXPECT_EQ(count("load-shared"), 1U);
  EXPECT_EQ(count("load-key"), 1U);
  EXPECT_EQ(count("load-cert"), 2U);
  EXPECT_EQ(count("flush-certs"), 1U) << "where there are certificates";
  report = commit(std::string(kNagoya) + kOsaka);
  EXPECT_EQ(report.unchanged, (Names{"nagoya", "osaka"}));
  EXPECT_EQ(count("load-conn"), 2U) << "the order does not matter";
}

TEST_F(Charon, OnlyTheChangedTunnelIsMadeAnew) {
  commit(std::string(kOsaka) + kNagoya);
  up_ = {"osaka", "nagoya"};
  std::string changed = kOsaka;
  changed.replace(changed.find("staple"), 6, "stable");
  const CommitReport report = commit(changed + kNagoya);
  EXPECT_EQ(report.loaded, Names{"osaka"}) << "another secret";
  EXPECT_EQ(report.unchanged, Names{"nagoya"});
  EXPECT_EQ(ended_, Names{"7"});
}

TEST_F(Charon, ARefusedOneIsNamedAndTheOldOneStays) {
  commit(kOsaka);
  up_ = {"osaka"};
  refused_ = "osaka";
  std::string changed = kOsaka;
  changed.insert(changed.rfind('}'), "esp { pfs off; } ");
  CommitReport report = commit(changed);
  ASSERT_EQ(report.faults.size(), 1U);
  EXPECT_EQ(report.faults[0].message(), "vpn site osaka: invalid value for: proposals");
  EXPECT_TRUE(report.loaded.empty());
  EXPECT_TRUE(ended_.empty());
  EXPECT_EQ(count("load-shared"), 1U) << "nor is its secret touched";
  EXPECT_EQ(commit(kOsaka).unchanged, Names{"osaka"}) << "back as it was";
  refused_.clear();
  report = commit(changed);
  EXPECT_EQ(report.loaded, Names{"osaka"}) << "tried again";
}

TEST_F(Charon, WhatIsNotConfiguredGoes) {
  connections_ = {"left-over"};
  CommitReport report = commit(std::string(kOsaka) + kNagoya);
  EXPECT_EQ(report.removed, Names{"left-over"});
  report = commit(kOsaka);
  EXPECT_EQ(report.removed, Names{"nagoya"});
  EXPECT_EQ(connections_, Names{"osaka"});
  EXPECT_EQ(count("unload-key"), 1U);
}

TEST_F(Charon, AnIncompleteSiteKeepsWhatItHad) {
  commit(kNagoya);
  std::string incomplete = kNagoya;
  incomplete.replace(incomplete.find("hq"), 2, "lost");
  const CommitReport report = commit(incomplete);
  EXPECT_EQ(report.faults.size(), 1U);
  EXPECT_TRUE(report.removed.empty());
  EXPECT_EQ(connections_, Names{"nagoya"});
}

TEST_F(Charon, BeginsWhatIsNotThere) {
  commit(std::string(kOsaka) + kNagoya +
         "site waits { peer 198.51.100.9; role respond; authentication { psk \"x\"; } }");
  up_ = {"nagoya"};
  const steady_clock::time_point start{seconds(1000)};
  EXPECT_EQ(*control_.keep_up(session_, start), Names{"osaka"});
  EXPECT_EQ(*control_.keep_up(session_, start + seconds(9)), Names{});
  EXPECT_EQ(*control_.keep_up(session_, start + seconds(10)), Names{"osaka"});
  EXPECT_EQ(count("initiate"), 2U);
}

TEST_F(Charon, BeginsTheChildThatWasRefused) {
  commit(kOsaka);
  up_ = {"osaka"};
  const steady_clock::time_point start{seconds(1000)};
  EXPECT_EQ(*control_.keep_up(session_, start), Names{});
  childless_ = true;
  EXPECT_EQ(*control_.keep_up(session_, start), Names{"osaka"})
      << "the peers know each other, but no packet passes";
}

// Each pair of networks is a child SA of its own.
TEST_F(Charon, BeginsEveryChildOfVersionOne) {
  commit(R"(site kobe { peer 198.51.100.7; ike { version 1; proposal aes256-sha256-ecp256; }
    authentication { psk "correct horse battery staple"; }
    local-networks [ 10.0.1.0/24 10.0.3.0/24 ]; remote-networks 10.30.0.0/16; })");
  const steady_clock::time_point start{seconds(1000)};
  EXPECT_EQ(*control_.keep_up(session_, start), Names{"kobe"});
  EXPECT_EQ(begun_, (Names{"kobe", "kobe-2"}));
  up_ = {"kobe"};
  EXPECT_EQ(*control_.keep_up(session_, start + seconds(9)), Names{});
  EXPECT_EQ(*control_.keep_up(session_, start + seconds(10)), Names{"kobe"});
  EXPECT_EQ(begun_, (Names{"kobe", "kobe-2", "kobe-2"})) << "what is there is not begun again";
  EXPECT_TRUE(control_.initiate(session_, "kobe"));
  EXPECT_EQ(begun_.size(), 5U);
  EXPECT_TRUE(control_.rekey(session_, "kobe", false));
  EXPECT_EQ(count("rekey"), 2U);
  EXPECT_TRUE(control_.rekey(session_, "kobe", true));
  EXPECT_EQ(count("rekey"), 3U) << "of IKE there is one";
}

TEST_F(Charon, WhatIsHeldIsNotBegun) {
  commit(kOsaka);
  const steady_clock::time_point start{seconds(1000)};
  control_.hold("osaka", true, start);
  EXPECT_EQ(*control_.keep_up(session_, start), Names{});
  control_.forget();
  commit(kOsaka);
  EXPECT_EQ(*control_.keep_up(session_, start), Names{}) << "nor after charon was started anew";
  control_.hold("osaka", false, start);
  EXPECT_EQ(*control_.keep_up(session_, start), Names{}) << "just begun by who asked for it";
  EXPECT_EQ(*control_.keep_up(session_, start + seconds(10)), Names{"osaka"});
  control_.hold("osaka", true, start);
  std::string changed = kOsaka;
  changed.replace(changed.find("staple"), 6, "stable");
  commit(changed);
  EXPECT_EQ(*control_.keep_up(session_, start + seconds(20)), Names{"osaka"}) << "it is another";
}

ViciSection ike_sa(const char* id, const char* spi, const char* seconds_old,
                   const char* state = "ESTABLISHED") {
  ViciSection sa;
  sa.add_section("osaka")
      .set("uniqueid", id)
      .set("state", state)
      .set("initiator-spi", spi)
      .set("established", seconds_old);
  return sa;
}

TEST_F(Charon, OfTwoBegunAtOnceBothSidesKeepTheSame) {
  commit(kOsaka);
  const steady_clock::time_point start{seconds(1000)};
  EXPECT_TRUE(control_.end_duplicates(session_, {ike_sa("1", "0f00", "5")}, start));
  EXPECT_EQ(ended_, Names{});
  const std::vector<ViciSection> here = {ike_sa("1", "0f00", "5"), ike_sa("2", "00ff", "4")};
  EXPECT_TRUE(control_.end_duplicates(session_, here, start));
  EXPECT_EQ(ended_, Names{"1"});
  EXPECT_TRUE(control_.end_duplicates(session_, here, start + seconds(59)));
  EXPECT_EQ(ended_, Names{"1"}) << "not fought about";
  const std::vector<ViciSection> there = {ike_sa("7", "00ff", "5"), ike_sa("8", "0f00", "5")};
  EXPECT_TRUE(control_.end_duplicates(session_, there, start + seconds(60)));
  EXPECT_EQ(ended_, (Names{"1", "8"}));
}

// A peer that has forgotten it already does not answer; as long as it is there, packets may be
// encrypted for nobody.
TEST_F(Charon, ADuplicateWhoseEndIsNotAnsweredGoesWithoutAnAnswer) {
  commit(kOsaka);
  const steady_clock::time_point start{seconds(1000)};
  const std::vector<ViciSection> two = {ike_sa("1", "0f00", "5"), ike_sa("2", "00ff", "4")};
  EXPECT_TRUE(control_.end_duplicates(session_, two, start));
  EXPECT_EQ(ended_, Names{"1"});
  EXPECT_EQ(control_.ending(), std::vector<uint64_t>{1}) << "packets are not to take it any more";
  const std::vector<ViciSection> ending = {ike_sa("1", "0f00", "7", "DELETING"),
                                           ike_sa("2", "00ff", "6")};
  EXPECT_TRUE(control_.end_duplicates(session_, ending, start + seconds(3)));
  EXPECT_EQ(forced_, Names{}) << "an answer may have been lost";
  EXPECT_TRUE(control_.end_duplicates(session_, ending, start + seconds(4)));
  EXPECT_EQ(forced_, Names{"1"});
  EXPECT_TRUE(control_.end_duplicates(session_, ending, start + seconds(5)));
  EXPECT_EQ(forced_, Names{"1"}) << "once";
  EXPECT_TRUE(control_.ending().empty());
}

TEST_F(Charon, WhatEndsForAnotherReasonIsNotHurried) {
  commit(kOsaka);
  const std::vector<ViciSection> ending = {ike_sa("1", "0f00", "7", "DELETING"),
                                           ike_sa("2", "00ff", "6")};
  EXPECT_TRUE(control_.end_duplicates(session_, ending, steady_clock::time_point{seconds(1000)}));
  EXPECT_TRUE(control_.end_duplicates(session_, ending, steady_clock::time_point{seconds(1100)}));
  EXPECT_EQ(forced_, Names{});
}

// Who ends a tunnel by hand and begins it again does not fight anybody.
TEST_F(Charon, OfTwoBegunAtOnceAfterAHoldOneIsEndedAtOnce) {
  commit(kOsaka);
  const steady_clock::time_point start{seconds(1000)};
  EXPECT_TRUE(control_.end_duplicates(session_,
                                      {ike_sa("1", "0f00", "5"), ike_sa("2", "00ff", "4")}, start));
  control_.hold("osaka", true, start + seconds(5));
  control_.hold("osaka", false, start + seconds(6));
  EXPECT_TRUE(control_.end_duplicates(
      session_, {ike_sa("3", "00ff", "1"), ike_sa("4", "0f00", "1")}, start + seconds(7)));
  EXPECT_EQ(ended_, (Names{"1", "4"}));
}

TEST_F(Charon, APeerThatBeganAnewTakesThePlaceOfWhatItWas) {
  commit(kOsaka);
  const std::vector<ViciSection> sas = {ike_sa("1", "00ff", "3600"), ike_sa("2", "0f00", "1")};
  EXPECT_TRUE(control_.end_duplicates(session_, sas, steady_clock::time_point{seconds(1000)}));
  EXPECT_EQ(ended_, Names{"1"});
}

TEST_F(Charon, WhereOneSideBeginsCharonItselfReplaces) {
  std::string one_side = kOsaka;
  one_side.insert(one_side.rfind('}'), "role initiate; ");
  commit(one_side);
  const std::vector<ViciSection> sas = {ike_sa("1", "00ff", "3600"), ike_sa("2", "0f00", "1")};
  EXPECT_TRUE(control_.end_duplicates(session_, sas, steady_clock::time_point{seconds(1000)}));
  EXPECT_EQ(ended_, Names{});
}

TEST_F(Charon, ABrokenSessionLoadsEverythingAgain) {
  commit(kOsaka);
  control_.forget();
  EXPECT_EQ(commit(kOsaka).loaded, Names{"osaka"});
  EXPECT_TRUE(ended_.empty()) << "tunnels that are up stay: nothing says that they differ";
}

}  // namespace
}  // namespace masugata::ipsec
