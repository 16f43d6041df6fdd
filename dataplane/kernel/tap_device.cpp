// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/kernel/tap_device.h"

#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace masugata::dataplane {

namespace {

constexpr const char* kTunDevice = "/dev/net/tun";

Result<TapDevice> refused(const std::string& name, const char* what, const char* advice) {
  const std::string reason = std::strerror(errno);
  return tl::unexpected<Fault>(Fault{"twin " + name, std::string(what) + ": " + reason + advice});
}

}  // namespace

Result<TapDevice> TapDevice::create(const std::string& name, const net::MacAddress& mac) {
  if (name.empty() || name.size() >= IFNAMSIZ) {
    return failure("twin " + name, "the name must have 1 to 15 characters");
  }
  TapDevice device;
  device.name_ = name;
  device.descriptor_ = open(kTunDevice, O_RDWR | O_NONBLOCK | O_CLOEXEC);
  if (device.descriptor_ < 0) {
    return refused(name, "cannot open /dev/net/tun", "; the kernel needs its tun driver");
  }
  ifreq request{};
  std::memcpy(request.ifr_name, name.data(), name.size());
  request.ifr_flags = IFF_TAP | IFF_NO_PI;
  if (ioctl(device.descriptor_, TUNSETIFF, &request) != 0) {
    return refused(name, "cannot create the interface",
                   "; it takes CAP_NET_ADMIN and a name that is free");
  }
  request = {};
  std::memcpy(request.ifr_name, name.data(), name.size());
  request.ifr_hwaddr.sa_family = ARPHRD_ETHER;
  std::memcpy(request.ifr_hwaddr.sa_data, mac.bytes.data(), mac.bytes.size());
  if (ioctl(device.descriptor_, SIOCSIFHWADDR, &request) != 0) {
    return refused(name, "cannot set the MAC address", "");
  }
  return device;
}

TapDevice::~TapDevice() {
  if (descriptor_ >= 0) close(descriptor_);
}

TapDevice::TapDevice(TapDevice&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)), name_(std::move(other.name_)) {}

TapDevice& TapDevice::operator=(TapDevice&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  std::swap(name_, other.name_);
  return *this;
}

bool TapDevice::write(std::span<const iovec> pieces) noexcept {
  return writev(descriptor_, pieces.data(), static_cast<int>(pieces.size())) > 0;
}

std::size_t TapDevice::read(std::span<uint8_t> buffer) noexcept {
  const ssize_t length = ::read(descriptor_, buffer.data(), buffer.size());
  if (length <= 0) return 0;
  return std::min(static_cast<std::size_t>(length), buffer.size());
}

Status TapDevice::set_carrier(bool carrier) {
  int value = carrier ? 1 : 0;
  if (ioctl(descriptor_, TUNSETCARRIER, &value) == 0) return {};
  return failure("twin " + name_, std::string("cannot set its carrier: ") + std::strerror(errno));
}

}  // namespace masugata::dataplane
