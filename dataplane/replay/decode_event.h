// SPDX-License-Identifier: GPL-2.0-or-later
// What is odd in the headers of a captured packet: the events that rules ask for by
// `decode-event:`. The names are those of ids/protocols/events.h.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "ids/protocols/events.h"

namespace masugata::dataplane {

// clang-format off
#define MASUGATA_DECODE_EVENTS(X)                                   \
  X(EthernetTooSmall, "ethernet.pkt_too_small")                     \
  X(EthernetUnknownType, "ethernet.unknown_ethertype")              \
  X(RawBadVersion, "ipraw.invalid_ip_version")                      \
  X(NullTooSmall, "ltnull.pkt_too_small")                           \
  X(NullUnsupported, "ltnull.unsupported_type")                     \
  X(SllTooSmall, "sll.pkt_too_small")                               \
  X(Sll2TooSmall, "sll2.pkt_too_small")                             \
  X(ChdlcTooSmall, "chdlc.pkt_too_small")                           \
  X(VlanTooSmall, "vlan.header_too_small")                          \
  X(VlanUnknownType, "vlan.unknown_type")                           \
  X(VlanTooMany, "vlan.too_many_layers")                            \
  X(MplsTooSmall, "mpls.pkt_too_small")                             \
  X(MplsHeaderTooSmall, "mpls.header_too_small")                    \
  X(MplsBadRouterAlert, "mpls.bad_label_router_alert")              \
  X(MplsBadImplicitNull, "mpls.bad_label_implicit_null")            \
  X(MplsBadReserved, "mpls.bad_label_reserved")                     \
  X(MplsUnknownPayload, "mpls.unknown_payload_type")                \
  X(NshHeaderTooSmall, "nsh.header_too_small")                      \
  X(NshUnknownPayload, "nsh.unknown_payload")                       \
  X(PppTooSmall, "ppp.pkt_too_small")                               \
  X(PppVjuTooSmall, "ppp.vju_pkt_too_small")                        \
  X(PppIp4TooSmall, "ppp.ip4_pkt_too_small")                        \
  X(PppIp6TooSmall, "ppp.ip6_pkt_too_small")                        \
  X(PppWrongType, "ppp.wrong_type")                                 \
  X(PppUnsupported, "ppp.unsup_proto")                              \
  X(PppoeTooSmall, "pppoe.pkt_too_small")                           \
  X(PppoeWrongCode, "pppoe.wrong_code")                             \
  X(PppoeMalformedTags, "pppoe.malformed_tags")                     \
  X(GreTooSmall, "gre.pkt_too_small")                               \
  X(GreWrongVersion, "gre.wrong_version")                           \
  X(GreVersion0HeaderTooBig, "gre.version0_hdr_too_big")            \
  X(GreVersion1NoKey, "gre.version1_no_key")                        \
  X(GreVersion1WrongProtocol, "gre.version1_wrong_protocol")        \
  X(GreVersion1HeaderTooBig, "gre.version1_hdr_too_big")            \
  X(ErspanTooSmall, "erspan.header_too_small")                      \
  X(ErspanBadVersion, "erspan.unsupported_version")                 \
  X(VxlanUnknownPayload, "vxlan.unknown_payload_type")              \
  X(GeneveUnknownPayload, "geneve.unknown_payload_type")            \
  X(Ipv4TooSmall, "ipv4.pkt_too_small")                             \
  X(Ipv4HeaderTooSmall, "ipv4.hlen_too_small")                      \
  X(Ipv4LengthSmallerThanHeader, "ipv4.iplen_smaller_than_hlen")    \
  X(Ipv4Truncated, "ipv4.trunc_pkt")                                \
  X(Ipv4WrongVersion, "ipv4.wrong_ip_version")                      \
  X(Ipv4OptionInvalid, "ipv4.opt_invalid")                          \
  X(Ipv4OptionInvalidLength, "ipv4.opt_invalid_len")                \
  X(Ipv4OptionMalformed, "ipv4.opt_malformed")                      \
  X(Ipv4OptionPadRequired, "ipv4.opt_pad_required")                 \
  X(Ipv4OptionEndRequired, "ipv4.opt_eol_required")                 \
  X(Ipv4OptionDuplicate, "ipv4.opt_duplicate")                      \
  X(Ipv4OptionUnknown, "ipv4.opt_unknown")                          \
  X(Ipv4WithIcmpv6, "ipv4.icmpv6")                                  \
  X(Ipv4FragmentTooLarge, "ipv4.frag_pkt_too_large")                \
  X(Ipv4FragmentOverlap, "ipv4.frag_overlap")                       \
  X(Ipv4FragmentIgnored, "ipv4.frag_ignored")                       \
  X(Ipv6TooSmall, "ipv6.pkt_too_small")                             \
  X(Ipv6Truncated, "ipv6.trunc_pkt")                                \
  X(Ipv6TruncatedExtension, "ipv6.trunc_exthdr")                    \
  X(Ipv6FragmentHeaderTwice, "ipv6.exthdr_dupl_fh")                 \
  X(Ipv6FragmentHeaderUseless, "ipv6.exthdr_useless_fh")            \
  X(Ipv6RoutingTwice, "ipv6.exthdr_dupl_rh")                        \
  X(Ipv6HopByHopTwice, "ipv6.exthdr_dupl_hh")                       \
  X(Ipv6DestinationTwice, "ipv6.exthdr_dupl_dh")                    \
  X(Ipv6AuthenticationTwice, "ipv6.exthdr_dupl_ah")                 \
  X(Ipv6RoutingTypeZero, "ipv6.rh_type_0")                          \
  X(Ipv6ZeroLengthPadding, "ipv6.zero_len_padn")                    \
  X(Ipv6UnknownHopByHopOption, "ipv6.hopopts_unknown_opt")          \
  X(Ipv6UnknownDestinationOption, "ipv6.dstopts_unknown_opt")       \
  X(Ipv6WrongVersion, "ipv6.wrong_ip_version")                      \
  X(Ipv6UnknownNextHeader, "ipv6.unknown_next_header")              \
  X(Ipv6WithIcmpv4, "ipv6.icmpv4")                                  \
  X(Ipv6FragmentReservedBits, "ipv6.fh_non_zero_reserved_field")    \
  X(Ipv6DataAfterNone, "ipv6.data_after_none_header")               \
  X(Ipv6FragmentTooLarge, "ipv6.frag_pkt_too_large")                \
  X(Ipv6FragmentOverlap, "ipv6.frag_overlap")                       \
  X(Ipv6FragmentInvalidLength, "ipv6.frag_invalid_length")          \
  X(Ipv6FragmentIgnored, "ipv6.frag_ignored")                       \
  X(Ipv4InIpv6TooSmall, "ipv6.ipv4_in_ipv6_too_small")              \
  X(Ipv4InIpv6WrongVersion, "ipv6.ipv4_in_ipv6_wrong_version")      \
  X(Ipv6InIpv6TooSmall, "ipv6.ipv6_in_ipv6_too_small")              \
  X(Ipv6InIpv6WrongVersion, "ipv6.ipv6_in_ipv6_wrong_version")      \
  X(Icmpv4TooSmall, "icmpv4.pkt_too_small")                         \
  X(Icmpv4UnknownType, "icmpv4.unknown_type")                       \
  X(Icmpv4UnknownCode, "icmpv4.unknown_code")                       \
  X(Icmpv4QuoteTruncated, "icmpv4.ipv4_trunc_pkt")                  \
  X(Icmpv4QuoteUnknownVersion, "icmpv4.ipv4_unknown_ver")           \
  X(Icmpv6TooSmall, "icmpv6.pkt_too_small")                         \
  X(Icmpv6UnknownType, "icmpv6.unknown_type")                       \
  X(Icmpv6UnknownCode, "icmpv6.unknown_code")                       \
  X(Icmpv6QuoteTruncated, "icmpv6.ipv6_trunc_pkt")                  \
  X(Icmpv6QuoteUnknownVersion, "icmpv6.ipv6_unknown_version")       \
  X(Icmpv6UnassignedType, "icmpv6.unassigned_type")                 \
  X(Icmpv6ExperimentalType, "icmpv6.experimentation_type")          \
  X(Icmpv6MldHopLimit, "icmpv6.mld_message_with_invalid_hl")        \
  X(TcpTooSmall, "tcp.pkt_too_small")                               \
  X(TcpHeaderTooSmall, "tcp.hlen_too_small")                        \
  X(TcpOptionLengths, "tcp.invalid_optlen")                         \
  X(TcpOptionInvalidLength, "tcp.opt_invalid_len")                  \
  X(TcpOptionDuplicate, "tcp.opt_duplicate")                        \
  X(UdpTooSmall, "udp.pkt_too_small")                               \
  X(UdpHeaderTooSmall, "udp.hlen_too_small")                        \
  X(UdpLengthInvalid, "udp.len_invalid")                            \
  X(SctpTooSmall, "sctp.pkt_too_small")                             \
  X(EspTooSmall, "esp.pkt_too_small")                               \
  X(TooManyLayers, "too_many_layers")
// clang-format on

enum class DecodeEvent : uint8_t {
#define MASUGATA_DECODE_EVENT_ID(id, name) id,
  MASUGATA_DECODE_EVENTS(MASUGATA_DECODE_EVENT_ID)
#undef MASUGATA_DECODE_EVENT_ID
      Count,
};

// Event to number in ids::EventSet; events that no rule can name have none and are not reported.
class DecodeEventNumbers {
 public:
  DecodeEventNumbers() noexcept;
  void raise(DecodeEvent event, ids::EventSet& into) const noexcept {
    const uint8_t number = numbers_[static_cast<size_t>(event)];
    if (number != kNone) into.set(number);
  }

 private:
  static constexpr uint8_t kNone = 0xff;
  static_assert(ids::kMaximumEvents <= kNone);
  std::array<uint8_t, static_cast<size_t>(DecodeEvent::Count)> numbers_{};
};

}  // namespace masugata::dataplane
