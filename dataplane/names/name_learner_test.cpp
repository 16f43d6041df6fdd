// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/names/name_learner.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "dataplane/policy/policy_compile.h"

namespace masugata::dataplane {
namespace {

using Bytes = std::vector<uint8_t>;

void add_word(Bytes& bytes, size_t value) {
  bytes.push_back(static_cast<uint8_t>(value >> 8U));
  bytes.push_back(static_cast<uint8_t>(value));
}

Bytes name(const std::string& text) {
  Bytes bytes;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find('.', begin), text.size());
    bytes.push_back(static_cast<uint8_t>(end - begin));
    for (size_t i = begin; i < end; ++i) bytes.push_back(static_cast<uint8_t>(text[i]));
    begin = end + 1;
  }
  bytes.push_back(0);
  return bytes;
}

void add(Bytes& bytes, const Bytes& more) { bytes.insert(bytes.end(), more.begin(), more.end()); }

Bytes message(uint16_t id, uint16_t flags, const std::string& host, uint16_t records) {
  Bytes bytes;
  for (const uint16_t word : {id, flags, uint16_t{1}, records, uint16_t{0}, uint16_t{0}}) {
    add_word(bytes, word);
  }
  add(bytes, name(host));
  add_word(bytes, 1);
  add_word(bytes, 1);
  return bytes;
}

Bytes question(uint16_t id, const std::string& host) { return message(id, 0x0100, host, 0); }

// `host` is 192.0.2.`last`, by way of `alias` unless that is empty.
Bytes answer(uint16_t id, const std::string& host, uint8_t last, uint16_t ttl_s,
             const std::string& alias = {}, uint16_t flags = 0x8180) {
  Bytes bytes = message(id, flags, host, alias.empty() ? 1 : 2);
  if (!alias.empty()) {
    add(bytes, name(host));
    for (const size_t word : {size_t{5}, size_t{1}, size_t{0}, size_t{ttl_s}, name(alias).size()}) {
      add_word(bytes, word);
    }
    add(bytes, name(alias));
  }
  add(bytes, name(alias.empty() ? host : alias));
  for (const size_t word : {size_t{1}, size_t{1}, size_t{0}, size_t{ttl_s}, size_t{4}}) {
    add_word(bytes, word);
  }
  add(bytes, {192, 0, 2, last});
  return bytes;
}

class Learner : public testing::Test {
 protected:
  void SetUp() override {
    config::Model model;
    for (const char* zone : {"self", "lan", "wan"}) {
      model.zones.emplace_back();
      model.zones.back().name = zone;
    }
    model.policy.emplace_back();
    model.policy.back().from = 1;
    model.policy.back().to = 2;
    model.policy.back().rules.emplace_back();
    model.policy.back().rules.back().name = "rule";
    model.policy.back().rules.back().domains = {{"wanted.example", false}};
    auto compiled = compile_policy(model);
    ASSERT_TRUE(compiled.has_value());
    policy_ = std::move(*compiled);
    LearnerLimits limits;
    limits.questions = 4;
    ASSERT_TRUE(learner_.prepare(limits, memory_, {}).has_value());
  }
  void ask(const Bytes& bytes, uint32_t now_s = 0, uint32_t session = 1) {
    learner_.look(bytes, {session, 7, true, false}, policy_, now_s);
  }
  void reply(const Bytes& bytes, uint32_t now_s = 0, uint32_t session = 1) {
    learner_.look(bytes, {session, 7, false, false}, policy_, now_s);
  }
  [[nodiscard]] std::vector<std::string> names(uint8_t last, uint32_t now_s = 0) const {
    const auto address = *net::IpAddress::parse("192.0.2." + std::to_string(last));
    const AddressNames found = learner_.table().find(address, now_s, false);
    return {found.names.begin(), found.names.begin() + found.count};
  }
  using Names = std::vector<std::string>;
  HeapMemory memory_;
  PolicyTables policy_;
  NameLearner learner_;
};

TEST_F(Learner, AnswerToAQuestionTeaches) {
  ask(question(5, "WWW.wanted.example"));
  reply(answer(5, "www.Wanted.example", 1, 3600));
  EXPECT_EQ(names(1), (Names{"www.wanted.example"}));
  ASSERT_EQ(learner_.lessons().size(), 1U);
  EXPECT_TRUE(learner_.lessons()[0].mentioned);
  EXPECT_EQ(learner_.counters().answers.get(), 1U);
  EXPECT_EQ(learner_.counters().learnt.get(), 1U);
}

TEST_F(Learner, NothingIsLearntWithoutTheQuestion) {
  reply(answer(5, "wanted.example", 1, 3600));
  ask(question(5, "wanted.example"));
  reply(answer(6, "wanted.example", 1, 3600));                       // another identifier
  reply(answer(5, "other.example", 1, 3600));                        // another name
  reply(answer(5, "wanted.example", 1, 3600), 0, 2);                 // another session
  ask(answer(5, "wanted.example", 1, 3600));                         // an answer by the client
  reply(question(5, "wanted.example"));                              // a question by the resolver
  reply(answer(5, "wanted.example", 1, 3600), kQuestionLife_s + 1);  // too late
  EXPECT_EQ(names(1), Names{});
  EXPECT_EQ(learner_.counters().unasked.get(), 5U);
  EXPECT_EQ(learner_.counters().unreadable.get(), 2U);
  EXPECT_TRUE(learner_.lessons().empty());
}

TEST_F(Learner, QuestionIsGoodForOneAnswer) {
  ask(question(5, "wanted.example"));
  reply(answer(5, "wanted.example", 1, 3600));
  reply(answer(5, "wanted.example", 2, 3600));
  EXPECT_EQ(names(1).size(), 1U);
  EXPECT_EQ(names(2).size(), 0U);
}

TEST_F(Learner, ErrorsTeachNothing) {
  ask(question(5, "wanted.example"));
  reply(answer(5, "wanted.example", 1, 3600, {}, 0x8182));
  EXPECT_EQ(names(1), Names{});
}

TEST_F(Learner, AliasesCountWhenRulesSpeakOfThem) {
  ask(question(5, "a.example"));
  reply(answer(5, "a.example", 1, 3600, "edge.cdn.example"));
  EXPECT_EQ(names(1), (Names{"a.example"}));
  ask(question(6, "b.example"));
  reply(answer(6, "b.example", 2, 3600, "edge.wanted.example"));
  EXPECT_EQ(names(2), (Names{"b.example", "edge.wanted.example"}));
}

TEST_F(Learner, LifetimesAreClamped) {
  ask(question(5, "wanted.example"));
  reply(answer(5, "wanted.example", 1, 1));
  EXPECT_EQ(names(1, kShortestName_s - 1).size(), 1U);
  EXPECT_EQ(names(1, kShortestName_s).size(), 0U);
  Bytes long_life = answer(6, "wanted.example", 2, 0);
  long_life[long_life.size() - 10] = 0x7f;  // the high byte of the time to live
  ask(question(6, "wanted.example"));
  reply(long_life);
  EXPECT_EQ(names(2, kLongestName_s - 1).size(), 1U);
  EXPECT_EQ(names(2, kLongestName_s).size(), 0U);
}

TEST_F(Learner, OldestQuestionGoesAtTheBound) {
  for (uint16_t id = 0; id < 5; ++id) ask(question(id, "wanted.example"), id);
  reply(answer(0, "wanted.example", 1, 3600), 5);
  EXPECT_EQ(names(1, 5), Names{});
  reply(answer(1, "wanted.example", 1, 3600), 5);
  EXPECT_EQ(names(1, 5).size(), 1U);
}

TEST_F(Learner, OverTcpAMessageThatIsWholeInItsSegmentTeaches) {
  const auto behind_length = [](const Bytes& bytes) {
    Bytes whole;
    add_word(whole, bytes.size());
    add(whole, bytes);
    return whole;
  };
  learner_.look(behind_length(question(5, "wanted.example")), {1, 7, true, true}, policy_, 0);
  const Bytes whole = behind_length(answer(5, "wanted.example", 1, 3600));
  learner_.look(std::span(whole).first(whole.size() - 1), {1, 7, false, true}, policy_, 0);
  EXPECT_EQ(names(1), Names{});
  learner_.look(whole, {1, 7, false, true}, policy_, 0);
  EXPECT_EQ(names(1).size(), 1U);
}

TEST_F(Learner, LearnsWhatOthersWereTaught) {
  NameLesson lesson;
  lesson.address = *net::IpAddress::parse("192.0.2.1");
  lesson.lifetime_s = 600;
  lesson.set_name("wanted.example");
  learner_.learn(lesson, 0);
  EXPECT_EQ(names(1).size(), 1U);
  EXPECT_EQ(learner_.counters().addresses.get(), 1U);
}

}  // namespace
}  // namespace masugata::dataplane
