// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/synproxy/syn_cookie.h"

#include <gtest/gtest.h>

#include <array>
#include <set>

namespace masugata::dataplane {
namespace {

constexpr uint32_t kPeriodMs = 65536;

TcpFacts client_syn(const char* source = "192.0.2.1", const char* destination = "198.51.100.7") {
  TcpFacts syn;
  syn.key.source = *net::IpAddress::parse(source);
  syn.key.destination = *net::IpAddress::parse(destination);
  syn.key.source_port = net::Be16::from_host(40000);
  syn.key.destination_port = net::Be16::from_host(443);
  syn.key.protocol = net::Protocol::Tcp;
  syn.sequence = 0xffffffffU;
  syn.flags = net::kTcpSyn;
  syn.options.maximum_segment_size = 1460;
  syn.options.has_window_scale = true;
  syn.options.window_scale = 7;
  syn.options.sack_permitted = true;
  return syn;
}

// The ACK that a client sends when it gets `syn_ack`.
TcpFacts ack_of(const TcpFacts& syn, const TcpFacts& syn_ack) {
  TcpFacts ack;
  ack.key = syn.key;
  ack.sequence = syn.sequence + 1;
  ack.acknowledgement = syn_ack.sequence + 1;
  ack.flags = net::kTcpAck;
  ack.window = 500;
  return ack;
}

class SynCookieTest : public ::testing::Test {
 protected:
  SynCookies cookies_{net::SipHashKey{1, 2}};

  CookieFacts round_trip(const TcpFacts& syn) {
    CookieFacts facts;
    const TcpFacts answer = cookies_.answer(syn, 1400, 1000);
    EXPECT_TRUE(cookies_.check(ack_of(syn, answer), 1001, facts));
    return facts;
  }
};

TEST_F(SynCookieTest, AnswersASynWithAClosedWindow) {
  const TcpFacts syn = client_syn();
  const TcpFacts answer = cookies_.answer(syn, 1400, 0);
  EXPECT_TRUE(answer.key == syn.key.reversed());
  EXPECT_EQ(answer.acknowledgement, 0U);
  EXPECT_EQ(answer.flags, net::kTcpSyn | net::kTcpAck);
  EXPECT_EQ(answer.window, 0);
  EXPECT_EQ(answer.options.maximum_segment_size, 1400);
  EXPECT_TRUE(answer.options.sack_permitted);
  EXPECT_EQ(answer.options.window_scale, kAnnouncedWindowScale);
  EXPECT_FALSE(answer.options.has_timestamps);
}

TEST_F(SynCookieTest, OffersOnlyWhatTheClientOffered) {
  TcpFacts syn = client_syn();
  syn.options = net::TcpOptionFacts{};
  const TcpFacts answer = cookies_.answer(syn, 1400, 0);
  EXPECT_FALSE(answer.options.has_window_scale);
  EXPECT_FALSE(answer.options.sack_permitted);
}

TEST_F(SynCookieTest, RemembersTheOptions) {
  const CookieFacts facts = round_trip(client_syn());
  EXPECT_EQ(facts.maximum_segment_size, 1460);
  EXPECT_TRUE(facts.has_window_scale);
  EXPECT_EQ(facts.window_scale, 7);
  EXPECT_TRUE(facts.sack_permitted);
}

TEST_F(SynCookieTest, NeverRemembersMoreThanTheClientSaid) {
  for (uint32_t size = 64; size < 9100; ++size) {
    TcpFacts syn = client_syn();
    syn.options.maximum_segment_size = static_cast<uint16_t>(size);
    syn.options.window_scale = static_cast<uint8_t>(size % 15);
    syn.options.has_window_scale = size % 2 == 0;
    syn.options.sack_permitted = size % 3 == 0;
    const CookieFacts facts = round_trip(syn);
    ASSERT_LE(facts.maximum_segment_size, size);
    ASSERT_LE(facts.window_scale, syn.options.window_scale);
    ASSERT_EQ(facts.has_window_scale, syn.options.has_window_scale);
    ASSERT_EQ(facts.sack_permitted, syn.options.sack_permitted);
  }
}

TEST_F(SynCookieTest, TakesTheDefaultWithoutASegmentSize) {
  TcpFacts syn = client_syn();
  syn.options.maximum_segment_size = 0;
  EXPECT_EQ(round_trip(syn).maximum_segment_size, 536);
  syn = client_syn("2001:db8::1", "2001:db8::2");
  syn.options.maximum_segment_size = 0;
  EXPECT_EQ(round_trip(syn).maximum_segment_size, 1200);
}

TEST_F(SynCookieTest, RefusesWhateverIsNotTheHandshake) {
  const TcpFacts syn = client_syn();
  const TcpFacts good = ack_of(syn, cookies_.answer(syn, 1400, 0));
  CookieFacts facts;
  ASSERT_TRUE(cookies_.check(good, 0, facts));
  TcpFacts bad = good;
  ++bad.acknowledgement;
  EXPECT_FALSE(cookies_.check(bad, 0, facts));
  bad = good;
  ++bad.sequence;
  EXPECT_FALSE(cookies_.check(bad, 0, facts));
  bad = good;
  bad.key.source_port = net::Be16::from_host(40001);
  EXPECT_FALSE(cookies_.check(bad, 0, facts));
  bad = good;
  bad.key.source = *net::IpAddress::parse("192.0.2.2");
  EXPECT_FALSE(cookies_.check(bad, 0, facts));
  const std::array<uint8_t, 4> flags{uint8_t{0}, uint8_t{net::kTcpAck | net::kTcpRst},
                                     uint8_t{net::kTcpAck | net::kTcpSyn},
                                     uint8_t{net::kTcpAck | net::kTcpFin}};
  for (const uint8_t flag : flags) {
    bad = good;
    bad.flags = flag;
    EXPECT_FALSE(cookies_.check(bad, 0, facts));
  }
  EXPECT_FALSE(SynCookies(net::SipHashKey{1, 3}).check(good, 0, facts));
}

// A client must not be able to change what the cookie remembers.
TEST_F(SynCookieTest, EveryBitOfTheCookieIsAuthenticated) {
  const TcpFacts syn = client_syn();
  const TcpFacts good = ack_of(syn, cookies_.answer(syn, 1400, 0));
  for (uint32_t bit = 0; bit < 32; ++bit) {
    TcpFacts bad = good;
    bad.acknowledgement = ((good.acknowledgement - 1) ^ (1U << bit)) + 1;
    CookieFacts facts;
    EXPECT_FALSE(cookies_.check(bad, 0, facts)) << bit;
  }
}

TEST_F(SynCookieTest, LivesThroughItsOwnAndTheNextPeriod) {
  const TcpFacts syn = client_syn();
  CookieFacts facts;
  const std::array<uint32_t, 3> starts{0, 7 * kPeriodMs, 0U - kPeriodMs};  // the last one wraps
  for (const uint32_t start : starts) {
    const TcpFacts ack = ack_of(syn, cookies_.answer(syn, 1400, start));
    EXPECT_TRUE(cookies_.check(ack, start + kPeriodMs - 1, facts)) << start;
    EXPECT_TRUE(cookies_.check(ack, start + 2 * kPeriodMs - 1, facts)) << start;
    EXPECT_FALSE(cookies_.check(ack, start + 2 * kPeriodMs, facts)) << start;
    EXPECT_FALSE(cookies_.check(ack, start + 3 * kPeriodMs, facts)) << start;
  }
}

TEST_F(SynCookieTest, CookiesOfOneClientDiffer) {
  std::set<uint32_t> seen;
  TcpFacts syn = client_syn();
  for (uint32_t number = 0; number < 1000; ++number) {
    syn.sequence = number;
    seen.insert(cookies_.make(syn, 0) >> 8U);
  }
  EXPECT_GT(seen.size(), 990U);
}

}  // namespace
}  // namespace masugata::dataplane
