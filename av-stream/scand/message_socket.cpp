// SPDX-License-Identifier: GPL-2.0-or-later
#include "av-stream/scand/message_socket.h"

#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

namespace masugata::av {
namespace {

constexpr const char* kWhere = "message socket";
constexpr const char* kBodyInDescriptor = "{\"type\":\"@\"}";

tl::unexpected<Fault> system_failure(const std::string& action) {
  return failure(kWhere, action + ": " + std::strerror(errno));
}

Result<Descriptor> in_memory(const std::string& text) {
  Descriptor file(memfd_create("masugata-message", MFD_CLOEXEC));
  if (!file || ftruncate(file.get(), static_cast<off_t>(text.size())) != 0 ||
      pwrite(file.get(), text.data(), text.size(), 0) != static_cast<ssize_t>(text.size())) {
    return system_failure("a long message cannot be made");
  }
  return file;
}

Result<std::string> text_of(const Descriptor& file) {
  struct stat status {};
  if (fstat(file.get(), &status) != 0) return system_failure("a long message cannot be read");
  const auto bytes = static_cast<size_t>(status.st_size);
  if (bytes > MessageSocket::kMaximumBytes) return failure(kWhere, "a message is too long");
  std::string text(bytes, '\0');
  if (pread(file.get(), text.data(), bytes, 0) != static_cast<ssize_t>(bytes)) {
    return failure(kWhere, "a long message is incomplete");
  }
  return text;
}

std::vector<Descriptor> take_descriptors(msghdr& header) {
  std::vector<Descriptor> descriptors;
  for (cmsghdr* part = CMSG_FIRSTHDR(&header); part != nullptr; part = CMSG_NXTHDR(&header, part)) {
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) continue;
    const size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (size_t index = 0; index < count; ++index) {
      int number = -1;
      std::memcpy(&number, CMSG_DATA(part) + index * sizeof number, sizeof number);
      descriptors.emplace_back(number);
    }
  }
  return descriptors;
}

Result<Message> parse(std::string text, std::vector<Descriptor> descriptors) {
  if (text == kBodyInDescriptor && !descriptors.empty()) {
    auto long_text = text_of(descriptors.back());
    if (!long_text) return tl::unexpected(long_text.error());
    text = std::move(*long_text);
    descriptors.pop_back();
  }
  Message message{nlohmann::json::parse(text, nullptr, false), std::move(descriptors)};
  const auto type = message.body.is_object() ? message.body.find("type") : message.body.end();
  if (!message.body.is_object() || type == message.body.end() || !type->is_string()) {
    return failure(kWhere, "a message is not an object with a type");
  }
  return message;
}

}  // namespace

Descriptor::Descriptor(Descriptor&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)) {}

Descriptor& Descriptor::operator=(Descriptor&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  return *this;
}

Descriptor::~Descriptor() {
  if (descriptor_ >= 0) close(descriptor_);
}

Result<std::pair<MessageSocket, MessageSocket>> MessageSocket::create_pair() {
  std::array<int, 2> ends{};
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    return system_failure("cannot be made");
  }
  return std::pair(MessageSocket(Descriptor(ends[0])), MessageSocket(Descriptor(ends[1])));
}

Result<MessageSocket> MessageSocket::connect(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) return failure(path, "is too long a path");
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  Descriptor socket(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
  if (!socket) return failure(path, std::strerror(errno));
  if (::connect(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
    return failure(path, std::strerror(errno));
  }
  ucred peer{};
  socklen_t bytes = sizeof peer;
  if (getsockopt(socket.get(), SOL_SOCKET, SO_PEERCRED, &peer, &bytes) != 0) {
    return failure(path, std::strerror(errno));
  }
  if (peer.uid != 0 && peer.uid != geteuid()) {
    return failure(path, "belongs to user " + std::to_string(peer.uid) + ", not to masugatad");
  }
  return MessageSocket(std::move(socket));
}

Status MessageSocket::send(const nlohmann::json& body, const std::vector<int>& descriptors) {
  std::string text = body.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  std::vector<int> sent = descriptors;
  Descriptor memory;
  if (text.size() > kInlineBytes) {
    if (text.size() > kMaximumBytes) return failure(kWhere, "a message is too long");
    auto made = in_memory(text);
    if (!made) return tl::unexpected(made.error());
    memory = std::move(*made);
    sent.push_back(memory.get());
    text = kBodyInDescriptor;
  }
  if (sent.size() > kMaximumDescriptors) return failure(kWhere, "too many descriptors");
  iovec part{text.data(), text.size()};
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  alignas(cmsghdr) std::array<char, CMSG_SPACE(kMaximumDescriptors * sizeof(int))> control{};
  if (!sent.empty()) {
    header.msg_control = control.data();
    header.msg_controllen = CMSG_SPACE(sent.size() * sizeof(int));
    cmsghdr* rights = CMSG_FIRSTHDR(&header);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(sent.size() * sizeof(int));
    std::memcpy(CMSG_DATA(rights), sent.data(), sent.size() * sizeof(int));
  }
  if (sendmsg(socket_.get(), &header, MSG_NOSIGNAL | MSG_DONTWAIT) < 0) {
    return system_failure("cannot send");
  }
  return {};
}

Result<std::optional<Message>> MessageSocket::receive() {
  std::string text(kInlineBytes + 1, '\0');
  iovec part{text.data(), text.size()};
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  alignas(cmsghdr) std::array<char, CMSG_SPACE(kMaximumDescriptors * sizeof(int))> control{};
  header.msg_control = control.data();
  header.msg_controllen = control.size();
  const ssize_t count = recvmsg(socket_.get(), &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  if (count < 0) {
    if (errno == EAGAIN || errno == EINTR) return std::optional<Message>();
    return system_failure("cannot receive");
  }
  std::vector<Descriptor> descriptors = take_descriptors(header);
  if (count == 0) return failure(kWhere, "the other side has closed it");
  if ((header.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0) {
    return failure(kWhere, "a message is too long");
  }
  text.resize(static_cast<size_t>(count));
  auto message = parse(std::move(text), std::move(descriptors));
  if (!message) return tl::unexpected(message.error());
  return std::optional<Message>(std::move(*message));
}

}  // namespace masugata::av
