// SPDX-License-Identifier: GPL-2.0-or-later
#include "ids/eve/eve_tls.h"

#include <gtest/gtest.h>

#include <array>
#include <nlohmann/json.hpp>

#include "ids/protocols/tls/tls_transaction.h"

namespace masugata::ids {
namespace {

nlohmann::json written(TlsTransaction& transaction) {
  std::array<char, 4096> buffer{};
  JsonWriter json(buffer);
  json.open_object();
  write_tls(json, transaction);
  json.close_object();
  return nlohmann::json::parse(json.text()).at("tls");
}

TlsCertificate certificate() {
  TlsCertificate made;
  made.subject = "CN=host.example";
  made.issuer = "CN=CA";
  made.serial = "0E:06";
  made.fingerprint = "ab:cd";
  made.not_before_s = 1577836800;
  made.not_after_s = 2556241445;
  made.alternative_names = {"host.example", "www.example"};
  return made;
}

TEST(EveTls, WritesTheCertificateOfTheServer) {
  TlsTransaction transaction;
  transaction.side(Direction::ToClient).certificate = certificate();
  transaction.side(Direction::ToClient).version = 0x0303;
  const nlohmann::json tls = written(transaction);
  EXPECT_EQ(tls.at("subject"), "CN=host.example");
  EXPECT_EQ(tls.at("issuerdn"), "CN=CA");
  EXPECT_EQ(tls.at("serial"), "0E:06");
  EXPECT_EQ(tls.at("fingerprint"), "ab:cd");
  EXPECT_EQ(tls.at("version"), "TLS 1.2");
  EXPECT_EQ(tls.at("notbefore"), "2020-01-01T00:00:00");
  EXPECT_EQ(tls.at("notafter"), "2051-01-02T03:04:05");
  EXPECT_EQ(tls.at("subjectaltname"), nlohmann::json({"host.example", "www.example"}));
  EXPECT_FALSE(tls.contains("session_resumed"));
  EXPECT_FALSE(tls.contains("client"));
}

TEST(EveTls, WritesTheCertificateOfTheClientApart) {
  TlsTransaction transaction;
  transaction.side(Direction::ToServer).certificate = certificate();
  const nlohmann::json tls = written(transaction);
  EXPECT_FALSE(tls.contains("subject"));
  EXPECT_EQ(tls.at("client").at("subject"), "CN=host.example");
  EXPECT_EQ(tls.at("client").at("notafter"), "2051-01-02T03:04:05");
}

TEST(EveTls, LeavesOutDatesThatWereNotRead) {
  TlsTransaction transaction;
  transaction.side(Direction::ToClient).certificate = TlsCertificate{};
  const nlohmann::json tls = written(transaction);
  EXPECT_FALSE(tls.contains("notbefore"));
  EXPECT_FALSE(tls.contains("notafter"));
}

TEST(EveTls, SaysThatASessionWasResumedBeforeTls13) {
  for (const auto& [version, resumed] :
       {std::pair<uint16_t, bool>{0x0303, true}, {0x0304, false}}) {
    TlsTransaction transaction;
    for (const Direction direction : {Direction::ToServer, Direction::ToClient}) {
      TlsSide& side = transaction.side(direction);
      side.hello.emplace();
      side.hello->pre_shared_key = true;
      side.hello->alpn = {"h2"};
      side.version = version;
      transaction.advance(direction, TlsProgress::HandshakeDone);
    }
    const nlohmann::json tls = written(transaction);
    EXPECT_EQ(tls.value("session_resumed", false), resumed) << version;
    EXPECT_EQ(tls.at("client_alpns"), nlohmann::json::array({"h2"}));
    EXPECT_EQ(tls.at("server_alpns"), nlohmann::json::array({"h2"}));
  }
}

}  // namespace
}  // namespace masugata::ids
