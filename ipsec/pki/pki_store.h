// SPDX-License-Identifier: GPL-2.0-or-later
// The gateway's own key store: a folder with CAs, certificates, keys and requests by name. Every
// file is written aside and renamed, so that a reader never sees half of one.
//
//   FOLDER (0700)
//     ca/NAME.pem, ca/NAME.crl.pem    certificate and revocation list of a CA
//     ca/NAME.issued                  what it issued, a line each (own CAs only)
//     certificates/NAME.pem           of hosts
//     requests/NAME.pem               waiting for an external CA
//     keys/NAME.pem, ca-keys/NAME.pem private keys (0600)
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "ipsec/charon/connections.h"
#include "ipsec/pki/x509.h"

namespace masugata::ipsec::pki {

inline constexpr const char* kDefaultFolder = "/var/lib/masugata/pki";

// One line of ca/NAME.issued.
struct Issued {
  std::string serial;
  std::string name;  // under which it was issued
  std::optional<std::chrono::sys_seconds> revoked;
};

enum class Shelf : uint8_t {
  Authorities,
  Certificates,
  Requests,
  Keys,
  AuthorityKeys,
  RevocationLists
};

class PkiStore : public KeyStore {
 public:
  explicit PkiStore(std::filesystem::path folder) : folder_(std::move(folder)) {}

  // Letters, digits, '-', '_' and '.', not first a '.', at most 63: a name is part of a file's.
  [[nodiscard]] static Status check_name(const std::string& name);

  [[nodiscard]] bool has(Shelf shelf, const std::string& name) const;
  [[nodiscard]] Result<std::string> read(Shelf shelf, const std::string& name) const;
  // Makes the folders when they are missing. Keys are 0600, all else 0644.
  [[nodiscard]] Status write(Shelf shelf, const std::string& name, const std::string& bytes) const;
  Status remove(Shelf shelf, const std::string& name) const;
  // Names, sorted.
  [[nodiscard]] std::vector<std::string> names(Shelf shelf) const;

  [[nodiscard]] Result<std::vector<Issued>> issued_by(const std::string& authority) const;
  [[nodiscard]] Status write_issued(const std::string& authority,
                                    const std::vector<Issued>& issued) const;

  // KeyStore.
  [[nodiscard]] Result<std::string> certificate(const std::string& name) const override;
  [[nodiscard]] Result<config::SecretBytes> private_key(const std::string& name) const override;
  [[nodiscard]] Result<std::string> authority(const std::string& name) const override;
  [[nodiscard]] std::vector<std::string> revocation_lists(const std::string& name) const override;

 private:
  [[nodiscard]] std::filesystem::path path_of(Shelf shelf, const std::string& name) const;
  [[nodiscard]] Status write_file(const std::filesystem::path& path, const std::string& bytes,
                                  unsigned mode) const;

  std::filesystem::path folder_;
};

// Fault.where is the path. At most 1 MiB.
[[nodiscard]] Result<std::string> read_file(const std::filesystem::path& path);

}  // namespace masugata::ipsec::pki
