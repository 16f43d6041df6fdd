// SPDX-License-Identifier: GPL-2.0-or-later
#include "ids/protocols/http/http_events.h"

#include <array>

namespace masugata::ids {
namespace {

// Messages begin so; of what follows, numbers mostly, nothing is wanted.
struct MessageMeaning {
  std::string_view beginning;
  HttpEvent in_request;
  HttpEvent in_response;
};

constexpr std::array kMeanings{
    MessageMeaning{"GZip decompressor:", HttpEvent::GzipDecompressionFailed,
                   HttpEvent::GzipDecompressionFailed},
    MessageMeaning{"LZMA decompressor: memory limit", HttpEvent::LzmaMemoryLimitReached,
                   HttpEvent::LzmaMemoryLimitReached},
    MessageMeaning{"Compression bomb:", HttpEvent::CompressionBomb, HttpEvent::CompressionBomb},
    MessageMeaning{"Too many response content encoding layers", HttpEvent::TooManyEncodingLayers,
                   HttpEvent::TooManyEncodingLayers},
    MessageMeaning{"C-E ", HttpEvent::AbnormalContentEncoding, HttpEvent::AbnormalContentEncoding},
    MessageMeaning{"Request field invalid: colon missing", HttpEvent::RequestFieldMissingColon,
                   HttpEvent::RequestFieldMissingColon},
    MessageMeaning{"Response field invalid: missing colon", HttpEvent::ResponseFieldMissingColon,
                   HttpEvent::ResponseFieldMissingColon},
    MessageMeaning{"Request chunk encoding:", HttpEvent::InvalidRequestChunkLength,
                   HttpEvent::InvalidRequestChunkLength},
    MessageMeaning{"Response chunk encoding:", HttpEvent::InvalidResponseChunkLength,
                   HttpEvent::InvalidResponseChunkLength},
    MessageMeaning{"Request chunk extension", HttpEvent::RequestChunkExtension,
                   HttpEvent::RequestChunkExtension},
    MessageMeaning{"Response chunk extension", HttpEvent::ResponseChunkExtension,
                   HttpEvent::ResponseChunkExtension},
    MessageMeaning{"Invalid T-E value in request", HttpEvent::InvalidTransferEncodingInRequest,
                   HttpEvent::InvalidTransferEncodingInRequest},
    MessageMeaning{"Transfer-encoding has abnormal chunked value",
                   HttpEvent::ResponseAbnormalTransferEncoding,
                   HttpEvent::ResponseAbnormalTransferEncoding},
    MessageMeaning{"Chunked transfer-encoding on HTTP/0.9 or HTTP/1.0",
                   HttpEvent::ResponseChunkedOldProtocol, HttpEvent::ResponseChunkedOldProtocol},
    MessageMeaning{"Invalid C-L field in request", HttpEvent::InvalidContentLengthInRequest,
                   HttpEvent::InvalidContentLengthInRequest},
    MessageMeaning{"Invalid C-L field in response", HttpEvent::InvalidContentLengthInResponse,
                   HttpEvent::InvalidContentLengthInResponse},
    MessageMeaning{"C-L value with extra data", HttpEvent::InvalidContentLengthInRequest,
                   HttpEvent::InvalidContentLengthInResponse},
    MessageMeaning{"Ambiguous request C-L value", HttpEvent::DuplicateContentLengthInRequest,
                   HttpEvent::DuplicateContentLengthInRequest},
    MessageMeaning{"Ambiguous response C-L value", HttpEvent::DuplicateContentLengthInResponse,
                   HttpEvent::DuplicateContentLengthInResponse},
    MessageMeaning{"Already seen 100-Continue", HttpEvent::ContinueAlreadySeen,
                   HttpEvent::ContinueAlreadySeen},
    MessageMeaning{"Unable to match response to request", HttpEvent::UnableToMatchResponse,
                   HttpEvent::UnableToMatchResponse},
    MessageMeaning{"Invalid request field folding", HttpEvent::InvalidRequestFolding,
                   HttpEvent::InvalidRequestFolding},
    MessageMeaning{"Invalid response field folding", HttpEvent::InvalidResponseFolding,
                   HttpEvent::InvalidResponseFolding},
    MessageMeaning{"Request buffer over the limit", HttpEvent::RequestFieldTooLong,
                   HttpEvent::RequestFieldTooLong},
    MessageMeaning{"Request field length exceeds", HttpEvent::RequestFieldTooLong,
                   HttpEvent::RequestFieldTooLong},
    MessageMeaning{"Response the buffer limit", HttpEvent::ResponseFieldTooLong,
                   HttpEvent::ResponseFieldTooLong},
    MessageMeaning{"Response field length exceeds", HttpEvent::ResponseFieldTooLong,
                   HttpEvent::ResponseFieldTooLong},
    MessageMeaning{"Request field invalid:", HttpEvent::RequestHeaderInvalid,
                   HttpEvent::RequestHeaderInvalid},
    MessageMeaning{"Request header name is not a token", HttpEvent::RequestHeaderInvalid,
                   HttpEvent::RequestHeaderInvalid},
    MessageMeaning{"Response field invalid:", HttpEvent::ResponseHeaderInvalid,
                   HttpEvent::ResponseHeaderInvalid},
    MessageMeaning{"Response header name is not a token", HttpEvent::ResponseHeaderInvalid,
                   HttpEvent::ResponseHeaderInvalid},
    MessageMeaning{"Response header value contains null", HttpEvent::ResponseHeaderInvalid,
                   HttpEvent::ResponseHeaderInvalid},
    MessageMeaning{"Weird response end of lines mix", HttpEvent::ResponseHeaderInvalid,
                   HttpEvent::ResponseHeaderInvalid},
    MessageMeaning{"Request line: leading whitespace", HttpEvent::RequestLineLeadingWhitespace,
                   HttpEvent::RequestLineLeadingWhitespace},
    MessageMeaning{"Request line: non-compliant delimiter", HttpEvent::MethodDelimiterNonCompliant,
                   HttpEvent::MethodDelimiterNonCompliant},
    MessageMeaning{"Request line: URI contains non-compliant delimiter",
                   HttpEvent::UriDelimiterNonCompliant, HttpEvent::UriDelimiterNonCompliant},
    MessageMeaning{"Request line: missing protocol", HttpEvent::RequestLineMissingProtocol,
                   HttpEvent::RequestLineMissingProtocol},
    MessageMeaning{"Request line: unknown method", HttpEvent::RequestLineInvalid,
                   HttpEvent::RequestLineInvalid},
    MessageMeaning{"Request line incomplete", HttpEvent::RequestLineIncomplete,
                   HttpEvent::RequestLineIncomplete},
    MessageMeaning{"Unexpected request body", HttpEvent::RequestBodyUnexpected,
                   HttpEvent::RequestBodyUnexpected},
    MessageMeaning{"Unexpected Response body", HttpEvent::ResponseBodyUnexpected,
                   HttpEvent::ResponseBodyUnexpected},
    MessageMeaning{"Unexpected response body", HttpEvent::ResponseBodyUnexpected,
                   HttpEvent::ResponseBodyUnexpected},
    MessageMeaning{"C-T multipart/byteranges", HttpEvent::ResponseMultipartByteranges,
                   HttpEvent::ResponseMultipartByteranges},
    MessageMeaning{"Invalid response line: invalid protocol", HttpEvent::ResponseInvalidProtocol,
                   HttpEvent::ResponseInvalidProtocol},
    MessageMeaning{"Invalid response line: invalid response status",
                   HttpEvent::ResponseInvalidStatus, HttpEvent::ResponseInvalidStatus},
    MessageMeaning{"Repetition for header", HttpEvent::RequestHeaderRepetition,
                   HttpEvent::ResponseHeaderRepetition},
    MessageMeaning{"Too many request headers", HttpEvent::RequestTooManyHeaders,
                   HttpEvent::RequestTooManyHeaders},
    MessageMeaning{"Too many response headers", HttpEvent::ResponseTooManyHeaders,
                   HttpEvent::ResponseTooManyHeaders},
    MessageMeaning{"Switching Protocol with Content-Length",
                   HttpEvent::InvalidContentLengthInResponse,
                   HttpEvent::InvalidContentLengthInResponse},
};

}  // namespace

std::optional<HttpEvent> event_of_message(std::string_view message, Direction direction,
                                          bool is_error) noexcept {
  for (const MessageMeaning& meaning : kMeanings) {
    if (message.starts_with(meaning.beginning)) {
      return direction == Direction::ToServer ? meaning.in_request : meaning.in_response;
    }
  }
  return is_error ? std::optional{HttpEvent::UnknownError} : std::nullopt;
}

}  // namespace masugata::ids
