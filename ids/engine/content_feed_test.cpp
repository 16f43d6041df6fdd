// SPDX-License-Identifier: GPL-2.0-or-later
#include <gtest/gtest.h>

#include "ids/engine/test_bench.h"
#include "ids/protocols/content_recorder.h"
#include "ids/protocols/tls/tls_test_messages.h"

namespace masugata::ids::testing {
namespace {

constexpr std::string_view kGet = "GET /a/b.bin HTTP/1.1\r\nHost: www.example\r\n\r\n";

struct ContentFeedTest : ::testing::Test {
  ContentRecorder recorder;
  Bench bench{""};
};

TEST_F(ContentFeedTest, TellsOnceThatAProtocolIsOpaque) {
  auto flow = bench.tcp(22);
  set_content_receiver(*flow.inspection(), &recorder);
  flow.to_client("SSH-2.0-server\r\n");
  flow.to_server("SSH-2.0-client\r\n");
  flow.to_server("more\r\n");
  EXPECT_EQ(recorder.opaques, std::vector{ApplicationProtocol::Ssh});
  EXPECT_TRUE(recorder.contents.empty());
  flow.close();
}

TEST_F(ContentFeedTest, TellsThatNothingIsRecognised) {
  auto flow = bench.tcp(4711);
  set_content_receiver(*flow.inspection(), &recorder);
  flow.to_server(std::string(kDetectionBytes + 1, '\x01'));
  flow.to_client(std::string(kDetectionBytes + 1, '\x02'));
  EXPECT_EQ(recorder.opaques, std::vector{ApplicationProtocol::Failed});
  flow.close();
}

TEST_F(ContentFeedTest, TellsAReceiverThatComesLate) {
  auto flow = bench.tcp(22);
  flow.to_client("SSH-2.0-server\r\n");
  flow.to_server("SSH-2.0-client\r\n");
  set_content_receiver(*flow.inspection(), &recorder);
  EXPECT_EQ(recorder.opaques, std::vector{ApplicationProtocol::Ssh});
  flow.close();
}

TEST_F(ContentFeedTest, GivesContentsOfParsersThatAreMadeLater) {
  auto flow = bench.tcp();
  set_content_receiver(*flow.inspection(), &recorder);
  flow.to_server(kGet);
  flow.to_client("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab");
  ASSERT_EQ(recorder.contents.size(), 1U);
  EXPECT_EQ(recorder.contents[0].bytes, "ab");
  EXPECT_TRUE(recorder.contents[0].begins_with_packet);
  // Inside a tunnel another parser.
  flow.to_server("CONNECT www.example:80 HTTP/1.1\r\nHost: www.example\r\n\r\n");
  flow.to_client("HTTP/1.1 200 OK\r\n\r\n");
  flow.to_server(kGet);
  flow.to_client("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\ncd");
  ASSERT_EQ(recorder.contents.size(), 2U);
  EXPECT_EQ(recorder.contents[1].bytes, "cd");
  EXPECT_TRUE(recorder.opaques.empty());
  flow.close();
}

TEST_F(ContentFeedTest, TellsOfUpgrades) {
  auto flow = bench.tcp();
  set_content_receiver(*flow.inspection(), &recorder);
  flow.to_server("GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n");
  flow.to_client(
      "HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n\x81\x01x");
  EXPECT_EQ(recorder.opaques, std::vector{ApplicationProtocol::WebSocket});
  flow.close();
}

TEST_F(ContentFeedTest, GivesTheEndOfAStreamToTheParser) {
  auto flow = bench.tcp();
  set_content_receiver(*flow.inspection(), &recorder);
  flow.to_server(kGet);
  flow.to_client("HTTP/1.1 200 OK\r\n\r\nto the");
  flow.end(Direction::ToClient, " end");
  ASSERT_EQ(recorder.contents.size(), 1U);
  EXPECT_EQ(recorder.contents[0].bytes, "to the end");
  EXPECT_TRUE(recorder.contents[0].ended);
  EXPECT_EQ(recorder.contents[0].end, ContentEnd::Whole);
  flow.close();
}

TEST_F(ContentFeedTest, EndsWhatIsOpenWithTheFlow) {
  auto flow = bench.tcp();
  set_content_receiver(*flow.inspection(), &recorder);
  flow.to_server(kGet);
  flow.to_client("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nab");
  flow.close();
  ASSERT_EQ(recorder.contents.size(), 1U);
  EXPECT_TRUE(recorder.contents[0].ended);
  EXPECT_EQ(recorder.contents[0].end, ContentEnd::Broken);
}

TEST_F(ContentFeedTest, GoesOnWhenRulesPassTheFlow) {
  Bench passing{"pass tcp any any -> any any (flow:established; content:\"GET\"; sid:1;)"};
  auto flow = passing.tcp();
  set_content_receiver(*flow.inspection(), &recorder);
  flow.to_server(kGet);
  flow.to_client("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab");
  ASSERT_EQ(recorder.contents.size(), 1U);
  EXPECT_TRUE(recorder.contents[0].ended);
  flow.close();
}

TEST_F(ContentFeedTest, GivesAnnouncedDataConnections) {
  auto flow = bench.tcp(1025);
  set_content_receiver(*flow.inspection(), &recorder);
  ProtocolParser::ExpectedData expected;
  expected.file_name = "dir/a.zip";
  set_expected(*flow.inspection(), expected);
  flow.to_client("PK one");
  flow.end(Direction::ToClient);
  ASSERT_EQ(recorder.contents.size(), 1U);
  EXPECT_EQ(recorder.contents[0].bytes, "PK one");
  EXPECT_EQ(recorder.contents[0].name, "a.zip");
  EXPECT_EQ(recorder.contents[0].end, ContentEnd::Whole);
  EXPECT_TRUE(recorder.opaques.empty());
  flow.close();
}

// A server of FTP can announce whatever port its client will talk to next.
TEST_F(ContentFeedTest, ReadsWhatWasAnnouncedAndAnswersAsWhatItIs) {
  auto flow = bench.tcp(8080);
  set_content_receiver(*flow.inspection(), &recorder);
  set_expected(*flow.inspection(), ProtocolParser::ExpectedData{});
  flow.to_server(kGet.substr(0, 10));
  flow.to_server(kGet.substr(10));
  flow.to_client("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab");
  EXPECT_EQ(protocol_of(*flow.inspection()), ApplicationProtocol::Http);
  set_expected(*flow.inspection(), ProtocolParser::ExpectedData{});
  flow.to_server(kGet);
  flow.to_client("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\ncd\r\n0\r\n\r\n");
  ASSERT_EQ(recorder.contents.size(), 3U);
  EXPECT_EQ(recorder.contents[0].bytes, kGet);
  EXPECT_EQ(recorder.contents[1].bytes, "ab");
  EXPECT_EQ(recorder.contents[1].protocol, ApplicationProtocol::Http);
  EXPECT_EQ(recorder.contents[2].bytes, "cd");
  EXPECT_TRUE(recorder.opaques.empty());
  flow.close();
}

TEST_F(ContentFeedTest, SaysOfWhatWasAnnouncedAndAnswersThatNobodyKnowsIt) {
  auto unknown = bench.tcp(9999);
  set_content_receiver(*unknown.inspection(), &recorder);
  set_expected(*unknown.inspection(), ProtocolParser::ExpectedData{});
  unknown.to_server("\x01\x02\x03\x04 what is it?");
  unknown.to_client("\x05\x06\x07\x08 no idea");
  EXPECT_EQ(recorder.opaques, std::vector{ApplicationProtocol::Failed});
  unknown.close();
  // Too much came before the answer to be read again.
  ContentRecorder second;
  auto flow = bench.tcp(8080);
  set_content_receiver(*flow.inspection(), &second);
  set_expected(*flow.inspection(), ProtocolParser::ExpectedData{});
  flow.to_server(std::string{kGet.substr(0, kGet.size() - 2)} + "X: " + std::string(3000, 'x'));
  flow.to_server(std::string(3000, 'x') + "\r\n\r\n");
  EXPECT_TRUE(second.opaques.empty());
  flow.to_client("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab");
  EXPECT_EQ(second.opaques, std::vector{ApplicationProtocol::FtpData});
  flow.close();
}

TEST_F(ContentFeedTest, TellsOfEncryptionAskedAndGiven) {
  auto flow = bench.tcp(25);
  set_content_receiver(*flow.inspection(), &recorder);
  flow.to_client("220 mx ESMTP\r\n");
  flow.to_server("EHLO a\r\n");
  flow.to_client("250-mx\r\n250 STARTTLS\r\n");
  flow.to_server("STARTTLS\r\n");
  EXPECT_EQ(recorder.asked, std::vector{ApplicationProtocol::Smtp});
  EXPECT_TRUE(recorder.opaques.empty());
  flow.to_client("220 go\r\n");
  flow.to_server(tls_test::record(22, tls_test::client_hello({})));
  EXPECT_EQ(recorder.opaques, std::vector{ApplicationProtocol::Tls});
  flow.close();
}

// What waited for the protocol to be known came in packets before.
TEST_F(ContentFeedTest, KnowsWhatCameBeforeDetection) {
  auto flow = bench.tcp(8080);
  set_content_receiver(*flow.inspection(), &recorder);
  flow.to_client("HTT");
  flow.to_client("P/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab");
  ASSERT_EQ(recorder.contents.size(), 1U);
  EXPECT_EQ(recorder.contents[0].bytes, "ab");
  EXPECT_FALSE(recorder.contents[0].begins_with_packet);
  flow.close();
}

TEST_F(ContentFeedTest, LosesTheParserAtTheMemoryBound) {
  EngineLimits limits;
  limits.memory_bytes = 1;
  Bench small{"", limits};
  auto flow = small.tcp();
  set_content_receiver(*flow.inspection(), &recorder);
  flow.to_server(kGet);
  EXPECT_EQ(recorder.opaques, std::vector{ApplicationProtocol::Http});
  flow.close();
}

TEST_F(ContentFeedTest, SaysNothingWithoutAReceiver) {
  auto flow = bench.tcp();
  set_content_receiver(*flow.inspection(), &recorder);
  set_content_receiver(*flow.inspection(), nullptr);
  flow.to_server(kGet);
  flow.to_client("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab");
  flow.close();
  EXPECT_EQ(recorder.story(), "");
  EXPECT_TRUE(recorder.opaques.empty());
}

}  // namespace
}  // namespace masugata::ids::testing
