// SPDX-License-Identifier: GPL-2.0-or-later
// libhtp's parser of one connection, shared by our parser and the transactions that read from it.
#pragma once

#include <htp/htp.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

namespace masugata::ids {

// The bytes of one of libhtp's strings; empty for null.
[[nodiscard]] inline std::span<const uint8_t> bytes_of(const bstr* text) noexcept {
  return text == nullptr ? std::span<const uint8_t>{}
                         : std::span<const uint8_t>{bstr_ptr(text), bstr_len(text)};
}
[[nodiscard]] inline std::string_view text_of(std::span<const uint8_t> bytes) noexcept {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}
[[nodiscard]] inline std::string_view text_of(const bstr* text) noexcept {
  return text_of(bytes_of(text));
}

// Owns an htp_connp_t with all its transactions. Thread: the flow's worker.
class HttpConnection {
 public:
  // `user` is handed to callbacks as the connection's user data. Without memory get() is null.
  HttpConnection(htp_cfg_t* configuration, void* user) noexcept;
  HttpConnection(const HttpConnection&) = delete;
  HttpConnection& operator=(const HttpConnection&) = delete;
  ~HttpConnection();

  [[nodiscard]] htp_connp_t* get() const noexcept { return parser_; }
  // Transactions that libhtp keeps for us.
  [[nodiscard]] size_t live() const noexcept { return live_; }
  // All that there ever were; libhtp's list of them only grows.
  [[nodiscard]] size_t total() const noexcept { return total_; }
  void adopt() noexcept;
  // We need `transaction` no more. One that libhtp still works on goes when that is over.
  void release(htp_tx_t* transaction) noexcept;
  // Frees the log messages that libhtp hoards; they were handled when they came.
  void drop_messages() noexcept;

 private:
  htp_connp_t* parser_;
  // True when libhtp let it go.
  [[nodiscard]] bool destroy(htp_tx_t* transaction) const noexcept;

  size_t live_ = 0;
  size_t total_ = 0;
  std::vector<htp_tx_t*> lingering_;  // released, yet at work; counted as live
};

// What a released transaction has as its user data.
[[nodiscard]] void* forgotten_transaction() noexcept;

}  // namespace masugata::ids
