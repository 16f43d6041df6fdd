// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/inspection/exception_hits.h"

#include <algorithm>

#include "ids/engine/engine_counters.h"

namespace masugata::dataplane {
namespace {

const LoadedProfile* find_loaded(const InspectionManager& manager, const std::string& name) {
  for (const LoadedProfile& profile : manager.report().loaded.profiles) {
    if (profile.name == name) return &profile;
  }
  return nullptr;
}

uint64_t hits_of(const InspectionManager& manager, const std::string& profile, size_t exception) {
  uint64_t hits = 0;
  const InspectionSet* running = manager.running();
  for (size_t slot = 0; running != nullptr && slot < running->slots.size(); ++slot) {
    if (running->slots[slot].name != profile) continue;
    for (const Inspector* inspector : manager.inspectors()) {
      const auto* engine = inspector->engine(static_cast<InspectionSlotIndex>(slot));
      if (engine == nullptr || exception >= engine->counters().exception_hits.size()) continue;
      hits += engine->counters().exception_hits[exception].get();
    }
  }
  return hits;
}

}  // namespace

std::vector<ExceptionHits> exception_hits(const InspectionManager& manager) {
  std::vector<ExceptionHits> result;
  for (const config::IpsProfile& profile : manager.settings().profiles) {
    const LoadedProfile* loaded = find_loaded(manager, profile.name);
    for (const config::IpsException& exception : profile.exceptions) {
      ExceptionHits entry;
      entry.profile = profile.name;
      entry.name = exception.name;
      entry.until = exception.until;
      if (loaded != nullptr) {
        const auto& names = loaded->exceptions;
        const auto found = std::find(names.begin(), names.end(), exception.name);
        entry.holds = found != names.end();
        if (entry.holds) {
          entry.hits = hits_of(manager, profile.name, static_cast<size_t>(found - names.begin()));
        }
      }
      result.push_back(std::move(entry));
    }
  }
  return result;
}

}  // namespace masugata::dataplane
