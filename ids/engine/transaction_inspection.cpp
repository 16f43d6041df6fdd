// SPDX-License-Identifier: GPL-2.0-or-later
#include <algorithm>
#include <new>

#include "ids/engine/engine_core.h"

namespace masugata::ids {
namespace {

// More instances of one buffer than this are not looked at.
constexpr uint32_t kMostInstances = 1024;

// One of these events of a protocol is what the rule asks for.
bool asks_for_one(const CompiledRule& rule, const EventSet& events) noexcept {
  return std::any_of(rule.checks.begin(), rule.checks.end(), [&](const Condition* check) {
    const auto* event = std::get_if<EventMatch>(check);
    return event != nullptr && event->kind == EventKind::Application && events.test(event->event);
  });
}

}  // namespace

TransactionMemory& EngineCore::memory_of(Transaction& transaction) noexcept {
  if (transaction.inspection) {
    auto& memory = static_cast<TransactionMemory&>(*transaction.inspection);
    if (memory.generation != generation_) {
      memory.change_plan(generation_);
    }
    return memory;
  }
  std::unique_ptr<TransactionMemory> memory;
  if (spare_memories_.empty()) {
    memory = std::make_unique<TransactionMemory>();
  } else {
    memory = std::move(spare_memories_.back());
    spare_memories_.pop_back();
  }
  memory->reset(generation_);
  TransactionMemory& result = *memory;
  transaction.inspection = std::move(memory);
  return result;
}

// Takes the memory of a transaction that goes, for another one.
void EngineCore::keep_memory(Transaction& transaction) noexcept {
  if (transaction.inspection && spare_memories_.size() < spare_memories_.capacity()) {
    spare_memories_.emplace_back(static_cast<TransactionMemory*>(transaction.inspection.release()));
  }
}

void EngineCore::inspect_transactions(Call& call, ProtocolParser& parser) noexcept {
  for (const auto& transaction : parser.transactions()) {
    if (transaction->ignored) {
      continue;
    }
    TransactionMemory* memory = nullptr;
    for (const Direction direction : {Direction::ToServer, Direction::ToClient}) {
      const size_t side = index_of(direction);
      if (transaction->one_sided && *transaction->one_sided != direction) {
        continue;
      }
      if (transaction->version[side] == 0 && !transaction->finished[side]) {
        continue;
      }
      memory = memory != nullptr ? memory : &memory_of(*transaction);
      TransactionMemory::Side& state = memory->sides[side];
      // Events of the other side are judged when a packet of this one comes.
      const bool own_packet = call.is_packet && call.packet.direction == direction;
      const bool events_changed = own_packet && state.events != transaction->events;
      const bool changed = !state.seen || events_changed ||
                           state.version != transaction->version[side] ||
                           state.finished != transaction->finished[side];
      if (changed && !state.finished) {
        inspect_side(call, *transaction, *memory, direction);
        state.seen = true;
        state.version = transaction->version[side];
        state.finished = transaction->finished[side];
      } else if (events_changed) {
        judge_late_events(call, *transaction, *memory, direction);
      }
      if (own_packet) {
        state.events = transaction->events;
      }
    }
  }
}

void EngineCore::inspect_side(Call& call, Transaction& transaction, TransactionMemory& memory,
                              Direction direction) noexcept {
  const size_t side = index_of(direction);
  const auto protocol = static_cast<size_t>(transaction.protocol);
  TransactionMemory::Side& state = memory.sides[side];
  const auto& groups = plan_->transaction_groups[protocol][side];
  const bool finished = transaction.finished[side];
  candidates_.begin();
  if (!state.seen) {
    state.stream_from = call.flow->news_from[side];
    state.groups.assign(groups.size(), {});
    for (const RuleNumber rule : plan_->transaction_lists[protocol][side]) {
      candidates_.add(rule);
    }
  }
  for (size_t i = 0; i < groups.size(); ++i) {
    if (!state.groups[i].over) {
      scan_group(transaction, *groups[i], state.groups[i], finished);
    }
  }
  add_payload_rules(*call.flow, transaction, direction);
  for (const std::vector<RuleNumber>* waiting : {&state.pending, &memory.pending_both}) {
    for (const RuleNumber rule : *waiting) {
      candidates_.add(rule);
    }
  }
  state.pending.clear();
  memory.pending_both.clear();
  if (candidates_.empty()) {
    return;
  }
  Subject subject = subject_of(call, direction);
  subject.transaction = &transaction;
  subject.stream_from = state.stream_from;
  for (const RuleNumber number : candidates_.sorted()) {
    judge_in_transaction(number, memory, subject);
  }
}

void EngineCore::judge_late_events(Call& call, Transaction& transaction, TransactionMemory& memory,
                                   Direction direction) noexcept {
  TransactionMemory::Side& state = memory.sides[index_of(direction)];
  if (state.awaiting_events.empty()) {
    return;
  }
  Subject subject = subject_of(call, direction);
  subject.transaction = &transaction;
  subject.stream_from = state.stream_from;
  late_rules_.clear();
  late_rules_.swap(state.awaiting_events);
  for (const RuleNumber number : late_rules_) {
    judge_in_transaction(number, memory, subject);
  }
}

bool EngineCore::owes_judgement(const Transaction& transaction) const noexcept {
  if (plan_ == nullptr || transaction.ignored || transaction.inspection == nullptr) {
    return false;
  }
  const auto& memory = static_cast<const TransactionMemory&>(*transaction.inspection);
  if (memory.generation != generation_) {
    return false;
  }
  for (const TransactionMemory::Side& side : memory.sides) {
    const EventSet news = transaction.events & ~side.events;
    if (news.any() &&
        std::any_of(side.awaiting_events.begin(), side.awaiting_events.end(),
                    [&](RuleNumber rule) { return asks_for_one(plan_->rules[rule], news); })) {
      return true;
    }
  }
  return false;
}

// Rules whose pattern the payload of this direction has held so far.
void EngineCore::add_payload_rules(FlowInspection& flow, const Transaction& transaction,
                                   Direction direction) noexcept {
  const size_t side = index_of(direction);
  const RuleList& rules =
      plan_->payload_pattern_rules[static_cast<size_t>(transaction.protocol)][side];
  if (rules.empty()) {
    return;
  }
  if (flow.payload_rules_of != generation_ || flow.too_many_payload_rules[side]) {
    for (const RuleNumber rule : rules) {
      candidates_.add(rule);
    }
    return;
  }
  for (const RuleNumber rule : flow.payload_rules[side]) {
    if (std::binary_search(rules.begin(), rules.end(), rule)) {
      candidates_.add(rule);
    }
  }
}

void EngineCore::judge_in_transaction(RuleNumber number, TransactionMemory& memory,
                                      const Subject& subject) noexcept {
  const CompiledRule& rule = plan_->rules[number];
  const bool both = rule.rule->transactional;
  TransactionMemory::Side& state = memory.sides[index_of(subject.direction)];
  std::vector<RuleNumber>& decided = both ? memory.decided_both : state.decided;
  if (std::binary_search(decided.begin(), decided.end(), number)) {
    return;
  }
  counters.candidates.add(1);
  const uint64_t begin = profiling ? cycle_count() : 0;
  const Judgement judgement = judge_->judge_transaction(*plan_, rule, subject);
  if (profiling) {
    note_cost(number, begin, judgement == Judgement::Yes);
  }
  const Transaction& transaction = *subject.transaction;
  const size_t side = index_of(subject.direction);
  const bool over = both ? transaction.complete() : transaction.finished[side];
  if (judgement == Judgement::Yes && !is_excepted(rule, subject)) {
    judge_->carry_out(*plan_, rule, subject);
    add_match({&rule, subject.transaction, subject.direction, false});
  }
  if (over) {
    if (judgement == Judgement::NotYet && !both && asks_for_one(rule, ~EventSet{})) {
      state.awaiting_events.push_back(number);
    }
    return;
  }
  if (judgement == Judgement::NotYet || (judgement == Judgement::Yes && rule.repeats &&
                                         transaction.progress[side] == rule.hook_progress)) {
    (both ? memory.pending_both : state.pending).push_back(number);
  } else {
    decided.insert(std::upper_bound(decided.begin(), decided.end(), number), number);
  }
}

void EngineCore::scan_group(Transaction& transaction, const BufferGroup& group,
                            TransactionMemory::GroupProgress& progress, bool finished) noexcept {
  const BufferProperties& properties = properties_of(group.buffer);
  if (properties.many || properties.source == BufferSource::File) {
    scan_many(transaction, group, progress);
  } else {
    scan_one(transaction, group, progress);
  }
  progress.over = progress.over || finished;
}

void EngineCore::scan_one(Transaction& transaction, const BufferGroup& group,
                          TransactionMemory::GroupProgress& progress) noexcept {
  const BufferBytes bytes = transaction.buffer(group.buffer, group.direction, 0);
  if (bytes.state == BufferState::Absent) {
    progress.over = true;
  } else if (bytes.state != BufferState::NotYet) {
    progress.over = scan_progressive(group, progress, bytes);
  }
}

void EngineCore::scan_many(Transaction& transaction, const BufferGroup& group,
                           TransactionMemory::GroupProgress& progress) noexcept {
  // Files without a name or a magic leave holes in the row.
  const bool holes = group.buffer == BufferId::FileName || group.buffer == BufferId::FileMagic;
  for (; progress.instances < kMostInstances; ++progress.instances, progress.scanned = 0) {
    const BufferBytes bytes = transaction.buffer(group.buffer, group.direction, progress.instances);
    if (bytes.state == BufferState::Absent && holes &&
        progress.instances < transaction.files().size()) {
      continue;
    }
    if (bytes.state == BufferState::Absent || bytes.state == BufferState::NotYet ||
        !scan_progressive(group, progress, bytes)) {
      return;
    }
  }
}

// True when the buffer was complete.
bool EngineCore::scan_progressive(const BufferGroup& group,
                                  TransactionMemory::GroupProgress& progress,
                                  const BufferBytes& bytes) noexcept {
  const bool complete = bytes.state == BufferState::Complete;
  if (!group.transforms.empty()) {
    scan(group.patterns, apply_transforms(group.transforms, bytes.bytes, *match_scratch_),
         PatternGroup::kUnplaced);
    return complete;
  }
  const uint64_t end = bytes.first + bytes.bytes.size();
  if (end > progress.scanned) {
    const uint64_t overlap = group.patterns.longest() - 1;
    uint64_t from = progress.scanned > overlap ? progress.scanned - overlap : 0;
    from = std::max(from, bytes.first);
    scan(group.patterns, bytes.bytes.subspan(static_cast<size_t>(from - bytes.first)), from);
    progress.scanned = end;
  }
  return complete;
}

}  // namespace masugata::ids
