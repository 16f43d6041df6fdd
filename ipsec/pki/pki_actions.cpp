// SPDX-License-Identifier: GPL-2.0-or-later
#include "ipsec/pki/pki_actions.h"

#include <fmt/format.h>

#include <algorithm>

namespace masugata::ipsec::pki {
namespace {

constexpr Days kAuthorityLife{3650};
constexpr Days kCertificateLife{730};

struct OwnAuthority {
  Certificate certificate;
  Key key;
  [[nodiscard]] Issuer issuer() const { return {certificate.get(), key.get()}; }
};

Result<OwnAuthority> open_authority(const PkiStore& store, const std::string& name) {
  const Result<std::string> bytes = store.read(Shelf::Authorities, name);
  if (!bytes) return tl::unexpected<Fault>(bytes.error());
  if (!store.has(Shelf::AuthorityKeys, name)) {
    return failure(name, "is a CA elsewhere: its key is not here");
  }
  const Result<std::string> secret = store.read(Shelf::AuthorityKeys, name);
  if (!secret) return tl::unexpected<Fault>(secret.error());
  Result<Certificate> certificate = read_certificate(*bytes);
  if (!certificate) return tl::unexpected<Fault>(certificate.error());
  Result<Key> key = read_key(*secret);
  if (!key) return tl::unexpected<Fault>(key.error());
  return OwnAuthority{std::move(*certificate), std::move(*key)};
}

Status check_free(const PkiStore& store, Shelf shelf, const std::string& name) {
  if (Status right = PkiStore::check_name(name); !right) return right;
  if (!store.has(shelf, name)) return {};
  return failure(name, "is there already: take another name, or `masugata pki delete` it");
}

Status keep_issued(const PkiStore& store, const std::string& authority, const std::string& name,
                   X509* certificate) {
  Result<std::vector<Issued>> issued = store.issued_by(authority);
  if (!issued) return tl::unexpected<Fault>(issued.error());
  issued->push_back({facts_of(certificate).serial, name, std::nullopt});
  return store.write_issued(authority, *issued);
}

// The subject unless it is said: the first name.
Names with_subject(Names names, const std::string& name) {
  if (!names.subject.empty()) return names;
  const std::string& first = !names.domains.empty()     ? names.domains.front()
                             : !names.addresses.empty() ? names.addresses.front()
                             : !names.mails.empty()     ? names.mails.front()
                                                        : name;
  names.subject = "CN=" + first;
  return names;
}

// What a peer compares an identity with must stand in the alternative names (RFC 4945).
Names with_alternative_name(Names names, const std::string& name) {
  const bool none = names.domains.empty() && names.addresses.empty() && names.mails.empty();
  if (none && names.subject.empty()) names.domains.push_back(name);
  return with_subject(std::move(names), name);
}

Status issue_for(const PkiStore& store, const std::string& name, const std::string& authority,
                 EVP_PKEY* key, const Wishes& wishes) {
  const Result<OwnAuthority> own = open_authority(store, authority);
  if (!own) return tl::unexpected<Fault>(own.error());
  const Days life = wishes.life.count() == 0 ? kCertificateLife : wishes.life;
  const Result<Certificate> certificate = issue(own->issuer(), key, wishes.names, wishes.now, life);
  if (!certificate) return tl::unexpected<Fault>(certificate.error());
  // Noted before it is given away: what is not noted cannot be revoked by name.
  if (Status kept = keep_issued(store, authority, name, certificate->get()); !kept) return kept;
  return store.write(Shelf::Certificates, name, to_pem(certificate->get()));
}

}  // namespace

Status create_authority(const PkiStore& store, const std::string& name, const Wishes& wishes) {
  if (Status free = check_free(store, Shelf::Authorities, name); !free) return free;
  const Result<Key> key = make_key(wishes.key);
  if (!key) return tl::unexpected<Fault>(key.error());
  const Days life = wishes.life.count() == 0 ? kAuthorityLife : wishes.life;
  const Result<Certificate> certificate =
      make_authority(key->get(), with_subject(wishes.names, name), wishes.now, life);
  if (!certificate) return tl::unexpected<Fault>(certificate.error());
  if (Status kept = store.write(Shelf::AuthorityKeys, name, to_pem(key->get())); !kept) return kept;
  if (Status kept = store.write(Shelf::Authorities, name, to_pem(certificate->get())); !kept)
    return kept;
  return renew_revocation_list(store, name, wishes.now);
}

Status issue_certificate(const PkiStore& store, const std::string& name,
                         const std::string& authority, const Wishes& wishes) {
  if (Status free = check_free(store, Shelf::Certificates, name); !free) return free;
  if (Status free = check_free(store, Shelf::Keys, name); !free) return free;
  const Result<Key> key = make_key(wishes.key);
  if (!key) return tl::unexpected<Fault>(key.error());
  Wishes whole = wishes;
  whole.names = with_alternative_name(wishes.names, name);
  if (Status issued = issue_for(store, name, authority, key->get(), whole); !issued) return issued;
  return store.write(Shelf::Keys, name, to_pem(key->get()));
}

Status sign_request(const PkiStore& store, const std::string& name, const std::string& authority,
                    const std::string& request, const Wishes& wishes) {
  if (Status free = check_free(store, Shelf::Certificates, name); !free) return free;
  const Result<Request> read = read_request(request);
  if (!read) return tl::unexpected<Fault>(read.error());
  const Result<Names> names = names_of_request(read->get());
  if (!names) return tl::unexpected<Fault>(names.error());
  Wishes whole = wishes;
  whole.names = *names;
  return issue_for(store, name, authority, X509_REQ_get0_pubkey(read->get()), whole);
}

Result<std::string> request_certificate(const PkiStore& store, const std::string& name,
                                        const Wishes& wishes) {
  for (const Shelf shelf : {Shelf::Certificates, Shelf::Keys, Shelf::Requests}) {
    if (Status free = check_free(store, shelf, name); !free) {
      return tl::unexpected<Fault>(free.error());
    }
  }
  const Result<Key> key = make_key(wishes.key);
  if (!key) return tl::unexpected<Fault>(key.error());
  const Result<Request> request =
      make_request(key->get(), with_alternative_name(wishes.names, name));
  if (!request) return tl::unexpected<Fault>(request.error());
  const std::string pem = to_pem(request->get());
  for (const auto& [shelf, bytes] :
       {std::pair(Shelf::Keys, to_pem(key->get())), std::pair(Shelf::Requests, pem)}) {
    if (Status kept = store.write(shelf, name, bytes); !kept) {
      return tl::unexpected<Fault>(kept.error());
    }
  }
  return pem;
}

Status import_certificate(const PkiStore& store, const std::string& name,
                          const std::string& bytes) {
  if (Status free = check_free(store, Shelf::Certificates, name); !free) return free;
  const Result<Certificate> certificate = read_certificate(bytes);
  if (!certificate) return tl::unexpected<Fault>(certificate.error());
  if (facts_of(certificate->get()).authority) {
    return failure(name, "is the certificate of a CA: say --ca");
  }
  if (store.has(Shelf::Keys, name)) {
    const Result<std::string> secret = store.read(Shelf::Keys, name);
    if (!secret) return tl::unexpected<Fault>(secret.error());
    const Result<Key> key = read_key(*secret);
    if (!key) return tl::unexpected<Fault>(key.error());
    if (!belong_together(certificate->get(), key->get())) {
      return failure(name, "the certificate is for another key than the one of this request");
    }
  }
  if (Status kept = store.write(Shelf::Certificates, name, to_pem(certificate->get())); !kept) {
    return kept;
  }
  return store.remove(Shelf::Requests, name);
}

Status import_authority(const PkiStore& store, const std::string& name, const std::string& bytes) {
  if (bytes.find("-----BEGIN X509 CRL-----") != std::string::npos) {
    if (!store.has(Shelf::Authorities, name)) return failure(name, "there is no such CA");
    if (store.has(Shelf::AuthorityKeys, name)) return failure(name, "makes its lists itself");
    return store.write(Shelf::RevocationLists, name, bytes);
  }
  if (Status free = check_free(store, Shelf::Authorities, name); !free) return free;
  const Result<Certificate> certificate = read_certificate(bytes);
  if (!certificate) return tl::unexpected<Fault>(certificate.error());
  if (!facts_of(certificate->get()).authority) {
    return failure(name, "is not the certificate of a CA");
  }
  return store.write(Shelf::Authorities, name, to_pem(certificate->get()));
}

Status import_pkcs12(const PkiStore& store, const std::string& name, const std::string& bytes,
                     const std::string& password) {
  if (Status free = check_free(store, Shelf::Certificates, name); !free) return free;
  if (Status free = check_free(store, Shelf::Keys, name); !free) return free;
  const Result<Bundle> bundle = read_pkcs12(bytes, password);
  if (!bundle) return tl::unexpected<Fault>(bundle.error());
  if (!belong_together(bundle->certificate.get(), bundle->key.get())) {
    return failure(name, "certificate and key of the bundle do not belong together");
  }
  if (Status kept = store.write(Shelf::Keys, name, to_pem(bundle->key.get())); !kept) return kept;
  if (Status kept = store.write(Shelf::Certificates, name, to_pem(bundle->certificate.get()));
      !kept)
    return kept;
  size_t number = 0;
  for (const Certificate& authority : bundle->authorities) {
    const std::string called = number++ == 0 ? name : fmt::format("{}-{}", name, number);
    if (!facts_of(authority.get()).authority || store.has(Shelf::Authorities, called)) continue;
    if (Status kept = store.write(Shelf::Authorities, called, to_pem(authority.get())); !kept)
      return kept;
  }
  return {};
}

Result<std::string> export_pkcs12(const PkiStore& store, const std::string& name,
                                  const std::string& password) {
  const Result<std::string> bytes = store.read(Shelf::Certificates, name);
  if (!bytes) return tl::unexpected<Fault>(bytes.error());
  const Result<std::string> secret = store.read(Shelf::Keys, name);
  if (!secret) return tl::unexpected<Fault>(secret.error());
  Result<Certificate> certificate = read_certificate(*bytes);
  if (!certificate) return tl::unexpected<Fault>(certificate.error());
  Result<Key> key = read_key(*secret);
  if (!key) return tl::unexpected<Fault>(key.error());
  Bundle bundle{std::move(*key), std::move(*certificate), {}};
  for (const std::string& authority : store.names(Shelf::Authorities)) {
    const Result<std::string> pem = store.read(Shelf::Authorities, authority);
    Result<Certificate> read = pem ? read_certificate(*pem) : failure(authority, "is gone");
    if (read && is_issued_by(bundle.certificate.get(), read->get())) {
      bundle.authorities.push_back(std::move(*read));
    }
  }
  return to_pkcs12(bundle, name, password);
}

Status renew_revocation_list(const PkiStore& store, const std::string& authority,
                             std::chrono::sys_seconds now, Days life) {
  const Result<OwnAuthority> own = open_authority(store, authority);
  if (!own) return tl::unexpected<Fault>(own.error());
  const Result<std::vector<Issued>> issued = store.issued_by(authority);
  if (!issued) return tl::unexpected<Fault>(issued.error());
  std::vector<Revoked> revoked;
  for (const Issued& one : *issued) {
    if (one.revoked) revoked.push_back({one.serial, *one.revoked});
  }
  // Seconds since 1970 only ever grow, and need no file.
  const auto number = static_cast<uint64_t>(now.time_since_epoch().count());
  const Result<std::string> list = make_revocation_list(own->issuer(), revoked, number, now, life);
  if (!list) return tl::unexpected<Fault>(list.error());
  return store.write(Shelf::RevocationLists, authority, *list);
}

Status revoke(const PkiStore& store, const std::string& authority, const std::string& which,
              std::chrono::sys_seconds now) {
  Result<std::vector<Issued>> issued = store.issued_by(authority);
  if (!issued) return tl::unexpected<Fault>(issued.error());
  bool found = false;
  bool done = false;
  for (Issued& one : *issued) {
    if (one.serial != which && one.name != which) continue;
    found = true;
    if (one.revoked) continue;
    one.revoked = now;
    done = true;
  }
  if (!found) return failure(which, fmt::format("was not issued by {}", authority));
  if (!done) return failure(which, "is revoked already");
  if (Status kept = store.write_issued(authority, *issued); !kept) return kept;
  return renew_revocation_list(store, authority, now);
}

Status remove_name(const PkiStore& store, const std::string& name) {
  if (Status right = PkiStore::check_name(name); !right) return right;
  bool found = false;
  for (const Shelf shelf : {Shelf::Certificates, Shelf::Keys, Shelf::Requests}) {
    found = found || store.has(shelf, name);
    if (Status gone = store.remove(shelf, name); !gone) return gone;
  }
  if (found) return {};
  if (store.has(Shelf::AuthorityKeys, name)) {
    return failure(name, "is an own CA: without its key nothing it issued can be revoked");
  }
  if (!store.has(Shelf::Authorities, name)) return failure(name, "is not there");
  if (Status gone = store.remove(Shelf::RevocationLists, name); !gone) return gone;
  return store.remove(Shelf::Authorities, name);
}

std::vector<Listed> list_store(const PkiStore& store) {
  std::vector<Listed> all;
  std::vector<std::string> revoked;
  const auto add = [&](Shelf shelf, Shelf key, const char* own, const char* others) {
    for (const std::string& name : store.names(shelf)) {
      const Result<std::string> bytes = store.read(shelf, name);
      const Result<Certificate> certificate =
          bytes ? read_certificate(*bytes) : failure(name, "is gone");
      if (!certificate) continue;
      all.push_back(
          {name, store.has(key, name) ? own : others, facts_of(certificate->get()), false});
    }
  };
  add(Shelf::Authorities, Shelf::AuthorityKeys, "own CA", "CA");
  for (const Listed& authority : all) {
    const Result<std::vector<Issued>> issued = store.issued_by(authority.name);
    if (!issued) continue;
    for (const Issued& one : *issued) {
      if (one.revoked) revoked.push_back(authority.facts.subject + one.serial);
    }
  }
  add(Shelf::Certificates, Shelf::Keys, "own certificate", "certificate");
  for (Listed& one : all) {
    one.revoked = std::find(revoked.begin(), revoked.end(), one.facts.issuer + one.facts.serial) !=
                  revoked.end();
  }
  return all;
}

}  // namespace masugata::ipsec::pki
