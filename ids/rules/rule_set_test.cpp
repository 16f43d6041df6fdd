// SPDX-License-Identifier: GPL-2.0-or-later
// What a rule says about itself, rules together, threshold.config, classes, the README's table.
#include "ids/rules/rule_set.h"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <set>

#include "ids/rules/keyword.h"
#include "ids/rules/rules_test_support.h"

namespace masugata::ids {
namespace {

TEST(Meta, IsKept) {
  const Rule rule = loaded(
      "msg:\"a \\\"b\\\" \\; c\"; gid:3; rev:7; classtype:trojan-activity; reference:CVE,2020-1;"
      "reference:url,a/b?c,d; metadata:created_at 2020_01_01, tag x y, lonely; target:dest_ip;"
      "content:\"x\"; prefilter; noalert;");
  EXPECT_EQ(rule.message, "a \"b\" ; c");
  EXPECT_EQ(rule.gid, 3U);
  EXPECT_EQ(rule.revision, 7U);
  EXPECT_EQ(rule.classification, "A Network Trojan was detected");
  EXPECT_EQ(rule.priority, 1U);
  ASSERT_EQ(rule.references.size(), 2U);
  EXPECT_EQ(rule.references[0].type, "cve");
  EXPECT_EQ(rule.references[1].value, "a/b?c,d");
  ASSERT_EQ(rule.metadata.size(), 3U);
  EXPECT_EQ(rule.metadata[1], (std::pair<std::string, std::string>{"tag", "x y"}));
  EXPECT_EQ(rule.metadata[2].second, "");
  EXPECT_EQ(rule.target, Rule::Target::Destination);
  EXPECT_TRUE(rule.prefilter && rule.no_alert);
  EXPECT_TRUE(match_of<ContentMatch>(rule).fast_pattern);
  EXPECT_TRUE(rule.text.starts_with("alert tcp") && rule.text.ends_with("sid:1;)"));
  EXPECT_EQ(loaded("priority:5; classtype:trojan-activity;").priority, 5U);
  EXPECT_EQ(loaded("classtype:newer-than-we-know;").priority, 3U);
  EXPECT_EQ(loaded("requires:version >= 7.0.3, keyword flowbits;").sid, 1U);
  EXPECT_FALSE(loaded("noalert; alert;").no_alert);
}

TEST(Meta, SaysWhatIsWrong) {
  for (const WrongOption& wrong : {
           WrongOption{"msg:a;", "msg", "double quotes"},
           WrongOption{"msg:\"a\"; msg:\"b\";", "msg", "twice"},
           WrongOption{"gid:x;", "gid", "expects a number"},
           WrongOption{"rev:-1;", "rev", "expects a number"},
           WrongOption{"priority:0;", "priority", "1 to 255"},
           WrongOption{"classtype:a; classtype:b;", "classtype", "twice"},
           WrongOption{"reference:cve;", "reference", "TYPE,VALUE"},
           WrongOption{"metadata;", "metadata", "expects a value"},
           WrongOption{"target:src;", "target", "src_ip"},
           WrongOption{"noalert:1;", "noalert", "takes no value"},
           WrongOption{"alert:1;", "alert", "takes no value"},
           WrongOption{"prefilter:1;", "prefilter", "takes no value"},
           WrongOption{"requires:version 7;", "requires", "version >="},
       }) {
    expect_problem(wrong);
  }
  expect_problem({"requires:version >= 99.0.0;", "requires", "version"}, true);
  expect_problem({"requires:feature lua;", "requires", "feature lua"}, true);
  expect_problem({"requires:keyword asn1;", "requires", "asn1"}, true);
  const RuleSet twice = read_text("alert ip any any -> any any (sid:5; sid:6;)");
  ASSERT_EQ(twice.problems.size(), 1U);
  EXPECT_EQ(twice.problems[0].reason, "stands twice");
  const RuleSet missing = read_text("alert ip any any -> any any (msg:\"x\";)");
  ASSERT_EQ(missing.problems.size(), 1U);
  EXPECT_EQ(missing.problems[0].keyword, "sid");
  EXPECT_EQ(read_text("alert ip any any -> any any (sid:0;)").rules.size(), 0U);
}

TEST(Meta, UnsupportedKeywordsAreNamed) {
  for (const char* keyword : {"asn1", "lua", "luajit", "dce_iface", "dce_opnum", "mqtt.type",
                              "flowvar", "frame", "ike.init_spi", "smb.ntlmssp_user"}) {
    const std::string option = std::string(keyword) + ":x;";
    expect_problem({option.c_str(), keyword, "not supported"}, true);
  }
}

TEST(RuleSet, KeepsTheLaterRevision) {
  const RuleSet set = read_text(
      "alert ip any any -> any any (sid:1; rev:1;)\n"
      "alert ip any any -> any any (sid:2; rev:5;)\n"
      "alert ip any any -> any any (sid:1; rev:2;)\n"
      "alert ip any any -> any any (sid:2; rev:5;)\n"
      "alert ip any any -> any any (sid:2; rev:5; gid:9;)\n");
  ASSERT_EQ(set.rules.size(), 3U);
  EXPECT_EQ(set.rules[0].sid, 2U);
  EXPECT_EQ(set.rules[1].sid, 1U);
  EXPECT_EQ(set.rules[1].revision, 2U);
  EXPECT_EQ(set.rules[2].gid, 9U);
  ASSERT_EQ(set.problems.size(), 1U);
  EXPECT_EQ(set.problems[0].line, 4U);
  EXPECT_NE(set.problems[0].reason.find("test.rules:2"), std::string::npos);
}

TEST(RuleSet, LoadsFilesOrSaysWhichCannotBeRead) {
  const char* path = "ids_rules_file.rules";
  std::ofstream(path) << "alert ip any any -> any any (sid:4;)\n";
  const auto set = load_rule_files({path}, RuleEnvironment::defaults());
  (void)std::remove(path);
  ASSERT_TRUE(set.has_value());
  ASSERT_EQ(set->rules.size(), 1U);
  EXPECT_EQ(set->files[set->rules[0].file], path);
  const auto missing = load_rule_files({"ids_rules_missing.rules"}, RuleEnvironment::defaults());
  ASSERT_FALSE(missing.has_value());
  EXPECT_EQ(missing.error().where, "ids_rules_missing.rules");
}

TEST(RuleSet, TakesClassesAndReferencesFromText) {
  RuleEnvironment environment = RuleEnvironment::defaults();
  environment.classification_text =
      "# remark\nconfig classification: mine,My own, with comma,9\nconfig classification: broken\n";
  environment.reference_text = "config reference: cve http://x/\nnonsense\n";
  const RuleSet set = read_rules(
      {{"a.rules", "alert ip any any -> any any (classtype:mine; sid:1;)"}}, environment);
  ASSERT_EQ(set.rules.size(), 1U);
  EXPECT_EQ(set.rules[0].priority, 9U);
  EXPECT_EQ(set.rules[0].classification, "My own, with comma");
  ASSERT_EQ(set.problems.size(), 2U);
  EXPECT_EQ(set.problems[0].file, "classification.config");
  EXPECT_EQ(set.problems[0].line, 3U);
  EXPECT_EQ(set.problems[1].file, "reference.config");
}

TEST(RuleSet, DefaultsKnowTheUsualVariables) {
  const RuleSet set = read_rules(
      {{"a.rules",
        "alert tcp $EXTERNAL_NET $HTTP_PORTS -> $HOME_NET $SSH_PORTS (sid:1;)\n"
        "alert tcp $SQL_SERVERS $ORACLE_PORTS -> $DNS_SERVERS $SHELLCODE_PORTS (sid:2;)"}},
      RuleEnvironment::defaults());
  EXPECT_EQ(set.rules.size(), 2U);
  EXPECT_TRUE(set.problems.empty());
}

constexpr const char* kThreeRules =
    "alert ip any any -> any any (sid:1;)\n"
    "alert ip any any -> any any (sid:2; threshold:type limit,track by_src,count 1,seconds 9;)\n"
    "alert ip any any -> any any (sid:3; gid:4;)\n";

TEST(ThresholdConfig, ChangesRules) {
  RuleSet set = read_text(kThreeRules);
  apply_threshold_text(
      set, "threshold.config",
      "# remark\n"
      "threshold gen_id 1, sig_id 1, type both, track by_dst, count 3, seconds 60\n"
      "event_filter gen_id 1, sig_id 2, type threshold, track by_rule, count 7, seconds 1m\n"
      "rate_filter gen_id 1, sig_id 1, track by_src, count 2, seconds 5, \\\n"
      "  new_action drop, timeout 30 # remark\n"
      "threshold gen_id 0, sig_id 0, type limit, track by_src, count 4, seconds 4\n");
  EXPECT_TRUE(set.problems.empty());
  ASSERT_EQ(set.rules[0].thresholds.size(), 2U);
  EXPECT_EQ(set.rules[0].thresholds[0].kind, ThresholdKind::Both);
  EXPECT_EQ(set.rules[0].thresholds[1].kind, ThresholdKind::Rate);
  EXPECT_EQ(set.rules[0].thresholds[1].new_action, RuleAction::Drop);
  EXPECT_EQ(set.rules[0].thresholds[1].timeout_seconds, 30U);
  ASSERT_EQ(set.rules[1].thresholds.size(), 1U);
  EXPECT_EQ(set.rules[1].thresholds[0].count, 7U);
  EXPECT_EQ(set.rules[1].thresholds[0].seconds, 60U);
  EXPECT_EQ(set.rules[2].thresholds[0].count, 4U);
}

TEST(ThresholdConfig, Suppresses) {
  RuleSet set = read_text(kThreeRules);
  apply_threshold_text(set, "threshold.config",
                       "suppress gen_id 1, sig_id 1\n"
                       "suppress gen_id 1, sig_id 2, track by_src, ip [10.0.0.0/8,!10.0.0.1]\n"
                       "suppress gen_id 1, sig_id 3, track by_either, ip $HOME_NET\n",
                       {{"HOME_NET", "192.0.2.0/24"}});
  EXPECT_TRUE(set.problems.empty());
  ASSERT_EQ(set.suppressions.size(), 3U);
  EXPECT_EQ(set.suppressions[0].track, Suppression::Track::Rule);
  EXPECT_EQ(set.suppressions[1].track, Suppression::Track::Source);
  EXPECT_EQ(set.suppressions[1].addresses.ranges.size(), 2U);
  EXPECT_EQ(set.suppressions[2].track, Suppression::Track::Either);
}

TEST(ThresholdConfig, SaysWhatIsWrong) {
  for (const char* line :
       {"nonsense gen_id 1, sig_id 1", "suppress gen_id 1", "suppress gen_id x, sig_id 1",
        "suppress gen_id 1, sig_id 1, track by_src", "suppress gen_id 1, sig_id 1, ip 10.0.0.1",
        "suppress gen_id 1, sig_id 1, track all, ip 10.0.0.1", "suppress gen_id 0, sig_id 5",
        "suppress gen_id 1, sig_id 1, track by_src, ip 10.0.0.300",
        "threshold gen_id 1, sig_id 1, type limit, track by_src, count 1",
        "rate_filter gen_id 1, sig_id 1, track by_src, count 1, seconds 1, timeout 1",
        "rate_filter gen_id 1, sig_id 1, track by_src, count 1, seconds 1, new_action burn"}) {
    RuleSet set = read_text(kThreeRules);
    apply_threshold_text(set, "threshold.config", line);
    EXPECT_EQ(set.problems.size(), 1U) << line;
    EXPECT_TRUE(set.suppressions.empty()) << line;
  }
}

TEST(KeywordTable, IsSortedAndWithoutDoubles) {
  const auto table = all_keywords();
  for (size_t i = 1; i < table.size(); ++i) EXPECT_LT(table[i - 1].name, table[i].name);
  EXPECT_EQ(find_keyword("nosuch"), nullptr);
  EXPECT_EQ(find_keyword("mqtt.type")->form, ValueForm::Unsupported);
}

// Every word in backquotes below the heading of a table in the README, against the code.
TEST(KeywordTable, IsThatOfTheReadme) {
  std::ifstream file(MASUGATA_IDS_RULES_README);
  const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  const size_t supported = text.find("## Supported keywords");
  const size_t unsupported = text.find("## Keywords that are not supported");
  ASSERT_TRUE(supported != std::string::npos && unsupported != std::string::npos);
  const auto words = [](std::string_view part) {
    std::set<std::string> result;
    while (true) {
      const size_t begin = part.find('`');
      if (begin == std::string_view::npos) return result;
      part.remove_prefix(begin + 1);
      const size_t end = part.find('`');
      result.emplace(part.substr(0, end));
      part.remove_prefix(std::min(end + 1, part.size()));
    }
  };
  std::set<std::string> wanted;
  std::set<std::string> refused;
  for (const Keyword& keyword : all_keywords()) {
    (keyword.form == ValueForm::Unsupported ? refused : wanted).emplace(keyword.name);
  }
  const std::string_view view = text;
  EXPECT_EQ(words(view.substr(supported, unsupported - supported)), wanted);
  EXPECT_EQ(words(view.substr(unsupported)), refused);
}

}  // namespace
}  // namespace masugata::ids
