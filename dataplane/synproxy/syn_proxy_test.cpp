// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/synproxy/syn_proxy.h"

#include <gtest/gtest.h>

#include <array>

#include "net/checksum.h"

namespace masugata::dataplane {
namespace {

constexpr uint32_t kClientIsn = 1000;
constexpr uint32_t kCookie = 0xfffffff0U;
constexpr uint32_t kServerIsn = 0x20000000U;
constexpr CookieFacts kClientOptions{1460, true, 6, true};

net::FlowKey client_key() {
  net::FlowKey key;
  key.source = *net::IpAddress::parse("192.0.2.1");
  key.destination = *net::IpAddress::parse("198.51.100.7");
  key.source_port = net::Be16::from_host(40000);
  key.destination_port = net::Be16::from_host(443);
  key.protocol = net::Protocol::Tcp;
  return key;
}

// As the server's packets show: translated to 10.0.2.80.
net::FlowKey server_key() {
  net::FlowKey key = client_key().reversed();
  key.source = *net::IpAddress::parse("10.0.2.80");
  return key;
}

TcpFacts client_segment(uint8_t flags = net::kTcpAck, uint16_t payload = 0) {
  TcpFacts segment;
  segment.key = client_key();
  segment.sequence = kClientIsn + 1;
  segment.acknowledgement = kCookie + 1;
  segment.window = 1000;
  segment.flags = flags;
  segment.payload_length = payload;
  return segment;
}

TcpFacts server_segment(uint8_t flags) {
  TcpFacts segment;
  segment.key = server_key();
  segment.sequence = kServerIsn;
  segment.acknowledgement = kClientIsn + 1;
  segment.window = 64000;
  segment.flags = flags;
  segment.options.maximum_segment_size = 1460;
  segment.options.has_window_scale = true;
  segment.options.window_scale = 9;
  return segment;
}

class SynProxyTest : public ::testing::Test {
 protected:
  SynProxyState state_;
  SynProxyStep start_ = start_syn_proxy(state_, client_segment(), kClientOptions, 1400, 5000);
};

TEST_F(SynProxyTest, OpensToTheServerInTheClientsName) {
  EXPECT_FALSE(start_.pass);
  EXPECT_FALSE(start_.send_to_client);
  ASSERT_TRUE(start_.send_to_server);
  const TcpFacts& syn = start_.to_server;
  EXPECT_TRUE(syn.key == client_key());
  EXPECT_EQ(syn.flags, net::kTcpSyn);
  EXPECT_EQ(syn.sequence, kClientIsn);
  EXPECT_EQ(syn.acknowledgement, 0U);
  EXPECT_EQ(syn.window, 64000) << "1000 at scale 6";
  EXPECT_EQ(syn.options.maximum_segment_size, 1400);
  EXPECT_EQ(syn.options.window_scale, 6);
  EXPECT_TRUE(syn.options.has_window_scale);
  EXPECT_TRUE(syn.options.sack_permitted);
  EXPECT_FALSE(syn.options.has_timestamps);
}

TEST_F(SynProxyTest, JoinsBothHalves) {
  const SynProxyStep step = on_server_segment(state_, server_segment(net::kTcpSyn | net::kTcpAck));
  EXPECT_FALSE(step.pass);
  EXPECT_EQ(state_.phase, SynProxyPhase::Established);
  ASSERT_TRUE(step.send_to_server && step.send_to_client);
  EXPECT_TRUE(step.to_server.key == server_key().reversed());
  EXPECT_EQ(step.to_server.flags, net::kTcpAck);
  EXPECT_EQ(step.to_server.sequence, kClientIsn + 1);
  EXPECT_EQ(step.to_server.acknowledgement, kServerIsn + 1);
  EXPECT_EQ(step.to_server.window, 1000);
  EXPECT_TRUE(step.to_client.key == server_key());
  EXPECT_EQ(step.to_client.flags, net::kTcpAck);
  EXPECT_EQ(step.to_client.acknowledgement, kClientIsn + 1);
  EXPECT_EQ(step.to_client.window, 64000 >> 9);
  // What the client sees after sequence adjustment is the number behind the cookie.
  EXPECT_EQ(step.to_client.sequence + server_sequence_offset(state_), kCookie + 1);
  EXPECT_EQ(server_window_shift(state_), 2);
}

TEST_F(SynProxyTest, ServerWithoutWindowScaling) {
  TcpFacts answer = server_segment(net::kTcpSyn | net::kTcpAck);
  answer.options.has_window_scale = false;
  answer.options.window_scale = 0;
  const SynProxyStep step = on_server_segment(state_, answer);
  EXPECT_EQ(step.to_server.window, 64000) << "the server reads it unscaled";
  EXPECT_EQ(step.to_client.window, 64000);
  EXPECT_EQ(server_window_shift(state_), -static_cast<int>(kAnnouncedWindowScale));
}

TEST_F(SynProxyTest, ClientWithoutWindowScaling) {
  const CookieFacts plain{536, false, 0, false};
  start_ = start_syn_proxy(state_, client_segment(), plain, 1400, 0);
  EXPECT_EQ(start_.to_server.window, 1000);
  EXPECT_FALSE(start_.to_server.options.has_window_scale);
  EXPECT_EQ(start_.to_server.options.maximum_segment_size, 536);
  // A server that scales all the same breaks RFC 7323; its offer does not count.
  const SynProxyStep step = on_server_segment(state_, server_segment(net::kTcpSyn | net::kTcpAck));
  EXPECT_EQ(step.to_client.window, 64000);
  EXPECT_EQ(server_window_shift(state_), 0);
}

TEST_F(SynProxyTest, AbsorbsDataUntilTheServerAnswers) {
  const SynProxyStep step =
      on_client_segment(state_, client_segment(net::kTcpAck | net::kTcpPsh, 100), 1400, 5100);
  EXPECT_FALSE(step.pass || step.send_to_client || step.send_to_server);
  EXPECT_EQ(state_.phase, SynProxyPhase::WaitingForServer);
}

TEST_F(SynProxyTest, RepeatsTheSynWithGrowingPatience) {
  auto probe = [this](uint32_t now_ms) {
    return on_client_segment(state_, client_segment(), 1400, now_ms).send_to_server;
  };
  EXPECT_FALSE(probe(5999));
  EXPECT_TRUE(probe(6000));
  EXPECT_FALSE(probe(7999));
  EXPECT_TRUE(probe(8000));
  EXPECT_TRUE(probe(12000));
  EXPECT_FALSE(probe(60000)) << "four in all";
}

TEST_F(SynProxyTest, TakesTheClientsNewestWindow) {
  TcpFacts update = client_segment();
  update.window = 123;
  (void)on_client_segment(state_, update, 1400, 5001);
  update.acknowledgement = 7;
  update.window = 9;
  (void)on_client_segment(state_, update, 1400, 5001);
  const SynProxyStep step = on_server_segment(state_, server_segment(net::kTcpSyn | net::kTcpAck));
  EXPECT_EQ(step.to_server.window, 123);
}

TEST_F(SynProxyTest, ClientResetEndsItOnlyWithTheRightNumber) {
  TcpFacts reset = client_segment(net::kTcpRst);
  ++reset.sequence;
  (void)on_client_segment(state_, reset, 1400, 5001);
  EXPECT_EQ(state_.phase, SynProxyPhase::WaitingForServer);
  --reset.sequence;
  (void)on_client_segment(state_, reset, 1400, 5001);
  EXPECT_EQ(state_.phase, SynProxyPhase::Refused);
  const SynProxyStep after = on_client_segment(state_, client_segment(), 1400, 90000);
  EXPECT_FALSE(after.pass || after.send_to_server || after.send_to_client);
}

TEST_F(SynProxyTest, SynOfTheClientChangesNothing) {
  const SynProxyStep step = on_client_segment(state_, client_segment(net::kTcpSyn), 1400, 9000);
  EXPECT_FALSE(step.send_to_server);
  EXPECT_EQ(state_.phase, SynProxyPhase::WaitingForServer);
}

TEST_F(SynProxyTest, ServersRefusalReachesTheClient) {
  TcpFacts reset = server_segment(net::kTcpRst | net::kTcpAck);
  reset.sequence = 0;
  const SynProxyStep step = on_server_segment(state_, reset);
  EXPECT_EQ(state_.phase, SynProxyPhase::Refused);
  EXPECT_FALSE(step.send_to_server);
  ASSERT_TRUE(step.send_to_client);
  EXPECT_EQ(step.to_client.flags, net::kTcpRst | net::kTcpAck);
  EXPECT_EQ(step.to_client.sequence + server_sequence_offset(state_), kCookie + 1);
}

TEST_F(SynProxyTest, ForgedResetsAndOldConnectionsDoNotEndIt) {
  TcpFacts reset = server_segment(net::kTcpRst | net::kTcpAck);
  reset.acknowledgement = 1;
  EXPECT_FALSE(on_server_segment(state_, reset).send_to_client);
  TcpFacts old_ack = server_segment(net::kTcpAck);
  old_ack.acknowledgement = 4711;
  const SynProxyStep step = on_server_segment(state_, old_ack);
  ASSERT_TRUE(step.send_to_server);
  EXPECT_EQ(step.to_server.flags, net::kTcpRst);
  EXPECT_EQ(step.to_server.sequence, 4711U);
  EXPECT_EQ(state_.phase, SynProxyPhase::WaitingForServer);
}

TEST_F(SynProxyTest, RepeatedSynAckIsAcknowledgedAgain) {
  const TcpFacts syn_ack = server_segment(net::kTcpSyn | net::kTcpAck);
  (void)on_server_segment(state_, syn_ack);
  const SynProxyStep again = on_established_server_segment(state_, syn_ack);
  EXPECT_FALSE(again.pass || again.send_to_client);
  ASSERT_TRUE(again.send_to_server);
  EXPECT_EQ(again.to_server.acknowledgement, kServerIsn + 1);
  EXPECT_TRUE(on_established_server_segment(state_, server_segment(net::kTcpAck)).pass);
  EXPECT_TRUE(on_client_segment(state_, client_segment(), 1400, 5001).pass);
}

TEST(ShiftWindow, RewritesTheFieldAndTheChecksum) {
  struct Case {
    uint16_t before;
    int shift;
    uint16_t after;
  };
  for (const Case& entry : {Case{100, 2, 400}, Case{40000, 2, 65535}, Case{1000, -7, 7},
                            Case{127, -7, 0}, Case{5, 0, 5}, Case{1, 14, 16384}}) {
    std::array<uint8_t, 20> header{};
    header[3] = 80;
    header[13] = net::kTcpAck;
    net::store(&header[14], net::Be16::from_host(entry.before));
    const uint16_t sum = net::checksum_fold(net::checksum_add(header.data(), header.size()));
    net::store(&header[16], net::Be16{static_cast<uint16_t>(~sum)});
    shift_window(header.data(), entry.shift);
    EXPECT_EQ(net::load_be16(&header[14]).host(), entry.after);
    EXPECT_EQ(net::checksum_fold(net::checksum_add(header.data(), header.size())), 0xffff);
    header[13] = net::kTcpSyn;
    const auto before = header;
    shift_window(header.data(), entry.shift);
    EXPECT_EQ(header, before) << "windows of SYNs are never scaled";
  }
}

}  // namespace
}  // namespace masugata::dataplane
