// SPDX-License-Identifier: GPL-2.0-or-later
// Answers of the gateway as text for people. Pure functions; every text ends in a newline.
#pragma once

#include <string>
#include <string_view>

#include "mgmt-cli/output/json_fields.h"

namespace masugata::cli {

// `method` as called, with the parameters of the call; an answer without a form of its own is
// printed as JSON.
[[nodiscard]] std::string render_answer(std::string_view method, const Json& parameters,
                                        const Json& answer);

[[nodiscard]] std::string render_system(const Json& answer);
[[nodiscard]] std::string render_interfaces(const Json& answer);
[[nodiscard]] std::string render_zones(const Json& answer);
[[nodiscard]] std::string render_sessions(const Json& answer);
[[nodiscard]] std::string render_policy(const Json& answer);
[[nodiscard]] std::string render_nat(const Json& answer);
[[nodiscard]] std::string render_routes(const Json& answer);
[[nodiscard]] std::string render_neighbours(const Json& answer);
[[nodiscard]] std::string render_drops(const Json& answer);
[[nodiscard]] std::string render_ips(const Json& answer);
[[nodiscard]] std::string render_ips_rules(const Json& answer);
[[nodiscard]] std::string render_ips_rule(const Json& answer);
[[nodiscard]] std::string render_ips_hits(const Json& answer);
[[nodiscard]] std::string render_ips_costs(const Json& answer);
[[nodiscard]] std::string render_ips_exceptions(const Json& answer);
[[nodiscard]] std::string render_applications(const Json& answer);
[[nodiscard]] std::string render_av(const Json& answer);
[[nodiscard]] std::string render_av_urls(const Json& answer);
[[nodiscard]] std::string render_av_quarantine(const Json& answer);
[[nodiscard]] std::string render_av_scan_jobs(const Json& answer);
[[nodiscard]] std::string render_vpn(const Json& parameters, const Json& answer);
[[nodiscard]] std::string render_vpn_action(const Json& answer);
[[nodiscard]] std::string render_explanation(const Json& parameters, const Json& answer);
[[nodiscard]] std::string render_reload(const Json& report);
[[nodiscard]] std::string render_vpn_why(const Json& answer);
[[nodiscard]] std::string render_vpn_probe(const Json& answer);
// One line of `monitor vpn`.
[[nodiscard]] std::string render_vpn_line(const Json& line);
// One line of `monitor trace`.
[[nodiscard]] std::string render_trace_line(const Json& line);

}  // namespace masugata::cli
