// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/replay/replay_settings.h"

#include <gtest/gtest.h>

#include <array>

#include "dataplane/replay/command_line.h"

namespace masugata::dataplane {
namespace {

TEST(ReplaySettings, AppliesFlagsNumbersPoliciesAndVariables) {
  ReplaySettings settings;
  EXPECT_TRUE(apply_setting(settings, "stream.midstream", "yes"));
  EXPECT_TRUE(apply_setting(settings, "flow-timeouts.tcp.new", "5"));
  EXPECT_TRUE(apply_setting(settings, "stream.midstream-policy", "pass-flow"));
  EXPECT_TRUE(apply_setting(settings, "vars.address-groups.HOME_NET", "10.0.0.0/8"));
  EXPECT_TRUE(settings.midstream);
  EXPECT_EQ(settings.tcp_new_timeout_s, 5U);
  EXPECT_EQ(settings.midstream_policy, MidstreamPolicy::PassFlow);
  EXPECT_EQ(settings.address_variables["HOME_NET"], "10.0.0.0/8");
}

TEST(ReplaySettings, TakesAnOrderOfActionsThatHasEachOnce) {
  ReplaySettings settings;
  EXPECT_TRUE(apply_setting(settings, "action-order", "drop,reject,alert,pass"));
  EXPECT_EQ(settings.action_order[0], ids::RuleAction::Drop);
  EXPECT_EQ(settings.action_order[3], ids::RuleAction::Pass);
  EXPECT_FALSE(apply_setting(settings, "action-order", "drop,drop,alert,pass"));
  EXPECT_FALSE(apply_setting(settings, "action-order", "drop,reject,alert"));
  EXPECT_FALSE(apply_setting(settings, "action-order", "drop,reject,alert,pass,pass"));
}

TEST(ReplaySettings, NamesTheKeyThatIsWrong) {
  ReplaySettings settings;
  const Status unknown = apply_setting(settings, "no.such", "1");
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().message(), "no.such: is no setting of a replay");
  const Status number = apply_setting(settings, "decoder.vxlan.port", "70000");
  ASSERT_FALSE(number);
  EXPECT_NE(number.error().what.find("65535"), std::string::npos);
}

Result<ReplayCommand> read(std::initializer_list<const char*> words) {
  const std::vector<const char*> list(words);
  return read_command_line(list);
}

TEST(CommandLine, TakesSeveralRulesAndCaptures) {
  const auto command = read({"--rules", "a", "b", "--pcap", "c", "--inline", "--set",
                             "stream.inline=true", "--eve", "-"});
  ASSERT_TRUE(command) << command.error().message();
  EXPECT_EQ(command->rule_files, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(command->captures, std::vector<std::string>{"c"});
  EXPECT_TRUE(command->settings.inline_mode);
  EXPECT_TRUE(command->settings.stream_inline);
  EXPECT_EQ(command->eve_file, "-");
}

TEST(CommandLine, RefusesWhatItDoesNotKnow) {
  EXPECT_FALSE(read({"--pcap", "a", "--no-such", "b"}));
  EXPECT_FALSE(read({"--rules", "a"}));
  EXPECT_FALSE(read({"--test-rules"}));
  EXPECT_FALSE(read({"--pcap", "a", "--eve"}));
}

}  // namespace
}  // namespace masugata::dataplane
