// SPDX-License-Identifier: GPL-2.0-or-later
// What charon says about SAs, by site.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "config/vpn_settings.h"
#include "ipsec/charon/vici_session.h"
#include "result/result.h"

namespace masugata::ipsec {

struct ChildStatus {
  std::string name;
  uint64_t unique_id = 0;
  std::string state;       // charon's: INSTALLED, REKEYING, REKEYED, DELETING, ...
  std::string algorithms;  // "AES_GCM_16-128/ESN", with the group of its last exchange
  std::string spi_in;      // hexadecimal
  std::string spi_out;
  bool in_udp = false;
  uint64_t bytes_in = 0;
  uint64_t packets_in = 0;
  uint64_t bytes_out = 0;
  uint64_t packets_out = 0;
  uint64_t age_seconds = 0;
  std::optional<uint64_t> rekey_in_seconds;  // nothing when there will be none
  std::optional<uint64_t> ends_in_seconds;
  // Of the inbound SA; charon does not know them, who encrypts fills them in.
  uint64_t replays = 0;
  uint64_t authentication_failures = 0;
  std::vector<std::string> local_networks;  // as negotiated
  std::vector<std::string> remote_networks;
};

struct IkeStatus {
  uint64_t unique_id = 0;
  unsigned version = 2;
  std::string state;  // charon's: ESTABLISHED, CONNECTING, ...
  std::string local_address;
  std::string remote_address;
  uint16_t local_port = 0;
  uint16_t remote_port = 0;
  std::string local_identity;
  std::string remote_identity;
  bool begun_here = false;
  bool local_behind_nat = false;
  bool remote_behind_nat = false;
  std::string algorithms;
  uint64_t age_seconds = 0;  // since it was established, or rekeyed
  std::optional<uint64_t> rekey_in_seconds;
  std::vector<ChildStatus> children;
};

enum class SiteState : uint8_t {
  Up,          // packets pass
  Incomplete,  // the peers know each other, but there is no SA for packets
  Connecting,
  Down,
  Disabled,
};
// "up", "incomplete", "connecting", "down", "disabled".
[[nodiscard]] const char* name_of(SiteState state);

struct SiteStatus {
  std::string name;
  SiteState state = SiteState::Down;
  std::string peer;            // as configured
  std::vector<IkeStatus> sas;  // the oldest first
  uint64_t bytes_in = 0;       // of the SAs that there are
  uint64_t bytes_out = 0;
};

// Merges the answer of list-sas with the configuration: every site once, in its order; what charon
// has besides is left out.
[[nodiscard]] std::vector<SiteStatus> merge_sites(const config::VpnSettings& settings,
                                                  const std::vector<ViciSection>& list_sa);
[[nodiscard]] Result<std::vector<SiteStatus>> site_statuses(ViciSession& session,
                                                            const config::VpnSettings& settings);

// Sections, for control methods and for people.
[[nodiscard]] std::string to_text(const SiteStatus& site);

}  // namespace masugata::ipsec
