// SPDX-License-Identifier: GPL-2.0-or-later
#include "ipsec/charon/vici_session.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace masugata::ipsec {
namespace {

constexpr size_t kLengthBytes = 4;
constexpr const char* kWhere = "charon";

size_t announced_length(std::string_view bytes) {
  size_t length = 0;
  for (size_t i = 0; i < kLengthBytes; ++i) {
    length = (length << 8U) | static_cast<uint8_t>(bytes[i]);
  }
  return length;
}

}  // namespace

Result<ViciSession> ViciSession::connect(const std::string& socket_path, Milliseconds deadline) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (socket_path.empty() || socket_path.size() >= sizeof address.sun_path) {
    return failure(socket_path, "is no path of a socket");
  }
  socket_path.copy(address.sun_path, socket_path.size());
  const int descriptor = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (descriptor < 0) return failure(socket_path, std::strerror(errno));
  ViciSession session(descriptor);
  const Clock::time_point until = Clock::now() + deadline;
  // A full queue of a socket of this family is EAGAIN, not EINPROGRESS: it is tried again.
  while (::connect(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    if (errno == EINTR) continue;
    if (errno != EAGAIN || Clock::now() >= until) {
      return failure(socket_path, fmt::format("charon does not answer: {}", std::strerror(errno)));
    }
    ::poll(nullptr, 0, 10);
  }
  return session;
}

ViciSession::ViciSession(ViciSession&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)),
      buffer_(std::move(other.buffer_)),
      events_(std::move(other.events_)),
      lost_events_(other.lost_events_) {}

ViciSession& ViciSession::operator=(ViciSession&& other) noexcept {
  if (this == &other) return *this;
  close();
  descriptor_ = std::exchange(other.descriptor_, -1);
  buffer_ = std::move(other.buffer_);
  events_ = std::move(other.events_);
  lost_events_ = other.lost_events_;
  return *this;
}

ViciSession::~ViciSession() { close(); }

void ViciSession::close() {
  if (descriptor_ >= 0) ::close(descriptor_);
  descriptor_ = -1;
  buffer_.clear();
}

tl::unexpected<Fault> ViciSession::give_up(std::string what) {
  close();
  return failure(kWhere, std::move(what));
}

Status ViciSession::wait(short what, Clock::time_point until) {
  for (;;) {
    const auto left = std::chrono::ceil<Milliseconds>(until - Clock::now()).count();
    pollfd asked{descriptor_, what, 0};
    const int ready = ::poll(&asked, 1, static_cast<int>(std::clamp<int64_t>(left, 0, INT32_MAX)));
    if (ready > 0) return {};
    if (ready == 0) return failure(kWhere, "does not answer in time");
    if (errno != EINTR) return failure(kWhere, std::strerror(errno));
  }
}

Status ViciSession::send(const ViciPacket& packet, Clock::time_point until) {
  if (descriptor_ < 0) return failure(kWhere, "the session is closed");
  const Result<config::SecretBytes> encoded = encode_vici_packet(packet);
  if (!encoded) return tl::unexpected<Fault>(encoded.error());
  size_t sent = 0;
  std::string trouble;
  while (sent < encoded->size() && trouble.empty()) {
    const ssize_t count = ::send(descriptor_, encoded->data() + sent, encoded->size() - sent,
                                 MSG_NOSIGNAL | MSG_DONTWAIT);
    if (count > 0) {
      sent += static_cast<size_t>(count);
    } else if (errno == EAGAIN) {
      if (Status ready = wait(POLLOUT, until); !ready) trouble = ready.error().what;
    } else if (errno != EINTR) {
      trouble = std::strerror(errno);
    }
  }
  if (!trouble.empty()) return give_up(std::move(trouble));
  return {};
}

// Reads once; a Fault at the deadline leaves the session open.
Status ViciSession::fill(Clock::time_point until) {
  for (;;) {
    char bytes[16384];
    const ssize_t count = ::recv(descriptor_, bytes, sizeof bytes, MSG_DONTWAIT);
    if (count > 0) {
      buffer_.append(bytes, static_cast<size_t>(count));
      return {};
    }
    if (count == 0) return give_up("has closed the connection");
    if (errno == EINTR) continue;
    if (errno != EAGAIN) return give_up(std::strerror(errno));
    if (Status ready = wait(POLLIN, until); !ready) return ready;
  }
}

Result<ViciPacket> ViciSession::take_packet(bool& whole) {
  whole = false;
  if (buffer_.size() < kLengthBytes) return ViciPacket();
  const size_t length = announced_length(buffer_);
  if (length > kMaximumViciBytes) return give_up("sends a packet that is too long");
  if (buffer_.size() < kLengthBytes + length) return ViciPacket();
  Result<ViciPacket> packet =
      decode_vici_packet(std::string_view(buffer_).substr(kLengthBytes, length));
  if (!packet) return give_up("sends garbage: " + packet.error().message());
  buffer_.erase(0, kLengthBytes + length);
  whole = true;
  return packet;
}

Result<ViciPacket> ViciSession::receive(Clock::time_point until) {
  if (descriptor_ < 0) return failure(kWhere, "the session is closed");
  for (;;) {
    bool whole = false;
    Result<ViciPacket> packet = take_packet(whole);
    if (!packet || whole) return packet;
    if (Status more = fill(until); !more) return tl::unexpected<Fault>(more.error());
  }
}

void ViciSession::keep(ViciPacket packet) {
  if (events_.size() == kMaximumEvents) {
    events_.pop_front();
    ++lost_events_;
  }
  events_.push_back({std::move(packet.name), std::move(packet.message)});
}

Result<ViciPacket> ViciSession::receive_answer(Clock::time_point until, const std::string& event,
                                               std::vector<ViciSection>* streamed) {
  for (;;) {
    Result<ViciPacket> packet = receive(until);
    // An answer that comes later would be taken for that of the next command.
    if (!packet) return give_up(packet.error().what);
    if (packet->type != ViciPacketType::Event) return packet;
    if (streamed == nullptr || packet->name != event) {
      keep(std::move(*packet));
    } else if (streamed->size() == kMaximumStreamed) {
      return give_up("streams without end");
    } else {
      streamed->push_back(std::move(packet->message));
    }
  }
}

Result<ViciSection> ViciSession::request(const std::string& command, const ViciSection& message,
                                         Milliseconds deadline) {
  const Clock::time_point until = Clock::now() + deadline;
  if (Status sent = send({ViciPacketType::Request, command, message}, until); !sent) {
    return tl::unexpected<Fault>(sent.error());
  }
  Result<ViciPacket> answer = receive_answer(until, {}, nullptr);
  if (!answer) return tl::unexpected<Fault>(answer.error());
  if (answer->type == ViciPacketType::UnknownCommand) {
    return failure(kWhere, fmt::format("does not know the command {}", command));
  }
  if (answer->type != ViciPacketType::Response) return give_up("answers something else");
  return std::move(answer->message);
}

Status ViciSession::command(const std::string& name, const ViciSection& message,
                            Milliseconds deadline) {
  Result<ViciSection> answer = request(name, message, deadline);
  if (!answer) return tl::unexpected<Fault>(answer.error());
  if (answer->value("success") == "yes") return {};
  const std::string_view words = answer->value("errmsg");
  return failure(kWhere, words.empty() ? fmt::format("refuses {}", name) : std::string(words));
}

Result<std::vector<ViciSection>> ViciSession::stream(const std::string& command,
                                                     const std::string& event,
                                                     const ViciSection& message,
                                                     Milliseconds deadline) {
  const Clock::time_point until = Clock::now() + deadline;
  if (Status known = subscribe(event, deadline); !known) {
    return tl::unexpected<Fault>(known.error());
  }
  std::vector<ViciSection> streamed;
  if (Status sent = send({ViciPacketType::Request, command, message}, until); !sent) {
    return tl::unexpected<Fault>(sent.error());
  }
  Result<ViciPacket> answer = receive_answer(until, event, &streamed);
  if (!answer) return tl::unexpected<Fault>(answer.error());
  if (Status done = unsubscribe(event, deadline); !done) {
    return tl::unexpected<Fault>(done.error());
  }
  if (answer->type == ViciPacketType::UnknownCommand) {
    return failure(kWhere, fmt::format("does not know the command {}", command));
  }
  if (answer->message.value("success") == "no") {
    return failure(kWhere, std::string(answer->message.value("errmsg")));
  }
  return streamed;
}

Status ViciSession::register_event(ViciPacketType type, const std::string& event,
                                   Milliseconds deadline) {
  const Clock::time_point until = Clock::now() + deadline;
  if (Status sent = send({type, event, {}}, until); !sent) return sent;
  Result<ViciPacket> answer = receive_answer(until, {}, nullptr);
  if (!answer) return tl::unexpected<Fault>(answer.error());
  if (answer->type == ViciPacketType::EventConfirm) return {};
  if (answer->type == ViciPacketType::UnknownEvent) {
    return failure(kWhere, fmt::format("does not know the event {}", event));
  }
  return give_up("answers something else");
}

Status ViciSession::subscribe(const std::string& event, Milliseconds deadline) {
  return register_event(ViciPacketType::RegisterEvent, event, deadline);
}

Status ViciSession::unsubscribe(const std::string& event, Milliseconds deadline) {
  return register_event(ViciPacketType::UnregisterEvent, event, deadline);
}

Result<std::vector<ViciEvent>> ViciSession::take_events() {
  Status readable = descriptor_ < 0 ? Status(failure(kWhere, "the session is closed")) : Status();
  while (readable && descriptor_ >= 0) {
    bool whole = false;
    Result<ViciPacket> packet = take_packet(whole);
    if (!packet) {
      readable = tl::unexpected<Fault>(packet.error());
    } else if (!whole) {
      // The deadline is now: what is there is read, nothing is waited for.
      readable = fill(Clock::now());
    } else if (packet->type == ViciPacketType::Event) {
      keep(std::move(*packet));
    } else {
      readable = give_up("answers what nobody asked");
    }
  }
  if (!is_open() && events_.empty() && !readable) return tl::unexpected<Fault>(readable.error());
  std::vector<ViciEvent> taken(std::make_move_iterator(events_.begin()),
                               std::make_move_iterator(events_.end()));
  events_.clear();
  return taken;
}

Result<ViciEvent> ViciSession::wait_for_event(Milliseconds deadline) {
  const Clock::time_point until = Clock::now() + deadline;
  while (events_.empty()) {
    Result<ViciPacket> packet = receive(until);
    if (!packet) return tl::unexpected<Fault>(packet.error());
    if (packet->type != ViciPacketType::Event) return give_up("answers what nobody asked");
    keep(std::move(*packet));
  }
  ViciEvent event = std::move(events_.front());
  events_.pop_front();
  return event;
}

}  // namespace masugata::ipsec
