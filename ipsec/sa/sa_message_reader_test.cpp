// SPDX-License-Identifier: GPL-2.0-or-later
#include "ipsec/sa/sa_message_reader.h"

#include <gtest/gtest.h>

#include <functional>
#include <string>

#include "ipsec/sa/sample_messages.h"

namespace masugata::ipsec {
namespace {

net::IpAddress ip(const char* text) { return net::IpAddress::parse(text).value(); }

std::string refusal(const std::function<void(masugata_sa_add&)>& change, bool inbound = true) {
  masugata_sa_add message = sample::add(inbound);
  change(message);
  const auto parameters = read_parameters(message);
  return parameters ? "accepted" : parameters.error().message();
}

TEST(SaMessageReader, ReadsAnInboundSa) {
  const auto parameters = read_parameters(sample::add(true));
  ASSERT_TRUE(parameters) << parameters.error().message();
  EXPECT_EQ(parameters->spi.host(), sample::kInboundSpi);
  EXPECT_EQ(parameters->direction, Direction::Inbound);
  EXPECT_EQ(parameters->mode, Mode::Tunnel);
  EXPECT_EQ(name_of(parameters->transform), "aes128gcm16");
  ASSERT_EQ(parameters->encryption_key.size(), 20U);
  EXPECT_EQ(parameters->encryption_key.span()[19], sample::kKeyByte);
  EXPECT_TRUE(parameters->integrity_key.empty());
  EXPECT_EQ(parameters->local, ip("192.0.2.1"));
  EXPECT_EQ(parameters->remote, ip("192.0.2.2"));
  EXPECT_FALSE(parameters->udp.enabled());
  EXPECT_TRUE(parameters->extended_sequence);
  EXPECT_EQ(parameters->replay_window_packets, 1024U);
  EXPECT_EQ(parameters->soft.seconds, 3000U);
  EXPECT_EQ(parameters->hard.bytes, uint64_t{2} << 30U);
  EXPECT_EQ(parameters->request_id, 7U);
  EXPECT_EQ(parameters->tunnel_id, 42U);
  ASSERT_EQ(parameters->local_selectors.count, 1);
  EXPECT_EQ(parameters->local_selectors.entries[0].addresses.to_string(), "10.1.0.0/24");
  EXPECT_EQ(parameters->remote_selectors.entries[0].addresses.to_string(), "10.2.0.0/24");
  EXPECT_EQ(parameters->header.df, DfHandling::Copy);
  EXPECT_EQ(parameters->header.ecn, EcnHandling::Normal);
  EXPECT_TRUE(parameters->header.copy_dscp_out);
  EXPECT_FALSE(parameters->header.copy_dscp_in);
}

TEST(SaMessageReader, TurnsTheSidesOfAnOutboundSaRound) {
  masugata_sa_add message = sample::add(false);
  message.source_port = 4500;
  message.destination_port = 61000;
  const auto parameters = read_parameters(message);
  ASSERT_TRUE(parameters) << parameters.error().message();
  EXPECT_EQ(parameters->local, ip("192.0.2.1"));
  EXPECT_EQ(parameters->remote, ip("192.0.2.2"));
  EXPECT_EQ(parameters->udp, (UdpEncapsulation{4500, 61000}));
  EXPECT_EQ(parameters->local_selectors.entries[0].addresses.to_string(), "10.1.0.0/24");
}

TEST(SaMessageReader, KnowsEveryTransform) {
  struct Case {
    uint16_t encryption;
    uint16_t encryption_key_bytes;
    uint16_t integrity;
    uint16_t integrity_key_bytes;
    const char* name;
  };
  const Case cases[] = {
      {20, 20, 0, 0, "aes128gcm16"},     {20, 28, 0, 0, "aes192gcm16"},
      {20, 36, 0, 0, "aes256gcm16"},     {28, 36, 0, 0, "chacha20poly1305"},
      {12, 16, 12, 32, "aes128-sha256"}, {12, 24, 13, 48, "aes192-sha384"},
      {12, 32, 14, 64, "aes256-sha512"},
  };
  for (const Case& test : cases) {
    masugata_sa_add message = sample::add(true);
    message.encryption = test.encryption;
    message.encryption_key_bytes = test.encryption_key_bytes;
    message.integrity = test.integrity;
    message.integrity_key_bytes = test.integrity_key_bytes;
    const auto parameters = read_parameters(message);
    ASSERT_TRUE(parameters) << test.name << ": " << parameters.error().message();
    EXPECT_EQ(name_of(parameters->transform), test.name);
  }
}

TEST(SaMessageReader, RefusesWhatIsNotSupportedOrDoesNotFit) {
  using Add = masugata_sa_add;
  EXPECT_EQ(refusal([](Add& m) { m.encryption = 3; }),
            "charon: encryption algorithm 3 (IKEv2's number) is not supported; AES-GCM with an ICV "
            "of 16 bytes, AES-CBC and ChaCha20-Poly1305 are");
  EXPECT_NE(refusal([](Add& m) { m.integrity = 2; }), "accepted");
  EXPECT_NE(refusal([](Add& m) { m.integrity = 12; }), "accepted");  // beside GCM
  EXPECT_NE(refusal([](Add& m) { m.encryption_key_bytes = 19; }), "accepted");
  EXPECT_NE(refusal([](Add& m) { m.encryption_key_bytes = 65; }), "accepted");
  EXPECT_NE(refusal([](Add& m) { m.encryption_key_bytes = 0; }), "accepted");
  EXPECT_NE(refusal([](Add& m) { m.integrity_key_bytes = 0xffff; }), "accepted");
  EXPECT_NE(refusal([](Add& m) { m.source_selector_count = 17; }), "accepted");
  EXPECT_NE(refusal([](Add& m) { m.destination_selector_count = 255; }), "accepted");
  EXPECT_NE(refusal([](Add& m) { m.source_selectors[0].family = 5; }), "accepted");
  EXPECT_NE(refusal([](Add& m) { m.source_selectors[0].first[0] = 11; }), "accepted");
  EXPECT_NE(refusal([](Add& m) {
              m.source_selectors[0].first_port = 7, m.source_selectors[0].last_port = 6;
            }),
            "accepted");
  EXPECT_NE(refusal([](Add& m) { m.name.protocol = 51; }), "accepted");
  EXPECT_NE(refusal([](Add& m) { m.name.direction = MASUGATA_SA_FORWARD; }), "accepted");
  EXPECT_NE(refusal([](Add& m) { m.name.destination.family = 0; }), "accepted");
  EXPECT_NE(refusal([](Add& m) { m.name.spi = 255; }), "accepted");
  EXPECT_NE(refusal([](Add& m) { m.mode = 3; }), "accepted");
  EXPECT_NE(refusal([](Add& m) { m.extended_sequence = 2; }), "accepted");
  EXPECT_NE(refusal([](Add& m) { m.source = sample::address("2001:db8::1"); }), "accepted");
  EXPECT_NE(refusal([](Add& m) { m.source_port = 4500; }), "accepted");
  EXPECT_NE(refusal([](Add& m) { m.replay_window_packets = 4097; }), "accepted");
  EXPECT_EQ(refusal([](Add& m) { m.replay_window_packets = 4096; }), "accepted");
}

TEST(SaMessageReader, NeverGoesWithoutAReplayWindow) {
  masugata_sa_add message = sample::add(true);
  message.replay_window_packets = 0;
  EXPECT_EQ(read_parameters(message).value().replay_window_packets, kSmallestReplayWindow);
}

TEST(SaMessageReader, RefusesMappedAddresses) {
  masugata_sa_address address{};
  address.family = 6;
  address.bytes[10] = address.bytes[11] = 0xff;
  EXPECT_FALSE(read_address(address));
}

TEST(SaMessageReader, ReadsMoves) {
  const auto inbound = read_move(sample::update(true));
  ASSERT_TRUE(inbound);
  EXPECT_EQ(inbound->local, ip("192.0.2.1"));
  EXPECT_EQ(inbound->remote, ip("198.51.100.7"));
  EXPECT_EQ(inbound->udp, (UdpEncapsulation{4500, 61000}));
  const auto outbound = read_move(sample::update(false));
  ASSERT_TRUE(outbound);
  EXPECT_EQ(outbound->remote, ip("198.51.100.7"));
  EXPECT_EQ(outbound->udp, (UdpEncapsulation{4500, 61000}));
}

TEST(SaMessageReader, RefusesMovesToWhereNoSaCanBe) {
  using Update = masugata_sa_update;
  const auto accepted = [](const std::function<void(Update&)>& change) {
    Update message = sample::update(true);
    change(message);
    return read_move(message).has_value();
  };
  EXPECT_TRUE(accepted([](Update&) {}));
  EXPECT_FALSE(accepted([](Update& m) { m.source = sample::address("0.0.0.0"); }));
  EXPECT_FALSE(accepted([](Update& m) { m.source = sample::address("224.0.0.1"); }));
  EXPECT_FALSE(accepted([](Update& m) { m.destination = sample::address("127.0.0.1"); }));
  EXPECT_FALSE(accepted([](Update& m) { m.destination = sample::address("2001:db8::1"); }));
  EXPECT_FALSE(accepted([](Update& m) { m.source_port = 0; }));
}

TEST(SaMessageReader, ReadsPolicies) {
  const auto policy = read_policy(sample::policy(MASUGATA_SA_ADD_POLICY));
  ASSERT_TRUE(policy);
  EXPECT_EQ(policy->direction, PolicyDirection::Outbound);
  EXPECT_EQ(policy->kind, PolicyKind::Ipsec);
  EXPECT_EQ(policy->priority, PolicyPriority::Usual);
  EXPECT_EQ(policy->mode, Mode::Tunnel);
  EXPECT_EQ(policy->spi, sample::kOutboundSpi);
  ASSERT_TRUE(policy->peer);
  EXPECT_EQ(policy->peer->to_string(), "192.0.2.2");
  EXPECT_EQ(policy->tunnel_id, 42U);
  EXPECT_EQ(policy->destination.addresses.to_string(), "10.2.0.0/24");
  auto wrong = sample::policy(MASUGATA_SA_ADD_POLICY);
  wrong.kind = 4;
  EXPECT_FALSE(read_policy(wrong));
  wrong = sample::policy(MASUGATA_SA_ADD_POLICY);
  wrong.priority = 4;
  EXPECT_FALSE(read_policy(wrong));
  wrong = sample::policy(MASUGATA_SA_ADD_POLICY);
  wrong.direction = 3;
  EXPECT_FALSE(read_policy(wrong));
}

TEST(SaMessageReader, MakesTextsOfAlertsHarmless) {
  auto message = sample::alert();
  std::memset(message.child, 'x', sizeof message.child);  // without an end
  std::strcpy(message.remote_identity, "evil\x1b[2J\xff");
  const auto alert = read_alert(message);
  ASSERT_TRUE(alert);
  EXPECT_EQ(alert->kind, AlertKind::Selectors);
  EXPECT_EQ(name_of(alert->kind), "selectors");
  EXPECT_TRUE(alert->rekeying);
  EXPECT_FALSE(alert->we_asked);
  EXPECT_FALSE(alert->nat_here);
  EXPECT_TRUE(alert->nat_there);
  EXPECT_TRUE(alert->peer_answered);
  EXPECT_TRUE(alert->established);
  EXPECT_EQ(alert->exchange, 36);
  EXPECT_EQ(alert->remote, ip("192.0.2.2"));
  EXPECT_EQ(alert->remote_port, 500);
  EXPECT_EQ(alert->connection, "osaka");
  EXPECT_EQ(alert->child, std::string(sizeof message.child, 'x'));
  EXPECT_EQ(alert->remote_identity, "evil?[2J?");
  EXPECT_EQ(alert->received, "10.1.0.0/24 === 10.9.0.0/24");
  message.kind = MASUGATA_ALERT_LAST + 1;
  EXPECT_FALSE(read_alert(message));
}

TEST(SaMessageReader, KnowsTheNameOfEveryAlert) {
  for (int kind = 1; kind <= MASUGATA_ALERT_LAST; ++kind) {
    EXPECT_NE(name_of(static_cast<AlertKind>(kind)), "no alert") << kind;
  }
  EXPECT_EQ(static_cast<int>(AlertKind::ChildRekeyed), MASUGATA_ALERT_LAST);
  EXPECT_EQ(name_of(static_cast<AlertKind>(MASUGATA_ALERT_LAST + 1)), "no alert");
}

TEST(SaMessageReader, ChecksHeaders) {
  auto message = sample::hello(1);
  EXPECT_TRUE(check_header(sample::bytes_of(message)));
  EXPECT_FALSE(check_header(sample::bytes_of(message).first(15)));
  EXPECT_FALSE(check_header(sample::bytes_of(message).first(sizeof message - 1)));
  message.header.version = MASUGATA_SA_VERSION + 1;
  EXPECT_EQ(check_header(sample::bytes_of(message)).error().message(),
            "charon: the plugin speaks version 4, we 3: both must be of one build");
  message = sample::hello(1);
  message.header.size += 1;
  EXPECT_FALSE(check_header(sample::bytes_of(message)));
  message = sample::hello(1);
  message.header.type = MASUGATA_SA_REPLY;
  EXPECT_FALSE(check_header(sample::bytes_of(message)));
  message = sample::hello(1);
  message.header.magic = 0;
  EXPECT_FALSE(check_header(sample::bytes_of(message)));
}

TEST(SaMessageReader, WritesWhatItReads) {
  const SaName name{0xc1234567, Direction::Outbound, ip("2001:db8::2")};
  EXPECT_EQ(read_name(write_name(name)).value(), name);
}

}  // namespace
}  // namespace masugata::ipsec
