// SPDX-License-Identifier: GPL-2.0-or-later
#include "ids/applications/application_classifier.h"

#include <gtest/gtest.h>

#include <string>

#include "ids/protocols/tls/tls_test_messages.h"

namespace masugata::ids {
namespace {

using tls_test::be;

std::string ipv4(uint8_t protocol, bool to_server, const std::string& transport) {
  const std::string client("\x0a\x00\x01\x0a", 4);
  const std::string server("\xc6\x33\x64\x05", 4);
  return std::string("\x45\x00", 2) + be(20 + transport.size(), 2) + be(1, 2) + be(0x4000, 2) +
         "\x40" + be(protocol, 1) + be(0, 2) + (to_server ? client + server : server + client) +
         transport;
}

class Conversation {
 public:
  Conversation(uint8_t protocol, uint16_t port) : protocol_(protocol), port_(port) {
    EXPECT_TRUE(classifier_->begin(flow_));
  }
  ~Conversation() { classifier_->end(flow_); }

  bool say(const std::string& payload, Direction direction = Direction::ToServer,
           uint8_t tcp_flags = 0x18) {
    const bool up = direction == Direction::ToServer;
    const size_t from = up ? 40000 : port_;
    const size_t to = up ? port_ : 40000;
    uint32_t& sequence = sequence_[index_of(direction)];
    const uint32_t acknowledged = sequence_[index_of(opposite(direction))];
    std::string transport = be(from, 2) + be(to, 2);
    if (protocol_ == 6) {
      transport += be(sequence, 4) + be((tcp_flags & 0x10) != 0 ? acknowledged : 0, 4) + "\x50" +
                   be(tcp_flags, 1) + be(8192, 2) + be(0, 4);
      sequence += static_cast<uint32_t>(payload.size()) + ((tcp_flags & 2) != 0 ? 1 : 0);
    } else {
      transport += be(8 + payload.size(), 2) + be(0, 2);
    }
    const std::string bytes = ipv4(protocol_, up, transport + payload);
    recognition_ = classifier_->look(
        flow_, {tls_test::bytes_of(bytes), static_cast<uint32_t>(payload.size()), direction, 1000},
        budget_, identity_);
    return recognition_ != Recognition::Undecided;
  }
  void shake_hands() {
    EXPECT_FALSE(say("", Direction::ToServer, 0x02));
    EXPECT_FALSE(say("", Direction::ToClient, 0x12));
    EXPECT_FALSE(say("", Direction::ToServer, 0x10));
  }
  [[nodiscard]] std::string application() const {
    return std::string(config::application_name(identity_.application));
  }
  [[nodiscard]] bool is_final() const { return recognition_ == Recognition::Final; }
  [[nodiscard]] std::string carrier() const {
    return std::string(config::application_name(identity_.carrier));
  }
  [[nodiscard]] std::string host() const {
    return std::string(ApplicationClassifier::host_name(flow_));
  }
  ApplicationBudget budget_;

 private:
  std::unique_ptr<ApplicationClassifier> classifier_ = ApplicationClassifier::create(2);
  ApplicationFlow flow_;
  ApplicationIdentity identity_;
  Recognition recognition_ = Recognition::Undecided;
  uint8_t protocol_;
  uint16_t port_;
  uint32_t sequence_[2] = {1000, 5000};
};

std::string hello_for(const std::string& name) {
  tls_test::ClientHelloParts parts;
  parts.extensions = {{0, tls_test::server_name(name)}};
  return tls_test::record(22, tls_test::client_hello(parts));
}

TEST(ApplicationClassifier, ReadsTheServerNameOfTls) {
  Conversation talk(6, 443);
  talk.shake_hands();
  EXPECT_TRUE(talk.say(hello_for("Intranet.Example.NET")));
  EXPECT_EQ(talk.application(), "tls");
  EXPECT_EQ(talk.host(), "intranet.example.net");
}

TEST(ApplicationClassifier, RecognisesServicesByTheirNames) {
  Conversation talk(6, 8443);
  talk.shake_hands();
  EXPECT_TRUE(talk.say(hello_for("www.youtube.com")));
  EXPECT_EQ(talk.application(), "youtube");
  EXPECT_EQ(talk.carrier(), "tls");
  EXPECT_EQ(talk.host(), "www.youtube.com");
}

TEST(ApplicationClassifier, ReadsAServerNameOverSeveralSegments) {
  Conversation talk(6, 443);
  talk.shake_hands();
  const std::string hello = hello_for("www.youtube.com");
  EXPECT_FALSE(talk.say(hello.substr(0, 20)));
  EXPECT_FALSE(talk.say(hello.substr(20, 30)));
  EXPECT_TRUE(talk.say(hello.substr(50)));
  EXPECT_EQ(talk.application(), "youtube");
}

TEST(ApplicationClassifier, KeepsTheEndOfALongName) {
  Conversation talk(6, 443);
  talk.shake_hands();
  EXPECT_TRUE(talk.say(
      hello_for(std::string(60, 'a') + "." + std::string(60, 'b') + ".tracker.example.com")));
  EXPECT_TRUE(talk.host().ends_with(".tracker.example.com")) << talk.host();
}

TEST(ApplicationClassifier, ReadsTheHostOfHttp) {
  Conversation talk(6, 8080);
  talk.shake_hands();
  EXPECT_TRUE(talk.say("GET /a HTTP/1.1\r\nHost: Files.Example.org:8080\r\nAccept: */*\r\n\r\n"));
  EXPECT_EQ(talk.application(), "http");
  EXPECT_EQ(talk.host(), "files.example.org");
}

TEST(ApplicationClassifier, ReadsDnsQueries) {
  Conversation talk(17, 53);
  EXPECT_TRUE(talk.say(be(0x1234, 2) + be(0x0100, 2) + be(1, 2) + be(0, 6) + "\x03www\x07" +
                       "example\x03net" + be(0, 1) + be(1, 2) + be(1, 2)));
  EXPECT_EQ(talk.application(), "dns");
  EXPECT_EQ(talk.host(), "www.example.net");
}

TEST(ApplicationClassifier, RecognisesBitTorrentOnAnyPort) {
  Conversation talk(6, 443);
  talk.shake_hands();
  EXPECT_TRUE(
      talk.say("\x13"
               "BitTorrent protocol" +
               std::string(8, '\0') + std::string(40, 'x')));
  EXPECT_EQ(talk.application(), "bittorrent");
  EXPECT_EQ(talk.host(), "");
}

TEST(ApplicationClassifier, GivesUpWithinItsBudget) {
  Conversation talk(6, 443);
  talk.shake_hands();
  talk.budget_.packets = 5;
  for (int packet = 0; packet < 4; ++packet) EXPECT_FALSE(talk.say("zqxjkv wpltm"));
  EXPECT_TRUE(talk.say("zqxjkv wpltm"));
  EXPECT_EQ(talk.application(), "unknown") << "a port is not an application";

  Conversation large(6, 443);
  large.shake_hands();
  large.budget_.bytes = 2000;
  EXPECT_FALSE(large.say(std::string(1000, 'z')));
  EXPECT_TRUE(large.say(std::string(1000, 'z')));
}

TEST(ApplicationClassifier, TakesNoMoreFlowsThanItHasRoomFor) {
  const auto classifier = ApplicationClassifier::create(2);
  ApplicationFlow flows[3];
  EXPECT_TRUE(classifier->begin(flows[0]));
  EXPECT_TRUE(classifier->begin(flows[1]));
  EXPECT_FALSE(classifier->begin(flows[2]));
  EXPECT_EQ(classifier->flows_in_use(), 2U);
  classifier->end(flows[0]);
  classifier->end(flows[0]);
  EXPECT_EQ(classifier->flows_in_use(), 1U);
  EXPECT_TRUE(classifier->begin(flows[2]));
  classifier->end(flows[1]);
  classifier->end(flows[2]);
}

}  // namespace
}  // namespace masugata::ids
