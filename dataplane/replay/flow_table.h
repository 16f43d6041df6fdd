// SPDX-License-Identifier: GPL-2.0-or-later
// The flows of a capture: both directions together, by addresses, ports, protocol and VLANs.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

#include "dataplane/replay/replay_settings.h"
#include "dataplane/replay/tcp_conversation.h"
#include "dataplane/stream/tcp_stream.h"
#include "ids/direction.h"
#include "ids/engine/inspection_engine.h"
#include "net/flow_key.h"

namespace masugata::dataplane {

// How a flow is treated as a whole, apart from what rules say.
enum class FlowTreatment : uint8_t { Inspect, Pass, Drop };

struct ReplayTcp {
  ReplayTcp(StreamMemory& memory, const StreamSettings& settings,
            const ConversationOptions& options) noexcept
      : conversation(options), streams(std::in_place, memory, settings) {}
  TcpConversation conversation;
  std::optional<TcpStreamPair> streams;  // always there; begun anew by emplace()
};

struct ReplayFlow {
  net::FlowKey key;  // client to server
  uint16_t vlan[2] = {};
  bool is_ipv6 = false;
  uint64_t id = 0;
  uint64_t order = 0;  // 1, 2, .. as they began
  uint64_t start_us = 0;
  uint64_t last_us = 0;
  uint64_t packets[2] = {};
  uint64_t bytes[2] = {};
  FlowTreatment treatment = FlowTreatment::Inspect;
  ids::FlowInspection* inspection = nullptr;
  std::unique_ptr<ReplayTcp> tcp;  // null for other protocols

  [[nodiscard]] ids::Direction direction_of(const net::FlowKey& packet) const noexcept {
    return packet == key ? ids::Direction::ToServer : ids::Direction::ToClient;
  }
};

// Thread: the replay's. At most settings.maximum_flows; at the bound the one idle longest makes
// room, as memory does not grow with hostile captures.
class FlowTable {
 public:
  explicit FlowTable(const ReplaySettings& settings) noexcept : settings_(settings) {}

  [[nodiscard]] ReplayFlow* find(const net::FlowKey& key, const uint16_t (&vlan)[2]) noexcept;
  // Precondition: find() is null and the table is not full().
  [[nodiscard]] ReplayFlow& open(const net::FlowKey& key, const uint16_t (&vlan)[2],
                                 uint64_t time_us);
  [[nodiscard]] bool full() const noexcept { return flows_.size() >= settings_.maximum_flows; }
  [[nodiscard]] uint64_t opened() const noexcept { return opened_; }
  [[nodiscard]] bool timed_out(const ReplayFlow& flow, uint64_t time_us) const noexcept;

  // In the order in which they began.
  [[nodiscard]] std::vector<ReplayFlow*> all() const;
  [[nodiscard]] std::vector<ReplayFlow*> all_timed_out(uint64_t time_us) const;
  [[nodiscard]] ReplayFlow* idle_longest() const noexcept;
  void erase(ReplayFlow& flow) noexcept;

 private:
  struct Identity {
    net::FlowKey key;  // the smaller end first
    uint32_t vlan = 0;
    bool operator==(const Identity&) const noexcept = default;
  };
  struct IdentityHash {
    size_t operator()(const Identity& identity) const noexcept {
      return net::hash_flow(identity.key, net::HashSecret{}) + identity.vlan;
    }
  };
  [[nodiscard]] static Identity identify(const net::FlowKey& key,
                                         const uint16_t (&vlan)[2]) noexcept;

  const ReplaySettings& settings_;
  uint64_t opened_ = 0;
  std::unordered_map<Identity, std::unique_ptr<ReplayFlow>, IdentityHash> flows_;
};

}  // namespace masugata::dataplane
