// SPDX-License-Identifier: GPL-2.0-or-later
#include "ids/matching/datasets.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "ids/matching/matching_test_support.h"

namespace masugata::ids {
namespace {

class Datasets : public testing::Test {
 protected:
  void SetUp() override {
    folder_ =
        std::filesystem::path(testing::TempDir()) /
        ("datasets-" + std::string(testing::UnitTest::GetInstance()->current_test_info()->name()));
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  void write(const std::string& name, const std::string& text) {
    std::ofstream(folder_ / name, std::ios::binary) << text;
  }
  Result<Dataset*> open(DatasetType type, const std::string& load) {
    DatasetMatch match;
    match.name = load;
    match.type = type;
    match.load_path = load;
    return store_.open(match, folder_.string());
  }
  std::filesystem::path folder_;
  DatasetStore store_;
};

TEST_F(Datasets, StringsAreWrittenInBase64) {
  write("names", "Z29vZ2xlLmNvbQ==\r\n\n# a comment\nZXhhbXBsZS5vcmc=\n");
  const auto set = open(DatasetType::String, "names");
  ASSERT_TRUE(set.has_value()) << set.error().message();
  EXPECT_EQ((*set)->size(), 2U);
  EXPECT_TRUE((*set)->contains(bytes_of("google.com")));
  EXPECT_TRUE((*set)->contains(bytes_of("example.org")));
  EXPECT_FALSE((*set)->contains(bytes_of("google.co")));
  EXPECT_FALSE((*set)->contains(bytes_of("")));
}

TEST_F(Datasets, DigestsAreLookedUpRawAndAsText) {
  write("md5", "900150983cd24fb0d6963f7d28e17f72\n");
  const auto set = open(DatasetType::Md5, "md5");
  ASSERT_TRUE(set.has_value());
  EXPECT_TRUE((*set)->contains(bytes_of("900150983CD24FB0D6963F7D28E17F72")));
  EXPECT_TRUE((*set)->contains(
      bytes_of("\x90\x01\x50\x98\x3c\xd2\x4f\xb0\xd6\x96\x3f\x7d\x28\xe1\x7f\x72")));
  EXPECT_FALSE((*set)->contains(bytes_of("900150983cd24fb0d6963f7d28e17f7z")));
  EXPECT_FALSE((*set)->contains(bytes_of("short")));
}

TEST_F(Datasets, AddressesOfBothShapes) {
  write("ips", "192.0.2.1\n2001:db8::1\n");
  const auto set = open(DatasetType::Ip, "ips");
  ASSERT_TRUE(set.has_value());
  EXPECT_TRUE((*set)->contains(bytes_of(std::string_view("\xc0\x00\x02\x01", 4))));
  EXPECT_FALSE((*set)->contains(bytes_of(std::string_view("\xc0\x00\x02\x02", 4))));
  const auto ipv6 = net::IpAddress::parse("2001:db8::1");
  EXPECT_TRUE((*set)->contains(ipv6->bytes));
  write("only4", "2001:db8::1\n");
  EXPECT_FALSE(open(DatasetType::Ipv4, "only4").has_value());
}

TEST_F(Datasets, ReputationsFollowAComma) {
  write("scores", "YQ==,30\nYg==\n");
  const auto set = open(DatasetType::String, "scores");
  ASSERT_TRUE(set.has_value());
  EXPECT_EQ((*set)->reputation_of(bytes_of("a")), 30U);
  EXPECT_EQ((*set)->reputation_of(bytes_of("b")), 0U);
  EXPECT_EQ((*set)->reputation_of(bytes_of("c")), std::nullopt);
  write("bad", "YQ==,many\n");
  EXPECT_FALSE(open(DatasetType::String, "bad").has_value());
}

TEST_F(Datasets, WhatIsWrongIsNamedWithItsLine) {
  write("wrong", "YQ==\nnot base64\n");
  const auto set = open(DatasetType::String, "wrong");
  ASSERT_FALSE(set.has_value());
  EXPECT_NE(set.error().where.find("wrong:2"), std::string::npos) << set.error().where;
  EXPECT_FALSE(open(DatasetType::String, "missing").has_value());
}

TEST_F(Datasets, AStateFileMayBeMissing) {
  DatasetMatch match;
  match.name = "seen";
  match.state_path = "not-yet";
  const auto set = store_.open(match, folder_.string());
  ASSERT_TRUE(set.has_value());
  EXPECT_EQ((*set)->size(), 0U);
}

TEST_F(Datasets, TheSameNameIsTheSameSetOfOneType) {
  DatasetMatch match;
  match.name = "seen";
  const auto one = store_.open(match, "");
  const auto other = store_.open(match, "");
  ASSERT_TRUE(one && other);
  EXPECT_EQ(*one, *other);
  match.type = DatasetType::Md5;
  EXPECT_FALSE(store_.open(match, "").has_value());
  EXPECT_EQ(store_.find("seen"), *one);
  DatasetMatch digests;
  digests.name = "digests";
  digests.type = DatasetType::Md5;
  const auto typed = store_.open(digests, "");
  digests.type.reset();
  const auto untyped = store_.open(digests, "");
  ASSERT_TRUE(typed && untyped);
  EXPECT_EQ(*untyped, *typed);
  EXPECT_EQ(store_.find("unseen"), nullptr);
}

TEST(Dataset, AddsRemovesAndIsBounded) {
  Dataset set(DatasetType::String, 2);
  EXPECT_TRUE(set.add(bytes_of("a")));
  EXPECT_FALSE(set.add(bytes_of("a")));
  EXPECT_TRUE(set.add(bytes_of("b")));
  EXPECT_FALSE(set.add(bytes_of("c")));
  EXPECT_EQ(set.full(), 1U);
  EXPECT_TRUE(set.remove(bytes_of("a")));
  EXPECT_FALSE(set.remove(bytes_of("a")));
  EXPECT_TRUE(set.contains(bytes_of("b")));
  EXPECT_TRUE(set.add(bytes_of("c")));
  EXPECT_EQ(set.size(), 2U);
}

TEST(Dataset, ManyMembersComeAndGo) {
  Dataset set(DatasetType::String, 1000);
  for (int round = 0; round < 20; ++round) {
    for (int index = 0; index < 1000; ++index) {
      ASSERT_TRUE(set.add(bytes_of(std::to_string(round) + "-" + std::to_string(index))));
    }
    for (int index = 0; index < 1000; ++index) {
      ASSERT_TRUE(set.remove(bytes_of(std::to_string(round) + "-" + std::to_string(index))));
    }
  }
  EXPECT_EQ(set.size(), 0U);
  EXPECT_EQ(set.full(), 0U);
}

TEST(Dataset, WorkersAddAtTheSameTime) {
  Dataset set(DatasetType::String, 4096);
  std::atomic<int> added{0};
  auto work = [&] {
    for (int index = 0; index < 2000; ++index) {
      if (set.add(bytes_of(std::to_string(index)))) added.fetch_add(1);
    }
  };
  std::thread one(work);
  std::thread other(work);
  one.join();
  other.join();
  for (int index = 0; index < 2000; ++index) {
    ASSERT_TRUE(set.contains(bytes_of(std::to_string(index))));
  }
  EXPECT_EQ(static_cast<size_t>(added.load()), set.size());
}

TEST(DatasetKeyword, AsksAndChangesTheSet) {
  Matcher matcher;
  auto keyword = [](DatasetMatch::Operation operation) {
    DatasetMatch match;
    match.name = "seen";
    match.operation = operation;
    return match;
  };
  using Operation = DatasetMatch::Operation;
  EXPECT_FALSE(matcher.matches({keyword(Operation::IsSet)}, "a"));
  EXPECT_TRUE(matcher.matches({keyword(Operation::IsNotSet)}, "a"));
  EXPECT_TRUE(matcher.matches({keyword(Operation::Set)}, "a"));
  EXPECT_FALSE(matcher.matches({keyword(Operation::Set)}, "a"));  // nothing new
  EXPECT_TRUE(matcher.matches({keyword(Operation::IsSet)}, "a"));
  EXPECT_FALSE(matcher.matches_window({keyword(Operation::IsSet)}, "a", 0, false));
  EXPECT_TRUE(matcher.matches({keyword(Operation::Unset)}, "a"));
  EXPECT_FALSE(matcher.matches({keyword(Operation::IsSet)}, "a"));
  // A content before it that does not match leaves the set alone.
  EXPECT_FALSE(matcher.matches({content("x"), keyword(Operation::Set)}, "a"));
  EXPECT_FALSE(matcher.matches({keyword(Operation::IsSet)}, "a"));
}

TEST(DatasetKeyword, ComparesReputations) {
  Matcher matcher;
  DatasetMatch match;
  match.name = "scores";
  match.operation = DatasetMatch::Operation::Reputation;
  match.comparison = Comparison::Greater;
  match.reputation = 50;
  EXPECT_FALSE(matcher.matches({match}, "a"));
  ASSERT_TRUE(matcher.datasets().find("scores")->add(bytes_of("a"), 51));
  ASSERT_TRUE(matcher.datasets().find("scores")->add(bytes_of("b"), 50));
  EXPECT_TRUE(matcher.matches({match}, "a"));
  EXPECT_FALSE(matcher.matches({match}, "b"));
}

TEST(DatasetKeyword, IsRefusedWithoutAStore) {
  Matcher matcher;
  matcher.context().datasets = nullptr;
  DatasetMatch match;
  match.name = "seen";
  EXPECT_FALSE(compile_matches(buffer({match}), matcher.context()).has_value());
}

class SavedDatasets : public Datasets {
 protected:
  Dataset* open_state(DatasetStore& store, DatasetType type = DatasetType::String) {
    DatasetMatch match;
    match.name = "seen";
    match.type = type;
    match.state_path = "seen.lst";
    auto set = store.open(match, folder_.string());
    EXPECT_TRUE(set) << set.error().message();
    return set ? *set : nullptr;
  }
  [[nodiscard]] std::string saved() const {
    std::ifstream file(folder_ / "seen.lst", std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  static std::vector<uint8_t> bytes(std::string_view text) { return {text.begin(), text.end()}; }
};

TEST_F(SavedDatasets, WhatWasLearntOutlivesTheStore) {
  {
    DatasetStore store;
    Dataset* set = open_state(store);
    EXPECT_TRUE(set->add(bytes("google.com")));
    EXPECT_TRUE(set->add(bytes("example.org")));
    EXPECT_TRUE(set->remove(bytes("google.com")));
    ASSERT_TRUE(store.follow_changes(false));
    EXPECT_FALSE(std::filesystem::exists(folder_ / "seen.lst"));
    ASSERT_TRUE(store.follow_changes(true));
  }
  EXPECT_EQ(saved(), "ZXhhbXBsZS5vcmc=\n");
  const auto mode = std::filesystem::status(folder_ / "seen.lst").permissions();
  EXPECT_EQ(static_cast<unsigned>(mode), 0640U);
  EXPECT_FALSE(std::filesystem::exists(folder_ / "seen.lst.new"));
  DatasetStore store;
  Dataset* set = open_state(store);
  EXPECT_TRUE(set->contains(bytes("example.org")));
  EXPECT_FALSE(set->contains(bytes("google.com")));
}

TEST_F(SavedDatasets, NothingIsWrittenWithoutAChange) {
  write("seen.lst", "# a remark\nZXhhbXBsZS5vcmc=\n");
  DatasetStore store;
  Dataset* set = open_state(store);
  EXPECT_FALSE(set->add(bytes("example.org")));
  ASSERT_TRUE(store.follow_changes(true));
  EXPECT_EQ(saved(), "# a remark\nZXhhbXBsZS5vcmc=\n");
}

TEST_F(SavedDatasets, AFailureKeepsTheFileAndIsTriedAgain) {
  write("seen.lst", "ZXhhbXBsZS5vcmc=\n");
  DatasetStore store;
  Dataset* set = open_state(store);
  std::filesystem::create_directory(folder_ / "seen.lst.new");
  EXPECT_TRUE(set->add(bytes("google.com")));
  EXPECT_FALSE(store.follow_changes(true));
  EXPECT_EQ(saved(), "ZXhhbXBsZS5vcmc=\n");
  std::filesystem::remove(folder_ / "seen.lst.new");
  ASSERT_TRUE(store.follow_changes(true));
  EXPECT_EQ(saved(), "Z29vZ2xlLmNvbQ==\nZXhhbXBsZS5vcmc=\n");
}

TEST_F(SavedDatasets, AddressesAndDigestsAsTheirFilesWriteThem) {
  const uint8_t v4[] = {192, 0, 2, 1};
  EXPECT_EQ(dataset_line_of(DatasetType::Ip, v4), "192.0.2.1");
  EXPECT_EQ(dataset_line_of(DatasetType::Md5, bytes("D41D8CD98F00B204E9800998ECF8427E")),
            "d41d8cd98f00b204e9800998ecf8427e");
  EXPECT_EQ(dataset_line_of(DatasetType::Md5, std::vector<uint8_t>(16, 0xab)),
            "abababababababababababababababab");
  EXPECT_EQ(dataset_line_of(DatasetType::Md5, bytes("short")), "");
  EXPECT_EQ(dataset_line_of(DatasetType::String, bytes("ab")), "YWI=");
  for (const DatasetType type : {DatasetType::String, DatasetType::Ip}) {
    EXPECT_TRUE(read_dataset_line(type, dataset_line_of(type, v4)));
  }
}

TEST_F(SavedDatasets, JournalLosesWhatFindsNoRoom) {
  DatasetJournal journal;
  for (size_t i = 0; i < DatasetJournal::kEntries; ++i) EXPECT_TRUE(journal.note(true, bytes("x")));
  EXPECT_FALSE(journal.note(true, bytes("y")));
  EXPECT_FALSE(journal.note(true, std::vector<uint8_t>(DatasetChange::kValueBytes + 1)));
  EXPECT_EQ(journal.lost(), 2U);
  DatasetChange change;
  for (size_t i = 0; i < DatasetJournal::kEntries; ++i) EXPECT_TRUE(journal.take(change));
  EXPECT_FALSE(journal.take(change));
  EXPECT_TRUE(journal.note(false, bytes("z")));
  ASSERT_TRUE(journal.take(change));
  EXPECT_FALSE(change.added);
  EXPECT_EQ(change.bytes, 1U);
}

TEST_F(SavedDatasets, WorkersNoteAtTheSameTime) {
  DatasetJournal journal;
  std::vector<std::thread> workers;
  for (uint8_t worker = 0; worker < 3; ++worker) {
    workers.emplace_back([&journal, worker] {
      for (int i = 0; i < 500; ++i) (void)journal.note(true, std::vector<uint8_t>(9, worker));
    });
  }
  for (std::thread& worker : workers) worker.join();
  DatasetChange change;
  size_t taken = 0;
  for (; journal.take(change); ++taken) {
    ASSERT_EQ(change.bytes, 9U);
    EXPECT_EQ(std::vector<uint8_t>(change.view().begin(), change.view().end()),
              std::vector<uint8_t>(9, change.value[0]));
  }
  EXPECT_EQ(taken, 1500U);
}

}  // namespace
}  // namespace masugata::ids
