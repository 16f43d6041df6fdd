// SPDX-License-Identifier: GPL-2.0-or-later
// Learns from DNS sessions with trusted resolvers which addresses have which names.
//
// An answer teaches only when the same session has shown its question (same identifier, name and
// type) within kQuestionLife_s; each question is good for one answer.
#pragma once

#include <cstdint>
#include <span>

#include "dataplane/names/name_table.h"
#include "dataplane/pipeline/counters.h"
#include "dataplane/policy/policy.h"
#include "net/dns_answer.h"
#include "net/siphash.h"
#include "result/result.h"

namespace masugata::dataplane {

inline constexpr uint32_t kQuestionLife_s = 30;
// Clients go on using an address for longer than a short life says, and a long one must not fill
// the table for days.
inline constexpr uint32_t kShortestName_s = 300;
inline constexpr uint32_t kLongestName_s = 86'400;
inline constexpr uint16_t kDnsPort = 53;
inline constexpr size_t kMaximumLessons =
    net::kMaximumAnswerAddresses * (1 + net::kMaximumAnswerAliases);

// Bounds of one worker.
struct LearnerLimits {
  uint32_t addresses = 8192;
  // Asked and not answered yet; beyond, the oldest of a bucket of four is forgotten, and what is
  // answered to it teaches nothing.
  uint32_t questions = 4096;
};

// Written by the worker, read by anyone.
struct LearnerCounters {
  RelaxedCounter questions;
  RelaxedCounter answers;     // that matched a question
  RelaxedCounter unasked;     // answers without a question: they taught nothing
  RelaxedCounter unreadable;  // messages that are no plain question or answer about a host
  RelaxedCounter learnt;      // pairs of address and name, known ones not counted
  RelaxedCounter replaced;    // of them, in place of valid ones: the table is too small
  RelaxedCounter not_shared;  // not told to another worker, whose ring was full
  RelaxedCounter addresses;   // in the table now
};

// Which session a message belongs to.
struct DnsSession {
  uint32_t index = 0;  // in the session table
  uint32_t serial = 0;
  bool to_server = false;
  bool over_tcp = false;  // behind a length; only messages that are whole in a segment teach
};

class NameLearner {
 public:
  // Control thread, before a configuration that teaches is published. Takes memory once.
  Status prepare(const LearnerLimits& limits, MemorySource& memory, const net::HashSecret& secret);
  [[nodiscard]] bool is_prepared() const noexcept { return table_.is_allocated(); }

  // Worker. Takes in a message that goes on to its receiver. What it teaches is in the table then,
  // and in lessons() until the next call, for the other workers. `policy` says which names rules
  // speak of.
  void look(std::span<const uint8_t> message, const DnsSession& session, const PolicyTables& policy,
            uint32_t now_s) noexcept;
  [[nodiscard]] std::span<const NameLesson> lessons() const noexcept {
    return {lessons_.data(), lesson_count_};
  }
  // Worker. Learns what another worker was taught.
  void learn(const NameLesson& lesson, uint32_t now_s) noexcept;

  [[nodiscard]] const NameTable& table() const noexcept { return table_; }
  // Any thread.
  [[nodiscard]] const LearnerCounters& counters() const noexcept { return counters_; }
  void count_not_shared() noexcept { counters_.not_shared.add(1); }

 private:
  struct Question {
    uint64_t mark;  // of session, identifier, name and type; 0 = free
    uint32_t asked_s;
  };
  static constexpr size_t kBucket = 4;

  [[nodiscard]] uint64_t mark_of(const DnsSession& session) const noexcept;
  void ask(uint64_t mark, uint32_t now_s) noexcept;
  [[nodiscard]] bool was_asked(uint64_t mark, uint32_t now_s) noexcept;
  void teach(const PolicyTables& policy, uint32_t now_s) noexcept;
  void add_lesson(const net::DnsAddress& address, std::string_view name, bool mentioned) noexcept;

  NameTable table_;
  SourcedArray<Question> questions_;
  SourcedArray<NameLesson> lessons_;
  size_t lesson_count_ = 0;
  net::SipHashKey key_;
  uint32_t mask_ = 0;  // of buckets of questions
  net::DnsAnswer answer_;
  LearnerCounters counters_;
};

}  // namespace masugata::dataplane
