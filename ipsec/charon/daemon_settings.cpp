// SPDX-License-Identifier: GPL-2.0-or-later
#include "ipsec/charon/daemon_settings.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cmath>
#include <cstring>
#include <fstream>
#include <iterator>

namespace masugata::ipsec {
namespace {

// A request is sent at 0, 2, 5, 9.5 and 16.25 s and given up at 26.4 s; strongSwan's own values
// make that 165 s.
constexpr double kRetransmitTimeout = 2.0;
constexpr double kRetransmitBase = 1.5;
constexpr int kRetransmitTries = 4;

// Without those with a '!' charon does not start: SAs would go to the kernel. The mark demands
// every feature of a plugin, which plugins that read certificates of many kinds can never give.
// `curl` fetches revocation lists and asks OCSP servers, where it is installed.
constexpr const char* kPlugins =
    "random nonce openssl pem pkcs1 pkcs8 x509 pubkey constraints revocation hmac kdf curl "
    "{}! kernel-netlink socket-default vici! counters";

// Level 1 says what is wanted and what was refused. Higher ones show data of messages, 4 keys.
constexpr const char* kText =
    R"(# Written by masugatad; changes do not last. Connections are loaded over vici.
charon-systemd {{
  load = {plugins}
  # A peer that is gone is noticed after {give_up:.0f} seconds; strongSwan's own values take 165.
  retransmit_timeout = {timeout:.1f}
  retransmit_base = {base:.1f}
  retransmit_tries = {tries}
  retransmit_jitter = 10
  keep_alive = {keep_alive}s
  make_before_break = yes
  delete_rekeyed_delay = 5
  reuse_ikesa = yes
  # Below what the smallest IPv6 path carries (RFC 8200 section 5).
  fragment_size = 1280
  # Routes are the gateway's business.
  install_routes = no
  install_virtual_ip = no
  process_route = no
  # For hundreds of sites.
  ikesa_table_size = 256
  ikesa_table_segments = 16
  threads = 16
  send_vendor_id = no
  cache_crls = no
  journal {{
    default = 1
  }}
{log}  plugins {{
    {kernel} {{
      socket = {sa_socket}
    }}
    vici {{
      socket = unix://{vici_socket}
    }}
    revocation {{
      timeout = 5s
    }}
  }}
}}
)";

constexpr const char* kLog = R"(  filelog {{
    main {{
      path = {}
      flush_line = yes
      default = 1
    }}
  }}
)";

bool is_plain(const std::string& word) {
  return !word.empty() && word.find_first_of(" \t\n\r{}#\"=\\") == std::string::npos;
}

}  // namespace

double give_up_after_seconds() {
  double seconds = 0;
  for (int i = 0; i <= kRetransmitTries; ++i) {
    seconds += kRetransmitTimeout * std::pow(kRetransmitBase, i);
  }
  return seconds;
}

Result<std::string> daemon_configuration(const DaemonSettings& settings) {
  for (const std::string& word :
       {settings.vici_socket, settings.sa_socket, settings.ipsec_kernel}) {
    if (!is_plain(word)) return failure(word, "cannot stand in strongswan.conf");
  }
  if (!settings.log_file.empty() && !is_plain(settings.log_file)) {
    return failure(settings.log_file, "cannot stand in strongswan.conf");
  }
  return fmt::format(
      kText, fmt::arg("plugins", fmt::format(kPlugins, settings.ipsec_kernel)),
      fmt::arg("give_up", give_up_after_seconds()), fmt::arg("timeout", kRetransmitTimeout),
      fmt::arg("base", kRetransmitBase), fmt::arg("tries", kRetransmitTries),
      fmt::arg("keep_alive", settings.nat_keep_alive_seconds),
      fmt::arg("log", settings.log_file.empty() ? "" : fmt::format(kLog, settings.log_file)),
      fmt::arg("kernel", settings.ipsec_kernel), fmt::arg("sa_socket", settings.sa_socket),
      fmt::arg("vici_socket", settings.vici_socket));
}

Result<bool> write_daemon_configuration(const std::filesystem::path& path,
                                        const DaemonSettings& settings) {
  const Result<std::string> text = daemon_configuration(settings);
  if (!text) return tl::unexpected<Fault>(text.error());
  std::ifstream before(path, std::ios::binary);
  const std::string old{std::istreambuf_iterator<char>(before), {}};
  if (before && old == *text) return false;
  const std::string aside = path.string() + ".new";
  ::unlink(aside.c_str());
  const int descriptor =
      ::open(aside.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (descriptor < 0) return failure(aside, std::strerror(errno));
  const bool written =
      ::write(descriptor, text->data(), text->size()) == static_cast<ssize_t>(text->size());
  const int cause = errno;
  ::close(descriptor);
  if (!written) return failure(aside, std::strerror(cause));
  if (::rename(aside.c_str(), path.c_str()) != 0) {
    return failure(path.string(), std::strerror(errno));
  }
  return true;
}

}  // namespace masugata::ipsec
