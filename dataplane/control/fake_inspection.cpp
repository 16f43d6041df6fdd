// SPDX-License-Identifier: GPL-2.0-or-later
// What the fake gateway says about intrusion prevention.
#include <algorithm>

#include "dataplane/control/fake_gateway_state.h"

namespace masugata::dataplane::control {
namespace {

IpsLoadStatus example_load() {
  IpsLoadStatus load;
  load.state = IpsLoadState::Ready;
  load.ready_seconds_ago = 5400;
  load.seconds = 14.2;
  load.files = 2;
  load.rules = 45012;
  load.disabled = 9120;
  load.unsupported = 12;
  load.wrong = 1;
  return load;
}

IpsProfileStatus example_profile() {
  IpsProfileStatus office;
  office.name = "office";
  office.choices = {{"without-rules", "drop"},
                    {"memory-full", "drop"},
                    {"overload", "pass"},
                    {"midstream", "drop"}};
  office.ready = true;
  office.rules = 44001;
  office.left_out = 1011;
  office.overridden = 37;
  office.patterns = 51234;
  office.databases = 42;
  office.plan_bytes = 150994944;
  office.compile_seconds = 11.5;
  office.flows = 321;
  office.memory_bytes = 52428800;
  office.memory_bound = 268435456;
  office.counters = {{"packets", 1234567}, {"alerts", 17}, {"drops", 3}, {"parsers_failed", 0}};
  office.counters.emplace_back("tagged_packets", 12);
  office.counters.emplace_back("excepted", 6);
  office.protocols = {{"dns", 120, 260}, {"http", 40, 95}, {"tls", 150, 150}};
  return office;
}

}  // namespace

void FakeGatewayState::fill_inspection() {
  ips_answer.load = example_load();
  ips_answer.profiles = {example_profile()};
  ips_answer.sessions_now = 321;
  ips_answer.counters = {{"packets", 1234567},    {"sessions", 4321},    {"segments_rewritten", 2},
                         {"segments_refused", 1}, {"urgent_cleared", 0}, {"passed_overload", 5}};
  ips_answer.log_file = "/var/log/masugata/eve.json";
  ips_answer.lines_written = 98765;
  ips_answer.lines_lost = 4;

  ips_rules_answer.load = example_load();
  ips_rules_answer.files = {"/etc/masugata/rules/emerging-all.rules",
                            "/etc/masugata/rules/local.rules"};
  ips_rules_answer.left_out = {{"office", 1011}};
  ips_rules_answer.overridden = {{"office", 37}};
  ips_rules_answer.problems = {
      {"/etc/masugata/rules/local.rules", 3, 0, "sid", "expects a number, not 'x'", false},
      {"/etc/masugata/rules/emerging-all.rules", 1200, 2027700, "lua", "is not supported", true}};
  ips_rules_answer.total_problems = 13;

  ips_hits_answer.rules = {
      {2034647, 2, "ET EXPLOIT Apache log4j RCE Attempt", "attempted-admin", 1, 20, 17, 42},
      {9000001, 0, "", "", 0, 4, 0, std::nullopt}};
  ips_hits_answer.total = 2;

  ips_costs_answer.profiling = true;
  ips_costs_answer.rules = {
      {2034647, "ET EXPLOIT Apache log4j RCE Attempt", 5000, 20, 7500000, 1500, 75},
      {9000001, "local", 2500, 0, 2500000, 1000, 25}};
  ips_costs_answer.total = 2;
  ips_costs_answer.cycles = 10000000;

  ips_exceptions_answer.exceptions = {{"office", "scanner", true, 6, "", std::nullopt},
                                      {"office", "migration", true, 0, "2026-12-01 18:00", 90061},
                                      {"guests", "old", false, 0, "2026-01-01 00:00", 0}};
  ips_exceptions_answer.total = 3;

  applications_answer.counters = {{"recognised", 5120}, {"unknown", 40},  {"refused", 0},
                                  {"turned", 310},      {"refined", 290}, {"exhausted", 1},
                                  {"denied", 77}};
  applications_answer.flows = 12;
  applications_answer.flows_bound = 16384;
  applications_answer.hosts = 900;
  applications_answer.hosts_bound = 131072;
  applications_answer.resolvers = {"10.0.1.53"};
  applications_answer.names = {{"questions", 4100}, {"answers", 4000}, {"unasked", 2},
                               {"unreadable", 8},   {"learnt", 3900},  {"replaced", 0},
                               {"not_shared", 0}};
  applications_answer.addresses = 2100;
  applications_answer.addresses_bound = 8192;

  ips_rule_answer.sid = 2034647;
  ips_rule_answer.revision = 2;
  ips_rule_answer.message = "ET EXPLOIT Apache log4j RCE Attempt";
  ips_rule_answer.classtype = "attempted-admin";
  ips_rule_answer.priority = 1;
  ips_rule_answer.file = "/etc/masugata/rules/emerging-all.rules";
  ips_rule_answer.line = 17;
  ips_rule_answer.text =
      "alert http any any -> $HOME_NET any (msg:\"ET EXPLOIT Apache log4j RCE Attempt\"; "
      "content:\"${jndi:\"; sid:2034647; rev:2;)";
  ips_rule_answer.references = {"cve,2021-44228"};
  ips_rule_answer.profiles = {{"office", "drop", 20, 17, 42, 5000, 20, 7500000},
                              {"guests", "", 0, 0, std::nullopt, 0, 0, 0}};
}

IpsRuleFiles FakeGatewayState::ips_rules(uint32_t limit) {
  IpsRuleFiles answer = ips_rules_answer;
  answer.problems.resize(std::min<size_t>(limit, answer.problems.size()));
  return answer;
}

IpsHitList FakeGatewayState::ips_hits(uint32_t limit) {
  IpsHitList answer = ips_hits_answer;
  answer.rules.resize(std::min<size_t>(limit, answer.rules.size()));
  return answer;
}

IpsCostList FakeGatewayState::ips_costs(uint32_t limit) {
  IpsCostList answer = ips_costs_answer;
  answer.rules.resize(std::min<size_t>(limit, answer.rules.size()));
  return answer;
}

IpsExceptionList FakeGatewayState::ips_exceptions(uint32_t limit) {
  IpsExceptionList answer = ips_exceptions_answer;
  answer.exceptions.resize(std::min<size_t>(limit, answer.exceptions.size()));
  return answer;
}

Result<IpsRuleDetail> FakeGatewayState::ips_rule(uint32_t sid) {
  asked_sids.push_back(sid);
  if (fault) return tl::unexpected(*fault);
  return ips_rule_answer;
}

Status FakeGatewayState::clear_ips_hits() {
  if (fault) return tl::unexpected(*fault);
  ++cleared_hits;
  return {};
}

Status FakeGatewayState::set_ips_profiling(bool on) {
  if (fault) return tl::unexpected(*fault);
  profiling_switches.push_back(on);
  return {};
}

Status FakeGatewayState::reload_ips_rules() {
  if (fault) return tl::unexpected(*fault);
  ++rule_reloads;
  return {};
}

}  // namespace masugata::dataplane::control
