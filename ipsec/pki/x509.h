// SPDX-License-Identifier: GPL-2.0-or-later
// Keys, certificates, requests and revocation lists (RFC 5280), on OpenSSL's libcrypto. Off the
// packet path; not for several threads at once.
#pragma once

#include <openssl/evp.h>
#include <openssl/x509.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "result/result.h"

namespace masugata::ipsec::pki {

template <auto Free>
struct FreeBy {
  template <class T>
  void operator()(T* object) const {
    Free(object);
  }
};
using Key = std::unique_ptr<EVP_PKEY, FreeBy<EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, FreeBy<X509_free>>;
using Request = std::unique_ptr<X509_REQ, FreeBy<X509_REQ_free>>;

enum class KeyKind : uint8_t { Ec256, Ec384, Rsa3072, Rsa4096 };
// "ec256", "ec384", "rsa3072", "rsa4096".
[[nodiscard]] Result<KeyKind> key_kind_of(std::string_view text);
[[nodiscard]] Result<Key> make_key(KeyKind kind);

// Who a certificate is for.
struct Names {
  std::string subject;               // "C=JP, O=Example, CN=osaka.example.com"
  std::vector<std::string> domains;  // subjectAltName (RFC 5280 section 4.2.1.6)
  std::vector<std::string> addresses;
  std::vector<std::string> mails;
};
// A Fault says which of them cannot be.
[[nodiscard]] Status check_names(const Names& names);

using Days = std::chrono::days;

// `now` is when it begins to count, less an hour for clocks that are behind.
[[nodiscard]] Result<Certificate> make_authority(EVP_PKEY* key, const Names& names,
                                                 std::chrono::sys_seconds now, Days life);
struct Issuer {
  X509* certificate = nullptr;
  EVP_PKEY* key = nullptr;
};
// Ends not later than the CA itself.
[[nodiscard]] Result<Certificate> issue(const Issuer& issuer, EVP_PKEY* public_key,
                                        const Names& names, std::chrono::sys_seconds now,
                                        Days life);
[[nodiscard]] Result<Request> make_request(EVP_PKEY* key, const Names& names);
// The names that a request asks for, and its key; a Fault when its signature is wrong.
[[nodiscard]] Result<Names> names_of_request(X509_REQ* request);

struct Revoked {
  std::string serial;  // hexadecimal
  std::chrono::sys_seconds when;
};
// PEM. `number` counts up (RFC 5280 section 5.2.3).
[[nodiscard]] Result<std::string> make_revocation_list(const Issuer& issuer,
                                                       const std::vector<Revoked>& revoked,
                                                       uint64_t number,
                                                       std::chrono::sys_seconds now, Days life);

// What a person wants to know about a certificate.
struct Facts {
  std::string subject;
  std::string issuer;
  std::string serial;              // hexadecimal, upper case
  std::vector<std::string> names;  // "DNS:osaka.example.com", "IP Address:192.0.2.1"
  std::chrono::sys_seconds not_before;
  std::chrono::sys_seconds not_after;
  std::string key;  // "EC 256", "RSA 3072"
  bool authority = false;
};
[[nodiscard]] Facts facts_of(X509* certificate);
[[nodiscard]] bool belong_together(X509* certificate, EVP_PKEY* key);
[[nodiscard]] bool is_issued_by(X509* certificate, X509* authority);

// PEM, and back. Reading takes DER too. A private key is never encrypted: its file is 0600.
[[nodiscard]] std::string to_pem(X509* certificate);
[[nodiscard]] std::string to_pem(X509_REQ* request);
[[nodiscard]] std::string to_pem(EVP_PKEY* private_key);
[[nodiscard]] Result<Certificate> read_certificate(const std::string& bytes);
[[nodiscard]] Result<Request> read_request(const std::string& bytes);
[[nodiscard]] Result<Key> read_key(const std::string& bytes);

// PKCS#12 (RFC 7292), AES-256 and SHA-256.
struct Bundle {
  Key key;
  Certificate certificate;
  std::vector<Certificate> authorities;
};
[[nodiscard]] Result<std::string> to_pkcs12(const Bundle& bundle, const std::string& name,
                                            const std::string& password);
[[nodiscard]] Result<Bundle> read_pkcs12(const std::string& bytes, const std::string& password);

}  // namespace masugata::ipsec::pki
