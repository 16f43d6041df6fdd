// SPDX-License-Identifier: GPL-2.0-or-later
// charon's own strongswan.conf: which plugins it loads, how long it waits for a peer, what it logs.
// Connections are never in files: they come over vici.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "config/vpn_settings.h"
#include "result/result.h"

namespace masugata::ipsec {

struct DaemonSettings {
  std::string vici_socket = "/run/masugata/charon.vici";
  std::string sa_socket = "/run/masugata/sa.sock";  // masugatad's end for SAs
  // Who installs SAs. Another one only to try things without a gateway.
  std::string ipsec_kernel = "kernel-masugata";
  std::string log_file;  // besides the journal; empty = none
  uint32_t nat_keep_alive_seconds = 20;
};

inline constexpr const char* kDaemonFile = "/run/masugata/strongswan.conf";

// The text of the file. Every word of it is from here or a number; paths must not hold blanks or
// braces (a Fault).
[[nodiscard]] Result<std::string> daemon_configuration(const DaemonSettings& settings);

// Writes it aside and renames it, mode 0600. Returns whether the file was another one before:
// charon must be told (`reload-settings`) or started anew.
[[nodiscard]] Result<bool> write_daemon_configuration(const std::filesystem::path& path,
                                                      const DaemonSettings& settings);

// Seconds until a peer that does not answer is given up, after a request was sent; jitter aside.
[[nodiscard]] double give_up_after_seconds();

}  // namespace masugata::ipsec
