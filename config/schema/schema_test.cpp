// SPDX-License-Identifier: GPL-2.0-or-later
#include "config/schema/schema.h"

#include <gtest/gtest.h>

#include <cctype>
#include <fstream>
#include <iterator>
#include <string>

#include "config/load.h"
#include "config/schema/embedded_modules.h"

namespace masugata::config::schema {
namespace {

// "policy from FROM to TO rule NAME action" for every statement of the language.
void collect_paths(const StatementSchema& parent, const std::string& path,
                   std::vector<std::pair<std::string, const StatementSchema*>>& paths) {
  for (const StatementSchema& child : parent.children) {
    std::string here = path.empty() ? child.keyword : path + ' ' + child.keyword;
    for (const KeyShape& key : child.keys) {
      if (!key.word.empty()) here += ' ' + key.word;
      here += ' ';
      for (const char letter : key.name) here += static_cast<char>(std::toupper(letter));
    }
    paths.emplace_back(here, &child);
    collect_paths(child, here, paths);
  }
}

std::vector<std::pair<std::string, const StatementSchema*>> all_paths() {
  std::vector<std::pair<std::string, const StatementSchema*>> paths;
  collect_paths(Schema::instance().root(), "", paths);
  return paths;
}

const StatementSchema& at(std::string_view path) {
  for (const auto& [known, statement] : all_paths()) {
    if (known == path) return *statement;
  }
  throw std::out_of_range(std::string(path));
}

TEST(Schema, KnowsKindsKeysAndWords) {
  EXPECT_EQ(at("interfaces").kind, StatementKind::Block);
  EXPECT_EQ(at("interfaces interface NAME vlan ID").kind, StatementKind::Entry);
  EXPECT_EQ(at("system log-denied").kind, StatementKind::Flag);
  EXPECT_EQ(at("zones zone NAME interface").kind, StatementKind::Values);
  const StatementSchema& section = at("policy from FROM to TO");
  EXPECT_EQ(section.yang_name, "section");
  ASSERT_EQ(section.keys.size(), 2U);
  EXPECT_EQ(section.keys[1].word, "to");
  EXPECT_TRUE(at("policy from FROM to TO rule NAME action").mandatory);
}

TEST(Schema, SaysWhatIsAccepted) {
  const StatementSchema& action = at("policy from FROM to TO rule NAME action");
  EXPECT_EQ(action.value.noun, "an action");
  EXPECT_EQ(action.value.accepted, "permit, deny, reject");
  EXPECT_EQ(action.value.words.size(), 3U);
  EXPECT_EQ(at("interfaces interface NAME vlan ID").keys[0].value.accepted, "1 to 4094");
  EXPECT_TRUE(at("sessions timeout icmp").value.in_seconds);
  EXPECT_FALSE(at("sessions maximum").value.in_seconds);
}

TEST(Schema, KnowsAlternatives) {
  const StatementSchema& translate = at("nat source rule NAME translate");
  ASSERT_EQ(translate.mandatory_choices.size(), 1U);
  EXPECT_TRUE(translate.mandatory_choices[0]);
  EXPECT_NE(translate.find("pool")->alternative, translate.find("none")->alternative);
  const StatementSchema& forward = at("nat destination rule NAME translate");
  EXPECT_EQ(forward.find("address")->alternative, forward.find("port")->alternative);
}

TEST(Schema, FindsTheKeywordThatWasMeant) {
  const StatementSchema& system = at("system");
  EXPECT_EQ(system.nearest("hostname"), "host-name");
  EXPECT_EQ(system.nearest("log-deneid"), "log-denied");
  EXPECT_EQ(system.nearest("routes"), "");
  EXPECT_EQ(system.nearest(std::string(1000, 'h')), "");
}

// Help, completion and documentation come from here: nothing may be without.
TEST(Schema, DescribesEveryStatementAndValue) {
  for (const auto& [path, statement] : all_paths()) {
    EXPECT_FALSE(statement->help.empty()) << path;
    for (const KeyShape& key : statement->keys) {
      EXPECT_FALSE(key.help.empty()) << path;
      EXPECT_FALSE(key.value.accepted.empty()) << path;
    }
    if (statement->kind == StatementKind::Value || statement->kind == StatementKind::Values) {
      EXPECT_FALSE(statement->value.accepted.empty()) << path;
    }
  }
}

TEST(Documentation, NamesEveryStatement) {
  std::ifstream file(std::string(MASUGATA_SOURCE_ROOT) + "/docs/configuration.md");
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  ASSERT_FALSE(text.empty());
  for (const auto& [path, statement] : all_paths()) {
    const size_t line = text.find("| `" + path + "` |");
    EXPECT_NE(line, std::string::npos) << path;
    if (line == std::string::npos || statement->default_value.empty()) continue;
    const std::string row = text.substr(line, text.find('\n', line) - line);
    EXPECT_NE(row.find("default " + statement->default_value), std::string::npos) << path;
  }
}

// The defaults stand in YANG for people and in model.h for programs.
TEST(Schema, HasTheDefaultsOfTheModel) {
  const Loaded loaded = load_text("", "empty");
  ASSERT_TRUE(loaded.model);
  const Model& model = *loaded.model;
  const auto expect = [](std::string_view path, uint64_t value) {
    EXPECT_EQ(at(path).default_value, std::to_string(value)) << path;
  };
  EXPECT_EQ(at("system host-name").default_value, model.system.host_name);
  EXPECT_EQ(at("system hw-profile").default_value, model.system.hw_profile);
  expect("sessions maximum", model.sessions.maximum);
  expect("sessions timeout tcp-syn", model.sessions.timeouts.tcp_syn);
  expect("sessions timeout tcp-handshake", model.sessions.timeouts.tcp_handshake);
  expect("sessions timeout tcp-established", model.sessions.timeouts.tcp_established);
  expect("sessions timeout tcp-half-closed", model.sessions.timeouts.tcp_half_closed);
  expect("sessions timeout tcp-closing", model.sessions.timeouts.tcp_closing);
  expect("sessions timeout tcp-time-wait", model.sessions.timeouts.tcp_time_wait);
  expect("sessions timeout tcp-reset", model.sessions.timeouts.tcp_reset);
  expect("sessions timeout udp-new", model.sessions.timeouts.udp_new);
  expect("sessions timeout udp-replied", model.sessions.timeouts.udp_replied);
  expect("sessions timeout icmp", model.sessions.timeouts.icmp);
  expect("sessions timeout other", model.sessions.timeouts.other);
  expect("fragments maximum-datagrams", model.fragments.maximum_datagrams);
  expect("fragments maximum-per-source", model.fragments.maximum_per_source);
  expect("fragments timeout", model.fragments.timeout_seconds);
  expect("fragments maximum-per-datagram", model.fragments.maximum_fragments_per_datagram);
  EXPECT_EQ(at("sessions tcp-strict").default_value, model.sessions.tcp_strict ? "on" : "off");
  EXPECT_EQ(at("sessions ftp-helper").default_value, model.sessions.ftp_helper ? "on" : "off");
  EXPECT_EQ(at("zones zone NAME anti-spoofing").default_value, "strict");
}

}  // namespace
}  // namespace masugata::config::schema
