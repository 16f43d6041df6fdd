// SPDX-License-Identifier: GPL-2.0-or-later
#include "ipsec/sa/sa_parameters.h"

#include <fmt/format.h>

namespace masugata::ipsec {
namespace {

std::string name_of(const SaParameters& parameters) {
  const char* side = parameters.direction == Direction::Inbound ? "inbound" : "outbound";
  return fmt::format("{} SA {:08x}", side, parameters.spi.host());
}

tl::unexpected<Fault> refusal(const SaParameters& parameters, std::string what) {
  return failure(name_of(parameters), std::move(what));
}

bool usable_outer(const net::IpAddress& address) noexcept {
  return !address.is_unspecified() && !address.is_multicast() && !address.is_loopback() &&
         !address.is_limited_broadcast();
}

Status check_keys(const SaParameters& parameters) {
  const EspTransform transform = parameters.transform;
  if (!transform.valid()) {
    return refusal(parameters, "encryption and integrity algorithms do not go together");
  }
  if (parameters.encryption_key.size() != transform.encryption_key_bytes()) {
    return refusal(parameters, fmt::format("the encryption key has {} bytes, {} takes {}",
                                           parameters.encryption_key.size(), name_of(transform),
                                           transform.encryption_key_bytes()));
  }
  if (parameters.integrity_key.size() != transform.integrity_key_bytes()) {
    return refusal(parameters, fmt::format("the integrity key has {} bytes, {} takes {}",
                                           parameters.integrity_key.size(), name_of(transform),
                                           transform.integrity_key_bytes()));
  }
  return {};
}

Status check_outer_header(const SaParameters& parameters) {
  if (Status possible = check_outer(name_of(parameters), parameters.mode, parameters.local,
                                    parameters.remote, parameters.udp);
      !possible) {
    return possible;
  }
  if (parameters.header.hop_limit == 0) {
    return refusal(parameters, "the hop limit of the outer header is 0");
  }
  if (parameters.header.dscp > 63) {
    return refusal(parameters, fmt::format("DSCP {} is beyond 63", parameters.header.dscp));
  }
  return {};
}

Status check_lifetime(const SaParameters& parameters, const char* unit, uint64_t soft,
                      uint64_t hard) {
  if (hard != 0 && soft > hard) {
    return refusal(parameters, fmt::format("the soft lifetime of {} {} is beyond the hard one "
                                           "of {}",
                                           soft, unit, hard));
  }
  return {};
}

Status check_lifetimes(const SaParameters& parameters) {
  const LifetimeLimits& soft = parameters.soft;
  const LifetimeLimits& hard = parameters.hard;
  Status status = check_lifetime(parameters, "seconds", soft.seconds, hard.seconds);
  if (status) status = check_lifetime(parameters, "bytes", soft.bytes, hard.bytes);
  if (status) status = check_lifetime(parameters, "packets", soft.packets, hard.packets);
  return status;
}

}  // namespace

SaParameters SaParameters::duplicate() const {
  SaParameters copy;
  copy.spi = spi;
  copy.direction = direction;
  copy.mode = mode;
  copy.transform = transform;
  copy.encryption_key = encryption_key.duplicate();
  copy.integrity_key = integrity_key.duplicate();
  copy.local = local;
  copy.remote = remote;
  copy.udp = udp;
  copy.extended_sequence = extended_sequence;
  copy.replay_window_packets = replay_window_packets;
  copy.soft = soft;
  copy.hard = hard;
  copy.request_id = request_id;
  copy.tunnel_id = tunnel_id;
  copy.local_selectors = local_selectors;
  copy.remote_selectors = remote_selectors;
  copy.header = header;
  return copy;
}

Status check_outer_addresses(const net::IpAddress& local, const net::IpAddress& remote,
                             UdpEncapsulation udp) {
  const char* where = "outer addresses";
  if (!usable_outer(local) || !usable_outer(remote)) {
    return failure(where, "an outer address is missing or no unicast address");
  }
  if (local.family() != remote.family()) {
    return failure(where, "the outer addresses are of two families");
  }
  if ((udp.local_port == 0) != (udp.remote_port == 0)) {
    return failure(where, "UDP encapsulation takes two ports");
  }
  return {};
}

Status check_outer(const std::string& sa, Mode mode, const net::IpAddress& local,
                   const net::IpAddress& remote, UdpEncapsulation udp) {
  if (const auto addresses = check_outer_addresses(local, remote, udp); !addresses) {
    return failure(sa, addresses.error().what);
  }
  if (mode == Mode::Transport && udp.enabled()) {
    // The checksum of what is inside covers addresses that a NAT changed (RFC 3948 section 3.1.2).
    return failure(sa, "transport mode in UDP is not possible; use a tunnel");
  }
  return {};
}

Status check(const SaParameters& parameters) {
  if (parameters.spi.host() < kFirstUsableSpi) {
    return refusal(parameters, "an SPI below 256 is reserved");
  }
  if (parameters.direction == Direction::Inbound &&
      (parameters.replay_window_packets < kSmallestReplayWindow ||
       parameters.replay_window_packets > kLargestReplayWindow)) {
    return refusal(parameters, fmt::format("a replay window of {} packets; {} to {} are possible",
                                           parameters.replay_window_packets, kSmallestReplayWindow,
                                           kLargestReplayWindow));
  }
  Status status = check_keys(parameters);
  if (status) status = check_outer_header(parameters);
  if (status) status = check_lifetimes(parameters);
  return status;
}

}  // namespace masugata::ipsec
