// SPDX-License-Identifier: GPL-2.0-or-later
// Packets that lie in several buffers, or fill one to its end, into ESP and out of it: transport
// mode cuts behind encryption (RFC 4303 section 3.3.4), peers do so in tunnels as well.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "tests/scenarios/ipsec_fixture.h"

namespace masugata::test {
namespace {

constexpr const char* kConfiguration = R"(
interfaces {
    interface lan0 { device net_test_lan0; address 10.0.1.1/24; address 2001:db8:1::1/64; }
    interface wan0 { device net_test_wan0; address 192.0.2.1/24; address 2001:db8:f::1/64; }
}
zones { zone lan { interface lan0; } zone wan { interface wan0; } zone peers { } }
vpn { site osaka {
    peer PEER; local-interface wan0; zone peers; MODE
    authentication { psk "correct horse battery staple"; }
} }
routes { route 0.0.0.0/0 { via 192.0.2.254; } route ::/0 { via 2001:db8:f::fe; } ROUTE }
policy {
    from lan to peers { rule all { action permit; } }
    from peers to lan { rule all { action permit; } }
    from peers to self { rule ssh { service ssh; action permit; } rule echo { protocol [ icmp icmpv6 udp ]; action permit; } }
    from self to peers { rule all { action permit; } }
}
)";

std::string replaced(std::string text, const std::string& what, const std::string& by) {
  return text.replace(text.find(what), what.size(), by);
}

// A packet in pieces of `size` bytes of data, as a sender makes them; of IPv6, `options` bytes of a
// hop-by-hop header stay in front.
std::vector<std::vector<uint8_t>> cut(const reference::Bytes& packet, size_t size,
                                      size_t options = 0) {
  const bool ipv4 = (packet[0] >> 4U) == 4;
  const size_t header = (ipv4 ? 20 : 40) + options;
  std::vector<std::vector<uint8_t>> pieces;
  for (size_t at = header; at < packet.size(); at += size) {
    const size_t bytes = std::min(size, packet.size() - at);
    const bool more = at + bytes < packet.size();
    const size_t offset = at - header;
    std::vector<uint8_t> piece(packet.begin(), packet.begin() + static_cast<ptrdiff_t>(header));
    if (!ipv4) {
      uint8_t& next_header = piece[options == 0 ? 6 : 40];
      const uint8_t fragment[] = {std::exchange(next_header, 44), 0, 0, 0, 1, 2, 3, 4};
      piece.insert(piece.end(), std::begin(fragment), std::end(fragment));
    }
    piece.insert(piece.end(), packet.begin() + static_cast<ptrdiff_t>(at),
                 packet.begin() + static_cast<ptrdiff_t>(at + bytes));
    const auto store = [&piece](size_t where, size_t value) {
      net::store(piece.data() + where, net::Be16::from_host(static_cast<uint16_t>(value)));
    };
    if (ipv4) {
      store(2, piece.size());
      store(4, 0x4d4d);
      store(6, offset / 8U | (more ? 0x2000U : 0U));
      store(10, 0);
      const uint16_t sum = net::checksum_fold(net::checksum_add(piece.data(), header));
      net::store(piece.data() + 10, net::Be16{static_cast<uint16_t>(~sum)});
    } else {
      store(4, piece.size() - 40);
      store(header + 2, offset | (more ? 1U : 0U));
    }
    pieces.push_back(std::move(piece));
  }
  return pieces;
}

class IpsecLarge : public IpsecTest {
 protected:
  void start_transport(bool ipv6, uint16_t workers = 1,
                       const std::function<void(ipsec::SaParameters&)>& change = {}) {
    ipv6_ = ipv6;
    us_ = ipv6 ? "2001:db8:f::1" : "192.0.2.1";
    them_ = ipv6 ? "2001:db8:e::1" : "198.51.100.1";
    const auto text = replaced(replaced(kConfiguration, "PEER", them_), "MODE", "transport-mode;");
    start(workers, replaced(text, "ROUTE", ""));
    const auto as_transport = [&](ipsec::SaParameters& parameters) {
      parameters.mode = ipsec::Mode::Transport;
      parameters.local = *net::IpAddress::parse(us_);
      parameters.remote = *net::IpAddress::parse(them_);
      parameters.local_selectors = {};
      parameters.remote_selectors = {};
      (void)parameters.local_selectors.add(any_of(us_.c_str()));
      (void)parameters.remote_selectors.add(any_of(them_.c_str()));
      if (change) change(parameters);
    };
    from_peer_ = add_sa(Direction::Inbound, 0x1001, as_transport);
    to_peer_ = add_sa(Direction::Outbound, 0x2001, as_transport);
    ASSERT_TRUE(gateway_->ipsec().add_policy(policy(0x2001, us_.c_str(), them_.c_str())));
  }
  // An echo request of `size` bytes as an IP packet.
  std::vector<uint8_t> echo(const std::string& from, const std::string& to, size_t size) {
    const bool ipv6 = from.find(':') != std::string::npos;
    return inner(fmt::format("{} echo-request {} > {} id {} seq {} payload-size {}",
                             ipv6 ? "icmp6" : "icmp", from, to, from == us_ ? 1 : 2, ++sequence_,
                             size - (ipv6 ? 48 : 28)));
  }
  std::vector<PortFrame> from_kernel(const std::vector<std::vector<uint8_t>>& packets) {
    std::vector<PortFrame> frames;
    for (const auto& packet : packets) frames.push_back({"wan0", true, framed("wan0", packet)});
    EXPECT_TRUE(gateway_->send(frames));
    return gateway_->take_output();
  }
  // What the pieces that left were cut from; empty when they are not pieces of one packet of ESP.
  static reference::Bytes whole(const std::vector<PortFrame>& pieces) {
    if (pieces.empty()) return {};
    const auto& first = pieces[0].bytes;
    const bool ipv4 = (first[kLinkBytes] >> 4U) == 4;
    const size_t header = ipv4 ? 20 : 40;
    reference::Bytes packet(first.begin() + kLinkBytes,
                            first.begin() + static_cast<ptrdiff_t>(kLinkBytes + header));
    if (pieces.size() > 1 && !ipv4) {
      EXPECT_EQ(packet[6], 44);
      packet[6] = first[kLinkBytes + 40];
    }
    EXPECT_EQ(packet[ipv4 ? 9 : 6], 50);
    for (size_t i = 0; i < pieces.size(); ++i) {
      EXPECT_EQ(pieces[i].port, "wan0");
      EXPECT_LE(pieces[i].bytes.size(), 1500 + kLinkBytes);
      const uint8_t* ip = pieces[i].bytes.data() + kLinkBytes;
      const size_t before = kLinkBytes + header + (!ipv4 && pieces.size() > 1 ? 8U : 0U);
      const size_t offset = ipv4                ? (net::load_be16(ip + 6).host() & 0x1fffU) * 8U
                            : pieces.size() > 1 ? net::load_be16(ip + 42).host() & 0xfff8U
                                                : 0U;
      EXPECT_EQ(offset, packet.size() - header) << i;
      packet.insert(packet.end(), pieces[i].bytes.begin() + static_cast<ptrdiff_t>(before),
                    pieces[i].bytes.end());
    }
    const auto length = static_cast<uint16_t>(packet.size() - (ipv4 ? 0 : 40));
    net::store(packet.data() + (ipv4 ? 2 : 4), net::Be16::from_host(length));
    if (ipv4) {
      packet[6] = packet[7] = packet[10] = packet[11] = 0;
      const uint16_t sum = net::checksum_fold(net::checksum_add(packet.data(), header));
      net::store(packet.data() + 10, net::Be16{static_cast<uint16_t>(~sum)});
    }
    return packet;
  }
  // What of a packet does not change on the way: everything behind the IP header.
  static reference::Bytes payload(const reference::Bytes& packet) {
    if (packet.size() < 40) return {};
    return {packet.begin() + ((packet[0] >> 4U) == 4 ? 20 : 40), packet.end()};
  }
  // The peer's, in pieces that pass the link.
  std::vector<std::vector<uint8_t>> sealed_in_pieces(const std::vector<uint8_t>& packet) {
    const auto outcome = peer_.encapsulate(from_peer_, packet);
    EXPECT_EQ(outcome.refusal, ipsec::EspRefusal::None);
    return cut(outcome.packet, 1480 - (ipv6_ ? 32 : 0));
  }

  bool ipv6_ = false;
  std::string us_;
  std::string them_;
  uint16_t sequence_ = 0;
};

constexpr size_t kSizes[] = {1500, 1900, 1990, 2030, 2048, 2100, 4028, 9000, 30000, 65000};

TEST_F(IpsecLarge, TransportModeEncryptsWholesAndCutsThem) {
  for (const bool ipv6 : {false, true}) {
    for (const uint16_t workers : {uint16_t{1}, uint16_t{2}}) {
      start_transport(ipv6, workers);
      const uint32_t idle = gateway_->buffers_in_use();
      for (const size_t size : kSizes) {
        SCOPED_TRACE(fmt::format("ipv6 {} workers {} size {}", ipv6, workers, size));
        const auto question = echo(us_, them_, size);
        const auto left = from_kernel(cut(question, 1480 - (ipv6 ? 32 : 0)));
        EXPECT_GE(left.size(), size / 1500);
        ASSERT_FALSE(left.empty());
        const auto found = peer_.decapsulate(to_peer_, whole(left));
        EXPECT_EQ(found.refusal, ipsec::EspRefusal::None) << name_of(found.refusal);
        EXPECT_EQ(payload(found.packet), payload(question));
        EXPECT_EQ(gateway_->buffers_in_use(), idle);
      }
      for (const auto& [reason, count] : gateway_->drop_counts()) EXPECT_EQ(count, 0U) << reason;
    }
  }
}

TEST_F(IpsecLarge, TransportModeJoinsPiecesAndDecryptsTheWhole) {
  for (const bool ipv6 : {false, true}) {
    for (const uint16_t workers : {uint16_t{1}, uint16_t{2}}) {
      start_transport(ipv6, workers);
      const uint32_t idle = gateway_->buffers_in_use();
      for (const size_t size : kSizes) {
        SCOPED_TRACE(fmt::format("ipv6 {} workers {} size {}", ipv6, workers, size));
        const auto question = echo(them_, us_, size);
        const auto arrived = send("wan0", sealed_in_pieces(question));
        ASSERT_EQ(arrived.size(), 1U);
        EXPECT_TRUE(arrived[0].kernel);
        const reference::Bytes packet(arrived[0].bytes.begin() + kLinkBytes,
                                      arrived[0].bytes.end());
        EXPECT_EQ(packet.size(), question.size());
        EXPECT_EQ(payload(packet), payload(question));
        EXPECT_EQ(gateway_->buffers_in_use(), idle);
      }
      for (const auto& [reason, count] : gateway_->drop_counts()) EXPECT_EQ(count, 0U) << reason;
    }
  }
}

// Every cipher; those that work on several packets at once must finish this one before the next.
TEST_F(IpsecLarge, WithEveryCipher) {
  for (const ipsec::EspTransform& transform : reference::all_transforms()) {
    SCOPED_TRACE(ipsec::name_of(transform));
    peer_.clear();
    start_transport(false, 1, [&transform](ipsec::SaParameters& parameters) {
      auto made = reference::parameters_of(transform, parameters.direction, parameters.spi.host());
      parameters.transform = transform;
      parameters.encryption_key = std::move(made.encryption_key);
      parameters.integrity_key = std::move(made.integrity_key);
    });
    std::vector<std::vector<uint8_t>> pieces;
    for (const size_t size : {4028U, 100U, 5000U}) {
      for (auto& piece : sealed_in_pieces(echo(them_, us_, size))) {
        pieces.push_back(std::move(piece));
      }
      const auto question = echo(us_, them_, size);
      const auto left = from_kernel(cut(question, 1480));
      ASSERT_FALSE(left.empty());
      const auto found = peer_.decapsulate(to_peer_, whole(left));
      EXPECT_EQ(payload(found.packet), payload(question));
    }
    // The identification of the three is the same: one after the other.
    EXPECT_EQ(send("wan0", pieces).size(), 3U);
    for (const auto& [reason, count] : gateway_->drop_counts()) EXPECT_EQ(count, 0U) << reason;
  }
}

TEST_F(IpsecLarge, TransportModeOverIpv6) {
  start_transport(true);
  const std::string question =
      fmt::format("icmp6 echo-request {} > {} id 1 seq 1 payload-size 64", us_, them_);
  const auto left = from_kernel({inner(question)});
  ASSERT_EQ(left.size(), 1U);
  EXPECT_EQ(left[0].bytes[kLinkBytes + 6], 50);
  EXPECT_EQ(opened(to_peer_, left[0]), inner(question));
  const std::string answer =
      fmt::format("icmp6 echo-reply {} > {} id 1 seq 1 payload-size 64", them_, us_);
  const auto arrived = send("wan0", {sealed(from_peer_, answer)});
  ASSERT_EQ(arrived.size(), 1U);
  EXPECT_TRUE(arrived[0].kernel);
  // In clear: neither out nor in.
  EXPECT_TRUE(
      send("wan0", {inner(fmt::format("icmp6 echo-request {} > {} id 2 seq 1", them_, us_))})
          .empty());
  EXPECT_EQ(drops("ipsec-in-clear"), 1U);
  // Segments: 1500 - 40 - 8 - 8 - 16 - 2 - 20
  const auto syn = from_kernel(
      {inner(fmt::format("tcp [{}]:4000 > [{}]:22 flags S seq 1 opt mss 1440", us_, them_))});
  ASSERT_EQ(syn.size(), 1U);
  EXPECT_EQ(net::load_be16(opened(to_peer_, syn[0]).data() + 62).host(), 1406U);
}

// A hop-by-hop header stays in front of ESP, and in front of the fragment header.
TEST_F(IpsecLarge, ExtensionHeadersThatRoutersReadStayInFront) {
  start_transport(true);
  auto question = echo(us_, them_, 3000);
  question.insert(question.begin() + 40, {58, 0, 1, 4, 0, 0, 0, 0});
  question[6] = 0;
  net::store(question.data() + 4, net::Be16::from_host(static_cast<uint16_t>(2968)));
  const auto left = from_kernel(cut(question, 1440, 8));
  ASSERT_EQ(left.size(), 3U);
  for (const PortFrame& piece : left) {
    EXPECT_EQ(piece.bytes[kLinkBytes + 6], 0);
    EXPECT_EQ(piece.bytes[kLinkBytes + 40], 44);
    EXPECT_EQ(piece.bytes[kLinkBytes + 48], 50);
  }
}

// Linux encrypts what it sends itself before it cuts, in tunnels too.
TEST_F(IpsecLarge, TunnelsTakeWholesThatWereCutOutside) {
  const auto text = replaced(replaced(kConfiguration, "PEER", "198.51.100.1"), "MODE", "");
  start(1, replaced(text, "ROUTE", "route 10.9.0.0/16 { interface osaka; }"));
  open_tunnel();
  const uint32_t idle = gateway_->buffers_in_use();
  for (const size_t size : kSizes) {
    SCOPED_TRACE(size);
    const auto question = echo("10.9.0.5", "10.0.1.10", size);
    const auto arrived = send("wan0", sealed_in_pieces(question));
    size_t bytes = 20;
    for (const PortFrame& piece : arrived) {
      EXPECT_EQ(piece.port, "lan0");
      bytes += piece.bytes.size() - kLinkBytes - 20;
    }
    EXPECT_EQ(bytes, size);
    EXPECT_EQ(gateway_->buffers_in_use(), idle);
  }
}

// The checksum inside is looked at whatever buffers it lies in.
TEST_F(IpsecLarge, ABadChecksumInsideIsSeen) {
  start_transport(false);
  auto question = echo(them_, us_, 5000);
  question.back() ^= 1U;
  EXPECT_TRUE(send("wan0", sealed_in_pieces(question)).empty());
  EXPECT_EQ(drops("icmp-bad-checksum"), 1U);
}

TEST_F(IpsecLarge, WhatIsTooLongWhenEncryptedIsRefused) {
  start_transport(false);
  const uint32_t idle = gateway_->buffers_in_use();
  EXPECT_TRUE(from_kernel(cut(echo(us_, them_, 65520), 1480)).empty());
  EXPECT_EQ(drops("ipsec-too-long"), 1U);
  EXPECT_EQ(gateway_->buffers_in_use(), idle);
}

// Forged and repeated wholes are refused like small ones, and nothing is kept of them.
TEST_F(IpsecLarge, ForgeriesAndReplays) {
  start_transport(false);
  const uint32_t idle = gateway_->buffers_in_use();
  const auto pieces = sealed_in_pieces(echo(them_, us_, 6000));
  auto forged = pieces;
  forged[1][700] ^= 1U;
  EXPECT_TRUE(send("wan0", forged).empty());
  EXPECT_EQ(drops("ipsec-authentication"), 1U);
  EXPECT_EQ(send("wan0", pieces).size(), 1U);
  EXPECT_TRUE(send("wan0", pieces).empty());
  EXPECT_EQ(drops("ipsec-replay"), 1U);
  EXPECT_EQ(gateway_->buffers_in_use(), idle);
}

}  // namespace
}  // namespace masugata::test
