// SPDX-License-Identifier: GPL-2.0-or-later
// What measuring a tunnel's path has found, beside what the tunnel does.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "ipsec/diagnosis/failure.h"
#include "ipsec/diagnosis/path_search.h"
#include "net/address.h"

namespace masugata::ipsec {

// Sizes are of inner packets where nothing else is said.
struct PathReport {
  std::string site;
  std::string peer;                        // outer address
  net::Family family = net::Family::Ipv4;  // of the inner packets
  PathFinding finding;
  std::vector<std::string> asked;  // who was asked at first
  std::string answered_by;         // an address; of an error, who sent it
  uint16_t lets_in_bytes = 0;      // the tunnel's MTU at the end
  uint16_t configured_mtu = 0;     // 0: none
  uint16_t mss_ipv4 = 0;           // what TCP's segments are clamped to at the end
  uint16_t mss_ipv6 = 0;
  uint16_t outer_passes_bytes = 0;  // the outer packet of finding.passes_bytes
  uint16_t interface_mtu = 0;       // below the tunnel
  std::string interface;            // its name
  uint16_t router_said_bytes = 0;   // largest outer packet by an ICMP error; 0: none came

  // Packets that the tunnel lets in get lost, and nobody says so.
  [[nodiscard]] bool black_hole() const noexcept {
    return finding.answered && finding.steady && finding.fails_bytes != 0 &&
           finding.passes_bytes < lets_in_bytes;
  }
};

// Of one tunnel's reports the one with a black hole that lets least through; nullptr: none has.
[[nodiscard]] const PathReport* black_hole_of(const std::vector<PathReport>& reports);

// The black hole as a failure; `now` in seconds since 1970.
[[nodiscard]] Failure failure_of(const PathReport& report, int64_t now);

}  // namespace masugata::ipsec
