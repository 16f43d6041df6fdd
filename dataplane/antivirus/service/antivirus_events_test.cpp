// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/antivirus/service/antivirus_events.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "ids/eve/community_id.h"

namespace masugata::dataplane {
namespace {

using Json = nlohmann::json;

AntivirusRecord record() {
  AntivirusRecord made;
  made.reference = 1'000'000'007;
  made.key.source = *net::IpAddress::parse("10.0.1.2");
  made.key.destination = *net::IpAddress::parse("192.0.2.80");
  made.key.set_transport(net::Be16::from_host(40'000), net::Be16::from_host(80),
                         net::Protocol::Tcp);
  made.action = AntivirusAction::Answered;
  made.complete = true;
  made.bytes = 68;
  made.sha256[0] = 0xab;
  made.signature.set("Eicar-Test-Signature");
  made.facts.protocol = ids::ApplicationProtocol::Http;
  made.facts.direction = ids::Direction::ToClient;
  made.facts.host.set("example.com");
  made.facts.location.set("/eicar.com?x=\"\n");
  made.facts.name.set("eicar.com");
  return made;
}

constexpr EventCircumstances kAt{1'600'000'000'000'001, "strict", true};

TEST(AntivirusEvents, AnAlertHasTheFieldsThatReadersKnow) {
  const Json event = Json::parse(antivirus_alert(record(), kAt));
  EXPECT_EQ(event["event_type"], "alert");
  EXPECT_EQ(event["timestamp"], "2020-09-13T12:26:40.000001+0000");
  // The server sent it.
  EXPECT_EQ(event["src_ip"], "192.0.2.80");
  EXPECT_EQ(event["src_port"], 80);
  EXPECT_EQ(event["dest_ip"], "10.0.1.2");
  EXPECT_EQ(event["direction"], "to_client");
  EXPECT_EQ(event["alert"]["action"], "blocked");
  EXPECT_EQ(event["alert"]["signature"], "Eicar-Test-Signature");
  EXPECT_EQ(event["alert"]["category"], "Antivirus");
  EXPECT_EQ(event["alert"]["gid"], 3);
  EXPECT_EQ(event["alert"]["signature_id"], 1'900'000);
  EXPECT_EQ(event["alert"]["metadata"]["reference"], Json({"1000000007"}));
  EXPECT_EQ(event["alert"]["metadata"]["profile"], Json({"strict"}));
  EXPECT_EQ(event["http"]["hostname"], "example.com");
  EXPECT_EQ(event["http"]["url"], "/eicar.com?x=\"\n");
  EXPECT_EQ(event["files"][0]["filename"], "eicar.com");
}

TEST(AntivirusEvents, AFileHasItsDigestOnlyWhenItIsWhole) {
  AntivirusRecord told = record();
  Json event = Json::parse(antivirus_file(told, kAt));
  EXPECT_EQ(event["event_type"], "fileinfo");
  EXPECT_EQ(event["fileinfo"]["state"], "CLOSED");
  EXPECT_EQ(event["fileinfo"]["size"], 68);
  EXPECT_EQ(event["fileinfo"]["stored"], true);
  EXPECT_EQ(event["fileinfo"]["sha256"].get<std::string>().substr(0, 4), "ab00");
  told.complete = false;
  event = Json::parse(antivirus_file(told, kAt));
  EXPECT_EQ(event["fileinfo"]["state"], "TRUNCATED");
  EXPECT_FALSE(event["fileinfo"].contains("sha256"));
}

TEST(AntivirusEvents, MailIsToldWithItsPaths) {
  AntivirusRecord told = record();
  told.facts.protocol = ids::ApplicationProtocol::Smtp;
  told.facts.direction = ids::Direction::ToServer;
  told.facts.sender.set("a@example.com");
  told.facts.recipients.set("b@example.org,c@example.org");
  told.action = AntivirusAction::Passed;
  told.reason = av::RefusalReason::Encrypted;
  told.signature.set("");
  const Json event = Json::parse(antivirus_alert(told, kAt));
  EXPECT_EQ(event["src_ip"], "10.0.1.2");
  EXPECT_EQ(event["alert"]["action"], "allowed");
  EXPECT_EQ(event["alert"]["signature"], "Antivirus encrypted");
  EXPECT_EQ(event["smtp"]["mail_from"], "a@example.com");
  EXPECT_EQ(event["smtp"]["rcpt_to"], Json({"b@example.org", "c@example.org"}));
  EXPECT_FALSE(event.contains("http"));
}

TEST(AntivirusEvents, TheSessionIsNamedAsRulesNameIt) {
  AntivirusRecord told = record();
  told.flow_id = (uint64_t{3} << 44U) | 7;
  told.facts.direction = ids::Direction::ToClient;
  const Json down = Json::parse(antivirus_alert(told, kAt));
  EXPECT_EQ(down["flow_id"], (uint64_t{3} << 44U) | 7);
  told.facts.direction = ids::Direction::ToServer;
  const Json up = Json::parse(antivirus_file(told, kAt));
  EXPECT_EQ(up["community_id"], down["community_id"]);
  EXPECT_EQ(up["community_id"], std::string(ids::community_id(told.key, 0, 0, 0).view()));
}

TEST(AntivirusEvents, BytesThatAreNoTextAreWritten) {
  AntivirusRecord told = record();
  const std::string raw(1024, '\x01');
  told.facts.location.set(raw);
  told.facts.name.set(std::string(128, '\xff'));
  EXPECT_FALSE(Json::parse(antivirus_alert(told, kAt), nullptr, false).is_discarded());
}

TEST(AntivirusEvents, OldSignaturesHaveNoSession) {
  const Json event = Json::parse(old_signatures_alert(5, 1'600'000'000'000'000));
  EXPECT_EQ(event["alert"]["signature"], "Antivirus signatures are 5 days old");
  EXPECT_FALSE(event.contains("flow_id"));
}

}  // namespace
}  // namespace masugata::dataplane
