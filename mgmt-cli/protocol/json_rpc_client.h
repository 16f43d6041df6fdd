// SPDX-License-Identifier: GPL-2.0-or-later
// Asks the gateway over its control socket: JSON-RPC 2.0, one message per line.
#pragma once

#include <sys/types.h>

#include <nlohmann/json.hpp>
#include <string>
#include <tl/expected.hpp>

namespace masugata::cli {

inline constexpr const char* kDefaultControlSocket = "/run/masugata/control.sock";

// Why there is no answer. `message` is one sentence for the person at the keyboard.
struct CallError {
  enum class Kind {
    Unreachable,  // nobody answers there, or the gateway refuses this client
    Refused,      // the gateway answers that it will not or cannot
  };
  Kind kind = Kind::Unreachable;
  std::string message;
};

struct Notification {
  std::string method;
  nlohmann::json parameters;
};

// Blocking; one thread. A connection lives as long as the object.
class JsonRpcClient {
 public:
  // How long call() waits for an answer. A tunnel is measured for twice 45 seconds
  // at most.
  static constexpr int kAnswerTimeoutSeconds = 100;
  static constexpr size_t kMaximumLineBytes = size_t{17} << 20U;

  static tl::expected<JsonRpcClient, CallError> connect(const std::string& path);
  JsonRpcClient(JsonRpcClient&& other) noexcept;
  JsonRpcClient& operator=(JsonRpcClient&&) = delete;
  ~JsonRpcClient();

  // Instead of kAnswerTimeoutSeconds.
  void set_answer_seconds(int seconds) { answer_seconds_ = seconds; }
  // The process that listens there; 0 when the kernel does not say.
  [[nodiscard]] pid_t peer() const;

  // Notifications that arrive before the answer are dropped: nobody has asked for them yet.
  [[nodiscard]] tl::expected<nlohmann::json, CallError> call(const std::string& method,
                                                             const nlohmann::json& parameters);
  // Waits without limit.
  [[nodiscard]] tl::expected<Notification, CallError> next_notification();

 private:
  JsonRpcClient(int socket, std::string path) : socket_(socket), path_(std::move(path)) {}
  tl::expected<nlohmann::json, CallError> next_message();
  tl::expected<void, CallError> receive_more();
  [[nodiscard]] tl::unexpected<CallError> unreachable(const std::string& why) const;

  int socket_ = -1;
  std::string path_;
  std::string input_;
  int last_id_ = 0;
  int answer_seconds_ = kAnswerTimeoutSeconds;
};

}  // namespace masugata::cli
