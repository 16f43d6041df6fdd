// SPDX-License-Identifier: GPL-2.0-or-later
// How large a packet may be to pass a tunnel: asks with echo requests of many sizes, like RFC 8899
// does with probes of a transport. Decides what is sent when; sends nothing itself.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

namespace masugata::ipsec {

// One probe: an inner packet of `inner_bytes`, by which reflector's answer is wanted.
struct PathQuestion {
  uint16_t sequence = 0;
  uint16_t inner_bytes = 0;
  uint16_t reflector = 0;  // an index, as the caller counts those that may answer
};

enum class PathAnswer : uint8_t {
  Echo,    // a host behind the tunnel has answered: the way there and back
  Beyond,  // an ICMP error from behind the tunnel quotes the probe: the way there
};

// What was found.
struct PathFinding {
  bool answered = false;   // by anybody
  bool steady = true;      // false: answers ended while sizes were compared
  uint16_t reflector = 0;  // who answered
  PathAnswer kind = PathAnswer::Echo;
  uint16_t passes_bytes = 0;  // the largest inner packet that was answered
  uint16_t fails_bytes = 0;   // the smallest that was not; 0: all that were tried pass
  uint16_t packets = 0;       // sent
  uint64_t took_ms = 0;
};

// One thread; times of any clock in milliseconds. Bounded: kMaximumPackets and kMaximumTime_ms,
// whatever is answered.
class PathSearch {
 public:
  static constexpr uint16_t kMaximumPackets = 64;
  static constexpr uint64_t kMaximumTime_ms = 45'000;
  static constexpr uint16_t kMaximumReflectors = 6;
  static constexpr uint8_t kTries = 3;

  struct Limits {
    uint16_t smallest = 0;    // asks who answers at all
    uint16_t usual = 0;       // what the tunnel lets in now: asked first
    uint16_t largest = 0;     // what the interface below would carry
    uint16_t step = 4;        // sizes that are tried differ by so much at least
    uint16_t reflectors = 1;  // kMaximumReflectors at most
  };
  // smallest <= usual <= largest; what is not so is made so.
  PathSearch(const Limits& limits, uint64_t now_ms);

  // What is to be sent now, often none. Called about ten times a second until done().
  [[nodiscard]] std::vector<PathQuestion> next(uint64_t now_ms);
  // Late answers count too; those to questions that were never asked do not.
  void take(uint16_t sequence, PathAnswer kind, uint64_t now_ms);

  // Nothing larger than `largest` can pass, as is known from elsewhere.
  void lower(uint16_t largest, uint64_t now_ms);

  [[nodiscard]] bool done() const noexcept { return stage_ == Stage::Done; }
  [[nodiscard]] const PathFinding& finding() const noexcept { return finding_; }

 private:
  enum class Stage : uint8_t { Reach, Compare, Confirm, Done };
  struct Asked {
    PathQuestion question;
    uint64_t at_ms = 0;
  };
  [[nodiscard]] std::vector<PathQuestion> ask_everybody(uint64_t now_ms);
  [[nodiscard]] std::vector<PathQuestion> ask(uint64_t now_ms);
  [[nodiscard]] PathQuestion note(uint16_t bytes, uint16_t reflector, uint64_t now_ms);
  void choose(uint16_t reflector, PathAnswer kind, uint64_t took_ms);
  void give_up_size();
  void choose_size();
  void finish(uint64_t now_ms);

  Limits limits_;
  uint64_t begun_ms_;
  Stage stage_ = Stage::Reach;
  std::vector<Asked> asked_;
  PathFinding finding_;
  std::optional<PathQuestion> beyond_;  // the first who answered by an error
  uint64_t beyond_took_ms_ = 0;
  uint16_t size_ = 0;  // that is asked about now
  uint8_t tries_ = 0;
  uint64_t next_at_ms_ = 0;
  uint64_t timeout_ms_ = 1000;
  uint64_t pause_ms_ = 0;  // between answered questions
};

}  // namespace masugata::ipsec
