// SPDX-License-Identifier: GPL-2.0-or-later
// The records of gateway_records.h and inspection_records.h as JSON, under the names of their
// fields. The shape is the protocol's promise to its clients: fields may be added, never renamed.
#pragma once

#include <nlohmann/json.hpp>

#include "dataplane/control/gateway_records.h"
#include "dataplane/control/inspection_records.h"

namespace masugata::dataplane::control {

// Found by argument-dependent lookup when a record is assigned to a nlohmann::json. Protocols are
// lower-case names ("tcp") or decimal numbers as text; addresses text; enums lower-case words.
void to_json(nlohmann::json& json, const SystemStatus& status);
void to_json(nlohmann::json& json, const InterfaceStatus& status);
void to_json(nlohmann::json& json, const ZoneStatus& status);
void to_json(nlohmann::json& json, const SessionList& list);
void to_json(nlohmann::json& json, const PolicyStatus& status);
void to_json(nlohmann::json& json, const NatStatus& status);
void to_json(nlohmann::json& json, const RouteList& list);
void to_json(nlohmann::json& json, const NeighbourList& list);
void to_json(nlohmann::json& json, const DropStatus& status);
void to_json(nlohmann::json& json, const TraceLine& line);
void to_json(nlohmann::json& json, const Explanation& explanation);
void to_json(nlohmann::json& json, const ReloadReport& report);
void to_json(nlohmann::json& json, const IpsStatus& status);
void to_json(nlohmann::json& json, const IpsRuleFiles& status);
void to_json(nlohmann::json& json, const IpsHitList& list);
void to_json(nlohmann::json& json, const IpsCostList& list);
void to_json(nlohmann::json& json, const IpsExceptionList& list);
void to_json(nlohmann::json& json, const ApplicationStatus& status);
void to_json(nlohmann::json& json, const IpsRuleDetail& rule);

// "tcp", "icmpv6", "47" for what has no name here.
[[nodiscard]] std::string protocol_name(net::Protocol protocol);
// The reverse, for parameters; nullopt for anything else.
[[nodiscard]] std::optional<net::Protocol> find_protocol(const std::string& name);

}  // namespace masugata::dataplane::control
