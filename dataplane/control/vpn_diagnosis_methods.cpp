// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/control/vpn_diagnosis_methods.h"

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "dataplane/control/answering.h"

namespace masugata::dataplane::control {
namespace {

Json reason_json(const VpnReason& reason) {
  const ipsec::Failure& failure = reason.failure;
  return {{"failure", ipsec::name_of(failure.kind)},
          {"standing", reason.standing},
          {"trying", failure.provisional},
          {"peer", failure.peer},
          {"count", failure.count},
          {"first", failure.first},
          {"last", failure.last},
          {"side", ipsec::name_of(reason.explanation.side)},
          {"what", reason.explanation.what},
          {"received", reason.explanation.received},
          {"configured", reason.explanation.configured},
          {"remarks", reason.explanation.remarks},
          {"set_here", reason.explanation.here},
          {"set_there", reason.explanation.there}};
}

Json reasons_json(const VpnReasons& reasons) {
  Json list = Json::array();
  for (const VpnReason& reason : reasons.reasons) list.push_back(reason_json(reason));
  return {{"site", reasons.site}, {"up", reasons.up}, {"reasons", list}};
}

void why(VpnDiagnosisState& state, const Json& parameters, const Responder& responder) {
  ParameterReader reader(parameters);
  const std::string site = reader.text("site");
  if (refused(reader, responder)) return;
  const auto reasons = state.reasons(site);
  if (!reasons) {
    responder.error({RpcErrorCode::Failed, reasons.error().message(), nullptr});
    return;
  }
  Json list = Json::array();
  for (const VpnReasons& one : *reasons) list.push_back(reasons_json(one));
  responder.result({{"sites", list}});
}

void monitor(VpnDiagnosisState& state, const Json& parameters, const Responder& responder) {
  ParameterReader reader(parameters);
  const std::string site = reader.text("site");
  if (refused(reader, responder)) return;
  // Filled in once the id is known; the listener is not called before that.
  const auto running = std::make_shared<std::optional<VpnWatchId>>();
  const auto stop = [&state, running] {
    if (const auto id = std::exchange(*running, std::nullopt)) state.unwatch(*id);
  };
  const auto started = state.watch(site, [stop, responder](const ipsec::TunnelEvent& event) {
    const bool taken = responder.notify(
        "vpn.line",
        {{"time", event.time}, {"site", event.site}, {"kind", event.kind}, {"text", event.text}});
    if (!taken) stop();
  });
  if (!started) {
    responder.error({RpcErrorCode::Failed, started.error().message(), nullptr});
    return;
  }
  *running = *started;
  responder.on_close(stop);
  responder.result({{"watch", *started}});
}

}  // namespace

void add_vpn_diagnosis_methods(VpnDiagnosisState& state, MethodTable& methods) {
  methods["show.vpn.why"] = {Role::Observer,
                             [&state](const Json& parameters, const Responder& responder) {
                               why(state, parameters, responder);
                             }};
  methods["monitor.vpn"] = {Role::Observer,
                            [&state](const Json& parameters, const Responder& responder) {
                              monitor(state, parameters, responder);
                            }};
}

}  // namespace masugata::dataplane::control
