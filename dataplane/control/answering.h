// SPDX-License-Identifier: GPL-2.0-or-later
// The two endings that every method has. Control thread.
#pragma once

#include "dataplane/control/json_rpc_server.h"
#include "dataplane/control/parameter_reader.h"
#include "result/result.h"

namespace masugata::dataplane::control {

// Answers what is wrong with the parameters, if anything is; then the method has ended.
[[nodiscard]] inline bool refused(ParameterReader& reader, const Responder& responder) {
  const auto error = reader.error();
  if (error) responder.error(*error);
  return error.has_value();
}

// `result` when `status` holds, else its fault.
inline void answer(const Status& status, const Responder& responder, const Json& result) {
  if (status) {
    responder.result(result);
  } else {
    responder.error({RpcErrorCode::Failed, status.error().message(), nullptr});
  }
}

}  // namespace masugata::dataplane::control
