// SPDX-License-Identifier: GPL-2.0-or-later
// A worker's door to the kernel, as the stages see it.
#pragma once

#include <cstdint>

struct rte_mbuf;

namespace masugata::dataplane {

// Used by one worker alone. No system call, no lock. Implemented by ExceptionPort; tests put their
// own behind it.
class KernelPort {
 public:
  KernelPort() = default;
  KernelPort(const KernelPort&) = default;
  KernelPort& operator=(const KernelPort&) = default;
  virtual ~KernelPort() = default;

  // Hands a frame to the kernel's twin; takes the mbuf when true.
  [[nodiscard]] virtual bool punt(uint16_t twin, rte_mbuf* frame) noexcept = 0;
  // Frames that the kernel sends, ready for the wire, mbuf->port set; the caller owns them.
  [[nodiscard]] virtual uint16_t receive(rte_mbuf** frames, uint16_t maximum) noexcept = 0;
};

}  // namespace masugata::dataplane
