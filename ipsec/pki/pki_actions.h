// SPDX-License-Identifier: GPL-2.0-or-later
// What `masugata pki` does, on a PkiStore. Nothing is overwritten: a name that is taken is a Fault.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "ipsec/pki/pki_store.h"
#include "ipsec/pki/x509.h"

namespace masugata::ipsec::pki {

struct Wishes {
  Names names;
  KeyKind key = KeyKind::Ec256;
  Days life{0};  // 0 = the action's own
  std::chrono::sys_seconds now;
};

// An own CA, with an empty revocation list. Lives 10 years.
[[nodiscard]] Status create_authority(const PkiStore& store, const std::string& name,
                                      const Wishes& wishes);
// A certificate and its key, for this gateway or another. Lives 2 years.
[[nodiscard]] Status issue_certificate(const PkiStore& store, const std::string& name,
                                       const std::string& authority, const Wishes& wishes);
// The same for a key that stays where it was made. The names are those of the request.
[[nodiscard]] Status sign_request(const PkiStore& store, const std::string& name,
                                  const std::string& authority, const std::string& request,
                                  const Wishes& wishes);
// A key and a request for a CA elsewhere; the PEM of the request.
[[nodiscard]] Result<std::string> request_certificate(const PkiStore& store,
                                                      const std::string& name,
                                                      const Wishes& wishes);

// The certificate for a request of ours, or a certificate without a key of ours.
[[nodiscard]] Status import_certificate(const PkiStore& store, const std::string& name,
                                        const std::string& bytes);
// Of another CA: its certificate, or a revocation list of it.
[[nodiscard]] Status import_authority(const PkiStore& store, const std::string& name,
                                      const std::string& bytes);
[[nodiscard]] Status import_pkcs12(const PkiStore& store, const std::string& name,
                                   const std::string& bytes, const std::string& password);
// With the CAs of ours that issued it.
[[nodiscard]] Result<std::string> export_pkcs12(const PkiStore& store, const std::string& name,
                                                const std::string& password);

// By name, or by serial number. The list is made anew.
[[nodiscard]] Status revoke(const PkiStore& store, const std::string& authority,
                            const std::string& which, std::chrono::sys_seconds now);
// Lives 30 days: to be renewed before.
[[nodiscard]] Status renew_revocation_list(const PkiStore& store, const std::string& authority,
                                           std::chrono::sys_seconds now, Days life = Days(30));
// With its key, its request, its list.
[[nodiscard]] Status remove_name(const PkiStore& store, const std::string& name);

// What there is, for people.
struct Listed {
  std::string name;
  const char* kind = "certificate";  // "CA", "own CA", "certificate", "own certificate"
  Facts facts;
  bool revoked = false;
};
[[nodiscard]] std::vector<Listed> list_store(const PkiStore& store);

}  // namespace masugata::ipsec::pki
