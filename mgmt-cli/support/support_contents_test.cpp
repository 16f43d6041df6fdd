// SPDX-License-Identifier: GPL-2.0-or-later
#include "mgmt-cli/support/support_contents.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>

#include "mgmt-cli/commands/command_line.h"

namespace masugata::cli {
namespace {

std::string joined(const std::vector<std::string_view>& words) {
  std::string text;
  for (const std::string_view word : words) text += (text.empty() ? "" : " ") + std::string(word);
  return text;
}

TEST(SupportContents, EveryShowCommandIsAskedOrLeftOutOnPurpose) {
  std::map<std::string, int> named;
  for (const SupportQuestion& question : support_questions()) ++named[std::string(question.words)];
  for (const LeftOutQuestion& question : left_out_questions()) {
    ++named[std::string(question.words)];
    EXPECT_FALSE(question.why.empty());
  }
  for (const Command& command : all_commands()) {
    if (command.words.front() != "show") continue;
    const std::string words = joined(command.words);
    EXPECT_EQ(named[words], 1) << "a new command belongs into one of the tables: " << words;
    named.erase(words);
  }
  for (const auto& [words, count] : named) ADD_FAILURE() << "there is no command " << words;
}

TEST(SupportContents, QuestionsAreCommandsThatOnlyAsk) {
  for (const SupportQuestion& question : support_questions()) {
    std::vector<std::string> words;
    std::string all(question.words);
    if (!question.limits.empty()) all += " " + std::string(question.limits);
    for (size_t at = 0; at <= all.size();) {
      const size_t end = std::min(all.find(' ', at), all.size());
      words.push_back(all.substr(at, end - at));
      at = end + 1;
    }
    const auto parsed = parse_command(words);
    ASSERT_TRUE(parsed) << all << ": " << parsed.error().what;
    EXPECT_EQ(parsed->command->action, Action::Call);
    // What can be long has a bound.
    for (const Option& option : parsed->command->options) {
      if (option.keyword != "limit") continue;
      EXPECT_TRUE(parsed->parameters.contains("limit")) << all;
    }
  }
}

}  // namespace
}  // namespace masugata::cli
