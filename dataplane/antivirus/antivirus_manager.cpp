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
    : targets_(std::move(targets)), published_(targets_.publication), urls_(targets_.url_secret) {}

uint64_t AntivirusManager::now_s() const {
  return static_cast<uint64_t>(seconds_of(targets_.wall_clock()));
}

Status AntivirusManager::check(const config::AntivirusSettings& settings) const {
  if (Status fits = slots_.check(settings.profiles); !fits) return fits;
  if (auto page = read_page(settings.block_page); !page) return tl::unexpected(page.error());
  return {};
}

Status AntivirusManager::configure(const config::AntivirusSettings& settings) {
  auto page = read_page(settings.block_page);
  if (!page) return tl::unexpected(page.error());
  slots_.add_all(settings.profiles);
  if (slots_.size() == 0) return {};
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
  if (published_.running() != nullptr) next->slots = published_.running()->slots;
  next->slots.resize(slots_.size());
  for (const config::AvProfile& profile : settings.profiles) {
    next->slots[*slots_.find(profile.name)] = profile;
  }
  next->choices = published_.next_generation();
  next->url_secret = targets_.url_secret;
  next->remembers_urls = settings.blocked_url_minutes != 0;
  next->blocked_urls = urls_.snapshot();
  next->page = std::move(*page);
  settings_ = settings;
  published_.publish(std::move(next));
  return {};
}

std::vector<AntivirusSlotIndex> AntivirusManager::slots_of(
    const std::vector<config::InspectionProfile>& profiles) const {
  std::vector<AntivirusSlotIndex> slots;
  for (const config::InspectionProfile& profile : profiles) {
    const auto found = profile.av.empty() ? std::nullopt : slots_.find(profile.av);
    slots.push_back(found ? static_cast<AntivirusSlotIndex>(*found) : kNoAntivirusSlot);
  }
  return slots;
}

void AntivirusManager::publish_urls() {
  urls_changed_ = false;
  auto next = std::make_unique<AntivirusSet>(*published_.running());
  next->blocked_urls = urls_.snapshot();
  published_.publish(std::move(next));
}

void AntivirusManager::remember_url(const AntivirusRecord& record) {
  const bool web = record.facts.protocol == ids::ApplicationProtocol::Http &&
                   record.facts.direction == ids::Direction::ToClient;
  if (!web || record.reason != av::RefusalReason::Infected ||
      !published_.running()->remembers_urls || record.action == AntivirusAction::Passed) {
    return;
  }
  av::BlockedUrl url;
  url.host = record.facts.host.view();
  url.location = record.facts.location.view();
  if (record.facts.is_location_cut()) {
    url.key = record.facts.url_key;
    url.location_bytes = record.facts.location_bytes;
  }
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
  published_.free_unread(targets_.guards, [](const AntivirusSet&) {});
  if (!is_active()) return;
  take_records();
  if (urls_.expire(now_s())) urls_changed_ = true;
  if (urls_changed_) publish_urls();
}

const std::string& AntivirusManager::name_of(AntivirusSlotIndex slot) const {
  static const std::string kNone;
  return slot < slots_.size() ? slots_.names()[slot] : kNone;
}

size_t AntivirusManager::clear_blocked_urls(std::string_view text) {
  const size_t cleared = urls_.clear(text);
  if (cleared != 0 && is_active()) publish_urls();
  return cleared;
}

}  // namespace masugata::dataplane
