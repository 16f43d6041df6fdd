// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/differential/kernel_gateway.h"

#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/netlink.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <utility>

#include "tests/packets/field_values.h"

namespace masugata::test {
namespace {

tl::unexpected<Fault> system_failure(const std::string& where) {
  return failure(where, std::strerror(errno));
}

Status enter_namespace() {
  if (unshare(CLONE_NEWNET) == 0) return {};
  if (unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0) return {};
  return system_failure("a network namespace (root or user namespaces are needed)");
}

// Runs a program with `input` on its standard input.
Status run(const std::string& command, const std::string& input) {
  std::FILE* pipe = popen((command + " 2>&1 >/dev/null").c_str(), "w");
  if (pipe == nullptr) return system_failure(command);
  std::fwrite(input.data(), 1, input.size(), pipe);
  if (pclose(pipe) != 0) return failure(command, "refused:\n" + input);
  return {};
}

void write_setting(const std::string& name, const std::string& value) {
  std::ofstream stream("/proc/sys/net/" + name);
  stream << value;
}

// Everything that would make the kernel judge by other rules than those that are compared, or at
// other times.
void set_up_stack() {
  write_setting("ipv4/ip_forward", "1");
  write_setting("ipv6/conf/all/forwarding", "1");
  write_setting("ipv6/conf/default/forwarding", "1");
  for (const char* scope : {"all", "default"}) {
    const std::string ipv4 = std::string("ipv4/conf/") + scope;
    write_setting(ipv4 + "/rp_filter", "0");
    write_setting(ipv4 + "/send_redirects", "0");
    write_setting(ipv4 + "/accept_source_route", "0");
    const std::string ipv6 = std::string("ipv6/conf/") + scope;
    write_setting(ipv6 + "/accept_dad", "0");
    write_setting(ipv6 + "/dad_transmits", "0");
    write_setting(ipv6 + "/accept_ra", "0");
    write_setting(ipv6 + "/router_solicitations", "0");
    write_setting(ipv6 + "/addr_gen_mode", "1");
  }
  write_setting("ipv4/icmp_ratelimit", "0");
  write_setting("ipv4/icmp_msgs_per_sec", "1000000");
  write_setting("ipv4/icmp_msgs_burst", "1000000");
  write_setting("ipv6/icmp/ratelimit", "0");
}

void set_up_tracking() {
  write_setting("netfilter/nf_conntrack_tcp_loose", "0");
  write_setting("netfilter/nf_conntrack_tcp_be_liberal", "0");
  write_setting("netfilter/nf_conntrack_checksum", "1");
}

Result<int> open_tap(const KernelPort& port) {
  const int descriptor = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
  if (descriptor < 0) return system_failure("/dev/net/tun");
  ifreq request{};
  port.name.copy(request.ifr_name, IFNAMSIZ - 1);
  request.ifr_flags = IFF_TAP | IFF_NO_PI;
  if (ioctl(descriptor, TUNSETIFF, &request) != 0) {
    const auto fault = system_failure("TAP device " + port.name);
    close(descriptor);
    return fault;
  }
  return descriptor;
}

// Forgets every connection: a delete request without a filter.
Status flush_connections() {
  const int descriptor = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);
  if (descriptor < 0) return system_failure("netfilter socket");
  struct {
    nlmsghdr header;
    nfgenmsg body;
  } request{};
  request.header.nlmsg_len = sizeof request;
  request.header.nlmsg_type = NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_DELETE;
  request.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
  const bool sent = ::send(descriptor, &request, sizeof request, 0) == sizeof request;
  std::array<char, 1024> answer{};
  const auto length = sent ? recv(descriptor, answer.data(), answer.size(), 0) : -1;
  close(descriptor);
  if (length < static_cast<ssize_t>(sizeof(nlmsghdr) + sizeof(nlmsgerr))) {
    return failure("connection tracking", "no answer");
  }
  nlmsgerr result{};
  std::memcpy(&result, answer.data() + sizeof(nlmsghdr), sizeof result);
  if (result.error != 0) return failure("connection tracking", std::strerror(-result.error));
  return {};
}

// Multicast listener reports, discovery of routers and neighbours, ARP requests.
bool is_own_noise(const std::vector<uint8_t>& frame) {
  constexpr size_t kArpOperationOffset = 21;
  if (frame.size() > kArpOperationOffset && frame[12] == 0x08 && frame[13] == 0x06) {
    return frame[kArpOperationOffset] == 1;
  }
  constexpr size_t kIcmpTypeOffset = 54;
  constexpr size_t kHopByHopBytes = 8;
  if (frame.size() <= kIcmpTypeOffset || frame[12] != 0x86 || frame[13] != 0xdd) return false;
  if (frame[0] != 0x33) return false;
  const size_t at = frame[20] == 0 ? kIcmpTypeOffset + kHopByHopBytes : kIcmpTypeOffset;
  return at < frame.size() && (frame[at] == 143 || (frame[at] >= 131 && frame[at] <= 136));
}

}  // namespace

Result<KernelGateway> KernelGateway::create(const std::vector<KernelPort>& ports,
                                            const std::vector<std::string>& settings) {
  auto entered = enter_namespace();
  if (!entered) return tl::unexpected(entered.error());
  set_up_stack();
  KernelGateway gateway;
  std::string batch = "link set lo up\n";
  for (const KernelPort& port : ports) {
    auto descriptor = open_tap(port);
    if (!descriptor) return tl::unexpected(descriptor.error());
    gateway.taps_.push_back({port.name, *descriptor});
    batch += "link set " + port.name + " address " + port.mac + "\n";
    batch += "link set " + port.name + " up\n";
    for (const std::string& address : port.addresses) {
      const bool ipv6 = address.find(':') != std::string::npos;
      batch += "addr add " + address + " dev " + port.name + (ipv6 ? " nodad\n" : "\n");
    }
  }
  for (const std::string& line : settings) batch += line + "\n";
  auto done = run("ip -batch -", batch);
  if (!done) return tl::unexpected(done.error());
  return gateway;
}

KernelGateway::KernelGateway(KernelGateway&& other) noexcept
    : taps_(std::exchange(other.taps_, {})) {}

KernelGateway::~KernelGateway() {
  for (const Tap& tap : taps_) close(tap.descriptor);
}

Status KernelGateway::load_rules(const std::string& nft_text) {
  auto loaded = run("nft -f -", "flush ruleset\n" + nft_text);
  if (!loaded) return loaded;
  set_up_tracking();
  return flush_connections();
}

Status KernelGateway::send(const std::string& port, const std::vector<uint8_t>& frame) {
  for (const Tap& tap : taps_) {
    if (tap.name != port) continue;
    const ssize_t written = write(tap.descriptor, frame.data(), frame.size());
    // A TAP refuses frames that are shorter than an Ethernet header: nobody would see them.
    if (written < 0 && errno != EINVAL) return system_failure("TAP device " + port);
    return {};
  }
  return failure("TAP device " + port, "unknown");
}

std::vector<KernelFrame> KernelGateway::take_output() {
  std::vector<KernelFrame> frames;
  std::array<uint8_t, 16384> buffer;
  for (const Tap& tap : taps_) {
    while (true) {
      const ssize_t length = read(tap.descriptor, buffer.data(), buffer.size());
      if (length <= 0) break;
      std::vector<uint8_t> bytes(buffer.begin(), buffer.begin() + length);
      if (!is_own_noise(bytes)) frames.push_back({tap.name, std::move(bytes)});
    }
  }
  return frames;
}

}  // namespace masugata::test
