// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/stream/kernel_receiver.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "net/headers/transport.h"

namespace masugata::dataplane {

namespace {

constexpr uint16_t kServerPort = 80;
constexpr uint32_t kServer = 0x0a090001;  // 10.9.0.1, the kernel
constexpr uint32_t kClient = 0x0a090002;
constexpr size_t kNetworkHeader = 20;
constexpr size_t kTransportHeader = 20;

void store16(uint8_t* at, uint32_t value) {
  at[0] = static_cast<uint8_t>(value >> 8U);
  at[1] = static_cast<uint8_t>(value);
}
void store32(uint8_t* at, uint32_t value) {
  store16(at, value >> 16U);
  store16(at + 2, value & 0xffffU);
}
uint32_t load16(const uint8_t* at) { return static_cast<uint32_t>(at[0] << 8U | at[1]); }

uint32_t sum_of(std::span<const uint8_t> bytes) {
  uint32_t sum = 0;
  for (size_t index = 0; index < bytes.size(); ++index) {
    sum += index % 2 == 0 ? static_cast<uint32_t>(bytes[index] << 8U) : bytes[index];
  }
  return sum;
}
uint32_t folded(uint32_t sum) {
  while (sum > 0xffff) sum = (sum & 0xffffU) + (sum >> 16U);
  return ~sum & 0xffffU;
}

std::vector<uint8_t> options_of(const WireSegment& sent) {
  std::vector<uint8_t> options;
  if (sent.segment.has_timestamp) {
    options = {1, 1, 8, 10, 0, 0, 0, 0, 0, 0, 0, 0};
    store32(options.data() + 4, sent.segment.timestamp_value);
    store32(options.data() + 8, sent.timestamp_echo);
  }
  if (sent.segment.window_scale != kSegmentWithoutScale) {
    options.insert(options.end(), {1, 3, 3, sent.segment.window_scale});
  }
  return options;
}

std::string failed(const char* what) { return std::string(what) + ": " + std::strerror(errno); }

}  // namespace

KernelReceiver::~KernelReceiver() {
  if (listener_ >= 0) close(listener_);
  if (tun_ >= 0) close(tun_);
}

std::string KernelReceiver::start() {
  if (unshare(CLONE_NEWNET) != 0 && unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0) {
    return failed("a network namespace (root or user namespaces are needed)");
  }
  tun_ = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
  if (tun_ < 0) return failed("/dev/net/tun");
  ifreq request{};
  std::strcpy(request.ifr_name, "wire");
  request.ifr_flags = IFF_TUN | IFF_NO_PI;
  if (ioctl(tun_, TUNSETIFF, &request) != 0) return failed("a TUN device");
  if (std::system("ip link set lo up && ip addr add 10.9.0.1/24 dev wire && ip link set wire up") !=
      0) {
    return "the address of the TUN device";
  }
  listener_ = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(kServerPort);
  if (bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 ||
      listen(listener_, 64) != 0) {
    return failed("a listening socket");
  }
  return {};
}

void KernelReceiver::send(uint16_t port, const WireSegment& sent) {
  const std::vector<uint8_t> options = options_of(sent);
  const size_t header = kTransportHeader + options.size();
  std::vector<uint8_t> packet(kNetworkHeader + header + sent.payload.size());
  uint8_t* ip = packet.data();
  ip[0] = 0x45;
  store16(ip + 2, static_cast<uint32_t>(packet.size()));
  ip[8] = 64;
  ip[9] = IPPROTO_TCP;
  store32(ip + 12, kClient);
  store32(ip + 16, kServer);
  store16(ip + 10, folded(sum_of({ip, kNetworkHeader})));
  uint8_t* tcp = ip + kNetworkHeader;
  store16(tcp, port);
  store16(tcp + 2, kServerPort);
  store32(tcp + 4, sent.segment.sequence);
  store32(tcp + 8, sent.segment.acknowledgement);
  tcp[12] = static_cast<uint8_t>(header / 4 << 4U);
  tcp[13] = sent.segment.flags;
  store16(tcp + 14, sent.segment.window);
  store16(tcp + 18, sent.segment.urgent_pointer);
  std::copy(options.begin(), options.end(), tcp + kTransportHeader);
  std::copy(sent.payload.begin(), sent.payload.end(), tcp + header);
  const size_t length = packet.size() - kNetworkHeader;
  const uint32_t pseudo = sum_of({ip + 12, 8}) + IPPROTO_TCP + static_cast<uint32_t>(length);
  store16(tcp + 16, folded(pseudo + sum_of({tcp, length})));
  static_cast<void>(!write(tun_, packet.data(), packet.size()));
}

std::optional<WireSegment> KernelReceiver::receive(uint16_t port, int wait_ms) {
  std::array<uint8_t, 65536> packet;
  while (true) {
    const ssize_t count = read(tun_, packet.data(), packet.size());
    if (count < 0) {
      pollfd waiting{tun_, POLLIN, 0};
      if (wait_ms == 0 || poll(&waiting, 1, wait_ms) <= 0) return std::nullopt;
      continue;
    }
    const auto length = static_cast<size_t>(count);
    const uint8_t* tcp = packet.data() + kNetworkHeader;
    const bool ours = length >= kNetworkHeader + kTransportHeader && packet[0] == 0x45 &&
                      packet[9] == IPPROTO_TCP && load16(tcp + 2) == port;
    if (!ours) continue;
    const size_t header = static_cast<size_t>(tcp[12] >> 4U) * 4;
    if (kNetworkHeader + header > length) continue;
    WireSegment received;
    received.payload.assign(tcp + header, tcp - kNetworkHeader + length);
    received.segment = read_stream_segment({tcp, header}, received.payload);
    return received;
  }
}

int KernelReceiver::accept_connection() const {
  pollfd waiting{listener_, POLLIN, 0};
  if (poll(&waiting, 1, 1000) <= 0) return -1;
  return accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
}

std::string KernelReceiver::read_all(int connection, bool& ended) {
  std::string text;
  ended = false;
  std::array<char, 4096> piece;
  while (true) {
    const ssize_t count = recv(connection, piece.data(), piece.size(), 0);
    if (count > 0) {
      text.append(piece.data(), static_cast<size_t>(count));
      continue;
    }
    if (count == 0) ended = true;
    if (count == 0 || errno != EAGAIN) return text;
    pollfd waiting{connection, POLLIN, 0};
    if (poll(&waiting, 1, 1000) <= 0) return text;
  }
}

}  // namespace masugata::dataplane
