// SPDX-License-Identifier: GPL-2.0-or-later
// What x509.h promises about lists, PEM and PKCS#12.
#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/x509v3.h>

#include <algorithm>

#include "ipsec/pki/x509.h"

namespace masugata::ipsec::pki {
namespace {

using Bio = std::unique_ptr<BIO, FreeBy<BIO_free>>;
using List = std::unique_ptr<X509_CRL, FreeBy<X509_CRL_free>>;
using Time = std::unique_ptr<ASN1_TIME, FreeBy<ASN1_TIME_free>>;
using Integer = std::unique_ptr<ASN1_INTEGER, FreeBy<ASN1_INTEGER_free>>;
using Number = std::unique_ptr<BIGNUM, FreeBy<BN_free>>;

tl::unexpected<Fault> crypto_failure(const char* what) {
  const char* reason = ERR_reason_error_string(ERR_peek_last_error());
  ERR_clear_error();
  return failure("pki", reason == nullptr ? what : fmt::format("{}: {}", what, reason));
}

std::string taken(const Bio& bio) {
  char* bytes = nullptr;
  const long length = BIO_get_mem_data(bio.get(), &bytes);
  return std::string(bytes, static_cast<size_t>(std::max(length, 0L)));
}

Bio reading(const std::string& bytes) {
  return Bio(BIO_new_mem_buf(bytes.data(), static_cast<int>(bytes.size())));
}

// Nobody is asked for a password at a terminal.
int no_password(char*, int, int, void*) { return -1; }

Status add_revoked(X509_CRL* list, const Revoked& revoked) {
  BIGNUM* parsed = nullptr;
  BN_hex2bn(&parsed, revoked.serial.c_str());
  const Number number(parsed);
  const Integer serial(number ? BN_to_ASN1_INTEGER(number.get(), nullptr) : nullptr);
  const Time when(ASN1_TIME_set(nullptr, revoked.when.time_since_epoch().count()));
  X509_REVOKED* entry = X509_REVOKED_new();
  if (!serial || !when || X509_REVOKED_set_serialNumber(entry, serial.get()) != 1 ||
      X509_REVOKED_set_revocationDate(entry, when.get()) != 1 ||
      X509_CRL_add0_revoked(list, entry) != 1) {
    X509_REVOKED_free(entry);
    return crypto_failure("a serial number cannot be listed");
  }
  return {};
}

Status add_list_extensions(X509_CRL* list, const Issuer& issuer, uint64_t number) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer.certificate, nullptr, nullptr, list, 0);
  X509V3_set_ctx_nodb(&context);
  X509_EXTENSION* extension =
      X509V3_EXT_conf_nid(nullptr, &context, NID_authority_key_identifier, "keyid:always");
  const bool added = extension != nullptr && X509_CRL_add_ext(list, extension, -1) == 1;
  X509_EXTENSION_free(extension);
  const Integer count(ASN1_INTEGER_new());
  if (!added || ASN1_INTEGER_set_uint64(count.get(), number) != 1 ||
      X509_CRL_add1_ext_i2d(list, NID_crl_number, count.get(), 0, 0) != 1) {
    return crypto_failure("an extension cannot be made");
  }
  return {};
}

}  // namespace

Result<std::string> make_revocation_list(const Issuer& issuer, const std::vector<Revoked>& revoked,
                                         uint64_t number, std::chrono::sys_seconds now, Days life) {
  const List list(X509_CRL_new());
  X509_CRL_set_version(list.get(), X509_CRL_VERSION_2);
  X509_CRL_set_issuer_name(list.get(), X509_get_subject_name(issuer.certificate));
  const Time from(ASN1_TIME_set(nullptr, now.time_since_epoch().count()));
  const Time until(ASN1_TIME_set(nullptr, (now + life).time_since_epoch().count()));
  X509_CRL_set1_lastUpdate(list.get(), from.get());
  X509_CRL_set1_nextUpdate(list.get(), until.get());
  for (const Revoked& one : revoked) {
    if (Status added = add_revoked(list.get(), one); !added) {
      return tl::unexpected<Fault>(added.error());
    }
  }
  if (Status added = add_list_extensions(list.get(), issuer, number); !added) {
    return tl::unexpected<Fault>(added.error());
  }
  X509_CRL_sort(list.get());
  const EVP_MD* digest = EVP_PKEY_get_bits(issuer.key) == 384 ? EVP_sha384() : EVP_sha256();
  if (X509_CRL_sign(list.get(), issuer.key, digest) <= 0) {
    return crypto_failure("the list cannot be signed");
  }
  const Bio out(BIO_new(BIO_s_mem()));
  PEM_write_bio_X509_CRL(out.get(), list.get());
  return taken(out);
}

std::string to_pem(X509* certificate) {
  const Bio out(BIO_new(BIO_s_mem()));
  PEM_write_bio_X509(out.get(), certificate);
  return taken(out);
}

std::string to_pem(X509_REQ* request) {
  const Bio out(BIO_new(BIO_s_mem()));
  PEM_write_bio_X509_REQ(out.get(), request);
  return taken(out);
}

std::string to_pem(EVP_PKEY* private_key) {
  const Bio out(BIO_new(BIO_s_secmem()));
  PEM_write_bio_PKCS8PrivateKey(out.get(), private_key, nullptr, nullptr, 0, nullptr, nullptr);
  return taken(out);
}

Result<Certificate> read_certificate(const std::string& bytes) {
  Certificate certificate(PEM_read_bio_X509(reading(bytes).get(), nullptr, no_password, nullptr));
  if (!certificate) certificate.reset(d2i_X509_bio(reading(bytes).get(), nullptr));
  if (!certificate) return crypto_failure("it holds no certificate");
  ERR_clear_error();
  return certificate;
}

Result<Request> read_request(const std::string& bytes) {
  Request request(PEM_read_bio_X509_REQ(reading(bytes).get(), nullptr, no_password, nullptr));
  if (!request) request.reset(d2i_X509_REQ_bio(reading(bytes).get(), nullptr));
  if (!request) return crypto_failure("it holds no request");
  ERR_clear_error();
  return request;
}

Result<Key> read_key(const std::string& bytes) {
  Key key(PEM_read_bio_PrivateKey(reading(bytes).get(), nullptr, no_password, nullptr));
  if (!key) key.reset(d2i_PrivateKey_bio(reading(bytes).get(), nullptr));
  if (!key) return crypto_failure("it holds no private key");
  ERR_clear_error();
  return key;
}

Result<std::string> to_pkcs12(const Bundle& bundle, const std::string& name,
                              const std::string& password) {
  STACK_OF(X509)* others = sk_X509_new_null();
  for (const Certificate& authority : bundle.authorities) sk_X509_push(others, authority.get());
  constexpr int kIterations = 100'000;
  const std::unique_ptr<PKCS12, FreeBy<PKCS12_free>> made(
      PKCS12_create(password.c_str(), name.c_str(), bundle.key.get(), bundle.certificate.get(),
                    others, NID_aes_256_cbc, NID_aes_256_cbc, kIterations, -1, 0));
  sk_X509_free(others);
  if (!made || PKCS12_set_mac(made.get(), password.c_str(), -1, nullptr, 0, kIterations,
                              EVP_sha256()) != 1) {
    return crypto_failure("the bundle cannot be made");
  }
  const Bio out(BIO_new(BIO_s_mem()));
  i2d_PKCS12_bio(out.get(), made.get());
  return taken(out);
}

Result<Bundle> read_pkcs12(const std::string& bytes, const std::string& password) {
  const std::unique_ptr<PKCS12, FreeBy<PKCS12_free>> read(
      d2i_PKCS12_bio(reading(bytes).get(), nullptr));
  if (!read) return crypto_failure("it is no PKCS#12 bundle");
  EVP_PKEY* key = nullptr;
  X509* certificate = nullptr;
  STACK_OF(X509)* others = nullptr;
  if (PKCS12_parse(read.get(), password.c_str(), &key, &certificate, &others) != 1) {
    return crypto_failure("the bundle does not open with this password");
  }
  Bundle bundle;
  bundle.key.reset(key);
  bundle.certificate.reset(certificate);
  while (others != nullptr && sk_X509_num(others) > 0) {
    bundle.authorities.emplace_back(sk_X509_shift(others));
  }
  sk_X509_free(others);
  ERR_clear_error();
  if (!bundle.key || !bundle.certificate) {
    return failure("pki", "the bundle has no certificate with its key");
  }
  return bundle;
}

}  // namespace masugata::ipsec::pki
