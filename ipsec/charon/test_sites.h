// SPDX-License-Identifier: GPL-2.0-or-later
// Sites and a key store for tests.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "config/load.h"
#include "ipsec/charon/connections.h"

namespace masugata::ipsec {

class TestKeyStore : public KeyStore {
 public:
  [[nodiscard]] Result<std::string> certificate(const std::string& name) const override {
    if (name == "lost") return failure(name, "no such certificate");
    return "certificate " + name;
  }
  [[nodiscard]] Result<config::SecretBytes> private_key(const std::string& name) const override {
    return config::SecretBytes("key " + name);
  }
  [[nodiscard]] Result<std::string> authority(const std::string& name) const override {
    if (name == "lost") return failure(name, "no such CA");
    return "authority " + name;
  }
  [[nodiscard]] std::vector<std::string> revocation_lists(const std::string& name) const override {
    if (name != "own") return {};
    return {"list of own"};
  }
};

inline config::Model model_of_sites(const std::string& sites) {
  config::Loaded loaded = config::load_text(
      "interfaces { interface wan0 { device 0000:01:00.0; address 203.0.113.2/24; } }\n"
      "zones { zone wan { interface wan0; } zone branches { } }\n"
      "vpn {" +
          sites + "}",
      "test");
  for (const config::Problem& problem : loaded.problems) {
    if (problem.severity == config::Problem::Severity::Error) {
      ADD_FAILURE() << config::format_problem(problem, "test");
    }
  }
  return loaded.model ? std::move(*loaded.model) : config::Model();
}

inline std::string five_sites() {
  std::string text;
  for (const char* name : {"osaka", "nagoya", "kobe", "sendai", "naha"}) {
    text += std::string("site ") + name + " { peer " + name +
            ".example.com; local-interface wan0; zone branches;"
            " authentication { psk \"correct horse battery staple\"; } }\n";
  }
  return text;
}

}  // namespace masugata::ipsec
