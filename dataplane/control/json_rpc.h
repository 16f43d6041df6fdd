// SPDX-License-Identifier: GPL-2.0-or-later
// JSON-RPC 2.0 messages, one per line: decoding of requests, encoding of answers. No I/O.
#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

namespace masugata::dataplane::control {

using Json = nlohmann::json;

// Bytes of a message including its newline.
inline constexpr size_t kMaximumRequestBytes = size_t{1} << 20U;
inline constexpr size_t kMaximumResponseBytes = size_t{16} << 20U;
inline constexpr int kMaximumRequestDepth = 16;  // nested objects and arrays

// JSON-RPC 2.0 section 5.1; the ones from -32000 are ours.
enum class RpcErrorCode : int {
  ParseError = -32700,
  InvalidRequest = -32600,
  MethodNotFound = -32601,
  InvalidParameters = -32602,
  InternalError = -32603,
  Failed = -32000,        // the gateway tried and says why not
  NotPermitted = -32001,  // the peer's role does not allow it
  TooLarge = -32002,      // request or answer beyond its bound
  Overloaded = -32003,    // too many clients, or too many requests of one
};

struct RpcError {
  RpcErrorCode code = RpcErrorCode::InternalError;
  std::string message;  // one sentence for the person at the other end
  Json data;            // null: no more to say
};

struct Request {
  Json id;                       // string, number or null
  bool is_notification = false;  // had no id: nothing is answered
  std::string method;
  Json parameters = Json::object();  // always an object; by-position parameters are refused
};

// The id under which a refusal is to be answered travels with it (null when unreadable).
struct RefusedRequest {
  Json id;
  RpcError error;
};

// One line without its newline. Never throws; any bytes are allowed. Batches are refused: a
// client that wants several answers sends several lines.
[[nodiscard]] tl::expected<Request, RefusedRequest> decode_request(std::string_view line);

// One line with its newline; bytes that are not UTF-8 become U+FFFD.
[[nodiscard]] std::string encode_result(const Json& id, const Json& result);
[[nodiscard]] std::string encode_error(const Json& id, const RpcError& error);
[[nodiscard]] std::string encode_notification(std::string_view method, const Json& parameters);

// Cuts a byte stream into lines. Bound: one line of kMaximumRequestBytes.
class LineReader {
 public:
  enum class Next { Line, NeedMore, TooLong };

  void append(std::string_view bytes) { buffer_.append(bytes); }
  // The next complete line without its newline (and without a carriage return before it). `line`
  // lives until the next call on this object. After TooLong the stream cannot be followed any
  // more.
  Next next(std::string_view& line);
  [[nodiscard]] size_t buffered_bytes() const { return buffer_.size() - consumed_; }

 private:
  std::string buffer_;
  size_t consumed_ = 0;  // bytes of finished lines at the front
  size_t searched_ = 0;  // bytes known to hold no newline, from the front
};

}  // namespace masugata::dataplane::control
