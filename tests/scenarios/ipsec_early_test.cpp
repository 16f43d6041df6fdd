// SPDX-License-Identifier: GPL-2.0-or-later
// A peer that answers a negotiation uses the new SA at once; its packets may be here before charon
// has told of it.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <array>
#include <string>
#include <vector>

#include "dataplane/ipsec/early_packets.h"
#include "tests/scenarios/ipsec_fixture.h"

namespace masugata::test {
namespace {

using dataplane::EarlyPackets;

class IpsecEarly : public IpsecTest {
 protected:
  net::IpAddress here_ = *net::IpAddress::parse("192.0.2.1");
  net::IpAddress there_ = *net::IpAddress::parse("198.51.100.1");

  // An SPI that charon has, and the peer's half of the SA that is to come.
  uint32_t promise() {
    const auto spi = gateway_->ipsec().reserve_spi(here_, there_);
    EXPECT_TRUE(spi);
    from_peer_ = peer_.add(reference::peer_of(parameters_of(*spi)));
    return *spi;
  }
  ipsec::SaParameters parameters_of(uint32_t spi) {
    auto parameters = reference::parameters_of({}, Direction::Inbound, spi);
    parameters.tunnel_id = tunnel_id_;
    (void)parameters.local_selectors.add(any_of("10.0.1.0/24"));
    (void)parameters.remote_selectors.add(any_of("10.9.0.0/16"));
    return parameters;
  }
  void install(uint32_t spi) {
    const Status installed = gateway_->ipsec().install(parameters_of(spi));
    ASSERT_TRUE(installed) << installed.error().message();
  }
  reference::Bytes numbered(uint32_t number) {
    return sealed(from_peer_,
                  fmt::format("icmp echo-request 10.9.0.5 > 10.0.1.10 id 1 seq {}", number));
  }
  // Of the packets that came before their SA: kept, went on, had no room, waited for too long.
  using Counts = std::array<uint64_t, 4>;
  Counts counted() const {
    const dataplane::EarlyTotals totals = gateway_->ipsec().early_totals();
    return {totals.kept, totals.let_go, totals.refused, totals.expired};
  }
  // Of echo requests that came out.
  static std::vector<uint32_t> numbers_of(const std::vector<PortFrame>& frames) {
    std::vector<uint32_t> numbers;
    for (const PortFrame& frame : frames) {
      numbers.push_back(net::load_be16(frame.bytes.data() + kLinkBytes + 26).host());
    }
    return numbers;
  }
};

TEST_F(IpsecEarly, WaitsForItsSaAndStaysInOrder) {
  for (const uint16_t workers : {uint16_t{1}, uint16_t{2}}) {
    start(workers);
    const uint32_t idle = gateway_->buffers_in_use();
    const uint32_t spi = promise();
    for (const uint32_t number : {1U, 2U, 3U}) {
      EXPECT_TRUE(send("wan0", {numbered(number)}).empty()) << workers;
    }
    EXPECT_EQ(gateway_->buffers_in_use(), idle + 3);
    EXPECT_EQ(counted(), (Counts{3, 0, 0, 0})) << workers;
    gateway_->advance(100);
    install(spi);
    EXPECT_EQ(numbers_of(send("wan0", {numbered(4), numbered(5)})),
              (std::vector<uint32_t>{1, 2, 3, 4, 5}))
        << workers;
    for (const auto& [reason, count] : gateway_->drop_counts()) EXPECT_EQ(count, 0U) << reason;
    EXPECT_EQ(counted(), (Counts{3, 3, 0, 0})) << workers << ": 4 and 5 came in time";
    EXPECT_EQ(gateway_->buffers_in_use(), idle);
  }
}

TEST_F(IpsecEarly, GivesUpWhenTheSaDoesNotCome) {
  start();
  const uint32_t idle = gateway_->buffers_in_use();
  const uint32_t spi = promise();
  EXPECT_TRUE(send("wan0", {numbered(1)}).empty());
  gateway_->advance(EarlyPackets::kPeriod_ms - 100);
  EXPECT_TRUE(send("wan0", {numbered(2)}).empty());
  EXPECT_EQ(drops("ipsec-early"), 0U);
  gateway_->advance(100);
  EXPECT_EQ(drops("ipsec-early"), 1U);
  install(spi);
  EXPECT_EQ(counted(), (Counts{2, 0, 0, 1}));
  EXPECT_EQ(numbers_of(send("wan0", {numbered(3)})), (std::vector<uint32_t>{2, 3}));
  EXPECT_EQ(counted(), (Counts{2, 1, 0, 1}));
  EXPECT_EQ(gateway_->buffers_in_use(), idle);
}

TEST_F(IpsecEarly, KeepsSoMuchOfOneSaAndSoMuchInAll) {
  start();
  const uint32_t idle = gateway_->buffers_in_use();
  const uint32_t first = promise();
  std::vector<std::vector<uint8_t>> many;
  for (uint32_t i = 0; i < EarlyPackets::kMaximumPerSpi + 3; ++i) many.push_back(numbered(i));
  EXPECT_TRUE(send("wan0", many).empty());
  EXPECT_EQ(drops("ipsec-early"), 3U);
  EXPECT_EQ(gateway_->buffers_in_use(), idle + EarlyPackets::kMaximumPerSpi);
  // Two more SAs: room for one of them.
  for (const uint32_t more : {0U, EarlyPackets::kMaximumPerSpi}) {
    (void)promise();
    many.clear();
    for (uint32_t i = 0; i < EarlyPackets::kMaximumPerSpi; ++i) many.push_back(numbered(i));
    EXPECT_TRUE(send("wan0", many).empty());
    EXPECT_EQ(drops("ipsec-early"), 3U + more);
  }
  EXPECT_EQ(gateway_->buffers_in_use(), idle + EarlyPackets::kMaximum);
  install(first);
  gateway_->advance(100);
  const auto numbers = numbers_of(gateway_->take_output());
  ASSERT_EQ(numbers.size(), EarlyPackets::kMaximumPerSpi);
  for (uint32_t i = 0; i < numbers.size(); ++i) EXPECT_EQ(numbers[i], i);
  gateway_->advance(EarlyPackets::kPeriod_ms);
  EXPECT_EQ(drops("ipsec-early"), 3U + EarlyPackets::kMaximum);
  constexpr uint64_t kOfOne = EarlyPackets::kMaximumPerSpi;
  EXPECT_EQ(counted(),
            (Counts{EarlyPackets::kMaximum, kOfOne, 3 + kOfOne, EarlyPackets::kMaximum - kOfOne}));
  EXPECT_EQ(gateway_->buffers_in_use(), idle);
}

TEST_F(IpsecEarly, KeepsNothingOfStrangersNorOfWhatWasGivenBack) {
  start();
  const uint32_t idle = gateway_->buffers_in_use();
  const uint32_t spi = promise();
  const auto from = [spi](const char* source) {
    return inner(fmt::format("ipv4 {} > 192.0.2.1 protocol 50 payload {:08x}{:08x}{:056x}", source,
                             spi, 1, 0));
  };
  EXPECT_TRUE(send("wan0", {from("198.51.100.2")}).empty());
  EXPECT_EQ(drops("ipsec-unknown-spi"), 1U);
  EXPECT_TRUE(send("wan0", {from("198.51.100.1")}).empty());
  EXPECT_EQ(drops("ipsec-unknown-spi"), 1U);
  EXPECT_EQ(gateway_->buffers_in_use(), idle + 1);
  // What somebody forged is refused when there are keys.
  install(spi);
  gateway_->advance(100);
  EXPECT_TRUE(gateway_->take_output().empty());
  EXPECT_EQ(drops("ipsec-authentication"), 1U);
  EXPECT_EQ(gateway_->buffers_in_use(), idle);

  EXPECT_TRUE(gateway_->ipsec().remove({spi, Direction::Inbound, here_}));
  EXPECT_TRUE(send("wan0", {from("198.51.100.1")}).empty());
  EXPECT_EQ(drops("ipsec-unknown-spi"), 2U);
  const uint32_t given_back = promise();
  EXPECT_TRUE(gateway_->ipsec().remove({given_back, Direction::Inbound, here_}));
  EXPECT_TRUE(send("wan0", {numbered(1)}).empty());
  EXPECT_EQ(drops("ipsec-unknown-spi"), 3U);
  (void)promise();
  gateway_->ipsec().flush();
  EXPECT_TRUE(send("wan0", {numbered(1)}).empty());
  EXPECT_EQ(drops("ipsec-unknown-spi"), 4U);
}

TEST_F(IpsecEarly, GivesAsManySpisAsEver) {
  start();
  for (size_t i = 0; i < ipsec::SpiReservations::kMaximum; ++i) {
    ASSERT_TRUE(gateway_->ipsec().reserve_spi(here_, there_)) << i;
  }
  EXPECT_FALSE(gateway_->ipsec().reserve_spi(here_, there_));
}

}  // namespace
}  // namespace masugata::test
