// SPDX-License-Identifier: GPL-2.0-or-later
#include "ipsec/charon/connections.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace masugata::ipsec {
namespace {

constexpr size_t kMaximumSecretFileBytes = 512;

using config::VpnAuthentication;
using config::VpnExchange;
using config::VpnRole;
using config::VpnSite;
using config::VpnStart;

// Without ESN a sequence number has 32 bits (RFC 4303 section 2.2): rekeyed long before the last.
constexpr uint64_t kRekeyPacketsWithoutEsn = 3'000'000'000;

std::string seconds(uint64_t value) { return fmt::format("{}s", value); }
const char* yes_or_no(bool value) { return value ? "yes" : "no"; }
bool begins(const VpnSite& site) { return site.role != VpnRole::Respond; }

std::string local_identity(const VpnSite& site) {
  if (!site.identities.local.empty()) return site.identities.local;
  const bool own_address =
      site.authentication != VpnAuthentication::Certificate && site.local_address;
  return own_address ? site.local_address->to_string() : std::string();
}

std::string remote_identity(const VpnSite& site) {
  if (!site.identities.remote.empty()) return site.identities.remote;
  return site.peer_is_any() ? std::string() : site.peer;
}

ViciSection::List esp_proposals(const VpnExchange& exchange) {
  // IKE version 1 takes one group per proposal, and has no choice of ESN within one.
  const bool first_version = exchange.ike_version == 1;
  std::string esn;
  if (exchange.esn != config::VpnEsn::Off && !first_version) esn += "-esn";
  if (exchange.esn != config::VpnEsn::On && !first_version) esn += "-noesn";
  ViciSection::List proposals;
  for (const std::string& cipher : exchange.esp_proposals) {
    std::string groups;
    for (const std::string& group : exchange.pfs_groups) {
      if (first_version) proposals.push_back(cipher + "-" + group);
      groups += "-" + group;
    }
    if (!first_version || exchange.pfs_groups.empty()) proposals.push_back(cipher + groups + esn);
  }
  return proposals;
}

ViciSection::List selectors(const std::vector<net::AddressRange>& networks) {
  if (networks.empty()) return {"0.0.0.0/0", "::/0"};
  ViciSection::List texts;
  for (const net::AddressRange& network : networks) texts.push_back(network.to_string());
  return texts;
}

const char* copy_dscp(config::VpnCopyDscp copy) {
  switch (copy) {
    case config::VpnCopyDscp::In:
      return "in";
    case config::VpnCopyDscp::Both:
      return "yes";
    case config::VpnCopyDscp::Off:
      return "no";
    case config::VpnCopyDscp::Out:
      break;
  }
  return "out";
}

void fill_child(const VpnSite& site, ViciSection::List local, ViciSection::List remote,
                ViciSection& child) {
  const VpnExchange& exchange = site.exchange;
  const std::string id = std::to_string(site.tunnel_id);
  const bool on_traffic = begins(site) && site.start == VpnStart::OnTraffic;
  child.set_list("local_ts", std::move(local)).set_list("remote_ts", std::move(remote));
  child.set_list("esp_proposals", esp_proposals(exchange));
  child.set("mode", site.transport_mode ? "transport" : "tunnel");
  child.set("if_id_in", id).set("if_id_out", id);
  if (exchange.ike_version != 1) child.set("reqid", id);
  child.set("rekey_time", seconds(exchange.esp_rekey_seconds));
  if (exchange.esp_rekey_bytes != 0) {
    child.set("rekey_bytes", std::to_string(exchange.esp_rekey_bytes));
  }
  if (exchange.esn != config::VpnEsn::On) {
    child.set("rekey_packets", std::to_string(kRekeyPacketsWithoutEsn));
  }
  child.set("replay_window", std::to_string(exchange.replay_window));
  child.set("copy_dscp", copy_dscp(exchange.copy_dscp));
  // Begun by the gateway itself, which tries again whatever the reason was; see charon_control.h.
  // charon would also begin anew what both sides had, and one of them has just ended as the other
  // will do.
  child.set("start_action", on_traffic ? "trap" : "none");
  child.set("dpd_action", on_traffic ? "trap" : "clear");
  child.set("close_action", on_traffic ? "trap" : "none");
}

void fill_children(const VpnSite& site, ViciSection& children) {
  if (site.transport_mode) {
    // charon puts both ends' addresses.
    fill_child(site, {"dynamic"}, {"dynamic"}, children.add_section(site.name));
    return;
  }
  if (site.exchange.ike_version != 1) {
    fill_child(site, selectors(site.local_networks), selectors(site.remote_networks),
               children.add_section(site.name));
    return;
  }
  // Version 1 has one selector on each side.
  const auto first_version = [](const std::vector<net::AddressRange>& networks) {
    return networks.empty() ? ViciSection::List{"0.0.0.0/0"} : selectors(networks);
  };
  size_t number = 0;
  for (const std::string& local : first_version(site.local_networks)) {
    for (const std::string& remote : first_version(site.remote_networks)) {
      ++number;
      fill_child(
          site, {local}, {remote},
          children.add_section(number == 1 ? site.name : fmt::format("{}-{}", site.name, number)));
    }
  }
}

void fill_ends(const VpnSite& site, ViciSection& connection) {
  if (site.local_address) connection.set_list("local_addrs", {site.local_address->to_string()});
  connection.set_list("remote_addrs", {site.peer_is_any() ? "%any" : site.peer});
}

void fill_exchange(const VpnSite& site, ViciSection& connection) {
  const VpnExchange& exchange = site.exchange;
  connection.set("version", std::to_string(exchange.ike_version));
  connection.set_list("proposals", exchange.ike_proposals);
  connection.set("fragmentation", yes_or_no(exchange.ike_fragmentation));
  connection.set("mobike", yes_or_no(exchange.mobike));
  connection.set("encap", yes_or_no(exchange.always_in_udp));
  connection.set("rekey_time", seconds(exchange.ike_rekey_seconds));
  connection.set("dpd_delay", seconds(exchange.dead_peer_interval_seconds));
  if (exchange.ike_version == 1) {
    connection.set("dpd_timeout", seconds(exchange.dead_peer_timeout_seconds));
  }
  connection.set("keyingtries", "1");
  // A peer that was started anew takes the place of what it was. Where either side begins, both
  // may at once, and each would put the other's out: CharonControl::end_duplicates() chooses.
  connection.set("unique", site.role == VpnRole::Both ? "no" : "replace");
}

const char* revocation(config::VpnRevocation choice) {
  switch (choice) {
    case config::VpnRevocation::Strict:
      return "strict";
    case config::VpnRevocation::IfNamed:
      return "ifuri";
    case config::VpnRevocation::Relaxed:
      break;
  }
  return "relaxed";
}

ViciSection certificate_message(const char* type, const char* flag, const std::string& data) {
  return ViciSection().set("type", type).set("flag", flag).set("data", data);
}

Status add_certificates(const VpnSite& site, const KeyStore& store, SitePlan& plan,
                        ViciSection& local, ViciSection& remote) {
  const Result<std::string> own = store.certificate(site.certificate);
  if (!own) return tl::unexpected<Fault>(own.error());
  const Result<config::SecretBytes> key = store.private_key(site.certificate);
  if (!key) return tl::unexpected<Fault>(key.error());
  local.set_list("certs", {*own});
  plan.key = ViciSection().set("type", "any").set_secret("data", *key);
  ViciSection::List authorities;
  for (const std::string& name : site.authorities) {
    const Result<std::string> authority = store.authority(name);
    if (!authority) return tl::unexpected<Fault>(authority.error());
    plan.certificates.push_back(certificate_message("X509", "CA", *authority));
    for (const std::string& list : store.revocation_lists(name)) {
      plan.certificates.push_back(certificate_message("X509_CRL", "NONE", list));
    }
    authorities.push_back(*authority);
  }
  remote.set_list("cacerts", std::move(authorities));
  remote.set("revocation", revocation(site.revocation));
  return {};
}

Status add_secret(const VpnSite& site, SitePlan& plan) {
  config::Secret secret = site.psk;
  if (site.authentication == VpnAuthentication::PskFile) {
    Result<config::Secret> read = read_secret_file(site.psk_file);
    if (!read) return tl::unexpected<Fault>(read.error());
    secret = std::move(*read);
  }
  ViciSection::List owners;
  for (std::string owner : {local_identity(site), remote_identity(site)}) {
    if (!owner.empty()) owners.push_back(std::move(owner));
  }
  plan.shared =
      ViciSection().set("id", site.name).set("type", "IKE").set_secret("data", secret.reveal());
  plan.shared->set_list("owners", std::move(owners));
  return {};
}

Result<SitePlan> plan_site(const VpnSite& site, const KeyStore& store) {
  SitePlan plan;
  plan.site = site.name;
  plan.keep_up = begins(site) && site.start == VpnStart::AtOnce;
  plan.either_begins = site.role == VpnRole::Both;
  ViciSection& connection = plan.connection.add_section(site.name);
  fill_ends(site, connection);
  fill_exchange(site, connection);
  ViciSection local;
  ViciSection remote;
  const bool certificate = site.authentication == VpnAuthentication::Certificate;
  // Also to a peer that does not ask for it: Libreswan does only when it is told our CA.
  if (certificate) connection.set("send_cert", "always");
  local.set("auth", certificate ? "pubkey" : "psk");
  remote.set("auth", certificate ? "pubkey" : "psk");
  if (const std::string id = local_identity(site); !id.empty()) local.set("id", id);
  if (const std::string id = remote_identity(site); !id.empty()) remote.set("id", id);
  const Status credentials =
      certificate ? add_certificates(site, store, plan, local, remote) : add_secret(site, plan);
  if (!credentials) return tl::unexpected<Fault>(credentials.error());
  connection.add_section("local") = std::move(local);
  connection.add_section("remote") = std::move(remote);
  ViciSection& children = connection.add_section("children");
  fill_children(site, children);
  for (const ViciSection::Entry& child : children.entries()) plan.children.push_back(child.name);
  return plan;
}

}  // namespace

ConnectionPlan plan_connections(const config::Model& model, const KeyStore& store) {
  ConnectionPlan plan;
  for (const VpnSite& site : model.vpn.sites) {
    if (!site.enabled) continue;
    Result<SitePlan> planned = plan_site(site, store);
    if (planned) {
      plan.sites.push_back(std::move(*planned));
    } else {
      plan.faults.push_back(
          {fmt::format("line {}, vpn site {}", site.line, site.name), planned.error().message()});
    }
  }
  return plan;
}

Result<config::Secret> read_secret_file(const std::string& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  if (descriptor < 0) return failure(path, std::strerror(errno));
  struct stat about {};
  const bool known = ::fstat(descriptor, &about) == 0 && S_ISREG(about.st_mode);
  const Result<config::SecretBytes> bytes =
      known ? config::read_secret_bytes(descriptor, kMaximumSecretFileBytes)
            : Result<config::SecretBytes>(failure(path, ""));
  ::close(descriptor);
  if (!bytes) return failure(path, "is no file that can be read");
  const std::string_view text = *bytes;
  config::Secret secret(text.substr(0, text.find_first_of("\r\n")));
  if ((about.st_mode & (S_IRWXG | S_IRWXO)) != 0 || about.st_uid != ::geteuid()) {
    return failure(path, "others can read or change the secret: chown root, chmod 0600");
  }
  if (secret.empty()) return failure(path, "its first line is empty");
  if (secret.reveal().size() > 255) return failure(path, "the secret has more than 255 bytes");
  return secret;
}

}  // namespace masugata::ipsec
