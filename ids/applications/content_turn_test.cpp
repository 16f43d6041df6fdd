// SPDX-License-Identifier: GPL-2.0-or-later
#include "ids/applications/content_turn.h"

#include <gtest/gtest.h>

#include <string>

namespace masugata::ids {
namespace {

config::ApplicationId id(std::string_view name) { return config::find_application(name).value(); }

ContentTurn turn(const char* application, const char* carrier, const std::string& payload,
                 Direction direction = Direction::ToServer, std::string_view host = "a.example") {
  static const TurnWatcher watcher;
  return watcher.look({id(application), id(carrier), host}, direction,
                      {reinterpret_cast<const uint8_t*>(payload.data()), payload.size()});
}

TEST(ContentTurn, SomeContentsMayTurn) {
  const TurnWatcher watcher;
  EXPECT_TRUE(watcher.may_turn(id("http"), id("unknown")));
  EXPECT_TRUE(watcher.may_turn(id("facebook"), id("http")));
  EXPECT_TRUE(watcher.may_turn(id("dns"), id("unknown")));
  EXPECT_FALSE(watcher.may_turn(id("tls"), id("unknown")));
  EXPECT_FALSE(watcher.may_turn(id("youtube"), id("quic")));
  EXPECT_FALSE(watcher.may_turn(id("unknown"), id("unknown")));
}

TEST(ContentTurn, HostOfRequests) {
  EXPECT_EQ(request_host("GET / HTTP/1.1\r\nA: b\r\nHOST:  b.example:8080 \r\n\r\n"), "b.example");
  EXPECT_EQ(request_host("GET http://c.example/x?y HTTP/1.1\r\nHost: b.example\r\n\r\n"),
            "c.example");
  EXPECT_EQ(request_host("CONNECT d.example:443 HTTP/1.1\r\n\r\n"), "d.example");
  EXPECT_EQ(request_host("GET / HTTP/1.1\r\n\r\nHost: b.example\r\n"), "");
  EXPECT_EQ(request_host("GET / HTTP/1.1\r\nHost: b.exam"), "");
  EXPECT_EQ(request_host("GETX / HTTP/1.1\r\nHost: b.example\r\n"), "");
}

TEST(ContentTurn, RequestForAnotherHost) {
  EXPECT_EQ(turn("http", "unknown", "GET / HTTP/1.1\r\nHost: A.example\r\n\r\n"),
            ContentTurn::None);
  EXPECT_EQ(turn("http", "unknown", "GET / HTTP/1.1\r\nHost: b.example\r\n\r\n"), ContentTurn::Now);
  // Whether the rest of it names the same host is not known yet.
  EXPECT_EQ(turn("http", "unknown", "GET / HTTP/1.1\r\nCookie: long"), ContentTurn::Now);
  EXPECT_EQ(turn("http", "unknown", "more of a body"), ContentTurn::None);
  EXPECT_EQ(turn("http-proxy", "unknown", "CONNECT a.example:443 HTTP/1.1\r\n\r\n"),
            ContentTurn::Now);
}

TEST(ContentTurn, AnswersThatSwitchOrOpenTunnels) {
  const auto answer = [](const char* application, const char* text) {
    return turn(application, "unknown", text, Direction::ToClient);
  };
  EXPECT_EQ(answer("http", "HTTP/1.1 101 Switching Protocols\r\n"), ContentTurn::BehindThis);
  EXPECT_EQ(answer("http", "HTTP/1.1 200 OK\r\n"), ContentTurn::None);
  EXPECT_EQ(answer("http-connect", "HTTP/1.1 200 OK\r\n"), ContentTurn::BehindThis);
  EXPECT_EQ(answer("http-connect", "HTTP/1.1 407 No\r\n"), ContentTurn::None);
}

TEST(ContentTurn, TlsInAMailSession) {
  const std::string hello("\x16\x03\x01\x02", 4);
  EXPECT_EQ(turn("smtp", "unknown", hello), ContentTurn::Now);
  EXPECT_EQ(turn("tls", "smtp", hello), ContentTurn::None);
  EXPECT_EQ(turn("smtp", "unknown", "STARTTLS\r\n"), ContentTurn::None);
}

TEST(ContentTurn, QueryForAnotherName) {
  const std::string query("\0\7\1\0\0\1\0\0\0\0\0\0\1b\7example\0\0\1\0\1", 27);
  EXPECT_EQ(turn("dns", "unknown", query), ContentTurn::Now);
  EXPECT_EQ(turn("dns", "unknown", query, Direction::ToServer, "b.example"), ContentTurn::None);
  EXPECT_EQ(turn("dns", "unknown", query, Direction::ToClient), ContentTurn::None);
}

}  // namespace
}  // namespace masugata::ids
