// SPDX-License-Identifier: GPL-2.0-or-later
#include "mgmt-cli/support/secret_filter.h"

#include <openssl/evp.h>

#include "config/secret.h"
#include "ipsec/charon/connections.h"

namespace masugata::cli {
namespace {

config::SecretBytes in_digits(std::string_view secret, const char* digits) {
  config::SecretBytes text;
  for (const char letter : secret) {
    const auto byte = static_cast<uint8_t>(letter);
    text.push_back(digits[byte >> 4U]);
    text.push_back(digits[byte & 15U]);
  }
  return text;
}

// Without what the bytes behind the secret decide.
config::SecretBytes in_base64(std::string_view secret) {
  config::SecretBytes text;
  text.resize(4 * ((secret.size() + 2) / 3) + 1);
  EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                  reinterpret_cast<const unsigned char*>(secret.data()),
                  static_cast<int>(secret.size()));
  text.resize(secret.size() / 3 * 4);
  return text;
}

}  // namespace

void SecretFilter::add(std::string_view secret) {
  if (secret.size() < kShortestBytes) return;
  forms_.emplace_back(secret);
  forms_.push_back(in_digits(secret, "0123456789abcdef"));
  forms_.push_back(in_digits(secret, "0123456789ABCDEF"));
  forms_.push_back(in_base64(secret));
}

void SecretFilter::add_secrets_of(const config::Model& model) {
  for (const config::VpnSite& site : model.vpn.sites) {
    add(site.psk.reveal());
    if (site.psk_file.empty()) continue;
    if (const auto secret = ipsec::read_secret_file(site.psk_file)) add(secret->reveal());
  }
}

size_t SecretFilter::hide_in(std::string& text) const {
  size_t count = 0;
  for (const config::SecretBytes& form : forms_) {
    for (size_t at = text.find(form.view()); at != std::string::npos;
         at = text.find(form.view(), at)) {
      text.replace(at, form.size(), config::kHiddenSecret);
      ++count;
    }
  }
  return count;
}

}  // namespace masugata::cli
