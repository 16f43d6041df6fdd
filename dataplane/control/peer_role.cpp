// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/control/peer_role.h"

#include <grp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#ifndef SO_PEERGROUPS
#define SO_PEERGROUPS 59
#endif

namespace masugata::dataplane::control {

Result<PeerCredentials> peer_credentials(int socket) {
  ucred credentials{};
  socklen_t length = sizeof credentials;
  if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &credentials, &length) != 0) {
    return failure("control socket", std::string("peer credentials: ") + std::strerror(errno));
  }
  PeerCredentials peer{credentials.uid, credentials.gid, credentials.pid, {}};
  length = 0;
  // The first call says how much room the groups need; a peer without any succeeds at once.
  if (getsockopt(socket, SOL_SOCKET, SO_PEERGROUPS, nullptr, &length) != 0 && errno == ERANGE) {
    peer.supplementary_groups.resize(length / sizeof(gid_t));
    if (getsockopt(socket, SOL_SOCKET, SO_PEERGROUPS, peer.supplementary_groups.data(), &length) !=
        0) {
      peer.supplementary_groups.clear();
    }
  }
  return peer;
}

RoleFunction roles_by_group(std::optional<gid_t> administrators, bool others_may_read) {
  const uid_t own_user = geteuid();
  return [=](const PeerCredentials& peer) -> std::optional<Role> {
    if (peer.user == 0 || peer.user == own_user) return Role::Administrator;
    const auto& groups = peer.supplementary_groups;
    if (administrators &&
        (peer.group == *administrators ||
         std::find(groups.begin(), groups.end(), *administrators) != groups.end())) {
      return Role::Administrator;
    }
    if (others_may_read) return Role::Observer;
    return std::nullopt;
  };
}

std::optional<gid_t> find_group(const std::string& name) {
  group entry{};
  group* found = nullptr;
  std::vector<char> storage(16384);
  if (getgrnam_r(name.c_str(), &entry, storage.data(), storage.size(), &found) != 0 ||
      found == nullptr) {
    return std::nullopt;
  }
  return found->gr_gid;
}

}  // namespace masugata::dataplane::control
