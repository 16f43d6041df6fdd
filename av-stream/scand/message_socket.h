// SPDX-License-Identifier: GPL-2.0-or-later
// JSON messages and descriptors over a SEQPACKET socket: between masugatad and the supervisor, and
// between the supervisor and its generations.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "result/result.h"

namespace masugata::av {

// A descriptor; closed with the object.
class Descriptor {
 public:
  Descriptor() noexcept = default;
  explicit Descriptor(int descriptor) noexcept : descriptor_(descriptor) {}
  Descriptor(Descriptor&& other) noexcept;
  Descriptor& operator=(Descriptor&& other) noexcept;
  ~Descriptor();
  [[nodiscard]] int get() const noexcept { return descriptor_; }
  explicit operator bool() const noexcept { return descriptor_ >= 0; }

 private:
  int descriptor_ = -1;
};

struct Message {
  nlohmann::json body;  // an object with a text "type"
  std::vector<Descriptor> descriptors;
  [[nodiscard]] std::string type() const { return body.at("type").get<std::string>(); }
};

// Thread: one. Never blocks but where it says so.
class MessageSocket {
 public:
  // A body above kInlineBytes travels in a memfd, as the last descriptor of its message.
  static constexpr size_t kInlineBytes = 32 * 1024;
  static constexpr size_t kMaximumBytes = 16 << 20;
  static constexpr size_t kMaximumDescriptors = 128;

  explicit MessageSocket(Descriptor socket) noexcept : socket_(std::move(socket)) {}
  // Two ends, neither inherited by programs.
  [[nodiscard]] static Result<std::pair<MessageSocket, MessageSocket>> create_pair();
  // To a listening socket whose owner is root or this process's user.
  [[nodiscard]] static Result<MessageSocket> connect(const std::string& path);

  [[nodiscard]] int descriptor() const noexcept { return socket_.get(); }
  // A fault when the other side is gone, or so slow that its queue is full.
  [[nodiscard]] Status send(const nlohmann::json& body, const std::vector<int>& descriptors = {});
  // Nothing when none waits. A fault when the other side is gone or the message is not one of ours.
  [[nodiscard]] Result<std::optional<Message>> receive();

 private:
  Descriptor socket_;
};

}  // namespace masugata::av
