// SPDX-License-Identifier: GPL-2.0-or-later
#include "ids/protocols/http/http_callbacks.h"

#include <array>

#include "ids/protocols/http/content_disposition.h"
#include "ids/protocols/http/content_range.h"
#include "ids/protocols/http/http_events.h"
#include "ids/protocols/http/http_session.h"

// libhtp is C: nothing may be thrown through it, so every function here is noexcept.
namespace masugata::ids {
namespace {

HttpSession* session_of(const htp_tx_t* source) noexcept {
  return static_cast<HttpSession*>(htp_connp_get_user_data(source->connp));
}
HttpTransaction* transaction_of(htp_tx_t* source) noexcept {
  return source == nullptr ? nullptr : session_of(source)->find(source, false);
}
// Of bytes of a body. Without the transaction nobody would see them: contents must not get lost.
HttpTransaction* transaction_with_body(const htp_tx_data_t& data) noexcept {
  HttpTransaction* const transaction = transaction_of(data.tx);
  if (transaction == nullptr && data.tx != nullptr && data.len != 0) {
    session_of(data.tx)->miss_content();
  }
  return data.len == 0 ? nullptr : transaction;
}
void raise(HttpTransaction& transaction, Direction direction, HttpEvent event) noexcept {
  transaction.raise(direction, static_cast<uint8_t>(event));
}

struct FlagMeaning {
  uint64_t flag;
  HttpEvent event;
};
constexpr std::array kRequestFlags{
    FlagMeaning{HTP_REQUEST_INVALID_T_E, HttpEvent::InvalidTransferEncodingInRequest},
    FlagMeaning{HTP_REQUEST_INVALID_C_L, HttpEvent::InvalidContentLengthInRequest},
    FlagMeaning{HTP_HOST_MISSING, HttpEvent::MissingHostHeader},
    FlagMeaning{HTP_HOST_AMBIGUOUS, HttpEvent::HostHeaderAmbiguous},
    FlagMeaning{HTP_HOSTU_INVALID, HttpEvent::RequestUriHostInvalid},
    FlagMeaning{HTP_HOSTH_INVALID, HttpEvent::RequestHeaderHostInvalid},
};

// Bearer (RFC 6750) is younger than the library.
bool is_known_authorization(HttpTransaction& transaction) noexcept {
  const auto value = transaction.header(Direction::ToServer, "Authorization");
  return value && equals_ignoring_case(trim_blanks(text_of(*value)).substr(0, 6), "bearer");
}

void raise_request_flags(HttpTransaction& transaction) noexcept {
  const htp_tx_t& source = transaction.source();
  for (const FlagMeaning& meaning : kRequestFlags) {
    if ((source.flags & meaning.flag) != 0) {
      raise(transaction, Direction::ToServer, meaning.event);
    }
  }
  const bool unrecognized =
      source.request_auth_type == HTP_AUTH_UNRECOGNIZED && !is_known_authorization(transaction);
  if (unrecognized || (source.flags & HTP_AUTH_INVALID) != 0) {
    raise(transaction, Direction::ToServer, HttpEvent::RequestAuthUnrecognized);
  }
}

std::string_view path_of(const htp_tx_t& source) noexcept {
  return source.parsed_uri == nullptr ? std::string_view{} : text_of(source.parsed_uri->path);
}

int on_log(htp_log_t* message) noexcept {
  auto* const session = static_cast<HttpSession*>(htp_connp_get_user_data(message->connp));
  session->note_message(*message);
  return HTP_OK;
}

// The start callbacks never fail: libhtp would call them again and again. What must stop does so
// at the line.
int on_request_start(htp_tx_t* source) noexcept {
  (void)session_of(source)->find(source, true);
  session_of(source)->begin_head(Direction::ToServer);
  return HTP_OK;
}

// Rules expect a query without %-escapes, its '+' left alone.
int on_uri(htp_tx_t* source) noexcept {
  if (source->parsed_uri != nullptr && source->parsed_uri->query != nullptr) {
    uint64_t flags = 0;
    htp_urldecode_inplace(source->cfg, HTP_DECODER_URLENCODED, source->parsed_uri->query, &flags);
  }
  return HTP_OK;
}

int on_request_line(htp_tx_t* source) noexcept {
  HttpTransaction* const transaction = transaction_of(source);
  if (transaction == nullptr) {
    return session_of(source)->failed() ? HTP_ERROR : HTP_OK;
  }
  transaction->touch(Direction::ToServer);
  if (!session_of(source)->is_head_as_read(Direction::ToServer, false)) return HTP_ERROR;
  // Whether what follows is its body or headers depends on what came in the same packet.
  if (source->is_protocol_0_9 != 0 && session_of(source)->contents() != nullptr) {
    session_of(source)->miss_content();
    return HTP_ERROR;
  }
  // A client of HTTP/0.9 has nothing to add: this one left out the protocol, headers follow.
  if (source->is_protocol_0_9 != 0 && session_of(source)->more_request_bytes()) {
    source->is_protocol_0_9 = 0;
    raise(*transaction, Direction::ToServer, HttpEvent::RequestLineMissingProtocol);
  }
  return HTP_OK;
}

int on_request_header_data(htp_tx_data_t* data) noexcept {
  HttpTransaction* const transaction = transaction_of(data->tx);
  if (transaction != nullptr && data->data != nullptr) {
    transaction->append_raw_headers(Direction::ToServer, {data->data, data->len});
  }
  return HTP_OK;
}

int on_request_headers(htp_tx_t* source) noexcept {
  if (HttpTransaction* const transaction = transaction_of(source)) {
    transaction->headers_changed(Direction::ToServer, false);
    raise_request_flags(*transaction);
  }
  return HTP_OK;
}

// What nobody can say the end or the coding of is not taken out.
bool has_doubtful_headers(HttpTransaction* transaction, Direction direction) noexcept {
  if (transaction == nullptr) return false;
  HttpSession& session = *session_of(&transaction->source());
  if (session.contents() == nullptr) return false;
  if (!session.is_head_as_read(direction, true)) return true;
  if (!transaction->headers_doubtful(direction)) return false;
  session.miss_content();
  return true;
}

int on_request_headers_complete(htp_tx_t* source) noexcept {
  HttpTransaction* const transaction = transaction_of(source);
  HttpContents* const contents = session_of(source)->contents();
  if (has_doubtful_headers(transaction, Direction::ToServer)) return HTP_ERROR;
  session_of(source)->begin_body(*source, Direction::ToServer);
  if (transaction != nullptr && contents != nullptr) {
    contents->request_headers(*transaction, session_of(source)->is_answered_next(*transaction));
  }
  return on_request_headers(source);
}

std::string_view encoding_of(HttpTransaction& transaction, Direction direction) noexcept {
  const auto value = transaction.header(direction, "Content-Encoding");
  return value ? text_of(*value) : std::string_view{};
}

void begin_request_body(HttpTransaction& transaction) noexcept {
  const htp_tx_t& source = transaction.source();
  HttpBodies& bodies = transaction.bodies();
  const std::string_view encoding = encoding_of(transaction, Direction::ToServer);
  if (source.request_method_number == HTP_M_POST) {
    const auto type = transaction.header(Direction::ToServer, "Content-Type");
    const std::string_view text = type ? text_of(*type) : std::string_view{};
    constexpr std::string_view kForm = "multipart/form-data";
    const auto boundary = find_parameter(text, "boundary");
    if (equals_ignoring_case(text.substr(0, kForm.size()), kForm) && boundary &&
        !boundary->empty()) {
      bodies.begin_request(RequestBodyKind::Form, *boundary, {}, encoding);
      return;
    }
  }
  const bool file =
      source.request_method_number == HTP_M_POST || source.request_method_number == HTP_M_PUT;
  bodies.begin_request(file ? RequestBodyKind::WholeFile : RequestBodyKind::Plain, {},
                       path_of(source), encoding);
}

// `bytes`: data() null: so many are missing.
void give_request_body(HttpSession& session, HttpTransaction& transaction,
                       std::span<const uint8_t> bytes) noexcept {
  HttpBodies& bodies = transaction.bodies();
  if (!bodies.request_begun()) {
    begin_request_body(transaction);
  }
  if (HttpContents* const contents = session.contents()) {
    contents->body_data(transaction, Direction::ToServer, bytes);
  }
  if (bytes.data() == nullptr) {
    bodies.request_gap(bytes.size());
  } else {
    bodies.request_bytes(bytes);
  }
}

int on_request_body(htp_tx_data_t* data) noexcept {
  HttpTransaction* const transaction = transaction_with_body(*data);
  if (transaction == nullptr) {
    return data->tx != nullptr && session_of(data->tx)->failed() ? HTP_ERROR : HTP_OK;
  }
  HttpSession& session = *session_of(data->tx);
  const std::span<const uint8_t> all{data->data, data->len};
  const std::span<const uint8_t> own = session.own_bytes(*transaction, Direction::ToServer, all);
  if (session.failed()) return HTP_ERROR;
  if (!own.empty()) {
    give_request_body(session, *transaction, own);
    transaction->touch(Direction::ToServer);
  }
  return own.size() == all.size() ||
                 session.ends_before(*transaction, Direction::ToServer, all.subspan(own.size()))
             ? HTP_OK
             : HTP_ERROR;
}

int on_request_complete(htp_tx_t* source) noexcept {
  if (HttpTransaction* const transaction = transaction_of(source)) {
    raise_request_flags(*transaction);
    transaction->update_progress();
    session_of(source)->finish_body(*transaction, Direction::ToServer);
  }
  return HTP_OK;
}

// A response whose request was never seen begins a transaction, too.
int on_response_start(htp_tx_t* source) noexcept {
  (void)session_of(source)->find(source, true);
  session_of(source)->begin_head(Direction::ToClient);
  return HTP_OK;
}

int on_response_line(htp_tx_t* source) noexcept {
  if (HttpTransaction* const transaction = transaction_of(source)) {
    transaction->headers_changed(Direction::ToClient, true);
    session_of(source)->note_response_line(*source);
    (void)session_of(source)->is_head_as_read(Direction::ToClient, false);
  }
  return session_of(source)->failed() ? HTP_ERROR : HTP_OK;
}

int on_response_header_data(htp_tx_data_t* data) noexcept {
  HttpTransaction* const transaction = transaction_of(data->tx);
  if (transaction != nullptr && data->data != nullptr) {
    transaction->append_raw_headers(Direction::ToClient, {data->data, data->len});
  }
  return HTP_OK;
}

void follow_upgrade(HttpTransaction& transaction) noexcept {
  const htp_tx_t& source = transaction.source();
  HttpSession* const session = session_of(&source);
  const bool success = source.response_status_number >= 200 && source.response_status_number < 300;
  if (source.request_method_number == HTP_M_CONNECT && success) {
    session->change_to(ApplicationProtocol::Unknown);
    return;
  }
  const auto upgrade = transaction.header(Direction::ToClient, "Upgrade");
  if (source.response_status_number != 101 || !upgrade) {
    return;
  }
  const std::string_view name = trim_blanks(text_of(*upgrade));
  if (equals_ignoring_case(name, "h2c")) {
    session->change_to(ApplicationProtocol::Http2);
  } else if (equals_ignoring_case(name, "websocket")) {
    session->change_to(ApplicationProtocol::WebSocket);
  } else {
    session->change_to(ApplicationProtocol::Unknown);
  }
}

int on_response_headers(htp_tx_t* source) noexcept {
  HttpTransaction* const transaction = transaction_of(source);
  if (transaction == nullptr) {
    return HTP_OK;
  }
  transaction->headers_changed(Direction::ToClient, false);
  if (source->seen_100continue != 0) {
    transaction->cut_interim_headers();
  }
  if (has_doubtful_headers(transaction, Direction::ToClient)) return HTP_ERROR;
  const auto range = transaction->header(Direction::ToClient, "Content-Range");
  if (source->response_status_number == 206 && range && !read_content_range(text_of(*range))) {
    raise(*transaction, Direction::ToClient, HttpEvent::RangeInvalid);
  }
  follow_upgrade(*transaction);
  session_of(source)->note_response_end();
  session_of(source)->begin_body(*source, Direction::ToClient);
  if (HttpContents* const contents = session_of(source)->contents()) {
    const HttpSession& session = *session_of(source);
    contents->response_headers(*transaction, session.response_came_now(),
                               session.response_first_byte());
  }
  return HTP_OK;
}

void begin_response_body(HttpTransaction& transaction) noexcept {
  const auto disposition = transaction.header(Direction::ToClient, "Content-Disposition");
  const auto named = disposition ? file_name_of(text_of(*disposition)) : std::nullopt;
  transaction.bodies().begin_response(named ? *named : path_of(transaction.source()),
                                      encoding_of(transaction, Direction::ToClient));
}

// As give_request_body().
void give_response_body(HttpSession& session, HttpTransaction& transaction,
                        std::span<const uint8_t> bytes) noexcept {
  if (bytes.data() != nullptr) {
    session.note_response_bytes(bytes);
  }
  HttpBodies& bodies = transaction.bodies();
  if (!bodies.response_begun()) {
    begin_response_body(transaction);
  }
  if (HttpContents* const contents = session.contents()) {
    contents->body_data(transaction, Direction::ToClient, bytes);
  }
  if (bytes.data() == nullptr) {
    bodies.response_gap(bytes.size());
  } else {
    bodies.response_bytes(bytes);
  }
}

int on_response_body(htp_tx_data_t* data) noexcept {
  HttpTransaction* const transaction = transaction_with_body(*data);
  if (transaction == nullptr) {
    return data->tx != nullptr && session_of(data->tx)->failed() ? HTP_ERROR : HTP_OK;
  }
  HttpSession& session = *session_of(data->tx);
  const std::span<const uint8_t> all{data->data, data->len};
  const std::span<const uint8_t> own = session.own_bytes(*transaction, Direction::ToClient, all);
  if (session.failed()) return HTP_ERROR;
  if (!own.empty()) {
    give_response_body(session, *transaction, own);
    transaction->touch(Direction::ToClient);
  }
  return own.size() == all.size() ||
                 session.ends_before(*transaction, Direction::ToClient, all.subspan(own.size()))
             ? HTP_OK
             : HTP_ERROR;
}

int on_response_complete(htp_tx_t* source) noexcept {
  if (HttpTransaction* const transaction = transaction_of(source)) {
    transaction->update_progress();
    session_of(source)->finish_body(*transaction, Direction::ToClient);
  }
  return HTP_OK;
}

int on_request_trailer(htp_tx_t* source) noexcept {
  if (HttpTransaction* const transaction = transaction_of(source)) {
    transaction->message_end(Direction::ToServer).has_trailer = true;
  }
  return on_request_headers(source);
}

int on_response_trailer(htp_tx_t* source) noexcept {
  if (HttpTransaction* const transaction = transaction_of(source)) {
    transaction->headers_changed(Direction::ToClient, false);
    transaction->message_end(Direction::ToClient).has_trailer = true;
    session_of(source)->note_response_end();
  }
  return HTP_OK;
}

void register_callbacks(htp_cfg_t* configuration) noexcept {
  htp_config_register_log(configuration, on_log);
  htp_config_register_request_start(configuration, on_request_start);
  htp_config_register_request_uri_normalize(configuration, on_uri);
  htp_config_register_request_line(configuration, on_request_line);
  htp_config_register_request_header_data(configuration, on_request_header_data);
  htp_config_register_request_headers(configuration, on_request_headers_complete);
  htp_config_register_request_body_data(configuration, on_request_body);
  htp_config_register_request_trailer_data(configuration, on_request_header_data);
  htp_config_register_request_trailer(configuration, on_request_trailer);
  htp_config_register_request_complete(configuration, on_request_complete);
  htp_config_register_response_start(configuration, on_response_start);
  htp_config_register_response_line(configuration, on_response_line);
  htp_config_register_response_header_data(configuration, on_response_header_data);
  htp_config_register_response_headers(configuration, on_response_headers);
  htp_config_register_response_body_data(configuration, on_response_body);
  htp_config_register_response_trailer_data(configuration, on_response_header_data);
  htp_config_register_response_trailer(configuration, on_response_trailer);
  htp_config_register_response_complete(configuration, on_response_complete);
}

htp_cfg_t* make_configuration() noexcept {
  htp_cfg_t* const configuration = htp_config_create();
  if (configuration == nullptr) {
    return nullptr;
  }
  htp_config_set_server_personality(configuration, HTP_SERVER_IDS);
  htp_config_set_convert_lowercase(configuration, HTP_DECODER_DEFAULTS, 0);
  htp_config_set_plusspace_decode(configuration, HTP_DECODER_URLENCODED, 0);
  htp_config_set_allow_space_uri(configuration, 1);
  htp_config_set_parse_request_cookies(configuration, 0);
  htp_config_set_parse_request_auth(configuration, 1);
  htp_config_set_tx_auto_destroy(configuration, 0);
  htp_config_set_field_limits(configuration, kSoftFieldBytes, kHardFieldBytes);
  htp_config_set_number_headers_limit(configuration, kMaximumHeaders);
  // Content codings are undone by EncodedBody: libhtp loses bytes when the first ones come apart.
  htp_config_set_request_decompression(configuration, 0);
  htp_config_set_response_decompression(configuration, 0);
  register_callbacks(configuration);
  return configuration;
}

}  // namespace

htp_cfg_t* http_configuration() noexcept {
  static htp_cfg_t* const configuration = make_configuration();
  return configuration;
}

}  // namespace masugata::ids
