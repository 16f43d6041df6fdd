// SPDX-License-Identifier: GPL-2.0-or-later
// Where scanners live: no network, no files but their own in memory, no rights.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "result/result.h"

namespace masugata::av {

struct SandboxUser {
  uid_t user = 0;
  gid_t group = 0;
};

// A user by name. A fault when there is none of this name or it is root.
[[nodiscard]] Result<SandboxUser> find_sandbox_user(const std::string& name);

struct SandboxPlan {
  std::optional<SandboxUser> user = {};  // whom to become; only root can
  uint32_t seats = 1;                    // scanners at a time
  uint64_t scratch_bytes = 0;            // of unpacked files per scanner
  uint64_t memory_bytes = 0;             // of a scanner besides what it inherits
  bool required = true;     // false: without namespaces go on with the filter of system calls alone
  std::string folder = {};  // on a disk, of `user`: for scratch files in that case
};

// Descriptor of a directory; closed with the object.
class DirectoryHandle {
 public:
  explicit DirectoryHandle(int descriptor) noexcept : descriptor_(descriptor) {}
  DirectoryHandle(DirectoryHandle&& other) noexcept;
  DirectoryHandle& operator=(DirectoryHandle&&) = delete;
  ~DirectoryHandle();
  [[nodiscard]] int descriptor() const noexcept { return descriptor_; }
  // Valid in this process and what it forks, as long as they have /proc.
  [[nodiscard]] std::string path() const;

 private:
  int descriptor_;
};

class Sandbox {
 public:
  // In the process that loads the engine, before it does; no threads. Leaves the network, the
  // mounts and the user behind and makes a file system in memory for each seat. Signature files
  // stay readable as far as the new user may read them.
  [[nodiscard]] static Result<Sandbox> enter(const SandboxPlan& plan);

  Sandbox(Sandbox&&) noexcept = default;
  Sandbox& operator=(Sandbox&&) = delete;

  // For the files that loading makes.
  [[nodiscard]] std::string scratch_directory() const { return directories_.front().path(); }
  // True when scanners are not locked into a root of their own: `required` was false.
  [[nodiscard]] bool reduced() const noexcept { return reduced_; }
  // Removes what a scanner left in its seat.
  void clear_seat(uint32_t seat) const;

  // In a scanner, just forked: locks it into its seat for good, drops every right, bounds its
  // memory and filters its system calls. Descriptors above 2 are closed, 0 to 2 lead nowhere.
  // Gives the directory for scratch files: a new one of an own name.
  [[nodiscard]] Result<std::string> confine(uint32_t seat) const;

 private:
  Sandbox() = default;
  std::vector<DirectoryHandle> directories_;  // the loader's own, then one per seat
  SandboxPlan plan_;
  bool reduced_ = false;
};

}  // namespace masugata::av
