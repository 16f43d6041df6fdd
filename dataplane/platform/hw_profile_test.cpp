// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/platform/hw_profile.h"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

namespace masugata::dataplane {
namespace {

using nlohmann::json;

json valid() {
  return json::parse(R"({
    "name": "box", "description": "a box",
    "match": {"drivers": ["net_virtio"], "minimum_cores": 2, "minimum_memory_mb": 1024},
    "workers": {"cores": "auto", "maximum": 4},
    "queues": {"receive": "per-worker", "transmit": 2},
    "descriptors": {"receive": 512, "transmit": 1024},
    "buffers": {"count": 8192, "room_bytes": 2048},
    "memory": {"total_mb": 256, "sessions_mb": 64, "hugepages": "optional"},
    "fib": "large",
    "offloads": ["receive-checksums"],
    "idle": {"sleep_us": 50}})");
}

std::string fault_of(const json& document) {
  const auto profile = parse_hw_profile(document.dump(), "box.json");
  return profile ? "none" : profile.error().message();
}

TEST(HwProfile, ReadsEveryField) {
  const auto profile = parse_hw_profile(valid().dump(), "box.json");
  ASSERT_TRUE(profile) << profile.error().message();
  EXPECT_EQ(profile->name, "box");
  EXPECT_EQ(profile->match.drivers, std::vector<std::string>{"net_virtio"});
  EXPECT_FALSE(profile->worker_cores);
  EXPECT_EQ(profile->maximum_workers, 4);
  EXPECT_FALSE(profile->receive_queues);
  EXPECT_EQ(profile->transmit_queues, 2);
  EXPECT_EQ(profile->receive_descriptors, 512);
  EXPECT_EQ(profile->buffers, 8192U);
  EXPECT_EQ(profile->buffer_room_bytes, 2048);
  EXPECT_EQ(profile->memory_mb, 256U);
  EXPECT_EQ(profile->session_memory_mb, 64U);
  EXPECT_EQ(profile->hugepages, HugepageUse::Optional);
  EXPECT_EQ(profile->fib, FibKind::Large);
  EXPECT_TRUE(profile->offloads.receive_checksums);
  EXPECT_FALSE(profile->offloads.transmit_transport_checksum);
  EXPECT_EQ(profile->idle.kind, IdleKind::Sleep);
  EXPECT_EQ(profile->idle.sleep_us, 50U);
}

TEST(HwProfile, SleepsLongerWhenNothingComes) {
  constexpr IdlePolicy idle{IdleKind::Sleep, 50};
  EXPECT_EQ(idle.next_sleep_us(0), 50U);
  EXPECT_EQ(idle.next_sleep_us(1), 100U);
  EXPECT_EQ(idle.next_sleep_us(2), 200U);
  EXPECT_EQ(idle.next_sleep_us(100), 200U);
}

TEST(HwProfile, RefusesEveryUnknownAndEveryMissingField) {
  const json whole = valid();
  for (const auto& [name, value] : whole.items()) {
    json lacking = whole;
    lacking.erase(name);
    EXPECT_EQ(fault_of(lacking), "box.json " + name + ": is missing");
    if (!value.is_object()) continue;
    json more = whole;
    more[name]["x"] = 1;
    EXPECT_EQ(fault_of(more), "box.json " + name + ".x: is not a field of a profile");
    for (const auto& [inner, ignored] : value.items()) {
      json inner_lacking = whole;
      inner_lacking[name].erase(inner);
      EXPECT_EQ(fault_of(inner_lacking), "box.json " + name + "." + inner + ": is missing");
    }
  }
  json more = whole;
  more["workrs"] = 1;
  EXPECT_EQ(fault_of(more), "box.json workrs: is not a field of a profile");
}

TEST(HwProfile, RefusesValuesThatMakeNoSense) {
  const auto with = [](const char* pointer, const json& value) {
    json document = valid();
    document[json::json_pointer(pointer)] = value;
    return fault_of(document);
  };
  EXPECT_EQ(with("/descriptors/receive", 1000),
            "box.json descriptors.receive: must be a power of two");
  EXPECT_EQ(with("/workers/cores", json::array({1, 1})),
            "box.json workers.cores: names a core twice");
  EXPECT_EQ(with("/workers/cores", json::array({1, 2, 3, 4, 5})),
            "box.json workers.cores: are more than workers.maximum");
  EXPECT_EQ(with("/workers/cores", "all"),
            "box.json workers.cores: must be \"auto\" or a list of core numbers");
  EXPECT_EQ(with("/queues/receive", 0), "box.json queues.receive: must be a number from 1 to 64");
  EXPECT_EQ(with("/buffers/count", -5),
            "box.json buffers.count: must be a number from 1024 to 4194304");
  EXPECT_EQ(with("/memory/total_mb", 80),
            "box.json memory.total_mb: is too small: sessions and buffers alone take 83");
  EXPECT_EQ(with("/memory/hugepages", "maybe"),
            "box.json memory.hugepages: must be one of required, optional, never");
  EXPECT_EQ(with("/idle/sleep_us", 0), "box.json idle.sleep_us: must be a number from 1 to 10000");
  EXPECT_EQ(with("/idle", 3), "box.json idle: must be \"busy\", \"yield\" or {\"sleep_us\": ...}");
  EXPECT_EQ(with("/match", 3), "box.json match: must be an object");
  EXPECT_NE(with("/offloads", json::array({"magic"})).find("knows no \"magic\""),
            std::string::npos);
  EXPECT_EQ(fault_of(json::array()), "box.json: must be an object");
  EXPECT_EQ(parse_hw_profile("{", "box.json").error().message(), "box.json: is not valid JSON");
}

TEST(HwProfile, ChoosesCores) {
  HwProfile profile = parse_hw_profile(valid().dump(), "box.json").value();
  using Cores = std::vector<uint16_t>;
  EXPECT_EQ(profile.choose_cores({0}).value(), Cores({0}));
  EXPECT_EQ(profile.choose_cores({0, 1}).value(), Cores({1}));
  EXPECT_EQ(profile.choose_cores({2, 3, 4, 5, 6, 7, 8}).value(), Cores({3, 4, 5, 6}));
  EXPECT_FALSE(profile.choose_cores({}));
  profile.worker_cores = {1, 3};
  EXPECT_EQ(profile.choose_cores({0, 1, 2, 3}).value(), Cores({1, 3}));
  EXPECT_EQ(profile.choose_cores({0, 1, 2}).error().message(),
            "hw-profile box workers.cores: core 3 does not exist or is not ours to use");
}

TEST(HwProfile, EveryProfileOfTheProjectIsValid) {
  int count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(MASUGATA_HW_PROFILES)) {
    if (entry.path().extension() != ".json") continue;
    const auto profile = load_hw_profile(entry.path());
    EXPECT_TRUE(profile) << profile.error().message();
    ++count;
  }
  EXPECT_GE(count, 4);
  EXPECT_FALSE(find_hw_profile(MASUGATA_HW_PROFILES, "generic")->description.empty());
}

TEST(HwProfile, SaysWhichProfilesThereAre) {
  EXPECT_EQ(find_hw_profile(MASUGATA_HW_PROFILES, "box").error().message(),
            "hw-profile box: there is none of this name: appliance-4core, appliance-8core-25g, "
            "generic, lab");
  EXPECT_FALSE(find_hw_profile(MASUGATA_HW_PROFILES, "../hw-profiles/generic"));
  EXPECT_FALSE(find_hw_profile("/nonexistent", "generic"));
}

TEST(HwProfile, TheFileCarriesTheProfilesName) {
  const std::string path = testing::TempDir() + "another.json";
  std::ofstream(path) << valid().dump();
  EXPECT_EQ(load_hw_profile(path).error().what, "must be the name of the file without its ending");
  std::filesystem::remove(path);
}

}  // namespace
}  // namespace masugata::dataplane
