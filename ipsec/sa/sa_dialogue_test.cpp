// SPDX-License-Identifier: GPL-2.0-or-later
#include "ipsec/sa/sa_dialogue.h"

#include <gtest/gtest.h>

#include "ipsec/sa/recording_consumer.h"
#include "ipsec/sa/sample_messages.h"

namespace masugata::ipsec {
namespace {

constexpr uint64_t kOurGeneration = 77;

class SaDialogueTest : public testing::Test {
 protected:
  template <class Message>
  masugata_sa_reply ask(Message message) {
    message.header.sequence = ++sequence_;
    const auto reply = dialogue_.handle(sample::bytes_of(message));
    EXPECT_TRUE(reply) << reply.error().message();
    EXPECT_TRUE(reply->has_value());
    EXPECT_EQ((*reply)->header.sequence, sequence_);
    EXPECT_EQ((*reply)->header.type, MASUGATA_SA_REPLY);
    return **reply;
  }
  void greet(uint64_t generation = 1) {
    dialogue_.begin();
    EXPECT_EQ(ask(sample::hello(generation)).status, MASUGATA_SA_OK);
  }
  uint32_t install(bool inbound) { return ask(sample::add(inbound)).status; }

  RecordingConsumer consumer_;
  SaDialogue dialogue_{consumer_, kOurGeneration};
  uint32_t sequence_ = 0;
};

TEST_F(SaDialogueTest, BeginsWithHelloAndOnlyOnce) {
  auto early = sample::about(MASUGATA_SA_QUERY, true);
  EXPECT_FALSE(dialogue_.handle(sample::bytes_of(early)));
  dialogue_.begin();
  const auto reply = ask(sample::hello(5));
  EXPECT_EQ(reply.generation, kOurGeneration);
  EXPECT_EQ(consumer_.connected, std::vector<std::string>{"charon-systemd, strongSwan 5.9.8"});
  auto again = sample::hello(5);
  EXPECT_FALSE(dialogue_.handle(sample::bytes_of(again)));
}

TEST_F(SaDialogueTest, AnotherCharonFlushesAndTheSameOneDoesNot) {
  greet(1);
  EXPECT_EQ(consumer_.flushes, 1);
  EXPECT_EQ(install(true), MASUGATA_SA_OK);
  EXPECT_EQ(ask(sample::policy(MASUGATA_SA_ADD_POLICY)).status, MASUGATA_SA_OK);
  dialogue_.end();
  EXPECT_EQ(consumer_.departures, 1);
  EXPECT_EQ(consumer_.sas.size(), 1U);
  greet(1);
  EXPECT_EQ(consumer_.flushes, 1);
  EXPECT_EQ(consumer_.sas.size(), 1U);
  EXPECT_EQ(consumer_.policies.size(), 1U);
  dialogue_.end();
  greet(2);
  EXPECT_EQ(consumer_.flushes, 2);
  EXPECT_TRUE(consumer_.sas.empty());
  EXPECT_TRUE(consumer_.policies.empty());
}

TEST_F(SaDialogueTest, ReservesSpisAndGivesThemBack) {
  greet();
  auto request = sample::begin<masugata_sa_reserve_spi>(MASUGATA_SA_RESERVE_SPI);
  request.source = sample::address("192.0.2.2");
  request.destination = sample::address("192.0.2.1");
  const auto first = ask(request);
  request.source = {};  // the peer is not known yet
  const auto second = ask(request);
  EXPECT_EQ(first.status, MASUGATA_SA_OK);
  EXPECT_NE(first.spi, second.spi);
  EXPECT_EQ(consumer_.reservations.size(), 2U);
  auto remove = sample::about(MASUGATA_SA_REMOVE, true);
  remove.name.spi = first.spi;
  EXPECT_EQ(ask(remove).status, MASUGATA_SA_OK);
  EXPECT_EQ(consumer_.reservations.size(), 1U);
  request.destination = {};
  EXPECT_EQ(ask(request).status, MASUGATA_SA_REFUSED);
}

TEST_F(SaDialogueTest, InstallsMovesAndRemoves) {
  greet();
  EXPECT_EQ(install(true), MASUGATA_SA_OK);
  EXPECT_EQ(install(false), MASUGATA_SA_OK);
  EXPECT_EQ(ask(sample::update(false)).status, MASUGATA_SA_OK);
  EXPECT_EQ(ask(sample::update(false)).status, MASUGATA_SA_NOT_FOUND);  // it is elsewhere now
  auto remove = sample::about(MASUGATA_SA_REMOVE, false);
  remove.name.destination = sample::address("198.51.100.7");
  EXPECT_EQ(ask(remove).status, MASUGATA_SA_OK);
  EXPECT_EQ(ask(remove).status, MASUGATA_SA_NOT_FOUND);
  EXPECT_EQ(consumer_.sas.size(), 1U);
  EXPECT_EQ(ask(sample::begin<masugata_sa_plain>(MASUGATA_SA_FLUSH)).status, MASUGATA_SA_OK);
  EXPECT_TRUE(consumer_.sas.empty());
}

TEST_F(SaDialogueTest, TellsTheUseOfAnSa) {
  greet();
  EXPECT_EQ(ask(sample::about(MASUGATA_SA_QUERY, true)).status, MASUGATA_SA_NOT_FOUND);
  EXPECT_EQ(install(true), MASUGATA_SA_OK);
  EXPECT_EQ(ask(sample::about(MASUGATA_SA_QUERY, true)).idle_seconds, UINT64_MAX);
  consumer_.use = {.bytes = 1000, .packets = 3, .idle_seconds = 12};
  const auto reply = ask(sample::about(MASUGATA_SA_QUERY, true));
  EXPECT_EQ(reply.bytes, 1000U);
  EXPECT_EQ(reply.packets, 3U);
  EXPECT_EQ(reply.idle_seconds, 12U);
}

TEST_F(SaDialogueTest, CountsPolicies) {
  greet();
  for (int i = 0; i < 2; ++i) ask(sample::policy(MASUGATA_SA_ADD_POLICY));
  EXPECT_EQ(consumer_.policies.size(), 2U);
  EXPECT_EQ(ask(sample::policy(MASUGATA_SA_REMOVE_POLICY)).status, MASUGATA_SA_OK);
  EXPECT_EQ(ask(sample::policy(MASUGATA_SA_REMOVE_POLICY)).status, MASUGATA_SA_OK);
  EXPECT_EQ(ask(sample::policy(MASUGATA_SA_REMOVE_POLICY)).status, MASUGATA_SA_NOT_FOUND);
}

TEST_F(SaDialogueTest, GivesReasonsForRefusals) {
  greet();
  consumer_.refusal = std::string(400, 'n');
  const auto reply = ask(sample::add(true));
  EXPECT_EQ(reply.status, MASUGATA_SA_REFUSED);
  EXPECT_EQ(std::string(reply.reason).size(), sizeof reply.reason - 1);
  auto wrong = sample::add(true);
  wrong.encryption = 3;
  EXPECT_EQ(ask(wrong).status, MASUGATA_SA_REFUSED);
}

TEST_F(SaDialogueTest, SaysWhyAnSaCannotMove) {
  greet();
  ASSERT_EQ(install(false), MASUGATA_SA_OK);
  consumer_.sas.begin()->second.mode = Mode::Transport;
  const auto reply = ask(sample::update(false));
  EXPECT_EQ(reply.status, MASUGATA_SA_REFUSED);
  EXPECT_NE(std::string(reply.reason).find("transport mode in UDP is not possible"),
            std::string::npos)
      << reply.reason;
}

TEST_F(SaDialogueTest, HandsAlertsOverWithoutAnAnswer) {
  greet();
  auto alert = sample::alert();
  const auto reply = dialogue_.handle(sample::bytes_of(alert));
  ASSERT_TRUE(reply);
  EXPECT_FALSE(reply->has_value());
  ASSERT_EQ(consumer_.alerts.size(), 1U);
  EXPECT_EQ(consumer_.alerts[0].connection, "osaka");
}

TEST_F(SaDialogueTest, WipesWhatItHasReadEvenWhenItRefuses) {
  greet();
  for (const uint16_t encryption : {uint16_t{20}, uint16_t{3}}) {
    auto message = sample::add(true);
    message.encryption = encryption;
    (void)dialogue_.handle(sample::bytes_of(message));
    for (const uint8_t byte : sample::bytes_of(message)) ASSERT_EQ(byte, 0);
  }
  auto message = sample::add(true);
  message.header.version = 9;
  EXPECT_FALSE(dialogue_.handle(sample::bytes_of(message)));
  for (const uint8_t byte : sample::bytes_of(message)) ASSERT_EQ(byte, 0);
}

}  // namespace
}  // namespace masugata::ipsec
