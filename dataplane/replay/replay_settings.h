// SPDX-License-Identifier: GPL-2.0-or-later
// The choices of one replay, and their names for `--set key=value` and settings files.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "ids/engine/inspection_engine.h"
#include "ids/plan/detection_plan.h"
#include "result/result.h"

namespace masugata::dataplane {

// What happens to a TCP connection whose handshake is not in the capture.
enum class MidstreamPolicy : uint8_t {
  Automatic,   // Ignore when only watching, or when midstream pick-up is on; else DropFlow
  Ignore,      // its packets are inspected one by one, its streams are not
  PassPacket,  // as PassFlow, for the packet only
  PassFlow,    // not inspected
  DropPacket,
  DropFlow,
  Reject,
};

struct ReplaySettings {
  bool inline_mode = false;      // drop rules drop; streams are judged as a gateway does
  bool stream_inline = false;    // streams as a gateway judges them, without dropping
  bool verify_checksums = true;  // packets with wrong TCP checksums are no part of streams
  bool midstream = false;        // take TCP connections without their handshake
  bool one_sided = false;        // only one direction of connections is in the capture
  bool exceptions_drop = false;  // what cannot be inspected is dropped, inline
  // Inline, a packet that is dropped inside a tunnel takes the flow of the tunnel with it.
  bool track_parent_flow = false;
  MidstreamPolicy midstream_policy = MidstreamPolicy::Automatic;
  // Of applications that their parsers cannot read; none: DropFlow with `exceptions_drop`, else
  // Ignore.
  std::optional<ids::ParserFailure> parser_failure;
  ids::ActionOrder action_order = ids::kUsualOrder;
  uint16_t vxlan_port = 4789;
  uint16_t geneve_port = 6081;
  uint32_t alerts_per_packet = 15;
  uint32_t maximum_flows = 65536;
  uint32_t stream_memory_bytes = 256U << 20U;
  uint32_t body_limit_bytes = 100 * 1024;  // of each body and file that are inspected
  uint32_t tcp_new_timeout_s = 60;
  uint32_t tcp_established_timeout_s = 600;
  uint32_t tcp_closed_timeout_s = 60;
  uint32_t other_new_timeout_s = 30;
  uint32_t other_established_timeout_s = 300;
  std::map<std::string, std::string> address_variables;  // HOME_NET and its like
  std::map<std::string, std::string> port_variables;
};

// Applies one `key=value`; the keys are listed in the README. Fails with the key in `where`.
[[nodiscard]] Status apply_setting(ReplaySettings& settings, std::string_view key,
                                   std::string_view value);

// Lines `key = value`, '#' begins a comment. Fails with FILE:LINE in `where`.
[[nodiscard]] Status load_settings(ReplaySettings& settings, const std::string& path);

}  // namespace masugata::dataplane
