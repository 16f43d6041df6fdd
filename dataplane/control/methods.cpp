// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/control/methods.h"

#include <memory>
#include <utility>

#include "dataplane/control/answering.h"
#include "dataplane/control/antivirus_methods.h"
#include "dataplane/control/inspection_methods.h"
#include "dataplane/control/records_json.h"
#include "dataplane/control/vpn_diagnosis_methods.h"
#include "dataplane/control/vpn_methods.h"

namespace masugata::dataplane::control {
namespace {

constexpr uint32_t kDefaultSessions = 50;
constexpr uint32_t kDefaultRoutes = 1000;
constexpr uint32_t kDefaultTracedPackets = 100;
constexpr uint16_t kAnySourcePort = 49152;  // the first of the dynamic ports (RFC 6335)

RpcError failed(const Fault& fault) { return {RpcErrorCode::Failed, fault.message(), nullptr}; }

SessionFilter read_packet_filter(ParameterReader& reader) {
  SessionFilter filter;
  filter.source = reader.addresses("source");
  filter.destination = reader.addresses("destination");
  filter.source_port = reader.port("source_port");
  filter.destination_port = reader.port("destination_port");
  filter.protocol = reader.protocol("protocol");
  filter.zone = reader.text("zone");
  filter.interface = reader.text("interface");
  return filter;
}

// A method without parameters whose answer is at hand.
template <class Answer>
Method simple(Answer answer) {
  return {Role::Observer, [answer](const Json& parameters, const Responder& responder) {
            ParameterReader reader(parameters);
            if (!refused(reader, responder)) responder.result(answer());
          }};
}

// A method without parameters whose answer comes later. `wrap` makes the result object.
template <class Answer, class Wrap>
Method counted(GatewayState& state, void (GatewayState::*ask)(std::function<void(Result<Answer>)>),
               Wrap wrap) {
  return {Role::Observer, [&state, ask, wrap](const Json& parameters, const Responder& responder) {
            ParameterReader reader(parameters);
            if (refused(reader, responder)) return;
            (state.*ask)([responder, wrap](const Result<Answer>& answer) {
              if (answer) {
                responder.result(wrap(*answer));
              } else {
                responder.error(failed(answer.error()));
              }
            });
          }};
}

template <class Answer>
Method limited(Answer answer) {
  return {Role::Observer, [answer](const Json& parameters, const Responder& responder) {
            ParameterReader reader(parameters);
            const uint32_t limit = reader.number("limit", 1, kMaximumListed, kDefaultRoutes);
            if (!refused(reader, responder)) responder.result(answer(limit));
          }};
}

void show_sessions(GatewayState& state, const Json& parameters, const Responder& responder) {
  ParameterReader reader(parameters);
  SessionFilter filter = read_packet_filter(reader);
  filter.rule = reader.text("rule");
  filter.state = reader.text("state");
  filter.application = reader.text("application");
  filter.limit = reader.number("limit", 1, kMaximumListed, kDefaultSessions);
  if (refused(reader, responder)) return;
  state.sessions(filter, [responder](const Result<SessionList>& list) {
    if (list) {
      responder.result(*list);
    } else {
      responder.error(failed(list.error()));
    }
  });
}

void reload(GatewayState& state, const Json& parameters, const Responder& responder) {
  ParameterReader reader(parameters);
  const std::string file = reader.text("file");
  // The gateway's working directory is not the administrator's.
  if (!file.empty() && file.front() != '/') reader.complain("\"file\" is not an absolute path");
  if (refused(reader, responder)) return;
  state.reload(file, [responder](const ReloadReport& report) { responder.result(report); });
}

void explain(GatewayState& state, const Json& parameters, const Responder& responder) {
  ParameterReader reader(parameters);
  ExplainRequest request;
  request.protocol = reader.protocol("protocol").value_or(net::Protocol::Tcp);
  const auto source = reader.address("source");
  const auto destination = reader.address("destination");
  request.source.port = reader.port("source_port").value_or(kAnySourcePort);
  request.destination.port = reader.port("destination_port").value_or(0);
  request.from_zone = reader.text("from_zone");
  request.interface = reader.text("interface");
  request.application = reader.text("application");
  request.domain = reader.text("domain");
  if (source && destination && source->family() != destination->family()) {
    reader.complain("source and destination are of different families");
  }
  if (!request.from_zone.empty() && !request.interface.empty()) {
    reader.complain("\"from_zone\" and \"interface\" exclude each other");
  }
  if (refused(reader, responder)) return;
  request.source.address = *source;
  request.destination.address = *destination;
  const auto explanation = state.explain(request);
  if (explanation) {
    responder.result(*explanation);
  } else {
    responder.error(failed(explanation.error()));
  }
}

void monitor_trace(GatewayState& state, const Json& parameters, const Responder& responder) {
  ParameterReader reader(parameters);
  TraceRequest request;
  request.filter = read_packet_filter(reader);
  request.both_directions = reader.flag("both_directions", true);
  request.packet_limit = reader.number("limit", 1, kMaximumListed, kDefaultTracedPackets);
  if (refused(reader, responder)) return;

  // Filled in once the id is known; the listener is not called before that.
  const auto running = std::make_shared<std::optional<TraceId>>();
  TraceListener listener;
  listener.line = [&state, running, responder](const TraceLine& line) {
    if (responder.notify("trace.line", line)) return;
    if (const auto id = std::exchange(*running, std::nullopt)) state.stop_trace(*id);
  };
  listener.ended = [running, responder](const std::string& why) {
    running->reset();
    (void)responder.notify("trace.ended", {{"why", why}});
  };
  const auto started = state.start_trace(request, std::move(listener));
  if (!started) {
    responder.error(failed(started.error()));
    return;
  }
  *running = *started;
  responder.on_close([&state, running] {
    if (const auto id = std::exchange(*running, std::nullopt)) state.stop_trace(*id);
  });
  responder.result({{"trace", *started}, {"limit", request.packet_limit}});
}

}  // namespace

MethodTable gateway_methods(GatewayState& state) {
  using Call = void (*)(GatewayState&, const Json&, const Responder&);
  const auto method = [&state](Role role, Call call) -> Method {
    return {role, [&state, call](const Json& parameters, const Responder& responder) {
              call(state, parameters, responder);
            }};
  };
  MethodTable methods;
  methods["show.system"] = simple([&state]() -> Json { return state.system(); });
  methods["show.interfaces"] = simple([&state]() -> Json {
    return {{"interfaces", state.interfaces()}};
  });
  methods["show.zones"] =
      counted<std::vector<ZoneStatus>>(state, &GatewayState::zones, [](const auto& zones) -> Json {
        return {{"zones", zones}};
      });
  const auto whole = [](const auto& answer) -> Json { return answer; };
  methods["show.policy"] = counted<PolicyStatus>(state, &GatewayState::policy, whole);
  methods["show.nat"] = counted<NatStatus>(state, &GatewayState::nat, whole);
  methods["show.drops"] = simple([&state]() -> Json { return state.drops(); });
  methods["show.routes"] =
      limited([&state](uint32_t limit) -> Json { return state.routes(limit); });
  methods["show.neighbours"] =
      limited([&state](uint32_t limit) -> Json { return state.neighbours(limit); });
  methods["show.sessions"] = method(Role::Observer, show_sessions);
  methods["explain"] = method(Role::Observer, explain);
  methods["monitor.trace"] = method(Role::Administrator, monitor_trace);
  methods["reload"] = method(Role::Administrator, reload);
  methods["clear.counters"] =
      method(Role::Administrator,
             [](GatewayState& gateway, const Json& parameters, const Responder& responder) {
               ParameterReader reader(parameters);
               if (refused(reader, responder)) return;
               if (const auto cleared = gateway.clear_counters(); !cleared) {
                 responder.error(failed(cleared.error()));
                 return;
               }
               responder.result({{"cleared", true}});
             });
  add_inspection_methods(state, methods);
  add_antivirus_methods(state.antivirus(), methods);
  add_vpn_methods(state.vpn(), methods);
  add_vpn_diagnosis_methods(state.vpn_diagnosis(), methods);
  return methods;
}

}  // namespace masugata::dataplane::control
