// SPDX-License-Identifier: GPL-2.0-or-later
// `request vpn SITE probe` on a virtual clock: a peer behind a path that swallows large packets.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "dataplane/ipsec/path_probe.h"
#include "dataplane/ipsec/selector_facts.h"
#include "ipsec/esp/packet_size.h"
#include "tests/scenarios/ipsec_fixture.h"

namespace masugata::test {
namespace {

using dataplane::PathProbe;
using ipsec::PathReport;
using ipsec::SaParameters;
using Reports = std::vector<PathReport>;

// What lies between the gateway and the peer, and behind the peer.
struct Way {
  size_t outer_passes = 1500;
  bool router_speaks = false;    // of what it drops
  std::string host = {};         // that answers echo requests; empty: none
  std::string second_host = {};  // another one
  bool peer_speaks = false;      // of hops that are used up
};

class IpsecProbe : public IpsecTest {
 protected:
  void start_probe(const std::optional<std::string>& host = std::nullopt) {
    probe_.emplace(dataplane::PathProbeTargets{
        .manager = &gateway_->ipsec(),
        .now_ms = [this] { return now_ms_; },
        .model = [this]() -> const config::Model& { return gateway_->model(); },
        .configuration = [this]() -> const dataplane::RunningConfiguration& {
          return gateway_->configuration();
        },
        .forwarding = [this]() -> const dataplane::ForwardingView& {
          return gateway_->forwarding().view();
        }});
    result_.reset();
    std::optional<net::IpAddress> address;
    if (host) address = net::IpAddress::parse(*host);
    probe_->start("osaka", address, [this](const Result<Reports>& reports) {
      EXPECT_FALSE(result_) << "answered twice";
      result_ = reports;
    });
  }

  // Until there is an answer; everything that leaves is treated as `way` says.
  void walk(const Way& way) {
    for (int turn = 0; turn < 600 && !result_; ++turn) {
      gateway_->advance(100);
      now_ms_ += 100;
      for (const PortFrame& frame : gateway_->take_output()) serve(frame, way);
      probe_->tick();
    }
    ASSERT_TRUE(result_);
  }

  const Reports& all_measured(const Way& way, const std::optional<std::string>& host = {}) {
    start_probe(host);
    walk(way);
    EXPECT_TRUE(*result_) << result_->error().message();
    return **result_;
  }
  // Of the first family.
  const PathReport& measured(const Way& way, const std::optional<std::string>& host = {}) {
    return all_measured(way, host).front();
  }
  std::string refused(const std::optional<std::string>& host = {}) {
    start_probe(host);
    return result_ && !*result_ ? result_->error().message() : "not refused";
  }

  std::optional<PathProbe> probe_;
  std::optional<Result<Reports>> result_;
  std::vector<size_t> sizes_;  // of the probes that the peer decrypted

 private:
  static bool asks_for(const reference::Bytes& packet, const std::string& host) {
    const auto facts = dataplane::read_selector_facts(packet);
    return !host.empty() && facts.destination == *net::IpAddress::parse(host);
  }
  void serve(const PortFrame& frame, const Way& way) {
    ASSERT_EQ(frame.port, "wan0");
    const size_t outer = frame.bytes.size() - kLinkBytes;
    if (outer > way.outer_passes) {
      // DF is set outside.
      EXPECT_EQ(frame.bytes[kLinkBytes + 6] & 0x40, 0x40);
      if (way.router_speaks) complain(way.outer_passes);
      return;
    }
    const reference::Bytes packet = opened(to_peer_, frame);
    ASSERT_FALSE(packet.empty());
    sizes_.push_back(packet.size());
    const bool ipv4 = (packet[0] >> 4U) == 4;
    const uint8_t hops = packet[ipv4 ? 8 : 7];
    const size_t icmp = ipv4 ? 20 : 40;
    const auto word = [&packet, icmp](size_t at) {
      return packet[icmp + at] << 8U | packet[icmp + at + 1];
    };
    const auto facts = dataplane::read_selector_facts(packet);
    const std::string us = facts.source.to_string();
    const std::string them = facts.destination.to_string();
    if (hops == 1) {
      if (!way.peer_speaks) return;
      answer(
          ipv4 ? fmt::format("icmp time-exceeded 10.9.0.254 > {} quoting {{ icmp echo-request {} > "
                             "{} id {} seq {} }}",
                             us, us, them, word(4), word(6))
               : fmt::format("icmp6 time-exceeded 2001:db8:9::fe > {} quoting {{ icmp6 "
                             "echo-request {} > {} id {} seq {} }}",
                             us, us, them, word(4), word(6)));
    } else if (asks_for(packet, way.host) || asks_for(packet, way.second_host)) {
      answer(fmt::format("{} echo-reply {} > {} id {} seq {} payload-size {}",
                         ipv4 ? "icmp" : "icmp6", them, us, word(4), word(6),
                         packet.size() - icmp - 8));
    }
  }
  void answer(const std::string& recipe) {
    EXPECT_TRUE(gateway_->send({{"wan0", false, framed("wan0", sealed(from_peer_, recipe))}}));
  }
  void complain(size_t mtu) {
    const auto message = inner(fmt::format(
        "icmp unreachable needs-fragmentation 203.0.113.9 > 192.0.2.1 mtu {} quoting {{ ipv4 "
        "192.0.2.1 > 198.51.100.1 protocol 50 total-length 1500 payload 0000200100000001 }}",
        mtu));
    EXPECT_TRUE(gateway_->send({{"wan0", false, framed("wan0", message)}}));
  }

  uint64_t now_ms_ = 1'000'000;
};

uint16_t fits(uint32_t path) {
  return static_cast<uint16_t>(
      ipsec::maximum_inner_size(reference::parameters_of({}, Direction::Outbound), path));
}

TEST_F(IpsecProbe, AWholePath) {
  start();
  open_tunnel();
  const PathReport& report = measured({.host = "10.9.0.1"});
  EXPECT_TRUE(report.finding.answered);
  EXPECT_EQ(report.finding.passes_bytes, fits(1500));
  EXPECT_EQ(report.finding.fails_bytes, 0);
  EXPECT_EQ(report.lets_in_bytes, fits(1500));
  EXPECT_FALSE(report.black_hole());
  EXPECT_EQ(report.answered_by, "10.9.0.1");
  EXPECT_EQ(report.mss_ipv4, fits(1500) - 40);
  EXPECT_EQ(report.interface, "wan0");
  EXPECT_EQ(report.interface_mtu, 1500);
  EXPECT_EQ(drops("ipsec-probe"), 2U);
  EXPECT_LE(report.finding.took_ms, 1000U);
  // Nothing is measured any more: such a reply is traffic like any other.
  send("wan0", {sealed(from_peer_, "icmp echo-reply 10.9.0.1 > 10.0.1.1 id 1 seq 1")});
  EXPECT_EQ(drops("ipsec-probe"), 2U);
}

TEST_F(IpsecProbe, ABlackHole) {
  start(2);
  open_tunnel();
  const PathReport& report = measured({.outer_passes = 1372, .host = "10.9.0.1"});
  EXPECT_TRUE(report.black_hole());
  EXPECT_EQ(report.finding.passes_bytes, fits(1372));
  EXPECT_EQ(report.outer_passes_bytes, 1372);
  EXPECT_EQ(report.lets_in_bytes, fits(1500));
  EXPECT_EQ(report.router_said_bytes, 0);
  EXPECT_LE(report.finding.packets, ipsec::PathSearch::kMaximumPackets);
}

TEST_F(IpsecProbe, ARouterThatSpeaksIsBelieved) {
  start();
  open_tunnel();
  const PathReport& report =
      measured({.outer_passes = 1400, .router_speaks = true, .host = "10.9.0.1"});
  EXPECT_FALSE(report.black_hole());
  EXPECT_EQ(report.finding.passes_bytes, fits(1400));
  EXPECT_EQ(report.lets_in_bytes, fits(1400));
  EXPECT_EQ(report.router_said_bytes, 1400);
  EXPECT_EQ(report.mss_ipv4, fits(1400) - 40);
  EXPECT_LE(report.finding.packets, 6);
}

TEST_F(IpsecProbe, WhatIsConfiguredBelowThePathIsNoBlackHole) {
  std::string text = kTunnelConfiguration;
  text.replace(text.find("zone branches;"), 14, "zone branches; mtu 1200;");
  start(1, text);
  open_tunnel();
  const PathReport& report = measured({.outer_passes = 1372, .host = "10.9.0.1"});
  EXPECT_FALSE(report.black_hole());
  EXPECT_EQ(report.configured_mtu, 1200);
  EXPECT_EQ(report.lets_in_bytes, 1200);
  EXPECT_EQ(report.mss_ipv4, 1160);
  EXPECT_GE(report.finding.passes_bytes, fits(1372) - 4);
}

TEST_F(IpsecProbe, ThePeerItselfDoesWhenNoHostAnswers) {
  start();
  open_tunnel();
  const PathReport& report = measured({.outer_passes = 1372, .peer_speaks = true});
  EXPECT_TRUE(report.black_hole());
  EXPECT_EQ(report.finding.kind, ipsec::PathAnswer::Beyond);
  EXPECT_EQ(report.finding.passes_bytes, fits(1372));
  EXPECT_EQ(report.answered_by, "10.9.0.254");
  EXPECT_LT(report.finding.took_ms, ipsec::PathSearch::kMaximumTime_ms);
}

TEST_F(IpsecProbe, AHostThatIsNamed) {
  start();
  open_tunnel();
  const PathReport& report = measured({.host = "10.9.7.7"}, "10.9.7.7");
  EXPECT_EQ(report.answered_by, "10.9.7.7");
  const PathReport& six = measured({.host = "2001:db8:9::7"}, "2001:db8:9::7");
  EXPECT_EQ(six.answered_by, "2001:db8:9::7");
  EXPECT_EQ(six.finding.passes_bytes, fits(1500));
}

TEST_F(IpsecProbe, OverIpv6ThePeerSpeaksToo) {
  start();
  open_tunnel();
  const PathReport& report = measured({.peer_speaks = true}, "2001:db8:9::7");
  EXPECT_EQ(report.answered_by, "2001:db8:9::fe");
  EXPECT_EQ(report.finding.passes_bytes, fits(1500));
}

TEST_F(IpsecProbe, BothFamiliesAreAsked) {
  start();
  open_tunnel();
  const Reports& whole = all_measured({.host = "10.9.0.1", .second_host = "2001:db8:9::1"});
  ASSERT_EQ(whole.size(), 2U);
  EXPECT_EQ(whole[0].family, net::Family::Ipv4);
  EXPECT_EQ(whole[0].answered_by, "10.9.0.1");
  EXPECT_EQ(whole[1].family, net::Family::Ipv6);
  EXPECT_EQ(whole[1].answered_by, "2001:db8:9::1");
  for (const PathReport& report : whole) EXPECT_EQ(report.finding.passes_bytes, fits(1500));
  EXPECT_EQ(drops("ipsec-probe"), 4U);
  // One does not answer: the other is told.
  const Reports& half = all_measured({.outer_passes = 1372, .second_host = "2001:db8:9::1"});
  ASSERT_EQ(half.size(), 2U);
  EXPECT_FALSE(half[0].finding.answered);
  EXPECT_TRUE(half[1].black_hole());
  EXPECT_EQ(half[1].finding.passes_bytes, fits(1372));
  EXPECT_EQ(ipsec::black_hole_of(half), &half[1]);
  // Who names a host means that one.
  EXPECT_EQ(all_measured({.host = "10.9.7.7"}, "10.9.7.7").size(), 1U);
}

TEST_F(IpsecProbe, NobodyAnswers) {
  start();
  open_tunnel();
  const PathReport& report = measured({});
  EXPECT_FALSE(report.finding.answered);
  EXPECT_FALSE(report.black_hole());
  EXPECT_EQ(report.asked, std::vector<std::string>{"10.9.0.1"});
  EXPECT_LT(report.finding.took_ms, 5000U);
  EXPECT_EQ((*result_)->at(1).asked, std::vector<std::string>{"2001:db8:9::1"});
}

TEST_F(IpsecProbe, WhatCannotBeMeasuredIsRefused) {
  start();
  EXPECT_EQ(refused(), "vpn site osaka: is down: there is nothing to measure");
  open_tunnel();
  EXPECT_EQ(refused("192.168.1.1"),
            "vpn site osaka: 192.168.1.1 is not of the networks that the tunnel is for");
  start_probe();
  std::string second;
  probe_->start("osaka", std::nullopt,
                [&second](const Result<Reports>& reports) { second = reports.error().message(); });
  EXPECT_EQ(second, "vpn site osaka: osaka is measured just now; once more in a minute");
  probe_->start("kobe", std::nullopt,
                [&second](const Result<Reports>& reports) { second = reports.error().message(); });
  EXPECT_EQ(second, "vpn site kobe: is not configured");
}

TEST_F(IpsecProbe, ASiteThatGoesMeanwhile) {
  start();
  open_tunnel();
  start_probe();
  std::string without = kTunnelConfiguration;
  without.replace(without.find("site osaka"), 10, "site kyoto");
  while (without.find("interface osaka") != std::string::npos) {
    without.replace(without.find("interface osaka"), 15, "interface kyoto");
  }
  ASSERT_TRUE(gateway_->configure(without));
  walk({.host = "10.9.0.1"});
  ASSERT_FALSE(*result_);
  EXPECT_EQ(result_->error().message(), "vpn site osaka: was changed while it was measured");
  EXPECT_FALSE(probe_->is_running());
}

// Answers of another tunnel, to another address or with another number are traffic.
TEST_F(IpsecProbe, OnlyAnswersAreTaken) {
  start();
  open_tunnel();
  start_probe();
  gateway_->advance(100);
  const auto asked = gateway_->take_output();
  ASSERT_FALSE(asked.empty());
  const reference::Bytes question = opened(to_peer_, asked[0]);
  const int id = question[24] << 8U | question[25];
  for (const std::string& wrong :
       {fmt::format("icmp echo-reply 10.9.0.1 > 10.0.1.1 id {} seq 1", id + 1),
        fmt::format("icmp echo-reply 10.9.0.1 > 10.0.1.9 id {} seq 1", id),
        fmt::format("icmp echo-request 10.9.0.1 > 10.0.1.1 id {} seq 1", id)}) {
    send("wan0", {sealed(from_peer_, wrong)});
    EXPECT_EQ(drops("ipsec-probe"), 0U) << wrong;
  }
  send("wan0",
       {sealed(from_peer_, fmt::format("icmp echo-reply 10.9.0.1 > 10.0.1.1 id {} seq 1", id))});
  EXPECT_EQ(drops("ipsec-probe"), 1U);
}

}  // namespace
}  // namespace masugata::test
