// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/kernel/interface_settings.h"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>

namespace masugata::dataplane {

namespace {

struct Setting {
  const char* family;
  const char* name;
  const char* value;
};

constexpr Setting kSettings[] = {
    // The kernel must never forward what the gateway has not inspected: a packet that arrives on
    // a twin is for the box or is dropped.
    {"ipv4", "forwarding", "0"},
    {"ipv6", "forwarding", "0"},
    // Anti-spoofing is the gateway's, per zone; a strict kernel would drop replies that come in
    // by another port than the route back.
    {"ipv4", "rp_filter", "0"},
    // Answer ARP only on the port that owns the address, and ask with that port's address: the
    // kernel's weak host model would announce DMZ addresses on the WAN.
    {"ipv4", "arp_ignore", "1"},
    {"ipv4", "arp_announce", "2"},
    // Nobody outside changes our routes.
    {"ipv4", "accept_redirects", "0"},
    {"ipv4", "secure_redirects", "0"},
    {"ipv4", "send_redirects", "0"},
    {"ipv4", "accept_source_route", "0"},
    {"ipv6", "accept_redirects", "0"},
    {"ipv6", "accept_ra", "0"},
    {"ipv6", "autoconf", "0"},
    {"ipv6", "accept_source_route", "-1"},
};

}  // namespace

Result<uint32_t> InterfaceSettings::enforce(const std::string& link) const {
  if (root_.empty()) return 0U;
  uint32_t changed = 0;
  for (const Setting& setting : kSettings) {
    const std::filesystem::path path =
        std::filesystem::path(root_) / "net" / setting.family / "conf" / link / setting.name;
    std::ifstream reader(path);
    std::string value;
    if (!(reader >> value)) {
      std::error_code ignored;
      if (!std::filesystem::exists(path, ignored)) continue;
      return failure(path.string(), "cannot be read");
    }
    if (value == setting.value) continue;
    std::ofstream writer(path);
    writer << setting.value << std::flush;
    if (!writer) {
      return failure(path.string(), std::string("cannot be set to ") + setting.value + ": " +
                                        std::strerror(errno));
    }
    ++changed;
  }
  return changed;
}

}  // namespace masugata::dataplane
