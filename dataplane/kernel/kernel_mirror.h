// SPDX-License-Identifier: GPL-2.0-or-later
// Follows the kernel's links, addresses, routes and neighbours by netlink and mirrors them into the
// forwarding tables; tells the kernel what the configuration wants.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "dataplane/forwarding/publisher.h"
#include "dataplane/kernel/kernel_interface.h"
#include "result/result.h"

namespace masugata::dataplane {

struct KernelMirrorSettings {
  // Bytes that the kernel may queue for us before it throws messages away (then we dump again).
  uint32_t receive_buffer_bytes = 4U << 20U;
  // Messages of one process_events() call.
  uint32_t messages_per_call = 4096;
  // Sysctls are written below this folder; a test may point it elsewhere, empty = never.
  std::string sysctl_root = "/proc/sys";
};

// The kernel of the network namespace in which create() was called. Mirrored are the tables main
// and local of both families. Of several routes to one prefix the best wins as in the kernel:
// local before main, then the lowest metric. A route whose devices are all foreign (no twin)
// becomes Unreachable unless there is a better one: packets must not leak to a shorter prefix.
class KernelMirror final : public KernelInterface {
 public:
  // `publisher` outlives the mirror. Nothing is mirrored before the first apply().
  static Result<std::unique_ptr<KernelMirror>> create(const KernelMirrorSettings& settings,
                                                      ForwardingPublisher& publisher);
  ~KernelMirror() override;
  KernelMirror(const KernelMirror&) = delete;
  KernelMirror& operator=(const KernelMirror&) = delete;

  Status apply(const KernelConfiguration& configuration) override;
  // Of one twin, until the next apply().
  Status set_mtu(InterfaceIndex interface, uint16_t mtu);
  [[nodiscard]] int event_descriptor() const noexcept override;
  Status process_events() override;
  Status tick(uint32_t now_ms) override;
  void resolve(uint16_t interface, const net::IpAddress& address) override;
  [[nodiscard]] KernelStatistics statistics() const noexcept override;

 private:
  class Implementation;
  explicit KernelMirror(std::unique_ptr<Implementation> implementation) noexcept;
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace masugata::dataplane
