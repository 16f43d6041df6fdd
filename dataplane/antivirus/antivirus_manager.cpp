// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/antivirus/antivirus_manager.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <sstream>

namespace masugata::dataplane {
namespace {

constexpr uint64_t kSecondsPerMinute = 60;
// References begin with the time of the start: they do not repeat unless a worker has more than so
// many a second for as long as it runs. Counted from 2026 to keep them short.
constexpr uint64_t kReferencesPerSecond = 100;
constexpr uint64_t kFirstSecond = 1'767'225'600;

Result<av::BlockPage> read_page(const std::string& path) {
  if (path.empty()) return av::BlockPage();
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  if (!file) return failure("av block-page " + path, "the file cannot be read");
  auto page = av::BlockPage::parse(text.str());
  if (!page) {
    return failure(fmt::format("av block-page {}: {}", path, page.error().where),
                   page.error().what);
  }
  return page;
}

}  // namespace

AntivirusManager::AntivirusManager(AntivirusTargets targets)
    : targets_(std::move(targets)), urls_(targets_.url_secret) {}

AntivirusManager::~AntivirusManager() {
  if (targets_.publication != nullptr) targets_.publication->store(nullptr);
}

uint64_t AntivirusManager::now_s() const {
  return static_cast<uint64_t>(seconds_of(targets_.wall_clock()));
}

Status AntivirusManager::check(const config::AntivirusSettings& settings) const {
  size_t names = names_.size();
  for (const config::AvProfile& profile : settings.profiles) {
    names += std::find(names_.begin(), names_.end(), profile.name) == names_.end() ? 1U : 0U;
  }
  if (names > kMaximumAntivirusSlots) {
    return failure("av", fmt::format("more than {} different profiles since the start of "
                                     "masugatad: restart it",
                                     kMaximumAntivirusSlots));
  }
  if (auto page = read_page(settings.block_page); !page) return tl::unexpected(page.error());
  return {};
}

Status AntivirusManager::configure(const config::AntivirusSettings& settings) {
  auto page = read_page(settings.block_page);
  if (!page) return tl::unexpected(page.error());
  for (const config::AvProfile& profile : settings.profiles) {
    if (std::find(names_.begin(), names_.end(), profile.name) == names_.end()) {
      names_.push_back(profile.name);
    }
  }
  if (names_.empty()) return {};
  ObjectGuardLimits limits = targets_.limits;
  const uint64_t second = now_s();
  limits.first_reference =
      second > kFirstSecond ? (second - kFirstSecond) * kReferencesPerSecond + 1 : 1;
  const uint64_t bytes = uint64_t{settings.memory_megabytes} << 20U;
  limits.blocks =
      static_cast<uint32_t>(bytes / av::kBlockBytes / std::max<size_t>(targets_.guards.size(), 1));
  for (size_t worker = 0; worker < targets_.guards.size(); ++worker) {
    if (Status ready = targets_.guards[worker]->prepare(limits, static_cast<uint16_t>(worker));
        !ready) {
      return ready;
    }
  }
  auto next = std::make_unique<AntivirusSet>();
  next->slots.resize(names_.size());
  for (size_t slot = 0; slot < names_.size(); ++slot) {
    if (running_ != nullptr && slot < running_->slots.size()) {
      next->slots[slot] = running_->slots[slot];
    }
    for (const config::AvProfile& profile : settings.profiles) {
      if (profile.name == names_[slot]) next->slots[slot] = profile;
    }
  }
  next->choices = generation_ + 1;
  next->url_secret = targets_.url_secret;
  next->remembers_urls = settings.blocked_url_minutes != 0;
  next->blocked_urls = urls_.snapshot();
  next->page = std::move(*page);
  settings_ = settings;
  publish(std::move(next));
  return {};
}

std::vector<AntivirusSlotIndex> AntivirusManager::slots_of(
    const std::vector<config::InspectionProfile>& profiles) const {
  std::vector<AntivirusSlotIndex> slots;
  for (const config::InspectionProfile& profile : profiles) {
    const auto found = std::find(names_.begin(), names_.end(), profile.av);
    slots.push_back(profile.av.empty() || found == names_.end()
                        ? kNoAntivirusSlot
                        : static_cast<AntivirusSlotIndex>(found - names_.begin()));
  }
  return slots;
}

void AntivirusManager::publish(std::unique_ptr<AntivirusSet> next) {
  next->generation = ++generation_;
  targets_.publication->store(next.get(), std::memory_order_release);
  if (running_ != nullptr) retired_.push_back({std::move(running_), next->generation});
  running_ = std::move(next);
}

void AntivirusManager::publish_urls() {
  urls_changed_ = false;
  auto next = std::make_unique<AntivirusSet>(*running_);
  next->blocked_urls = urls_.snapshot();
  publish(std::move(next));
}

void AntivirusManager::remember_url(const AntivirusRecord& record) {
  const bool web = record.facts.protocol == ids::ApplicationProtocol::Http &&
                   record.facts.direction == ids::Direction::ToClient;
  if (!web || record.reason != av::RefusalReason::Infected || !running_->remembers_urls ||
      record.action == AntivirusAction::Passed) {
    return;
  }
  av::BlockedUrl url;
  url.host = record.facts.host.view();
  url.location = record.facts.location.view();
  url.signature = record.signature.view();
  url.since_s = now_s();
  url.until_s = url.since_s + settings_.blocked_url_minutes * kSecondsPerMinute;
  url.reference = record.reference;
  urls_.add(std::move(url));
  urls_changed_ = true;
}

void AntivirusManager::take_records() {
  // As many as a ring holds, from each.
  constexpr size_t kMost = 256;
  AntivirusRecord record;
  for (size_t worker = 0; worker < targets_.guards.size(); ++worker) {
    ObjectGuard& guard = *targets_.guards[worker];
    for (size_t count = 0; count < kMost && guard.records().pop(record); ++count) {
      remember_url(record);
      for (const Listener& listener : listeners_) listener(worker, record);
      // The ring back is as large as the one here: it has room for what came out of this one.
      if (record.object.bytes != 0) (void)guard.give_back(record.object);
    }
  }
}

void AntivirusManager::tick() {
  const auto adopted = [this](const ObjectGuard* guard) {
    return static_cast<int32_t>(guard->adopted() - retired_.front().replaced_by) >= 0;
  };
  while (!retired_.empty() &&
         std::all_of(targets_.guards.begin(), targets_.guards.end(), adopted)) {
    retired_.erase(retired_.begin());
  }
  if (running_ == nullptr) return;
  take_records();
  if (urls_.expire(now_s())) urls_changed_ = true;
  if (urls_changed_) publish_urls();
}

const std::string& AntivirusManager::name_of(AntivirusSlotIndex slot) const {
  static const std::string kNone;
  return slot < names_.size() ? names_[slot] : kNone;
}

size_t AntivirusManager::clear_blocked_urls(std::string_view text) {
  const size_t cleared = urls_.clear(text);
  if (cleared != 0 && running_ != nullptr) publish_urls();
  return cleared;
}

}  // namespace masugata::dataplane
