// SPDX-License-Identifier: GPL-2.0-or-later
// Contents, patterns, buffers and transforms.
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "ids/rules/rules_test_support.h"

namespace masugata::ids {
namespace {

TEST(Content, TakesItsModifiers) {
  const Rule rule = loaded(
      "content:\"AbC|0d 0A|\"; nocase; offset:3; depth:20; rawbytes; fast_pattern:1,2;"
      "content:!\"x\"; distance:-4; within:10; endswith; content:\"GET\"; startswith;");
  const auto first = match_of<ContentMatch>(rule, 0);
  EXPECT_EQ(first.bytes, "abc\r\n");
  EXPECT_TRUE(first.nocase && first.rawbytes && first.fast_pattern && !first.negated);
  EXPECT_FALSE(first.fast_pattern_only || first.relative());
  EXPECT_EQ(first.fast_pattern_offset, 1U);
  EXPECT_EQ(first.fast_pattern_length, 2U);
  EXPECT_EQ(first.offset->number, 3);
  EXPECT_EQ(first.depth->number, 20);
  const auto second = match_of<ContentMatch>(rule, 1);
  EXPECT_TRUE(second.negated && second.endswith && second.relative());
  EXPECT_EQ(second.distance->number, -4);
  EXPECT_EQ(second.within->number, 10);
  EXPECT_TRUE(match_of<ContentMatch>(rule, 2).startswith);
  EXPECT_EQ(match_of<ContentMatch>(loaded("content:\"ab\"; replace:\"cd\";")).replacement, "cd");
  EXPECT_TRUE(
      match_of<ContentMatch>(loaded("content:\"ab\"; fast_pattern:only;")).fast_pattern_only);
}

TEST(Content, MayBeRelativeToTheStart) {
  EXPECT_EQ(match_of<ContentMatch>(loaded("content:\"a\"; distance:5;")).distance->number, 5);
}

TEST(Content, SaysWhatIsWrong) {
  for (const WrongOption& wrong : {
           WrongOption{"content:abc;", "content", "double quotes"},
           WrongOption{"content:\"\";", "content", "empty"},
           WrongOption{"content;", "content", "expects a value"},
           WrongOption{"content:\"|4|\";", "content", "hexadecimal"},
           WrongOption{"nocase;", "nocase", "content before"},
           WrongOption{"offset:1;", "offset", "content before"},
           WrongOption{"content:\"a\"; nocase:1;", "nocase", "takes no value"},
           WrongOption{"content:\"a\"; depth:x;", "depth", "no byte_extract"},
           WrongOption{"content:\"a\"; depth:0;", "depth", "number from 1"},
           WrongOption{"content:\"a\"; depth:5; depth:5;", "depth", "twice"},
           WrongOption{"content:\"abc\"; depth:2;", "depth", "smaller"},
           WrongOption{"content:\"abc\"; within:2;", "within", "smaller"},
           WrongOption{"content:\"abc\"; within:0;", "within", "0"},
           WrongOption{"content:\"a\"; distance:9999999;", "distance", "1048576"},
           WrongOption{"content:\"a\"; distance:1; offset:1;", "content", "together"},
           WrongOption{"content:\"a\"; startswith; offset:1;", "startswith", "cannot stand"},
           WrongOption{"content:\"a\"; startswith; startswith;", "startswith", "twice"},
           WrongOption{"content:\"a\"; endswith; endswith;", "endswith", "twice"},
           WrongOption{"content:\"a\"; fast_pattern:0,2;", "fast_pattern", "beyond"},
           WrongOption{"content:\"a\"; fast_pattern:x;", "fast_pattern", "OFFSET,LENGTH"},
           WrongOption{"content:\"a\"; offset:1; fast_pattern:only;", "fast_pattern", "only"},
           WrongOption{"content:\"a\"; fast_pattern; content:\"b\"; fast_pattern;", "fast_pattern",
                       "more than one"},
           WrongOption{"content:\"ab\"; replace:\"c\";", "replace", "as many bytes"},
           WrongOption{"content:\"ab\"; rawbytes:1;", "rawbytes", "takes no value"},
           WrongOption{"uricontent:a;", "uricontent", "double quotes"},
           WrongOption{"http.uri; uricontent:\"a\";", "uricontent", "http.uri"},
       }) {
    expect_problem(wrong);
  }
}

TEST(Pcre, ReadsFlagsAndBuffers) {
  const auto match = match_of<PcreMatch>(loaded("pcre:!\"/a\\/b\\;\\\"c/ismxAEGRBO\";"));
  EXPECT_EQ(match.pattern, "a\\/b\\;\\\"c");
  EXPECT_TRUE(match.negated && match.relative);
  EXPECT_EQ(match.options, PCRE2_CASELESS | PCRE2_DOTALL | PCRE2_MULTILINE | PCRE2_EXTENDED |
                               PCRE2_ANCHORED | PCRE2_DOLLAR_ENDONLY | PCRE2_UNGREEDY);
  const std::pair<char, BufferId> flags[] = {
      {'U', BufferId::HttpUri},         {'I', BufferId::HttpUriRaw},
      {'P', BufferId::HttpRequestBody}, {'Q', BufferId::HttpResponseBody},
      {'H', BufferId::HttpHeader},      {'D', BufferId::HttpHeaderRaw},
      {'M', BufferId::HttpMethod},      {'C', BufferId::HttpCookie},
      {'S', BufferId::HttpStatusCode},  {'Y', BufferId::HttpStatusMessage},
      {'V', BufferId::HttpUserAgent},   {'W', BufferId::HttpHost},
      {'Z', BufferId::HttpHostRaw}};
  for (const auto& [letter, buffer] : flags) {
    const Rule rule = loaded(std::string("pcre:\"/x/") + letter + "\";");
    ASSERT_EQ(rule.buffers.size(), 1U);
    EXPECT_EQ(rule.buffers[0].buffer, buffer) << letter;
    EXPECT_EQ(rule.application, ApplicationProtocol::Http);
  }
  EXPECT_EQ(loaded("pcre:/(one)+self/U;").buffers[0].buffer, BufferId::HttpUri);
}

TEST(Pcre, ReadsCaptures) {
  const RuleSet set = read_options("pcre:\"/(a)(b)/, pkt:first, flow:second\";");
  const auto match = match_of<PcreMatch>(rule_of(set));
  ASSERT_EQ(match.captures.size(), 2U);
  EXPECT_EQ(match.captures[0].scope, PcreCapture::Scope::Packet);
  EXPECT_EQ(match.captures[1].name, "second");
  EXPECT_EQ(set.flow_variable_names, std::vector<std::string>{"second"});

  const auto named = match_of<PcreMatch>(
      loaded("pcre:\"/([(]x)(?:y)(?<=z)\\((?P<flow_user>a)(?P<other>b)(?P<pkt_pass>c)/\";"));
  ASSERT_EQ(named.captures.size(), 4U);
  EXPECT_EQ(named.captures[0].name, "");
  EXPECT_EQ(named.captures[1].name, "user");
  EXPECT_EQ(named.captures[1].scope, PcreCapture::Scope::Flow);
  EXPECT_EQ(named.captures[2].name, "");
  EXPECT_EQ(named.captures[3].name, "pass");
}

TEST(Pcre, SaysWhatIsWrong) {
  for (const WrongOption& wrong : {
           WrongOption{"pcre:\"abc\";", "pcre", "/PATTERN/"},
           WrongOption{"pcre:\"/abc\";", "pcre", "/PATTERN/"},
           WrongOption{"pcre:\"//\";", "pcre", "empty pattern"},
           WrongOption{"pcre:\"/a/k\";", "pcre", "unknown flag 'k'"},
           WrongOption{"pcre:\"/a/UH\";", "pcre", "two different buffers"},
           WrongOption{"pcre:\"/(a)/, host:x\";", "pcre", "pkt:NAME"},
           WrongOption{"http.uri; pcre:\"/a/H\";", "pcre", "another buffer"},
       }) {
    expect_problem(wrong);
  }
}

TEST(Buffers, AreFilledBySelectionAndByOlderModifiers) {
  const Rule sticky = loaded(
      "http.uri; content:\"a\"; http.method; content:\"b\"; http.uri;"
      "content:\"c\"; distance:0; pkt_data; content:\"d\";");
  ASSERT_EQ(sticky.buffers.size(), 3U);
  EXPECT_EQ(sticky.buffers[0].buffer, BufferId::HttpUri);
  EXPECT_EQ(sticky.buffers[0].matches.size(), 2U);
  EXPECT_EQ(sticky.buffers[1].buffer, BufferId::HttpMethod);
  EXPECT_EQ(sticky.buffers[2].buffer, BufferId::Payload);
  const Rule older = loaded(
      "content:\"A\"; http_uri; nocase; content:\"b\"; http_method; content:\"c\"; distance:0;"
      "http_uri; uricontent:\"d\"; isdataat:!1,relative;");
  ASSERT_EQ(older.buffers.size(), 2U);
  EXPECT_EQ(older.buffers[0].matches.size(), 4U);
  EXPECT_EQ(match_of<ContentMatch>(older, 0, 0).bytes, "a");
  EXPECT_TRUE(match_of<IsDataAt>(older, 3, 0).negated);
}

TEST(Buffers, OfManyInstancesAreAskedForTwice) {
  const Rule rule = loaded("dns.query; content:\"a\"; dns.query; content:\"b\";");
  EXPECT_EQ(rule.buffers.size(), 2U);
  EXPECT_EQ(rule.application, ApplicationProtocol::Dns);
}

TEST(Buffers, TellProtocolDirectionAndNeeds) {
  EXPECT_EQ(loaded("http.uri; content:\"a\";").direction, Direction::ToServer);
  EXPECT_EQ(loaded("http.stat_code; content:\"200\";").direction, Direction::ToClient);
  EXPECT_FALSE(loaded("http.cookie; content:\"a\";").direction.has_value());
  EXPECT_EQ(loaded("http.uri; content:\"a\";").protocol, RuleProtocol::Tcp);
  EXPECT_TRUE(loaded("ja3.hash; content:\"a\";").needs_ja3);
  EXPECT_TRUE(loaded("ja3s_string; content:\"a\";").needs_ja3);
  EXPECT_TRUE(loaded("ja4.hash; content:\"a\";").needs_ja4);
  EXPECT_TRUE(loaded("ssh.hassh; content:\"a\";").needs_hassh);
  EXPECT_TRUE(loaded("file.magic; content:\"a\";").needs_magic);
  EXPECT_FALSE(loaded("content:\"a\";").needs_magic);
}

TEST(Buffers, OfTransactionalRulesHaveSides) {
  const Rule rule = loaded(
      "http.uri; content:\"a\"; http.connection:to_client; content:\"b\"; filesize:to_client,>9;"
      "http.connection:to_server; content:\"c\"; bidir.toclient; http.header; content:\"d\";",
      "alert http any any => any any");
  ASSERT_EQ(rule.buffers.size(), 4U);
  EXPECT_EQ(rule.buffers[0].side, Direction::ToServer);
  EXPECT_EQ(rule.buffers[1].side, Direction::ToClient);
  EXPECT_EQ(rule.buffers[2].side, Direction::ToServer);
  EXPECT_EQ(rule.buffers[3].side, Direction::ToClient);
  EXPECT_FALSE(rule.direction.has_value());
  EXPECT_EQ(condition_of<NumberMatch>(rule).side, Direction::ToClient);
}

TEST(Buffers, SayWhatIsWrong) {
  constexpr const char* kBoth = "alert http any any => any any";
  for (const WrongOption& wrong : {
           WrongOption{"http.uri;", "http.uri", "expects a match"},
           WrongOption{"http.uri; http.method; content:\"a\";", "http.method", "'http.uri'"},
           WrongOption{"http_uri;", "http_uri", "content before"},
           WrongOption{"content:\"a\"; http_uri; http_method;", "http_method", "no other buffer"},
           WrongOption{"http.uri; content:\"a\"; http_uri;", "http_uri", "sticky"},
           WrongOption{"http.uri:5; content:\"a\";", "http.uri", "to_server or to_client"},
           WrongOption{"http.uri:to_server; content:\"a\";", "http.uri", "'=>'"},
           WrongOption{"http.uri; content:\"a\";", "http.uri", "belongs to http",
                       "alert tls any any -> any any"},
           WrongOption{"http.uri; content:\"a\";", "http.uri", "needs a rule for",
                       "alert icmp any any -> any any"},
           WrongOption{"file.data; content:\"a\";", "file.data", "carries no files",
                       "alert dns any any -> any any"},
           WrongOption{"flow:to_client; http.uri; content:\"a\";", "http.uri", "flow says"},
           WrongOption{"http.uri; content:\"a\"; http.stat_code; content:\"b\";", "http.stat_code",
                       "use '=>'"},
           WrongOption{"flow:to_server; http.uri; content:\"a\";", "flow", "'=>'", kBoth},
           WrongOption{"http.connection; content:\"a\";", "http.connection", "both directions",
                       kBoth},
           WrongOption{"bidir.toserver;", "bidir.toserver", "'=>'"},
           WrongOption{"base64_data; content:\"a\";", "base64_data", "base64_decode"},
           WrongOption{"nosuch; content:\"a\";", "nosuch", "no keyword"},
       }) {
    expect_problem(wrong);
  }
}

TEST(Buffers, HaveSizesAndAbsence) {
  const auto size = match_of<BufferSize>(loaded("http.uri; bsize:5<>9;"));
  EXPECT_EQ(size.comparison, Comparison::Between);
  EXPECT_EQ(size.high, 9U);
  EXPECT_FALSE(match_of<BufferAbsent>(loaded("http.referer; absent;")).or_else);
  EXPECT_TRUE(
      match_of<BufferAbsent>(loaded("http.referer; absent:or_else; content:!\"x\";")).or_else);
  EXPECT_EQ(loaded("urilen:>20;").buffers[0].buffer, BufferId::HttpUri);
  EXPECT_EQ(loaded("urilen:17, raw;").buffers[0].buffer, BufferId::HttpUriRaw);
  EXPECT_EQ(loaded("urilen:17,norm; http.uri; content:\"a\";").buffers[0].matches.size(), 2U);
  const auto data = match_of<IsDataAt>(loaded("isdataat:10,rawbytes;"));
  EXPECT_EQ(data.position.number, 10);
  EXPECT_FALSE(data.relative || data.negated);
  for (const WrongOption& wrong : {
           WrongOption{"bsize:5;", "bsize", "sticky buffer"},
           WrongOption{"http.uri; bsize:x;", "bsize", "expects a number"},
           WrongOption{"absent;", "absent", "sticky buffer"},
           WrongOption{"http.uri; absent:no;", "absent", "or_else"},
           WrongOption{"urilen:5,both;", "urilen", "norm or raw"},
           WrongOption{"urilen:a;", "urilen", "expects a number"},
           WrongOption{"isdataat:5,backwards;", "isdataat", "relative"},
           WrongOption{"isdataat:x;", "isdataat", "variable"},
       }) {
    expect_problem(wrong);
  }
  EXPECT_EQ(match_of<BufferSize>(loaded("http.uri; bsize:!5-9; content:\"a\";"), 0).comparison,
            Comparison::Outside);
}

TEST(Entropy, IsReadInAllForms) {
  auto match = match_of<BufferEntropy>(loaded("entropy:value 7;"));
  EXPECT_EQ(match.comparison, Comparison::Equal);
  EXPECT_DOUBLE_EQ(match.low, 7);
  match = match_of<BufferEntropy>(loaded("entropy:bytes 4, offset 30,value >=4.25;"));
  EXPECT_EQ(match.bytes, 4U);
  EXPECT_EQ(match.offset, 30U);
  EXPECT_EQ(match.comparison, Comparison::GreaterOrEqual);
  EXPECT_DOUBLE_EQ(match.low, 4.25);
  match = match_of<BufferEntropy>(loaded("http.uri; entropy:value 4.0<>6.5;"));
  EXPECT_EQ(match.comparison, Comparison::Between);
  EXPECT_DOUBLE_EQ(match.high, 6.5);
  EXPECT_EQ(match_of<BufferEntropy>(loaded("entropy:value !4-6.5;")).comparison,
            Comparison::Outside);
  EXPECT_EQ(match_of<BufferEntropy>(loaded("entropy:value != 0.5;")).comparison,
            Comparison::NotEqual);
  for (const WrongOption& wrong : {
           WrongOption{"entropy:bytes 100;", "entropy", "value"},
           WrongOption{"entropy:value ? 7;", "entropy", "COMPARISON"},
           WrongOption{"entropy:value 7, extra;", "entropy", "unknown option"},
           WrongOption{"entropy:value 6-4;", "entropy", "COMPARISON"},
       }) {
    expect_problem(wrong);
  }
}

TEST(Transforms, ReadTheSizeOfWhatTheyDecompress) {
  EXPECT_EQ(loaded("http.uri; gunzip; content:\"a\";").buffers[0].transforms[0].argument, "1024");
  const Rule rule = loaded("http.uri; from_base64; zlib_deflate:max-size=2kb; content:\"a\";");
  EXPECT_EQ(rule.buffers[0].transforms[1].kind, TransformKind::ZlibDeflate);
  EXPECT_EQ(rule.buffers[0].transforms[1].argument, "2048");
  expect_problem({"http.uri; gunzip:max-size=0; content:\"a\";", "gunzip", "max-size"});
  expect_problem({"http.uri; gunzip:size=5; content:\"a\";", "gunzip", "max-size"});
}

TEST(Transforms, StandBetweenBufferAndMatches) {
  const Rule rule = loaded(
      "http.uri; content:\"z\"; http.uri; url_decode; xor:\"0d 0a\"; pcrexform:\"a(.*)\";"
      "from_base64:bytes 4, offset 1, mode strict; content:\"x\";");
  ASSERT_EQ(rule.buffers.size(), 2U);
  const auto& transforms = rule.buffers[1].transforms;
  ASSERT_EQ(transforms.size(), 4U);
  EXPECT_EQ(transforms[0].kind, TransformKind::UrlDecode);
  EXPECT_EQ(transforms[1].argument, "\r\n");
  EXPECT_EQ(transforms[2].argument, "a(.*)");
  EXPECT_EQ(transforms[3].argument, "bytes 4, offset 1, mode strict");
  const std::pair<const char*, TransformKind> plain[] = {
      {"dotprefix", TransformKind::DotPrefix},
      {"to_lowercase", TransformKind::ToLowercase},
      {"to_uppercase", TransformKind::ToUppercase},
      {"strip_whitespace", TransformKind::StripWhitespace},
      {"compress_whitespace", TransformKind::CompressWhitespace},
      {"to_md5", TransformKind::ToMd5},
      {"to_sha1", TransformKind::ToSha1},
      {"to_sha256", TransformKind::ToSha256},
      {"header_lowercase", TransformKind::HeaderLowercase},
      {"strip_pseudo_headers", TransformKind::StripPseudoHeaders},
      {"domain", TransformKind::Domain},
      {"tld", TransformKind::Tld}};
  for (const auto& [name, kind] : plain) {
    const Rule one = loaded("http.host; " + std::string(name) + "; content:\"x\";");
    EXPECT_EQ(one.buffers[0].transforms[0].kind, kind) << name;
  }
  for (const WrongOption& wrong : {
           WrongOption{"dotprefix;", "dotprefix", "sticky buffer"},
           WrongOption{"http.uri; content:\"a\"; to_md5;", "to_md5", "right after"},
           WrongOption{"http.uri; to_md5:5;", "to_md5", "takes no value"},
           WrongOption{"http.uri; xor:\"0\";", "xor", "hexadecimal"},
           WrongOption{"http.uri; pcrexform;", "pcrexform", "expects a value"},
           WrongOption{"http.uri; from_base64:mode fast;", "from_base64", "mode rfc4648"},
           WrongOption{"http.uri; from_base64:size 5;", "from_base64", "unknown option"},
       }) {
    expect_problem(wrong);
  }
}

}  // namespace
}  // namespace masugata::ids
