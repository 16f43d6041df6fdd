// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/platform/hw_profile.h"

#include <algorithm>
#include <bit>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "dataplane/platform/profile_fields.h"

namespace masugata::dataplane {
namespace {

using nlohmann::json;

constexpr std::uintmax_t kMaximumFileBytes = 65536;
// mbuf, packet metadata and headroom beside the data room.
constexpr uint64_t kBufferOverheadBytes = 128 + 128 + 128;
constexpr uint64_t kBytesPerMb = 1048576;

// "auto" or a list of cores.
std::optional<std::vector<uint16_t>> read_cores(ProfileFields& workers) {
  const json& given = workers.value("cores");
  if (given == "auto") return std::nullopt;
  if (!given.is_array() || given.empty()) {
    workers.complain("cores", "must be \"auto\" or a list of core numbers");
    return std::nullopt;
  }
  std::vector<uint16_t> cores;
  for (const json& core : given) {
    cores.push_back(static_cast<uint16_t>(workers.number_of(core, "cores", 0, 1023)));
  }
  std::vector<uint16_t> sorted = cores;
  std::sort(sorted.begin(), sorted.end());
  if (std::adjacent_find(sorted.begin(), sorted.end()) != sorted.end()) {
    workers.complain("cores", "names a core twice");
  }
  return cores;
}

// "per-worker" or a number.
std::optional<uint16_t> read_queues(ProfileFields& queues, const char* name) {
  const json& given = queues.value(name);
  if (given == "per-worker") return std::nullopt;
  if (!given.is_number()) {
    queues.complain(name, "must be \"per-worker\" or a number");
    return std::nullopt;
  }
  return static_cast<uint16_t>(queues.number_of(given, name, 1, 64));
}

uint16_t read_descriptors(ProfileFields& descriptors, const char* name) {
  const uint32_t count = descriptors.number(name, 64, 8192);
  if (!std::has_single_bit(count)) descriptors.complain(name, "must be a power of two");
  return static_cast<uint16_t>(count);
}

// "busy", "yield" or {"sleep_us": 50}.
IdlePolicy read_idle(ProfileFields& fields) {
  const json& given = fields.value("idle");
  if (given == "busy") return {IdleKind::Busy, 0};
  if (given == "yield") return {IdleKind::Yield, 0};
  if (!given.is_object()) {
    fields.complain("idle", "must be \"busy\", \"yield\" or {\"sleep_us\": ...}");
    return {};
  }
  ProfileFields sleep = fields.object("idle");
  const IdlePolicy policy{IdleKind::Sleep, sleep.number("sleep_us", 1, 10000)};
  sleep.finish();
  return policy;
}

PortOffloads read_offloads(ProfileFields& fields) {
  PortOffloads offloads;
  for (const std::string& name : fields.texts("offloads")) {
    if (name == "receive-checksums") {
      offloads.receive_checksums = true;
    } else if (name == "transmit-transport-checksum") {
      offloads.transmit_transport_checksum = true;
    } else if (name == "receive-side-scaling") {
      offloads.receive_side_scaling = true;
    } else {
      fields.complain("offloads", "knows no \"" + name +
                                      "\": receive-checksums, transmit-transport-checksum, "
                                      "receive-side-scaling");
    }
  }
  return offloads;
}

ProfileMatch read_match(ProfileFields& fields) {
  ProfileFields match = fields.object("match");
  ProfileMatch result;
  result.drivers = match.texts("drivers");
  result.minimum_cores = match.number("minimum_cores", 1, 1024);
  result.minimum_memory_mb = match.number("minimum_memory_mb", 0, 1U << 24U);
  match.finish();
  return result;
}

void read_cores_and_queues(ProfileFields& fields, HwProfile& profile) {
  ProfileFields workers = fields.object("workers");
  profile.worker_cores = read_cores(workers);
  profile.maximum_workers = static_cast<uint16_t>(workers.number("maximum", 1, 64));
  if (profile.worker_cores && profile.worker_cores->size() > profile.maximum_workers) {
    workers.complain("cores", "are more than workers.maximum");
  }
  workers.finish();

  ProfileFields queues = fields.object("queues");
  profile.receive_queues = read_queues(queues, "receive");
  profile.transmit_queues = read_queues(queues, "transmit");
  queues.finish();

  ProfileFields descriptors = fields.object("descriptors");
  profile.receive_descriptors = read_descriptors(descriptors, "receive");
  profile.transmit_descriptors = read_descriptors(descriptors, "transmit");
  descriptors.finish();
}

void read_memory(ProfileFields& fields, HwProfile& profile) {
  ProfileFields buffers = fields.object("buffers");
  profile.buffers = buffers.number("count", 1024, 1U << 22U);
  profile.buffer_room_bytes = static_cast<uint16_t>(buffers.number("room_bytes", 1600, 16384));
  buffers.finish();

  ProfileFields memory = fields.object("memory");
  profile.memory_mb = memory.number("total_mb", 64, 1U << 20U);
  profile.session_memory_mb = memory.number("sessions_mb", 1, 1U << 20U);
  profile.hugepages = memory.choice<HugepageUse>("hugepages", {{"required", HugepageUse::Required},
                                                               {"optional", HugepageUse::Optional},
                                                               {"never", HugepageUse::Never}});
  const uint64_t buffer_bytes =
      profile.buffers * (profile.buffer_room_bytes + kBufferOverheadBytes);
  const uint64_t needed_mb =
      profile.session_memory_mb + (buffer_bytes + kBytesPerMb - 1) / kBytesPerMb;
  if (profile.memory_mb < needed_mb) {
    memory.complain("total_mb",
                    "is too small: sessions and buffers alone take " + std::to_string(needed_mb));
  }
  memory.finish();
}

}  // namespace

Result<HwProfile> parse_hw_profile(std::string_view text, const std::string& where) {
  const json document = json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (document.is_discarded()) return failure(where, "is not valid JSON");
  ProfileComplaint complaint(where);
  ProfileFields fields(document, "", complaint);
  HwProfile profile;
  if (document.is_object()) {
    profile.name = fields.text("name");
    profile.description = fields.text("description");
    profile.match = read_match(fields);
    read_cores_and_queues(fields, profile);
    read_memory(fields, profile);
    profile.fib =
        fields.choice<FibKind>("fib", {{"compact", FibKind::Compact}, {"large", FibKind::Large}});
    profile.offloads = read_offloads(fields);
    profile.idle = read_idle(fields);
    fields.finish();
  }
  if (!complaint.status()) return tl::unexpected(complaint.status().error());
  return profile;
}

Result<HwProfile> load_hw_profile(const std::filesystem::path& path) {
  std::error_code error;
  const auto bytes = std::filesystem::file_size(path, error);
  if (error) return failure(path.string(), "cannot be read: " + error.message());
  if (bytes > kMaximumFileBytes) return failure(path.string(), "is larger than 64 KiB");
  std::ifstream file(path, std::ios::binary);
  const std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  if (!file) return failure(path.string(), "cannot be read");
  auto profile = parse_hw_profile(text, path.string());
  if (profile && profile->name != path.stem().string()) {
    return failure(path.string() + " name", "must be the name of the file without its ending");
  }
  return profile;
}

Result<HwProfile> find_hw_profile(const std::filesystem::path& folder, const std::string& name) {
  const auto path = folder / (name + ".json");
  std::error_code error;
  // A name with a slash would leave the folder.
  if (name.find('/') == std::string::npos && std::filesystem::exists(path, error)) {
    return load_hw_profile(path);
  }
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    if (entry.path().extension() == ".json") names.push_back(entry.path().stem().string());
  }
  std::sort(names.begin(), names.end());
  std::string known;
  for (const std::string& known_name : names)
    known += known.empty() ? known_name : ", " + known_name;
  return failure("hw-profile " + name, known.empty() ? "there are no profiles in " + folder.string()
                                                     : "there is none of this name: " + known);
}

Result<std::vector<uint16_t>> HwProfile::choose_cores(
    const std::vector<uint16_t>& available) const {
  const std::string where = "hw-profile " + name;
  if (available.empty()) return failure(where, "no core is available");
  if (worker_cores) {
    for (const uint16_t core : *worker_cores) {
      if (std::find(available.begin(), available.end(), core) == available.end()) {
        return failure(where + " workers.cores",
                       "core " + std::to_string(core) + " does not exist or is not ours to use");
      }
    }
    return *worker_cores;
  }
  const size_t first = available.size() > 1 ? 1 : 0;
  const size_t count = std::min<size_t>(maximum_workers, available.size() - first);
  const auto begin = available.begin() + static_cast<std::ptrdiff_t>(first);
  return std::vector<uint16_t>(begin, begin + static_cast<std::ptrdiff_t>(count));
}

}  // namespace masugata::dataplane
