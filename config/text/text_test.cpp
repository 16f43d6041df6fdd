// SPDX-License-Identifier: GPL-2.0-or-later
#include <gtest/gtest.h>

#include <string>

#include "config/problem.h"
#include "config/text/lexer.h"
#include "config/text/parser.h"
#include "config/text/writer.h"

namespace masugata::config::text {
namespace {

std::vector<std::string> problems_of(std::string_view source) {
  ProblemList problems;
  const ParsedText parsed = parse(source, problems);
  std::vector<std::string> lines;
  for (const Problem& problem : problems.take_sorted())
    lines.push_back(format_problem(problem, "t"));
  return lines;
}

std::string rewritten(std::string_view source) {
  ProblemList problems;
  const ParsedText parsed = parse(source, problems);
  EXPECT_FALSE(problems.has_errors()) << source;
  return write(parsed.document.statements);
}

TEST(Parser, KeepsWordsListsBlocksAndPlaces) {
  ProblemList problems;
  const ParsedText parsed = parse("a b \"c d\";\n  list [ x\n y ];\nblock k { inner; }", problems);
  EXPECT_FALSE(problems.has_errors());
  const auto& statements = parsed.document.statements;
  ASSERT_EQ(statements.size(), 3U);
  ASSERT_EQ(statements[0].words.size(), 2U);
  EXPECT_EQ(statements[0].words[1].text, "c d");
  EXPECT_EQ(statements[0].words[1].position, (Position{1, 5}));
  EXPECT_TRUE(statements[1].bracketed);
  ASSERT_EQ(statements[1].words.size(), 2U);
  EXPECT_EQ(statements[1].words[1].position, (Position{3, 2}));
  EXPECT_TRUE(statements[2].has_block);
  ASSERT_EQ(statements[2].block.size(), 1U);
  EXPECT_EQ(statements[2].block[0].keyword.text, "inner");
}

TEST(Parser, SkipsBothKindsOfComments) {
  EXPECT_EQ(rewritten("# x { \n a /* ; } */ b; /*\n}*/ # end"), "a b;\n");
  EXPECT_EQ(rewritten("a b/* directly */;"), "a b;\n");
}

TEST(Parser, ResolvesEscapes) {
  ProblemList problems;
  const ParsedText parsed = parse(R"(d "say \"hi\" \\ there";)", problems);
  EXPECT_FALSE(problems.has_errors());
  EXPECT_EQ(parsed.document.statements[0].words[0].text, R"(say "hi" \ there)");
}

TEST(Writer, IsTheInverseOfTheParser) {
  const std::string text =
      "a;\nb \"\" \"x y\" \"q\\\"\\\\\" \"#\" \"/*\";\nc [ 1 ];\nd { }\ne k {\n    f [ ];\n    g "
      "\"é\";\n}\n";
  EXPECT_EQ(rewritten(text), text);
}

TEST(Parser, FindsAMissingSemicolonWhereItIsMissing) {
  const auto problems = problems_of("a {\n  mtu 1500\n  device x;\n  b\n}\nc");
  ASSERT_EQ(problems.size(), 3U);
  EXPECT_EQ(problems[0], "t:2:11: error: missing ';' after '1500' (accepted: ; or {)");
  EXPECT_EQ(problems[1], "t:4:4: error: missing ';' after 'b' (accepted: ; or {)");
  EXPECT_EQ(problems[2], "t:6:2: error: missing ';' after 'c' (accepted: ; or {)");
}

TEST(Parser, RepeatsNoSecret) {
  for (const char* text : {"psk \"XYZZY\"", "psk XYZZY }", "psk; \"XYZZY\";", "psk a \"XYZZY\"",
                           "a { psk \"XYZZY\" {", "psk [ XYZZY ", "psk\n\"XYZZY\"\nb;"}) {
    const auto problems = problems_of(text);
    EXPECT_FALSE(problems.empty()) << text;
    for (const std::string& problem : problems) {
      EXPECT_EQ(problem.find("XYZZY"), std::string::npos) << problem;
    }
  }
}

TEST(Parser, ReadsOnBehindEveryError) {
  ProblemList problems;
  const ParsedText parsed = parse("{ lost; } a 1; ] b; c [ 1 ; d; \"q\" r; e;", problems);
  EXPECT_EQ(problems.error_count(), 4U);
  std::string keywords;
  for (const Statement& statement : parsed.document.statements) keywords += statement.keyword.text;
  EXPECT_EQ(keywords, "acde");
}

TEST(Parser, SaysWhichBlockIsNeverClosed) {
  const auto problems = problems_of("a {\n b {\n  c;\n }\n");
  ASSERT_EQ(problems.size(), 1U);
  EXPECT_EQ(problems[0], "t:1:3: error: the block of 'a' is never closed (accepted: })");
  EXPECT_EQ(problems_of("a; }\nb;"), std::vector<std::string>{"t:1:4: error: '}' without a '{'"});
}

TEST(Parser, NotesWhenTheStructureIsUnknown) {
  ProblemList problems;
  EXPECT_FALSE(parse("a { b;", problems).structure_known);
  EXPECT_FALSE(parse("a; } b;", problems).structure_known);
  EXPECT_TRUE(parse("a b c d [", problems).structure_known);
}

TEST(Parser, ReportsBrokenStringsAndComments) {
  EXPECT_EQ(problems_of("a \"open\nb;"),
            (std::vector<std::string>{
                "t:1:3: error: the quoted string is not closed on its line (accepted: \")",
                "t:1:7: error: missing ';' after 'open' (accepted: ; or {)"}));
  EXPECT_EQ(problems_of("a; /* open").size(), 1U);
  EXPECT_EQ(problems_of("a \"x\\n\";"),
            std::vector<std::string>{
                "t:1:5: error: a lone backslash in a quoted string (accepted: \\\\ or \\\")"});
}

TEST(Parser, RefusesBytesThatAreNotText) {
  using namespace std::string_view_literals;
  EXPECT_EQ(problems_of("a \x01\x80 b;"sv).size(), 1U);
  EXPECT_EQ(problems_of("a \"x\0y\";"sv).size(), 1U);
  for (const std::string_view wrong :
       {"\x80"sv, "\xc0\x80"sv, "\xe0\x80\x80"sv, "\xed\xa0\x80"sv, "\xf4\x90\x80\x80"sv,
        "\xf5\x80\x80\x80"sv, "\xc3"sv, "\xe2\x82"sv}) {
    EXPECT_EQ(problems_of("a \"" + std::string(wrong) + "\";").size(), 1U);
  }
  EXPECT_TRUE(problems_of("a \"\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80\";").empty());
}

// The schema's library keeps values as C strings: one with a zero byte in it would be counted as
// another value when it goes.
TEST(Parser, HandsOnNoStringThatItRefused) {
  using namespace std::string_literals;
  for (const std::string& source :
       {"a \"b\0c\";"s, "a \"b\x7f\";"s, "a \"b\001\";"s, "a \"b\xff\";"s}) {
    ProblemList problems;
    const ParsedText parsed = parse(source, problems);
    EXPECT_TRUE(problems.has_errors());
    ASSERT_EQ(parsed.document.statements.size(), 1U);
    ASSERT_EQ(parsed.document.statements[0].words.size(), 1U);
    EXPECT_EQ(parsed.document.statements[0].words[0].text, "");
  }
}

TEST(Parser, HoldsItsBounds) {
  std::string deep;
  for (size_t level = 0; level < 40; ++level) deep += "a { ";
  for (size_t level = 0; level < 40; ++level) deep += "} ";
  ASSERT_EQ(problems_of(deep).size(), 1U);
  EXPECT_EQ(problems_of(deep)[0], "t:1:127: error: blocks are nested deeper than 32");

  EXPECT_TRUE(problems_of("a " + std::string(kMaximumTokenBytes, 'x') + ";").empty());
  EXPECT_EQ(problems_of("a " + std::string(kMaximumTokenBytes + 1, 'x') + ";").size(), 1U);
  EXPECT_EQ(problems_of("a \"" + std::string(kMaximumTokenBytes + 1, 'x') + "\";").size(), 1U);

  std::string many;
  for (size_t count = 0; count <= kMaximumStatements; ++count) many += "a;";
  ASSERT_EQ(problems_of(many).size(), 1U);
  EXPECT_EQ(problems_of(std::string(kMaximumTextBytes + 1, ' ')).size(), 1U);
  EXPECT_TRUE(problems_of(std::string(kMaximumTextBytes, ' ')).empty());
}

TEST(ProblemList, ListsAHundredAndCountsTheRest) {
  std::string text;
  for (int count = 0; count < 250; ++count) text += "];\n";
  const auto problems = problems_of(text);
  ASSERT_EQ(problems.size(), 101U);
  EXPECT_EQ(problems.back(), "t: error: 150 more problems are not listed");
}

TEST(FormatProblem, EscapesControlCharacters) {
  const Problem problem{Problem::Severity::Warning, 3, 0, "a \x1b[1m", "b\n", ""};
  EXPECT_EQ(format_problem(problem, "x.conf"), "x.conf:3: warning: a \\x1b[1m: b\\x0a");
}

}  // namespace
}  // namespace masugata::config::text
