// SPDX-License-Identifier: GPL-2.0-or-later
#include "config/secrets/secret_bytes.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <fstream>
#include <string>
#include <utility>

#include "config/secret.h"
#include "config/text/parser.h"

namespace masugata::config {
namespace {

constexpr const char* kSecret = "a secret that is longer than a small string";

// The flags of the mapping that the address lies in, as /proc/self/smaps has them.
std::string flags_of(const void* address) {
  const auto place = reinterpret_cast<uintptr_t>(address);
  std::ifstream smaps("/proc/self/smaps");
  std::string line;
  bool inside = false;
  while (std::getline(smaps, line)) {
    unsigned long begin = 0;
    unsigned long end = 0;
    if (std::sscanf(line.c_str(), "%lx-%lx ", &begin, &end) == 2) {
      inside = begin <= place && place < end;
    } else if (inside && line.starts_with("VmFlags:")) {
      return line + " ";
    }
  }
  return {};
}

bool is_dumped(const void* address) {
  const std::string flags = flags_of(address);
  EXPECT_FALSE(flags.empty());
  return flags.find(" dd ") == std::string::npos;
}

TEST(SecretBytes, AreInNoCoreDump) {
  const std::string ordinary(1000, 'x');
  EXPECT_TRUE(is_dumped(ordinary.data())) << "the test looks at the right place";
  for (const int size : {1, 31, 32, 33, 4096, 16384, 16385, 1000000}) {
    const SecretBytes bytes(std::string(static_cast<size_t>(size), 's'));
    EXPECT_FALSE(is_dumped(bytes.data())) << size;
    EXPECT_FALSE(is_dumped(bytes.data() + size - 1)) << size;
  }
}

// Where a block of the pool was, there is still memory: reading it is allowed.
TEST(SecretBytes, LeaveNothingBehind) {
  const auto is_wiped = [](const char* place, size_t size) {
    return std::all_of(place, place + size, [](char byte) { return byte == '\0'; });
  };
  SecretBytes bytes(kSecret);
  const size_t size = bytes.size();
  const char* first = bytes.data();
  bytes.append(std::string(1000, 'x'));
  ASSERT_NE(bytes.data(), first) << "it did not grow";
  EXPECT_TRUE(is_wiped(first, size));
  const char* second = bytes.data();
  bytes.resize(3);
  EXPECT_TRUE(is_wiped(second + 3, size));
  bytes.clear();
  EXPECT_TRUE(is_wiped(second, size));
  SecretBytes other(kSecret);
  const char* third = other.data();
  other = SecretBytes("short");
  EXPECT_TRUE(is_wiped(third, size));
}

TEST(SecretBytes, AreCopiedAndMoved) {
  SecretBytes one(kSecret);
  const char* place = one.data();
  SecretBytes two(one);
  EXPECT_NE(two.data(), place);
  EXPECT_EQ(two.view(), kSecret);
  const SecretBytes three(std::move(one));
  EXPECT_EQ(three.data(), place);
  one = two;  // NOLINT: what is moved from is empty, and may be used again
  EXPECT_EQ(one.view(), kSecret);
  two.push_back('!');
  EXPECT_EQ(two.view(), std::string(kSecret) + "!");
  EXPECT_NE(one, two);
  two.resize(2);
  two.resize(4);
  EXPECT_EQ(two.view(), std::string_view("a \0\0", 4));
}

TEST(SecretBytes, AreReadFromAFileUpToABound) {
  const std::string path = testing::TempDir() + "secret_bytes_test";
  std::ofstream(path) << std::string(10000, 'k');
  const std::array<std::pair<size_t, size_t>, 3> cases = {
      {{100, 100}, {10000, 10000}, {1000000, 10000}}};
  for (const auto& [bound, expected] : cases) {
    const int descriptor = ::open(path.c_str(), O_RDONLY);
    const auto bytes = read_secret_bytes(descriptor, bound);
    ::close(descriptor);
    ASSERT_TRUE(bytes);
    EXPECT_EQ(bytes->view(), std::string(expected, 'k'));
    EXPECT_FALSE(is_dumped(bytes->data()));
  }
  ::unlink(path.c_str());
  EXPECT_FALSE(read_secret_bytes(-1, 10));
}

TEST(SecretBytes, ASecretAndTheTextItStoodInAreSuch) {
  const Secret secret{std::string_view("hush")};
  EXPECT_FALSE(is_dumped(secret.reveal().data()));
  ProblemList problems;
  const auto parsed = text::parse("psk hush; psk \"hush hush\";", problems);
  ASSERT_EQ(parsed.document.statements.size(), 2U);
  for (const text::Statement& statement : parsed.document.statements) {
    EXPECT_FALSE(is_dumped(statement.words.at(0).text.data()));
  }
}

static_assert(!fmt::is_formattable<Secret>::value);

}  // namespace
}  // namespace masugata::config
