// SPDX-License-Identifier: GPL-2.0-or-later
// Counts what the engine reports and passes it on.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "ids/eve/event_sink.h"

namespace masugata::dataplane {

// Alerts of one rule.
struct AlertCount {
  uint64_t alerts = 0;
  uint64_t blocked = 0;
  std::string message;
};

// Thread: the replay's. Grows with the number of rules that alert.
class AlertCounter final : public ids::EventSink {
 public:
  using RuleName = std::pair<uint32_t, uint32_t>;  // gid, sid

  // `next` may be null; else it outlives the counter.
  explicit AlertCounter(ids::EventSink* next) noexcept : next_(next) {}

  void alert(const ids::AlertEvent& event) noexcept override;
  void drop(const ids::PacketFacts& packet, const ids::EventFlow* flow, const ids::Rule* rule,
            std::string_view reason) noexcept override;
  void transaction(ids::Transaction& transaction, const ids::PacketFacts* packet,
                   const ids::EventFlow& flow, ids::Direction direction) noexcept override;
  void file(const ids::TransferredFile& file, ids::Transaction& transaction,
            const ids::EventFlow& flow) noexcept override;
  void anomaly(ids::EventKind kind, std::string_view name, const ids::PacketFacts* packet,
               const ids::EventFlow* flow) noexcept override;
  void flow_ended(const ids::EventFlow& flow, std::string_view reason) noexcept override;

  [[nodiscard]] const std::map<RuleName, AlertCount>& alerts() const noexcept { return alerts_; }
  [[nodiscard]] uint64_t drops() const noexcept { return drops_; }
  [[nodiscard]] const std::map<std::string, uint64_t>& transactions() const noexcept {
    return transactions_;
  }

 private:
  ids::EventSink* next_;
  std::map<RuleName, AlertCount> alerts_;
  std::map<std::string, uint64_t> transactions_;  // by protocol
  uint64_t drops_ = 0;
};

}  // namespace masugata::dataplane
