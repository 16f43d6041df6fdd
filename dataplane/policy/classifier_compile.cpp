// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/policy/classifier_compile.h"

#include <algorithm>
#include <map>
#include <string>

#include "dataplane/policy/rule_set_builder.h"

namespace masugata::dataplane {

namespace {

bool has_port_fields(net::Protocol protocol) {
  return protocol == net::Protocol::Tcp || protocol == net::Protocol::Udp ||
         protocol == net::Protocol::Sctp;
}

bool is_icmp(net::Protocol protocol) {
  return protocol == net::Protocol::Icmp || protocol == net::Protocol::Icmpv6;
}

bool limits_source_port(const config::ServiceMatch& service) {
  return has_port_fields(service.protocol) && service.source_port != config::PortRange{};
}

using ValueRanges = std::vector<KeyRange<uint32_t>>;

void append_values(net::Protocol protocol, uint32_t first, uint32_t last, ValueRanges& ranges) {
  const auto base = static_cast<uint32_t>(protocol) << 16U;
  ranges.push_back({base | first, base | last});
}

void append_service(const config::ServiceMatch& service, ValueRanges& ranges) {
  if (has_port_fields(service.protocol)) {
    append_values(service.protocol, service.destination_port.first, service.destination_port.last,
                  ranges);
    return;
  }
  if (!is_icmp(service.protocol) || (!service.icmp_type && !service.icmp_code)) {
    append_values(service.protocol, 0, 0xffff, ranges);
    return;
  }
  const uint32_t first_type = service.icmp_type.value_or(0);
  const uint32_t last_type = service.icmp_type.value_or(0xff);
  const uint32_t first_code = service.icmp_code.value_or(0);
  const uint32_t last_code = service.icmp_code.value_or(0xff);
  for (uint32_t type = first_type; type <= last_type; ++type) {
    append_values(service.protocol, type << 8U | first_code, type << 8U | last_code, ranges);
  }
}

void append_source_ports(const config::ServiceMatch& service, ValueRanges& ranges) {
  const config::PortRange ports =
      has_port_fields(service.protocol) ? service.source_port : config::PortRange{0, 0xffff};
  append_values(service.protocol, ports.first, ports.last, ranges);
}

uint64_t mac_number(const net::MacAddress& address) {
  uint64_t number = 0;
  for (const uint8_t byte : address.bytes) number = number << 8U | byte;
  return number;
}

}  // namespace

class ClassifierCompiler {
 public:
  explicit ClassifierCompiler(std::span<const ClassifierRule> rules) : rules_(rules) {}

  Result<Classifier> run() {
    if (rules_.size() > Classifier::kMaximumRules) {
      return failure("", "more than " + std::to_string(Classifier::kMaximumRules) +
                             " rules apply between two zones");
    }
    place_rules();
    describe_layout();
    RuleSetStore store(result_.words_);
    result_.summary_words_ = store.summary_words();
    build_addresses(store);
    build_services(store);
    build_macs(store);
    if (store.bytes() > Classifier::kMaximumSetBytes) {
      return failure("", "the rules overlap in too many ways: their sets need more than " +
                             std::to_string(Classifier::kMaximumSetBytes >> 20U) + " MiB");
    }
    result_.sets_ = store.take();
    collect_alternatives();
    return std::move(result_);
  }

 private:
  using Dimension = Classifier::Dimension;

  [[nodiscard]] bool is_open(Dimension dimension, uint32_t rule) const {
    const ClassifierRule& match = rules_[rule];
    switch (dimension) {
      case Classifier::kSource:
        return match.source.empty();
      case Classifier::kDestination:
        return match.destination.empty();
      case Classifier::kService:
        return match.services.empty();
      case Classifier::kSourcePort:
        return std::none_of(match.services.begin(), match.services.end(), limits_source_port);
      case Classifier::kSourceMac:
        return match.source_mac.empty();
    }
    return true;
  }

  [[nodiscard]] uint32_t open_mask(uint32_t rule) const {
    uint32_t mask = 0;
    for (size_t dimension = 0; dimension < Classifier::kDimensions; ++dimension) {
      if (is_open(static_cast<Dimension>(dimension), rule)) mask |= 1U << dimension;
    }
    return mask;
  }

  // Rules that leave the same dimensions open stand together, in order, from a word boundary on.
  // The group with the earliest rule comes first.
  void place_rules() {
    std::map<uint32_t, size_t> group_of_mask;
    for (uint32_t rule = 0; rule < rules_.size(); ++rule) {
      const uint32_t mask = open_mask(rule);
      const auto [place, is_new] = group_of_mask.try_emplace(mask, groups_.size());
      if (is_new) groups_.push_back({mask, {}});
      groups_[place->second].rules.push_back(rule);
    }
    position_of_.resize(rules_.size());
    for (const Group& group : groups_) {
      for (const uint32_t rule : group.rules) {
        position_of_[rule] = static_cast<uint32_t>(result_.rule_at_.size());
        result_.rule_at_.push_back(rule);
      }
      result_.rule_at_.resize((result_.rule_at_.size() + 63) / 64 * 64, kNoRule);
      const auto end = static_cast<uint32_t>(result_.rule_at_.size() / 64);
      result_.group_end_.resize(end, end);
    }
    result_.rule_count_ = rules_.size();
    result_.words_ = static_cast<uint32_t>(result_.rule_at_.size() / 64);
  }

  void describe_layout() {
    uint32_t open_in_all = (1U << Classifier::kDimensions) - 1;
    for (const Group& group : groups_) open_in_all &= group.open_mask;
    for (uint8_t dimension = 0; dimension < Classifier::kDimensions; ++dimension) {
      if ((open_in_all >> dimension & 1U) != 0) continue;
      result_.used_dimensions_[result_.used_count_++] = dimension;
    }
    result_.verify_words_.assign(result_.words_, 0);
    for (auto& open : result_.open_words_) open.assign((result_.words_ + 63) / 64, 0);
    for (const Group& group : groups_) {
      const uint32_t first = position_of_[group.rules.front()] / 64;
      for (uint32_t word = first; word < result_.group_end_[first]; ++word) {
        for (size_t dimension = 0; dimension < Classifier::kDimensions; ++dimension) {
          if ((group.open_mask >> dimension & 1U) == 0) continue;
          result_.open_words_[dimension][word / 64] |= uint64_t{1} << word % 64;
        }
      }
    }
  }

  using AddressSpan = std::span<const net::AddressRange>;

  void build_address(AddressSpan ClassifierRule::*field, IntervalMap<uint32_t>& v4,
                     IntervalMap<Address128>& v6, RuleSetStore& store) {
    DimensionBuilder<uint32_t> v4_builder;
    DimensionBuilder<Address128> v6_builder;
    for (uint32_t rule = 0; rule < rules_.size(); ++rule) {
      std::vector<KeyRange<uint32_t>> v4_ranges;
      std::vector<KeyRange<Address128>> v6_ranges;
      for (const net::AddressRange& range : rules_[rule].*field) {
        if (range.first.is_v4()) {
          v4_ranges.push_back({range.first.v4().host(), range.last.v4().host()});
        } else {
          v6_ranges.push_back({number_of(range.first), number_of(range.last)});
        }
      }
      v4_builder.add(position_of_[rule], std::move(v4_ranges));
      v6_builder.add(position_of_[rule], std::move(v6_ranges));
    }
    v4 = v4_builder.build(store, Classifier::kMaximumSetBytes);
    v6 = v6_builder.build(store, Classifier::kMaximumSetBytes);
  }

  void build_addresses(RuleSetStore& store) {
    build_address(&ClassifierRule::source, result_.source_v4_, result_.source_v6_, store);
    build_address(&ClassifierRule::destination, result_.destination_v4_, result_.destination_v6_,
                  store);
  }

  void build_services(RuleSetStore& store) {
    DimensionBuilder<uint32_t> services;
    DimensionBuilder<uint32_t> source_ports;
    for (uint32_t rule = 0; rule < rules_.size(); ++rule) {
      ValueRanges values;
      ValueRanges ports;
      for (const config::ServiceMatch& service : rules_[rule].services) {
        append_service(service, values);
        append_source_ports(service, ports);
      }
      services.add(position_of_[rule], std::move(values));
      if (!is_open(Classifier::kSourcePort, rule))
        source_ports.add(position_of_[rule], std::move(ports));
    }
    result_.service_ = services.build(store, Classifier::kMaximumSetBytes);
    result_.source_port_ = source_ports.build(store, Classifier::kMaximumSetBytes);
  }

  void build_macs(RuleSetStore& store) {
    DimensionBuilder<uint64_t> builder;
    for (uint32_t rule = 0; rule < rules_.size(); ++rule) {
      std::vector<KeyRange<uint64_t>> ranges;
      for (const net::MacAddress& address : rules_[rule].source_mac) {
        ranges.push_back({mac_number(address), mac_number(address)});
      }
      builder.add(position_of_[rule], std::move(ranges));
    }
    result_.source_mac_ = builder.build(store, Classifier::kMaximumSetBytes);
  }

  // With one alternative the two dimensions say all; with several, the source port of one and the
  // service of another would match together.
  void collect_alternatives() {
    for (uint32_t rule = 0; rule < rules_.size(); ++rule) {
      const auto& services = rules_[rule].services;
      if (services.size() < 2 || is_open(Classifier::kSourcePort, rule)) continue;
      const auto first = static_cast<uint32_t>(result_.alternatives_.size());
      for (const config::ServiceMatch& service : services) append_alternatives(service);
      const auto count = static_cast<uint32_t>(result_.alternatives_.size()) - first;
      result_.alternative_lists_.push_back({rule, first, count});
      const uint32_t position = position_of_[rule];
      result_.verify_words_[position / 64] |= uint64_t{1} << position % 64;
    }
  }

  void append_alternatives(const config::ServiceMatch& service) {
    ValueRanges values;
    ValueRanges ports;
    append_service(service, values);
    append_source_ports(service, ports);
    for (const auto& range : values) {
      result_.alternatives_.push_back({service.protocol, static_cast<uint16_t>(ports[0].first),
                                       static_cast<uint16_t>(ports[0].last),
                                       static_cast<uint16_t>(range.first),
                                       static_cast<uint16_t>(range.last)});
    }
  }

  struct Group {
    uint32_t open_mask;
    std::vector<uint32_t> rules;
  };

  std::span<const ClassifierRule> rules_;
  std::vector<Group> groups_;
  std::vector<uint32_t> position_of_;  // rule -> position
  Classifier result_;
};

Result<Classifier> compile_classifier(std::span<const ClassifierRule> rules) {
  return ClassifierCompiler(rules).run();
}

}  // namespace masugata::dataplane
