// SPDX-License-Identifier: GPL-2.0-or-later
// The lists behind events.h, for code that raises events: `event_number(kDnsEventNames,
// "z_flag_set")` is a constant, and a misspelt name does not compile.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "ids/protocols/events.h"

namespace masugata::ids {

// The number of `name` in `names`; a compile error when it is not there.
template <size_t size>
[[nodiscard]] consteval uint8_t event_number(const std::array<std::string_view, size>& names,
                                             std::string_view name) {
  static_assert(size <= kMaximumEvents);
  for (size_t index = 0; index < size; ++index) {
    if (names[index] == name) return static_cast<uint8_t>(index);
  }
  throw "no such event";  // never runs: consteval
}

// Of the choice of a protocol itself; rules write them without a protocol before them.
inline constexpr auto kDetectionEventNames = std::to_array<std::string_view>({
    "applayer_mismatch_protocol_both_directions",
    "applayer_wrong_direction_first_data",
    "applayer_detect_protocol_only_one_direction",
    "applayer_proto_detection_skipped",
    "applayer_no_tls_after_starttls",
    "applayer_unexpected_protocol",
});

inline constexpr auto kDnsEventNames = std::to_array<std::string_view>({
    "malformed_data",
    "not_request",
    "not_response",
    "z_flag_set",
    "invalid_opcode",
    "name_too_long",
    "infinite_loop",
    "too_many_labels",
    "invalid_additionals",
    "invalid_authorities",
});

inline constexpr auto kTlsEventNames = std::to_array<std::string_view>({
    "invalid_sslv2_header",
    "invalid_tls_header",
    "invalid_record_version",
    "invalid_record_type",
    "invalid_handshake_message",
    "handshake_invalid_length",
    "heartbeat_message",
    "invalid_heartbeat_message",
    "overflow_heartbeat_message",
    "dataleak_heartbeat_mismatch",
    "too_many_records_in_packet",
    "multiple_sni_extensions",
    "invalid_sni_type",
    "invalid_sni_length",
    "invalid_alpn_length",
    "invalid_certificate",
    "certificate_missing_element",
    "certificate_unknown_element",
    "certificate_invalid_length",
    "certificate_invalid_version",
    "certificate_invalid_serial",
    "certificate_invalid_algorithmidentifier",
    "certificate_invalid_x509name",
    "certificate_invalid_date",
    "certificate_invalid_extensions",
    "certificate_invalid_der",
    "certificate_invalid_subject",
    "certificate_invalid_issuer",
    "certificate_invalid_validity",
    "certificate_invalid_string",
    "error_message_encountered",
    "too_many_subject_alternative_names",
    "invalid_record_length",
    "invalid_alert_message",
    "invalid_ssl_record",
});

inline constexpr auto kSshEventNames = std::to_array<std::string_view>({
    "invalid_banner",
    "long_banner",
    "invalid_record",
    "long_kex_record",
});

inline constexpr auto kSmtpEventNames = std::to_array<std::string_view>({
    "invalid_reply",
    "unable_to_match_reply_with_request",
    "max_command_line_len_exceeded",
    "max_reply_line_len_exceeded",
    "invalid_pipelined_sequence",
    "bdat_chunk_len_exceeded",
    "no_server_welcome_message",
    "tls_rejected",
    "data_command_rejected",
    "failed_protocol_change",
    "mime_parse_failed",
    "mime_malformed_msg",
    "mime_invalid_base64",
    "mime_invalid_qp",
    "mime_long_line",
    "mime_long_enc_line",
    "mime_long_header_name",
    "mime_long_header_value",
    "mime_long_boundary",
    "mime_long_filename",
    "truncated_line",
    "unparsable_content",
    "duplicate_fields",
});

inline constexpr auto kSmbEventNames = std::to_array<std::string_view>({
    "internal_error",
    "malformed_data",
    "malformed_ntlmssp_request",
    "negotiate_malformed_dialects",
    "file_overlap",
    "response_to_server",
    "request_to_client",
    "read_request_too_large",
    "read_response_too_large",
    "write_request_too_large",
    "negotiate_max_read_size_too_large",
    "negotiate_max_write_size_too_large",
    "write_queue_size_exceeded",
    "write_queue_cnt_exceeded",
    "read_queue_size_exceeded",
    "read_queue_cnt_exceeded",
});

inline constexpr auto kFtpEventNames = std::to_array<std::string_view>({
    "request_command_too_long",
    "response_command_too_long",
});

inline constexpr auto kPop3EventNames = std::to_array<std::string_view>({
    "too_many_transactions",
    "request_too_long",
    "incorrect_argument_count",
    "unknown_command",
    "response_too_long",
});

inline constexpr auto kImapEventNames = std::to_array<std::string_view>({
    "too_many_transactions",
    "invalid_data",
    "request_not_found",
    "too_many_headers",
});

}  // namespace masugata::ids
