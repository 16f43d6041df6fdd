// SPDX-License-Identifier: GPL-2.0-or-later
// What a gateway made of a frame, in a form in which two gateways can be compared.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tests/differential/traffic.h"

namespace masugata::test {

struct OutputFrame {
  std::string port;
  bool to_kernel = false;  // handed to the gateway's own stack
  std::vector<uint8_t> bytes;
};

struct Outcome {
  // One line per packet that came out, fragments put together, what each side chooses freely left
  // out: translated source ports, and in packets that the gateway wrote itself TTL, identification,
  // window and the length of a quote. Sorted. "local" for a packet to the gateway itself.
  std::vector<std::string> lines;
  std::vector<std::string> drop_reasons;  // Masugata only

  [[nodiscard]] bool same_as(const Outcome& other) const { return lines == other.lines; }
  [[nodiscard]] bool nothing() const { return lines.empty(); }
  [[nodiscard]] bool dropped_for(const std::string& reason) const;
  // Any line contains the text.
  [[nodiscard]] bool says(const std::string& text) const;
  [[nodiscard]] std::string text() const;
};

// `ingress`: where the frame came in. Packets that leave there again were written by the gateway.
[[nodiscard]] Outcome make_outcome(const std::vector<OutputFrame>& output, const TrafficFlow& flow,
                                   size_t side, const std::string& ingress);

// Remembers how the flow looks beyond the gateway, from a packet of its client that came out.
void observe(TrafficFlow& flow, size_t side, const std::vector<OutputFrame>& output);

}  // namespace masugata::test
