// SPDX-License-Identifier: GPL-2.0-or-later
// Events as lines of EVE JSON, with the names that Suricata 8 gives the fields, so that what reads
// its logs reads ours.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "ids/eve/event_sink.h"
#include "ids/eve/json_writer.h"
#include "ids/eve/line_sink.h"

namespace masugata::ids {

struct EveOptions {
  bool alert = true;
  bool drop = true;
  bool flow = true;
  bool http = true;
  bool dns = true;
  bool tls = true;
  bool ssh = true;
  bool smtp = true;
  bool ftp = true;
  bool fileinfo = true;
  bool anomaly = true;
  // With alerts:
  bool metadata = true;  // the flow's counters and what its protocol says
  bool rule_text = false;
  bool payload = false;            // base64
  bool payload_printable = false;  // with dots for what is not
  bool packet = false;             // the frame, base64
  uint32_t payload_bytes = 4096;   // more is left out
  bool community_id = false;
  uint16_t community_id_seed = 0;
};

struct EveCounts {
  uint64_t lines = 0;
  uint64_t too_long = 0;  // events that did not fit into kLineBytes, left out
};

// Thread: the engine's worker. One buffer, taken once; nothing else is allocated. Lines beyond
// kLineBytes are left out and counted.
class EveFormatter final : public EventSink {
 public:
  static constexpr size_t kLineBytes = 256 * 1024;

  // `lines` outlives the formatter.
  EveFormatter(const EveOptions& options, LineSink& lines);

  void alert(const AlertEvent& event) noexcept override;
  void drop(const PacketFacts& packet, const EventFlow* flow, const Rule* rule,
            std::string_view reason) noexcept override;
  void transaction(Transaction& transaction, const PacketFacts* packet, const EventFlow& flow,
                   Direction direction) noexcept override;
  void file(const TransferredFile& file, Transaction& transaction,
            const EventFlow& flow) noexcept override;
  void anomaly(EventKind kind, std::string_view name, const PacketFacts* packet,
               const EventFlow* flow) noexcept override;
  // A "packet" event, reported if alerts are; it always holds the frame.
  void tagged_packet(const PacketFacts& packet, const EventFlow* flow) noexcept override;
  void flow_ended(const EventFlow& flow, std::string_view reason) noexcept override;

  // For the events from now on; between calls of the sink.
  void set_options(const EveOptions& options) noexcept { options_ = options; }
  [[nodiscard]] const EveCounts& counts() const noexcept { return counts_; }

 private:
  // Whose addresses an event has.
  struct Endpoints {
    const net::FlowKey* key = nullptr;
    uint64_t time_us = 0;
    const PacketFacts* packet = nullptr;
    const EventFlow* flow = nullptr;
  };
  void begin(std::string_view type, const Endpoints& endpoints) noexcept;
  void end() noexcept;
  void write_addresses(const Endpoints& endpoints) noexcept;
  void write_rule(const AlertEvent& event) noexcept;
  void write_packet_bytes(const AlertEvent& event) noexcept;
  void write_frame(const PacketFacts& packet) noexcept;
  void write_application(const EventFlow& flow) noexcept;
  void write_flow_counters(const EventFlow& flow, bool addresses) noexcept;
  void write_flow_end(const EventFlow& flow, std::string_view reason) noexcept;
  void write_dropped_headers(const PacketFacts& packet) noexcept;
  [[nodiscard]] bool wants(ApplicationProtocol protocol) const noexcept;

  EveOptions options_;
  LineSink& lines_;
  std::vector<char> buffer_;
  JsonWriter json_;
  EveCounts counts_;
};

}  // namespace masugata::ids
