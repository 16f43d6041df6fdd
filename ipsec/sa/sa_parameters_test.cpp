// SPDX-License-Identifier: GPL-2.0-or-later
#include "ipsec/sa/sa_parameters.h"

#include <gtest/gtest.h>

#include <cstring>
#include <functional>
#include <new>
#include <string>
#include <vector>

namespace masugata::ipsec {
namespace {

KeyBytes key_of(size_t size, uint8_t fill) {
  KeyBytes key;
  const std::vector<uint8_t> bytes(size, fill);
  EXPECT_TRUE(key.assign(bytes));
  return key;
}

SaParameters good() {
  SaParameters parameters;
  parameters.spi = net::Be32::from_host(0xc0ffee01);
  parameters.transform = {Encryption::AesCbc256, Integrity::HmacSha384192};
  parameters.encryption_key = key_of(32, 0xa5);
  parameters.integrity_key = key_of(48, 0x5a);
  parameters.local = *net::IpAddress::parse("192.0.2.1");
  parameters.remote = *net::IpAddress::parse("198.51.100.1");
  return parameters;
}

TEST(SaParameters, GoodOnesPass) {
  EXPECT_TRUE(check(good()));
  SaParameters gcm = good();
  gcm.transform = {Encryption::AesGcm128, Integrity::Combined};
  gcm.encryption_key = key_of(20, 1);
  gcm.integrity_key.wipe();
  gcm.udp = {4500, 4500};
  EXPECT_TRUE(check(gcm));
}

TEST(SaParameters, EachFaultIsNamedWithItsSpi) {
  struct Case {
    std::function<void(SaParameters&)> spoil;
    const char* part;
  };
  const Case cases[] = {
      {[](SaParameters& p) { p.spi = net::Be32::from_host(255); }, "SPI"},
      {[](SaParameters& p) { p.transform.integrity = Integrity::Combined; }, "go together"},
      {[](SaParameters& p) { p.transform.encryption = static_cast<Encryption>(9); }, "together"},
      {[](SaParameters& p) { p.encryption_key = key_of(31, 0xa5); }, "encryption key has 31"},
      {[](SaParameters& p) { p.integrity_key = key_of(32, 0x5a); }, "integrity key has 32"},
      {[](SaParameters& p) { p.local = {}; }, "outer address"},
      {[](SaParameters& p) { p.remote = *net::IpAddress::parse("224.0.0.1"); }, "outer address"},
      {[](SaParameters& p) { p.remote = *net::IpAddress::parse("2001:db8::1"); }, "two families"},
      {[](SaParameters& p) { p.udp.local_port = 4500; }, "two ports"},
      {[](SaParameters& p) {
         p.udp = {4500, 4500}, p.mode = Mode::Transport;
       },
       "transport mode"},
      {[](SaParameters& p) { p.replay_window_packets = 63; }, "63 packets"},
      {[](SaParameters& p) { p.replay_window_packets = 4097; }, "4097 packets"},
      {[](SaParameters& p) { p.soft.bytes = 11, p.hard.bytes = 10; }, "11 bytes"},
      {[](SaParameters& p) { p.soft.packets = 11, p.hard.packets = 10; }, "11 packets"},
      {[](SaParameters& p) { p.soft.seconds = 11, p.hard.seconds = 10; }, "11 seconds"},
      {[](SaParameters& p) { p.header.hop_limit = 0; }, "hop limit"},
      {[](SaParameters& p) { p.header.dscp = 64; }, "DSCP 64"},
  };
  for (const Case& spoilt : cases) {
    SaParameters parameters = good();
    spoilt.spoil(parameters);
    const Status status = check(parameters);
    ASSERT_FALSE(status) << spoilt.part;
    EXPECT_NE(status.error().what.find(spoilt.part), std::string::npos) << status.error().what;
    EXPECT_NE(status.error().where.find("inbound SA"), std::string::npos);
  }
}

TEST(SaParameters, DuplicateHasTheSameKeysAndFields) {
  SaParameters parameters = good();
  parameters.tunnel_id = 7;
  ASSERT_TRUE(parameters.remote_selectors.add({*net::AddressRange::parse("10.0.0.0/24"), 6, 1, 2}));
  const SaParameters copy = parameters.duplicate();
  EXPECT_TRUE(std::ranges::equal(copy.encryption_key.span(), parameters.encryption_key.span()));
  EXPECT_TRUE(std::ranges::equal(copy.integrity_key.span(), parameters.integrity_key.span()));
  EXPECT_EQ(copy.tunnel_id, 7U);
  EXPECT_EQ(copy.remote_selectors.entries, parameters.remote_selectors.entries);
  EXPECT_TRUE(check(copy));
}

TEST(TrafficSelectors, RefusesWhatDoesNotFit) {
  TrafficSelectors selectors;
  const TrafficSelector one{*net::AddressRange::parse("10.0.0.1"), 0, 0, 0xffff};
  for (size_t i = 0; i < TrafficSelectors::kMaximum; ++i) EXPECT_TRUE(selectors.add(one));
  EXPECT_FALSE(selectors.add(one));
  EXPECT_EQ(std::distance(selectors.begin(), selectors.end()),
            static_cast<ptrdiff_t>(TrafficSelectors::kMaximum));
}

TEST(KeyBytes, NothingOfAKeyIsLeftBehind) {
  alignas(KeyBytes) uint8_t place[sizeof(KeyBytes)];
  auto* key = new (place) KeyBytes();
  ASSERT_TRUE(key->assign(std::vector<uint8_t>(KeyBytes::kCapacity, 0xa5)));
  EXPECT_NE(std::memchr(place, 0xa5, sizeof place), nullptr);
  KeyBytes other = std::move(*key);
  EXPECT_EQ(std::memchr(place, 0xa5, sizeof place), nullptr) << "moved from";
  EXPECT_EQ(other.size(), KeyBytes::kCapacity);
  *key = std::move(other);
  key->~KeyBytes();
  EXPECT_EQ(std::memchr(place, 0xa5, sizeof place), nullptr) << "destroyed";
}

TEST(KeyBytes, TooLongIsRefused) {
  KeyBytes key;
  EXPECT_FALSE(key.assign(std::vector<uint8_t>(KeyBytes::kCapacity + 1, 1)));
  EXPECT_TRUE(key.empty());
}

TEST(EspTransform, NamesRoundTrip) {
  unsigned valid = 0;
  for (size_t e = 0; e < kEncryptionCount; ++e) {
    for (size_t i = 0; i < kIntegrityCount; ++i) {
      const EspTransform transform{static_cast<Encryption>(e), static_cast<Integrity>(i)};
      if (!transform.valid()) continue;
      ++valid;
      EXPECT_EQ(transform_by_name(name_of(transform)), transform);
    }
  }
  EXPECT_EQ(valid, 13U);
  EXPECT_FALSE(transform_by_name("des-md5"));
}

}  // namespace
}  // namespace masugata::ipsec
