// SPDX-License-Identifier: GPL-2.0-or-later
// What charon must be told for each site of a configuration: deterministic, from the Model and the
// key store alone. Names in charon: the connection and its child are called as the site; the shared
// secret and the private key too.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "config/model.h"
#include "ipsec/charon/vici_message.h"
#include "result/result.h"

namespace masugata::ipsec {

// Certificates and keys by the names that `masugata pki` gives them. PEM or DER.
class KeyStore {
 public:
  virtual ~KeyStore() = default;
  [[nodiscard]] virtual Result<std::string> certificate(const std::string& name) const = 0;
  [[nodiscard]] virtual Result<config::SecretBytes> private_key(const std::string& name) const = 0;
  [[nodiscard]] virtual Result<std::string> authority(const std::string& name) const = 0;
  // Revocation lists of a CA that are at hand; may be none.
  [[nodiscard]] virtual std::vector<std::string> revocation_lists(
      const std::string& name) const = 0;
};

struct SitePlan {
  std::string site;
  // Of the connection. The first has the site's name; all but IKE version 1 needs one only.
  std::vector<std::string> children;
  bool keep_up = false;                   // this side begins, and at once
  bool either_begins = false;             // so that both may at once
  ViciSection connection;                 // of load-conn
  std::optional<ViciSection> shared;      // of load-shared; holds the secret
  std::optional<ViciSection> key;         // of load-key; holds the private key
  std::vector<ViciSection> certificates;  // of load-cert: CAs and revocation lists
};

struct ConnectionPlan {
  std::vector<SitePlan> sites;  // enabled ones, in the order of the configuration
  // Sites that cannot be loaded as something of theirs is missing: a file, a certificate.
  std::vector<Fault> faults;
};

[[nodiscard]] ConnectionPlan plan_connections(const config::Model& model, const KeyStore& store);

// The first line of a file of root's that nobody else can read or change: a Fault says otherwise.
[[nodiscard]] Result<config::Secret> read_secret_file(const std::string& path);

}  // namespace masugata::ipsec
