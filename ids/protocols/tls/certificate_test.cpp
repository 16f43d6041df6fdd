// SPDX-License-Identifier: GPL-2.0-or-later
#include "ids/protocols/tls/certificate.h"

#include <gtest/gtest.h>

#include "ids/protocols/tls/tls_test_messages.h"

namespace masugata::ids {
namespace {

using namespace tls_test;
using namespace std::string_literals;

TEST(Certificate, ReadsWhatRulesAskFor) {
  TlsCertificate read;
  EXPECT_EQ(read_certificate(bytes_of(certificate({})), read), CertificateFault::None);
  EXPECT_EQ(read.subject, "CN=host.example");
  EXPECT_EQ(read.issuer, "C=US, CN=CA");
  EXPECT_EQ(read.serial, "0E:06:ED");
  EXPECT_EQ(read.fingerprint.size(), 59U);
  EXPECT_EQ(read.not_before_s, 1577836800);
  EXPECT_EQ(read.not_after_s, 2556241445);
  EXPECT_EQ(read.alternative_names, (std::vector<std::string>{"host.example", "www.example"}));
}

TEST(Certificate, KeepsBytesOfNamesAndNamesUnknownAttributes) {
  CertificateParts parts;
  parts.subject = attribute("\x55\x04\x03", 0x0c, "a\0b"s) +
                  attribute("\x55\x04\x0a", 0x1e, "\0\xe9\x65\xe5"s) +
                  attribute("\x2b\x06\x01\x04\x01\x82\x37\x14", 0x13, "x") +
                  attribute("\x2a\x86\x48\x86\xf7\x0d\x01\x09\x01", 0x16, "a@b") +
                  der(0x31, der(0x30, der(0x06, "\x55\x04\x0b") + der(0x13, "one")) +
                                der(0x30, der(0x06, "\x55\x04\x0b") + der(0x13, "two")));
  parts.serial = std::string("\0\xff", 2);
  TlsCertificate read;
  EXPECT_EQ(read_certificate(bytes_of(certificate(parts)), read), CertificateFault::None);
  EXPECT_EQ(read.subject,
            "CN=a\0b, O=é日, 1.3.6.1.4.1.311.20=x, emailAddress=a@b, OU=one + OU=two"s);
  EXPECT_EQ(read.serial, "00:FF");
}

TEST(Certificate, SaysWhichPartIsBroken) {
  TlsCertificate read;
  EXPECT_EQ(read_certificate(bytes_of("\x30\x05\x30\x84\xff\xff\xff"s), read),
            CertificateFault::Length);
  EXPECT_EQ(read_certificate(bytes_of("\x30\x06\x30\x84\xff\xff\xff\xfa"s), read),
            CertificateFault::Other);
  EXPECT_EQ(read_certificate({}, read), CertificateFault::Length);
  CertificateParts date;
  date.not_before = der(0x17, "2013");
  EXPECT_EQ(read_certificate(bytes_of(certificate(date)), read), CertificateFault::Date);
  CertificateParts name;
  name.issuer = der(0x30, "no set");
  EXPECT_EQ(read_certificate(bytes_of(certificate(name)), read), CertificateFault::Name);
  CertificateParts extension;
  extension.alternative_names = "\x82\x7f";
  EXPECT_EQ(read_certificate(bytes_of(certificate(extension)), read), CertificateFault::Extensions);
}

TEST(Certificate, BoundsAlternativeNames) {
  CertificateParts parts;
  parts.alternative_names.clear();
  for (size_t count = 0; count <= kMaximumAlternativeNames; ++count) {
    parts.alternative_names += der(0x82, "x");
  }
  TlsCertificate read;
  EXPECT_EQ(read_certificate(bytes_of(certificate(parts)), read), CertificateFault::None);
  EXPECT_TRUE(read.too_many_alternative_names);
  EXPECT_EQ(read.alternative_names.size(), kMaximumAlternativeNames);
}

TEST(Certificate, SurvivesEveryTruncation) {
  const std::string whole = certificate({});
  for (size_t length = 0; length < whole.size(); ++length) {
    TlsCertificate read;
    EXPECT_NE(read_certificate(bytes_of(whole.substr(0, length)), read), CertificateFault::None);
  }
}

}  // namespace
}  // namespace masugata::ids
