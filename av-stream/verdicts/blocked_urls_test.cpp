// SPDX-License-Identifier: GPL-2.0-or-later
#include "av-stream/verdicts/blocked_urls.h"

#include <gtest/gtest.h>

namespace masugata::av {
namespace {

constexpr net::SipHashKey kSecret{1, 2};

BlockedUrl url(const std::string& host, const std::string& location, uint64_t until_s) {
  BlockedUrl url;
  url.host = host;
  url.location = location;
  url.signature = "Test";
  url.until_s = until_s;
  return url;
}

uint64_t key(std::string_view host, std::string_view location) {
  return url_key(kSecret, host, location);
}

TEST(UrlKeyTest, DifferentSpellingsOfOneUrl) {
  const uint64_t plain = key("example.com", "/a?b=c");
  EXPECT_EQ(plain, key("EXAMPLE.com", "/a?b=c"));
  EXPECT_EQ(plain, key("example.com:80", "/a?b=c"));
  EXPECT_EQ(plain, key("example.com.", "/a?b=c"));
  EXPECT_EQ(plain, key("other.example", "http://example.com/a?b=c")) << "the target wins";
  EXPECT_EQ(plain, key("example.com", "/a?b=c#part"));
}

TEST(UrlKeyTest, DifferentUrls) {
  const uint64_t plain = key("example.com", "/a");
  EXPECT_NE(plain, key("example.com", "/A")) << "paths know case";
  EXPECT_NE(plain, key("example.com", "/a?"));
  EXPECT_NE(plain, key("example.com:8080", "/a"));
  EXPECT_NE(key("example.com", "/a"), key("example.co", "m/a"));
  EXPECT_NE(plain, url_key({1, 3}, "example.com", "/a")) << "the secret counts";
}

TEST(UrlKeyTest, AllOfATargetCounts) {
  const std::string huge(100000, 'x');
  EXPECT_NE(key("a", huge), key("a", huge + "y"));
  EXPECT_NE(key("a", huge), key("a", huge.substr(1)));
  EXPECT_EQ(key("a", huge), key("A", huge + "#y"));
  EXPECT_EQ(key(huge, "/"), key(huge + "y", "/")) << "no host has so many bytes";
}

TEST(BlockedUrlsTest, AreRefusedUntilTheirEnd) {
  BlockedUrls urls(kSecret);
  urls.add(url("a", "/1", 100));
  urls.add(url("a", "/2", 200));
  const auto set = urls.snapshot();
  ASSERT_NE(set->find(key("a", "/1"), 99), nullptr);
  EXPECT_EQ(set->find(key("a", "/1"), 99)->signature, "Test");
  EXPECT_EQ(set->find(key("a", "/1"), 100), nullptr);
  EXPECT_EQ(set->find(key("a", "/3"), 0), nullptr);
  EXPECT_FALSE(urls.expire(99));
  EXPECT_TRUE(urls.expire(100));
  EXPECT_EQ(urls.size(), 1U);
}

TEST(BlockedUrlsTest, BeginAnewWhenFoundAgain) {
  BlockedUrls urls(kSecret);
  urls.add(url("a", "/1", 100));
  urls.add(url("A", "/1", 300));
  ASSERT_EQ(urls.size(), 1U);
  EXPECT_FALSE(urls.expire(200));
  EXPECT_EQ(urls.list()[0].until_s, 300U);
}

TEST(BlockedUrlsTest, KnowAllOfATargetOfWhichTheyKeepTheBeginning) {
  const std::string target = "/" + std::string(5000, 'a');
  BlockedUrls urls(kSecret);
  BlockedUrl kept = url("a.example", target.substr(0, 1024), 100);
  kept.key = key("a.example", target);
  kept.location_bytes = target.size();
  urls.add(kept);
  const auto set = urls.snapshot();
  EXPECT_NE(set->find(key("a.example", target), 0), nullptr);
  EXPECT_EQ(set->find(key("a.example", target + "b"), 0), nullptr);
  EXPECT_EQ(set->find(key("a.example", kept.location), 0), nullptr) << "the beginning is another";
  EXPECT_EQ(urls.list()[0].location, kept.location);
  EXPECT_EQ(urls.list()[0].location_bytes, target.size());
  EXPECT_EQ(urls.clear("a.example/aaa"), 1U);
}

TEST(BlockedUrlsTest, ClearsWhatIsNamed) {
  BlockedUrls urls(kSecret);
  urls.add(url("a.example", "/1", 100));
  urls.add(url("b.example", "/1", 50));
  EXPECT_EQ(urls.list()[0].host, "b.example") << "the soonest to end first";
  EXPECT_EQ(urls.clear("a.example/"), 1U);
  EXPECT_EQ(urls.list()[0].host, "b.example");
  EXPECT_EQ(urls.clear(), 1U);
  EXPECT_EQ(urls.size(), 0U);
}

TEST(BlockedUrlsTest, TheSoonestToEndGivesWay) {
  BlockedUrls urls(kSecret);
  for (size_t i = 0; i <= BlockedUrls::kMaximum; ++i) {
    urls.add(url("a", "/" + std::to_string(i), 1000 + i));
  }
  EXPECT_EQ(urls.size(), BlockedUrls::kMaximum);
  EXPECT_EQ(urls.list()[0].location, "/1");
}

}  // namespace
}  // namespace masugata::av
