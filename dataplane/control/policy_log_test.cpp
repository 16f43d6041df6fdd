// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/control/policy_log.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace masugata::dataplane::control {
namespace {

net::FlowKey key(const char* source, uint16_t source_port, const char* destination,
                 uint16_t destination_port) {
  net::FlowKey result;
  result.source = net::IpAddress::parse(source).value();
  result.destination = net::IpAddress::parse(destination).value();
  result.source_port = net::Be16::from_host(source_port);
  result.destination_port = net::Be16::from_host(destination_port);
  result.protocol = net::Protocol::Tcp;
  return result;
}

PolicyLogNames names() {
  return {[](uint32_t rule, uint32_t epoch) {
            return epoch == 3 ? std::string("lan > wan: web") : "rule " + std::to_string(rule);
          },
          [](uint16_t interface) {
            return interface == 0xffff ? "" : "port" + std::to_string(interface);
          },
          [](uint8_t) { return "closed"; },
          [](uint64_t time_us) { return static_cast<int64_t>(time_us) + 1764612000000000; }};
}

PolicyLogRecord opened() {
  PolicyLogRecord record;
  record.original = key("10.0.1.10", 40000, "198.51.100.2", 443);
  record.translated = key("203.0.113.2", 1025, "198.51.100.2", 443);
  record.time_us = 1500;
  record.rule = 17;
  record.epoch = 3;
  record.ingress_interface = 1;
  record.egress_interface = 0;
  return record;
}

TEST(FormatPolicyLog, SaysWhatWasOpenedAndHowItLeaves) {
  EXPECT_EQ(format_policy_log(opened(), 0, names(), PolicyLogFormat::Text),
            "2025-12-01T18:00:00.001Z open tcp 10.0.1.10:40000 > 198.51.100.2:443 "
            "rule \"lan > wan: web\" in port1 out port0 "
            "as 203.0.113.2:1025 > 198.51.100.2:443 worker 0");
}

TEST(FormatPolicyLog, SaysWhyASessionWasRefused) {
  PolicyLogRecord record = opened();
  record.event = PolicyLogEvent::SessionRefused;
  record.reason = DropReason::PolicyDenied;
  record.original = record.translated = key("2001:db8::1", 1, "2001:db8::2", 22);
  record.egress_interface = 0xffff;
  record.epoch = 2;
  EXPECT_EQ(format_policy_log(record, 1, names(), PolicyLogFormat::Text),
            "2025-12-01T18:00:00.001Z refuse tcp [2001:db8::1]:1 > [2001:db8::2]:22 "
            "rule \"rule 17\" in port1 reason policy-denied worker 1");
}

TEST(FormatPolicyLog, SumsUpAnEndedSession) {
  PolicyLogRecord record = opened();
  record.translated = record.original;
  record.event = PolicyLogEvent::SessionEnded;
  record.duration_ms = 61005;
  record.packets[0] = 12;
  record.packets[1] = 20;
  record.bytes[0] = 1500;
  record.bytes[1] = 24000;
  EXPECT_EQ(format_policy_log(record, 0, names(), PolicyLogFormat::Text),
            "2025-12-01T18:00:00.001Z end tcp 10.0.1.10:40000 > 198.51.100.2:443 "
            "rule \"lan > wan: web\" in port1 out port0 "
            "after 61.005s closed packets 12/20 bytes 1500/24000 worker 0");
  const auto json =
      nlohmann::json::parse(format_policy_log(record, 0, names(), PolicyLogFormat::JsonLines));
  EXPECT_EQ(json.at("event"), "end");
  EXPECT_EQ(json.at("duration_ms"), 61005);
  EXPECT_EQ(json.at("source").at("port"), 40000);
  EXPECT_EQ(json.at("bytes_reply"), 24000);
  EXPECT_FALSE(json.contains("reason"));
}

class PolicyLogTest : public testing::Test {
 protected:
  PolicyLog log(PolicyLogFormat format) {
    return {{{5, [this](PolicyLogRecord& record) { return ring_.pop(record); },
              [this] { return lost_; }}},
            names(),
            format,
            [this](const std::string& line) { lines_.push_back(line); }};
  }

  PolicyLogRing ring_;
  uint64_t lost_ = 10;
  std::vector<std::string> lines_;
};

TEST_F(PolicyLogTest, WritesABoundedNumberPerRound) {
  PolicyLog log = this->log(PolicyLogFormat::Text);
  for (uint32_t count = 0; count < PolicyLog::kRecordsPerRound + 3; ++count) {
    ASSERT_TRUE(ring_.push(opened()));
  }
  EXPECT_EQ(log.write_waiting(), PolicyLog::kRecordsPerRound);
  EXPECT_EQ(log.write_waiting(), 3U);
  EXPECT_EQ(log.write_waiting(), 0U);
  EXPECT_EQ(lines_.size(), PolicyLog::kRecordsPerRound + 3);
}

TEST_F(PolicyLogTest, SaysWhatWasLostOnce) {
  PolicyLog log = this->log(PolicyLogFormat::Text);
  log.write_waiting();
  EXPECT_TRUE(lines_.empty());  // lost before the log began
  lost_ += 7;
  log.write_waiting();
  log.write_waiting();
  EXPECT_EQ(lines_, std::vector<std::string>{"lost 7 records of worker 5: its ring was full"});
  lost_ = 2;  // counters were cleared
  log.write_waiting();
  EXPECT_EQ(lines_.size(), 1U);
}

TEST_F(PolicyLogTest, LossesAreJsonToo) {
  PolicyLog log = this->log(PolicyLogFormat::JsonLines);
  lost_ += 1;
  log.write_waiting();
  EXPECT_EQ(nlohmann::json::parse(lines_.at(0)).at("records"), 1);
}

}  // namespace
}  // namespace masugata::dataplane::control
