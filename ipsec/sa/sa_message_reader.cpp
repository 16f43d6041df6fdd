// SPDX-License-Identifier: GPL-2.0-or-later
#include "ipsec/sa/sa_message_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <string_view>

namespace masugata::ipsec {
namespace {

constexpr uint8_t kEsp = 50;  // RFC 4303 section 2

tl::unexpected<Fault> refused(std::string what) { return failure("charon", std::move(what)); }

size_t size_of_type(uint16_t type) noexcept {
  switch (type) {
    case MASUGATA_SA_HELLO:
      return sizeof(masugata_sa_hello);
    case MASUGATA_SA_RESERVE_SPI:
      return sizeof(masugata_sa_reserve_spi);
    case MASUGATA_SA_ADD:
      return sizeof(masugata_sa_add);
    case MASUGATA_SA_UPDATE:
      return sizeof(masugata_sa_update);
    case MASUGATA_SA_QUERY:
    case MASUGATA_SA_REMOVE:
      return sizeof(masugata_sa_about);
    case MASUGATA_SA_FLUSH:
    case MASUGATA_SA_FLUSH_POLICIES:
      return sizeof(masugata_sa_plain);
    case MASUGATA_SA_ADD_POLICY:
    case MASUGATA_SA_REMOVE_POLICY:
      return sizeof(masugata_sa_policy);
    case MASUGATA_SA_ALERT:
      return sizeof(masugata_sa_alert);
    default:
      return 0;
  }
}

Result<net::IpAddress> address_of(uint8_t family, const uint8_t (&bytes)[16]) {
  if (family == 4) return net::IpAddress::from_v4(net::load_be32(bytes));
  if (family != 6) return refused(fmt::format("an address of family {}; 4 and 6 exist", family));
  const net::IpAddress address = net::IpAddress::from_v6(bytes);
  if (address.is_v4()) return refused("an IPv6 address that maps an IPv4 one");
  return address;
}

Result<TrafficSelector> read_selector(const masugata_sa_selector& selector) {
  const auto first = address_of(selector.family, selector.first);
  if (!first) return tl::unexpected(first.error());
  const auto last = address_of(selector.family, selector.last);
  if (!last) return tl::unexpected(last.error());
  if (*last < *first || selector.last_port < selector.first_port) {
    return refused("a traffic selector ends before it begins");
  }
  return TrafficSelector{.addresses = {*first, *last},
                         .protocol = selector.protocol,
                         .first_port = selector.first_port,
                         .last_port = selector.last_port};
}

Status read_selectors(const masugata_sa_selector (&from)[MASUGATA_SA_SELECTORS], uint8_t count,
                      TrafficSelectors& to) {
  static_assert(TrafficSelectors::kMaximum >= MASUGATA_SA_SELECTORS);
  if (count > MASUGATA_SA_SELECTORS) {
    return refused(
        fmt::format("{} traffic selectors; {} are possible", count, MASUGATA_SA_SELECTORS));
  }
  for (uint8_t i = 0; i < count; ++i) {
    const auto selector = read_selector(from[i]);
    if (!selector) return tl::unexpected(selector.error());
    (void)to.add(*selector);
  }
  return {};
}

// IKEv2 transform ids (RFC 7296 section 3.3.2, RFC 4106, RFC 7634, RFC 4868).
Result<Encryption> read_encryption(uint16_t transform, size_t key_bytes) {
  constexpr uint16_t kAesCbc = 12;
  constexpr uint16_t kAesGcm16 = 20;
  constexpr uint16_t kChaCha20Poly1305 = 28;
  constexpr size_t kSaltBytes = 4;
  if (transform == kChaCha20Poly1305) return Encryption::ChaCha20Poly1305;
  const bool gcm = transform == kAesGcm16;
  if (!gcm && transform != kAesCbc) {
    return refused(
        fmt::format("encryption algorithm {} (IKEv2's number) is not supported; "
                    "AES-GCM with an ICV of 16 bytes, AES-CBC and ChaCha20-Poly1305 are",
                    transform));
  }
  switch (gcm && key_bytes > kSaltBytes ? key_bytes - kSaltBytes : key_bytes) {
    case 16:
      return gcm ? Encryption::AesGcm128 : Encryption::AesCbc128;
    case 24:
      return gcm ? Encryption::AesGcm192 : Encryption::AesCbc192;
    case 32:
      return gcm ? Encryption::AesGcm256 : Encryption::AesCbc256;
    default:
      return refused(fmt::format("AES with {} bytes of keying material", key_bytes));
  }
}

Result<Integrity> read_integrity(uint16_t transform) {
  switch (transform) {
    case 0:
      return Integrity::Combined;
    case 12:
      return Integrity::HmacSha256128;
    case 13:
      return Integrity::HmacSha384192;
    case 14:
      return Integrity::HmacSha512256;
    default:
      return refused(
          fmt::format("integrity algorithm {} (IKEv2's number) is not supported; "
                      "HMAC-SHA-256, -384 and -512 are",
                      transform));
  }
}

Status read_keys(const masugata_sa_add& message, SaParameters& parameters) {
  if (message.encryption_key_bytes > MASUGATA_SA_KEY_BYTES ||
      message.integrity_key_bytes > MASUGATA_SA_KEY_BYTES) {
    return refused("a key is longer than its place");
  }
  const auto encryption = read_encryption(message.encryption, message.encryption_key_bytes);
  if (!encryption) return tl::unexpected(encryption.error());
  const auto integrity = read_integrity(message.integrity);
  if (!integrity) return tl::unexpected(integrity.error());
  parameters.transform = {*encryption, *integrity};
  if (!parameters.encryption_key.assign({message.encryption_key, message.encryption_key_bytes}) ||
      !parameters.integrity_key.assign({message.integrity_key, message.integrity_key_bytes})) {
    return refused("a key is too long");
  }
  return {};
}

// Source and destination as the packets have them, local and remote as we do.
Status read_sides(const masugata_sa_add& message, const SaName& name, SaParameters& parameters) {
  const bool inbound = name.direction == Direction::Inbound;
  const auto source = read_address(message.source);
  if (!source) return tl::unexpected(source.error());
  parameters.local = inbound ? name.destination : *source;
  parameters.remote = inbound ? *source : name.destination;
  parameters.udp = {inbound ? message.destination_port : message.source_port,
                    inbound ? message.source_port : message.destination_port};
  auto status = read_selectors(message.source_selectors, message.source_selector_count,
                               inbound ? parameters.remote_selectors : parameters.local_selectors);
  if (status) {
    status = read_selectors(message.destination_selectors, message.destination_selector_count,
                            inbound ? parameters.local_selectors : parameters.remote_selectors);
  }
  return status;
}

TunnelHeaderHandling handling_of(uint8_t flags) noexcept {
  TunnelHeaderHandling handling;
  handling.df = (flags & MASUGATA_SA_COPY_DF) != 0 ? DfHandling::Copy : DfHandling::Clear;
  handling.ecn =
      (flags & MASUGATA_SA_COPY_ECN) != 0 ? EcnHandling::Normal : EcnHandling::Compatibility;
  handling.copy_dscp_out = (flags & MASUGATA_SA_COPY_DSCP_OUT) != 0;
  handling.copy_dscp_in = (flags & MASUGATA_SA_COPY_DSCP_IN) != 0;
  return handling;
}

Result<Mode> read_mode(uint8_t mode) {
  if (mode == MASUGATA_SA_TUNNEL) return Mode::Tunnel;
  if (mode == MASUGATA_SA_TRANSPORT) return Mode::Transport;
  return refused(fmt::format("mode {}; tunnel and transport are supported", mode));
}

// Up to the first zero byte or the end of the array; what could disturb a terminal or a log is '?'.
template <size_t N>
std::string read_text(const char (&text)[N]) {
  std::string result(text, strnlen(text, N));
  std::replace_if(
      result.begin(), result.end(), [](char c) { return c < ' ' || c > '~'; }, '?');
  return result;
}

std::optional<net::IpAddress> optional_address(const masugata_sa_address& address) {
  const auto value = read_address(address);
  return value ? std::optional(*value) : std::nullopt;
}

}  // namespace

Status check_header(std::span<const uint8_t> message) {
  masugata_sa_header header;
  if (message.size() < sizeof header) return refused("a message without a header");
  std::memcpy(&header, message.data(), sizeof header);
  if (header.magic != MASUGATA_SA_MAGIC) return refused("a message that is none of ours");
  if (header.version != MASUGATA_SA_VERSION) {
    return refused(fmt::format("the plugin speaks version {}, we {}: both must be of one build",
                               header.version, MASUGATA_SA_VERSION));
  }
  const size_t expected = size_of_type(header.type);
  if (expected == 0) return refused(fmt::format("a message of type {}", header.type));
  if (message.size() != expected || header.size != expected) {
    return refused(fmt::format("a message of type {} with {} bytes instead of {}", header.type,
                               message.size(), expected));
  }
  return {};
}

Result<net::IpAddress> read_address(const masugata_sa_address& address) {
  return address_of(address.family, address.bytes);
}

Result<SaName> read_name(const masugata_sa_name& name) {
  if (name.protocol != kEsp) {
    return refused(fmt::format("an SA of protocol {}; only ESP (50) is known", name.protocol));
  }
  if (name.direction > MASUGATA_SA_OUTBOUND) return refused("an SA of no direction");
  const auto destination = read_address(name.destination);
  if (!destination) return tl::unexpected(destination.error());
  return SaName{.spi = name.spi,
                .direction = static_cast<Direction>(name.direction),
                .destination = *destination};
}

Result<SaParameters> read_parameters(const masugata_sa_add& message) {
  const auto name = read_name(message.name);
  if (!name) return tl::unexpected(name.error());
  const auto mode = read_mode(message.mode);
  if (!mode) return tl::unexpected(mode.error());
  SaParameters parameters;
  parameters.spi = net::Be32::from_host(name->spi);
  parameters.direction = name->direction;
  parameters.mode = *mode;
  auto status = read_keys(message, parameters);
  if (status) status = read_sides(message, *name, parameters);
  if (!status) return tl::unexpected(status.error());
  if (message.extended_sequence > 1) return refused("an ESN flag that is neither 0 nor 1");
  parameters.extended_sequence = message.extended_sequence == 1;
  parameters.replay_window_packets = std::max(message.replay_window_packets, kSmallestReplayWindow);
  parameters.soft = {message.soft.seconds, message.soft.bytes, message.soft.packets};
  parameters.hard = {message.hard.seconds, message.hard.bytes, message.hard.packets};
  parameters.request_id = message.request_id;
  parameters.tunnel_id = message.tunnel_id;
  parameters.header = handling_of(message.handling);
  if (const auto usable = check(parameters); !usable) return tl::unexpected(usable.error());
  return parameters;
}

Result<SaMove> read_move(const masugata_sa_update& message) {
  const auto name = read_name(message.name);
  if (!name) return tl::unexpected(name.error());
  const auto source = read_address(message.source);
  if (!source) return tl::unexpected(source.error());
  const auto destination = read_address(message.destination);
  if (!destination) return tl::unexpected(destination.error());
  const bool inbound = name->direction == Direction::Inbound;
  const SaMove move{.local = inbound ? *destination : *source,
                    .remote = inbound ? *source : *destination,
                    .udp = {inbound ? message.destination_port : message.source_port,
                            inbound ? message.source_port : message.destination_port},
                    .request_id = message.request_id};
  const auto possible = check_outer_addresses(move.local, move.remote, move.udp);
  if (!possible) return tl::unexpected(possible.error());
  return move;
}

Result<SaPolicy> read_policy(const masugata_sa_policy& message) {
  if (message.direction > MASUGATA_SA_FORWARD) return refused("a policy of no direction");
  if (message.kind < static_cast<uint8_t>(PolicyKind::Ipsec) ||
      message.kind > static_cast<uint8_t>(PolicyKind::Discard)) {
    return refused(fmt::format("a policy of kind {}", message.kind));
  }
  if (message.priority > static_cast<uint8_t>(PolicyPriority::Fallback)) {
    return refused(fmt::format("a policy of priority {}", message.priority));
  }
  SaPolicy policy;
  policy.direction = static_cast<PolicyDirection>(message.direction);
  policy.kind = static_cast<PolicyKind>(message.kind);
  policy.priority = static_cast<PolicyPriority>(message.priority);
  if (message.mode != 0) {
    const auto mode = read_mode(message.mode);
    if (!mode) return tl::unexpected(mode.error());
    policy.mode = *mode;
  }
  policy.manual_priority = message.manual_priority;
  policy.request_id = message.request_id;
  policy.tunnel_id = message.tunnel_id;
  policy.spi = message.spi;
  policy.peer = optional_address(message.peer);
  const auto source = read_selector(message.source);
  if (!source) return tl::unexpected(source.error());
  const auto destination = read_selector(message.destination);
  if (!destination) return tl::unexpected(destination.error());
  policy.source = *source;
  policy.destination = *destination;
  return policy;
}

Result<CharonAlert> read_alert(const masugata_sa_alert& message) {
  if (message.kind == 0 || message.kind > MASUGATA_ALERT_LAST) {
    return refused(fmt::format("an alert of kind {}", message.kind));
  }
  CharonAlert alert;
  alert.kind = static_cast<AlertKind>(message.kind);
  alert.we_asked = (message.flags & MASUGATA_ALERT_WE_ASKED) != 0;
  alert.rekeying = (message.flags & MASUGATA_ALERT_REKEYING) != 0;
  alert.local_selectors = (message.flags & MASUGATA_ALERT_LOCAL_SELECTORS) != 0;
  alert.first_child = (message.flags & MASUGATA_ALERT_FIRST_CHILD) != 0;
  alert.nat_here = (message.flags & MASUGATA_ALERT_NAT_HERE) != 0;
  alert.nat_there = (message.flags & MASUGATA_ALERT_NAT_THERE) != 0;
  alert.peer_answered = (message.flags & MASUGATA_ALERT_PEER_ANSWERED) != 0;
  alert.established = (message.flags & MASUGATA_ALERT_ESTABLISHED) != 0;
  alert.exchange = message.exchange;
  alert.ike_version = message.ike_version;
  alert.number = message.number;
  alert.ike_id = message.ike_id;
  alert.not_before = message.not_before;
  alert.not_after = message.not_after;
  alert.local = optional_address(message.local);
  alert.remote = optional_address(message.remote);
  alert.local_port = message.local.port;
  alert.remote_port = message.remote.port;
  alert.connection = read_text(message.connection);
  alert.child = read_text(message.child);
  alert.local_identity = read_text(message.local_identity);
  alert.remote_identity = read_text(message.remote_identity);
  alert.configured_remote_identity = read_text(message.configured_remote_identity);
  alert.subject = read_text(message.subject);
  alert.issuer = read_text(message.issuer);
  alert.received = read_text(message.received);
  alert.configured = read_text(message.configured);
  return alert;
}

masugata_sa_address write_address(const net::IpAddress& address, uint16_t port) noexcept {
  masugata_sa_address message{};
  message.family = static_cast<uint8_t>(address.family());
  message.port = port;
  if (address.is_v4()) {
    net::store(message.bytes, address.v4());
  } else {
    std::memcpy(message.bytes, address.bytes.data(), sizeof message.bytes);
  }
  return message;
}

masugata_sa_name write_name(const SaName& name) noexcept {
  masugata_sa_name message{};
  message.spi = name.spi;
  message.direction = static_cast<uint8_t>(name.direction);
  message.protocol = kEsp;
  message.destination = write_address(name.destination, 0);
  return message;
}

masugata_sa_selector write_selector(const TrafficSelector& selector) noexcept {
  masugata_sa_selector message{};
  const masugata_sa_address first = write_address(selector.addresses.first, 0);
  const masugata_sa_address last = write_address(selector.addresses.last, 0);
  message.family = first.family;
  message.protocol = selector.protocol;
  message.first_port = selector.first_port;
  message.last_port = selector.last_port;
  std::memcpy(message.first, first.bytes, sizeof message.first);
  std::memcpy(message.last, last.bytes, sizeof message.last);
  return message;
}

}  // namespace masugata::ipsec
