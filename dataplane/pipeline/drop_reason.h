// SPDX-License-Identifier: GPL-2.0-or-later
// Why a packet was dropped. One list: the enum, the counter's name and the operator's sentence.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace masugata::dataplane {

// X(enumerator, "counter-name", "one line for the operator"). Names never change once released.
// One reason per line: tests/lint/check_drop_reasons.py reads them so.
// clang-format off
#define MASUGATA_DROP_REASONS(X)                                                                  \
  /* decode: link layer */                                                                        \
  X(FrameTooShort, "frame-too-short", "frame shorter than an Ethernet header")                    \
  X(FrameBadVlan, "frame-bad-vlan", "802.1Q tag cut short, or more than one tag")                 \
  X(UnknownVlan, "unknown-vlan", "no interface is configured for this VLAN on this port")         \
  X(NotForUs, "not-for-us", "unicast frame for another station's MAC address")                    \
  X(UnknownEtherType, "unknown-ethertype", "neither IPv4, IPv6 nor ARP")                          \
  X(InterfaceDisabled, "interface-disabled", "the interface is in no zone or is disabled")        \
  X(SourceMacInvalid, "source-mac-invalid", "source MAC address is multicast or zero")            \
  /* decode: IPv4 */                                                                              \
  X(Ipv4Short, "ipv4-short", "packet shorter than its IPv4 header")                               \
  X(Ipv4BadVersion, "ipv4-bad-version", "version field is not 4")                                 \
  X(Ipv4BadHeaderLength, "ipv4-bad-header-length", "header length below 20 or beyond the packet") \
  X(Ipv4BadTotalLength, "ipv4-bad-total-length", "total length below the header or beyond the frame") \
  X(Ipv4BadChecksum, "ipv4-bad-checksum", "IPv4 header checksum is wrong")                        \
  X(Ipv4BadOptions, "ipv4-bad-options", "malformed IPv4 options")                                 \
  X(Ipv4SourceRoute, "ipv4-source-route", "IPv4 source routing option (RFC 7126 section 4.3)")    \
  X(Ipv4ReservedFlag, "ipv4-reserved-flag", "reserved bit of the fragment field is set")          \
  X(Ipv4BadFragment, "ipv4-bad-fragment", "fragment with impossible offset, length or flags")     \
  /* decode: IPv6 */                                                                              \
  X(Ipv6Short, "ipv6-short", "packet shorter than its IPv6 header")                               \
  X(Ipv6BadVersion, "ipv6-bad-version", "version field is not 6")                                 \
  X(Ipv6BadPayloadLength, "ipv6-bad-payload-length", "payload length beyond the frame, or zero")  \
  X(Ipv6BadExtension, "ipv6-bad-extension", "extension header malformed or cut short")            \
  X(Ipv6ExtensionOrder, "ipv6-extension-order", "hop-by-hop header not first, or a repeated header") \
  X(Ipv6TooManyExtensions, "ipv6-too-many-extensions", "more extension headers than are inspected") \
  X(Ipv6RoutingHeader, "ipv6-routing-header", "routing header with segments left (RFC 5095)")     \
  X(Ipv6UnknownOption, "ipv6-unknown-option", "option that must be discarded when unknown")       \
  X(Ipv6BadFragment, "ipv6-bad-fragment", "fragment with impossible offset or length")            \
  /* decode: addresses */                                                                         \
  X(MartianSource, "martian-source", "source address that no packet may carry (RFC 6890)")        \
  X(MartianDestination, "martian-destination", "destination address that is never forwarded")     \
  X(Land, "land", "source and destination are the same")                                          \
  /* decode: transport */                                                                         \
  X(TcpShort, "tcp-short", "packet shorter than its TCP header")                                  \
  X(TcpBadOffset, "tcp-bad-offset", "TCP data offset below 5 or beyond the packet")               \
  X(TcpBadChecksum, "tcp-bad-checksum", "TCP checksum is wrong")                                  \
  X(TcpBadFlags, "tcp-bad-flags", "flag combination that no TCP sends (null, SYN+FIN, ...)")      \
  X(TcpBadOptions, "tcp-bad-options", "malformed TCP options")                                    \
  X(TcpPortZero, "tcp-port-zero", "TCP port 0")                                                   \
  X(UdpShort, "udp-short", "packet shorter than its UDP header")                                  \
  X(UdpBadLength, "udp-bad-length", "UDP length below 8 or beyond the packet")                    \
  X(UdpBadChecksum, "udp-bad-checksum", "UDP checksum is wrong, or missing over IPv6")            \
  X(UdpPortZero, "udp-port-zero", "UDP destination port 0")                                       \
  X(IcmpShort, "icmp-short", "packet shorter than its ICMP message")                              \
  X(IcmpBadChecksum, "icmp-bad-checksum", "ICMP checksum is wrong")                               \
  X(IcmpUnknownType, "icmp-unknown-type", "ICMP type that is neither echo nor an error")          \
  X(IcmpBadQuote, "icmp-bad-quote", "ICMP error without a usable quoted packet")                  \
  X(SctpShort, "sctp-short", "packet shorter than its SCTP header")                               \
  /* fragments */                                                                                 \
  X(FragmentOverlap, "fragment-overlap", "overlapping fragments: the datagram is discarded (RFC 5722)") \
  X(FragmentTooMany, "fragment-too-many", "more fragments in one datagram than allowed")          \
  X(FragmentTooLarge, "fragment-too-large", "reassembled datagram beyond 65,535 bytes")           \
  X(FragmentTooSmall, "fragment-too-small", "first fragment without the whole transport header, or tiny middle fragment") \
  X(FragmentInconsistent, "fragment-inconsistent", "fragments disagree about the end of the datagram") \
  X(FragmentTableFull, "fragment-table-full", "as many datagrams in reassembly as allowed")       \
  X(FragmentSourceLimit, "fragment-source-limit", "as many datagrams in reassembly from this source as allowed") \
  X(FragmentDuplicate, "fragment-duplicate", "exact copy of a fragment that is already held")     \
  X(FragmentTimeout, "fragment-timeout", "a fragment was missing until the timeout")              \
  /* sessions */                                                                                  \
  X(TcpOutOfWindow, "tcp-out-of-window", "TCP segment outside the windows of its session")        \
  X(TcpInvalidState, "tcp-invalid-state", "TCP segment that the session's state does not allow")  \
  X(TcpNoSession, "tcp-no-session", "TCP segment without a session that is not a SYN")            \
  X(TcpBadReset, "tcp-bad-reset", "RST outside the window (RFC 5961)")                            \
  X(TcpUnexpectedSyn, "tcp-unexpected-syn", "SYN inside an established session (RFC 5961)")       \
  X(IcmpErrorNoSession, "icmp-error-no-session", "ICMP error that quotes no known session")       \
  X(IcmpReplyNoSession, "icmp-reply-no-session", "ICMP reply without a request")                  \
  X(SessionTableFull, "session-table-full", "no session slot free and none could be evicted")     \
  X(SessionCollision, "session-collision", "the translated flow collides with another session")   \
  X(SessionEnded, "session-ended", "the new configuration no longer permits this session")        \
  X(SourceSessionLimit, "source-session-limit", "the rule's session limit for this source is reached") \
  X(SourceSessionRate, "source-session-rate", "this source opens sessions faster than its zone allows") \
  X(SynCookieSent, "syn-cookie-sent", "SYN answered with a SYN cookie; a session waits for the answer") \
  X(SynCookieInvalid, "syn-cookie-invalid", "ACK does not carry a valid SYN cookie")              \
  /* admission */                                                                                 \
  X(Spoofed, "spoofed", "source address does not belong behind this interface")                   \
  X(NoRoute, "no-route", "no route to the destination")                                           \
  X(NoRouteBlackhole, "no-route-blackhole", "the route to the destination is a blackhole")        \
  X(NoRouteProhibited, "no-route-prohibited", "the route to the destination is prohibited")       \
  X(BroadcastNotForwarded, "broadcast-not-forwarded", "directed broadcasts are not forwarded")    \
  X(MulticastNotForwarded, "multicast-not-forwarded", "multicast is not forwarded")               \
  X(EgressNoZone, "egress-no-zone", "the route leaves through an interface that is in no zone")   \
  X(ClosedNetwork, "closed-network", "another way than the tunnel out of a closed network, or into it") \
  X(PolicyDenied, "policy-denied", "a rule denies it")                                            \
  X(PolicyDefaultDenied, "policy-default-denied", "no rule permits it")                           \
  X(PolicyRejected, "policy-rejected", "a rule rejects it; RST or ICMP was sent")                 \
  X(NatPortsExhausted, "nat-ports-exhausted", "no free port in the translation's address and port range") \
  X(NatUntranslatable, "nat-untranslatable", "packet cannot be translated (protocol or family)")  \
  X(ApplicationDenied, "application-denied", "what the session turned out to carry is not permitted") \
  /* inspection */                                                                                \
  X(InspectionRule, "inspection-rule", "an IPS rule drops or rejects it")                         \
  X(InspectionFlow, "inspection-flow", "its session was condemned by inspection before")          \
  X(InspectionWithoutRules, "inspection-without-rules", "no IPS rules are loaded and the profile says drop") \
  X(InspectionOverload, "inspection-overload", "as many sessions are inspected as there is room for, and the profile says drop") \
  X(InspectionMemory, "inspection-memory", "no memory to go on inspecting its session with, and the profile says drop") \
  X(InspectionMidstream, "inspection-midstream", "the beginning of its TCP session was not seen, and the profile says drop") \
  X(AfterReset, "after-reset", "data behind the RST that ended its scanned session")                \
  X(AntivirusRefused, "antivirus-refused", "its session carried something that antivirus refuses")  \
  X(AntivirusNoRoom, "antivirus-no-room", "no room to hold it until its object is scanned; its sender repeats it") \
  X(StreamSegment, "stream-segment", "TCP segment that its receiver would not read as it was inspected") \
  X(StreamMemory, "stream-memory", "no memory to remember the segment with, and the profile says drop") \
  /* IPsec */                                                                                     \
  X(IpsecUnknownSpi, "ipsec-unknown-spi", "ESP to the gateway with an SPI that no SA has")        \
  X(IpsecEarly, "ipsec-early", "ESP for an SA that is still negotiated: more of it, or for longer, than is kept") \
  X(IpsecMalformed, "ipsec-malformed", "ESP too short, or not of the shape that its SA has")      \
  X(IpsecReplay, "ipsec-replay", "ESP packet that was received before, or is older than the replay window") \
  X(IpsecAuthentication, "ipsec-authentication", "ESP packet that is not authentic")              \
  X(IpsecInner, "ipsec-inner", "what an authentic ESP packet carries is no packet for a tunnel")  \
  X(IpsecDummy, "ipsec-dummy", "dummy packet that a peer sends to hide how much it sends")        \
  X(IpsecSelector, "ipsec-selector", "the decrypted packet is not of the networks that its SA is for") \
  X(IpsecKeepAlive, "ipsec-keep-alive", "keep-alive for a NAT on the way (RFC 3948)")             \
  X(IpsecInClear, "ipsec-in-clear", "in clear from a peer whose packets to the gateway itself must be encrypted") \
  X(IpsecError, "ipsec-error", "ICMP error about ESP of the gateway's own, which was taken notice of") \
  X(IpsecProbe, "ipsec-probe", "answer to a probe that measures a tunnel, which was taken notice of") \
  X(IpsecNoSa, "ipsec-no-sa", "into a tunnel that has no SA for it at this time")                 \
  X(IpsecExpired, "ipsec-expired", "the SA's lifetime or its sequence numbers are used up")       \
  X(IpsecTooLong, "ipsec-too-long", "no room to encrypt it in, or too long when encrypted")       \
  /* forwarding */                                                                                \
  X(TtlExpired, "ttl-expired", "TTL or hop limit reached zero; ICMP time exceeded was sent")      \
  X(MtuExceeded, "mtu-exceeded", "larger than the egress MTU and must not be fragmented; ICMP was sent") \
  X(RouteZoneChanged, "route-zone-changed", "the route now leaves through another zone than the session was admitted for") \
  X(NeighbourQueueFull, "neighbour-queue-full", "too many packets wait for this neighbour's MAC address") \
  X(NeighbourUnresolved, "neighbour-unresolved", "the next hop did not answer ARP or neighbour discovery") \
  X(EgressDown, "egress-down", "the egress port is down")                                         \
  X(TransmitQueueFull, "transmit-queue-full", "the port's transmit queue is full")                \
  X(PuntQueueFull, "punt-queue-full", "the queue to the kernel is full")                          \
  X(HandoverQueueFull, "handover-queue-full", "the queue to the owning worker is full")           \
  X(NoBuffer, "no-buffer", "no packet buffer left for a reply, copy or fragment")                 \
  X(InternalError, "internal-error", "a check that can only fail through a bug: please report it")

// clang-format on

enum class DropReason : uint16_t {
  None = 0,
#define MASUGATA_X(enumerator, name, text) enumerator,
  MASUGATA_DROP_REASONS(MASUGATA_X)
#undef MASUGATA_X
      Count
};

inline constexpr size_t kDropReasonCount = static_cast<size_t>(DropReason::Count);

struct DropReasonText {
  std::string_view name;
  std::string_view explanation;
};

inline constexpr std::array<DropReasonText, kDropReasonCount> kDropReasonTexts{
    {{"none", "not dropped"},
#define MASUGATA_X(enumerator, name, text) {name, text},
     MASUGATA_DROP_REASONS(MASUGATA_X)
#undef MASUGATA_X
    }};

[[nodiscard]] constexpr std::string_view drop_reason_name(DropReason reason) noexcept {
  return kDropReasonTexts[static_cast<size_t>(reason)].name;
}

}  // namespace masugata::dataplane
