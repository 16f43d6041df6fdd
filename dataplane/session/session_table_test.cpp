// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/session/session_table.h"

#include <gtest/gtest.h>

#include <set>
#include <vector>

namespace masugata::dataplane {
namespace {

const net::HashSecret kSecret;

net::FlowKey key_of(uint32_t number, net::Protocol protocol = net::Protocol::Udp) {
  net::FlowKey key;
  key.source = net::IpAddress::from_v4(net::Be32::from_host(0x0a000000U + number));
  key.destination = net::IpAddress::from_v4(net::Be32::from_host(0xc6336401U));
  key.source_port = net::Be16::from_host(1025);
  key.destination_port = net::Be16::from_host(80);
  key.protocol = protocol;
  return key;
}

uint64_t hash_of(const net::FlowKey& key) { return net::hash_flow(key, kSecret); }

InsertRequest request_for(uint32_t number, ProtocolState state = ProtocolState::UdpNew,
                          uint32_t timeout_ms = 30'000) {
  const bool tcp = state < ProtocolState::UdpNew;
  InsertRequest request;
  request.original = key_of(number, tcp ? net::Protocol::Tcp : net::Protocol::Udp);
  request.reply = request.original.reversed();
  request.original_hash = hash_of(request.original);
  request.reply_hash = hash_of(request.reply);
  request.state = state;
  request.timeout_ms = timeout_ms;
  return request;
}

class Recorder final : public SessionObserver {
 public:
  void session_ended(Session& session, EndReason reason) noexcept override {
    ended.emplace_back(session.record.serial, reason);
  }
  std::vector<std::pair<uint32_t, EndReason>> ended;
};

class SessionTableTest : public ::testing::Test {
 protected:
  void start(uint32_t capacity, uint32_t foreign_capacity = 0, uint32_t now_ms = 0) {
    SessionTableSettings settings;
    settings.capacity = capacity;
    settings.foreign_capacity = foreign_capacity;
    settings.zone_count = 4;
    settings.now_ms = now_ms;
    auto created = SessionTable::create(settings, memory_);
    ASSERT_TRUE(created) << created.error().message();
    table_ = std::move(*created);
    table_->set_observer(&recorder_);
  }
  Session* add(uint32_t number, ProtocolState state = ProtocolState::UdpNew, uint32_t now_ms = 0) {
    return table_->insert(request_for(number, state), now_ms).session;
  }
  [[nodiscard]] bool holds(uint32_t number, net::Protocol protocol = net::Protocol::Udp) {
    const net::FlowKey key = key_of(number, protocol);
    return table_->contains(key, hash_of(key));
  }

  HeapMemory memory_;
  Recorder recorder_;
  std::unique_ptr<SessionTable> table_;
};

TEST_F(SessionTableTest, FindsBothDirectionsOfANewSession) {
  start(16);
  const InsertRequest request = request_for(1);
  const InsertResult inserted = table_->insert(request, 77);
  ASSERT_NE(inserted.session, nullptr);
  EXPECT_EQ(inserted.refusal, InsertRefusal::None);
  EXPECT_EQ(inserted.session->record.created_ms, 77U);
  EXPECT_EQ(inserted.session->last_seen_ms, 77U);
  EXPECT_EQ(inserted.session->kind, SessionKind::Udp);
  EXPECT_EQ(inserted.session->flow(Direction::Reply).key, request.reply);

  const SessionMatch original = table_->lookup(request.original, request.original_hash);
  EXPECT_EQ(original.session, inserted.session);
  EXPECT_EQ(original.direction, Direction::Original);
  const SessionMatch reply = table_->lookup(request.reply, request.reply_hash);
  EXPECT_EQ(reply.session, inserted.session);
  EXPECT_EQ(reply.direction, Direction::Reply);
  EXPECT_EQ(table_->lookup(key_of(2), hash_of(key_of(2))).session, nullptr);
}

TEST_F(SessionTableTest, RefusesAKeyThatExistsAndChangesNothing) {
  start(16);
  ASSERT_NE(add(1), nullptr);
  EXPECT_EQ(table_->insert(request_for(1), 0).refusal, InsertRefusal::OriginalKeyExists);

  InsertRequest collides = request_for(2);
  collides.reply = request_for(1).reply;
  collides.reply_hash = hash_of(collides.reply);
  EXPECT_EQ(table_->insert(collides, 0).refusal, InsertRefusal::ReplyKeyExists);
  EXPECT_FALSE(holds(2));

  InsertRequest with_itself = request_for(3);
  with_itself.reply = with_itself.original;
  with_itself.reply_hash = with_itself.original_hash;
  EXPECT_EQ(table_->insert(with_itself, 0).refusal, InsertRefusal::ReplyKeyExists);
  EXPECT_EQ(table_->size(), 1U);
  EXPECT_EQ(table_->counters().inserted, 1U);
}

TEST_F(SessionTableTest, BulkLookupAnswersEachKeyInItsPlace) {
  start(64);
  for (uint32_t number = 0; number < 40; number += 2) ASSERT_NE(add(number), nullptr);
  std::vector<net::FlowKey> keys;
  for (uint32_t number = 0; number < 32; ++number) {
    keys.push_back(number % 3 == 0 ? key_of(number).reversed() : key_of(number));
  }
  const net::FlowKey* pointers[32];
  uint64_t hashes[32];
  SessionMatch matches[32];
  for (size_t i = 0; i < 32; ++i) {
    pointers[i] = &keys[i];
    hashes[i] = hash_of(keys[i]);
  }
  table_->lookup_bulk(pointers, hashes, 32, matches);
  for (uint32_t number = 0; number < 32; ++number) {
    if (number % 2 != 0) {
      EXPECT_EQ(matches[number].session, nullptr);
      continue;
    }
    ASSERT_NE(matches[number].session, nullptr);
    EXPECT_EQ(matches[number].direction, number % 3 == 0 ? Direction::Reply : Direction::Original);
    EXPECT_EQ(matches[number].session->flow(matches[number].direction).key, keys[number]);
  }
}

TEST_F(SessionTableTest, EqualHashesAreToldApartByTheirKeys) {
  start(64);
  // Every key in one bucket with one tag: twenty entries, so overflow buckets as well.
  constexpr uint64_t kOneHash = 0x1234567800005555ULL;
  std::vector<Session*> sessions;
  for (uint32_t number = 0; number < 10; ++number) {
    InsertRequest request = request_for(number);
    request.original_hash = kOneHash;
    request.reply_hash = kOneHash;
    sessions.push_back(table_->insert(request, 0).session);
    ASSERT_NE(sessions.back(), nullptr);
  }
  EXPECT_GE(table_->index().overflow_in_use(), 2U);
  for (uint32_t number = 0; number < 10; ++number) {
    EXPECT_EQ(table_->lookup(key_of(number), kOneHash).session, sessions[number]);
    EXPECT_EQ(table_->lookup(key_of(number).reversed(), kOneHash).session, sessions[number]);
  }
  std::vector<net::FlowKey> keys;
  for (uint32_t number = 0; number < 10; ++number) keys.push_back(key_of(number));
  std::vector<const net::FlowKey*> pointers;
  for (const net::FlowKey& key : keys) pointers.push_back(&key);
  const std::vector<uint64_t> hashes(10, kOneHash);
  std::vector<SessionMatch> matches(10);
  table_->lookup_bulk(pointers.data(), hashes.data(), 10, matches.data());
  for (uint32_t number = 0; number < 10; ++number) {
    EXPECT_EQ(matches[number].session, sessions[number]);
  }
  for (Session* session : sessions) table_->erase(*session, EndReason::Administrator);
  EXPECT_EQ(table_->index().overflow_in_use(), 0U);
}

TEST_F(SessionTableTest, AFullOverflowPoolRefusesCleanly) {
  start(512);
  constexpr uint64_t kOneHash = 42;
  uint32_t inserted = 0;
  InsertResult result;
  for (uint32_t number = 0; number < 512; ++number) {
    InsertRequest request = request_for(number);
    request.original_hash = kOneHash;
    request.reply_hash = kOneHash;
    result = table_->insert(request, 0);
    if (result.session == nullptr) break;
    ++inserted;
  }
  EXPECT_EQ(result.refusal, InsertRefusal::IndexFull);
  EXPECT_EQ(inserted, (table_->index().overflow_capacity() + 1) * 8 / 2);
  EXPECT_EQ(table_->size(), inserted);
  EXPECT_FALSE(table_->contains(key_of(inserted), kOneHash));
}

TEST_F(SessionTableTest, AnEndedSessionStaysReadableUntilTheBurstIsOver) {
  start(1);
  Session* first = add(1);
  ASSERT_NE(first, nullptr);
  const SessionHandle handle = table_->handle_of(*first);
  EXPECT_EQ(table_->resolve(handle), first);
  first->flow(Direction::Original).rewrite.l4_checksum_delta = 99;
  table_->erase(*first, EndReason::PolicyDenied);
  EXPECT_TRUE(first->ended());
  EXPECT_EQ(table_->resolve(handle), nullptr);
  EXPECT_FALSE(holds(1));

  Session* second = add(2);
  ASSERT_NE(second, nullptr);
  EXPECT_NE(second, first);
  EXPECT_EQ(first->flow(Direction::Original).rewrite.l4_checksum_delta, 99);
  table_->erase(*first, EndReason::PolicyDenied);  // again: nothing happens
  EXPECT_EQ(recorder_.ended.size(), 1U);

  table_->release_burst();
  table_->erase(*second, EndReason::Administrator);
  table_->release_burst();
  Session* third = add(3);
  Session* fourth = add(4);  // evicts the third
  ASSERT_NE(third, nullptr);
  ASSERT_NE(fourth, nullptr);
  EXPECT_EQ(table_->size(), 1U);
  EXPECT_EQ(table_->resolve(handle), nullptr);
}

TEST_F(SessionTableTest, AtTheBoundTheOldestEmbryonicGoesFirst) {
  start(4);
  add(1, ProtocolState::TcpEstablished);
  Session* idle = add(2, ProtocolState::UdpReplied);
  add(3, ProtocolState::UdpNew, 10);
  add(4, ProtocolState::TcpSynSent, 20);
  idle->last_seen_ms = 0;
  ASSERT_NE(add(5, ProtocolState::UdpNew, 30), nullptr);
  EXPECT_FALSE(holds(3));
  ASSERT_NE(add(6, ProtocolState::UdpReplied, 40), nullptr);
  EXPECT_FALSE(holds(4, net::Protocol::Tcp));
  EXPECT_TRUE(holds(2));
  EXPECT_EQ(table_->counters().evicted_embryonic, 2U);
  EXPECT_EQ(recorder_.ended.size(), 2U);
  EXPECT_EQ(recorder_.ended[0].second, EndReason::Evicted);
  EXPECT_EQ(table_->size(), 4U);
}

TEST_F(SessionTableTest, ThenTheLongestIdleButNeverEstablishedTcp) {
  start(4);
  Session* idle[3];
  for (uint32_t number = 0; number < 3; ++number) {
    idle[number] = add(number, ProtocolState::UdpReplied);
  }
  add(9, ProtocolState::TcpEstablished);
  idle[0]->last_seen_ms = 900;
  idle[1]->last_seen_ms = 100;
  idle[2]->last_seen_ms = 500;
  ASSERT_NE(add(10, ProtocolState::TcpEstablished, 1000), nullptr);
  EXPECT_FALSE(holds(1));
  ASSERT_NE(add(11, ProtocolState::TcpEstablished, 1000), nullptr);
  EXPECT_FALSE(holds(2));
  ASSERT_NE(add(12, ProtocolState::TcpEstablished, 1000), nullptr);
  EXPECT_FALSE(holds(0));
  const InsertResult refused = table_->insert(request_for(13), 1000);
  EXPECT_EQ(refused.session, nullptr);
  EXPECT_EQ(refused.refusal, InsertRefusal::TableFull);
  EXPECT_EQ(table_->counters().refused_full, 1U);
  EXPECT_EQ(table_->counters().evicted_idle, 3U);
  EXPECT_EQ(table_->count(EvictionClass::Protected), 4U);
}

TEST_F(SessionTableTest, SessionsInUseArePassedOver) {
  start(60);
  constexpr uint32_t kNowMs = 20'000;
  for (uint32_t number = 0; number < 60; ++number) {
    Session* session = add(number, ProtocolState::UdpReplied);  // timeout 30 s
    session->last_seen_ms = number < 20 ? kNowMs - 1000 - number : number;
  }
  for (uint32_t newcomer = 100; newcomer < 140; ++newcomer) {
    ASSERT_NE(add(newcomer, ProtocolState::TcpEstablished, kNowMs), nullptr);
  }
  for (uint32_t number = 0; number < 60; ++number) EXPECT_EQ(holds(number), number < 20) << number;
  // Only busy ones are left: they go, too, rather than the newcomer.
  ASSERT_NE(add(200, ProtocolState::TcpEstablished, kNowMs), nullptr);
  EXPECT_FALSE(holds(19));
}

TEST_F(SessionTableTest, AFloodWithinOneBurstIsBounded) {
  start(8);
  for (uint32_t number = 0; number < 8; ++number) add(number);
  uint32_t accepted = 0;
  for (uint32_t number = 100; number < 1000; ++number) accepted += add(number) != nullptr ? 1 : 0;
  EXPECT_EQ(accepted, SessionTable::kBurstReserve);
  table_->release_burst();
  EXPECT_NE(add(5000), nullptr);
  EXPECT_EQ(table_->size(), 8U);
}

TEST_F(SessionTableTest, CountsFollowTheStates) {
  start(16);
  InsertRequest request = request_for(1, ProtocolState::TcpSynSent);
  request.ingress_zone = 2;
  Session* session = table_->insert(request, 0).session;
  EXPECT_EQ(table_->count(ProtocolState::TcpSynSent), 1U);
  EXPECT_EQ(table_->half_open_count(2), 1U);
  EXPECT_EQ(table_->half_open_count(1), 0U);
  EXPECT_EQ(table_->count(EvictionClass::Embryonic), 1U);
  table_->change_state(*session, ProtocolState::TcpSynReceived, 30'000);
  EXPECT_EQ(table_->count(ProtocolState::TcpSynSent), 0U);
  EXPECT_EQ(table_->half_open_count(2), 1U);
  table_->change_state(*session, ProtocolState::TcpEstablished, 7'440'000);
  EXPECT_EQ(table_->half_open_count(2), 0U);
  EXPECT_EQ(table_->count(EvictionClass::Embryonic), 0U);
  EXPECT_EQ(table_->count(EvictionClass::Protected), 1U);
  table_->change_state(*session, ProtocolState::TcpTimeWait, 30'000);
  EXPECT_EQ(table_->count(EvictionClass::Idle), 1U);
  table_->erase(*session, EndReason::Administrator);
  EXPECT_EQ(table_->count(EvictionClass::Idle), 0U);
  EXPECT_EQ(table_->count(ProtocolState::TcpTimeWait), 0U);
  EXPECT_EQ(table_->counters().ended[static_cast<size_t>(EndReason::Administrator)], 1U);
  table_->change_state(*session, ProtocolState::TcpEstablished, 1000);  // has ended: no effect
  EXPECT_EQ(table_->count(ProtocolState::TcpEstablished), 0U);
}

TEST_F(SessionTableTest, IdleSessionsExpireAndUsedOnesLive) {
  const uint32_t begin_ms = 0xfffff000U;  // the clock wraps on the way
  start(16, 0, begin_ms);
  Session* used = add(1, ProtocolState::UdpNew, begin_ms);
  add(2, ProtocolState::UdpNew, begin_ms);
  used->last_seen_ms = begin_ms + 20'000;
  table_->expire(begin_ms + 30'000 + 2 * TimerWheel::kTickMs, 100);
  EXPECT_TRUE(holds(1));
  EXPECT_FALSE(holds(2));
  table_->expire(begin_ms + 49'999, 100);
  EXPECT_TRUE(holds(1));
  table_->expire(begin_ms + 50'000 + 2 * TimerWheel::kTickMs, 100);
  EXPECT_FALSE(holds(1));
  EXPECT_EQ(table_->counters().ended[static_cast<size_t>(EndReason::Expired)], 2U);
}

TEST_F(SessionTableTest, AShorterTimeoutTakesEffect) {
  start(16);
  Session* session =
      table_->insert(request_for(1, ProtocolState::TcpEstablished, 7'440'000), 0).session;
  session->last_seen_ms = 5000;
  table_->change_state(*session, ProtocolState::TcpReset, 10'000);
  table_->expire(14'999, 100);
  EXPECT_EQ(table_->size(), 1U);
  table_->expire(15'000 + 2 * TimerWheel::kTickMs, 100);
  EXPECT_EQ(table_->size(), 0U);
}

TEST_F(SessionTableTest, ForeignKeysPointToTheirOwner) {
  start(16, 2);
  const net::FlowKey key = key_of(1).reversed();
  EXPECT_TRUE(table_->insert_foreign(key, hash_of(key), 3, 0, 10'000));
  EXPECT_TRUE(table_->contains(key, hash_of(key)));
  const SessionMatch match = table_->lookup(key, hash_of(key));
  EXPECT_EQ(match.session, nullptr);
  EXPECT_TRUE(match.foreign);
  EXPECT_EQ(match.foreign_worker, 3);
  EXPECT_EQ(table_->insert(request_for(1), 0).refusal, InsertRefusal::ReplyKeyExists);

  EXPECT_TRUE(table_->insert_foreign(key, hash_of(key), 3, 5000, 10'000));  // refreshed
  EXPECT_EQ(table_->foreign_count(), 1U);
  EXPECT_EQ(table_->expire_foreign(14'999, 10), 0U);
  EXPECT_EQ(table_->expire_foreign(15'000, 10), 1U);
  EXPECT_FALSE(table_->contains(key, hash_of(key)));

  EXPECT_TRUE(table_->insert_foreign(key_of(5), hash_of(key_of(5)), 1, 0, 1000));
  EXPECT_TRUE(table_->insert_foreign(key_of(6), hash_of(key_of(6)), 1, 0, 1000));
  EXPECT_FALSE(table_->insert_foreign(key_of(7), hash_of(key_of(7)), 1, 0, 1000));
  EXPECT_TRUE(table_->erase_foreign(key_of(5), hash_of(key_of(5))));
  EXPECT_FALSE(table_->erase_foreign(key_of(5), hash_of(key_of(5))));
  ASSERT_NE(add(8), nullptr);
  EXPECT_FALSE(table_->insert_foreign(key_of(8), hash_of(key_of(8)), 1, 0, 1000));
  EXPECT_FALSE(table_->erase_foreign(key_of(8), hash_of(key_of(8))));
}

TEST_F(SessionTableTest, SlicesVisitEverySessionOnce) {
  start(200);
  for (uint32_t number = 0; number < 150; ++number) add(number);
  std::multiset<uint32_t> seen;
  uint32_t cursor = 0;
  size_t slices = 1;
  while (table_->visit_slice(cursor, 10, [&](Session& session) {
    seen.insert(session.record.serial);
    if (session.record.serial % 2 == 0) table_->erase(session, EndReason::Administrator);
  })) {
    ++slices;
  }
  EXPECT_EQ(cursor, 0U);
  EXPECT_GE(slices, 20U);
  EXPECT_EQ(seen.size(), 150U);
  EXPECT_EQ(std::set<uint32_t>(seen.begin(), seen.end()).size(), 150U);
  EXPECT_EQ(table_->size(), 75U);
}

TEST_F(SessionTableTest, CountersCarryIntoTheColdLine) {
  start(2);
  Session* session = add(1);
  for (uint32_t packet = 0; packet < 70'000; ++packet) {
    session->count_packet(Direction::Reply, 100'000);
  }
  EXPECT_EQ(session->packets(Direction::Reply), 70'000U);
  EXPECT_EQ(session->bytes(Direction::Reply), 7'000'000'000ULL);
  EXPECT_EQ(session->packets(Direction::Original), 0U);
}

class NoMemory final : public MemorySource {
 public:
  explicit NoMemory(int blocks) : blocks_(blocks) {}
  void* allocate(size_t bytes, size_t alignment, const char* purpose) noexcept override {
    return blocks_-- > 0 ? heap_.allocate(bytes, alignment, purpose) : nullptr;
  }
  void release(void* block) noexcept override { heap_.release(block); }

 private:
  int blocks_;
  HeapMemory heap_;
};

TEST(SessionTableCreation, SaysWhatIsWrong) {
  HeapMemory heap;
  EXPECT_FALSE(SessionTable::create({}, heap));
  SessionTableSettings settings;
  settings.capacity = 1000;
  settings.foreign_capacity = 10;
  for (int blocks = 0; blocks < 9; ++blocks) {
    NoMemory memory(blocks);
    const auto created = SessionTable::create(settings, memory);
    ASSERT_FALSE(created) << blocks;
    EXPECT_NE(created.error().what.find("MiB"), std::string::npos);
  }
  NoMemory memory(9);
  EXPECT_TRUE(SessionTable::create(settings, memory));
}

TEST(WorkerOfFlow, IsTheSameForBothDirectionsAndSpreads) {
  std::vector<uint32_t> counts(3, 0);
  for (uint32_t number = 0; number < 3000; ++number) {
    const net::FlowKey key = key_of(number);
    const uint32_t worker = worker_of(key, 3);
    ASSERT_LT(worker, 3U);
    EXPECT_EQ(worker, worker_of(key.reversed(), 3));
    ++counts[worker];
  }
  for (const uint32_t count : counts) EXPECT_GT(count, 700U);
}

}  // namespace
}  // namespace masugata::dataplane
