// SPDX-License-Identifier: GPL-2.0-or-later
// The last failures of each site, and of peers that no site is for. What repeats is counted.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "ipsec/diagnosis/failure.h"

namespace masugata::ipsec {

// One thread. Bounds: kPerSite causes of a site, kStrangers causes of peers without one, kSites
// sites; the one that was not seen for the longest time gives way.
class FailureHistory {
 public:
  static constexpr size_t kPerSite = 16;
  static constexpr size_t kStrangers = 64;
  static constexpr size_t kSites = 1024;
  // A failure of authentication within so many seconds after one of a certificate is its
  // consequence.
  static constexpr int64_t kConsequenceSeconds = 5;

  struct Entry {
    Failure failure;
    bool standing = true;  // the tunnel has not come up since
  };

  // What an alert is due for: the first one, and every power of ten of its count.
  struct Added {
    const Failure* failure = nullptr;  // as it is kept; nullptr: it is told by another one
    bool alert_due = false;
  };
  Added add(Failure failure);

  // The tunnel is up: what stood in its way is past. Returns those that stood, for one last word.
  std::vector<Failure> came_up(const std::string& site);
  // That kind alone is past; as came_up().
  std::vector<Failure> over(const std::string& site, FailureKind kind);
  // The site's message was answered after all.
  void answered(const std::string& site);
  // Sites that are configured no more are forgotten.
  void keep_only(const std::vector<std::string>& sites);

  // The newest first. An empty name: peers that no site is for.
  [[nodiscard]] std::vector<Entry> of_site(const std::string& site) const;
  // What keeps the tunnel down now; the newest.
  [[nodiscard]] std::optional<Failure> standing(const std::string& site) const;

 private:
  static bool is_consequence(const std::vector<Entry>& entries, const Failure& failure);

  std::map<std::string, std::vector<Entry>> sites_;  // the newest last
};

}  // namespace masugata::ipsec
