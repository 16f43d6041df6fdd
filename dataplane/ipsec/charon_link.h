// SPDX-License-Identifier: GPL-2.0-or-later
// The socket on which charon's plugin brings SAs, in the gateway's event loop.
#pragma once

#include <memory>
#include <string>

#include "dataplane/control/event_loop.h"
#include "dataplane/control/listening_socket.h"
#include "dataplane/ipsec/ipsec_manager.h"
#include "ipsec/sa/sa_socket.h"
#include "result/result.h"

namespace masugata::dataplane {

// Control thread. `loop` and `manager` outlive it.
class CharonLink {
 public:
  CharonLink(control::EventLoop& loop, IpsecManager& manager) : loop_(loop), manager_(manager) {}
  ~CharonLink();
  CharonLink(const CharonLink&) = delete;
  CharonLink& operator=(const CharonLink&) = delete;

  // Listens at `path`, with mode 0600, from the first call on.
  [[nodiscard]] Status listen(const std::string& path);
  [[nodiscard]] bool listens() const noexcept { return socket_ != nullptr; }

 private:
  control::EventLoop& loop_;
  IpsecManager& manager_;
  std::unique_ptr<control::ListeningSocket> listener_;
  std::unique_ptr<ipsec::SaSocket> socket_;
};

}  // namespace masugata::dataplane
