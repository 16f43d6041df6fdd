// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/control/listening_socket.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace masugata::dataplane::control {
namespace {

Result<sockaddr_un> socket_address(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof address.sun_path) {
    return failure(path, "a socket path has 1 to 107 bytes");
  }
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  return address;
}

Status remove_dead_socket(const std::string& path, const sockaddr_un& address, int type) {
  struct stat status {};
  if (lstat(path.c_str(), &status) != 0) {
    if (errno == ENOENT) return {};
    return failure(path, std::strerror(errno));
  }
  if (!S_ISSOCK(status.st_mode)) return failure(path, "exists and is not a socket");
  const int probe = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (probe < 0) return failure(path, std::strerror(errno));
  const int connected = connect(probe, reinterpret_cast<const sockaddr*>(&address), sizeof address);
  const int reason = errno;
  close(probe);
  // A full backlog (EAGAIN) has a living listener behind it.
  if (connected == 0 || reason != ECONNREFUSED) {
    return failure(path, "another masugatad is listening here: stop it or choose another path");
  }
  if (unlink(path.c_str()) != 0) return failure(path, std::strerror(errno));
  return {};
}

}  // namespace

Result<ListeningSocket> ListeningSocket::create(const std::string& path, mode_t mode,
                                                std::optional<gid_t> group, int type) {
  const auto address = socket_address(path);
  if (!address) return tl::unexpected(address.error());
  if (const auto removed = remove_dead_socket(path, *address, type); !removed) {
    return tl::unexpected(removed.error());
  }
  const int descriptor = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (descriptor < 0) return failure(path, std::strerror(errno));
  if (bind(descriptor, reinterpret_cast<const sockaddr*>(&*address), sizeof *address) != 0) {
    const int reason = errno;
    close(descriptor);
    std::string what = std::strerror(reason);
    if (reason == ENOENT) what = "its directory does not exist: create it or choose another path";
    if (reason == EACCES) what = "no permission to create it: run as root or choose another path";
    return failure(path, what);
  }
  ListeningSocket result(descriptor, path);
  const gid_t owner = group.value_or(static_cast<gid_t>(-1));
  if (chown(path.c_str(), static_cast<uid_t>(-1), owner) != 0 || chmod(path.c_str(), mode) != 0 ||
      listen(descriptor, 16) != 0) {
    return failure(path, std::strerror(errno));
  }
  return result;
}

ListeningSocket::ListeningSocket(ListeningSocket&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)), path_(std::move(other.path_)) {}

ListeningSocket& ListeningSocket::operator=(ListeningSocket&& other) noexcept {
  if (this == &other) return *this;
  release();
  descriptor_ = std::exchange(other.descriptor_, -1);
  path_ = std::move(other.path_);
  return *this;
}

ListeningSocket::~ListeningSocket() { release(); }

void ListeningSocket::release() noexcept {
  if (descriptor_ < 0) return;
  close(descriptor_);
  unlink(path_.c_str());
  descriptor_ = -1;
}

}  // namespace masugata::dataplane::control
