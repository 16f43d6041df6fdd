// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/names/name_learner.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace masugata::dataplane {

Status NameLearner::prepare(const LearnerLimits& limits, MemorySource& memory,
                            const net::HashSecret& secret) {
  if (is_prepared()) return {};
  const uint32_t buckets = std::bit_ceil((limits.questions + 3U) / 4U);
  const bool taken = questions_.allocate(memory, size_t{buckets} * kBucket, "questions of DNS") &&
                     lessons_.allocate(memory, kMaximumLessons, "lessons of DNS") &&
                     table_.allocate(memory, limits.addresses, secret);
  if (!taken) return failure("policy", "no memory for the names that DNS answers teach");
  mask_ = buckets - 1;
  key_ = {secret.words[0] ^ secret.words[3], secret.words[1] ^ secret.words[4]};
  return {};
}

uint64_t NameLearner::mark_of(const DnsSession& session) const noexcept {
  struct {
    uint32_t index;
    uint32_t serial;
    uint16_t id;
    uint16_t type;
    char name[sizeof net::DnsHostName::text];
  } asked{session.index, session.serial, answer_.id, answer_.question_type, {}};
  std::memcpy(asked.name, answer_.question.text.data(), answer_.question.bytes);
  const size_t bytes = offsetof(decltype(asked), name) + answer_.question.bytes;
  return net::siphash(key_, &asked, bytes) | 1U;
}

void NameLearner::ask(uint64_t mark, uint32_t now_s) noexcept {
  Question* bucket = &questions_[(mark >> 32U & mask_) * kBucket];
  Question* place = bucket;
  for (Question* question = bucket; question != bucket + kBucket; ++question) {
    if (question->mark == mark || question->mark == 0) {
      place = question;
      break;
    }
    if (question->asked_s < place->asked_s) place = question;
  }
  *place = {mark, now_s};
}

bool NameLearner::was_asked(uint64_t mark, uint32_t now_s) noexcept {
  Question* bucket = &questions_[(mark >> 32U & mask_) * kBucket];
  for (Question* question = bucket; question != bucket + kBucket; ++question) {
    if (question->mark != mark) continue;
    question->mark = 0;
    return now_s - question->asked_s <= kQuestionLife_s;
  }
  return false;
}

void NameLearner::look(std::span<const uint8_t> message, const DnsSession& session,
                       const PolicyTables& policy, uint32_t now_s) noexcept {
  lesson_count_ = 0;
  if (!is_prepared() || message.empty()) return;
  if (session.over_tcp) {
    const size_t length = message.size() < 2 ? 0 : size_t{message[0]} << 8U | message[1];
    if (length == 0 || length != message.size() - 2) return counters_.unreadable.add(1);
    message = message.subspan(2);
  }
  if (!net::read_dns_answer(message, answer_) || answer_.is_response == session.to_server) {
    return counters_.unreadable.add(1);
  }
  const uint64_t mark = mark_of(session);
  if (session.to_server) {
    counters_.questions.add(1);
    return ask(mark, now_s);
  }
  if (!was_asked(mark, now_s)) return counters_.unasked.add(1);
  counters_.answers.add(1);
  if (!answer_.has_error) teach(policy, now_s);
}

void NameLearner::teach(const PolicyTables& policy, uint32_t now_s) noexcept {
  const std::span addresses(answer_.addresses.data(), answer_.address_count);
  const bool mentioned = policy.mentions(answer_.question.view());
  for (const net::DnsAddress& address : addresses) {
    add_lesson(address, answer_.question.view(), mentioned);
  }
  // An alias is of interest when rules speak of it. Others would only make every address of a
  // hosting company look as if it had several names.
  for (size_t i = 0; i < answer_.alias_count; ++i) {
    const std::string_view alias = answer_.aliases[i].view();
    if (!policy.mentions(alias)) continue;
    for (const net::DnsAddress& address : addresses) add_lesson(address, alias, true);
  }
  for (const NameLesson& lesson : lessons()) learn(lesson, now_s);
}

void NameLearner::add_lesson(const net::DnsAddress& address, std::string_view name,
                             bool mentioned) noexcept {
  NameLesson& lesson = lessons_[lesson_count_++];
  lesson.address = address.address;
  lesson.lifetime_s = std::clamp(address.ttl_seconds, kShortestName_s, kLongestName_s);
  lesson.mentioned = mentioned;
  lesson.set_name(name);
}

void NameLearner::learn(const NameLesson& lesson, uint32_t now_s) noexcept {
  if (!is_prepared()) return;
  const Learnt learnt = table_.learn(lesson, now_s);
  if (learnt == Learnt::Renewed) return;
  counters_.learnt.add(1);
  if (learnt == Learnt::Replaced) counters_.replaced.add(1);
  counters_.addresses.set(table_.size());
}

}  // namespace masugata::dataplane
