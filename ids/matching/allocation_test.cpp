// SPDX-License-Identifier: GPL-2.0-or-later
// Matching allocates nothing: neither here nor in the libraries that it calls. Every allocation of
// this program is counted, which the address sanitizer, bringing its own, does not allow.
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>

#include "ids/matching/matching_test_support.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define MASUGATA_HAS_OTHER_ALLOCATOR 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define MASUGATA_HAS_OTHER_ALLOCATOR 1
#endif

#if !defined(MASUGATA_HAS_OTHER_ALLOCATOR)

namespace {
std::atomic<uint64_t> allocations{0};
}  // namespace

extern "C" {
void* __libc_malloc(size_t size);                 // NOLINT: glibc's own name
void* __libc_realloc(void* memory, size_t size);  // NOLINT
void* __libc_calloc(size_t count, size_t size);   // NOLINT

void* malloc(size_t size) noexcept {
  allocations.fetch_add(1, std::memory_order_relaxed);
  return __libc_malloc(size);
}
void* realloc(void* memory, size_t size) noexcept {
  allocations.fetch_add(1, std::memory_order_relaxed);
  return __libc_realloc(memory, size);
}
void* calloc(size_t count, size_t size) noexcept {
  allocations.fetch_add(1, std::memory_order_relaxed);
  return __libc_calloc(count, size);
}
}

namespace masugata::ids {
namespace {

// Runs `work` twice, the second time counted: what a library sets up once is not of the packet
// path.
template <class Work>
uint64_t allocations_of(const Work& work) {
  work();
  const uint64_t before = allocations.load();
  work();
  return allocations.load() - before;
}

TEST(Allocations, AreCountedAtAll) {
  EXPECT_GT(allocations_of([] { std::string(100, 'x').clear(); }), 0U);
}

TEST(Allocations, NoneWhileMatching) {
  Matcher matcher;
  PcreMatch captured = pcre("(\\w+)=(\\w+)");
  captured.captures = {{PcreCapture::Scope::Flow, "name"}, {PcreCapture::Scope::Flow, "value"}};
  DatasetMatch dataset;
  dataset.name = "seen";
  dataset.operation = DatasetMatch::Operation::IsNotSet;
  const auto compiled =
      matcher.compile({content("arg").nocase(), content("=").within(2).replace("+"), captured,
                       pcre("(*NO_JIT)(?:(a)|(b)|.)*c"), is_data_at(2, true), dataset});
  const std::string bytes = "?ARG=" + std::string(1000, 'b') + "c..";
  auto& scratch = matcher.scratch();
  bool matched = false;
  EXPECT_EQ(allocations_of([&] {
              scratch.begin_rule();
              matched = match_buffer(compiled, {bytes_of(bytes), 0, true}, scratch);
            }),
            0U);
  EXPECT_TRUE(matched);
}

TEST(Allocations, NoneInTransforms) {
  Matcher matcher;
  std::vector<Transform> all;
  for (const auto kind :
       {TransformKind::DotPrefix, TransformKind::ToLowercase, TransformKind::ToUppercase,
        TransformKind::UrlDecode, TransformKind::StripWhitespace, TransformKind::CompressWhitespace,
        TransformKind::HeaderLowercase, TransformKind::StripPseudoHeaders,
        TransformKind::FromBase64, TransformKind::Domain, TransformKind::Tld, TransformKind::ToMd5,
        TransformKind::ToSha1, TransformKind::ToSha256}) {
    all.push_back(Transform{kind, {}});
  }
  all.push_back(Transform{TransformKind::Xor, "key"});
  all.push_back(Transform{TransformKind::PcreTransform, "(a.*)b"});
  const auto compiled = compile_transforms(all, matcher.library());
  ASSERT_TRUE(compiled.has_value());
  const std::string bytes(2000, 'a');
  EXPECT_EQ(allocations_of([&] {
              const auto result = apply_transforms(*compiled, bytes_of(bytes), matcher.scratch());
              if (result.empty()) std::abort();
            }),
            0U);
}

TEST(Allocations, NoneInSets) {
  Dataset set(DatasetType::String, 10);
  EXPECT_EQ(allocations_of([&set] {
              set.add(bytes_of("value"), 3);
              if (!set.contains(bytes_of("value"))) std::abort();
              set.remove(bytes_of("value"));
            }),
            0U);
}

}  // namespace
}  // namespace masugata::ids

#endif
