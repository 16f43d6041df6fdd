// SPDX-License-Identifier: GPL-2.0-or-later
// A connection to charon's vici socket: commands with deadlines, and events. Off the packet path;
// one thread at a time. Which commands there are: strongSwan's vici README; those that the gateway
// uses are named in charon_control.h.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "ipsec/charon/vici_message.h"
#include "result/result.h"

namespace masugata::ipsec {

struct ViciEvent {
  std::string name;  // "log", "ike-updown", "child-updown", "ike-rekey", "child-rekey", ...
  ViciSection message;
};

class ViciSession {
 public:
  using Milliseconds = std::chrono::milliseconds;
  static constexpr Milliseconds kDefaultDeadline{5000};
  // Events that nobody takes: the oldest give way beyond, and are counted.
  static constexpr size_t kMaximumEvents = 1024;

  // Fault when nobody listens there.
  [[nodiscard]] static Result<ViciSession> connect(const std::string& socket_path,
                                                   Milliseconds deadline = kDefaultDeadline);
  // Takes over a connected stream socket.
  explicit ViciSession(int descriptor) : descriptor_(descriptor) {}
  ViciSession(ViciSession&& other) noexcept;
  ViciSession& operator=(ViciSession&& other) noexcept;
  ViciSession(const ViciSession&) = delete;
  ViciSession& operator=(const ViciSession&) = delete;
  ~ViciSession();

  // Sends a command and waits for its answer. Events that come meanwhile are kept. A Fault closes
  // the session when its state is not known afterwards (deadline, garbage, end of file).
  [[nodiscard]] Result<ViciSection> request(const std::string& command, const ViciSection& message,
                                            Milliseconds deadline = kDefaultDeadline);
  // The same for commands that answer `success = yes` or `no`: `no` is a Fault with charon's words.
  [[nodiscard]] Status command(const std::string& command, const ViciSection& message,
                               Milliseconds deadline = kDefaultDeadline);
  // For commands that stream their result as events (list-sas, list-conns, list-certs, initiate):
  // the messages of `event`, in order, at most kMaximumStreamed.
  static constexpr size_t kMaximumStreamed = 65536;
  [[nodiscard]] Result<std::vector<ViciSection>> stream(const std::string& command,
                                                        const std::string& event,
                                                        const ViciSection& message,
                                                        Milliseconds deadline = kDefaultDeadline);

  // From now on `event` is sent to us.
  [[nodiscard]] Status subscribe(const std::string& event,
                                 Milliseconds deadline = kDefaultDeadline);
  [[nodiscard]] Status unsubscribe(const std::string& event,
                                   Milliseconds deadline = kDefaultDeadline);
  // Reads what is there without waiting and returns the events kept so far, in order. For epoll:
  // descriptor() is readable when there may be some. Fault: the session is over.
  [[nodiscard]] Result<std::vector<ViciEvent>> take_events();
  // Waits for an event until the deadline; a Fault when none came.
  [[nodiscard]] Result<ViciEvent> wait_for_event(Milliseconds deadline);

  [[nodiscard]] int descriptor() const { return descriptor_; }  // -1 when closed
  [[nodiscard]] bool is_open() const { return descriptor_ >= 0; }
  [[nodiscard]] uint64_t lost_events() const { return lost_events_; }

 private:
  using Clock = std::chrono::steady_clock;

  Status send(const ViciPacket& packet, Clock::time_point until);
  // The next whole packet; a Fault at the deadline.
  Result<ViciPacket> receive(Clock::time_point until);
  // Until one that is no event; `streamed` gets events of that name.
  Result<ViciPacket> receive_answer(Clock::time_point until, const std::string& event,
                                    std::vector<ViciSection>* streamed);
  Status fill(Clock::time_point until);
  Result<ViciPacket> take_packet(bool& whole);
  Status wait(short what, Clock::time_point until);
  void keep(ViciPacket packet);
  void close();
  tl::unexpected<Fault> give_up(std::string what);
  Status register_event(ViciPacketType type, const std::string& event, Milliseconds deadline);

  int descriptor_ = -1;
  std::string buffer_;
  std::deque<ViciEvent> events_;
  uint64_t lost_events_ = 0;
};

}  // namespace masugata::ipsec
