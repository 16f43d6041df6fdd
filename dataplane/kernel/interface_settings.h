// SPDX-License-Identifier: GPL-2.0-or-later
// The sysctls of a twin that keep the kernel from doing the gateway's work behind its back.
#pragma once

#include <cstdint>
#include <string>

#include "result/result.h"

namespace masugata::dataplane {

// What must hold for every twin, and why, stands in interface_settings.cpp and in
// docs/decisions/0005. Control thread.
class InterfaceSettings {
 public:
  // `root` is "/proc/sys"; empty: nothing is read or written.
  explicit InterfaceSettings(std::string root) : root_(std::move(root)) {}

  // Writes what differs. Returns how many had to be changed. Fault: a setting that matters cannot
  // be written. A family that the kernel lacks is skipped.
  [[nodiscard]] Result<uint32_t> enforce(const std::string& link) const;

 private:
  std::string root_;
};

}  // namespace masugata::dataplane
