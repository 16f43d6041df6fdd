// SPDX-License-Identifier: GPL-2.0-or-later
// One TAP interface of the kernel, held open.
#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "net/address.h"
#include "result/result.h"

namespace masugata::dataplane {

// Frames without packet information or virtio header (IFF_NO_PI), no offloads: what is read has
// complete checksums. Non-blocking. The interface lives as long as the object. Any one thread.
class TapDevice {
 public:
  // Creates the interface in the network namespace of the calling thread and sets its MAC. It is
  // left down: KernelInterface::apply() brings it up. Fault: no right (CAP_NET_ADMIN), name taken,
  // no /dev/net/tun.
  static Result<TapDevice> create(const std::string& name, const net::MacAddress& mac);

  TapDevice() = default;
  ~TapDevice();
  TapDevice(TapDevice&& other) noexcept;
  TapDevice& operator=(TapDevice&& other) noexcept;

  // One Ethernet frame in pieces to the kernel. False: refused (interface down, queue full).
  [[nodiscard]] bool write(std::span<const iovec> pieces) noexcept;
  // One frame from the kernel. 0: nothing there; longer frames are cut off by the kernel.
  [[nodiscard]] std::size_t read(std::span<uint8_t> buffer) noexcept;
  // Shows the kernel whether the port has a link; it takes routes over a dead one out of
  // equal-cost sets and routing daemons see it. Control thread.
  Status set_carrier(bool carrier);
  [[nodiscard]] int descriptor() const noexcept { return descriptor_; }
  [[nodiscard]] const std::string& name() const noexcept { return name_; }

 private:
  int descriptor_ = -1;
  std::string name_;
};

}  // namespace masugata::dataplane
