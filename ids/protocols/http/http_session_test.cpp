// SPDX-License-Identifier: GPL-2.0-or-later
#include "ids/protocols/http/http_session.h"

#include <gtest/gtest.h>

#include "ids/protocols/events.h"
#include "ids/protocols/http/http_test_flow.h"

namespace masugata::ids {
namespace {

constexpr std::string_view kRequest = "GET /r HTTP/1.1\r\nHost: a\r\n\r\n";
constexpr std::string_view kResponse = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

TEST(HttpSession, FollowsPipelinedRequests) {
  HttpTestFlow flow;
  flow.up(std::string{kRequest} + "GET /s HTTP/1.1\r\nHost: b\r\n\r\n");
  ASSERT_EQ(flow.count(), 2U);
  flow.down(std::string{kResponse} + "HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n");
  EXPECT_EQ(flow.text(BufferId::HttpStatusCode, kDown, 0, 0), "200");
  EXPECT_EQ(flow.text(BufferId::HttpStatusCode, kDown, 0, 1), "404");
  EXPECT_EQ(flow.text(BufferId::HttpUri, kUp, 0, 1), "/s");
  EXPECT_EQ(flow.transaction(1).number_in_flow, 1U);
}

TEST(HttpSession, LetsTheEngineTakeFinishedTransactions) {
  HttpTestFlow flow;
  for (int i = 0; i < 3; ++i) {
    flow.up(kRequest);
    flow.down(kResponse);
    ASSERT_EQ(flow.count(), 1U);
    EXPECT_TRUE(flow.transaction().complete());
    flow.parser().transactions().pop_front();
  }
  flow.up(kRequest);
  EXPECT_EQ(flow.transaction().number_in_flow, 3U);
}

TEST(HttpSession, OutlivesItselfInItsTransactions) {
  auto flow = std::make_unique<HttpTestFlow>();
  flow->up(kRequest);
  std::unique_ptr<Transaction> kept = std::move(flow->parser().transactions().front());
  flow->parser().transactions().clear();
  flow.reset();
  const BufferBytes uri = kept->buffer(BufferId::HttpUri, kUp, 0);
  EXPECT_EQ(uri.state, BufferState::Complete);
}

TEST(HttpSession, GoesOnWhenTheEngineTakesAnUnfinishedTransaction) {
  HttpTestFlow flow;
  flow.up("POST /r HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nab");
  flow.parser().transactions().clear();
  EXPECT_EQ(flow.up("cd"), ParseOutcome::Going);
  EXPECT_EQ(flow.down(kResponse), ParseOutcome::Going);
  EXPECT_EQ(flow.count(), 0U);
  flow.up(kRequest);
  ASSERT_EQ(flow.count(), 1U);
  EXPECT_EQ(flow.text(BufferId::HttpUri), "/r");
}

TEST(HttpSession, FailsBeyondTheBoundOnTransactions) {
  HttpTestFlow flow;
  ParseOutcome outcome = ParseOutcome::Going;
  for (int i = 0; i < 2000 && outcome == ParseOutcome::Going; ++i) {
    outcome = flow.up(kRequest);
  }
  EXPECT_EQ(outcome, ParseOutcome::Failed);
  EXPECT_LE(flow.count(), 2 * kMaximumTransactions);
  for (size_t i = 0; i < flow.count(); ++i) {
    EXPECT_TRUE(flow.transaction(i).complete());
  }
  EXPECT_EQ(flow.up(kRequest), ParseOutcome::Failed);
}

TEST(HttpSession, BoundsUnansweredRequestsThatTheEngineTook) {
  HttpTestFlow flow;
  ParseOutcome outcome = ParseOutcome::Going;
  int sent = 0;
  for (; sent < 5000 && outcome == ParseOutcome::Going; ++sent) {
    outcome = flow.up(kRequest);
    flow.parser().transactions().clear();
  }
  EXPECT_EQ(outcome, ParseOutcome::Failed);
  EXPECT_LE(sent, static_cast<int>(2 * kMaximumTransactions) + 1);
}

TEST(HttpSession, ServesLongConnections) {
  HttpTestFlow flow;
  for (size_t i = 0; i < kTransactionsPerConnection + 10; ++i) {
    ASSERT_EQ(flow.up(kRequest), ParseOutcome::Going);
    ASSERT_EQ(flow.down(kResponse), ParseOutcome::Going);
    ASSERT_TRUE(flow.transaction().complete());
    flow.parser().transactions().pop_front();
  }
}

TEST(HttpSession, LeavesATunnelToOthers) {
  HttpTestFlow flow;
  EXPECT_EQ(flow.up("CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n"), ParseOutcome::Going);
  EXPECT_EQ(flow.down("HTTP/1.1 200 Established\r\n\r\n"), ParseOutcome::Changed);
  EXPECT_EQ(flow.parser().next_protocol(), ApplicationProtocol::Unknown);
  EXPECT_EQ(flow.text(BufferId::HttpStatusCode, kDown), "200");
  EXPECT_TRUE(flow.transaction().complete());
}

TEST(HttpSession, TellsWhereTheTunnelBegins) {
  constexpr std::string_view kAnswer = "HTTP/1.1 200 Established\r\n\r\n";
  HttpTestFlow flow;
  flow.up("CONNECT a:22 HTTP/1.1\r\nHost: a:22\r\n\r\n");
  EXPECT_EQ(flow.down(std::string{kAnswer} + "SSH-2.0-x\r\n"), ParseOutcome::Changed);
  EXPECT_EQ(flow.parser().take_unread(kDown), "SSH-2.0-x\r\n");
  EXPECT_EQ(flow.parser().take_unread(kDown), "");
  HttpTestFlow upgraded;
  upgraded.up(kRequest);
  constexpr std::string_view kSwitch = "HTTP/1.1 101 S\r\nUpgrade: h2c\r\n\r\n";
  EXPECT_EQ(upgraded.down(std::string{kSwitch} + "more"), ParseOutcome::Changed);
  EXPECT_EQ(upgraded.parser().take_unread(kDown), "more");
}

TEST(HttpSession, GivesAwayWhatWaitedForTheTunnel) {
  HttpTestFlow flow;
  flow.up("CONNECT a:22 HTTP/1.1\r\nHost: a:22\r\n\r\nSSH-2.0-");
  flow.up("client\r\n");
  EXPECT_EQ(flow.down("HTTP/1.1 200 Established\r\n\r\n"), ParseOutcome::Changed);
  EXPECT_EQ(flow.parser().take_unread(kUp), "SSH-2.0-client\r\n");
  EXPECT_EQ(flow.parser().take_unread(kDown), "");
}

TEST(HttpSession, DoesNotGiveWayRightAfterAnotherChange) {
  HttpTestFlow flow;
  flow.parser().follow_change();
  EXPECT_EQ(flow.down("HTTP/1.1 101 S\r\nUpgrade: h2c\r\n\r\n"), ParseOutcome::Finished);
  ASSERT_EQ(flow.count(), 1U);
  EXPECT_TRUE(flow.has(HttpEvent::FailedProtocolChange));
  HttpTestFlow later;
  later.parser().follow_change();
  later.up(kRequest);
  EXPECT_EQ(later.down("HTTP/1.1 101 S\r\nUpgrade: h2c\r\n\r\n"), ParseOutcome::Changed);
  EXPECT_FALSE(later.has(HttpEvent::FailedProtocolChange));
}

TEST(HttpSession, ReadsResponsesWhoseRequestsNobodySees) {
  HttpTestFlow flow;
  ASSERT_EQ(flow.down(kResponse), ParseOutcome::Going);
  EXPECT_EQ(flow.parser().on_gap(kUp, 40), ParseOutcome::Going);
  ASSERT_EQ(flow.down(kResponse), ParseOutcome::Going);
  ASSERT_EQ(flow.count(), 2U);
  EXPECT_EQ(flow.text(BufferId::FileData, kDown, 0, 1), "ok");
}

TEST(HttpSession, StaysWhenATunnelIsRefused) {
  HttpTestFlow flow;
  flow.up("CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n");
  EXPECT_EQ(flow.down("HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n"), ParseOutcome::Going);
  EXPECT_EQ(flow.up(kRequest), ParseOutcome::Going);
  ASSERT_EQ(flow.count(), 2U);
  EXPECT_EQ(flow.text(BufferId::HttpUri, kUp, 0, 1), "/r");
}

TEST(HttpSession, KeepsWhatTheClientSendsBeforeTheTunnelIsRefused) {
  HttpTestFlow flow;
  flow.up("CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n" + std::string{kRequest});
  flow.down("HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n");
  ASSERT_EQ(flow.count(), 2U);
  EXPECT_EQ(flow.text(BufferId::HttpUri, kUp, 0, 1), "/r");
}

TEST(HttpSession, FollowsUpgrades) {
  for (const auto& [name, protocol] : {std::pair{"h2c", ApplicationProtocol::Http2},
                                       std::pair{"WebSocket", ApplicationProtocol::WebSocket},
                                       std::pair{"TLS/1.3", ApplicationProtocol::Unknown}}) {
    HttpTestFlow flow;
    flow.up(kRequest);
    const std::string response = std::string{"HTTP/1.1 101 Switching\r\nUpgrade: "} + name +
                                 "\r\nConnection: Upgrade\r\n\r\n";
    EXPECT_EQ(flow.down(response), ParseOutcome::Changed) << name;
    EXPECT_EQ(flow.parser().next_protocol(), protocol) << name;
  }
}

TEST(HttpSession, ReadsAResponseWithoutItsRequest) {
  HttpTestFlow flow;
  EXPECT_EQ(flow.down(kResponse), ParseOutcome::Going);
  ASSERT_EQ(flow.count(), 1U);
  EXPECT_TRUE(flow.has(HttpEvent::UnableToMatchResponse));
  EXPECT_EQ(flow.text(BufferId::FileData, kDown), "ok");
  EXPECT_TRUE(flow.transaction().complete());
}

TEST(HttpSession, ReadsManyResponsesWithoutRequests) {
  HttpTestFlow flow;
  for (size_t i = 0; i < 4 * kMaximumTransactions; ++i) {
    ASSERT_EQ(flow.down(kResponse), ParseOutcome::Going) << i;
    ASSERT_EQ(flow.count(), 1U);
    ASSERT_TRUE(flow.transaction().complete());
    flow.parser().transactions().pop_front();
  }
}

TEST(HttpSession, SurvivesAGapInABody) {
  HttpTestFlow flow;
  flow.up(kRequest);
  flow.down("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc");
  EXPECT_EQ(flow.parser().on_gap(kDown, 4), ParseOutcome::Going);
  EXPECT_EQ(flow.down("xyz"), ParseOutcome::Going);
  const BufferBytes body = flow.transaction().buffer(BufferId::FileData, kDown, 0);
  EXPECT_EQ(body.state, BufferState::Complete);
  EXPECT_EQ(body.first, 7U);
  EXPECT_EQ(flow.text(BufferId::FileData, kDown), "xyz");
  EXPECT_TRUE(flow.transaction().files()[0].truncated);
  flow.up(kRequest);
  EXPECT_EQ(flow.count(), 2U);
}

TEST(HttpSession, FailsOnAGapInHeaders) {
  HttpTestFlow flow;
  flow.up("GET / HTTP/1.1\r\nHo");
  EXPECT_EQ(flow.parser().on_gap(kUp, 4), ParseOutcome::Failed);
  EXPECT_TRUE(flow.transaction().complete());
}

TEST(HttpSession, FailsOnEndlessLines) {
  HttpTestFlow flow;
  EXPECT_EQ(flow.send(kUp, "GET /" + std::string(40000, 'a'), 1000), ParseOutcome::Failed);
  EXPECT_TRUE(flow.has(HttpEvent::RequestFieldTooLong));
}

TEST(HttpSession, EndsWhatIsOpen) {
  HttpTestFlow flow;
  flow.up("PUT /f HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc");
  flow.end();
  flow.end();
  EXPECT_TRUE(flow.transaction().complete());
  ASSERT_EQ(flow.transaction().files().size(), 1U);
  EXPECT_TRUE(flow.transaction().files()[0].complete);
  EXPECT_EQ(flow.text(BufferId::FileData), "abc");
}

TEST(HttpEvents, HaveNamesThatRulesUse) {
  const auto events = application_events(ApplicationProtocol::Http);
  ASSERT_EQ(events.size(), kHttpEventNames.size());
  EXPECT_EQ(find_event(events, "missing_host_header"),
            static_cast<uint8_t>(HttpEvent::MissingHostHeader));
  EXPECT_EQ(find_event(events, "failed_protocol_change"),
            static_cast<uint8_t>(HttpEvent::FailedProtocolChange));
}

TEST(HttpEvents, AreToldByTheBeginningOfMessages) {
  EXPECT_EQ(event_of_message("Invalid C-L field in response: 5", kDown, false),
            HttpEvent::InvalidContentLengthInResponse);
  EXPECT_EQ(event_of_message("Repetition for header", kUp, false),
            HttpEvent::RequestHeaderRepetition);
  EXPECT_EQ(event_of_message("Repetition for header", kDown, false),
            HttpEvent::ResponseHeaderRepetition);
  EXPECT_EQ(event_of_message("something new", kUp, true), HttpEvent::UnknownError);
  EXPECT_EQ(event_of_message("something new", kUp, false), std::nullopt);
}

// Whoever goes on feeding gets the same answer; less comes than was read up to the change.
TEST(HttpSession, NothingIsReadBehindAChange) {
  HttpTestFlow flow;
  EXPECT_EQ(flow.up("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nx"),
            ParseOutcome::Going);
  EXPECT_EQ(flow.down("HTTP/0.1 101 Continue\r\n\r\n"), ParseOutcome::Changed);
  EXPECT_EQ(flow.up("ab"), ParseOutcome::Changed);
  EXPECT_EQ(flow.down("HTTP/1.1 200 OK\r\n\r\n"), ParseOutcome::Changed);
}

}  // namespace
}  // namespace masugata::ids
