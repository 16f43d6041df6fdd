// SPDX-License-Identifier: GPL-2.0-or-later
// The methods of intrusion prevention and of recognising applications.
#include "dataplane/control/inspection_methods.h"

#include <limits>
#include <string>

#include "dataplane/control/answering.h"
#include "dataplane/control/records_json.h"

namespace masugata::dataplane::control {
namespace {

constexpr uint32_t kDefaultListed = 50;

void show_ips(GatewayState& state, const Json& parameters, const Responder& responder) {
  ParameterReader reader(parameters);
  if (!refused(reader, responder)) responder.result(state.ips());
}

void show_applications(GatewayState& state, const Json& parameters, const Responder& responder) {
  ParameterReader reader(parameters);
  if (!refused(reader, responder)) responder.result(state.applications());
}

template <auto Ask>
void show_list(GatewayState& state, const Json& parameters, const Responder& responder) {
  ParameterReader reader(parameters);
  const uint32_t limit = reader.number("limit", 1, kMaximumListed, kDefaultListed);
  if (!refused(reader, responder)) responder.result((state.*Ask)(limit));
}

void show_rule(GatewayState& state, const Json& parameters, const Responder& responder) {
  ParameterReader reader(parameters);
  // 0 stands for what is not given, which is no sid.
  const uint32_t sid = reader.number("sid", 1, std::numeric_limits<uint32_t>::max(), 0);
  if (sid == 0) reader.complain("\"sid\" is missing");
  if (refused(reader, responder)) return;
  const Result<IpsRuleDetail> rule = state.ips_rule(sid);
  if (rule) {
    responder.result(*rule);
  } else {
    responder.error({RpcErrorCode::Failed, rule.error().message(), nullptr});
  }
}

void profiling(GatewayState& state, const Json& parameters, const Responder& responder) {
  ParameterReader reader(parameters);
  const std::string wanted = reader.required_text("switch");
  if (!wanted.empty() && wanted != "on" && wanted != "off") {
    reader.complain("\"switch\" is not on or off");
  }
  if (refused(reader, responder)) return;
  answer(state.set_ips_profiling(wanted == "on"), responder, {{"profiling", wanted == "on"}});
}

void reload_rules(GatewayState& state, const Json& parameters, const Responder& responder) {
  ParameterReader reader(parameters);
  if (!refused(reader, responder)) answer(state.reload_ips_rules(), responder, {{"loading", true}});
}

void clear_hits(GatewayState& state, const Json& parameters, const Responder& responder) {
  ParameterReader reader(parameters);
  if (!refused(reader, responder)) answer(state.clear_ips_hits(), responder, {{"cleared", true}});
}

}  // namespace

void add_inspection_methods(GatewayState& state, MethodTable& methods) {
  using Call = void (*)(GatewayState&, const Json&, const Responder&);
  const auto method = [&state](Role role, Call call) -> Method {
    return {role, [&state, call](const Json& parameters, const Responder& responder) {
              call(state, parameters, responder);
            }};
  };
  methods["show.ips"] = method(Role::Observer, show_ips);
  methods["show.ips.rules"] = method(Role::Observer, show_list<&GatewayState::ips_rules>);
  methods["show.ips.rule"] = method(Role::Observer, show_rule);
  methods["show.ips.hits"] = method(Role::Observer, show_list<&GatewayState::ips_hits>);
  methods["show.ips.exceptions"] = method(Role::Observer, show_list<&GatewayState::ips_exceptions>);
  methods["show.applications"] = method(Role::Observer, show_applications);
  methods["show.ips.profile"] = method(Role::Observer, show_list<&GatewayState::ips_costs>);
  methods["ips.profiling"] = method(Role::Administrator, profiling);
  methods["ips.reload"] = method(Role::Administrator, reload_rules);
  methods["clear.ips.hits"] = method(Role::Administrator, clear_hits);
}

}  // namespace masugata::dataplane::control
