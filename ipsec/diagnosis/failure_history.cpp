// SPDX-License-Identifier: GPL-2.0-or-later
#include "ipsec/diagnosis/failure_history.h"

#include <algorithm>

namespace masugata::ipsec {
namespace {

bool is_power_of_ten(uint64_t count) {
  while (count >= 10 && count % 10 == 0) count /= 10;
  return count == 1;
}

bool about_certificate(FailureKind kind) {
  return kind >= FailureKind::CertificateExpired && kind <= FailureKind::CertificateConstraint;
}

bool about_authentication(FailureKind kind) {
  return kind == FailureKind::Secret || kind == FailureKind::CertificateName ||
         kind == FailureKind::CertificateConstraint;
}

// What a tunnel that is up says about itself, rather than what keeps it down.
bool concerns_tunnel_that_is_up(FailureKind kind) {
  return kind == FailureKind::NetworksNarrowed || kind == FailureKind::PathMtu ||
         kind == FailureKind::OneDirection || kind == FailureKind::PfsGroup;
}

}  // namespace

bool FailureHistory::is_consequence(const std::vector<Entry>& entries, const Failure& failure) {
  if (!about_authentication(failure.kind)) return false;
  return std::any_of(entries.begin(), entries.end(), [&failure](const Entry& entry) {
    return about_certificate(entry.failure.kind) && entry.failure.kind != failure.kind &&
           entry.failure.ike_id == failure.ike_id &&
           failure.last - entry.failure.last <= kConsequenceSeconds;
  });
}

FailureHistory::Added FailureHistory::add(Failure failure) {
  if (sites_.size() >= kSites && !sites_.contains(failure.site)) return {};
  std::vector<Entry>& entries = sites_[failure.site];
  if (is_consequence(entries, failure)) return {};
  const auto known = std::find_if(entries.begin(), entries.end(), [&failure](const Entry& entry) {
    return entry.failure.same_cause(failure);
  });
  if (known == entries.end()) {
    const size_t bound = failure.site.empty() ? kStrangers : kPerSite;
    if (entries.size() >= bound) entries.erase(entries.begin());
    entries.push_back({std::move(failure), true});
    return {&entries.back().failure, !entries.back().failure.provisional};
  }
  Entry entry = std::move(*known);
  entries.erase(known);
  const bool returned = !entry.standing;
  const bool became_final = entry.failure.provisional && !failure.provisional;
  if (!failure.provisional && !became_final) ++entry.failure.count;
  entry.failure.provisional = entry.failure.provisional && failure.provisional;
  entry.failure.last = failure.last;
  entry.failure.ike_id = failure.ike_id;
  entry.failure.number = failure.number;
  entry.failure.other_number = failure.other_number;
  entry.standing = true;
  const uint64_t count = entry.failure.count;
  entries.push_back(std::move(entry));
  const bool due = !failure.provisional && (became_final || returned || is_power_of_ten(count));
  return {&entries.back().failure, due};
}

std::vector<Failure> FailureHistory::came_up(const std::string& site) {
  std::vector<Failure> stood;
  const auto found = sites_.find(site);
  if (found == sites_.end()) return stood;
  for (Entry& entry : found->second) {
    if (!entry.standing || concerns_tunnel_that_is_up(entry.failure.kind)) continue;
    entry.standing = false;
    if (!entry.failure.provisional) stood.push_back(entry.failure);
  }
  return stood;
}

std::vector<Failure> FailureHistory::over(const std::string& site, FailureKind kind) {
  std::vector<Failure> stood;
  const auto found = sites_.find(site);
  if (found == sites_.end()) return stood;
  for (Entry& entry : found->second) {
    if (!entry.standing || entry.failure.kind != kind) continue;
    entry.standing = false;
    stood.push_back(entry.failure);
  }
  return stood;
}

void FailureHistory::answered(const std::string& site) {
  const auto found = sites_.find(site);
  if (found == sites_.end()) return;
  std::erase_if(found->second, [](const Entry& entry) { return entry.failure.provisional; });
}

void FailureHistory::keep_only(const std::vector<std::string>& sites) {
  std::erase_if(sites_, [&sites](const auto& site) {
    return !site.first.empty() && std::find(sites.begin(), sites.end(), site.first) == sites.end();
  });
}

std::vector<FailureHistory::Entry> FailureHistory::of_site(const std::string& site) const {
  const auto found = sites_.find(site);
  if (found == sites_.end()) return {};
  return {found->second.rbegin(), found->second.rend()};
}

std::optional<Failure> FailureHistory::standing(const std::string& site) const {
  for (const Entry& entry : of_site(site)) {
    if (entry.standing) return entry.failure;
  }
  return std::nullopt;
}

}  // namespace masugata::ipsec
