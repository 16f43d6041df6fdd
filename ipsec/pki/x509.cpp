// SPDX-License-Identifier: GPL-2.0-or-later
#include "ipsec/pki/x509.h"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <cctype>

#include "net/address.h"

namespace masugata::ipsec::pki {
namespace {

using Extension = std::unique_ptr<X509_EXTENSION, FreeBy<X509_EXTENSION_free>>;
using GeneralNames = std::unique_ptr<GENERAL_NAMES, FreeBy<GENERAL_NAMES_free>>;
using Number = std::unique_ptr<BIGNUM, FreeBy<BN_free>>;
using Integer = std::unique_ptr<ASN1_INTEGER, FreeBy<ASN1_INTEGER_free>>;
using Name = std::unique_ptr<X509_NAME, FreeBy<X509_NAME_free>>;
using Time = std::unique_ptr<ASN1_TIME, FreeBy<ASN1_TIME_free>>;

constexpr std::chrono::hours kClocksDiffer{1};
constexpr int kSerialBytes = 16;

tl::unexpected<Fault> crypto_failure(const char* what) {
  const char* reason = ERR_reason_error_string(ERR_peek_last_error());
  ERR_clear_error();
  return failure("pki", reason == nullptr ? what : fmt::format("{}: {}", what, reason));
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

Result<Name> parse_subject(std::string_view text) {
  Name name(X509_NAME_new());
  if (text.empty()) return failure("subject", "is empty: for example CN=osaka.example.com");
  while (!text.empty()) {
    const std::string_view part = text.substr(0, text.find(','));
    text.remove_prefix(std::min(text.size(), part.size() + 1));
    const size_t equals = part.find('=');
    const std::string field(trimmed(part.substr(0, equals)));
    const std::string value(
        trimmed(equals == std::string_view::npos ? std::string_view() : part.substr(equals + 1)));
    const auto* bytes = reinterpret_cast<const unsigned char*>(value.data());
    if (value.empty() || X509_NAME_add_entry_by_txt(name.get(), field.c_str(), MBSTRING_UTF8, bytes,
                                                    static_cast<int>(value.size()), -1, 0) != 1) {
      ERR_clear_error();
      return failure("subject", fmt::format("'{}' is not like CN=osaka.example.com, O=Example",
                                            std::string(part)));
    }
  }
  return name;
}

bool is_domain(std::string_view text) {
  if (text.empty() || text.size() > 253 || text.front() == '.' || text.back() == '.') return false;
  return std::all_of(text.begin(), text.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '-' || c == '.' || c == '*' || c == '_';
  });
}

// "DNS:a,IP:192.0.2.1", as X509V3_EXT_conf reads it; the names have been checked.
std::string alternative_names(const Names& names) {
  std::string text;
  const auto add = [&text](const char* kind, const std::vector<std::string>& values) {
    for (const std::string& value : values) {
      text += fmt::format("{}{}:{}", text.empty() ? "" : ",", kind, value);
    }
  };
  add("DNS", names.domains);
  add("IP", names.addresses);
  add("email", names.mails);
  return text;
}

Status add_extension(X509* certificate, X509* issuer, int kind, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509V3_set_ctx_nodb(&context);
  const Extension extension(X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str()));
  if (!extension || X509_add_ext(certificate, extension.get(), -1) != 1) {
    return crypto_failure("an extension cannot be made");
  }
  return {};
}

struct ExtensionText {
  int kind;
  std::string value;
};

Status set_serial(X509* certificate) {
  std::array<unsigned char, kSerialBytes> bytes{};
  if (RAND_bytes(bytes.data(), kSerialBytes) != 1) return crypto_failure("no random numbers");
  // Positive, and never shorter (RFC 5280 section 4.1.2.2).
  bytes[0] = static_cast<unsigned char>((bytes[0] & 0x7fU) | 0x40U);
  const Number number(BN_bin2bn(bytes.data(), kSerialBytes, nullptr));
  if (!number || BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate)) == nullptr) {
    return crypto_failure("no serial number");
  }
  return {};
}

const EVP_MD* digest_for(EVP_PKEY* key) {
  return EVP_PKEY_get_bits(key) == 384 ? EVP_sha384() : EVP_sha256();
}

struct Draft {
  EVP_PKEY* key = nullptr;
  const X509_NAME* issuer_name = nullptr;
  std::chrono::sys_seconds now;
  std::chrono::sys_seconds end;
};

Result<Certificate> draft(const Draft& from, const Names& names) {
  if (Status right = check_names(names); !right) return tl::unexpected<Fault>(right.error());
  const Result<Name> subject = parse_subject(names.subject);
  if (!subject) return tl::unexpected<Fault>(subject.error());
  Certificate certificate(X509_new());
  X509_set_version(certificate.get(), X509_VERSION_3);
  if (Status serial = set_serial(certificate.get()); !serial) {
    return tl::unexpected<Fault>(serial.error());
  }
  const auto begin = from.now - kClocksDiffer;
  ASN1_TIME_set(X509_getm_notBefore(certificate.get()), begin.time_since_epoch().count());
  ASN1_TIME_set(X509_getm_notAfter(certificate.get()), from.end.time_since_epoch().count());
  X509_set_subject_name(certificate.get(), subject->get());
  X509_set_issuer_name(certificate.get(),
                       from.issuer_name != nullptr ? from.issuer_name : subject->get());
  X509_set_pubkey(certificate.get(), from.key);
  return certificate;
}

Result<Certificate> finish(Certificate certificate, const Issuer& issuer,
                           const std::vector<ExtensionText>& extensions) {
  for (const ExtensionText& extension : extensions) {
    if (extension.value.empty()) continue;
    Status added =
        add_extension(certificate.get(), issuer.certificate, extension.kind, extension.value);
    if (!added) return tl::unexpected<Fault>(added.error());
  }
  if (X509_sign(certificate.get(), issuer.key, digest_for(issuer.key)) <= 0) {
    return crypto_failure("the certificate cannot be signed");
  }
  return certificate;
}

std::chrono::sys_seconds to_time(const ASN1_TIME* time) {
  std::tm parts{};
  if (time == nullptr || ASN1_TIME_to_tm(time, &parts) != 1) return {};
  return std::chrono::sys_seconds(std::chrono::seconds(timegm(&parts)));
}

std::string text_of(const X509_NAME* name) {
  const std::unique_ptr<BIO, FreeBy<BIO_free>> out(BIO_new(BIO_s_mem()));
  X509_NAME_print_ex(
      out.get(), name, 0,
      ASN1_STRFLGS_UTF8_CONVERT | ASN1_STRFLGS_ESC_CTRL | XN_FLAG_SEP_CPLUS_SPC | XN_FLAG_FN_SN);
  char* bytes = nullptr;
  const long length = BIO_get_mem_data(out.get(), &bytes);
  return std::string(bytes, static_cast<size_t>(std::max(length, 0L)));
}

std::string text_of(const ASN1_STRING* text) {
  return std::string(reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
                     static_cast<size_t>(ASN1_STRING_length(text)));
}

std::string address_of(const ASN1_STRING* bytes) {
  const auto* data = ASN1_STRING_get0_data(bytes);
  if (ASN1_STRING_length(bytes) == 16) return net::IpAddress::from_v6(data).to_string();
  if (ASN1_STRING_length(bytes) != 4) return {};
  return fmt::format("{}.{}.{}.{}", data[0], data[1], data[2], data[3]);
}

void sort_names(const GENERAL_NAMES* from, Names& into) {
  for (int i = 0; from != nullptr && i < sk_GENERAL_NAME_num(from); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(from, i);
    if (name->type == GEN_DNS) into.domains.push_back(text_of(name->d.dNSName));
    if (name->type == GEN_IPADD) into.addresses.push_back(address_of(name->d.iPAddress));
    if (name->type == GEN_EMAIL) into.mails.push_back(text_of(name->d.rfc822Name));
  }
}

}  // namespace

Result<KeyKind> key_kind_of(std::string_view text) {
  if (text == "ec256") return KeyKind::Ec256;
  if (text == "ec384") return KeyKind::Ec384;
  if (text == "rsa3072") return KeyKind::Rsa3072;
  if (text == "rsa4096") return KeyKind::Rsa4096;
  return failure("key", fmt::format("'{}' is none of ec256, ec384, rsa3072, rsa4096", text));
}

Result<Key> make_key(KeyKind kind) {
  Key key;
  switch (kind) {
    case KeyKind::Ec256:
      key.reset(EVP_EC_gen("P-256"));
      break;
    case KeyKind::Ec384:
      key.reset(EVP_EC_gen("P-384"));
      break;
    case KeyKind::Rsa3072:
      key.reset(EVP_RSA_gen(3072));
      break;
    case KeyKind::Rsa4096:
      key.reset(EVP_RSA_gen(4096));
      break;
  }
  if (!key) return crypto_failure("no key can be made");
  return key;
}

Status check_names(const Names& names) {
  for (const std::string& domain : names.domains) {
    if (!is_domain(domain)) return failure("dns", fmt::format("'{}' is no domain name", domain));
  }
  for (const std::string& address : names.addresses) {
    if (!net::IpAddress::parse(address)) {
      return failure("address", fmt::format("'{}' is no address", address));
    }
  }
  for (const std::string& mail : names.mails) {
    const size_t at = mail.find('@');
    if (at == 0 || at == std::string::npos || mail.find_first_of(", \t:") != std::string::npos ||
        !is_domain(std::string_view(mail).substr(at + 1))) {
      return failure("mail", fmt::format("'{}' is no mail address", mail));
    }
  }
  return {};
}

Result<Certificate> make_authority(EVP_PKEY* key, const Names& names, std::chrono::sys_seconds now,
                                   Days life) {
  Result<Certificate> certificate = draft({key, nullptr, now, now + life}, names);
  if (!certificate) return certificate;
  X509* self = certificate->get();
  return finish(std::move(*certificate), {self, key},
                {{NID_basic_constraints, "critical,CA:TRUE,pathlen:0"},
                 {NID_key_usage, "critical,keyCertSign,cRLSign"},
                 {NID_subject_key_identifier, "hash"}});
}

Result<Certificate> issue(const Issuer& issuer, EVP_PKEY* public_key, const Names& names,
                          std::chrono::sys_seconds now, Days life) {
  const auto end = std::min(now + life, to_time(X509_get0_notAfter(issuer.certificate)));
  if (end <= now) return failure("pki", "the CA itself has expired");
  Result<Certificate> certificate =
      draft({public_key, X509_get_subject_name(issuer.certificate), now, end}, names);
  if (!certificate) return certificate;
  // The last key purpose is for peers that want to see one of IKE (RFC 4945 section 5.1.3.12).
  return finish(std::move(*certificate), issuer,
                {{NID_basic_constraints, "critical,CA:FALSE"},
                 {NID_key_usage, "critical,digitalSignature"},
                 {NID_ext_key_usage, "serverAuth,clientAuth,1.3.6.1.5.5.7.3.17"},
                 {NID_subject_alt_name, alternative_names(names)},
                 {NID_subject_key_identifier, "hash"},
                 {NID_authority_key_identifier, "keyid:always"}});
}

Result<Request> make_request(EVP_PKEY* key, const Names& names) {
  if (Status right = check_names(names); !right) return tl::unexpected<Fault>(right.error());
  const Result<Name> subject = parse_subject(names.subject);
  if (!subject) return tl::unexpected<Fault>(subject.error());
  Request request(X509_REQ_new());
  X509_REQ_set_subject_name(request.get(), subject->get());
  X509_REQ_set_pubkey(request.get(), key);
  if (const std::string others = alternative_names(names); !others.empty()) {
    const Extension extension(
        X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, others.c_str()));
    STACK_OF(X509_EXTENSION)* extensions = sk_X509_EXTENSION_new_null();
    sk_X509_EXTENSION_push(extensions, extension.get());
    X509_REQ_add_extensions(request.get(), extensions);
    sk_X509_EXTENSION_free(extensions);
  }
  if (X509_REQ_sign(request.get(), key, digest_for(key)) <= 0) {
    return crypto_failure("the request cannot be signed");
  }
  return request;
}

Result<Names> names_of_request(X509_REQ* request) {
  EVP_PKEY* key = X509_REQ_get0_pubkey(request);
  if (key == nullptr || X509_REQ_verify(request, key) != 1) {
    return crypto_failure("the signature of the request is wrong");
  }
  Names names;
  names.subject = text_of(X509_REQ_get_subject_name(request));
  STACK_OF(X509_EXTENSION)* extensions = X509_REQ_get_extensions(request);
  const GeneralNames found(static_cast<GENERAL_NAMES*>(
      X509V3_get_d2i(extensions, NID_subject_alt_name, nullptr, nullptr)));
  sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
  ERR_clear_error();
  sort_names(found.get(), names);
  return names;
}

Facts facts_of(X509* certificate) {
  Facts facts;
  facts.subject = text_of(X509_get_subject_name(certificate));
  facts.issuer = text_of(X509_get_issuer_name(certificate));
  const Number number(ASN1_INTEGER_to_BN(X509_get0_serialNumber(certificate), nullptr));
  char* hex = number ? BN_bn2hex(number.get()) : nullptr;
  facts.serial = hex == nullptr ? "" : hex;
  OPENSSL_free(hex);
  Names names;
  const GeneralNames found(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  sort_names(found.get(), names);
  for (const std::string& domain : names.domains) facts.names.push_back("dns " + domain);
  for (const std::string& address : names.addresses) facts.names.push_back("address " + address);
  for (const std::string& mail : names.mails) facts.names.push_back("mail " + mail);
  facts.not_before = to_time(X509_get0_notBefore(certificate));
  facts.not_after = to_time(X509_get0_notAfter(certificate));
  facts.authority = X509_check_ca(certificate) == 1;
  EVP_PKEY* key = X509_get0_pubkey(certificate);
  if (key != nullptr) {
    const bool rsa = EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA;
    facts.key = fmt::format("{} {}", rsa ? "RSA" : "EC", EVP_PKEY_get_bits(key));
  }
  ERR_clear_error();
  return facts;
}

bool belong_together(X509* certificate, EVP_PKEY* key) {
  const bool right = X509_check_private_key(certificate, key) == 1;
  ERR_clear_error();
  return right;
}

bool is_issued_by(X509* certificate, X509* authority) {
  const bool right = X509_check_issued(authority, certificate) == X509_V_OK &&
                     X509_verify(certificate, X509_get0_pubkey(authority)) == 1;
  ERR_clear_error();
  return right;
}

}  // namespace masugata::ipsec::pki
