// SPDX-License-Identifier: GPL-2.0-or-later
// The session table against plain maps under random use.
#include <gtest/gtest.h>

#include <random>
#include <unordered_map>
#include <vector>

#include "dataplane/session/session_table.h"

namespace masugata::dataplane {
namespace {

struct KeyHash {
  size_t operator()(const net::FlowKey& key) const noexcept {
    return static_cast<size_t>(net::hash_flow(key, net::HashSecret{}));
  }
};

// How hashes are made: evenly, or so badly that buckets and tags collide all the time.
enum class Hashing { Even, FewBuckets, FewTags };

class Model final : public SessionObserver {
 public:
  Model(Hashing hashing, uint32_t capacity, uint32_t seed) : hashing_(hashing), random_(seed) {
    SessionTableSettings settings;
    settings.capacity = capacity;
    settings.foreign_capacity = 16;
    auto created = SessionTable::create(settings, memory_);
    EXPECT_TRUE(created);
    table_ = std::move(*created);
    table_->set_observer(this);
  }

  void session_ended(Session& session, EndReason reason) noexcept override {
    if (reason == EndReason::Evicted) {
      EXPECT_NE(session.state, ProtocolState::TcpEstablished);
    }
    EXPECT_EQ(sessions_.erase(session.flows[0].key), 1U);
    EXPECT_EQ(replies_.erase(session.flows[1].key), 1U);
  }

  void step() {
    switch (draw(8)) {
      case 0:
      case 1:
      case 2:
        insert();
        break;
      case 3:
        erase();
        break;
      case 4:
        change();
        break;
      case 5:
        foreign();
        break;
      case 6:
        look_up();
        break;
      default:
        now_ms_ += draw(200);
        table_->expire(now_ms_, 8);
        table_->release_burst();
    }
  }

  void check_all() {
    EXPECT_EQ(table_->size(), sessions_.size());
    EXPECT_EQ(table_->foreign_count(), foreign_.size());
    for (const auto& [key, serial] : sessions_) {
      const SessionMatch match = table_->lookup(key, hash_of(key));
      ASSERT_NE(match.session, nullptr);
      EXPECT_EQ(match.session->record.serial, serial);
      EXPECT_EQ(match.direction, Direction::Original);
    }
    for (const auto& [key, serial] : replies_) {
      const SessionMatch match = table_->lookup(key, hash_of(key));
      ASSERT_NE(match.session, nullptr);
      EXPECT_EQ(match.session->record.serial, serial);
      EXPECT_EQ(match.direction, Direction::Reply);
    }
    uint32_t by_state = 0;
    for (size_t state = 1; state < kProtocolStateCount; ++state) {
      by_state += table_->count(static_cast<ProtocolState>(state));
    }
    EXPECT_EQ(by_state, table_->size());
    EXPECT_EQ(table_->count(EvictionClass::Embryonic) + table_->count(EvictionClass::Idle) +
                  table_->count(EvictionClass::Protected),
              table_->size());
  }

 private:
  uint32_t draw(uint32_t bound) { return static_cast<uint32_t>(random_() % bound); }
  net::FlowKey random_key() {
    net::FlowKey key;
    key.source = net::IpAddress::from_v4(net::Be32::from_host(0x0a000000U + draw(400)));
    key.destination = net::IpAddress::from_v4(net::Be32::from_host(0xc6336401U));
    key.destination_port = net::Be16::from_host(static_cast<uint16_t>(80 + draw(2)));
    key.protocol = net::Protocol::Tcp;
    return key;
  }
  [[nodiscard]] uint64_t hash_of(const net::FlowKey& key) const {
    const uint64_t even = net::hash_flow(key, net::HashSecret{});
    switch (hashing_) {
      case Hashing::FewBuckets:
        return (even & 0xffffU) | (even & 0xc000000000000000ULL);
      case Hashing::FewTags:
        return (even & ~0xffffULL) | (even & 1U);
      default:
        return even;
    }
  }
  void insert() {
    static constexpr ProtocolState kStates[] = {
        ProtocolState::TcpSynSent, ProtocolState::TcpEstablished, ProtocolState::TcpTimeWait};
    InsertRequest request;
    request.original = random_key();
    request.reply = request.original.reversed();
    if (draw(4) == 0) request.reply.destination = random_key().source;  // as by NAT
    request.original_hash = hash_of(request.original);
    request.reply_hash = hash_of(request.reply);
    request.state = kStates[draw(3)];
    request.timeout_ms = 1000 + draw(100'000);
    const bool original_taken = taken(request.original);
    const bool reply_taken = taken(request.reply);
    const InsertResult result = table_->insert(request, now_ms_);
    if (original_taken) {
      EXPECT_EQ(result.refusal, InsertRefusal::OriginalKeyExists);
    } else if (reply_taken) {
      EXPECT_EQ(result.refusal, InsertRefusal::ReplyKeyExists);
    } else if (result.session == nullptr) {
      EXPECT_NE(result.refusal, InsertRefusal::None);
    } else {
      sessions_[request.original] = result.session->record.serial;
      replies_[request.reply] = result.session->record.serial;
    }
  }
  [[nodiscard]] bool taken(const net::FlowKey& key) const {
    return sessions_.count(key) + replies_.count(key) + foreign_.count(key) != 0;
  }
  Session* random_session() {
    const net::FlowKey key = random_key();
    return table_->lookup(key, hash_of(key)).session;
  }
  void erase() {
    if (Session* session = random_session(); session != nullptr) {
      table_->erase(*session, EndReason::Administrator);
    }
  }
  void change() {
    Session* session = random_session();
    if (session == nullptr) return;
    session->last_seen_ms = now_ms_;
    const auto state = static_cast<ProtocolState>(1 + draw(kProtocolStateCount - 1));
    table_->change_state(*session, state, 1000 + draw(50'000));
  }
  void foreign() {
    const net::FlowKey key = random_key();
    if (draw(2) == 0) {
      EXPECT_EQ(table_->erase_foreign(key, hash_of(key)), foreign_.erase(key) == 1);
      return;
    }
    if (table_->insert_foreign(key, hash_of(key), 1, now_ms_, 0x70000000U)) {
      EXPECT_EQ(sessions_.count(key) + replies_.count(key), 0U);
      foreign_[key] = 1;
    }
  }
  void look_up() {
    std::vector<net::FlowKey> keys(32);
    std::vector<const net::FlowKey*> pointers;
    std::vector<uint64_t> hashes;
    for (net::FlowKey& key : keys) {
      key = random_key();
      pointers.push_back(&key);
      hashes.push_back(hash_of(key));
    }
    std::vector<SessionMatch> matches(keys.size());
    table_->lookup_bulk(pointers.data(), hashes.data(), keys.size(), matches.data());
    for (size_t i = 0; i < keys.size(); ++i) {
      const auto expected = sessions_.find(keys[i]);
      EXPECT_EQ(matches[i].session != nullptr,
                expected != sessions_.end() || replies_.count(keys[i]) != 0);
      EXPECT_EQ(matches[i].foreign, foreign_.count(keys[i]) != 0);
      if (expected != sessions_.end() && matches[i].session != nullptr) {
        EXPECT_EQ(matches[i].session->record.serial, expected->second);
      }
    }
  }

  Hashing hashing_;
  std::mt19937 random_;
  HeapMemory memory_;
  std::unique_ptr<SessionTable> table_;
  std::unordered_map<net::FlowKey, uint32_t, KeyHash> sessions_;  // original key → serial
  std::unordered_map<net::FlowKey, uint32_t, KeyHash> replies_;
  std::unordered_map<net::FlowKey, int, KeyHash> foreign_;
  uint32_t now_ms_ = 0xfffff000U;
};

class SessionTableModelTest : public ::testing::TestWithParam<Hashing> {};

TEST_P(SessionTableModelTest, AgreesWithMaps) {
  for (const uint32_t capacity : {1U, 50U, 300U}) {
    Model model(GetParam(), capacity, 11 + capacity);
    for (int step = 0; step < 20'000; ++step) {
      model.step();
      if (step % 500 == 0) model.check_all();
      if (::testing::Test::HasFailure()) FAIL() << "step " << step << ", capacity " << capacity;
    }
    model.check_all();
  }
}

INSTANTIATE_TEST_SUITE_P(Hashings, SessionTableModelTest,
                         ::testing::Values(Hashing::Even, Hashing::FewBuckets, Hashing::FewTags));

}  // namespace
}  // namespace masugata::dataplane
