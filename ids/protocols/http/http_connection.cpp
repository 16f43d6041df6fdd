// SPDX-License-Identifier: GPL-2.0-or-later
#include "ids/protocols/http/http_connection.h"

#include <cstdlib>

namespace masugata::ids {

HttpConnection::HttpConnection(htp_cfg_t* configuration, void* user) noexcept
    : parser_(configuration == nullptr ? nullptr : htp_connp_create(configuration)) {
  if (parser_ != nullptr) {
    htp_connp_set_user_data(parser_, user);
    htp_time_t start{};
    htp_connp_open(parser_, nullptr, 0, nullptr, 0, &start);
  }
}

HttpConnection::~HttpConnection() {
  if (parser_ != nullptr) {
    htp_connp_destroy_all(parser_);
  }
}

void HttpConnection::adopt() noexcept {
  ++live_;
  ++total_;
  live_ -=
      std::erase_if(lingering_, [this](htp_tx_t* transaction) { return destroy(transaction); });
}

bool HttpConnection::destroy(htp_tx_t* transaction) const noexcept {
  const bool in_use =
      htp_connp_get_in_tx(parser_) == transaction || htp_connp_get_out_tx(parser_) == transaction;
  return !in_use && htp_tx_destroy(transaction) == HTP_OK;
}

void HttpConnection::release(htp_tx_t* transaction) noexcept {
  if (destroy(transaction)) {
    --live_;
    return;
  }
  htp_tx_set_user_data(transaction, forgotten_transaction());
  lingering_.push_back(transaction);
}

void HttpConnection::drop_messages() noexcept {
  htp_conn_t* const connection = htp_connp_get_connection(parser_);
  while (htp_list_size(connection->messages) != 0) {
    auto* const message = static_cast<htp_log_t*>(htp_list_pop(connection->messages));
    std::free(const_cast<char*>(message->msg));
    std::free(message);
  }
}

void* forgotten_transaction() noexcept {
  static char mark = 0;
  return &mark;
}

}  // namespace masugata::ids
