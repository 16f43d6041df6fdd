// SPDX-License-Identifier: GPL-2.0-or-later
// The events of HTTP, as rules name them after "http.".
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "ids/direction.h"

namespace masugata::ids {

// clang-format off
#define MASUGATA_IDS_HTTP_EVENTS_LIST(X)                                                    \
  X(UnknownError, "unknown_error")                                                          \
  X(GzipDecompressionFailed, "gzip_decompression_failed")                                   \
  X(RequestFieldMissingColon, "request_field_missing_colon")                                \
  X(ResponseFieldMissingColon, "response_field_missing_colon")                              \
  X(InvalidRequestChunkLength, "invalid_request_chunk_len")                                 \
  X(InvalidResponseChunkLength, "invalid_response_chunk_len")                               \
  X(InvalidTransferEncodingInRequest, "invalid_transfer_encoding_value_in_request")         \
  X(InvalidTransferEncodingInResponse, "invalid_transfer_encoding_value_in_response")       \
  X(InvalidContentLengthInRequest, "invalid_content_length_field_in_request")               \
  X(InvalidContentLengthInResponse, "invalid_content_length_field_in_response")             \
  X(DuplicateContentLengthInRequest, "duplicate_content_length_field_in_request")           \
  X(DuplicateContentLengthInResponse, "duplicate_content_length_field_in_response")         \
  X(ContinueAlreadySeen, "100_continue_already_seen")                                       \
  X(UnableToMatchResponse, "unable_to_match_response_to_request")                           \
  X(InvalidServerPort, "invalid_server_port_in_request")                                    \
  X(InvalidAuthorityPort, "invalid_authority_port")                                         \
  X(RequestHeaderInvalid, "request_header_invalid")                                         \
  X(ResponseHeaderInvalid, "response_header_invalid")                                       \
  X(MissingHostHeader, "missing_host_header")                                               \
  X(HostHeaderAmbiguous, "host_header_ambiguous")                                           \
  X(InvalidRequestFolding, "invalid_request_field_folding")                                 \
  X(InvalidResponseFolding, "invalid_response_field_folding")                               \
  X(RequestFieldTooLong, "request_field_too_long")                                          \
  X(ResponseFieldTooLong, "response_field_too_long")                                        \
  X(RequestLineInvalid, "request_line_invalid")                                             \
  X(RequestBodyUnexpected, "request_body_unexpected")                                       \
  X(ResponseBodyUnexpected, "response_body_unexpected")                                     \
  X(RequestServerPortMismatch, "request_server_port_tcp_port_mismatch")                     \
  X(RequestUriHostInvalid, "request_uri_host_invalid")                                      \
  X(RequestHeaderHostInvalid, "request_header_host_invalid")                                \
  X(RequestAuthUnrecognized, "request_auth_unrecognized")                                   \
  X(RequestHeaderRepetition, "request_header_repetition")                                   \
  X(ResponseHeaderRepetition, "response_header_repetition")                                 \
  X(DoubleEncodedUri, "double_encoded_uri")                                                 \
  X(UriDelimiterNonCompliant, "uri_delim_non_compliant")                                    \
  X(MethodDelimiterNonCompliant, "method_delim_non_compliant")                              \
  X(RequestLineLeadingWhitespace, "request_line_leading_whitespace")                        \
  X(RequestLineMissingProtocol, "request_line_missing_protocol")                            \
  X(RequestLineIncomplete, "request_line_incomplete")                                       \
  X(TooManyEncodingLayers, "too_many_encoding_layers")                                      \
  X(AbnormalContentEncoding, "abnormal_ce_header")                                          \
  X(ResponseMultipartByteranges, "response_multipart_byteranges")                           \
  X(ResponseAbnormalTransferEncoding, "response_abnormal_transfer_encoding")                \
  X(ResponseChunkedOldProtocol, "response_chunked_old_proto")                               \
  X(ResponseInvalidProtocol, "response_invalid_protocol")                                   \
  X(ResponseInvalidStatus, "response_invalid_status")                                       \
  X(LzmaMemoryLimitReached, "lzma_memlimit_reached")                                        \
  X(CompressionBomb, "compression_bomb")                                                    \
  X(RequestTooManyHeaders, "request_too_many_headers")                                      \
  X(ResponseTooManyHeaders, "response_too_many_headers")                                    \
  X(RequestChunkExtension, "request_chunk_extension")                                       \
  X(ResponseChunkExtension, "response_chunk_extension")                                     \
  X(MultipartGenericError, "multipart_generic_error")                                       \
  X(MultipartNoFileData, "multipart_no_filedata")                                           \
  X(MultipartInvalidHeader, "multipart_invalid_header")                                     \
  X(TooManyWarnings, "too_many_warnings")                                                   \
  X(RangeInvalid, "range_invalid")                                                          \
  X(FileNameTooLong, "file_name_too_long")                                                  \
  X(FailedProtocolChange, "failed_protocol_change")
// clang-format on

enum class HttpEvent : uint8_t {
#define MASUGATA_IDS_HTTP_EVENT_ID(id, name) id,
  MASUGATA_IDS_HTTP_EVENTS_LIST(MASUGATA_IDS_HTTP_EVENT_ID)
#undef MASUGATA_IDS_HTTP_EVENT_ID
};

inline constexpr auto kHttpEventNames = std::to_array<std::string_view>({
#define MASUGATA_IDS_HTTP_EVENT_NAME(id, name) name,
    MASUGATA_IDS_HTTP_EVENTS_LIST(MASUGATA_IDS_HTTP_EVENT_NAME)
#undef MASUGATA_IDS_HTTP_EVENT_NAME
});

// The event that libhtp's log message stands for, met while it parsed that direction: the library
// tells its warnings apart by their text only. nullopt: not worth one.
[[nodiscard]] std::optional<HttpEvent> event_of_message(std::string_view message,
                                                        Direction direction,
                                                        bool is_error) noexcept;

}  // namespace masugata::ids
