// SPDX-License-Identifier: GPL-2.0-or-later
// Alerts of charon into failures with a history, sites that are up into failures that are past.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "ipsec/diagnosis/explanation.h"
#include "ipsec/diagnosis/failure_history.h"
#include "ipsec/diagnosis/path_report.h"

namespace masugata::ipsec {

// Something that happened to a tunnel; what `monitor vpn` shows.
struct TunnelEvent {
  std::string site;  // empty: a peer without one
  std::string kind;  // "up", "down", "rekeyed", "trying", or the name of a failure
  std::string text;  // one line
  int64_t time = 0;  // seconds since 1970
};

// One thread.
class Diagnosis {
 public:
  struct Targets {
    std::function<int64_t()> now;                         // seconds since 1970
    std::function<void(const TunnelEvent& event)> event;  // each one
    // Once per cause, when its count reaches a power of ten, and when it is over.
    std::function<void(const Failure& failure, const Explanation& explanation, bool over)> alert;
  };
  explicit Diagnosis(Targets targets) : targets_(std::move(targets)) {}

  // Failures of sites that are there no more are forgotten.
  void configure(config::VpnSettings settings);

  void take(const CharonAlert& alert);
  // What was found without charon.
  void add(Failure failure);

  // A tunnel that was measured, over each family of its networks: a black hole is a failure,
  // anything else that was answered is the end of one.
  void measured(const std::vector<PathReport>& reports);

  // Counters of the site's SAs, as they are now: packets that go in one direction only are a
  // failure after kOneDirectionSeconds. Called again and again.
  static constexpr int64_t kOneDirectionSeconds = 30;
  static constexpr uint64_t kOneDirectionPackets = 20;
  void observe(const std::string& site, const std::string& peer, uint64_t packets_in,
               uint64_t packets_out);

  [[nodiscard]] const FailureHistory& history() const noexcept { return history_; }
  [[nodiscard]] const config::VpnSettings& settings() const noexcept { return settings_; }

 private:
  struct Watch {
    uint64_t packets_in = 0;
    uint64_t packets_out = 0;
    int64_t since = 0;  // with these numbers
    bool told = false;
  };
  void came_up(const CharonAlert& alert, const char* kind, const char* what);
  void tell_past(const std::vector<Failure>& past);
  void say(const CharonAlert& alert, const char* kind, const std::string& text);

  Targets targets_;
  config::VpnSettings settings_;
  FailureHistory history_;
  std::map<std::string, Watch> watches_;
};

}  // namespace masugata::ipsec
