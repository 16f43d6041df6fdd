// SPDX-License-Identifier: GPL-2.0-or-later
#include "mgmt-cli/support/support_contents.h"

namespace masugata::cli {

const std::vector<SupportQuestion>& support_questions() {
  static const std::vector<SupportQuestion> questions = {
      {"show system", ""},
      {"show interfaces", ""},
      {"show zones", ""},
      {"show sessions", "limit 1000"},
      {"show policy", ""},
      {"show nat", ""},
      {"show routes", "limit 10000"},
      {"show neighbours", "limit 10000"},
      {"show drops", ""},
      {"show applications", ""},
      {"show ips", ""},
      {"show ips rules", "limit 1000"},
      {"show ips hits", "limit 1000"},
      {"show ips exceptions", "limit 1000"},
      {"show ips profile", "limit 1000"},
      {"show av", ""},
      {"show av blocked-urls", "limit 1000"},
      {"show av quarantine", "limit 1000"},
      {"show av scan-jobs", ""},
      {"show vpn", ""},
      {"show vpn why", ""},
  };
  return questions;
}

const std::vector<LeftOutQuestion>& left_out_questions() {
  static const std::vector<LeftOutQuestion> questions = {
      {"show ips rule", "is about one rule; 'show ips hits' names those that matter"},
  };
  return questions;
}

const std::vector<std::string_view>& support_process_files() {
  static const std::vector<std::string_view> files = {"status", "limits", "cmdline", "cgroup"};
  return files;
}

const std::vector<std::string_view>& support_network_files() {
  static const std::vector<std::string_view> files = {
      "net/dev", "net/if_inet6", "net/route", "net/ipv6_route", "net/arp", "net/snmp", "net/snmp6",
  };
  return files;
}

const std::vector<std::string_view>& support_machine_files() {
  static const std::vector<std::string_view> files = {
      "/etc/os-release", "/proc/version", "/proc/uptime",     "/proc/loadavg",
      "/proc/meminfo",   "/proc/cpuinfo", "/proc/interrupts",
  };
  return files;
}

}  // namespace masugata::cli
