// SPDX-License-Identifier: GPL-2.0-or-later
// A day of a hundred tunnels on the virtual clock: keys are renewed when the gateway says that they
// are old, and nothing is lost, grows or comes twice.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <malloc.h>

#include <deque>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "tests/scenarios/ipsec_fixture.h"

namespace masugata::test {
namespace {

using ipsec::SaName;
using ipsec::SaParameters;

constexpr uint32_t kSites = 100;
constexpr uint64_t kHour_ms = 3'600'000;

std::string site_network(uint32_t site) { return fmt::format("10.{}.0.0/16", 100 + site); }
std::string site_host(uint32_t site) { return fmt::format("10.{}.0.5", 100 + site); }
net::IpAddress site_peer(uint32_t site) {
  return *net::IpAddress::parse(fmt::format("198.51.100.{}", 1 + site));
}

std::string many_sites() {
  std::string text = R"(
interfaces {
    interface lan0 { device net_test_lan0; address 10.0.1.1/24; address 2001:db8:1::1/64; }
    interface wan0 { device net_test_wan0; address 192.0.2.1/24; address 2001:db8:f::1/64; }
}
zones { zone lan { interface lan0; } zone wan { interface wan0; } zone branches { } }
routes { route 0.0.0.0/0 { via 192.0.2.254; } }
policy { from lan to branches { rule out { action permit; } }
         from branches to lan { rule in { action permit; } } }
vpn {
)";
  for (uint32_t site = 0; site < kSites; ++site) {
    text += fmt::format(
        "site s{} {{ peer {}; local-interface wan0; zone branches; remote-networks {};"
        " authentication {{ psk \"correct horse battery staple\"; }} }}\n",
        site, site_peer(site).to_string(), site_network(site));
  }
  return text + "}\n";
}

// The other end of every tunnel, with as many SAs as it takes.
class PeerEnds {
 public:
  PeerEnds()
      : worker_(std::move(*ipsec::EspWorker::create())),
        memory_(std::move(*ipsec::SaMemory::create(1024))) {}
  void add(const SaParameters& ours) {
    sas_[key_of(ours.spi.host(), ours.direction)] =
        std::move(*memory_->build(reference::peer_of(ours), 0));
  }
  void remove(uint32_t spi, Direction direction) { sas_.erase(key_of(spi, direction)); }
  // A packet for the gateway's inbound SA.
  reference::Bytes seal(uint32_t spi, const reference::Bytes& packet) {
    reference::PacketBuffer buffer(packet);
    ipsec::EspPacket esp = buffer.packet(sas_.at(key_of(spi, Direction::Inbound)).get());
    worker_->encapsulate({&esp, 1}, 0);
    EXPECT_EQ(esp.refusal, ipsec::EspRefusal::None);
    return reference::bytes_of(esp);
  }
  // What one of the gateway's outbound SAs sealed; empty when it cannot be opened.
  reference::Bytes open(const reference::Bytes& packet) {
    const auto sa = sas_.find(key_of(word(packet, 20), Direction::Outbound));
    if (sa == sas_.end()) return {};
    reference::PacketBuffer buffer(packet);
    ipsec::EspPacket esp = buffer.packet(sa->second.get(), 20);
    worker_->decapsulate({&esp, 1}, 0);
    return esp.refusal == ipsec::EspRefusal::None ? reference::bytes_of(esp) : reference::Bytes{};
  }
  static uint32_t word(const reference::Bytes& packet, size_t offset) {
    return net::load_be32(packet.data() + offset).host();
  }

 private:
  static std::pair<uint32_t, bool> key_of(uint32_t spi, Direction direction) {
    return {spi, direction == Direction::Inbound};
  }
  std::unique_ptr<ipsec::EspWorker> worker_;
  std::unique_ptr<ipsec::SaMemory> memory_;
  std::map<std::pair<uint32_t, bool>, ipsec::SaMemory::Pointer> sas_;
};

class IpsecRekey : public IpsecTest {
 protected:
  struct Site {
    uint32_t inbound = 0;  // SPIs in use
    uint32_t outbound = 0;
  };

  void begin(uint16_t workers) {
    start(workers, many_sites());
    gateway_->ipsec().set_events({{},
                                  [this](const SaName& name, bool hard) {
                                    EXPECT_FALSE(hard) << name.spi;
                                    old_.push_back(name.spi);
                                    return true;
                                  },
                                  {}});
    for (uint32_t site = 0; site < kSites; ++site) sites_[site] = install_pair(site);
  }
  uint32_t install(uint32_t site, Direction direction) {
    auto parameters = reference::parameters_of({}, direction, ++last_spi_);
    parameters.tunnel_id = gateway_->model().vpn.sites[site].tunnel_id;
    parameters.request_id = site + 1;
    parameters.remote = site_peer(site);
    parameters.soft.seconds = 3500;
    parameters.hard.seconds = 4000;
    (void)parameters.local_selectors.add(any_of("10.0.1.0/24"));
    (void)parameters.remote_selectors.add(any_of(site_network(site).c_str()));
    owners_[last_spi_] = site;
    ends_.add(parameters);
    const Status installed = gateway_->ipsec().install(std::move(parameters));
    EXPECT_TRUE(installed) << installed.error().message();
    return last_spi_;
  }
  ipsec::SaPolicy policy_of(uint32_t site, uint32_t spi) const {
    ipsec::SaPolicy made = policy(spi, "10.0.1.0/24", site_network(site).c_str());
    made.tunnel_id = gateway_->model().vpn.sites[site].tunnel_id;
    made.request_id = site + 1;
    return made;
  }
  Site install_pair(uint32_t site) {
    const Site made{install(site, Direction::Inbound), install(site, Direction::Outbound)};
    EXPECT_TRUE(gateway_->ipsec().add_policy(policy_of(site, made.outbound)));
    return made;
  }
  void remove_pair(uint32_t site, const Site& pair) {
    auto& manager = gateway_->ipsec();
    EXPECT_TRUE(manager.remove_policy(policy_of(site, pair.outbound)));
    EXPECT_TRUE(manager.remove({pair.outbound, Direction::Outbound, site_peer(site)}));
    EXPECT_TRUE(
        manager.remove({pair.inbound, Direction::Inbound, *net::IpAddress::parse("192.0.2.1")}));
    ends_.remove(pair.outbound, Direction::Outbound);
    ends_.remove(pair.inbound, Direction::Inbound);
  }

  // A packet each way; the peer still sends with `inbound`.
  void carry(uint32_t site, uint32_t inbound) {
    const std::string host = site_host(site);
    const auto arrived = send(
        "wan0",
        {ends_.seal(inbound, inner(fmt::format("udp {}:53 > 10.0.1.10:5000 payload 01", host)))});
    ASSERT_EQ(arrived.size(), 1U) << "site " << site;
    const auto left =
        send("lan0", {inner(fmt::format("udp 10.0.1.10:5000 > {}:53 payload 00", host))});
    ASSERT_EQ(left.size(), 1U) << "site " << site;
    const reference::Bytes outer(left[0].bytes.begin() + kLinkBytes, left[0].bytes.end());
    EXPECT_FALSE(ends_.open(outer).empty()) << "site " << site;
    EXPECT_TRUE(used_.emplace(PeerEnds::word(outer, 20), PeerEnds::word(outer, 24)).second)
        << "a sequence number twice under one key";
  }

  // As charon does it: the new SAs are there before the old ones go.
  void renew(uint32_t site) {
    const Site old = sites_[site];
    carry(site, old.inbound);
    Site fresh;
    fresh.inbound = install(site, Direction::Inbound);
    carry(site, old.inbound);
    fresh.outbound = install(site, Direction::Outbound);
    ASSERT_TRUE(gateway_->ipsec().add_policy(policy_of(site, fresh.outbound)));
    carry(site, old.inbound);
    carry(site, fresh.inbound);
    remove_pair(site, old);
    sites_[site] = fresh;
    carry(site, fresh.inbound);
  }

  // Sites whose SAs are said to be old, once each.
  std::set<uint32_t> take_old() {
    std::set<uint32_t> sites;
    for (; !old_.empty(); old_.pop_front()) sites.insert(owners_.at(old_.front()));
    return sites;
  }

  void live(uint16_t workers, uint32_t hours) {
    begin(workers);
    size_t heap_bytes = 0;
    for (uint32_t hour = 0; hour < hours; ++hour) {
      gateway_->advance(kHour_ms);
      const std::set<uint32_t> old = take_old();
      ASSERT_EQ(old.size(), kSites) << "hour " << hour;
      for (const uint32_t site : old) renew(site);
      ASSERT_FALSE(HasFailure()) << "hour " << hour;
      gateway_->advance(1000);
      EXPECT_EQ(gateway_->ipsec().statuses().size(), 2 * kSites);
      EXPECT_EQ(gateway_->ipsec().places_in_use(), 2 * kSites);
      forget_past();
      const size_t bytes = mallinfo2().uordblks;
      if (hour == 4) heap_bytes = bytes;
      if (hour > 4) {
        EXPECT_LT(bytes, heap_bytes + 65'536) << "hour " << hour;
      }
    }
    EXPECT_TRUE(gateway_->drop_counts().empty());
    EXPECT_EQ(gateway_->buffers_in_use(), 0U);
  }

 private:
  // The test's own memory must not grow: numbers of SAs that are gone cannot come again.
  void forget_past() {
    std::set<uint32_t> living;
    for (const auto& [site, pair] : sites_) living.insert({pair.inbound, pair.outbound});
    std::erase_if(owners_, [&](const auto& entry) { return !living.contains(entry.first); });
    for (const auto& number : used_) EXPECT_GT(number.first, last_gone_);
    std::erase_if(used_, [&](const auto& number) { return !living.contains(number.first); });
    last_gone_ = *living.begin() - 1;
  }

  PeerEnds ends_;
  std::map<uint32_t, Site> sites_;
  std::map<uint32_t, uint32_t> owners_;  // SPI to site
  std::set<std::pair<uint32_t, uint32_t>> used_;
  std::deque<uint32_t> old_;
  uint32_t last_spi_ = 0x1000;
  uint32_t last_gone_ = 0;
};

TEST_F(IpsecRekey, ADayOfAHundredTunnels) { live(2, 24); }

TEST_F(IpsecRekey, SomeHoursOnOneWorker) { live(1, 3); }

}  // namespace
}  // namespace masugata::test
