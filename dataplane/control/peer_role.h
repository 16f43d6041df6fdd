// SPDX-License-Identifier: GPL-2.0-or-later
// Who is at the other end of the control socket, and what may they do.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "result/result.h"

namespace masugata::dataplane::control {

// Ordered: an administrator may do everything that an observer may.
enum class Role : uint8_t { Observer, Administrator };

// As the kernel recorded them when the peer connected (SO_PEERCRED, SO_PEERGROUPS).
struct PeerCredentials {
  uid_t user = 0;
  gid_t group = 0;
  pid_t process = 0;
  std::vector<gid_t> supplementary_groups;
};

// nullopt refuses the peer.
using RoleFunction = std::function<std::optional<Role>(const PeerCredentials&)>;

[[nodiscard]] Result<PeerCredentials> peer_credentials(int socket);

// Root, the gateway's own user and members of `administrators` are administrators; others are
// observers when `others_may_read`, refused otherwise. nullopt for the group: root and own user
// only.
[[nodiscard]] RoleFunction roles_by_group(std::optional<gid_t> administrators,
                                          bool others_may_read);

// nullopt when the system has no such group.
[[nodiscard]] std::optional<gid_t> find_group(const std::string& name);

}  // namespace masugata::dataplane::control
