// SPDX-License-Identifier: GPL-2.0-or-later
#include "ids/protocols/protocol_detector.h"

#include <algorithm>
#include <array>

#include "ids/protocols/detection/datagram_probes.h"
#include "ids/protocols/detection/stream_probes.h"
#include "ids/protocols/detection/text_probes.h"

namespace masugata::ids {
namespace {

using detection::Likeness;
using detection::Opening;

struct Candidate {
  ApplicationProtocol protocol;
  detection::Probe probe;
};

// The first that says yes wins: those with the most telling bytes stand first.
constexpr std::array kOverTcp{
    Candidate{ApplicationProtocol::Tls, detection::probe_tls},
    Candidate{ApplicationProtocol::Http2, detection::probe_http2},
    Candidate{ApplicationProtocol::Http, detection::probe_http},
    Candidate{ApplicationProtocol::Ssh, detection::probe_ssh},
    Candidate{ApplicationProtocol::Smtp, detection::probe_smtp},
    Candidate{ApplicationProtocol::Ftp, detection::probe_ftp},
    Candidate{ApplicationProtocol::Pop3, detection::probe_pop3},
    Candidate{ApplicationProtocol::Imap, detection::probe_imap},
    Candidate{ApplicationProtocol::Smb, detection::probe_smb},
    Candidate{ApplicationProtocol::DceRpc, detection::probe_dcerpc},
    Candidate{ApplicationProtocol::Nfs, detection::probe_nfs_stream},
    Candidate{ApplicationProtocol::Krb5, detection::probe_krb5_stream},
    Candidate{ApplicationProtocol::Sip, detection::probe_sip},
    Candidate{ApplicationProtocol::Rfb, detection::probe_rfb},
    Candidate{ApplicationProtocol::Mqtt, detection::probe_mqtt},
    Candidate{ApplicationProtocol::Rdp, detection::probe_rdp},
    Candidate{ApplicationProtocol::Telnet, detection::probe_telnet},
    Candidate{ApplicationProtocol::Pgsql, detection::probe_pgsql},
    Candidate{ApplicationProtocol::Ldap, detection::probe_ldap},
    Candidate{ApplicationProtocol::Modbus, detection::probe_modbus},
    Candidate{ApplicationProtocol::Dnp3, detection::probe_dnp3},
    Candidate{ApplicationProtocol::Enip, detection::probe_enip},
    Candidate{ApplicationProtocol::Dns, detection::probe_dns_stream},
};

constexpr std::array kOverUdp{
    Candidate{ApplicationProtocol::Dns, detection::probe_dns_datagram},
    Candidate{ApplicationProtocol::Mdns, detection::probe_mdns},
    Candidate{ApplicationProtocol::Dhcp, detection::probe_dhcp},
    Candidate{ApplicationProtocol::Sip, detection::probe_sip},
    Candidate{ApplicationProtocol::BitTorrentDht, detection::probe_bittorrent_dht},
    Candidate{ApplicationProtocol::Quic, detection::probe_quic},
    Candidate{ApplicationProtocol::Ntp, detection::probe_ntp},
    Candidate{ApplicationProtocol::Ike, detection::probe_ike},
    Candidate{ApplicationProtocol::Tftp, detection::probe_tftp},
    Candidate{ApplicationProtocol::Snmp, detection::probe_snmp},
    Candidate{ApplicationProtocol::Krb5, detection::probe_krb5_datagram},
    Candidate{ApplicationProtocol::Nfs, detection::probe_nfs_datagram},
    Candidate{ApplicationProtocol::DceRpc, detection::probe_dcerpc_datagram},
    Candidate{ApplicationProtocol::Dnp3, detection::probe_dnp3},
    Candidate{ApplicationProtocol::Enip, detection::probe_enip},
};

struct SideAnswer {
  Likeness likeness = Likeness::Undecided;
  ApplicationProtocol protocol = ApplicationProtocol::Unknown;
};

SideAnswer ask(std::span<const Candidate> candidates, const Opening& opening) noexcept {
  if (opening.bytes.empty()) return {};
  SideAnswer answer{Likeness::No, ApplicationProtocol::Unknown};
  for (const Candidate& candidate : candidates) {
    const Likeness likeness = candidate.probe(opening);
    if (likeness == Likeness::Yes) return {likeness, candidate.protocol};
    answer.likeness = detection::likelier(answer.likeness, likeness);
  }
  return answer;
}

}  // namespace

DetectionAnswer detect_protocol(const DetectionQuestion& question) noexcept {
  const std::span<const Candidate> candidates =
      question.udp ? std::span<const Candidate>{kOverUdp} : std::span<const Candidate>{kOverTcp};
  std::array<SideAnswer, 2> straight;
  std::array<SideAnswer, 2> exchanged;
  for (const Direction side : {Direction::ToServer, Direction::ToClient}) {
    const bool to_server = side == Direction::ToServer;
    const auto bytes = to_server ? question.to_server : question.to_client;
    Opening opening{bytes.first(std::min(bytes.size(), kDetectionBytes)), to_server,
                    question.server_port, question.client_port};
    straight[index_of(side)] = ask(candidates, opening);
    if (straight[index_of(side)].likeness == Likeness::Yes) {
      return {straight[index_of(side)].protocol, side, false};
    }
    opening.from_client = !to_server;
    exchanged[index_of(side)] = ask(candidates, opening);
  }
  bool undecided = false;
  for (const Direction side : {Direction::ToServer, Direction::ToClient}) {
    const auto bytes = side == Direction::ToServer ? question.to_server : question.to_client;
    const bool enough = bytes.size() >= kDetectionBytes || (question.udp && !bytes.empty());
    const Likeness likeness = straight[index_of(side)].likeness;
    const SideAnswer& other = exchanged[index_of(side)];
    const bool may_come = likeness == Likeness::Undecided && !enough;
    if (!may_come && other.likeness == Likeness::Yes) return {other.protocol, side, true};
    undecided = undecided || may_come || (other.likeness == Likeness::Undecided && !enough);
  }
  return {undecided ? ApplicationProtocol::Unknown : ApplicationProtocol::Failed,
          Direction::ToServer, false};
}

}  // namespace masugata::ids
