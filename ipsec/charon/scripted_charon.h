// SPDX-License-Identifier: GPL-2.0-or-later
// The other end of a vici socket, for tests: answers what a script says, in a thread of its own,
// and remembers what it was asked.
#pragma once

#include <sys/socket.h>
#include <unistd.h>

#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "ipsec/charon/vici_message.h"

namespace masugata::ipsec {

class ScriptedCharon {
 public:
  // Gets each packet; what it returns is sent back, one after another. An empty string in place of
  // a packet closes the connection.
  using Script = std::function<std::vector<std::string>(const ViciPacket&)>;

  explicit ScriptedCharon(Script script) : script_(std::move(script)) {
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends_) != 0) std::abort();
    thread_ = std::thread([this] { serve(); });
  }
  ~ScriptedCharon() {
    ::shutdown(ends_[1], SHUT_RDWR);
    thread_.join();
    ::close(ends_[1]);
  }
  ScriptedCharon(const ScriptedCharon&) = delete;
  ScriptedCharon& operator=(const ScriptedCharon&) = delete;

  // Our end; the caller owns it. Once.
  [[nodiscard]] int take_descriptor() { return std::exchange(ends_[0], -1); }

  // "load-conn", "+log" for a registered event, "-log" for one that is not any more.
  [[nodiscard]] std::vector<std::string> asked() {
    const std::lock_guard lock(mutex_);
    return asked_;
  }
  [[nodiscard]] std::vector<ViciPacket> packets() {
    const std::lock_guard lock(mutex_);
    return packets_;
  }

  static std::string response(const ViciSection& message) {
    return std::string(encode_vici_packet({ViciPacketType::Response, {}, message})->view());
  }
  static std::string success() { return response(ViciSection().set("success", "yes")); }
  static std::string refusal(const std::string& words) {
    return response(ViciSection().set("success", "no").set("errmsg", words));
  }
  static std::string event(const std::string& name, const ViciSection& message) {
    return std::string(encode_vici_packet({ViciPacketType::Event, name, message})->view());
  }
  static std::string confirm() {
    return std::string(encode_vici_packet({ViciPacketType::EventConfirm, {}, {}})->view());
  }

 private:
  bool read_exactly(size_t size, std::string& into) const {
    into.resize(size);
    size_t done = 0;
    while (done < size) {
      const ssize_t count = ::read(ends_[1], into.data() + done, size - done);
      if (count <= 0) return false;
      done += static_cast<size_t>(count);
    }
    return true;
  }
  void serve() {
    std::string length;
    std::string bytes;
    while (read_exactly(4, length)) {
      size_t size = 0;
      for (const char c : length) size = size << 8U | static_cast<uint8_t>(c);
      if (!read_exactly(size, bytes)) return;
      const Result<ViciPacket> packet = decode_vici_packet(bytes);
      if (!packet || !answer(*packet)) return;
    }
  }
  bool answer(const ViciPacket& packet) {
    {
      const std::lock_guard lock(mutex_);
      const char* mark = packet.type == ViciPacketType::RegisterEvent     ? "+"
                         : packet.type == ViciPacketType::UnregisterEvent ? "-"
                                                                          : "";
      asked_.push_back(mark + packet.name);
      packets_.push_back(packet);
    }
    const bool events = packet.type != ViciPacketType::Request;
    for (const std::string& reply : events ? std::vector{confirm()} : script_(packet)) {
      if (reply.empty()) {
        ::shutdown(ends_[1], SHUT_RDWR);
        return false;
      }
      if (::send(ends_[1], reply.data(), reply.size(), MSG_NOSIGNAL) < 0) return false;
    }
    return true;
  }

  Script script_;
  int ends_[2]{-1, -1};
  std::mutex mutex_;
  std::vector<std::string> asked_;
  std::vector<ViciPacket> packets_;
  std::thread thread_;
};

}  // namespace masugata::ipsec
