// SPDX-License-Identifier: GPL-2.0-or-later
#include "ids/engine/condition_judge.h"

namespace masugata::ids {
namespace {

ConditionOutcome outcome_of(bool holds) {
  return holds ? ConditionOutcome::Yes : ConditionOutcome::No;
}

class Visitor {
 public:
  Visitor(const DetectionPlan& plan, const Condition& condition, const Subject& subject,
          HostBits& host_bits) noexcept
      : plan_(plan), condition_(condition), subject_(subject), host_bits_(host_bits) {}

  ConditionOutcome operator()(const NumberMatch& match) const noexcept {
    if (match.field >= NumberField::StreamSizeClient &&
        match.field <= NumberField::FlowBytesEither) {
      return flow_number(match);
    }
    uint64_t value = 0;
    if (subject_.transaction == nullptr) {
      return ConditionOutcome::No;
    }
    if (!subject_.transaction->number(match.field, subject_.direction, value)) {
      return many_numbers(match);
    }
    return outcome_of(number_matches(match, value));
  }

  ConditionOutcome operator()(const NumberListMatch& match) const noexcept {
    uint64_t value = 0;
    if (subject_.transaction == nullptr) {
      return ConditionOutcome::No;
    }
    if (!subject_.transaction->number(match.field, subject_.direction, value)) {
      return many_numbers(match);
    }
    return outcome_of(number_matches(match, value));
  }

  ConditionOutcome operator()(const FlowMatch& match) const noexcept {
    if (match.only_fragment && !subject_.packet->was_reassembled) {
      return ConditionOutcome::No;
    }
    if (match.no_fragment && subject_.packet->was_reassembled) {
      return ConditionOutcome::No;
    }
    if (match.established) {
      const bool established = subject_.flow != nullptr && subject_.state->established;
      return outcome_of(established == *match.established && subject_.flow != nullptr);
    }
    return ConditionOutcome::Yes;
  }

  ConditionOutcome operator()(const FlowbitsMatch& match) const noexcept {
    if (subject_.flow == nullptr) {
      return outcome_of(match.operation == FlowbitsMatch::Operation::IsNotSet);
    }
    return soft(subject_.flow->variables.check(match));
  }
  ConditionOutcome operator()(const FlowintMatch& match) const noexcept {
    if (subject_.flow == nullptr) {
      return outcome_of(match.operation == FlowintMatch::Operation::NotSet);
    }
    return soft(subject_.flow->variables.check(match));
  }
  ConditionOutcome operator()(const XbitsMatch& match) const noexcept {
    return soft(host_bits_.check(match, plan_.set.xbit_names, host_question(subject_)));
  }

  ConditionOutcome operator()(const ApplicationProtocolMatch& match) const noexcept {
    if (subject_.flow == nullptr) {
      return ConditionOutcome::No;
    }
    const EventFlow& event = subject_.flow->event;
    ApplicationProtocol now = event.protocol;
    switch (match.mode) {
      case ApplicationProtocolMatch::Mode::Final:
        break;
      case ApplicationProtocolMatch::Mode::Either:
        if (match.protocol == event.protocol_to_client) {
          now = event.protocol_to_client;
        }
        break;
      case ApplicationProtocolMatch::Mode::ToServer:
        now = event.protocol_to_server;
        break;
      case ApplicationProtocolMatch::Mode::ToClient:
        now = event.protocol_to_client;
        break;
      case ApplicationProtocolMatch::Mode::Original:
        now = event.protocol_original;
        break;
    }
    if (now == ApplicationProtocol::Unknown) {
      return ConditionOutcome::No;
    }
    const bool same = now == match.protocol && match.protocol != ApplicationProtocol::Unknown;
    return outcome_of(same != match.negated);
  }

  ConditionOutcome operator()(const EventMatch& match) const noexcept {
    if (match.protocol == ApplicationProtocol::Unknown) {
      return outcome_of(subject_.flow != nullptr &&
                        subject_.flow->detection_events.test(match.event));
    }
    if (subject_.transaction == nullptr || subject_.transaction->protocol != match.protocol) {
      return ConditionOutcome::No;
    }
    return soft(event_counts(*subject_.transaction, match.event));
  }

  ConditionOutcome operator()(const TlsStateMatch& match) const noexcept { return ask(match); }
  ConditionOutcome operator()(const TlsCertificateTimeMatch& match) const noexcept {
    return ask(match);
  }
  ConditionOutcome operator()(const FtpDataCommandMatch& match) const noexcept {
    return ask(match);
  }
  ConditionOutcome operator()(const FtpBounceMatch& match) const noexcept { return ask(match); }

  // Conditions on packets and files have been judged elsewhere.
  template <class Match>
  ConditionOutcome operator()(const Match&) const noexcept {
    return ConditionOutcome::NotAsked;
  }

 private:
  // Conditions of the transaction's protocol.
  template <class Match>
  ConditionOutcome ask(const Match&) const noexcept {
    if (subject_.transaction == nullptr) {
      return ConditionOutcome::No;
    }
    const std::optional<bool> holds =
        subject_.transaction->holds(condition_, subject_.direction, subject_.packet->time_us);
    return holds ? outcome_of(*holds) : ConditionOutcome::NotYet;
  }
  // Of its own direction at once. What the other one has raised counts from the next packet of this
  // direction on: a rule of no direction alerts at packets of both.
  [[nodiscard]] bool event_counts(const Transaction& transaction, uint8_t event) const noexcept {
    const size_t side = index_of(subject_.direction);
    const bool at_own_packet =
        subject_.is_packet && subject_.packet->direction == subject_.direction;
    return transaction.events_of[side].test(event) ||
           (at_own_packet && transaction.events.test(event));
  }
  // What is not so now may be so at a later packet of the same transaction.
  [[nodiscard]] ConditionOutcome soft(bool holds) const noexcept {
    if (holds) {
      return ConditionOutcome::Yes;
    }
    return subject_.transaction == nullptr ? ConditionOutcome::No : ConditionOutcome::NotYet;
  }

  template <class Match>
  ConditionOutcome many_numbers(const Match& match) const noexcept {
    uint64_t value = 0;
    constexpr uint32_t kMostValues = 1024;
    for (uint32_t i = 0; i < kMostValues; ++i) {
      if (!subject_.transaction->number_of_many(match.field, subject_.direction, i, value)) {
        break;
      }
      if (number_matches(match, value)) {
        return ConditionOutcome::Yes;
      }
    }
    return ConditionOutcome::NotYet;
  }

  ConditionOutcome flow_number(const NumberMatch& match) const noexcept {
    if (subject_.flow == nullptr) {
      return ConditionOutcome::No;
    }
    const FlowState& state = *subject_.state;
    switch (match.field) {
      case NumberField::StreamSizeClient:
        return soft(number_matches(match, state.stream_bytes[0]));
      case NumberField::StreamSizeServer:
        return soft(number_matches(match, state.stream_bytes[1]));
      case NumberField::StreamSizeBoth:
        return soft(number_matches(match, state.stream_bytes[0]) &&
                    number_matches(match, state.stream_bytes[1]));
      case NumberField::StreamSizeEither:
        return soft(number_matches(match, state.stream_bytes[0]) ||
                    number_matches(match, state.stream_bytes[1]));
      case NumberField::FlowAgeSeconds: {
        const uint64_t start = subject_.flow->facts.start_us;
        const uint64_t now = subject_.packet->time_us;
        return soft(number_matches(match, now > start ? (now - start) / 1'000'000 : 0));
      }
      case NumberField::FlowPacketsToServer:
        return soft(number_matches(match, state.packets[0]));
      case NumberField::FlowPacketsToClient:
        return soft(number_matches(match, state.packets[1]));
      case NumberField::FlowPacketsBoth:
        return soft(number_matches(match, state.packets[0]) &&
                    number_matches(match, state.packets[1]));
      case NumberField::FlowPacketsEither:
        return soft(number_matches(match, state.packets[0]) ||
                    number_matches(match, state.packets[1]));
      case NumberField::FlowBytesToServer:
        return soft(number_matches(match, state.bytes[0]));
      case NumberField::FlowBytesToClient:
        return soft(number_matches(match, state.bytes[1]));
      case NumberField::FlowBytesBoth:
        return soft(number_matches(match, state.bytes[0]) && number_matches(match, state.bytes[1]));
      default:
        return soft(number_matches(match, state.bytes[0]) || number_matches(match, state.bytes[1]));
    }
  }

  const DetectionPlan& plan_;
  const Condition& condition_;
  const Subject& subject_;
  HostBits& host_bits_;
};

}  // namespace

HostBits::Question host_question(const Subject& subject) noexcept {
  HostBits::Question question{&subject.key.source, &subject.key.destination, 0,
                              subject.packet->time_us};
  if (subject.transaction != nullptr && subject.flow != nullptr) {
    question.transaction =
        (subject.flow->facts.flow_id << 20U) + subject.transaction->number_in_flow + 1;
  }
  return question;
}

ConditionOutcome judge_condition(const DetectionPlan& plan, const Condition& condition,
                                 const Subject& subject, HostBits& host_bits) noexcept {
  const ConditionTables tables{plan.tables.geography.get(), plan.tables.reputation.get()};
  const ConditionOutcome packet = match_packet_condition(condition, *subject.fields, tables);
  if (packet != ConditionOutcome::NotAsked) {
    return packet;
  }
  return std::visit(Visitor(plan, condition, subject, host_bits), condition);
}

}  // namespace masugata::ids
