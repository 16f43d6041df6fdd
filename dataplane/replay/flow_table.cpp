// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/replay/flow_table.h"

#include <algorithm>
#include <utility>

namespace masugata::dataplane {
namespace {

constexpr uint64_t kSecond_us = 1'000'000;
// Identifiers stay below 2^51, so that readers of JSON who keep numbers as doubles lose nothing; an
// odd factor makes them look unrelated and never the same twice.
constexpr uint64_t kIdentifierMask = (1ULL << 51U) - 1;
constexpr uint64_t kIdentifierFactor = 0x2545f4914f6cdd1dULL;

}  // namespace

FlowTable::Identity FlowTable::identify(const net::FlowKey& key,
                                        const uint16_t (&vlan)[2]) noexcept {
  const auto ends = [](const net::FlowKey& of) {
    return std::pair(of.source, of.source_port.host());
  };
  const net::FlowKey reversed = key.reversed();
  Identity identity;
  identity.key = ends(reversed) < ends(key) ? reversed : key;
  identity.vlan = static_cast<uint32_t>(vlan[0]) << 16U | vlan[1];
  return identity;
}

ReplayFlow* FlowTable::find(const net::FlowKey& key, const uint16_t (&vlan)[2]) noexcept {
  const auto found = flows_.find(identify(key, vlan));
  return found == flows_.end() ? nullptr : found->second.get();
}

ReplayFlow& FlowTable::open(const net::FlowKey& key, const uint16_t (&vlan)[2], uint64_t time_us) {
  auto flow = std::make_unique<ReplayFlow>();
  flow->key = key;
  flow->vlan[0] = vlan[0];
  flow->vlan[1] = vlan[1];
  flow->is_ipv6 = !key.source.is_v4();
  flow->order = ++opened_;
  flow->id = opened_ * kIdentifierFactor & kIdentifierMask;
  flow->start_us = flow->last_us = time_us;
  return *flows_.insert_or_assign(identify(key, vlan), std::move(flow)).first->second;
}

bool FlowTable::timed_out(const ReplayFlow& flow, uint64_t time_us) const noexcept {
  uint64_t limit_s = 0;
  if (flow.tcp) {
    limit_s = settings_.tcp_new_timeout_s;
    const TcpConversation::State state = flow.tcp->conversation.state();
    if (state == TcpConversation::State::Established) {
      limit_s = settings_.tcp_established_timeout_s;
    } else if (state == TcpConversation::State::Closed) {
      limit_s = settings_.tcp_closed_timeout_s;
    }
  } else {
    const bool both = flow.packets[0] != 0 && flow.packets[1] != 0;
    limit_s = both ? settings_.other_established_timeout_s : settings_.other_new_timeout_s;
  }
  return time_us > flow.last_us && time_us - flow.last_us > limit_s * kSecond_us;
}

std::vector<ReplayFlow*> FlowTable::all() const {
  std::vector<ReplayFlow*> flows;
  flows.reserve(flows_.size());
  for (const auto& [identity, flow] : flows_) flows.push_back(flow.get());
  std::sort(flows.begin(), flows.end(), [](const ReplayFlow* left, const ReplayFlow* right) {
    return left->order < right->order;
  });
  return flows;
}

std::vector<ReplayFlow*> FlowTable::all_timed_out(uint64_t time_us) const {
  std::vector<ReplayFlow*> flows = all();
  std::erase_if(flows, [&](const ReplayFlow* flow) { return !timed_out(*flow, time_us); });
  return flows;
}

ReplayFlow* FlowTable::idle_longest() const noexcept {
  ReplayFlow* oldest = nullptr;
  for (const auto& [identity, flow] : flows_) {
    const bool older = oldest == nullptr || std::pair(flow->last_us, flow->order) <
                                                std::pair(oldest->last_us, oldest->order);
    if (older) oldest = flow.get();
  }
  return oldest;
}

void FlowTable::erase(ReplayFlow& flow) noexcept { flows_.erase(identify(flow.key, flow.vlan)); }

}  // namespace masugata::dataplane
