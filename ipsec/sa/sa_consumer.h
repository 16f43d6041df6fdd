// SPDX-License-Identifier: GPL-2.0-or-later
// What masugatad does with charon's wishes. SaSocket reads them from the plugin, checks every field
// and calls a SaConsumer; the dataplane is one.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "ipsec/sa/sa_parameters.h"
#include "net/address.h"
#include "result/result.h"

namespace masugata::ipsec {

// By what charon knows an SA. Inbound SPIs are unique here, outbound ones per destination.
struct SaName {
  uint32_t spi = 0;  // host order
  Direction direction = Direction::Inbound;
  net::IpAddress destination;  // outer
  friend auto operator<=>(const SaName&, const SaName&) = default;
};
[[nodiscard]] std::string to_string(const SaName& name);

// Outer addresses of an SA after MOBIKE or a change of NAT, as in SaParameters.
struct SaMove {
  net::IpAddress local;
  net::IpAddress remote;
  UdpEncapsulation udp;
  uint32_t request_id = 0;  // 0: as before
};

struct SaUse {
  uint64_t bytes = 0;  // of inner packets, since the SA was installed
  uint64_t packets = 0;
  std::optional<uint64_t> idle_seconds;  // since the last packet; nullopt: never used
};

enum class PolicyDirection : uint8_t { Inbound, Outbound, Forward };
enum class PolicyKind : uint8_t { Ipsec = 1, Pass, Discard };
// charon's classes; Trap policies stand for SAs that traffic shall call for.
enum class PolicyPriority : uint8_t { Pass, Usual, Trap, Fallback };

// Which packets want which SA. At a rekey the outbound policy with the new SPI is added before the
// one with the old SPI is removed.
struct SaPolicy {
  PolicyDirection direction = PolicyDirection::Inbound;
  PolicyKind kind = PolicyKind::Ipsec;
  PolicyPriority priority = PolicyPriority::Usual;
  std::optional<Mode> mode;  // nullopt where no SA is tied to the policy
  uint32_t manual_priority = 0;
  uint32_t request_id = 0;
  uint32_t tunnel_id = 0;
  uint32_t spi = 0;  // 0: none yet, a packet raises acquire
  // Outer address of the SA's other end when the policy was made or is removed; charon does not say
  // when it moves. nullopt: not told.
  std::optional<net::IpAddress> peer;
  TrafficSelector source;
  TrafficSelector destination;
  friend bool operator==(const SaPolicy&, const SaPolicy&) = default;
};

// What an alert is about; numbers as in sa_messages.h.
enum class AlertKind : uint8_t {
  IkeProposals = 1,
  ChildProposals,
  Selectors,
  SelectorsNarrowed,
  LocalAuthentication,  // the peer refused us, or our credentials are missing
  PeerAuthentication,
  PeerAddress,      // its name does not resolve
  PeerUnreachable,  // no answer to the first message so far
  RetransmitTimeout,
  HalfOpenTimeout,
  SaNotInstalled,
  PolicyNotInstalled,
  ChildFailed,  // the IKE SA stays, without this child SA
  Authorization,
  UniqueReplaced,
  UniqueKept,
  IkeExpired,
  CertificateExpired,
  CertificateRevoked,
  CertificateStatusUnknown,
  CertificateNoIssuer,
  CertificateUntrustedRoot,
  CertificatePathLength,
  CertificatePolicy,
  MessageUnreadable,
  UnknownIkeSpi,
  Retransmit,
  PeerNotified,  // an error of the peer's: `number` is the notify type, `received` its name
  PeerNotConfigured,
  RetransmitAnswered,
  IkeUp,
  IkeDown,  // also at the end of a try that failed
  IkeRekeyed,
  ChildUp,  // `received`: the selectors that were agreed on
  ChildDown,
  ChildRekeyed,
};
[[nodiscard]] std::string_view name_of(AlertKind kind) noexcept;  // "ike-proposals"

// One of charon's alerts, texts in charon's words, made printable: control characters are '?'.
// When we asked and the peer refused, `received` is empty and `configured` is what we offered.
struct CharonAlert {
  AlertKind kind = AlertKind::IkeProposals;
  bool we_asked = false;
  bool rekeying = false;
  bool local_selectors = false;  // SelectorsNarrowed: ours, else the peer's
  bool first_child = false;
  bool nat_here = false;
  bool nat_there = false;
  bool peer_answered = false;  // at least the first message had an answer
  bool established = false;    // the IKE SA is up
  uint8_t ike_version = 0;     // 0: no IKE SA
  uint32_t number = 0;         // of the try or retransmission, from 1; notify type
  uint32_t ike_id = 0;         // charon's unique id; 0: none
  uint16_t exchange = 0;       // of what the peer notified, IKEv2's number; else 0
  int64_t not_before = 0;      // of the certificate, seconds since 1970
  int64_t not_after = 0;
  std::optional<net::IpAddress> local;
  std::optional<net::IpAddress> remote;
  uint16_t local_port = 0;
  uint16_t remote_port = 0;
  std::string connection;  // empty when no configuration was chosen
  std::string child;
  std::string local_identity;
  std::string remote_identity;
  std::string configured_remote_identity;
  std::string subject;
  std::string issuer;
  std::string received;
  std::string configured;
};

// Implemented by who holds the SAs. Called by SaSocket::on_readable() only, in its thread; no call
// may block. A fault's text goes to charon's log and must not hold a key.
class SaConsumer {
 public:
  virtual ~SaConsumer() = default;

  // An SPI for an inbound SA from `remote` to `local` that no installed or reserved SA has;
  // SpiReservations does it.
  [[nodiscard]] virtual Result<uint32_t> reserve_spi(const net::IpAddress& local,
                                                     const net::IpAddress& remote) = 0;
  // `parameters` have passed check(). An inbound SPI takes the place of its reservation. The SA is
  // in force when this returns, or is not there at all.
  [[nodiscard]] virtual Status install(SaParameters parameters) = 0;
  // The sequence number goes on. The addresses are possible ones; whether this SA can be there
  // (check(): no transport mode in UDP) is for the consumer to see, whose fault names what cannot
  // be. False: no such SA.
  [[nodiscard]] virtual Result<bool> update(const SaName& name, const SaMove& move) = 0;
  // nullopt: no such SA.
  [[nodiscard]] virtual std::optional<SaUse> query(const SaName& name) = 0;
  // Also gives a reserved SPI back. False: neither.
  [[nodiscard]] virtual bool remove(const SaName& name) = 0;
  // All SAs and reservations go.
  virtual void flush() = 0;

  // Policies are counted: what is added twice is there until it is removed twice. `peer` tells only
  // those apart that are the same otherwise.
  [[nodiscard]] virtual Status add_policy(const SaPolicy& policy) = 0;
  [[nodiscard]] virtual bool remove_policy(const SaPolicy& policy) = 0;
  virtual void flush_policies() = 0;

  virtual void alert(const CharonAlert& alert) = 0;
  // charon's plugin has said Hello, or is gone (SAs stay in force until they expire). When it is
  // another charon than before, flush() and flush_policies() came just before.
  virtual void charon_connected(const std::string& daemon) = 0;
  virtual void charon_gone() = 0;
  // A message that was not understood, a connection that was refused: for the log.
  virtual void report(const std::string& sentence) = 0;
};

}  // namespace masugata::ipsec
