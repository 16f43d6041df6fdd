// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/nat/nat_compile.h"

#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include "dataplane/policy/classifier_compile.h"

namespace masugata::dataplane {

namespace {

constexpr Address128 kMaximumPoolAddresses = Address128{1} << 24U;

using Ranges = std::vector<net::AddressRange>;

bool covers(config::ZoneIndex named, config::ZoneIndex zone) {
  return named == zone || (named == config::kAnyZone && zone != config::kSelfZone);
}

Address128 size_of(const net::AddressRange& range) {
  return number_of(range.last) - number_of(range.first) + 1;
}

std::string where_of(const char* kind, const std::string& name, config::Place place) {
  return "line " + std::to_string(place.line) + ", " + kind + " " + name;
}

Ranges every_address_of(net::Family family) {
  return {net::Prefix::parse(family == net::Family::Ipv4 ? "0.0.0.0/0" : "::/0")->range()};
}

Ranges of_family(const Ranges& ranges, net::Family family) {
  Ranges kept;
  std::copy_if(ranges.begin(), ranges.end(), std::back_inserter(kept),
               [family](const auto& range) { return range.first.family() == family; });
  return kept;
}

}  // namespace

class NatCompiler {
 public:
  explicit NatCompiler(const config::Model& model) : model_(model) {}

  Result<NatTables> run() {
    tables_.zone_count_ = model_.zones.size();
    tables_.rules_.emplace_back();
    Status status = add_pools();
    if (status) status = add_destination_rules();
    if (status) status = add_static_rules();
    if (status) status = add_source_rules();
    if (status) status = build_chains();
    if (!status) return tl::unexpected(status.error());
    return std::move(tables_);
  }

 private:
  NatRuleId add_record(NatRuleKind kind, const std::string& name, config::Place place) {
    tables_.rules_.push_back({kind, name, place});
    return static_cast<NatRuleId>(tables_.rules_.size() - 1);
  }

  void own(const Ranges& ranges) {
    tables_.owned_addresses_.insert(tables_.owned_addresses_.end(), ranges.begin(), ranges.end());
  }

  Status add_pools() {
    for (const config::NatPool& pool : model_.nat_pools) {
      const std::string where = where_of("NAT pool", pool.name, pool.place);
      if (pool.addresses.empty()) return failure(where, "the pool has no addresses");
      CompiledPool compiled{pool.name, pool.addresses, {}, 0, pool.ports};
      Address128 count = 0;
      for (const net::AddressRange& range : pool.addresses) {
        if (range.first.family() != pool.addresses[0].first.family()) {
          return failure(where, "the pool mixes IPv4 and IPv6 addresses");
        }
        compiled.range_starts.push_back(static_cast<uint32_t>(count));
        count += size_of(range);
        if (size_of(range) > kMaximumPoolAddresses || count > kMaximumPoolAddresses) {
          return failure(where, "the pool has more than 16777216 addresses");
        }
      }
      compiled.address_count = static_cast<uint32_t>(count);
      own(pool.addresses);
      tables_.pools_.push_back(std::move(compiled));
    }
    return {};
  }

  Status add_destination_rules() {
    for (const config::DestinationNatRule& rule : model_.destination_nat) {
      const std::string where = where_of("destination NAT rule", rule.name, rule.place);
      NatTables::DestinationRule compiled;
      compiled.id = add_record(NatRuleKind::Destination, rule.name, rule.place);
      compiled.translate = rule.translate;
      if (rule.translate) {
        Status status = map_addresses(rule, where, compiled);
        if (status) status = map_ports(rule, where, compiled);
        if (!status) return status;
        compiled.hairpin = rule.hairpin;
        own(rule.destination);
      }
      tables_.destination_rules_.push_back(std::move(compiled));
      matches_.destination.push_back({rule.source, rule.destination, {}, rule.services});
    }
    return {};
  }

  static Status map_addresses(const config::DestinationNatRule& rule, const std::string& where,
                              NatTables::DestinationRule& compiled) {
    if (rule.destination.empty()) return failure(where, "no destination to translate");
    Address128 count = 0;
    for (const net::AddressRange& range : rule.destination) {
      if (range.first.family() != rule.to_address.first.family()) {
        return failure(where, "the destination and its translation are of different families");
      }
      count += size_of(range);
    }
    const Address128 targets = size_of(rule.to_address);
    if (targets != 1 && targets != count) {
      return failure(where, "translates to neither one address nor as many as it matches");
    }
    compiled.to_first = rule.to_address.first;
    compiled.one_address = targets == 1;
    compiled.matched = rule.destination;
    return {};
  }

  static Status map_ports(const config::DestinationNatRule& rule, const std::string& where,
                          NatTables::DestinationRule& compiled) {
    if (!rule.to_ports) return {};
    const int targets = rule.to_ports->last - rule.to_ports->first;
    compiled.sets_port = true;
    compiled.one_port = targets == 0;
    compiled.to_first_port = rule.to_ports->first;
    compiled.services = rule.services;
    if (rule.services.empty()) {
      return failure(where, "translates ports but matches every protocol: name the service");
    }
    for (const config::ServiceMatch& service : rule.services) {
      if (service.protocol != net::Protocol::Tcp && service.protocol != net::Protocol::Udp) {
        return failure(where, "only TCP and UDP ports can be translated");
      }
      const int matched = service.destination_port.last - service.destination_port.first;
      if (targets != 0 && matched != targets) {
        return failure(where, "translates to neither one port nor as many as it matches");
      }
    }
    return {};
  }

  Status add_static_rules() {
    for (const config::StaticNatRule& rule : model_.static_nat) {
      const std::string where = where_of("static NAT rule", rule.name, rule.place);
      if (rule.internal.first.family() != rule.external.first.family()) {
        return failure(where, "the internal and external addresses are of different families");
      }
      if (size_of(rule.internal) != size_of(rule.external)) {
        return failure(where, "the internal and external ranges differ in size");
      }
      const NatRuleId id = add_record(NatRuleKind::Static, rule.name, rule.place);
      tables_.static_rules_.push_back({id, rule.internal, rule.external});
      tables_.owned_addresses_.push_back(rule.external);
      matches_.static_inbound.push_back({{}, {&rule.external, 1}, {}, {}});
      matches_.static_outbound.push_back({{&rule.internal, 1}, {}, {}, {}});
    }
    return {};
  }

  Status add_source_rules() {
    source_sets_.reserve(model_.source_nat.size());  // spans point into it
    for (const config::SourceNatRule& rule : model_.source_nat) {
      const std::string where = where_of("source NAT rule", rule.name, rule.place);
      NatTables::SourceRule compiled;
      compiled.id = add_record(NatRuleKind::Source, rule.name, rule.place);
      source_sets_.push_back(rule.source);
      Ranges& source = source_sets_.back();
      if (rule.translation == config::SourceTranslation::Interface) {
        compiled.kind = SourceTranslationKind::Interface;
        // A rule that names no addresses is about IPv4: nobody hides IPv6 by accident.
        if (rule.source.empty() && rule.destination.empty()) {
          source = every_address_of(net::Family::Ipv4);
        }
      } else if (rule.translation == config::SourceTranslation::Pool) {
        if (rule.pool >= tables_.pools_.size()) return failure(where, "names an unknown pool");
        compiled.kind = SourceTranslationKind::Pool;
        compiled.pool = rule.pool;
        const net::Family family = tables_.pools_[rule.pool].ranges[0].first.family();
        source = rule.source.empty() ? every_address_of(family) : of_family(rule.source, family);
        if (source.empty()) {
          return failure(where, "no source address is of the pool's family");
        }
      }
      tables_.source_rules_.push_back(compiled);
      matches_.source.push_back({source, rule.destination, {}, rule.services});
    }
    return {};
  }

  // Chains with the same rules are compiled once.
  Result<uint32_t> chain_of(const std::vector<ClassifierRule>& matches,
                            std::vector<uint32_t> rules) {
    const auto key = std::make_pair(matches.data(), rules);
    const auto known = chain_of_rules_.find(key);
    if (known != chain_of_rules_.end()) return known->second;
    std::vector<ClassifierRule> chosen;
    chosen.reserve(rules.size());
    for (const uint32_t rule : rules) chosen.push_back(matches[rule]);
    auto classifier = compile_classifier(chosen);
    if (!classifier) return failure("NAT rules", classifier.error().what);
    NatTables::Chain chain;
    chain.all = classifier->live_mask(std::vector<bool>(rules.size(), true));
    chain.classifier = std::move(*classifier);
    chain.rules = std::move(rules);
    const auto index = static_cast<uint32_t>(tables_.chains_.size());
    tables_.chains_.push_back(std::move(chain));
    chain_of_rules_.emplace(key, index);
    return index;
  }

  template <class Rule, class Applies>
  Status append_chain(std::vector<uint32_t>& chains, const std::vector<ClassifierRule>& matches,
                      const std::vector<Rule>& configured, Applies applies) {
    std::vector<uint32_t> rules;
    for (uint32_t index = 0; index < configured.size(); ++index) {
      if (applies(configured[index])) rules.push_back(index);
    }
    const auto chain = chain_of(matches, std::move(rules));
    if (!chain) return tl::unexpected(chain.error());
    chains.push_back(*chain);
    return {};
  }

  Status build_chains() {
    std::vector<uint32_t> inbound;
    Status status = append_chain(inbound, matches_.static_inbound, model_.static_nat,
                                 [](const config::StaticNatRule&) { return true; });
    if (!status) return status;
    tables_.static_inbound_chain_ = inbound.front();
    for (config::ZoneIndex zone = 0; zone < tables_.zone_count_; ++zone) {
      status =
          append_chain(tables_.destination_chain_, matches_.destination, model_.destination_nat,
                       [zone](const auto& rule) { return covers(rule.from, zone); });
      if (!status) return status;
      status = append_chain(tables_.static_chain_, matches_.static_outbound, model_.static_nat,
                            [zone](const auto& rule) { return covers(rule.external_zone, zone); });
      if (!status) return status;
      for (config::ZoneIndex to = 0; to < tables_.zone_count_; ++to) {
        status = append_chain(tables_.source_chain_, matches_.source, model_.source_nat,
                              [zone, to](const auto& rule) {
                                return covers(rule.from, zone) && covers(rule.to, to);
                              });
        if (!status) return status;
      }
    }
    return {};
  }

  struct Matches {
    std::vector<ClassifierRule> destination, static_inbound, static_outbound, source;
  };

  const config::Model& model_;
  NatTables tables_;
  Matches matches_;
  std::vector<Ranges> source_sets_;
  std::map<std::pair<const ClassifierRule*, std::vector<uint32_t>>, uint32_t> chain_of_rules_;
};

Result<NatTables> compile_nat(const config::Model& model) { return NatCompiler(model).run(); }

}  // namespace masugata::dataplane
