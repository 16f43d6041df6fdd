// SPDX-License-Identifier: GPL-2.0-or-later
// A SaConsumer for tests: keeps what it is given in plain containers and obeys charon.
#pragma once

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "ipsec/sa/sa_consumer.h"
#include "ipsec/sa/spi_reservations.h"

namespace masugata::ipsec {

class RecordingConsumer : public SaConsumer {
 public:
  Result<uint32_t> reserve_spi(const net::IpAddress&, const net::IpAddress&) override {
    return reservations.reserve([this](uint32_t spi) {
      return std::any_of(sas.begin(), sas.end(), [spi](const auto& entry) {
        return entry.first.direction == Direction::Inbound && entry.first.spi == spi;
      });
    });
  }
  Status install(SaParameters parameters) override {
    if (!refusal.empty()) return failure("the dataplane", refusal);
    const bool inbound = parameters.direction == Direction::Inbound;
    const SaName name{parameters.spi.host(), parameters.direction,
                      inbound ? parameters.local : parameters.remote};
    if (sas.contains(name)) return failure(to_string(name), "is there already");
    if (inbound) reservations.release(name.spi);
    sas.emplace(name, std::move(parameters));
    return {};
  }
  Result<bool> update(const SaName& name, const SaMove& move) override {
    const auto found = sas.find(name);
    if (found == sas.end()) return false;
    SaParameters moved = found->second.duplicate();
    moved.local = move.local;
    moved.remote = move.remote;
    moved.udp = move.udp;
    if (move.request_id != 0) moved.request_id = move.request_id;
    if (const Status possible = check(moved); !possible) return tl::unexpected(possible.error());
    sas.erase(found);
    const bool inbound = name.direction == Direction::Inbound;
    sas.emplace(SaName{name.spi, name.direction, inbound ? move.local : move.remote},
                std::move(moved));
    return true;
  }
  std::optional<SaUse> query(const SaName& name) override {
    return sas.contains(name) ? std::optional(use) : std::nullopt;
  }
  bool remove(const SaName& name) override {
    if (sas.erase(name) > 0) return true;
    return name.direction == Direction::Inbound && reservations.release(name.spi);
  }
  void flush() override {
    ++flushes;
    sas.clear();
    reservations.clear();
  }
  Status add_policy(const SaPolicy& policy) override {
    policies.push_back(policy);
    return {};
  }
  bool remove_policy(const SaPolicy& policy) override {
    const auto found = std::find(policies.begin(), policies.end(), policy);
    if (found == policies.end()) return false;
    policies.erase(found);
    return true;
  }
  void flush_policies() override { policies.clear(); }
  void alert(const CharonAlert& alert) override { alerts.push_back(alert); }
  void charon_connected(const std::string& daemon) override { connected.push_back(daemon); }
  void charon_gone() override { ++departures; }
  void report(const std::string& sentence) override { reports.push_back(sentence); }

  std::map<SaName, SaParameters> sas;
  SpiReservations reservations;
  std::vector<SaPolicy> policies;
  std::vector<CharonAlert> alerts;
  std::vector<std::string> connected;
  std::vector<std::string> reports;
  SaUse use;            // the answer to query()
  std::string refusal;  // when not empty: why install() refuses
  int flushes = 0;
  int departures = 0;
};

}  // namespace masugata::ipsec
