// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/gateway/gateway_options.h"

#include <charconv>
#include <string_view>

namespace masugata::dataplane {
namespace {

Result<uint32_t> parse_number(std::string_view text, const std::string& where) {
  uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value == 0) {
    return failure(where, "takes a whole number greater than 0, not '" + std::string(text) + "'");
  }
  return value;
}

// The places of options that take a text.
std::string* text_option(GatewayOptions& options, std::string_view name) {
  if (name == "--config") return &options.configuration;
  if (name == "--control-socket") return &options.control_socket;
  if (name == "--scanner-socket") return &options.scanner_socket;
  if (name == "--sa-socket") return &options.sa_socket;
  if (name == "--charon-log") return &options.charon_log;
  if (name == "--pki-folder") return &options.pki_folder;
  if (name == "--scan-job-socket") return &options.scan_job_socket;
  if (name == "--state-folder") return &options.state_folder;
  if (name == "--hw-profiles") return &options.hw_profiles;
  if (name == "--hw-profile") return &options.hw_profile.emplace();
  return nullptr;
}

bool* switch_option(GatewayOptions& options, std::string_view name) {
  if (name == "--no-huge") return &options.no_huge;
  if (name == "--print-graph") return &options.print_graph;
  if (name == "--version") return &options.version;
  if (name == "--help" || name == "-h") return &options.help;
  return nullptr;
}

}  // namespace

Result<GatewayOptions> parse_gateway_options(int count, char** arguments) {
  GatewayOptions options;
  for (int i = 1; i < count; ++i) {
    const std::string name = arguments[i];
    if (bool* flag = switch_option(options, name); flag != nullptr) {
      *flag = true;
      continue;
    }
    const bool is_number = name == "--memory-mb";
    std::string* text = is_number ? nullptr : text_option(options, name);
    if (!is_number && text == nullptr) {
      return failure(name, "is not an option of masugatad; --help lists them");
    }
    if (i + 1 == count) return failure(name, "needs a value behind it");
    const std::string value = arguments[++i];
    if (text != nullptr) {
      *text = value;
      continue;
    }
    const Result<uint32_t> number = parse_number(value, name);
    if (!number) return tl::unexpected(number.error());
    options.memory_mb = *number;
  }
  return options;
}

std::string gateway_usage() {
  return "usage: masugatad [--config FILE] [--control-socket PATH] [--scanner-socket PATH]\n"
         "                 [--sa-socket PATH] [--charon-log FILE] [--pki-folder FOLDER]\n"
         "                 [--scan-job-socket PATH] [--state-folder FOLDER]\n"
         "                 [--hw-profiles FOLDER] [--hw-profile NAME] [--memory-mb N] [--no-huge]\n"
         "       masugatad --print-graph | --version | --help\n"
         "\n"
         "  --config FILE          configuration (/etc/masugata/gateway.conf)\n"
         "  --control-socket PATH  where the masugata command connects "
         "(/run/masugata/control.sock)\n"
         "  --scanner-socket PATH  where masugata-scand connects (scand.sock beside the control "
         "socket)\n"
         "  --sa-socket PATH       where charon's plugin connects (sa.sock beside the control "
         "socket)\n"
         "  --charon-log FILE      where charon logs, besides the journal\n"
         "  --pki-folder FOLDER    certificates and keys for tunnels (/var/lib/masugata/pki)\n"
         "  --scan-job-socket PATH where runs of scan jobs are had "
         "(/run/masugata-scan-job.sock)\n"
         "  --state-folder FOLDER  what is remembered of scan jobs (/var/lib/masugata)\n"
         "  --hw-profiles FOLDER   where hardware profiles are\n"
         "  --hw-profile NAME      instead of `system hw-profile` in the configuration\n"
         "  --memory-mb N          packet and table memory, instead of the profile's\n"
         "  --no-huge              do not use hugepages, whatever the profile says\n"
         "  --print-graph          print the stages in their order and where packets go\n";
}

}  // namespace masugata::dataplane
