// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/stream/stream_segment.h"

#include <array>

#include "net/byte_order.h"
#include "net/headers/tcp_options.h"
#include "net/headers/transport.h"

namespace masugata::dataplane {

StreamSegment read_stream_segment(std::span<const uint8_t> header,
                                  std::span<uint8_t> payload) noexcept {
  constexpr auto kSignature = static_cast<net::TcpOptionKind>(19);       // RFC 2385
  constexpr auto kAuthentication = static_cast<net::TcpOptionKind>(29);  // RFC 5925
  StreamSegment segment;
  segment.payload = payload;
  if (header.size() < net::kTcpMinimumHeaderBytes) return segment;
  const uint8_t* bytes = header.data();
  segment.sequence = net::load_be32(bytes + 4).host();
  segment.acknowledgement = net::load_be32(bytes + 8).host();
  segment.flags = bytes[13];
  segment.window = net::load_be16(bytes + 14).host();
  segment.urgent_pointer = net::load_be16(bytes + 18).host();
  if (header.size() == net::kTcpMinimumHeaderBytes) return segment;
  net::TcpOptionWalk walk(bytes, header.size());
  net::TcpOption option;
  while (walk.next(option)) {
    if (!net::tcp_option_length_valid(option.kind, option.value_bytes)) break;
    if (option.kind == net::TcpOptionKind::Timestamps) {
      segment.has_timestamp = true;
      segment.timestamp_value = net::load_be32(option.value).host();
    } else if (option.kind == net::TcpOptionKind::WindowScale) {
      segment.window_scale = option.value[0];
    } else if (option.kind == kSignature || option.kind == kAuthentication) {
      segment.has_signature = true;
    }
  }
  return segment;
}

std::string_view name_of(StreamEvent event) noexcept {
  static constexpr std::array<std::string_view, static_cast<size_t>(StreamEvent::Count)> kNames = {
      "reassembly_overlap_different_data",
      "reassembly_seq_gap",
      "reassembly_insert_memcap",
      "reassembly_insert_limit",
      "reassembly_segment_before_base_seq",
      "pkt_retransmission",
      "pkt_invalid_timestamp",
      "pkt_invalid_ack",
      "pkt_broken_ack",
      "est_packet_out_of_window",
      "est_pkt_before_last_ack",
      "fin_out_of_window",
      "est_syn_resend",
      "est_syn_resend_diff_seq",
      "est_synack_resend",
      "est_synack_resend_with_diff_seq",
      "suspected_rst_inject",
      "reassembly_urgent_oob_limit_reached",
  };
  return kNames[static_cast<size_t>(event)];
}

}  // namespace masugata::dataplane
