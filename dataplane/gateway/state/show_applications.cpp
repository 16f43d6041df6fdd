// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/gateway/state/show_applications.h"

#include <algorithm>
#include <array>

namespace masugata::dataplane {
namespace {

template <class Counters>
struct CounterName {
  const char* name;
  RelaxedCounter Counters::*counter;
};
constexpr std::array<CounterName<IdentifierCounters>, 7> kIdentifierCounters{{
    {"recognised", &IdentifierCounters::recognised},
    {"unknown", &IdentifierCounters::unknown},
    {"refused", &IdentifierCounters::refused},
    {"turned", &IdentifierCounters::turned},
    {"refined", &IdentifierCounters::refined},
    {"exhausted", &IdentifierCounters::exhausted},
    {"denied", &IdentifierCounters::denied},
}};
constexpr std::array<CounterName<LearnerCounters>, 7> kLearnerCounters{{
    {"questions", &LearnerCounters::questions},
    {"answers", &LearnerCounters::answers},
    {"unasked", &LearnerCounters::unasked},
    {"unreadable", &LearnerCounters::unreadable},
    {"learnt", &LearnerCounters::learnt},
    {"replaced", &LearnerCounters::replaced},
    {"not_shared", &LearnerCounters::not_shared},
}};

}  // namespace

control::ApplicationStatus application_status(const std::vector<std::unique_ptr<Worker>>& workers,
                                              const Snapshot& snapshot) {
  control::ApplicationStatus status;
  for (const auto& known : kIdentifierCounters) status.counters.emplace_back(known.name, 0);
  for (const auto& known : kLearnerCounters) status.names.emplace_back(known.name, 0);
  for (const auto& worker : workers) {
    const ApplicationIdentifier& identifier = worker->applications();
    for (size_t i = 0; i < kIdentifierCounters.size(); ++i) {
      status.counters[i].second += (identifier.counters().*kIdentifierCounters[i].counter).get();
    }
    status.flows += identifier.counters().flows.get();
    status.hosts += identifier.counters().hosts.get();
    status.flows_bound += identifier.limits().flows;
    status.hosts_bound += identifier.limits().host_names;
    const LearnerCounters& learner = worker->names().counters();
    for (size_t i = 0; i < kLearnerCounters.size(); ++i) {
      status.names[i].second += (learner.*kLearnerCounters[i].counter).get();
    }
    status.addresses = std::max(status.addresses, learner.addresses.get());
    status.addresses_bound = LearnerLimits().addresses;
  }
  for (const net::IpAddress& resolver : snapshot.trusted_resolvers) {
    status.resolvers.push_back(resolver.to_string());
  }
  return status;
}

}  // namespace masugata::dataplane
