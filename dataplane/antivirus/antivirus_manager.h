// SPDX-License-Identifier: GPL-2.0-or-later
// By what objects are judged: gives profiles their slots, publishes choices and blocked URLs, takes
// the workers' records.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "av-stream/verdicts/blocked_urls.h"
#include "config/model.h"
#include "dataplane/antivirus/antivirus_record.h"
#include "dataplane/antivirus/antivirus_set.h"
#include "dataplane/antivirus/object_guard.h"
#include "dataplane/profile_slots.h"
#include "dataplane/published_set.h"
#include "dataplane/wall_clock.h"
#include "result/result.h"

namespace masugata::dataplane {

// Everything outlives the manager.
struct AntivirusTargets {
  std::atomic<const AntivirusSet*>* publication = nullptr;
  std::vector<ObjectGuard*> guards;  // by worker
  ObjectGuardLimits limits;          // of a worker; `blocks` follow from the configuration
  WallClock wall_clock = system_wall_time;
  net::SipHashKey url_secret;
};

// Control thread.
class AntivirusManager {
 public:
  explicit AntivirusManager(AntivirusTargets targets);
  AntivirusManager(const AntivirusManager&) = delete;
  AntivirusManager& operator=(const AntivirusManager&) = delete;

  // Before a configuration is published: can `settings` be carried out? Changes nothing.
  [[nodiscard]] Status check(const config::AntivirusSettings& settings) const;
  // Takes memory at the first profile, publishes the choices. Before the configuration that needs
  // the slots is published. What memory there is does not change while the gateway runs.
  Status configure(const config::AntivirusSettings& settings);

  // The slots of a policy's inspection profiles, by index.
  [[nodiscard]] std::vector<AntivirusSlotIndex> slots_of(
      const std::vector<config::InspectionProfile>& profiles) const;

  // Who is told of each record, in turn, on the control thread: log, notices, quarantine. The
  // record's object can be read through the region of `worker` during the call.
  using Listener = std::function<void(size_t worker, const AntivirusRecord& record)>;
  void add_listener(Listener listener) { listeners_.push_back(std::move(listener)); }

  // Takes what workers have recorded, ends blocked URLs whose time is over, frees what nobody
  // reads. About ten times a second.
  void tick();

  [[nodiscard]] const std::string& name_of(AntivirusSlotIndex slot) const;
  [[nodiscard]] const std::vector<ObjectGuard*>& guards() const noexcept { return targets_.guards; }
  [[nodiscard]] bool is_active() const noexcept { return published_.running() != nullptr; }
  [[nodiscard]] const config::AntivirusSettings& settings() const noexcept { return settings_; }

  [[nodiscard]] std::vector<av::BlockedUrl> blocked_urls() const { return urls_.list(); }
  // How many went; see av::BlockedUrls::clear().
  size_t clear_blocked_urls(std::string_view text);

 private:
  void publish_urls();
  void take_records();
  void remember_url(const AntivirusRecord& record);
  [[nodiscard]] uint64_t now_s() const;

  AntivirusTargets targets_;
  config::AntivirusSettings settings_;
  ProfileSlots slots_{"av", kMaximumAntivirusSlots};
  PublishedSet<AntivirusSet> published_;
  av::BlockedUrls urls_;
  bool urls_changed_ = false;
  std::vector<Listener> listeners_;
};

}  // namespace masugata::dataplane
