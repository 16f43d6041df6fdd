// SPDX-License-Identifier: GPL-2.0-or-later
// What rules and the log want to know of an X.509 certificate (RFC 5280), read without validating
// it: broken and forged ones are of interest too.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace masugata::ids {

inline constexpr size_t kMaximumAlternativeNames = 512;
inline constexpr size_t kMaximumDistinguishedNameBytes = 8192;

struct TlsCertificate {
  // "C=US, ST=Texas, O=Example, CN=www.example", in the order of the certificate, bytes as they
  // are except that UCS-2 becomes UTF-8.
  std::string subject;
  std::string issuer;
  std::string serial;        // "0E:06:ED"
  std::string fingerprint;   // SHA-1 of the whole, "0e:06:ed:..."
  int64_t not_before_s = 0;  // since 1970
  int64_t not_after_s = 0;
  std::vector<std::string> alternative_names;  // DNS names, mail addresses, URIs, IP addresses
  bool too_many_alternative_names = false;
};

enum class CertificateFault : uint8_t {
  None,
  Length,  // ends within the header of an element
  Version,
  Serial,
  Algorithm,
  Name,
  Date,
  Extensions,
  Other,
};

// Fills `certificate` with what could be read before the fault. Allocates within the bounds above.
[[nodiscard]] CertificateFault read_certificate(std::span<const uint8_t> der,
                                                TlsCertificate& certificate) noexcept;

}  // namespace masugata::ids
