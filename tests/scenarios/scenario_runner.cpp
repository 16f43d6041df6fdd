// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/scenarios/scenario_runner.h"

#include <algorithm>
#include <deque>
#include <set>
#include <sstream>

#include "tests/packets/packet_builder.h"
#include "tests/packets/packet_describer.h"
#include "tests/packets/packet_matcher.h"
#include "tests/packets/recipe_parser.h"
#include "tests/scenarios/scenario_parser.h"
#include "tests/scenarios/session_expectation.h"
#include "tests/scenarios/variables.h"

namespace masugata::test {
namespace {

std::vector<std::string> words_of(const std::string& text) {
  std::istringstream stream(text);
  std::vector<std::string> words;
  for (std::string word; stream >> word;) words.push_back(word);
  return words;
}

// The word behind `name`, empty when it is not there.
std::string word_after(const std::vector<std::string>& words, std::string_view name) {
  for (size_t index = 0; index + 1 < words.size(); ++index) {
    if (words[index] == name) return words[index + 1];
  }
  return {};
}

class Player {
 public:
  Player(const Scenario& scenario, GatewayUnderTest& gateway)
      : scenario_(scenario), gateway_(gateway) {}

  std::string play() {
    auto status = scenario_.rules.empty() ? Status{} : gateway_.set_rules(scenario_.rules);
    if (status) status = gateway_.configure(scenario_.configuration);
    if (!status) return scenario_.file + ": the configuration: " + status.error().message();
    status = play_steps(scenario_.steps);
    if (status) status = check_settled();
    if (status) return {};
    return scenario_.file + ":" + std::to_string(line_) + ": " + status.error().message();
  }

 private:
  Status play_steps(const std::vector<Step>& steps) {
    for (const Step& step : steps) {
      const bool acts = step.kind == StepKind::Send || step.kind == StepKind::Burst ||
                        step.kind == StepKind::Advance || step.kind == StepKind::Reload;
      if (acts) {
        // Reported at the step that should have been followed by an expectation.
        auto settled = check_settled();
        if (!settled) return settled;
      }
      line_ = step.line;
      auto status = play_step(step);
      if (!status) return status;
      collect();
    }
    return {};
  }

  Status play_step(const Step& step) {
    const std::string text = substitute(step.text, variables_);
    switch (step.kind) {
      case StepKind::Send:
        return send({step});
      case StepKind::Burst:
        return send(step.body);
      case StepKind::Expect:
        return expect_frame(step, text);
      case StepKind::ExpectNothing:
        return expect_nothing();
      case StepKind::ExpectDrop:
        return expect_drop(text, step.number);
      case StepKind::ExpectSession:
        return expect_session(text, true);
      case StepKind::ExpectNoSession:
        return expect_session(text, false);
      case StepKind::ExpectSessions:
        return expect_sessions(step.number);
      case StepKind::ExpectAlert:
        return expect_alert(text, step.number);
      case StepKind::ExpectObject:
        return expect_alert("object " + text, step.number);
      case StepKind::ExpectResolve:
        return expect_resolve(text);
      case StepKind::Advance:
        gateway_.advance(step.number);
        return {};
      case StepKind::Clock:
        return gateway_.set_wall_clock(text);
      case StepKind::Network:
        return change_network(words_of(text));
      case StepKind::Reload:
        return gateway_.configure(text);
      case StepKind::Scanner:
        return gateway_.set_scanner(text);
      case StepKind::Rules:
        return gateway_.set_rules(step.text);
      case StepKind::ReloadRefused:
        if (gateway_.configure(text)) return failure("", "the configuration was accepted");
        return {};
      case StepKind::Repeat:
        return repeat(step);
      case StepKind::IgnoreDrops:
        expected_drops_ = gateway_.drop_counts();
        return {};
      case StepKind::IgnoreOutput:
        output_.clear();
        return {};
    }
    return failure("", "unknown step");
  }

  void collect() {
    for (PortFrame& frame : gateway_.take_output()) {
      output_[{frame.port, frame.kernel}].push_back(std::move(frame.bytes));
    }
    for (std::string& alert : gateway_.take_alerts()) ++alerts_[std::move(alert)];
    for (const std::string& object : gateway_.take_objects()) ++alerts_["object " + object];
    for (std::string& request : gateway_.take_resolve_requests()) {
      resolve_requests_.insert(std::move(request));
    }
  }

  Result<std::vector<uint8_t>> build(const Step& step) {
    auto recipe = parse_recipe(substitute(step.text, variables_));
    if (!recipe) return tl::unexpected(recipe.error());
    const auto mac = gateway_.mac_of_port(step.port);
    if (!mac) return failure("", "there is no port '" + step.port + "'");
    LinkDefaults link{"02:00:00:00:ff:01", *mac};
    const Layer* network = recipe->find(LayerKind::Ipv4);
    if (network == nullptr) network = recipe->find(LayerKind::Ipv6);
    if (network != nullptr && network->has("source")) {
      const auto host = host_macs_.find(*network->find("source"));
      if (host != host_macs_.end()) link.source_mac = host->second;
    }
    // What the kernel sends leaves through the port.
    if (step.kernel) link.source_mac = *mac;
    return build_packet(*recipe, link);
  }

  Status send(const std::vector<Step>& steps) {
    std::vector<PortFrame> frames;
    for (const Step& step : steps) {
      auto bytes = build(step);
      if (!bytes) return tl::unexpected(bytes.error());
      frames.push_back({step.port, step.kernel, std::move(*bytes)});
    }
    return gateway_.send(frames);
  }

  Status expect_frame(const Step& step, const std::string& text) {
    const auto expected = parse_recipe(text);
    if (!expected) return tl::unexpected(expected.error());
    auto& queue = output_[{step.port, step.kernel}];
    if (queue.empty()) {
      return failure("", "expected out of " + step.port + ": " + text +
                             "\n  nothing came out of it\n" + state_text());
    }
    MatchResult result = match_packet(*expected, queue.front());
    if (!step.kernel) check_link(*expected, step.port, queue.front(), result);
    if (!result.matches()) {
      return failure("", "expected out of " + step.port + ": " + text + "\n" +
                             result.explain(queue.front()) + state_text());
    }
    for (auto& [name, value] : result.captures) variables_[name] = value;
    queue.pop_front();
    return {};
  }

  // Unless the recipe says otherwise, a frame comes from the port's own MAC address and goes to a
  // station that the network section knows, or to a group.
  void check_link(const Recipe& expected, const std::string& port,
                  const std::vector<uint8_t>& frame, MatchResult& result) {
    const Layer* named = expected.find(LayerKind::Ethernet);
    const Dissection dissection = dissect_packet(frame);
    const Layer* link = dissection.recipe.find(LayerKind::Ethernet);
    if (named == nullptr || link == nullptr || named->has("source")) return;
    const std::string& source = *link->find("source");
    const std::string& destination = *link->find("destination");
    const auto own = gateway_.mac_of_port(port);
    if (own && source != *own) {
      result.differences.push_back("eth source: expected the port's " + *own + ", received " +
                                   source);
    }
    const bool group = (frame[0] & 1U) != 0;
    const bool known = std::any_of(host_macs_.begin(), host_macs_.end(),
                                   [&](const auto& host) { return host.second == destination; });
    if (!group && !known && destination != "02:00:00:00:ff:01") {
      result.differences.push_back("eth destination: no neighbour has " + destination);
    }
  }

  [[nodiscard]] std::string leftover_output() const {
    std::string text;
    for (const auto& [place, queue] : output_) {
      for (const auto& frame : queue) {
        text += "  out of " + std::string(place.second ? "kernel " : "") + place.first + ": " +
                describe_packet(frame) + "\n";
      }
    }
    return text;
  }

  [[nodiscard]] std::string leftover_drops() {
    std::string text;
    for (const auto& [reason, count] : gateway_.drop_counts()) {
      const auto known = expected_drops_.find(reason);
      const uint64_t expected = known == expected_drops_.end() ? 0 : known->second;
      if (count != expected) {
        text += "  dropped: " + reason + " x" + std::to_string(count - expected) + "\n";
      }
    }
    return text;
  }

  // What is unaccounted for, to be read next to a difference.
  std::string state_text() { return leftover_output() + leftover_drops() + leftover_alerts(); }

  [[nodiscard]] std::string leftover_alerts() const {
    std::string text;
    for (const auto& [alert, count] : alerts_) {
      text += "  alert: " + alert + " x" + std::to_string(count) + "\n";
    }
    return text;
  }

  Status check_settled() {
    const std::string left = state_text();
    if (left.empty()) return {};
    return failure("", "not expected:\n" + left);
  }

  Status expect_nothing() {
    const std::string left = leftover_output();
    if (left.empty()) return {};
    return failure("", "expected nothing, but:\n" + left + leftover_drops());
  }

  Status expect_drop(const std::string& reason, uint64_t count) {
    const auto counts = gateway_.drop_counts();
    const auto found = counts.find(reason);
    const uint64_t total = found == counts.end() ? 0 : found->second;
    const uint64_t fresh = total - expected_drops_[reason];
    if (fresh < count) {
      return failure("", "expected drop " + reason + " x" + std::to_string(count) + ", counted x" +
                             std::to_string(fresh) + "\n" + state_text());
    }
    expected_drops_[reason] += count;
    return {};
  }

  Status expect_session(const std::string& text, bool wanted) {
    const auto expectation = SessionExpectation::parse(text);
    if (!expectation) return tl::unexpected(expectation.error());
    const auto sessions = gateway_.sessions();
    const bool found = std::any_of(sessions.begin(), sessions.end(), [&](const SessionView& view) {
      return expectation->matches(view);
    });
    if (found == wanted) return {};
    std::string message =
        std::string(wanted ? "no session is" : "there is a session") + ": " + text;
    for (const SessionView& view : sessions) message += "\n  session: " + session_text(view);
    return failure("", message);
  }

  Status expect_sessions(uint64_t count) {
    const auto sessions = gateway_.sessions();
    if (sessions.size() == count) return {};
    std::string message = "expected " + std::to_string(count) + " sessions, there are " +
                          std::to_string(sessions.size());
    for (size_t index = 0; index < std::min<size_t>(sessions.size(), 20); ++index) {
      message += "\n  session: " + session_text(sessions[index]);
    }
    return failure("", message);
  }

  Status expect_alert(const std::string& alert, uint64_t count) {
    const auto found = alerts_.find(alert);
    const uint64_t seen = found == alerts_.end() ? 0 : found->second;
    if (seen < count) {
      return failure("", "expected alert " + alert + " x" + std::to_string(count) + ", seen x" +
                             std::to_string(seen) + "\n" + state_text());
    }
    found->second -= count;
    if (found->second == 0) alerts_.erase(found);
    return {};
  }

  Status expect_resolve(const std::string& text) {
    collect();
    const auto found = resolve_requests_.find(text);
    if (found != resolve_requests_.end()) {
      resolve_requests_.erase(found);
      return {};
    }
    std::string message = "nobody asked for " + text;
    for (const std::string& request : resolve_requests_) message += "\n  asked for " + request;
    return failure("", message);
  }

  // route PREFIX [via A] interface I | route PREFIX blackhole | neighbour A MAC interface I |
  // neighbour A failed interface I | link PORT up|down | no route PREFIX | no neighbour A interface
  // I
  Status change_network(const std::vector<std::string>& words) {
    const bool removal = words[0] == "no";
    const size_t first = removal ? 1 : 0;
    if (words.size() < first + 2) return failure("", "the line is too short");
    const std::string& kind = words[first];
    const std::string& subject = words[first + 1];
    const std::string interface = word_after(words, "interface");
    if (kind == "route") {
      if (removal) return gateway_.remove_route(subject);
      NetworkRoute route{subject, interface, word_after(words, "via"), "unicast"};
      for (const char* special : {"local", "broadcast", "blackhole", "prohibit", "unreachable"}) {
        if (std::find(words.begin(), words.end(), special) != words.end()) route.kind = special;
      }
      return gateway_.set_route(route);
    }
    if (kind == "neighbour") {
      if (removal) return gateway_.remove_neighbour(interface, subject);
      if (words.size() < 3) return failure("", "neighbour ADDRESS MAC interface NAME");
      const bool failed = words[2] == "failed";
      if (!failed) host_macs_[subject] = words[2];
      return gateway_.set_neighbour(interface, subject, failed ? "" : words[2]);
    }
    if (kind == "link" && words.size() == 3) return gateway_.set_link(subject, words[2] == "up");
    return failure("", "unknown line of the network section");
  }

  Status repeat(const Step& step) {
    for (uint64_t round = 0; round < step.number; ++round) {
      if (!step.variable.empty()) variables_[step.variable] = std::to_string(step.start + round);
      auto status = play_steps(step.body);
      if (status) continue;
      const std::string where =
          step.variable.empty() ? "" : "$" + step.variable + "=" + variables_[step.variable] + " ";
      return failure("", where + status.error().message());
    }
    return {};
  }

  const Scenario& scenario_;
  GatewayUnderTest& gateway_;
  Variables variables_;
  std::map<std::pair<std::string, bool>, std::deque<std::vector<uint8_t>>> output_;
  std::map<std::string, uint64_t> expected_drops_;
  std::multiset<std::string> resolve_requests_;
  std::map<std::string, std::string> host_macs_;  // by address
  std::map<std::string, uint64_t> alerts_;        // and "object ...": not expected yet
  uint32_t line_ = 0;
};

}  // namespace

std::string play_scenario(const Scenario& scenario, GatewayUnderTest& gateway) {
  return Player(scenario, gateway).play();
}

}  // namespace masugata::test
