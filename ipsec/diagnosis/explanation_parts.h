// SPDX-License-Identifier: GPL-2.0-or-later
// Parts of explain(), by what they are about. For this folder alone.
#pragma once

#include <string>

#include "ipsec/diagnosis/explanation.h"

namespace masugata::ipsec {

// `site` may be nullptr: the configuration has changed meanwhile.
struct Subject {
  const Failure& failure;
  const config::VpnSite* site;
  const config::VpnSettings& settings;

  [[nodiscard]] std::string in_site() const;    // "in site osaka: "
  [[nodiscard]] std::string peer_name() const;  // "198.51.100.7", "the peer"
};

inline constexpr const char* kTheirSite = "Masugata, in its site for us: ";

[[nodiscard]] Explanation explain_ike_proposal(const Subject& subject);
[[nodiscard]] Explanation explain_esp_proposal(const Subject& subject);
[[nodiscard]] Explanation explain_pfs_group(const Subject& subject);
[[nodiscard]] Explanation explain_ike_version(const Subject& subject);
[[nodiscard]] Explanation explain_networks(const Subject& subject);
[[nodiscard]] Explanation explain_narrowed(const Subject& subject);

[[nodiscard]] Explanation explain_identity(const Subject& subject);
[[nodiscard]] Explanation explain_secret(const Subject& subject);
[[nodiscard]] Explanation explain_refusal(const Subject& subject);
[[nodiscard]] Explanation explain_own_credentials(const Subject& subject);
[[nodiscard]] Explanation explain_certificate(const Subject& subject);

// Transport mode with a NAT in between, which one of the two refused.
[[nodiscard]] bool is_translated_transport(const Subject& subject);
[[nodiscard]] Explanation explain_translated_transport(const Subject& subject);
[[nodiscard]] Explanation explain_reach(const Subject& subject);
[[nodiscard]] Explanation explain_stranger(const Subject& subject);
[[nodiscard]] Explanation explain_path(const Subject& subject);
[[nodiscard]] Explanation explain_other(const Subject& subject);

}  // namespace masugata::ipsec
