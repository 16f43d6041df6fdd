// SPDX-License-Identifier: GPL-2.0-or-later
#include "ipsec/sa/sa_socket.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <utility>

#include "ipsec/sa/recording_consumer.h"
#include "ipsec/sa/sample_messages.h"

namespace masugata::ipsec {
namespace {

// A descriptor of charon's, or the listener.
class Owned {
 public:
  explicit Owned(int descriptor) : descriptor_(descriptor) {}
  Owned(Owned&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  ~Owned() {
    if (descriptor_ >= 0) close(descriptor_);
  }
  [[nodiscard]] int get() const { return descriptor_; }

 private:
  int descriptor_;
};

class SaSocketTest : public testing::Test {
 protected:
  // An address without a file, chosen by the kernel.
  void SetUp() override {
    sockaddr_un unnamed{};
    unnamed.sun_family = AF_UNIX;
    ASSERT_EQ(bind(listener_.get(), reinterpret_cast<sockaddr*>(&unnamed), sizeof(sa_family_t)), 0);
    ASSERT_EQ(getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&address_), &size_), 0);
    ASSERT_EQ(listen(listener_.get(), 4), 0);
    auto created = SaSocket::create(listener_.get(), consumer_);
    ASSERT_TRUE(created) << created.error().message();
    socket_ = std::move(*created);
  }
  Owned connect_charon() {
    Owned charon(socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    EXPECT_EQ(connect(charon.get(), reinterpret_cast<const sockaddr*>(&address_), size_), 0);
    return charon;
  }
  template <class Message>
  void say(const Owned& charon, const Message& message) {
    ASSERT_EQ(send(charon.get(), &message, sizeof message, MSG_NOSIGNAL),
              static_cast<ssize_t>(sizeof message));
  }
  // What charon has received; false when it is not one Message.
  template <class Message>
  bool hear(const Owned& charon, Message& message) {
    return recv(charon.get(), &message, sizeof message, MSG_TRUNC) ==
           static_cast<ssize_t>(sizeof message);
  }
  bool has_hung_up(const Owned& charon) {
    uint8_t byte = 0;
    return recv(charon.get(), &byte, 1, 0) == 0;
  }
  Owned greeted(uint64_t generation = 1) {
    Owned charon = connect_charon();
    say(charon, sample::hello(generation));
    socket_->on_readable();
    masugata_sa_reply reply{};
    EXPECT_TRUE(hear(charon, reply));
    EXPECT_EQ(reply.status, MASUGATA_SA_OK);
    EXPECT_NE(reply.generation, 0U);
    return charon;
  }
  bool is_readable() {
    pollfd state{.fd = socket_->descriptor(), .events = POLLIN, .revents = 0};
    return poll(&state, 1, 0) == 1;
  }

  RecordingConsumer consumer_;
  Owned listener_{socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
  sockaddr_un address_{};
  socklen_t size_ = sizeof address_;
  std::unique_ptr<SaSocket> socket_;
};

TEST_F(SaSocketTest, IsReadableWhenThereIsWork) {
  EXPECT_FALSE(is_readable());
  Owned charon = connect_charon();
  EXPECT_TRUE(is_readable());
  socket_->on_readable();
  EXPECT_FALSE(is_readable());
  say(charon, sample::hello(1));
  EXPECT_TRUE(is_readable());
  socket_->on_readable();
  EXPECT_FALSE(is_readable());
}

TEST_F(SaSocketTest, AnswersRequests) {
  const Owned charon = greeted();
  say(charon, sample::add(true));
  say(charon, sample::about(MASUGATA_SA_QUERY, true));
  socket_->on_readable();
  masugata_sa_reply reply{};
  ASSERT_TRUE(hear(charon, reply));
  EXPECT_EQ(reply.status, MASUGATA_SA_OK);
  ASSERT_TRUE(hear(charon, reply));
  EXPECT_EQ(reply.status, MASUGATA_SA_OK);
  EXPECT_EQ(consumer_.sas.size(), 1U);
}

TEST_F(SaSocketTest, TurnsASecondCharonAway) {
  const Owned first = greeted();
  const Owned second = connect_charon();
  socket_->on_readable();
  masugata_sa_reply reply{};
  ASSERT_TRUE(hear(second, reply));
  EXPECT_EQ(reply.status, MASUGATA_SA_BUSY);
  EXPECT_EQ(reply.header.sequence, MASUGATA_SA_GREETING);
  EXPECT_TRUE(has_hung_up(second));
  EXPECT_TRUE(socket_->connected());
  EXPECT_EQ(consumer_.departures, 0);
}

TEST_F(SaSocketTest, ReplacesADeadCharonThatHasNotBeenNoticed) {
  {
    const Owned first = greeted(1);
    say(first, sample::add(true));
  }
  const Owned second = connect_charon();
  say(second, sample::hello(2));
  socket_->on_readable();
  masugata_sa_reply reply{};
  ASSERT_TRUE(hear(second, reply));
  EXPECT_EQ(reply.status, MASUGATA_SA_OK);
  EXPECT_EQ(consumer_.departures, 1);
  EXPECT_EQ(consumer_.flushes, 2);
  EXPECT_TRUE(consumer_.sas.empty());
}

TEST_F(SaSocketTest, WaitsForAGreetingBeforeItRaisesEvents) {
  const Owned silent = connect_charon();
  socket_->on_readable();
  EXPECT_FALSE(socket_->connected());
  EXPECT_FALSE(socket_->acquire(7, nullptr, nullptr));
  // One that says nothing is in nobody's way.
  const Owned charon = greeted();
  EXPECT_TRUE(has_hung_up(silent));
  EXPECT_TRUE(socket_->connected());
  EXPECT_EQ(consumer_.departures, 0);
}

TEST_F(SaSocketTest, NoticesThatCharonIsGone) {
  { const Owned charon = greeted(); }
  EXPECT_TRUE(is_readable());
  socket_->on_readable();
  EXPECT_FALSE(socket_->connected());
  EXPECT_FALSE(is_readable());
  EXPECT_EQ(consumer_.departures, 1);
  EXPECT_FALSE(socket_->expire({}, true));
}

TEST_F(SaSocketTest, HangsUpOnWhatIsNoMessage) {
  const Owned charon = greeted();
  const std::vector<uint8_t> long_one(sizeof(masugata_sa_alert) + 100, 0x41);
  ASSERT_GT(send(charon.get(), long_one.data(), long_one.size(), MSG_NOSIGNAL), 0);
  socket_->on_readable();
  EXPECT_TRUE(has_hung_up(charon));
  EXPECT_EQ(consumer_.reports.size(), 1U);
  EXPECT_FALSE(socket_->connected());
}

TEST_F(SaSocketTest, RaisesEvents) {
  const Owned charon = greeted();
  const SaName name{0xc0000001, Direction::Inbound, net::IpAddress::parse("192.0.2.1").value()};
  const TrafficSelector from{.addresses = net::AddressRange::parse("10.1.0.5").value()};
  const TrafficSelector to{.addresses = net::AddressRange::parse("10.2.0.5").value()};
  EXPECT_TRUE(socket_->acquire(7, &from, &to));
  EXPECT_TRUE(socket_->acquire(8, nullptr, nullptr));
  EXPECT_TRUE(socket_->expire(name, true));
  EXPECT_TRUE(socket_->map(name, net::IpAddress::parse("198.51.100.7").value(), 61000));
  masugata_sa_acquire acquire{};
  ASSERT_TRUE(hear(charon, acquire));
  EXPECT_EQ(acquire.request_id, 7U);
  EXPECT_EQ(acquire.source.family, 4);
  ASSERT_TRUE(hear(charon, acquire));
  EXPECT_EQ(acquire.source.family, 0);
  masugata_sa_expire expire{};
  ASSERT_TRUE(hear(charon, expire));
  EXPECT_EQ(expire.hard, 1);
  EXPECT_EQ(read_name(expire.name).value(), name);
  masugata_sa_mapping mapping{};
  ASSERT_TRUE(hear(charon, mapping));
  EXPECT_EQ(mapping.remote.port, 61000);
}

TEST_F(SaSocketTest, DropsACharonThatDoesNotReadItsAnswers) {
  const Owned charon = greeted();
  auto message = sample::about(MASUGATA_SA_QUERY, true);
  for (int i = 0; i < 100000 && socket_->connected(); ++i) {
    if (send(charon.get(), &message, sizeof message, MSG_NOSIGNAL) < 0) break;
    socket_->on_readable();
  }
  EXPECT_FALSE(socket_->connected());
}

TEST_F(SaSocketTest, LeavesNoKeyBehindInItsBuffer) {
  const Owned charon = greeted();
  say(charon, sample::add(true));
  socket_->on_readable();
  ASSERT_EQ(consumer_.sas.size(), 1U);
  const std::string pattern(20, static_cast<char>(sample::kKeyByte));
  const std::string_view object(reinterpret_cast<const char*>(socket_.get()), sizeof(SaSocket));
  EXPECT_EQ(object.find(pattern), std::string_view::npos);
}

}  // namespace
}  // namespace masugata::ipsec
