// SPDX-License-Identifier: GPL-2.0-or-later
#include "ids/protocols/tls/tls_parser.h"

#include <gtest/gtest.h>

#include "ids/protocols/event_names.h"
#include "ids/protocols/tls/digest_text.h"
#include "ids/protocols/tls/fingerprints.h"
#include "ids/protocols/tls/tls_test_messages.h"

namespace masugata::ids {
namespace {

using namespace tls_test;
using namespace std::string_literals;

constexpr uint8_t kHandshake = 22;
constexpr uint8_t kChangeCipherSpec = 20;
constexpr uint8_t kApplicationData = 23;
constexpr uint8_t kHeartbeat = 24;

std::string text_of(const BufferBytes& found) {
  if (found.state == BufferState::NotYet) return "(not yet)";
  if (found.state == BufferState::Absent) return "(absent)";
  return {reinterpret_cast<const char*>(found.bytes.data()), found.bytes.size()};
}

class TlsParserTest : public testing::Test {
 protected:
  TlsParserTest() {
    demands_.ja3 = demands_.ja4 = true;
    restart();
  }
  void restart() { parser_ = make_parser(ApplicationProtocol::Tls, demands_); }
  ParseOutcome client(const std::string& bytes) {
    return parser_->on_data(Direction::ToServer, bytes_of(bytes), 0);
  }
  ParseOutcome server(const std::string& bytes) {
    return parser_->on_data(Direction::ToClient, bytes_of(bytes), 0);
  }
  TlsTransaction& transaction() {
    return static_cast<TlsTransaction&>(*parser_->transactions().front());
  }
  std::string from_client(BufferId buffer, uint32_t instance = 0) {
    return text_of(transaction().buffer(buffer, Direction::ToServer, instance));
  }
  std::string from_server(BufferId buffer, uint32_t instance = 0) {
    return text_of(transaction().buffer(buffer, Direction::ToClient, instance));
  }
  bool raised(std::string_view event) {
    return transaction().events.test(*find_event(kTlsEventNames, event));
  }
  uint64_t version(Direction direction) {
    uint64_t value = 0;
    return transaction().number(NumberField::TlsVersion, direction, value) ? value : 0;
  }

  ParserDemands demands_;
  std::unique_ptr<ProtocolParser> parser_;
};

const ClientHelloParts kUsualHello{
    0x0303, {0x1301, 0xc02f}, {{0, server_name("Host.example")}, {16, alpn({"h2", "http/1.1"})}}};

TEST_F(TlsParserTest, ReadsAHandshakeOfTls12) {
  EXPECT_EQ(client(record(kHandshake, client_hello(kUsualHello))), ParseOutcome::Going);
  EXPECT_EQ(from_client(BufferId::TlsSni), "Host.example");
  EXPECT_EQ(from_client(BufferId::TlsAlpn, 1), "http/1.1");
  EXPECT_EQ(from_client(BufferId::TlsAlpn, 2), "(absent)");
  EXPECT_EQ(from_client(BufferId::TlsRandom), std::string(32, 'R'));
  EXPECT_EQ(from_client(BufferId::TlsRandomTime).size(), 4U);
  EXPECT_EQ(from_client(BufferId::TlsRandomBytes).size(), 28U);
  EXPECT_EQ(from_server(BufferId::TlsCertificateSubject), "(not yet)");
  EXPECT_EQ(version(Direction::ToServer), 0x0303U);
  EXPECT_EQ(version(Direction::ToClient), 0U);

  const std::string flight = server_hello(0x0303, 0xc02f, {{16, alpn({"h2"})}}) +
                             certificates({certificate({}), certificate({})}) + message(12, "key") +
                             message(14, "");
  EXPECT_EQ(server(record(kHandshake, flight)), ParseOutcome::Going);
  EXPECT_EQ(from_server(BufferId::TlsCertificateSubject), "CN=host.example");
  EXPECT_EQ(from_server(BufferId::TlsCertificates, 1), certificate({}));
  EXPECT_EQ(from_server(BufferId::TlsCertificates, 2), "(absent)");
  EXPECT_EQ(from_server(BufferId::TlsSubjectAltName, 1), "www.example");
  EXPECT_EQ(from_server(BufferId::TlsAlpn), "h2");
  uint64_t chain = 0;
  EXPECT_TRUE(
      transaction().number(NumberField::TlsCertificateChainLength, Direction::ToClient, chain));
  EXPECT_EQ(chain, 2U);

  EXPECT_EQ(client(record(kHandshake, message(16, "key")) + record(kChangeCipherSpec, "\x01") +
                   record(kHandshake, "\x12\x34 encrypted")),
            ParseOutcome::Going);
  EXPECT_FALSE(transaction().complete());
  EXPECT_EQ(server(record(kChangeCipherSpec, "\x01")), ParseOutcome::Finished);
  EXPECT_TRUE(transaction().complete());
  EXPECT_TRUE(transaction().events.none());
  EXPECT_FALSE(transaction().session_resumed());
  EXPECT_EQ(from_client(BufferId::TlsCertificateSubject), "(absent)");
}

TEST_F(TlsParserTest, ReadsAHandshakeOfTls13) {
  ClientHelloParts hello = kUsualHello;
  hello.extensions.emplace_back(43, counted(list16({0x1a1a, 0x0304, 0x0303}), 1));
  EXPECT_EQ(client(record(kHandshake, client_hello(hello)) + record(kChangeCipherSpec, "\x01")),
            ParseOutcome::Going);
  EXPECT_EQ(version(Direction::ToServer), 0x0304U);
  EXPECT_EQ(server(record(kHandshake, server_hello(0x0303, 0x1301, {{43, be(0x0304, 2)}})) +
                   record(kChangeCipherSpec, "\x01") + record(kApplicationData, "secret")),
            ParseOutcome::Finished);
  EXPECT_EQ(version(Direction::ToClient), 0x0304U);
  EXPECT_EQ(transaction().agreed_version(), 0x0304U);
  EXPECT_EQ(from_server(BufferId::TlsCertificateSubject), "(absent)");
}

TEST_F(TlsParserTest, DoesNotMindHowBytesAreCutIntoRecordsAndSegments) {
  ClientHelloParts hello = kUsualHello;
  hello.extensions.emplace_back(21, std::string(400, '\0'));
  const std::string bytes = client_hello(hello);
  std::string records;
  for (size_t start = 0; start < bytes.size(); start += 50) {
    records += record(kHandshake, bytes.substr(start, 50));
  }
  const std::string chain = record(kHandshake, certificates({certificate({})}).substr(0, 30)) +
                            record(kHandshake, certificates({certificate({})}).substr(30));
  for (const size_t piece : {1U, 2U, 3U, 7U, 61U, 5000U}) {
    restart();
    for (size_t start = 0; start < records.size(); start += piece) {
      ASSERT_EQ(client(records.substr(start, piece)), ParseOutcome::Going);
    }
    for (size_t start = 0; start < chain.size(); start += piece) {
      ASSERT_EQ(server(chain.substr(start, piece)), ParseOutcome::Going);
    }
    EXPECT_EQ(from_client(BufferId::TlsSni), "Host.example") << piece;
    EXPECT_EQ(from_server(BufferId::TlsCertificateSerial), "0E:06:ED") << piece;
    EXPECT_TRUE(transaction().events.none());
  }
}

TEST_F(TlsParserTest, MakesFingerprints) {
  TlsHello hello;
  hello.legacy_version = 769;
  hello.ciphers = {0x2a2a, 47, 53, 5, 10, 49161, 49162, 49171, 49172, 50, 56, 19, 4};
  hello.extensions = {0x1a1a, 0, 10, 11};
  hello.groups = {0x3a3a, 23, 24, 25};
  hello.point_formats = {0};
  EXPECT_EQ(ja3_string(hello),
            "769,47-53-5-10-49161-49162-49171-49172-50-56-19-4,0-10-11,23-24-25,0");
  EXPECT_EQ(md5_hex(ja3_string(hello)), "ada70206e40642a3e4461f35503241d5");
  TlsHello answer;
  answer.legacy_version = 771;
  answer.ciphers = {4866};
  answer.extensions = {51, 43};
  EXPECT_EQ(ja3s_string(answer), "771,4866,51-43");
  EXPECT_EQ(md5_hex(ja3s_string(answer)), "907bf3ecef1c987c889946b737b43de8");
}

TEST_F(TlsParserTest, MakesTheNewerFingerprint) {
  TlsHello hello;
  hello.legacy_version = 0x0303;
  hello.supported_versions = {0x5a5a, 0x0303, 0x0304};
  hello.ciphers = {0x1a1a, 0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f, 0xc02c, 0xc030,
                   0xcca9, 0xcca8, 0xc013, 0xc014, 0x009c, 0x009d, 0x002f, 0x0035};
  hello.extensions = {0x1a1a, 0x001b, 0x0000, 0x0033, 0x0010, 0x4469, 0x0017, 0x002d, 0x000d,
                      0x0005, 0x0023, 0x0012, 0x002b, 0xff01, 0x000b, 0x000a, 0x0015};
  hello.signature_algorithms = {0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0806, 0x0601};
  hello.alpn = {"h2", "http/1.1"};
  EXPECT_EQ(ja4_fingerprint(hello), "t13d1516h2_8daaf6152771_e5627efa2ab1");
  EXPECT_EQ(ja4_fingerprint(TlsHello{}), "t00i000000_000000000000_000000000000");
  TlsHello odd;
  odd.legacy_version = 0x0301;
  odd.alpn = {"\xab\xcd"};
  EXPECT_EQ(ja4_fingerprint(odd).substr(0, 10), "t10i0000ad");
}

TEST_F(TlsParserTest, KeepsTheFirstOfTwoHellos) {
  ClientHelloParts other = kUsualHello;
  other.extensions[0].second = server_name("other.example");
  EXPECT_EQ(client(record(kHandshake, client_hello(kUsualHello)) +
                   record(kChangeCipherSpec, "\x01") + record(kHandshake, client_hello(other))),
            ParseOutcome::Going);
  EXPECT_EQ(from_client(BufferId::TlsSni), "Host.example");
  EXPECT_TRUE(transaction().events.none());
}

TEST_F(TlsParserTest, RaisesWhatIsOddInHellos) {
  const std::vector<std::pair<std::string, Extensions>> cases{
      {"multiple_sni_extensions", {{0, server_name("a")}, {0, server_name("b")}}},
      {"invalid_sni_type", {{0, server_name("a", 7)}}},
      {"invalid_sni_length", {{0, server_name("")}}},
      {"invalid_sni_length", {{0, server_name(std::string(300, 'a'))}}},
      {"invalid_sni_length", {{0, "\x00\x09"s}}},
  };
  for (const auto& [event, extensions] : cases) {
    restart();
    EXPECT_EQ(client(record(kHandshake, client_hello({0x0303, {1}, extensions}))),
              ParseOutcome::Going);
    EXPECT_TRUE(raised(event)) << event;
  }
  restart();
  EXPECT_EQ(client(record(kHandshake, message(1, "short"))), ParseOutcome::Going);
  EXPECT_TRUE(raised("invalid_handshake_message"));
  restart();
  EXPECT_EQ(client(record(kHandshake, message(2, "a server's"))), ParseOutcome::Going);
  EXPECT_TRUE(raised("invalid_handshake_message"));
}

TEST_F(TlsParserTest, RaisesWhatIsOddInRecords) {
  const std::vector<std::pair<std::string, std::string>> cases{
      {"invalid_record_type", "\x40\x03\x01\x00\x01x"s},
      {"invalid_record_version", "\x16\x07\x01\x00\x01x"s},
      {"invalid_record_length", "\x16\x03\x01\x60\x01x"s},
  };
  for (const auto& [event, bytes] : cases) {
    restart();
    EXPECT_EQ(client(bytes), ParseOutcome::Failed) << event;
    EXPECT_TRUE(raised(event)) << event;
    EXPECT_TRUE(raised("invalid_ssl_record")) << event;
    EXPECT_TRUE(transaction().complete());
  }
  restart();
  std::string many;
  for (int count = 0; count < 200; ++count) many += record(21, "");
  EXPECT_EQ(client(many), ParseOutcome::Going);
  EXPECT_TRUE(raised("too_many_records_in_packet"));
  restart();
  many.clear();
  for (int count = 0; count < 2000; ++count) many += record(21, "\x01\x00"s);
  EXPECT_EQ(client(many), ParseOutcome::Going);
  EXPECT_TRUE(transaction().events.none());
}

TEST_F(TlsParserTest, RaisesBrokenCertificates) {
  EXPECT_EQ(server(record(kHandshake, certificates({"\x30\x05\x30\x84\xff\xff\xff\xfa\x04"s}))),
            ParseOutcome::Going);
  EXPECT_TRUE(raised("invalid_handshake_message"));
  EXPECT_TRUE(raised("certificate_invalid_length"));
  restart();
  EXPECT_EQ(server(record(kHandshake, message(11, be(90, 3) + be(80, 3)))), ParseOutcome::Going);
  EXPECT_TRUE(raised("invalid_certificate"));
  EXPECT_EQ(from_server(BufferId::TlsCertificateSubject), "(absent)");
}

TEST_F(TlsParserTest, PassesOverMessagesBeyondTheBound) {
  const std::string begun = std::string(1, '\x0b') + be(kMaximumHandshakeMessageBytes + 1, 3);
  EXPECT_EQ(server(record(kHandshake, begun)), ParseOutcome::Going);
  EXPECT_TRUE(raised("handshake_invalid_length"));
  EXPECT_EQ(server(record(kHandshake, std::string(16000, 'x'))), ParseOutcome::Going);
}

TEST_F(TlsParserTest, SeesHeartbeatsThatAskForTooMuch) {
  EXPECT_EQ(client(record(kHeartbeat, "\x01\x40\x00"s)), ParseOutcome::Going);
  EXPECT_TRUE(raised("heartbeat_message"));
  EXPECT_TRUE(raised("overflow_heartbeat_message"));
  EXPECT_FALSE(raised("dataleak_heartbeat_mismatch"));
  EXPECT_EQ(server(record(kHeartbeat, "\x02\x00\x20"s + std::string(48, 'x'))),
            ParseOutcome::Going);
  EXPECT_TRUE(raised("dataleak_heartbeat_mismatch"));
  restart();
  EXPECT_EQ(client(record(kHeartbeat, "\x01\x00\x20"s + std::string(48, 'x'))),
            ParseOutcome::Going);
  EXPECT_FALSE(raised("overflow_heartbeat_message"));
  EXPECT_FALSE(raised("invalid_heartbeat_message"));
  EXPECT_EQ(server(record(kHeartbeat, "\x09\x00\x20"s + std::string(48, 'x'))),
            ParseOutcome::Going);
  EXPECT_TRUE(raised("invalid_heartbeat_message"));
}

TEST_F(TlsParserTest, WatchesEncryptedHeartbeatsOfThoseWhoAgreedOnThem) {
  const Extensions heartbeat{{15, "\x01"}};
  EXPECT_EQ(client(record(kHandshake, client_hello({0x0303, {1}, heartbeat})) +
                   record(kChangeCipherSpec, "\x01")),
            ParseOutcome::Going);
  EXPECT_EQ(server(record(kHandshake, server_hello(0x0303, 1, heartbeat)) +
                   record(kChangeCipherSpec, "\x01")),
            ParseOutcome::Going);
  EXPECT_EQ(client(record(kHeartbeat, std::string(40, 'q'))), ParseOutcome::Going);
  EXPECT_EQ(server(record(kHeartbeat, std::string(4000, 'a'))), ParseOutcome::Going);
  EXPECT_TRUE(raised("dataleak_heartbeat_mismatch"));
  EXPECT_FALSE(transaction().complete());
  parser_->on_end(Direction::ToServer);
  parser_->on_end(Direction::ToClient);
  EXPECT_TRUE(transaction().complete());
}

TEST_F(TlsParserTest, ReadsHellosOfSsl2) {
  const std::string hello = "\x01"s + be(0x0301, 2) + be(6, 2) + be(0, 2) + be(16, 2) +
                            "\x01\x00\x80\x00\x00\x35"s + std::string(16, 'C');
  EXPECT_EQ(client(be(0x8000 | hello.size(), 2) + hello), ParseOutcome::Going);
  EXPECT_EQ(version(Direction::ToServer), 0x0301U);
  EXPECT_EQ(from_client(BufferId::TlsRandom), std::string(16, '\0') + std::string(16, 'C'));
  // Both go on with TLS.
  EXPECT_EQ(server(record(kHandshake, certificates({certificate({})}))), ParseOutcome::Going);
  EXPECT_EQ(from_server(BufferId::TlsCertificateIssuer), "C=US, CN=CA");

  restart();
  const std::string answer = "\x04\x00\x01\x00\x02"s + be(certificate({}).size(), 2) + be(0, 2) +
                             be(0, 2) + certificate({});
  EXPECT_EQ(server(be(0x8000 | answer.size(), 2) + answer), ParseOutcome::Finished);
  EXPECT_EQ(version(Direction::ToClient), 0x0200U);
  EXPECT_EQ(from_server(BufferId::TlsCertificateSubject), "CN=host.example");
}

TEST_F(TlsParserTest, PassesOverGapsWithinARecord) {
  EXPECT_EQ(client(record(kHandshake, client_hello(kUsualHello)) + "\x17\x03\x03\x10\x00"s + "zz"),
            ParseOutcome::Going);
  EXPECT_EQ(parser_->on_gap(Direction::ToServer, 4000), ParseOutcome::Going);
  EXPECT_EQ(client(std::string(94, 'x') + record(kApplicationData, "more")), ParseOutcome::Going);
  EXPECT_EQ(parser_->on_gap(Direction::ToServer, 1), ParseOutcome::Failed);
}

TEST_F(TlsParserTest, JudgesStatesAndTimes) {
  using State = TlsStateMatch::State;
  const TlsStateMatch hello_seen{{{State::ClientHello, false}}};
  const TlsStateMatch keys_seen{{{State::ServerKeyx, false}}};
  const TlsStateMatch either{{{State::ServerKeyx, false}, {State::ClientHello, false}}};
  const TlsStateMatch one_missing{{{State::ServerKeyx, true}, {State::ClientHello, true}}};
  ASSERT_EQ(client(record(kHandshake, client_hello(kUsualHello))), ParseOutcome::Going);
  EXPECT_EQ(transaction().holds(Condition{hello_seen}, Direction::ToServer, 0), true);
  EXPECT_EQ(transaction().holds(Condition{keys_seen}, Direction::ToServer, 0), std::nullopt);
  EXPECT_EQ(transaction().holds(Condition{either}, Direction::ToServer, 0), true);
  EXPECT_EQ(transaction().holds(Condition{one_missing}, Direction::ToServer, 0), true);
  const TlsCertificateTimeMatch expired{TlsCertificateTimeMatch::Field::Expired, Comparison::Equal,
                                        0, 0};
  constexpr uint64_t kSecond = 1'000'000;
  EXPECT_EQ(transaction().holds(Condition{expired}, Direction::ToClient, 0), std::nullopt);
  ASSERT_EQ(server(record(kHandshake, certificates({certificate({})}))), ParseOutcome::Going);
  EXPECT_EQ(transaction().holds(Condition{expired}, Direction::ToClient, 1'700'000'000 * kSecond),
            false);
  EXPECT_EQ(transaction().holds(Condition{expired}, Direction::ToClient, 2'600'000'000 * kSecond),
            true);
}

TEST_F(TlsParserTest, StopsWhenItsTransactionWasTaken) {
  ASSERT_EQ(client(record(kHandshake, client_hello(kUsualHello))), ParseOutcome::Going);
  parser_->transactions().clear();
  EXPECT_EQ(client(record(kHandshake, client_hello(kUsualHello))), ParseOutcome::Finished);
}

}  // namespace
}  // namespace masugata::ids
