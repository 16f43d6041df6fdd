// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/ipsec/outbound_choices.h"

#include <algorithm>
#include <tuple>

namespace masugata::dataplane {
namespace {

// The more wanted policy first, as charon and the kernel order them: class, then what an
// administrator says, then the narrower one.
auto order_of(const ipsec::SaPolicy& policy) {
  const auto rank = [](ipsec::PolicyPriority priority) {
    switch (priority) {
      case ipsec::PolicyPriority::Pass:
        return 0;
      case ipsec::PolicyPriority::Usual:
        return 1;
      case ipsec::PolicyPriority::Trap:
        return 2;
      case ipsec::PolicyPriority::Fallback:
        break;
    }
    return 3;
  };
  const bool any_port =
      policy.destination.first_port == 0 && policy.destination.last_port == 0xffff;
  return std::make_tuple(rank(policy.priority), policy.manual_priority,
                         policy.destination.protocol == 0, any_port);
}

// Whether an outbound policy means this SA. SPIs are the peers' choice, and two of them may choose
// the same; policies stay as they are when an SA moves.
bool names(const ipsec::SaPolicy& policy, const ViewedSa& sa) {
  const ipsec::SaName& name = sa.installed->name;
  if (name.direction != ipsec::Direction::Outbound || name.spi != policy.spi) return false;
  if (sa.installed->tunnel_id != policy.tunnel_id) return false;
  return !policy.peer || *policy.peer == name.destination || *policy.peer == sa.outer.remote;
}

OutboundChoice choice_of(const ipsec::SaPolicy& policy, const std::vector<ViewedSa>& sas) {
  OutboundChoice choice;
  choice.source = policy.source;
  choice.destination = policy.destination;
  choice.request_id = policy.request_id;
  for (size_t i = 0; i < sas.size(); ++i) {
    if (names(policy, sas[i])) choice.sa = static_cast<uint16_t>(i);
  }
  return choice;
}

}  // namespace

std::vector<OutboundChoice> outbound_choices(uint32_t tunnel_id,
                                             const std::vector<ipsec::SaPolicy>& policies,
                                             const std::vector<ViewedSa>& sas,
                                             const std::vector<EndingSa>& ending) {
  std::vector<const ipsec::SaPolicy*> outbound;
  for (const ipsec::SaPolicy& policy : policies) {
    if (policy.tunnel_id == tunnel_id && policy.direction == ipsec::PolicyDirection::Outbound &&
        policy.kind == ipsec::PolicyKind::Ipsec) {
      outbound.push_back(&policy);
    }
  }
  std::stable_sort(outbound.begin(), outbound.end(), [](const auto* left, const auto* right) {
    return order_of(*left) < order_of(*right);
  });
  // None, one that ends, one that stays.
  const auto worth = [&](const OutboundChoice& choice) {
    if (choice.sa == kNoSa) return 0;
    const EndingSa sa{tunnel_id, sas[choice.sa].installed->name.spi};
    return std::binary_search(ending.begin(), ending.end(), sa) ? 1 : 2;
  };
  std::vector<OutboundChoice> choices;
  for (const ipsec::SaPolicy* policy : outbound) {
    const OutboundChoice choice = choice_of(*policy, sas);
    const auto same =
        std::find_if(choices.begin(), choices.end(), [&choice](const OutboundChoice& other) {
          return other.source == choice.source && other.destination == choice.destination;
        });
    // At a rekey the policy with the new SPI comes before the one with the old SPI goes: of equal
    // ones the last counts.
    if (same == choices.end()) {
      choices.push_back(choice);
    } else if (choice.sa != kNoSa && worth(choice) >= worth(*same)) {
      *same = choice;
    }
  }
  return choices;
}

}  // namespace masugata::dataplane
