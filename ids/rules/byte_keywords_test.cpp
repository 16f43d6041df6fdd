// SPDX-License-Identifier: GPL-2.0-or-later
// byte_test, byte_jump, byte_extract, byte_math, base64_decode and their variables.
#include "ids/rules/rules_test_support.h"

namespace masugata::ids {
namespace {

TEST(Rpc, ComparesTheWordsOfTheCall) {
  const Rule datagram = loaded("rpc:100083,*,3;", "alert udp any any -> any any");
  ASSERT_EQ(datagram.buffers[0].matches.size(), 3U);
  EXPECT_EQ(match_of<ByteTest>(datagram, 0).reading.offset.number, 4);
  EXPECT_EQ(match_of<ByteTest>(datagram, 1).reading.offset.number, 12);
  EXPECT_EQ(match_of<ByteTest>(datagram, 1).value.number, 100083);
  EXPECT_EQ(match_of<ByteTest>(datagram, 2).reading.offset.number, 20);
  EXPECT_EQ(match_of<ByteTest>(loaded("rpc:1,2;"), 1).reading.offset.number, 16);
  expect_problem({"rpc:1,2,3,4;", "rpc", "PROGRAM"});
  expect_problem({"rpc:x;", "rpc", "expects a number"});
}

TEST(ByteTest, ReadsAllOptions) {
  const auto test =
      match_of<ByteTest>(loaded("byte_test:4,!>=,0x10,-2,relative,little,bitmask 0x7F00;"));
  EXPECT_EQ(test.reading.byte_count.number, 4);
  EXPECT_EQ(test.comparison, Comparison::GreaterOrEqual);
  EXPECT_EQ(test.value.number, 16);
  EXPECT_EQ(test.reading.offset.number, -2);
  EXPECT_EQ(test.reading.bitmask, 0x7f00U);
  EXPECT_TRUE(test.negated && test.reading.relative && test.reading.little_endian);
  const auto text = match_of<ByteTest>(loaded("byte_test:10,=,5,0,string,hex;"));
  EXPECT_EQ(text.reading.base, NumberBase::Hexadecimal);
  EXPECT_EQ(match_of<ByteTest>(loaded("byte_test:1,=,1,6,string,dec;")).reading.base,
            NumberBase::Decimal);
  EXPECT_EQ(match_of<ByteTest>(loaded("byte_test:1,&,8,6;")).comparison, Comparison::BitAnd);
  EXPECT_EQ(match_of<ByteTest>(loaded("byte_test:1,^,8,6;")).comparison, Comparison::BitOr);
  EXPECT_EQ(match_of<ByteTest>(loaded("byte_test:1,!=,8,6;")).comparison, Comparison::NotEqual);
  EXPECT_TRUE(match_of<ByteTest>(loaded("byte_test:1,!&,8,6;")).negated);
  EXPECT_TRUE(match_of<ByteTest>(loaded("byte_test:2,>,8,6,dce;")).reading.dce);
}

TEST(ByteJump, ReadsAllOptions) {
  const auto jump = match_of<ByteJump>(
      loaded("byte_jump:4,1,relative,multiplier 2,align,from_beginning,post_offset -5,big;"));
  EXPECT_EQ(jump.multiplier.number, 2);
  EXPECT_EQ(jump.post_offset, -5);
  EXPECT_TRUE(jump.align && jump.from_beginning && jump.reading.relative && !jump.from_end);
  EXPECT_FALSE(jump.reading.little_endian);
  EXPECT_TRUE(match_of<ByteJump>(loaded("byte_jump:2,0,from_end;")).from_end);
  EXPECT_EQ(match_of<ByteJump>(loaded("byte_jump:2,0,string,oct;")).reading.base,
            NumberBase::Octal);
}

TEST(ByteExtract, DefinesVariablesForLaterKeywords) {
  const Rule rule = loaded(
      "byte_extract:2,0,len,multiplier 3,align 4,little; byte_extract:1,2,off;"
      "content:\"abc\"; offset:off; depth:len; content:\"d\"; distance:off; within:len;"
      "byte_test:len,=,off,len; byte_jump:1,off,post_offset len; isdataat:len,relative;");
  EXPECT_EQ(rule.variable_count, 2U);
  const auto extract = match_of<ByteExtract>(rule);
  EXPECT_EQ(extract.multiplier, 3U);
  EXPECT_EQ(extract.align, 4U);
  EXPECT_TRUE(extract.reading.little_endian);
  EXPECT_EQ(match_of<ContentMatch>(rule, 2).offset->variable, VariableIndex{1});
  EXPECT_EQ(match_of<ContentMatch>(rule, 2).depth->variable, VariableIndex{0});
  EXPECT_EQ(match_of<ContentMatch>(rule, 3).within->variable, VariableIndex{0});
  EXPECT_EQ(match_of<ByteTest>(rule, 4).reading.byte_count.variable, VariableIndex{0});
  EXPECT_EQ(match_of<ByteTest>(rule, 4).value.variable, VariableIndex{1});
  EXPECT_EQ(match_of<ByteJump>(rule, 5).post_offset_variable, VariableIndex{0});
  EXPECT_EQ(match_of<IsDataAt>(rule, 6).position.variable, VariableIndex{0});
}

TEST(ByteMath, ReadsAllOptions) {
  const Rule rule = loaded(
      "byte_extract:1,0,a; byte_math:bytes 2, offset 1, oper <<, rvalue a, result sum, relative,"
      "endian little, string dec, bitmask 0xf0; byte_math:bytes 1,offset 0,oper -,rvalue 5,"
      "result sum;");
  const auto math = match_of<ByteMath>(rule, 1);
  EXPECT_EQ(math.operation, MathOperator::ShiftLeft);
  EXPECT_EQ(math.right.variable, VariableIndex{0});
  EXPECT_EQ(math.variable, 1U);
  EXPECT_EQ(math.reading.base, NumberBase::Decimal);
  EXPECT_TRUE(math.reading.relative && math.reading.little_endian);
  EXPECT_EQ(match_of<ByteMath>(rule, 2).variable, 1U);
  EXPECT_EQ(rule.variable_count, 2U);
}

TEST(Base64Decode, FeedsItsBuffer) {
  const Rule rule = loaded(
      "content:\"x\"; base64_decode:bytes 12, offset 3, relative; base64_data; content:\"a\";");
  const auto decode = match_of<Base64Decode>(rule, 1);
  EXPECT_EQ(decode.bytes, 12U);
  EXPECT_EQ(decode.offset, 3U);
  EXPECT_TRUE(decode.relative);
  EXPECT_EQ(rule.buffers[1].buffer, BufferId::Base64Data);
  EXPECT_EQ(match_of<Base64Decode>(loaded("base64_decode;")).bytes, 0U);
}

TEST(ByteKeywords, FollowTheBufferOfTheMatchBefore) {
  const Rule rule = loaded("content:\"a\"; http_uri; byte_test:1,=,1,0,relative;");
  ASSERT_EQ(rule.buffers.size(), 1U);
  EXPECT_EQ(rule.buffers[0].buffer, BufferId::HttpUri);
  EXPECT_EQ(loaded("content:\"a\"; http_uri; byte_test:1,=,1,0;").buffers.size(), 2U);
}

TEST(ByteKeywords, SayWhatIsWrong) {
  std::string many;
  for (int i = 0; i <= 16; ++i) many += "byte_extract:1,0,v" + std::to_string(i) + ";";
  for (const WrongOption& wrong : {
           WrongOption{"byte_test:1,=,1;", "byte_test", "COUNT,OPERATOR"},
           WrongOption{"byte_test:1,~,1,0;", "byte_test", "expects one of"},
           WrongOption{"byte_test:9,=,1,0;", "byte_test", "at most 8"},
           WrongOption{"byte_test:24,=,1,0,string,dec;", "byte_test", "0 to 23"},
           WrongOption{"byte_test:1,=,len,0;", "byte_test", "no byte_extract"},
           WrongOption{"byte_test:1,=,1,0,hex;", "byte_test", "'string'"},
           WrongOption{"byte_test:1,=,1,0,sideways;", "byte_test", "unknown option"},
           WrongOption{"byte_test:1,=,1,0,bitmask x;", "byte_test", "bitmask"},
           WrongOption{"byte_jump:4;", "byte_jump", "COUNT,OFFSET"},
           WrongOption{"byte_jump:4,0,multiplier 0;", "byte_jump", "number from 1"},
           WrongOption{"byte_jump:4,0,from_end,from_beginning;", "byte_jump", "combine"},
           WrongOption{"byte_extract:1,0;", "byte_extract", "COUNT,OFFSET,NAME"},
           WrongOption{"byte_extract:1,0,5;", "byte_extract", "a name"},
           WrongOption{"byte_extract:1,0,a,align 3;", "byte_extract", "align 2"},
           WrongOption{many.c_str(), "byte_extract", "more than 16"},
           WrongOption{"byte_math:bytes 1, offset 0;", "byte_math", "expects bytes"},
           WrongOption{"byte_math:bytes 1,offset 0,oper %,rvalue 1,result a;", "byte_math", "oper"},
           WrongOption{"byte_math:bytes 1,offset 0,oper /,rvalue 0,result a;", "byte_math", "by 0"},
           WrongOption{"byte_math:bytes 1,bytes 2,offset 0,oper +,rvalue 1,result a;", "byte_math",
                       "twice"},
           WrongOption{"base64_decode:bytes 0;", "base64_decode", "from 1"},
           WrongOption{"base64_decode:fast;", "base64_decode", "unknown option"},
       }) {
    expect_problem(wrong);
  }
}

}  // namespace
}  // namespace masugata::ids
