// SPDX-License-Identifier: GPL-2.0-or-later
// What a rule wants a session to carry.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "config/model.h"
#include "dataplane/policy/packet_facts.h"
#include "net/domain_set.h"
#include "result/result.h"

namespace masugata::dataplane {

inline constexpr size_t kMaximumListBytes = size_t{64} << 20U;  // of one file of a domain set
inline constexpr size_t kMaximumListNames = 2'000'000;          // of one set

// The domain sets with what their files hold. Control thread. Faults: a file that cannot be read,
// is larger than the bounds, or holds a line that is no name.
[[nodiscard]] Result<std::vector<std::shared_ptr<const net::DomainSet>>> load_domain_sets(
    const std::vector<config::DomainSet>& sets);

// Immutable.
class ContentCondition {
 public:
  // `sets` are those of the rule's model.
  ContentCondition(const config::PolicyRule& rule,
                   const std::vector<std::shared_ptr<const net::DomainSet>>& sets);

  // Packet path. One of the applications (or what carries it) or categories, and one of the
  // domains; what the rule does not name is open. Never by contents that are not known. The domain
  // is that of the host name that the session showed; of one that showed none, any of `names`, by
  // which its destination is known.
  [[nodiscard]] bool matches(const ApplicationFacts& content,
                             const AddressNames& names) const noexcept;

  // Packet path, before anything of the contents is known: the rule asks for domains only, and the
  // destination is known by names of theirs and by no others.
  [[nodiscard]] bool matches_address(const AddressNames& names) const noexcept;

  [[nodiscard]] bool asks_domains() const noexcept { return !domains_.empty(); }
  [[nodiscard]] const std::vector<std::shared_ptr<const net::DomainSet>>& domains() const noexcept {
    return domains_;
  }

 private:
  [[nodiscard]] bool holds(std::string_view name) const noexcept;
  [[nodiscard]] bool has_application(const ApplicationFacts& content) const noexcept;

  std::vector<config::ApplicationId> applications_;  // sorted
  uint32_t categories_ = 0;                          // bit per ApplicationCategory
  std::vector<std::shared_ptr<const net::DomainSet>> domains_;
};

}  // namespace masugata::dataplane
