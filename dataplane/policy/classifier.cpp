// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/policy/classifier.h"

#include <algorithm>
#include <bit>

namespace masugata::dataplane {

namespace {

uint64_t mac_number(const net::MacAddress& address) noexcept {
  uint64_t number = 0;
  for (const uint8_t byte : address.bytes) number = number << 8U | byte;
  return number;
}

// The value of the service dimension besides the protocol; classifier_compile.cpp uses the same.
uint16_t service_value(const PacketFacts& facts) noexcept {
  switch (facts.key.protocol) {
    case net::Protocol::Icmp:
    case net::Protocol::Icmpv6:
      return static_cast<uint16_t>(facts.icmp_type << 8U | facts.icmp_code);
    case net::Protocol::Tcp:
    case net::Protocol::Udp:
    case net::Protocol::Sctp:
      return facts.key.destination_port.host();
    default:
      return 0;
  }
}

uint16_t source_port_value(const PacketFacts& facts) noexcept {
  switch (facts.key.protocol) {
    case net::Protocol::Tcp:
    case net::Protocol::Udp:
    case net::Protocol::Sctp:
      return facts.key.source_port.host();
    default:
      return 0;
  }
}

}  // namespace

bool Classifier::verify(uint32_t rule, const PacketFacts& facts) const noexcept {
  const auto list = std::lower_bound(
      alternative_lists_.begin(), alternative_lists_.end(), rule,
      [](const AlternativeList& left, uint32_t right) { return left.rule < right; });
  const uint16_t value = service_value(facts);
  const uint16_t source_port = source_port_value(facts);
  for (uint32_t index = list->first; index < list->first + list->count; ++index) {
    const Alternative& option = alternatives_[index];
    if (option.protocol == facts.key.protocol && option.first_value <= value &&
        value <= option.last_value && option.first_source_port <= source_port &&
        source_port <= option.last_source_port) {
      return true;
    }
  }
  return false;
}

Classifier::SetOffset Classifier::find_set(size_t dimension,
                                           const PacketFacts& facts) const noexcept {
  const net::FlowKey& key = facts.key;
  const auto protocol = static_cast<uint32_t>(key.protocol) << 16U;
  switch (dimension) {
    case kSource:
      return key.source.is_v4() ? source_v4_.at(key.source.v4().host())
                                : source_v6_.at(number_of(key.source));
    case kDestination:
      return key.destination.is_v4() ? destination_v4_.at(key.destination.v4().host())
                                     : destination_v6_.at(number_of(key.destination));
    case kService:
      return service_.at(protocol | service_value(facts));
    case kSourcePort:
      return source_port_.at(protocol | source_port_value(facts));
    default:
      return source_mac_.at(mac_number(facts.source_mac));
  }
}

uint32_t Classifier::first_match(const PacketFacts& facts, const LiveMask& mask,
                                 const RuleFilter* filter) const noexcept {
  if (words_ == 0) return kNoRule;
  SetOffset offsets[kDimensions];
  for (size_t used = 0; used < used_count_; ++used) {
    offsets[used] = find_set(used_dimensions_[used], facts);
  }
  return walk(offsets, facts, mask, filter);
}

uint32_t Classifier::walk(const SetOffset (&offsets)[kDimensions], const PacketFacts& facts,
                          const LiveMask& mask, const RuleFilter* filter) const noexcept {
  const uint64_t* summaries[kDimensions];
  const uint64_t* open[kDimensions];
  const uint64_t* data[kDimensions];  // the next summary word's first set word
  for (size_t used = 0; used < used_count_; ++used) {
    summaries[used] = sets_.data() + offsets[used];
    open[used] = open_words_[used_dimensions_[used]].data();
    data[used] = summaries[used] + summary_words_;
  }
  uint32_t best = kNoRule;
  uint32_t resume = 0;  // words before this one belong to groups that are done with
  for (uint32_t block = 0; block < summary_words_; ++block) {
    const uint32_t words_here = std::min(words_ - block * 64, 64U);
    uint64_t candidates = ~uint64_t{0} >> (64 - words_here);
    for (size_t used = 0; used < used_count_; ++used) {
      candidates &= summaries[used][block] | open[used][block];
    }
    while (candidates != 0) {
      const auto bit = static_cast<uint32_t>(std::countr_zero(candidates));
      candidates &= candidates - 1;
      const uint32_t word = block * 64 + bit;
      if (word < resume) continue;
      if (rule_at_[size_t{word} * 64] > best) {
        resume = group_end_[word];
        continue;
      }
      uint64_t rules = mask.words[word];
      const uint64_t below = (uint64_t{1} << bit) - 1;
      for (size_t used = 0; used < used_count_; ++used) {
        if ((open[used][block] >> bit & 1U) != 0) continue;
        rules &= data[used][std::popcount(summaries[used][block] & below)];
      }
      const uint32_t match = first_of(word, rules, facts, filter);
      if (match == kNoRule) continue;
      best = std::min(best, match);
      resume = group_end_[word];
    }
    for (size_t used = 0; used < used_count_; ++used) {
      data[used] += std::popcount(summaries[used][block]);
    }
  }
  return best;
}

uint32_t Classifier::first_of(uint32_t word, uint64_t rules, const PacketFacts& facts,
                              const RuleFilter* filter) const noexcept {
  while (rules != 0) {
    const auto bit = static_cast<uint32_t>(std::countr_zero(rules));
    const uint32_t rule = rule_at_[size_t{word} * 64 + bit];
    const bool matches = (verify_words_[word] >> bit & 1U) == 0 || verify(rule, facts);
    if (matches && (filter == nullptr || filter->accepts(filter->self, rule))) return rule;
    rules &= rules - 1;
  }
  return kNoRule;
}

LiveMask Classifier::live_mask(const std::vector<bool>& alive) const {
  LiveMask mask;
  mask.words.assign(words_, 0);
  for (size_t position = 0; position < rule_at_.size(); ++position) {
    const uint32_t rule = rule_at_[position];
    if (rule != kNoRule && alive[rule]) mask.words[position / 64] |= uint64_t{1} << position % 64;
  }
  return mask;
}

size_t Classifier::memory_bytes() const noexcept {
  size_t bytes = sizeof *this + sets_.capacity() * sizeof(uint64_t);
  for (const auto& open : open_words_) bytes += open.capacity() * sizeof(uint64_t);
  bytes += (rule_at_.capacity() + group_end_.capacity()) * sizeof(uint32_t);
  bytes += verify_words_.capacity() * sizeof(uint64_t);
  bytes += alternatives_.capacity() * sizeof(Alternative);
  bytes += alternative_lists_.capacity() * sizeof(AlternativeList);
  bytes += source_v4_.memory_bytes() + destination_v4_.memory_bytes();
  bytes += source_v6_.memory_bytes() + destination_v6_.memory_bytes();
  return bytes + service_.memory_bytes() + source_port_.memory_bytes() + source_mac_.memory_bytes();
}

}  // namespace masugata::dataplane
