// SPDX-License-Identifier: GPL-2.0-or-later
#include "av-stream/exchange/region_memory.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

namespace masugata::av {
namespace {

constexpr const char* kWhere = "antivirus memory";
// A file that shrinks under a mapping ends its readers with SIGBUS.
constexpr int kSizeSeals = F_SEAL_SHRINK | F_SEAL_GROW;

tl::unexpected<Fault> system_failure(const std::string& action) {
  return failure(kWhere, action + ": " + std::strerror(errno));
}

// Maps `bytes`; nullptr with errno.
uint8_t* map(int descriptor, size_t bytes) {
  void* base = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
  return base == MAP_FAILED ? nullptr : static_cast<uint8_t*>(base);
}

}  // namespace

Result<RegionMemory> RegionMemory::create(uint32_t blocks) {
  if (blocks == 0 || blocks > kMaximumBlocks) {
    return failure(kWhere, "must have 1 to " + std::to_string(kMaximumBlocks) + " blocks, not " +
                               std::to_string(blocks));
  }
  const int descriptor = memfd_create("masugata-antivirus", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  if (descriptor < 0) return system_failure("cannot be made");
  const size_t bytes = region_bytes(blocks);
  uint8_t* base = nullptr;
  if (ftruncate(descriptor, static_cast<off_t>(bytes)) == 0 &&
      fcntl(descriptor, F_ADD_SEALS, kSizeSeals | F_SEAL_SEAL) == 0) {
    base = map(descriptor, bytes);
  }
  if (base == nullptr) {
    const auto fault = system_failure("of " + std::to_string(bytes) + " bytes cannot be made");
    close(descriptor);
    return fault;
  }
  RegionMemory memory(base, blocks, descriptor);
  memory.header().magic = kExchangeMagic;
  memory.header().version = kExchangeVersion;
  memory.header().blocks = blocks;
  return memory;
}

Result<RegionMemory> RegionMemory::open(int descriptor) {
  const int seals = fcntl(descriptor, F_GET_SEALS);
  if (seals < 0) return system_failure("is not a memfd");
  if ((seals & kSizeSeals) != kSizeSeals) return failure(kWhere, "its size is not sealed");
  struct stat status {};
  if (fstat(descriptor, &status) != 0) return system_failure("cannot be examined");
  const auto bytes = static_cast<size_t>(status.st_size);
  if (bytes < region_bytes(1)) return failure(kWhere, "is too small");
  uint8_t* base = map(descriptor, bytes);
  if (base == nullptr) return system_failure("cannot be mapped");
  // The file may have other content in a moment: what is believed is copied first.
  RegionHeader& header = *reinterpret_cast<RegionHeader*>(base);
  const uint32_t magic = std::atomic_ref(header.magic).load();
  const uint32_t version = std::atomic_ref(header.version).load();
  const uint32_t blocks = std::atomic_ref(header.blocks).load();
  std::string problem;
  if (magic != kExchangeMagic) {
    problem = "is of another kind";
  } else if (version != kExchangeVersion) {
    problem = "has layout " + std::to_string(version) + ", not " +
              std::to_string(kExchangeVersion) +
              ": masugatad and masugata-scand must be of one "
              "version";
  } else if (blocks == 0 || blocks > kMaximumBlocks || region_bytes(blocks) != bytes) {
    problem = "has not the size of " + std::to_string(blocks) + " blocks";
  }
  if (!problem.empty()) {
    munmap(base, bytes);
    return failure(kWhere, problem);
  }
  return RegionMemory(base, blocks, -1);
}

RegionMemory::RegionMemory(RegionMemory&& other) noexcept
    : base_(std::exchange(other.base_, nullptr)),
      blocks_offset_(other.blocks_offset_),
      blocks_(std::exchange(other.blocks_, 0)),
      descriptor_(std::exchange(other.descriptor_, -1)) {}

RegionMemory& RegionMemory::operator=(RegionMemory&& other) noexcept {
  if (this == &other) return *this;
  release();
  base_ = std::exchange(other.base_, nullptr);
  blocks_offset_ = other.blocks_offset_;
  blocks_ = std::exchange(other.blocks_, 0);
  descriptor_ = std::exchange(other.descriptor_, -1);
  return *this;
}

RegionMemory::~RegionMemory() { release(); }

void RegionMemory::release() noexcept {
  if (base_ != nullptr) munmap(base_, region_bytes(blocks_));
  if (descriptor_ >= 0) close(descriptor_);
  base_ = nullptr;
  descriptor_ = -1;
}

}  // namespace masugata::av
