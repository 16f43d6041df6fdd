// SPDX-License-Identifier: GPL-2.0-or-later
#include "av-stream/scand/sandbox.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <grp.h>
#include <linux/capability.h>
#include <malloc.h>
#include <pwd.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <system_error>
#include <utility>

#include "av-stream/scand/system_call_filter.h"

namespace masugata::av {
namespace {

constexpr const char* kWhere = "sandbox";
// Several for each level of archives in archives; without any libclamav goes on and says nothing.
constexpr rlim_t kDescriptors = 1024;
// Of the loader: own signatures and the allow-list pass through it.
constexpr uint64_t kLoaderScratchBytes = 64ULL << 20;

tl::unexpected<Fault> system_failure(const std::string& action) {
  return failure(kWhere, action + ": " + std::strerror(errno));
}

Status write_text(const char* path, const std::string& text) {
  const int file = open(path, O_WRONLY | O_CLOEXEC);
  const bool written =
      file >= 0 && write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  const int cause = errno;
  if (file >= 0) close(file);
  if (written) return {};
  return failure(path, std::strerror(cause));
}

// Root leaves its namespaces directly, others need a user namespace in which they are alone.
Status leave_namespaces() {
  constexpr int kLeft = CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS;
  const uid_t user = geteuid();
  const gid_t group = getegid();
  if (user == 0) {
    if (unshare(kLeft) != 0) return system_failure("namespaces cannot be left");
    return {};
  }
  if (unshare(kLeft | CLONE_NEWUSER) != 0) {
    return system_failure("a user namespace cannot be made");
  }
  if (auto status = write_text("/proc/self/setgroups", "deny"); !status) return status;
  if (auto status = write_text("/proc/self/uid_map", fmt::format("{0} {0} 1", user)); !status) {
    return status;
  }
  return write_text("/proc/self/gid_map", fmt::format("{0} {0} 1", group));
}

// A tmpfs that is mounted nowhere: whoever has the descriptor has it, nobody else sees it.
Result<DirectoryHandle> make_file_system(uint64_t bytes, const SandboxUser& owner) {
  const DirectoryHandle context(fsopen("tmpfs", FSOPEN_CLOEXEC));
  const auto set = [&](const char* key, const std::string& value) {
    return fsconfig(context.descriptor(), FSCONFIG_SET_STRING, key, value.c_str(), 0) == 0;
  };
  if (context.descriptor() < 0 || !set("size", std::to_string(bytes)) ||
      !set("nr_inodes", "100000") || !set("mode", "0700") ||
      !set("uid", std::to_string(owner.user)) || !set("gid", std::to_string(owner.group)) ||
      fsconfig(context.descriptor(), FSCONFIG_CMD_CREATE, nullptr, nullptr, 0) != 0) {
    return system_failure("a file system in memory cannot be made");
  }
  const int mounted = fsmount(context.descriptor(), FSMOUNT_CLOEXEC,
                              MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
  if (mounted < 0) return system_failure("a file system in memory cannot be mounted");
  return DirectoryHandle(mounted);
}

// Without namespaces: a folder in one that nobody else can look into.
Result<DirectoryHandle> make_plain_directory(const std::string& parent, uint32_t index,
                                             const SandboxUser& owner) {
  const std::string path = parent + "/" + std::to_string(index);
  if (mkdir(path.c_str(), 0700) != 0) return system_failure(path);
  if (geteuid() == 0 && chown(path.c_str(), owner.user, owner.group) != 0) {
    return system_failure(path);
  }
  const int directory = open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (directory < 0) return system_failure(path);
  return DirectoryHandle(directory);
}

Status set_capabilities(uint32_t permitted) {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  const std::array<__user_cap_data_struct, 2> data = {{{permitted, permitted, 0}, {0, 0, 0}}};
  if (syscall(SYS_capset, &header, data.data()) != 0) {
    return system_failure("capabilities cannot be dropped");
  }
  return {};
}

Status become_user(const SandboxUser& user) {
  if (prctl(PR_SET_KEEPCAPS, 1) != 0 || setgroups(0, nullptr) != 0 ||
      setresgid(user.group, user.group, user.group) != 0 ||
      setresuid(user.user, user.user, user.user) != 0) {
    return system_failure("the user cannot be changed");
  }
  return {};
}

// Address space in use, of which the engine and the regions are the most.
Result<uint64_t> own_address_space() {
  std::ifstream file("/proc/self/statm");
  uint64_t pages = 0;
  if (!(file >> pages)) return failure("/proc/self/statm", "cannot be read");
  return pages * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
}

Status bound_resources(uint64_t memory_bytes, uint64_t scratch_bytes) {
  // What was freed before would be memory beside the bound.
  malloc_trim(0);
  const auto address_space = own_address_space();
  if (!address_space) return tl::unexpected(address_space.error());
  const std::array<std::pair<__rlimit_resource, rlim_t>, 5> limits = {{
      {RLIMIT_AS, *address_space + memory_bytes},
      {RLIMIT_FSIZE, scratch_bytes},
      {RLIMIT_NOFILE, kDescriptors},
      {RLIMIT_CORE, 0},
      {RLIMIT_NPROC, 0},
  }};
  for (const auto& [resource, value] : limits) {
    const rlimit limit{value, value};
    if (setrlimit(resource, &limit) != 0) return system_failure("limits cannot be set");
  }
  return {};
}

// Whatever a scanner before has left: its names cannot be met.
Result<std::string> make_own_folder(const std::string& parent) {
  std::array<char, 8> random{};
  if (getrandom(random.data(), random.size(), 0) != static_cast<ssize_t>(random.size())) {
    return system_failure("no random numbers");
  }
  std::string path = parent.ends_with('/') ? parent : parent + "/";
  for (const char byte : random) path += fmt::format("{:02x}", static_cast<unsigned char>(byte));
  if (mkdir(path.c_str(), 0700) != 0) return system_failure("no folder for scratch files");
  return path;
}

Status lead_standard_streams_nowhere() {
  const int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
  if (nothing < 0) return system_failure("/dev/null");
  for (int descriptor = 0; descriptor <= 2; ++descriptor) dup2(nothing, descriptor);
  close(nothing);
  return {};
}

}  // namespace

Result<SandboxUser> find_sandbox_user(const std::string& name) {
  const passwd* entry = getpwnam(name.c_str());
  if (entry == nullptr) return failure("user " + name, "does not exist on this machine");
  if (entry->pw_uid == 0) return failure("user " + name, "scanners must not run as root");
  return SandboxUser{entry->pw_uid, entry->pw_gid};
}

DirectoryHandle::DirectoryHandle(DirectoryHandle&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)) {}

DirectoryHandle::~DirectoryHandle() {
  if (descriptor_ >= 0) close(descriptor_);
}

std::string DirectoryHandle::path() const { return fmt::format("/proc/self/fd/{}", descriptor_); }

Result<Sandbox> Sandbox::enter(const SandboxPlan& plan) {
  Sandbox sandbox;
  sandbox.plan_ = plan;
  if (auto status = leave_namespaces(); !status) {
    if (plan.required) return tl::unexpected(status.error());
    sandbox.reduced_ = true;
  }
  const SandboxUser owner = plan.user.value_or(SandboxUser{geteuid(), getegid()});
  for (uint32_t index = 0; index <= plan.seats; ++index) {
    const uint64_t bytes = index == 0 ? kLoaderScratchBytes : plan.scratch_bytes;
    auto directory = sandbox.reduced_ ? make_plain_directory(plan.folder, index, owner)
                                      : make_file_system(bytes, owner);
    if (!directory) return tl::unexpected(directory.error());
    sandbox.directories_.push_back(std::move(*directory));
  }
  if (plan.user) {
    if (auto status = become_user(*plan.user); !status) return tl::unexpected(status.error());
  }
  if (!sandbox.reduced_) {
    // Left: to lock scanners in.
    if (auto status = set_capabilities(1U << CAP_SYS_CHROOT); !status) {
      return tl::unexpected(status.error());
    }
  }
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl(PR_SET_DUMPABLE, 0) != 0) {
    return system_failure("rights cannot be given up");
  }
  return sandbox;
}

void Sandbox::clear_seat(uint32_t seat) const {
  std::error_code error;
  for (const auto& entry :
       std::filesystem::directory_iterator(directories_.at(seat + 1).path(), error)) {
    std::filesystem::remove_all(entry.path(), error);
  }
}

Result<std::string> Sandbox::confine(uint32_t seat) const {
  const DirectoryHandle& directory = directories_.at(seat + 1);
  std::string scratch = "/";
  if (auto status = lead_standard_streams_nowhere(); !status) {
    return tl::unexpected(status.error());
  }
  // When memory is short the kernel takes a scanner before anything else. Only for what may be
  // dumped are the files of /proc the process's own.
  prctl(PR_SET_DUMPABLE, 1);
  static_cast<void>(write_text("/proc/self/oom_score_adj", "1000"));
  prctl(PR_SET_DUMPABLE, 0);
  if (auto status = bound_resources(plan_.memory_bytes, plan_.scratch_bytes); !status) {
    return tl::unexpected(status.error());
  }
  if (reduced_) {
    std::error_code error;
    scratch = std::filesystem::read_symlink(directory.path(), error).string();
    if (error) return failure(kWhere, error.message());
  } else {
    if (fchdir(directory.descriptor()) != 0 || chroot(".") != 0 || chdir("/") != 0) {
      return system_failure("the root cannot be changed");
    }
    if (auto status = set_capabilities(0); !status) return tl::unexpected(status.error());
  }
  auto own = make_own_folder(scratch);
  if (!own) return tl::unexpected(own.error());
  if (close_range(3, ~0U, 0) != 0) return system_failure("descriptors cannot be closed");
  if (auto status = filter_system_calls(); !status) return tl::unexpected(status.error());
  return own;
}

}  // namespace masugata::av
