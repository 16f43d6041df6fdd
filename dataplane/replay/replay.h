// SPDX-License-Identifier: GPL-2.0-or-later
// A capture through the inspection engine, on the capture's own time: decode, flows, streams,
// inspection. What it reports goes to the sink.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "dataplane/replay/capture_file.h"
#include "dataplane/replay/flow_table.h"
#include "dataplane/replay/packet_decoder.h"
#include "dataplane/replay/replay_settings.h"
#include "dataplane/session/mapped_memory.h"
#include "dataplane/stream/stream_memory.h"
#include "ids/engine/inspection_engine.h"
#include "ids/eve/event_sink.h"
#include "ids/plan/detection_plan.h"
#include "result/result.h"

namespace masugata::dataplane {

struct ReplayCounts {
  uint64_t frames = 0;
  uint64_t bytes = 0;    // of frames
  uint64_t packets = 0;  // inner packets and whole datagrams included
  uint64_t dropped = 0;  // packets that a gateway would not have forwarded
  uint64_t flows = 0;
  uint64_t wrong_checksums = 0;
  uint64_t uninspected_flows = 0;  // the engine's bound was met
};

// Thread: one at a time. Deterministic: the same capture, plan and settings report the same.
class Replay final : private PacketReceiver {
 public:
  // `sink` outlives the replay; `plan` may be null (no rules).
  Replay(const ReplaySettings& settings, const ids::DetectionPlan* plan, ids::EventSink& sink);
  Replay(const Replay&) = delete;
  Replay& operator=(const Replay&) = delete;
  ~Replay() override;

  // Runs a whole file; may be called again for the next one. Fails where the file is damaged, with
  // what came before inspected.
  [[nodiscard]] Status run(const std::string& path);
  // Runs one frame, for captures that are in memory.
  void take(const CapturedFrame& captured);
  // Ends all flows. Call once, after the last file.
  void finish();

  [[nodiscard]] const ReplayCounts& counts() const noexcept { return counts_; }
  // For its counters and the costs of rules.
  [[nodiscard]] ids::InspectionEngine& engine() noexcept { return engine_; }

 private:
  void receive(DecodedPacket& packet) override;
  void judge(DecodedPacket& packet);
  void receive_tcp(DecodedPacket& packet, ReplayFlow& flow);
  void receive_other(DecodedPacket& packet, ReplayFlow& flow);
  [[nodiscard]] ReplayFlow* flow_of(const DecodedPacket& packet);
  // The flow that an ICMP error tells about, null: of none. Sets the packet's direction.
  [[nodiscard]] ReplayFlow* quoted_flow(ids::PacketFacts& facts);
  [[nodiscard]] ReplayFlow* open_flow(const DecodedPacket& packet);
  void end_flow(ReplayFlow& flow, std::string_view reason);
  void expire(uint64_t time_us);
  void begin_inspection(ReplayFlow& flow, bool midstream);
  [[nodiscard]] bool apply_midstream_policy(const DecodedPacket& packet, ReplayFlow& flow,
                                            bool taken);
  // True: the packet goes on.
  bool inspect(const ids::PacketFacts& facts, ReplayFlow* flow, bool established);
  void drop(const ids::PacketFacts& facts, std::string_view reason);
  void note_expected_data(const ReplayFlow& flow, uint64_t time_us);
  void raise(ids::PacketFacts& facts, std::string_view stream_event) const noexcept;

  struct Expectation {
    ids::ProtocolParser::ExpectedData data;
    uint64_t until_us = 0;
  };

  ReplaySettings settings_;
  StreamSettings stream_settings_;
  ids::EventSink& sink_;
  MappedMemory memory_source_;
  StreamMemory memory_;
  ids::InspectionEngine engine_;
  FlowTable flows_;
  PacketDecoder decoder_;
  ReplayCounts counts_;
  std::vector<Expectation> expectations_;
  std::vector<ids::StreamBytes> pieces_;  // of the packet at hand
  std::vector<uint8_t> segment_;          // its payload where streams may rewrite it
  bool dropped_inside_ = false;           // a packet inside the frame at hand
  uint64_t now_us_ = 0;
  uint64_t expired_at_us_ = 0;
};

}  // namespace masugata::dataplane
