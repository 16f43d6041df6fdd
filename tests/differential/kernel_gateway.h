// SPDX-License-Identifier: GPL-2.0-or-later
// The kernel as a gateway with nftables, in a network namespace of its own: TAP devices as ports,
// frames written and read by the test.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "result/result.h"

namespace masugata::test {

struct KernelPort {
  std::string name;
  std::string mac;
  std::vector<std::string> addresses;  // "10.0.1.1/24"
};

struct KernelFrame {
  std::string port;
  std::vector<uint8_t> bytes;
};

// Moves the calling thread into a new network namespace for good: make one per test program, after
// everything that needs the machine's own network. Forwarding works synchronously inside write(),
// so that the output of a frame can be read as soon as send() returns.
class KernelGateway {
 public:
  // Needs root or unprivileged user namespaces. `settings` are lines for `ip -batch` (routes,
  // neighbours), run after the ports are up. Fault names what the machine does not allow.
  static Result<KernelGateway> create(const std::vector<KernelPort>& ports,
                                      const std::vector<std::string>& settings);
  KernelGateway(KernelGateway&& other) noexcept;
  KernelGateway& operator=(KernelGateway&&) = delete;
  KernelGateway(const KernelGateway&) = delete;
  KernelGateway& operator=(const KernelGateway&) = delete;
  ~KernelGateway();

  // Replaces the rule set and forgets every connection.
  Status load_rules(const std::string& nft_text);

  // A frame arrives at a port.
  Status send(const std::string& port, const std::vector<uint8_t>& frame);

  // What left the ports since the last call, without what the kernel says on its own (multicast
  // listener reports, router solicitations).
  std::vector<KernelFrame> take_output();

 private:
  struct Tap {
    std::string name;
    int descriptor = -1;
  };
  KernelGateway() = default;
  std::vector<Tap> taps_;
};

}  // namespace masugata::test
