// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/scenarios/session_expectation.h"

#include <sstream>
#include <vector>

#include "tests/scenarios/scenario_parser.h"

namespace masugata::test {

Result<SessionExpectation> SessionExpectation::parse(const std::string& text) {
  std::istringstream stream(text);
  std::vector<std::string> words;
  for (std::string word; stream >> word;) words.push_back(word);
  SessionExpectation expectation;
  auto& wanted = expectation.wanted_;
  auto take_pair = [&](size_t index, const std::string& left, const std::string& right) {
    if (index + 2 >= words.size() || words[index + 1] != ">") return false;
    wanted[left] = words[index];
    wanted[right] = words[index + 2];
    return true;
  };
  if (words.empty() || !take_pair(1, "source", "destination")) {
    return failure("", "a session is PROTOCOL SOURCE > DESTINATION ...");
  }
  wanted["protocol"] = words[0];
  size_t index = 4;
  while (index < words.size()) {
    const std::string& name = words[index];
    if (name == "translated") {
      if (!take_pair(index + 1, "translated-source", "translated-destination")) {
        return failure("", "translated SOURCE > DESTINATION");
      }
      index += 4;
    } else if (name == "zones") {
      if (!take_pair(index + 1, "from-zone", "to-zone")) return failure("", "zones FROM > TO");
      index += 4;
    } else if ((name == "state" || name == "rule" || name == "packets" || name == "expires") &&
               index + 1 < words.size()) {
      std::string value = words[index + 1];
      if (name == "expires") {
        const auto duration = parse_duration(value);
        if (!duration) return failure("", "expires DURATION");
        value = std::to_string(*duration) + "ms";
      }
      wanted[name] = value;
      index += 2;
    } else {
      return failure("", "a session has no '" + name + "'");
    }
  }
  return expectation;
}

bool SessionExpectation::matches(const SessionView& session) const {
  const auto fields = session_fields(session);
  for (const auto& [name, value] : wanted_) {
    if (value != "*" && fields.at(name) != value) return false;
  }
  return true;
}

std::map<std::string, std::string> session_fields(const SessionView& session) {
  return {{"protocol", session.protocol},
          {"source", session.source},
          {"destination", session.destination},
          {"translated-source", session.translated_source},
          {"translated-destination", session.translated_destination},
          {"state", session.state},
          {"rule", session.rule},
          {"from-zone", session.from_zone},
          {"to-zone", session.to_zone},
          {"expires", std::to_string(session.expires_ms) + "ms"},
          {"packets",
           std::to_string(session.packets_original) + "/" + std::to_string(session.packets_reply)}};
}

std::string session_text(const SessionView& session) {
  return session.protocol + " " + session.source + " > " + session.destination + " translated " +
         session.translated_source + " > " + session.translated_destination + " state " +
         session.state + " rule " + session.rule + " zones " + session.from_zone + " > " +
         session.to_zone + " expires " + std::to_string(session.expires_ms) + "ms packets " +
         std::to_string(session.packets_original) + "/" + std::to_string(session.packets_reply);
}

}  // namespace masugata::test
