// SPDX-License-Identifier: GPL-2.0-or-later
// The last look at what goes into a support archive: known secrets are taken out of it, whoever
// wrote them there.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/model.h"
#include "config/secrets/secret_bytes.h"

namespace masugata::cli {

class SecretFilter {
 public:
  // Shorter ones would be found in ordinary words; the configuration warns of them.
  static constexpr size_t kShortestBytes = 8;

  // A secret; in texts it is looked for as it is, in hexadecimal digits and in base64.
  void add(std::string_view secret);
  // The shared secrets of all sites, also those in files as far as they can be read.
  void add_secrets_of(const config::Model& model);

  // Puts "(hidden)" in the place of each. Returns how often.
  size_t hide_in(std::string& text) const;

 private:
  std::vector<config::SecretBytes> forms_;
};

}  // namespace masugata::cli
