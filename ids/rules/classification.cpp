// SPDX-License-Identifier: GPL-2.0-or-later
#include "ids/rules/classification.h"

#include <array>

#include "ids/rules/text_reading.h"

namespace masugata::ids {
namespace {

struct BuiltInClass {
  const char* name;
  const char* description;
  uint8_t priority;
};

// The names and priorities are the ones that public rule sets are written for; dashboards group
// alerts by the descriptions.
constexpr std::array kBuiltInClasses{
    BuiltInClass{"not-suspicious", "Not Suspicious Traffic", 3},
    BuiltInClass{"unknown", "Unknown Traffic", 3},
    BuiltInClass{"bad-unknown", "Potentially Bad Traffic", 2},
    BuiltInClass{"attempted-recon", "Attempted Information Leak", 2},
    BuiltInClass{"successful-recon-limited", "Information Leak", 2},
    BuiltInClass{"successful-recon-largescale", "Large Scale Information Leak", 2},
    BuiltInClass{"attempted-dos", "Attempted Denial of Service", 2},
    BuiltInClass{"successful-dos", "Denial of Service", 2},
    BuiltInClass{"attempted-user", "Attempted User Privilege Gain", 1},
    BuiltInClass{"unsuccessful-user", "Unsuccessful User Privilege Gain", 1},
    BuiltInClass{"successful-user", "Successful User Privilege Gain", 1},
    BuiltInClass{"attempted-admin", "Attempted Administrator Privilege Gain", 1},
    BuiltInClass{"successful-admin", "Successful Administrator Privilege Gain", 1},
    BuiltInClass{"rpc-portmap-decode", "Decode of an RPC Query", 2},
    BuiltInClass{"shellcode-detect", "Executable code was detected", 1},
    BuiltInClass{"string-detect", "A suspicious string was detected", 3},
    BuiltInClass{"suspicious-filename-detect", "A suspicious filename was detected", 2},
    BuiltInClass{"suspicious-login", "An attempted login using a suspicious username was detected",
                 2},
    BuiltInClass{"system-call-detect", "A system call was detected", 2},
    BuiltInClass{"tcp-connection", "A TCP connection was detected", 4},
    BuiltInClass{"trojan-activity", "A Network Trojan was detected", 1},
    BuiltInClass{"unusual-client-port-connection", "A client was using an unusual port", 2},
    BuiltInClass{"network-scan", "Detection of a Network Scan", 3},
    BuiltInClass{"denial-of-service", "Detection of a Denial of Service Attack", 2},
    BuiltInClass{"non-standard-protocol", "Detection of a non-standard protocol or event", 2},
    BuiltInClass{"protocol-command-decode", "Generic Protocol Command Decode", 3},
    BuiltInClass{"web-application-activity", "access to a potentially vulnerable web application",
                 2},
    BuiltInClass{"web-application-attack", "Web Application Attack", 1},
    BuiltInClass{"misc-activity", "Misc activity", 3},
    BuiltInClass{"misc-attack", "Misc Attack", 2},
    BuiltInClass{"icmp-event", "Generic ICMP event", 3},
    BuiltInClass{"inappropriate-content", "Inappropriate Content was Detected", 1},
    BuiltInClass{"policy-violation", "Potential Corporate Privacy Violation", 1},
    BuiltInClass{"default-login-attempt", "Attempt to login by a default username and password", 2},
    BuiltInClass{"sdf", "Sensitive Data", 2},
    BuiltInClass{"file-format", "Known malicious file or file based exploit", 1},
    BuiltInClass{"malware-cnc", "Known malware command and control traffic", 1},
    BuiltInClass{"client-side-exploit", "Known client side exploit attempt", 1},
    BuiltInClass{"targeted-activity", "Targeted Malicious Activity was Detected", 1},
    BuiltInClass{"exploit-kit", "Exploit Kit Activity Detected", 1},
    BuiltInClass{"external-ip-check", "Device Retrieving External IP Address Detected", 2},
    BuiltInClass{"domain-c2", "Domain Observed Used for C2 Detected", 1},
    BuiltInClass{"pup-activity", "Possibly Unwanted Program Detected", 2},
    BuiltInClass{"credential-theft", "Successful Credential Theft Detected", 1},
    BuiltInClass{"social-engineering", "Possible Social Engineering Attempted", 2},
    BuiltInClass{"coin-mining", "Crypto Currency Mining Activity Detected", 2},
    BuiltInClass{"command-and-control", "Malware Command and Control Activity Detected", 1},
};

// Calls `on_line` with what follows `prefix`; other lines that are not comments are problems.
void for_each_config_line(std::string_view text, std::string_view kind,
                          const std::function<void(uint32_t, std::string)>& on_problem,
                          const std::function<bool(std::string_view)>& on_line) {
  uint32_t number = 0;
  for (std::string_view line : split(text, '\n')) {
    ++number;
    if (line.empty() || line.starts_with('#')) continue;
    const std::string_view config = take_word(line);
    const size_t colon = line.find(':');
    const bool right = config == "config" && colon != std::string_view::npos &&
                       trimmed(line.substr(0, colon)) == kind &&
                       on_line(trimmed(line.substr(colon + 1)));
    if (!right) {
      on_problem(number, "expects 'config " + std::string(kind) + ": ...', not " + in_quotes(line));
    }
  }
}

}  // namespace

RuleClasses built_in_classes() {
  RuleClasses classes;
  for (const BuiltInClass& each : kBuiltInClasses) {
    classes[each.name] = {each.description, each.priority};
  }
  return classes;
}

RuleClasses read_classes(std::string_view text,
                         const std::function<void(uint32_t, std::string)>& on_problem) {
  RuleClasses classes;
  for_each_config_line(text, "classification", on_problem, [&](std::string_view line) {
    const size_t first = line.find(',');
    const size_t last = line.rfind(',');
    if (first == std::string_view::npos || first == last) return false;
    const auto priority = parse_unsigned(trimmed(line.substr(last + 1)), 255);
    if (!priority || *priority == 0) return false;
    classes[std::string(trimmed(line.substr(0, first)))] = {
        std::string(trimmed(line.substr(first + 1, last - first - 1))),
        static_cast<uint8_t>(*priority)};
    return true;
  });
  return classes;
}

void check_references(std::string_view text,
                      const std::function<void(uint32_t, std::string)>& on_problem) {
  for_each_config_line(text, "reference", on_problem,
                       [](std::string_view line) { return split_words(line).size() == 2; });
}

}  // namespace masugata::ids
