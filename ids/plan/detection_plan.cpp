// SPDX-License-Identifier: GPL-2.0-or-later
#include "ids/plan/detection_plan.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <map>
#include <thread>
#include <tuple>

#include "ids/plan/compiled_rules.h"
#include "ids/plan/fast_pattern.h"
#include "ids/plan/rule_gate.h"
#include "ids/plan/rule_kinds.h"
#include "ids/plan/rule_order.h"

namespace masugata::ids {
namespace {

void report(RuleSet& set, const Rule& rule, const Fault& fault) {
  RuleProblem problem;
  problem.file = rule.file < set.files.size() ? set.files[rule.file] : "";
  problem.line = rule.line;
  problem.sid = rule.sid;
  problem.keyword = fault.where;
  problem.reason = fault.what;
  set.problems.push_back(std::move(problem));
}

// Sorts rules into their lists and groups.
class PlanBuilder {
 public:
  explicit PlanBuilder(DetectionPlan& plan) : plan_(plan) {}

  void place(const CompiledRule& compiled) {
    switch (compiled.kind) {
      case RuleKind::Address:
        place_addresses(compiled);
        break;
      case RuleKind::FlowStart:
        append(plan_.flow_start_rules, compiled);
        break;
      case RuleKind::ProtocolKnown:
        plan_.protocol_known_rules.push_back(compiled.number);
        break;
      case RuleKind::Packet:
      case RuleKind::Stream:
        place_payload(compiled);
        break;
      case RuleKind::Transaction:
        place_transaction(compiled);
        break;
    }
  }

  void build_address_indexes() {
    for (DetectionPlan::AddressRules& rules : plan_.address_rules) {
      rules.by_source.build();
      rules.by_destination.build();
    }
  }

  // Every protocol gets the groups of its buffers, in the order in which they were made.
  void hand_out_groups() {
    for (size_t i = 0; i < plan_.buffer_groups.size(); ++i) {
      BufferGroup& group = *plan_.buffer_groups[i];
      group.index = static_cast<uint16_t>(i);
      for (const ApplicationProtocol protocol : users_[&group]) {
        plan_.transaction_groups[static_cast<size_t>(protocol)][index_of(group.direction)]
            .push_back(&group);
      }
    }
  }

 private:
  static void append(PerTransport<RuleList>& lists, const CompiledRule& compiled) {
    for (size_t transport = 0; transport < kTransportClasses; ++transport) {
      if ((compiled.transports >> transport & 1U) != 0) {
        lists[transport].push_back(compiled.number);
      }
    }
  }

  void place_addresses(const CompiledRule& compiled) {
    const Rule& rule = *compiled.rule;
    const AddressSet& source = plan_.set.address_sets[rule.source];
    const AddressSet& destination = plan_.set.address_sets[rule.destination];
    for (size_t transport = 0; transport < kTransportClasses; ++transport) {
      if ((compiled.transports >> transport & 1U) == 0) {
        continue;
      }
      DetectionPlan::AddressRules& rules = plan_.address_rules[transport];
      if (rule.bidirectional || (source.any && destination.any)) {
        rules.others.push_back(compiled.number);
      } else if (!source.any) {
        rules.by_source.add(source, compiled.number);
      } else {
        rules.by_destination.add(destination, compiled.number);
      }
    }
  }

  void place_payload(const CompiledRule& compiled) {
    const std::optional<FastPattern> pattern = choose_fast_pattern(*compiled.rule);
    const uint8_t directions = directions_of(compiled);
    for (size_t transport = 0; transport < kTransportClasses; ++transport) {
      if ((compiled.transports >> transport & 1U) == 0) {
        continue;
      }
      const bool stream = compiled.kind == RuleKind::Stream &&
                          transport == static_cast<size_t>(TransportClass::Tcp);
      for (size_t direction = 0; direction < 2; ++direction) {
        if ((directions >> direction & 1U) == 0) {
          continue;
        }
        plan_.keeps_stream[direction] = plan_.keeps_stream[direction] || stream;
        if (pattern) {
          // On TCP places are those of the stream or of the packet: both count.
          const bool placed = transport != static_cast<size_t>(TransportClass::Tcp);
          plan_.payload_groups[transport][direction].add(
              pattern->bytes, pattern->caseless, compiled.number,
              placed ? pattern->last_end : PatternGroup::kAnywhere);
        } else if (stream) {
          plan_.stream_lists[direction].push_back(compiled.number);
        } else {
          plan_.packet_lists[transport][direction].push_back(compiled.number);
        }
      }
    }
    if (compiled.rule->protocol == RuleProtocol::PacketHeader) {
      plan_.non_ip_rules.push_back(compiled.number);
    }
  }

  void place_transaction(const CompiledRule& compiled) {
    const std::optional<FastPattern> pattern = choose_fast_pattern(*compiled.rule);
    const std::vector<ApplicationProtocol> protocols = protocols_of(compiled);
    const uint8_t directions = directions_of(compiled);
    const bool payload = std::any_of(
        compiled.buffers.begin(), compiled.buffers.end(),
        [](const CompiledBufferMatches& buffer) { return buffer.buffer == BufferId::Payload; });
    for (size_t i = 0; i < 2; ++i) {
      if ((directions >> i & 1U) == 0) {
        continue;
      }
      plan_.keeps_stream[i] = plan_.keeps_stream[i] || payload;
      if (!pattern) {
        for (const ApplicationProtocol protocol : protocols) {
          plan_.transaction_lists[static_cast<size_t>(protocol)][i].push_back(compiled.number);
        }
        continue;
      }
      const BufferMatches& source = compiled.rule->buffers[pattern->buffer];
      if (source.buffer == BufferId::Payload) {
        place_payload_pattern(compiled, *pattern, protocols, i);
        continue;
      }
      // A transactional rule's pattern is found in the side that its buffer is of.
      const BufferSide side = properties_of(source.buffer).side;
      const Direction direction = static_cast<Direction>(i);
      if (compiled.rule->transactional &&
          ((source.side && *source.side != direction) ||
           (side == BufferSide::ToServer && direction == Direction::ToClient) ||
           (side == BufferSide::ToClient && direction == Direction::ToServer))) {
        continue;
      }
      BufferGroup& group = group_of(compiled, source, direction);
      group.patterns.add(pattern->bytes, pattern->caseless, compiled.number, pattern->last_end);
      for (const ApplicationProtocol protocol : protocols) {
        std::vector<ApplicationProtocol>& users = users_[&group];
        if (std::find(users.begin(), users.end(), protocol) == users.end()) {
          users.push_back(protocol);
        }
      }
    }
  }

  // The pattern is searched for with those of packets and streams. Once it was found, the rule is
  // looked at in every transaction of that direction.
  void place_payload_pattern(const CompiledRule& compiled, const FastPattern& pattern,
                             const std::vector<ApplicationProtocol>& protocols, size_t direction) {
    for (size_t transport = 0; transport < kTransportClasses; ++transport) {
      if ((compiled.transports >> transport & 1U) != 0) {
        plan_.payload_groups[transport][direction].add(pattern.bytes, pattern.caseless,
                                                       compiled.number);
      }
    }
    for (const ApplicationProtocol protocol : protocols) {
      plan_.payload_pattern_rules[static_cast<size_t>(protocol)][direction].push_back(
          compiled.number);
    }
  }

  BufferGroup& group_of(const CompiledRule& compiled, const BufferMatches& source,
                        Direction direction) {
    // The body of a response is its file: one search serves both.
    const bool response_body =
        source.buffer == BufferId::HttpResponseBody && source.transforms.empty();
    const BufferId buffer = response_body ? BufferId::FileData : source.buffer;
    for (const auto& group : plan_.buffer_groups) {
      if (group->buffer == buffer && group->direction == direction &&
          group->source_transforms == source.transforms) {
        return *group;
      }
    }
    auto group = std::make_unique<BufferGroup>();
    group->buffer = buffer;
    group->direction = direction;
    group->source_transforms = source.transforms;
    for (const CompiledBufferMatches& matches : compiled.buffers) {
      if (matches.buffer == source.buffer &&
          matches.transforms.size() == source.transforms.size()) {
        group->transforms = matches.transforms;
      }
    }
    plan_.buffer_groups.push_back(std::move(group));
    return *plan_.buffer_groups.back();
  }

  DetectionPlan& plan_;
  std::map<const BufferGroup*, std::vector<ApplicationProtocol>> users_;
};

bool sees_both_sides(const Rule& rule) {
  bool sides[2] = {};
  for (const BufferMatches& buffer : rule.buffers) {
    const BufferSide side = properties_of(buffer.buffer).side;
    if (side != BufferSide::Both) {
      sides[side == BufferSide::ToServer ? 0 : 1] = true;
    } else if (buffer.side) {
      sides[index_of(*buffer.side)] = true;
    }
  }
  return sides[0] && sides[1];
}

void add_demands(ParserDemands& demands, const Rule& rule) {
  demands.md5 = demands.md5 || rule.needs_md5;
  demands.sha1 = demands.sha1 || rule.needs_sha1;
  demands.sha256 = demands.sha256 || rule.needs_sha256;
  demands.magic = demands.magic || rule.needs_magic;
  demands.ja3 = demands.ja3 || rule.needs_ja3;
  demands.ja4 = demands.ja4 || rule.needs_ja4;
  demands.hassh = demands.hassh || rule.needs_hassh;
}

std::vector<uint32_t> exceptions_of(const Rule& rule, const RuleSet& set) {
  std::vector<uint32_t> result;
  for (uint32_t i = 0; i < set.exceptions.size(); ++i) {
    const auto& sids = set.exceptions[i].sids;
    const bool meant =
        sids.empty() || std::any_of(sids.begin(), sids.end(), [&rule](const auto& range) {
          return range.first <= rule.sid && rule.sid <= range.second;
        });
    if (meant) {
      result.push_back(i);
    }
  }
  return result;
}

void compile_rules(DetectionPlan& plan, const PlanOptions& options) {
  PcreLibrary library;
  const CompileContext context{&library, options.tables.datasets, options.data_folder};
  plan.rules.reserve(plan.set.rules.size());
  std::map<std::pair<uint32_t, uint32_t>, std::vector<const Suppression*>> suppressions;
  for (const Suppression& suppression : plan.set.suppressions) {
    suppressions[{suppression.gid, suppression.sid}].push_back(&suppression);
  }
  for (const size_t index : order_of_judgement(plan.set, options.action_order)) {
    const Rule& rule = plan.set.rules[index];
    Result<std::vector<CompiledBufferMatches>> buffers = compile_rule_matches(rule, context);
    if (!buffers) {
      report(plan.set, rule, buffers.error());
      continue;
    }
    if (rule.transactional && !sees_both_sides(rule)) {
      report(plan.set, rule, {"header", "has '=>' but looks into one direction only"});
      continue;
    }
    CompiledRule compiled;
    compiled.rule = &rule;
    compiled.number = static_cast<RuleNumber>(plan.rules.size());
    compiled.buffers = std::move(*buffers);
    classify(compiled, plan.set);
    sort_conditions(compiled);
    narrow_transports(compiled);
    plan.gates.push_back(gate_of(compiled, plan.set));
    for (const uint32_t sid : {rule.sid, 0U}) {
      const auto found = suppressions.find({rule.gid, sid});
      if (found != suppressions.end()) {
        compiled.suppressions.insert(compiled.suppressions.end(), found->second.begin(),
                                     found->second.end());
      }
    }
    compiled.exceptions = exceptions_of(rule, plan.set);
    add_demands(plan.demands, rule);
    plan.rules.push_back(std::move(compiled));
  }
}

std::vector<PatternGroup*> groups_of(DetectionPlan& plan) {
  std::vector<PatternGroup*> groups;
  for (auto& directions : plan.payload_groups) {
    for (PatternGroup& group : directions) {
      groups.push_back(&group);
    }
  }
  for (const auto& group : plan.buffer_groups) {
    groups.push_back(&group->patterns);
  }
  std::erase_if(groups, [](const PatternGroup* group) { return group->empty(); });
  // The largest first, so that no thread is left alone with it at the end.
  std::stable_sort(groups.begin(), groups.end(),
                   [](const PatternGroup* left, const PatternGroup* right) {
                     return left->literal_count() > right->literal_count();
                   });
  return groups;
}

Status compile_groups(DetectionPlan& plan, const PlanOptions& options) {
  const std::vector<PatternGroup*> groups = groups_of(plan);
  for (const PatternGroup* group : groups) {
    plan.facts.patterns += group->literal_count();
  }
  std::vector<Status> outcomes(groups.size());
  std::atomic<size_t> next{0};
  std::atomic<size_t> compiled_here{0};
  auto work = [&] {
    for (size_t i = next++; i < groups.size(); i = next++) {
      bool from_cache = false;
      outcomes[i] = groups[i]->compile(options.cache_folder, from_cache);
      compiled_here += from_cache ? 0 : 1;
    }
  };
  std::vector<std::thread> threads;
  for (uint32_t i = 1; i < options.compile_threads && i < groups.size(); ++i) {
    threads.emplace_back(work);
  }
  work();
  for (std::thread& thread : threads) {
    thread.join();
  }
  plan.facts.databases = groups.size();
  plan.facts.from_cache = !groups.empty() && compiled_here == 0;
  for (size_t i = 0; i < groups.size(); ++i) {
    if (!outcomes[i]) {
      return outcomes[i];
    }
    plan.facts.bytes += groups[i]->memory_bytes();
  }
  return {};
}

}  // namespace

Result<std::shared_ptr<const DetectionPlan>> compile_plan(RuleSet rules,
                                                          const PlanOptions& options) {
  const auto begin = std::chrono::steady_clock::now();
  auto plan = std::make_shared<DetectionPlan>();
  plan->set = std::move(rules);
  plan->tables = options.tables;
  plan->demands = options.demands;
  compile_rules(*plan, options);
  for (const AddressSet& addresses : plan->set.address_sets) {
    plan->addresses.emplace_back(addresses);
  }
  for (const PortSet& ports : plan->set.port_sets) {
    plan->ports.emplace_back(ports);
  }
  for (const Suppression& suppression : plan->set.suppressions) {
    plan->suppressed_hosts.emplace_back(suppression.addresses);
  }
  for (const RuleException& exception : plan->set.exceptions) {
    plan->exceptions.push_back(
        {AddressMatcher(exception.source), AddressMatcher(exception.destination)});
  }
  PlanBuilder builder(*plan);
  for (const CompiledRule& compiled : plan->rules) {
    builder.place(compiled);
  }
  builder.build_address_indexes();
  builder.hand_out_groups();
  if (Status status = compile_groups(*plan, options); !status) {
    return tl::unexpected<Fault>(status.error());
  }
  plan->facts.rules = plan->rules.size();
  plan->facts.bytes +=
      plan->rules.size() * (sizeof(CompiledRule) + sizeof(RuleGate) + sizeof(Rule));
  plan->facts.compile_seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  return std::shared_ptr<const DetectionPlan>(std::move(plan));
}

const PlanFacts& facts_of(const DetectionPlan& plan) noexcept { return plan.facts; }
const RuleSet& rules_of(const DetectionPlan& plan) noexcept { return plan.set; }
size_t number_of_rules(const DetectionPlan& plan) noexcept { return plan.rules.size(); }
const Rule& rule_of(const DetectionPlan& plan, size_t number) noexcept {
  return *plan.rules[number].rule;
}
const ParserDemands& demands_of(const DetectionPlan& plan) noexcept { return plan.demands; }

}  // namespace masugata::ids
