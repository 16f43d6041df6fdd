// SPDX-License-Identifier: GPL-2.0-or-later
// The Unix socket that the control side listens on.
#pragma once

#include <sys/socket.h>
#include <sys/types.h>

#include <optional>
#include <string>

#include "result/result.h"

namespace masugata::dataplane::control {

inline constexpr const char* kDefaultControlSocket = "/run/masugata/control.sock";

// Owns the descriptor and the path: both go with the object.
class ListeningSocket {
 public:
  // `group` becomes the file's group when given; `mode` its permissions (0660, or 0666 when
  // everybody may read). A socket left by a dead process is replaced; one with a living listener,
  // or any other kind of file, is a fault. Nobody can connect before mode and group are set.
  // `type`: SOCK_STREAM or SOCK_SEQPACKET.
  static Result<ListeningSocket> create(const std::string& path, mode_t mode,
                                        std::optional<gid_t> group, int type = SOCK_STREAM);
  ListeningSocket(ListeningSocket&& other) noexcept;
  ListeningSocket& operator=(ListeningSocket&& other) noexcept;
  ~ListeningSocket();

  [[nodiscard]] int descriptor() const { return descriptor_; }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  ListeningSocket(int descriptor, std::string path)
      : descriptor_(descriptor), path_(std::move(path)) {}
  void release() noexcept;

  int descriptor_ = -1;
  std::string path_;
};

}  // namespace masugata::dataplane::control
