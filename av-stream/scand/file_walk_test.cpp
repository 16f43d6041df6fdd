// SPDX-License-Identifier: GPL-2.0-or-later
#include "av-stream/scand/file_walk.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <set>

#include "av-stream/scand/test_bench.h"

namespace masugata::av {
namespace {

class Walk : public ::testing::Test {
 protected:
  // Paths below `root`, sorted.
  std::vector<std::string> found(std::vector<std::string> paths,
                                 std::vector<std::string> excluded = {}) {
    problems.clear();
    FileWalk walk(std::move(paths), std::move(excluded),
                  [this](const std::string& path, const std::string& what) {
                    problems.push_back(path + ": " + what);
                  });
    std::vector<std::string> names;
    while (const auto file = walk.next()) {
      EXPECT_TRUE(walk.open_file(*file)) << file->path;
      names.push_back(file->path.substr(std::min(root.size() + 1, file->path.size())));
    }
    std::sort(names.begin(), names.end());
    return names;
  }
  using Names = std::vector<std::string>;

  TestDirectory directory;
  std::string root = std::filesystem::canonical(directory.path()).string();
  std::vector<std::string> problems;
};

TEST_F(Walk, FindsWhatLiesBelow) {
  directory.write("a", "1");
  directory.write("b/c/d", "2");
  directory.write("b/e", "3");
  EXPECT_EQ(found({root}), (Names{"a", "b/c/d", "b/e"}));
  EXPECT_EQ(found({root + "/a", root + "/b/c"}), (Names{"a", "b/c/d"}));
  EXPECT_TRUE(problems.empty());
}

TEST_F(Walk, LeavesOutWhatItIsTold) {
  directory.write("a", "1");
  directory.write("ab/c", "2");
  directory.write("b/c/d", "2");
  EXPECT_EQ(found({root}, {root + "/a", root + "/b/c"}), (Names{"ab/c"}));
  EXPECT_EQ(found({root + "/a"}, {root + "/a"}), Names{});
}

TEST_F(Walk, FollowsOnlyLinksThatAreNamed) {
  directory.write("folder/a", "1");
  std::filesystem::create_directory_symlink(root, root + "/folder/circle");
  std::filesystem::create_symlink(root + "/folder/a", root + "/link");
  EXPECT_EQ(found({root}), Names{"folder/a"});
  EXPECT_EQ(found({root + "/link"}), Names{"folder/a"});
  EXPECT_EQ(found({root + "/folder/circle"}), Names{"folder/a"});
  std::filesystem::create_symlink(root + "/turn", root + "/turn");
  EXPECT_EQ(found({root + "/turn"}), Names{});
  EXPECT_EQ(problems.size(), 1U);
}

TEST_F(Walk, OpensNeitherPipesNorSocketsNorDevices) {
  directory.write("a", "1");
  ASSERT_EQ(mkfifo((root + "/pipe").c_str(), 0600), 0);
  const Descriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string path = root + "/socket";
  ASSERT_LT(path.size(), sizeof address.sun_path);
  path.copy(address.sun_path, path.size());
  ASSERT_EQ(bind(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  // Where making one is not allowed the rest is still tried.
  static_cast<void>(mknod((root + "/device").c_str(), S_IFCHR | 0600, makedev(1, 5)));
  EXPECT_EQ(found({root}), Names{"a"});
  EXPECT_TRUE(problems.empty());
  EXPECT_EQ(found({root + "/pipe", "/dev/zero"}), Names{});
  EXPECT_EQ(problems.size(), 2U);  // they were named
}

TEST_F(Walk, LeavesOutFileSystemsWithoutFiles) {
  EXPECT_EQ(found({"/proc/self"}), Names{});
  EXPECT_EQ(found({"/sys"}), Names{});
}

TEST_F(Walk, SaysWhatItCannotRead) {
  EXPECT_EQ(found({root + "/not-there"}), Names{});
  ASSERT_EQ(problems.size(), 1U);
  EXPECT_NE(problems[0].find("No such file"), std::string::npos);
  if (geteuid() == 0) return;  // reads everything
  directory.write("locked/a", "1");
  directory.write("open/b", "1");
  std::filesystem::permissions(root + "/locked", std::filesystem::perms::none);
  EXPECT_EQ(found({root}), Names{"open/b"});
  EXPECT_EQ(problems.size(), 1U);
  std::filesystem::permissions(root + "/locked", std::filesystem::perms(0700));
}

TEST_F(Walk, DoesNotGoDeeperThanItsBound) {
  std::string path = root;
  for (size_t depth = 0; depth < FileWalk::kMaximumDepth + 1; ++depth) path += "/d";
  std::filesystem::create_directories(path);
  directory.write("a", "1");
  EXPECT_EQ(found({root}), Names{"a"});
  ASSERT_EQ(problems.size(), 1U);
  EXPECT_NE(problems[0].find("too deep"), std::string::npos);
}

TEST_F(Walk, AFolderThatIsExchangedLeadsNowhereElse) {
  directory.write("other/secret", "1");
  directory.write("tree/folder/a", "1");
  FileWalk walk({root + "/tree"}, {}, [](const std::string&, const std::string&) {});
  const auto file = walk.next();
  ASSERT_TRUE(file);
  std::filesystem::rename(root + "/tree/folder", root + "/tree/moved");
  std::filesystem::create_directory_symlink(root + "/other", root + "/tree/folder");
  std::filesystem::create_symlink(root + "/other/secret", root + "/tree/moved/b");
  EXPECT_TRUE(walk.open_file(*file));  // where it was found
  EXPECT_FALSE(walk.open_file({root + "/tree/folder/b", "b"}));
}

}  // namespace
}  // namespace masugata::av
