// SPDX-License-Identifier: GPL-2.0-or-later
#include "ipsec/charon/charon_control.h"

#include <fmt/format.h>
#include <openssl/sha.h>

#include <algorithm>
#include <cstdlib>
#include <set>

namespace masugata::ipsec {
namespace {

// What was sent is compared by its digest, so that secrets are not kept for it.
std::string digest_of(const SitePlan& site) {
  config::SecretBytes bytes;
  const auto append = [&bytes](const ViciSection& section) {
    if (const Result<config::SecretBytes> encoded = encode_vici(section)) {
      bytes.append(std::to_string(encoded->size()) + ":");
      bytes.append(*encoded);
    }
  };
  append(site.connection);
  if (site.shared) append(*site.shared);
  if (site.key) append(*site.key);
  for (const ViciSection& certificate : site.certificates) append(certificate);
  std::string digest(SHA256_DIGEST_LENGTH, '\0');
  SHA256(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(),
         reinterpret_cast<unsigned char*>(digest.data()));
  return digest;
}

// A Fault of charon's leaves the session open; one of the session closes it.
Fault named(const std::string& site, Fault fault) {
  return {"vpn site " + site, std::move(fault.what)};
}

// Carries packets, or may yet. A refused child leaves an IKE SA without any behind.
bool is_under_way(const ViciSection& ike) {
  const ViciSection* children = ike.section("child-sas");
  return ike.value("state") == "CONNECTING" || (children != nullptr && !children->empty());
}

// With IKE version 1 each child is asked for, the others come as one.
std::vector<std::string> missing_children(const std::vector<std::string>& wanted,
                                          const std::vector<const ViciSection*>& ikes) {
  if (ikes.empty()) return wanted;
  if (wanted.size() < 2) return {};
  std::set<std::string, std::less<>> there;
  for (const ViciSection* ike : ikes) {
    if (ike->value("state") == "CONNECTING") return {};
    const ViciSection* children = ike->section("child-sas");
    if (children == nullptr) continue;
    for (const ViciSection::Entry& entry : children->entries()) {
      const auto* child = std::get_if<ViciSection>(&entry.content);
      if (child != nullptr) there.emplace(child->value("name"));
    }
  }
  std::vector<std::string> missing;
  for (const std::string& child : wanted) {
    if (!there.contains(child)) missing.push_back(child);
  }
  return missing;
}

Status initiate_children(ViciSession& session, const std::string& site,
                         const std::vector<std::string>& children) {
  Status first;
  for (const std::string& child : children) {
    ViciSection which;
    which.set("child", child).set("ike", site).set("timeout", "-1").set("init-limits", "no");
    Status done = session.command("initiate", which);
    if (!session.is_open()) return done;
    if (first && !done) first = std::move(done);
  }
  return first;
}

// See CharonControl::end_duplicates(). Not empty.
const ViciSection* one_that_stays(const std::vector<const ViciSection*>& twins) {
  const auto same_moment = static_cast<uint64_t>(CharonControl::kSameMoment.count());
  const ViciSection* newest = *std::min_element(
      twins.begin(), twins.end(), [](const ViciSection* left, const ViciSection* right) {
        return left->number("established") < right->number("established");
      });
  const ViciSection* stays = newest;
  for (const ViciSection* twin : twins) {
    if (twin->number("established") > newest->number("established") + same_moment) continue;
    // Of equal length, in hexadecimal digits.
    if (twin->value("initiator-spi") < stays->value("initiator-spi")) stays = twin;
  }
  return stays;
}

Result<std::vector<std::string>> connections_of(ViciSession& session) {
  const Result<ViciSection> answer = session.request("get-conns", {});
  if (!answer) return tl::unexpected<Fault>(answer.error());
  const ViciSection::List* names = answer->list("conns");
  return names == nullptr ? std::vector<std::string>() : *names;
}

Result<std::vector<std::string>> ike_ids_of(ViciSession& session, const std::string& site) {
  const auto sas = session.stream("list-sas", "list-sa", ViciSection().set("ike", site));
  if (!sas) return tl::unexpected<Fault>(sas.error());
  std::vector<std::string> ids;
  for (const ViciSection& sa : *sas) {
    if (const ViciSection* ike = sa.section(site)) ids.emplace_back(ike->value("uniqueid"));
  }
  return ids;
}

}  // namespace

Status CharonControl::load_credentials(ViciSession& session, const SitePlan& site,
                                       Loaded& loaded) const {
  // Peers' certificates of before are remembered, and would be looked at, and complained of, beside
  // what the peer shows now. charon has them all again where they are right.
  if (!site.certificates.empty()) {
    const ViciSection all = ViciSection().set("type", "X509");
    if (Status done = session.command("flush-certs", all); !done) return done;
  }
  for (const ViciSection& certificate : site.certificates) {
    if (Status done = session.command("load-cert", certificate); !done) return done;
  }
  if (site.key) {
    const Result<ViciSection> answer = session.request("load-key", *site.key);
    if (!answer) return tl::unexpected<Fault>(answer.error());
    if (answer->value("success") != "yes") {
      return failure("charon",
                     fmt::format("the private key is not taken: {}", answer->value("errmsg")));
    }
    loaded.key_id = answer->value("id");
  }
  return site.shared ? session.command("load-shared", *site.shared) : Status();
}

Status CharonControl::load(ViciSession& session, const SitePlan& site, std::string digest) {
  const Result<std::vector<std::string>> before = ike_ids_of(session, site.site);
  if (!before) return tl::unexpected<Fault>(before.error());
  // The connection first: a refused one must leave the secret of the old one in its place.
  if (Status done = session.command("load-conn", site.connection); !done) return done;
  Loaded next;
  next.digest = std::move(digest);
  next.keep_up = site.keep_up;
  next.either_begins = site.either_begins;
  next.children = site.children;
  if (Status done = load_credentials(session, site, next); !done) return done;
  // SAs keep what they were negotiated with: those from before end, so that the next ones are as
  // configured now. What this gateway did not load itself is not known to differ.
  const bool known = loaded_.contains(site.site);
  loaded_[site.site] = std::move(next);
  if (!known) return {};
  for (const std::string& id : *before) {
    ViciSection which;
    which.set("ike-id", id).set("timeout", "-1");
    // It may have ended by itself meanwhile.
    if (Status ended = session.command("terminate", which); !ended && !session.is_open()) {
      return ended;
    }
  }
  return {};
}

Status CharonControl::unload(ViciSession& session, const std::string& name) {
  Status done = session.command("unload-conn", ViciSection().set("name", name));
  if (!done && !session.is_open()) return done;
  if (done) done = terminate_site(session, name);
  if (!done && !session.is_open()) return done;
  const auto known = loaded_.find(name);
  if (known != loaded_.end() && !known->second.key_id.empty()) {
    const std::string& id = known->second.key_id;
    const bool shared = std::any_of(loaded_.begin(), loaded_.end(), [&](const auto& other) {
      return other.first != name && other.second.key_id == id;
    });
    if (!shared) done = session.command("unload-key", ViciSection().set("id", id));
  }
  if (!done && !session.is_open()) return done;
  done = session.command("unload-shared", ViciSection().set("id", name));
  loaded_.erase(name);
  held_.erase(name);
  return session.is_open() ? Status() : done;
}

Status CharonControl::remove_others(ViciSession& session, const ConnectionPlan& plan,
                                    CommitReport& report) {
  std::set<std::string> wanted;
  for (const SitePlan& site : plan.sites) wanted.insert(site.site);
  // A site that is incomplete now keeps what it had.
  for (const Fault& fault : plan.faults) {
    wanted.insert(fault.where.substr(fault.where.rfind(' ') + 1));
  }
  const Result<std::vector<std::string>> present = connections_of(session);
  if (!present) return tl::unexpected<Fault>(present.error());
  for (const std::string& name : *present) {
    if (wanted.contains(name)) continue;
    if (Status done = unload(session, name); !done) return done;
    report.removed.push_back(name);
  }
  return {};
}

Result<CommitReport> CharonControl::commit(ViciSession& session, const ConnectionPlan& plan) {
  CommitReport report;
  report.faults = plan.faults;
  if (Status done = remove_others(session, plan, report); !done) {
    forget();
    return tl::unexpected<Fault>(done.error());
  }
  for (const SitePlan& site : plan.sites) {
    std::string digest = digest_of(site);
    if (const auto held = held_.find(site.site); held != held_.end() && held->second != digest) {
      held_.erase(held);
    }
    const auto known = loaded_.find(site.site);
    if (known != loaded_.end() && known->second.digest == digest) {
      known->second.keep_up = site.keep_up;
      known->second.either_begins = site.either_begins;
      report.unchanged.push_back(site.site);
      continue;
    }
    if (Status done = load(session, site, std::move(digest)); done) {
      report.loaded.push_back(site.site);
    } else if (session.is_open()) {
      report.faults.push_back(named(site.site, done.error()));
    } else {
      forget();
      return tl::unexpected<Fault>(named(site.site, done.error()));
    }
  }
  return report;
}

Result<std::vector<std::string>> CharonControl::keep_up(ViciSession& session,
                                                        std::chrono::steady_clock::time_point now) {
  const auto sas = session.stream("list-sas", "list-sa", {});
  if (!sas) return tl::unexpected<Fault>(sas.error());
  return keep_up(session, *sas, now);
}

Result<std::vector<std::string>> CharonControl::keep_up(ViciSession& session,
                                                        const std::vector<ViciSection>& sas,
                                                        std::chrono::steady_clock::time_point now) {
  std::map<std::string, std::vector<const ViciSection*>> present;
  for (const ViciSection& sa : sas) {
    for (const ViciSection::Entry& entry : sa.entries()) {
      const auto* ike = std::get_if<ViciSection>(&entry.content);
      if (ike != nullptr && is_under_way(*ike)) present[entry.name].push_back(ike);
    }
  }
  std::vector<std::string> begun;
  for (auto& [name, loaded] : loaded_) {
    const bool waited = loaded.tried == std::chrono::steady_clock::time_point() ||
                        now - loaded.tried >= kRetryInterval;
    if (!loaded.keep_up || held_.contains(name) || !waited) continue;
    const std::vector<std::string> missing = missing_children(loaded.children, present[name]);
    if (missing.empty()) continue;
    loaded.tried = now;
    const Status done = initiate_children(session, name, missing);
    if (!done && !session.is_open()) return tl::unexpected<Fault>(done.error());
    begun.push_back(name);
  }
  return begun;
}

std::vector<std::string> CharonControl::children_of(const std::string& site) const {
  const auto known = loaded_.find(site);
  return known == loaded_.end() ? std::vector{site} : known->second.children;
}

Status CharonControl::initiate(ViciSession& session, const std::string& site) const {
  return initiate_children(session, site, children_of(site));
}

Status CharonControl::rekey(ViciSession& session, const std::string& site, bool ike) const {
  if (ike) return session.command("rekey", ViciSection().set("ike", site));
  Status first;
  for (const std::string& child : children_of(site)) {
    Status done = session.command("rekey", ViciSection().set("child", child));
    if (!session.is_open()) return done;
    if (first && !done) first = std::move(done);
  }
  return first;
}

void CharonControl::hold(const std::string& site, bool held,
                         std::chrono::steady_clock::time_point now) {
  const auto known = loaded_.find(site);
  if (!held) {
    held_.erase(site);
    if (known != loaded_.end()) known->second.tried = now;
  } else if (known != loaded_.end()) {
    held_[site] = known->second.digest;
    // What comes after is another beginning.
    known->second.settled = {};
  }
}

std::vector<std::string> CharonControl::held() const {
  std::vector<std::string> names;
  for (const auto& [name, digest] : held_) names.push_back(name);
  return names;
}

std::vector<uint64_t> CharonControl::ending() const {
  std::vector<uint64_t> ids;
  for (const auto& [id, since] : ending_) ids.push_back(std::strtoull(id.c_str(), nullptr, 10));
  return ids;
}

Status CharonControl::force_ends(ViciSession& session, const std::vector<ViciSection>& sas,
                                 std::chrono::steady_clock::time_point now) {
  if (ending_.empty()) return {};
  std::set<std::string, std::less<>> there;
  for (const ViciSection& sa : sas) {
    for (const ViciSection::Entry& entry : sa.entries()) {
      const auto* ike = std::get_if<ViciSection>(&entry.content);
      if (ike != nullptr) there.emplace(ike->value("uniqueid"));
    }
  }
  std::erase_if(ending_, [&there](const auto& each) { return !there.contains(each.first); });
  for (auto each = ending_.begin(); each != ending_.end();) {
    if (now - each->second < kEndInterval) {
      ++each;
      continue;
    }
    ViciSection which;
    which.set("ike-id", each->first).set("force", "yes").set("timeout", "-1");
    each = ending_.erase(each);
    const Status done = session.command("terminate", which);
    if (!done && !session.is_open()) return done;
  }
  return {};
}

Status CharonControl::end_duplicates(ViciSession& session, const std::vector<ViciSection>& sas,
                                     std::chrono::steady_clock::time_point now) {
  if (Status forced = force_ends(session, sas, now); !forced) return forced;
  std::map<std::string, std::vector<const ViciSection*>> by_site;
  for (const ViciSection& sa : sas) {
    for (const ViciSection::Entry& entry : sa.entries()) {
      const auto* ike = std::get_if<ViciSection>(&entry.content);
      if (ike == nullptr || ike->value("state") != "ESTABLISHED") continue;
      const auto known = loaded_.find(entry.name);
      if (known != loaded_.end() && known->second.either_begins) by_site[entry.name].push_back(ike);
    }
  }
  for (auto& [name, twins] : by_site) {
    Loaded& loaded = loaded_.at(name);
    const bool waited = loaded.settled == std::chrono::steady_clock::time_point() ||
                        now - loaded.settled >= kSettleInterval;
    if (twins.size() < 2 || !waited) continue;
    loaded.settled = now;
    const ViciSection* stays = one_that_stays(twins);
    for (const ViciSection* twin : twins) {
      if (twin == stays) continue;
      ending_.emplace(twin->value("uniqueid"), now);
      ViciSection which;
      which.set("ike-id", twin->value("uniqueid")).set("timeout", "-1");
      if (Status done = session.command("terminate", which); !done && !session.is_open()) {
        return done;
      }
    }
  }
  return {};
}

Result<CharonVersion> charon_version(ViciSession& session) {
  const Result<ViciSection> answer = session.request("version", {});
  if (!answer) return tl::unexpected<Fault>(answer.error());
  return CharonVersion{std::string(answer->value("daemon")), std::string(answer->value("version"))};
}

Status terminate_site(ViciSession& session, const std::string& site) {
  return session.command("terminate", ViciSection().set("ike", site).set("timeout", "-1"));
}

}  // namespace masugata::ipsec
