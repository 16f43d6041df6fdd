// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/control/json_rpc.h"

namespace masugata::dataplane::control {
namespace {

std::string encode_line(const Json& message) {
  std::string text = message.dump(-1, ' ', false, Json::error_handler_t::replace);
  text += '\n';
  return text;
}

tl::unexpected<RefusedRequest> refuse(Json id, RpcErrorCode code, std::string message) {
  return tl::unexpected(RefusedRequest{std::move(id), RpcError{code, std::move(message), nullptr}});
}

bool is_valid_id(const Json& id) { return id.is_string() || id.is_number() || id.is_null(); }

}  // namespace

tl::expected<Request, RefusedRequest> decode_request(std::string_view line) {
  bool too_deep = false;
  const auto limit_depth = [&too_deep](int depth, Json::parse_event_t, Json&) {
    if (depth > kMaximumRequestDepth) too_deep = true;
    return !too_deep;
  };
  const Json message = Json::parse(line, limit_depth, /*allow_exceptions=*/false);
  if (too_deep) {
    return refuse(nullptr, RpcErrorCode::InvalidRequest, "request is nested too deeply");
  }
  if (message.is_discarded()) {
    return refuse(nullptr, RpcErrorCode::ParseError, "request is not valid JSON");
  }
  if (message.is_array()) {
    return refuse(nullptr, RpcErrorCode::InvalidRequest,
                  "batches are not served: send one request per line");
  }
  if (!message.is_object()) {
    return refuse(nullptr, RpcErrorCode::InvalidRequest, "request is not a JSON object");
  }

  Request request;
  const auto id = message.find("id");
  request.is_notification = id == message.end();
  if (!request.is_notification) {
    if (!is_valid_id(*id)) {
      return refuse(nullptr, RpcErrorCode::InvalidRequest,
                    "\"id\" is neither a string, a number nor null");
    }
    request.id = *id;
  }
  const auto version = message.find("jsonrpc");
  if (version == message.end() || *version != "2.0") {
    return refuse(request.id, RpcErrorCode::InvalidRequest, "\"jsonrpc\" is not \"2.0\"");
  }
  const auto method = message.find("method");
  if (method == message.end() || !method->is_string()) {
    return refuse(request.id, RpcErrorCode::InvalidRequest, "\"method\" is not a string");
  }
  request.method = method->get<std::string>();
  if (const auto parameters = message.find("params"); parameters != message.end()) {
    if (!parameters->is_object()) {
      return refuse(request.id, RpcErrorCode::InvalidParameters,
                    "\"params\" is not an object: parameters go by name");
    }
    request.parameters = *parameters;
  }
  return request;
}

std::string encode_result(const Json& id, const Json& result) {
  return encode_line({{"jsonrpc", "2.0"}, {"id", id}, {"result", result}});
}

std::string encode_error(const Json& id, const RpcError& error) {
  Json body = {{"code", static_cast<int>(error.code)}, {"message", error.message}};
  if (!error.data.is_null()) body["data"] = error.data;
  return encode_line({{"jsonrpc", "2.0"}, {"id", id}, {"error", std::move(body)}});
}

std::string encode_notification(std::string_view method, const Json& parameters) {
  return encode_line({{"jsonrpc", "2.0"}, {"method", method}, {"params", parameters}});
}

LineReader::Next LineReader::next(std::string_view& line) {
  if (consumed_ > 0 && (consumed_ == buffer_.size() || consumed_ >= 65536)) {
    buffer_.erase(0, consumed_);
    searched_ -= consumed_;
    consumed_ = 0;
  }
  const size_t newline = buffer_.find('\n', searched_);
  if (newline == std::string::npos) {
    searched_ = buffer_.size();
    return buffered_bytes() >= kMaximumRequestBytes ? Next::TooLong : Next::NeedMore;
  }
  if (newline - consumed_ >= kMaximumRequestBytes) return Next::TooLong;
  line = std::string_view(buffer_).substr(consumed_, newline - consumed_);
  if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
  consumed_ = newline + 1;
  searched_ = consumed_;
  return Next::Line;
}

}  // namespace masugata::dataplane::control
