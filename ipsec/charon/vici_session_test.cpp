// SPDX-License-Identifier: GPL-2.0-or-later
#include "ipsec/charon/vici_session.h"

#include <gtest/gtest.h>

#include "ipsec/charon/scripted_charon.h"

namespace masugata::ipsec {
namespace {

using Milliseconds = std::chrono::milliseconds;
using Replies = std::vector<std::string>;

TEST(ViciSession, AsksAndGetsAnswers) {
  ScriptedCharon charon([](const ViciPacket& packet) {
    return Replies{ScriptedCharon::response(
        ViciSection().set("asked", packet.name).set("with", packet.message.value("key")))};
  });
  ViciSession session(charon.take_descriptor());
  const auto answer = session.request("version", ViciSection().set("key", "value"));
  ASSERT_TRUE(answer) << answer.error().message();
  EXPECT_EQ(answer->value("asked"), "version");
  EXPECT_EQ(answer->value("with"), "value");
}

TEST(ViciSession, ARefusalHasCharonsWords) {
  ScriptedCharon charon(
      [](const ViciPacket&) { return Replies{ScriptedCharon::refusal("invalid proposal")}; });
  ViciSession session(charon.take_descriptor());
  const Status refused = session.command("load-conn", {});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().what, "invalid proposal");
  EXPECT_TRUE(session.is_open());
}

TEST(ViciSession, StreamsAnAnswerApartFromOtherEvents) {
  ScriptedCharon charon([](const ViciPacket&) {
    return Replies{ScriptedCharon::event("list-sa", ViciSection().set("n", "1")),
                   ScriptedCharon::event("ike-updown", ViciSection().set("up", "yes")),
                   ScriptedCharon::event("list-sa", ViciSection().set("n", "2")),
                   ScriptedCharon::response({})};
  });
  ViciSession session(charon.take_descriptor());
  const auto streamed = session.stream("list-sas", "list-sa", {});
  ASSERT_TRUE(streamed) << streamed.error().message();
  ASSERT_EQ(streamed->size(), 2U);
  EXPECT_EQ((*streamed)[1].value("n"), "2");
  EXPECT_EQ(charon.asked(), (std::vector<std::string>{"+list-sa", "list-sas", "-list-sa"}));
  const auto events = session.take_events();
  ASSERT_TRUE(events);
  ASSERT_EQ(events->size(), 1U);
  EXPECT_EQ((*events)[0].name, "ike-updown");
}

TEST(ViciSession, SilenceEndsAtTheDeadlineAndTheSessionWithIt) {
  ScriptedCharon charon([](const ViciPacket&) { return Replies{}; });
  ViciSession session(charon.take_descriptor());
  const auto answer = session.request("version", {}, Milliseconds(20));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().what, "does not answer in time");
  EXPECT_FALSE(session.is_open()) << "a late answer would be taken for the next one's";
  EXPECT_FALSE(session.request("version", {}));
}

TEST(ViciSession, GarbageAndTheEndOfTheConnectionAreFaults) {
  for (const std::string& reply :
       {std::string("\0\0\0\1\x08", 5), std::string("\xff\xff\xff\xff", 4), std::string(),
        ScriptedCharon::confirm()}) {
    ScriptedCharon charon([&](const ViciPacket&) { return Replies{reply}; });
    ViciSession session(charon.take_descriptor());
    EXPECT_FALSE(session.request("version", {}));
    EXPECT_FALSE(session.is_open());
  }
}

TEST(ViciSession, AnAnswerMayComeInPieces) {
  const std::string whole = ScriptedCharon::response(ViciSection().set("a", "b"));
  ScriptedCharon charon([&](const ViciPacket&) {
    Replies pieces;
    for (const char c : whole) pieces.emplace_back(1, c);
    return pieces;
  });
  ViciSession session(charon.take_descriptor());
  const auto answer = session.request("version", {});
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->value("a"), "b");
}

TEST(ViciSession, EventsAreKeptUpToABound) {
  constexpr size_t kSent = ViciSession::kMaximumEvents + 10;
  ScriptedCharon charon([](const ViciPacket&) {
    Replies replies;
    for (size_t i = 0; i < kSent; ++i) {
      replies.push_back(ScriptedCharon::event("log", ViciSection().set("n", std::to_string(i))));
    }
    replies.push_back(ScriptedCharon::response({}));
    return replies;
  });
  ViciSession session(charon.take_descriptor());
  ASSERT_TRUE(session.subscribe("log"));
  ASSERT_TRUE(session.request("version", {}));
  EXPECT_EQ(session.lost_events(), 10U);
  const auto first = session.wait_for_event(Milliseconds(0));
  ASSERT_TRUE(first);
  EXPECT_EQ(first->message.value("n"), "10") << "the oldest give way";
  const auto rest = session.take_events();
  ASSERT_TRUE(rest);
  EXPECT_EQ(rest->size(), ViciSession::kMaximumEvents - 1);
  EXPECT_TRUE(session.is_open());
  EXPECT_FALSE(session.wait_for_event(Milliseconds(0)));
  EXPECT_TRUE(session.is_open()) << "no event is no fault of the session";
}

TEST(ViciSession, NobodyListening) {
  EXPECT_FALSE(ViciSession::connect("/nonexistent/charon.vici"));
  EXPECT_FALSE(ViciSession::connect(std::string(200, 'x')));
  EXPECT_FALSE(ViciSession::connect(""));
}

}  // namespace
}  // namespace masugata::ipsec
