// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/scenarios/scenario_parser.h"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <sstream>

namespace masugata::test {
namespace {

struct Line {
  uint32_t number = 0;
  std::string text;  // without comment and surrounding space
};

std::string_view trimmed(std::string_view text) {
  const size_t start = text.find_first_not_of(" \t\r");
  if (start == std::string_view::npos) return {};
  return text.substr(start, text.find_last_not_of(" \t\r") - start + 1);
}

// The text before a '#' that stands outside of quotes.
std::string_view without_comment(std::string_view text) {
  bool quoted = false;
  for (size_t index = 0; index < text.size(); ++index) {
    if (text[index] == '"' && (index == 0 || text[index - 1] != '\\')) quoted = !quoted;
    if (text[index] == '#' && !quoted) return text.substr(0, index);
  }
  return text;
}

// Lines that say something; a '\' at the end joins the next line.
std::vector<Line> split_lines(std::string_view text) {
  std::vector<Line> lines;
  uint32_t number = 0;
  bool joining = false;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = trimmed(without_comment(text.substr(0, end)));
    text.remove_prefix(std::min(end + 1, text.size()));
    ++number;
    const bool joins = line.ends_with('\\');
    if (joins) line = trimmed(line.substr(0, line.size() - 1));
    if (joining) {
      lines.back().text += " " + std::string(line);
    } else if (!line.empty()) {
      lines.push_back({number, std::string(line)});
    }
    joining = joins && !lines.empty();
  }
  return lines;
}

int brace_balance(std::string_view text) {
  return static_cast<int>(std::count(text.begin(), text.end(), '{') -
                          std::count(text.begin(), text.end(), '}'));
}

// Splits off the first word.
std::string take_word(std::string_view& rest) {
  rest = trimmed(rest);
  const size_t end = std::min(rest.find_first_of(" \t"), rest.size());
  const std::string word(rest.substr(0, end));
  rest = trimmed(rest.substr(end));
  return word;
}

std::optional<uint64_t> parse_count(std::string_view text) {
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

Result<std::string> read_file(const std::filesystem::path& path) {
  std::ifstream stream(path);
  if (!stream) return failure(path.string(), "cannot be read");
  std::ostringstream text;
  text << stream.rdbuf();
  return text.str();
}

class Parser {
 public:
  Parser(std::string_view text, std::string file, std::filesystem::path folder)
      : lines_(split_lines(text)), file_(std::move(file)), folder_(std::move(folder)) {}

  Result<Scenario> parse() {
    scenario_.file = file_;
    while (position_ < lines_.size()) {
      auto status = parse_statement();
      if (!status) return tl::unexpected(status.error());
    }
    if (scenario_.title.empty()) return failure(file_, "the line 'scenario TITLE' is missing");
    return std::move(scenario_);
  }

 private:
  [[nodiscard]] tl::unexpected<Fault> fault(const Line& line, std::string what) const {
    return failure(file_ + ":" + std::to_string(line.number), std::move(what));
  }

  Status parse_statement() {
    const Line line = lines_[position_];
    std::string_view rest = line.text;
    const std::string word = take_word(rest);
    if (word == "scenario") {
      scenario_.title = rest;
      ++position_;
      return {};
    }
    if (word == "topology") {
      ++position_;
      return add_topology(line, std::string(rest));
    }
    if (word == "config") {
      auto text = take_block();
      if (!text) return tl::unexpected(text.error());
      scenario_.configuration += *text;
      return {};
    }
    // Before anything happens: what the gateway starts with.
    const bool starting =
        std::all_of(scenario_.steps.begin(), scenario_.steps.end(),
                    [](const Step& step) { return step.kind == StepKind::Network; });
    if (word == "rules" && starting) {
      auto text = take_block();
      if (!text) return tl::unexpected(text.error());
      scenario_.rules = std::move(*text);
      return {};
    }
    auto step = parse_step();
    if (!step) return tl::unexpected(step.error());
    scenario_.steps.push_back(std::move(*step));
    return {};
  }

  Status add_topology(const Line& line, const std::string& name) {
    auto configuration = read_file(folder_ / "topologies" / (name + ".conf"));
    if (!configuration) return fault(line, "no such topology: " + configuration.error().where);
    scenario_.configuration += *configuration;
    topology_ = *configuration;
    auto network = read_file(folder_ / "topologies" / (name + ".network"));
    if (!network) return fault(line, "no such topology: " + network.error().where);
    for (const Line& entry : split_lines(*network)) {
      Step step;
      step.kind = StepKind::Network;
      step.line = line.number;
      step.text = entry.text;
      scenario_.steps.push_back(std::move(step));
    }
    return {};
  }

  // The lines between the brace that ends the current line and the one that closes it.
  Result<std::string> take_block() {
    const Line& opening = lines_[position_];
    if (!opening.text.ends_with('{')) return fault(opening, "the line must end with '{'");
    int depth = brace_balance(opening.text);
    std::string text;
    while (++position_ < lines_.size()) {
      depth += brace_balance(lines_[position_].text);
      if (depth <= 0) {
        ++position_;
        return text;
      }
      text += lines_[position_].text + "\n";
    }
    return fault(opening, "the block is not closed");
  }

  Result<Step> parse_step() {
    const Line line = lines_[position_];
    Step step;
    step.line = line.number;
    std::string_view rest = line.text;
    const std::string word = take_word(rest);
    if (word == "reload" || word == "reload-refused") return parse_reload(std::move(step), word);
    if (word == "rules") {
      auto text = take_block();
      if (!text) return tl::unexpected(text.error());
      step.kind = StepKind::Rules;
      step.text = std::move(*text);
      return step;
    }
    if (word == "repeat") return parse_repeat(std::move(step), line, rest);
    if (word == "burst") {
      step.kind = StepKind::Burst;
      return parse_body(std::move(step));
    }
    ++position_;
    if (word == "scanner") {
      step.kind = StepKind::Scanner;
      step.text = rest;
      return step;
    }
    if (word == "send") return parse_frame(std::move(step), StepKind::Send, line, rest);
    if (word == "expect") return parse_expect(std::move(step), line, rest);
    if (word == "ignore") {
      if (rest != "drops" && rest != "output") return fault(line, "ignore drops, or ignore output");
      step.kind = rest == "drops" ? StepKind::IgnoreDrops : StepKind::IgnoreOutput;
      return step;
    }
    if (word == "advance") {
      const auto duration = parse_duration(rest);
      if (!duration) return fault(line, "a duration is 500ms, 30s, 5m, 2h or 1d");
      step.kind = StepKind::Advance;
      step.number = *duration;
      return step;
    }
    if (word == "clock") {
      step.kind = StepKind::Clock;
      step.text = rest;
      return step;
    }
    if (word == "route" || word == "neighbour" || word == "link" || word == "no") {
      step.kind = StepKind::Network;
      step.text = line.text;
      return step;
    }
    return fault(line, "unknown statement '" + word + "'");
  }

  Result<Step> parse_reload(Step step, const std::string& word) {
    auto text = take_block();
    if (!text) return tl::unexpected(text.error());
    step.kind = word == "reload" ? StepKind::Reload : StepKind::ReloadRefused;
    step.text = topology_ + *text;
    return step;
  }

  // repeat 10 as $i from 1 {
  Result<Step> parse_repeat(Step step, const Line& line, std::string_view rest) {
    step.kind = StepKind::Repeat;
    const auto count = parse_count(take_word(rest));
    if (!count) return fault(line, "repeat COUNT [as $NAME [from NUMBER]] {");
    step.number = *count;
    if (rest.starts_with("as ")) {
      take_word(rest);
      const std::string variable = take_word(rest);
      if (!variable.starts_with('$')) return fault(line, "a variable begins with '$'");
      step.variable = variable.substr(1);
    }
    if (rest.starts_with("from ")) {
      take_word(rest);
      const auto start = parse_count(take_word(rest));
      if (!start) return fault(line, "from NUMBER");
      step.start = *start;
    }
    if (rest != "{") return fault(line, "repeat COUNT [as $NAME [from NUMBER]] {");
    return parse_body(std::move(step));
  }

  // The steps up to the line "}".
  Result<Step> parse_body(Step step) {
    const Line opening = lines_[position_];
    if (!opening.text.ends_with('{')) return fault(opening, "the line must end with '{'");
    ++position_;
    while (position_ < lines_.size() && lines_[position_].text != "}") {
      auto inner = parse_step();
      if (!inner) return inner;
      if (step.kind == StepKind::Burst && inner->kind != StepKind::Send) {
        return failure(file_ + ":" + std::to_string(inner->line), "a burst holds only send");
      }
      step.body.push_back(std::move(*inner));
    }
    if (position_ == lines_.size()) return fault(opening, "the block is not closed");
    ++position_;
    return step;
  }

  // [kernel] PORT: RECIPE
  Result<Step> parse_frame(Step step, StepKind kind, const Line& line, std::string_view rest) {
    step.kind = kind;
    const size_t colon = rest.find(": ");
    if (colon == std::string_view::npos) return fault(line, "'PORT: RECIPE' is missing");
    std::string_view place = rest.substr(0, colon);
    if (place.starts_with("kernel ")) {
      step.kernel = true;
      take_word(place);
    }
    if (place.empty() || place.find(' ') != std::string_view::npos) {
      return fault(line, "'" + std::string(place) + "' is no port");
    }
    step.port = place;
    step.text = trimmed(rest.substr(colon + 2));
    return step;
  }

  Result<Step> parse_expect(Step step, const Line& line, std::string_view rest) {
    std::string_view after = rest;
    const std::string word = take_word(after);
    if (word == "nothing" && after.empty()) {
      step.kind = StepKind::ExpectNothing;
      return step;
    }
    if (word == "session" || word == "resolve") {
      step.kind = word == "session" ? StepKind::ExpectSession : StepKind::ExpectResolve;
      step.text = after;
      return step;
    }
    if (word == "no" && take_word(after) == "session") {
      step.kind = StepKind::ExpectNoSession;
      step.text = after;
      return step;
    }
    if (word == "sessions") {
      const auto count = parse_count(after);
      if (!count) return fault(line, "expect sessions COUNT");
      step.kind = StepKind::ExpectSessions;
      step.number = *count;
      return step;
    }
    if (word == "alert") return parse_alert(std::move(step), line, after);
    if (word == "object") {
      step.kind = StepKind::ExpectObject;
      step.text = after;
      return step;
    }
    if (word != "drop") return parse_frame(std::move(step), StepKind::Expect, line, rest);
    step.kind = StepKind::ExpectDrop;
    step.text = take_word(after);
    if (after.empty()) return step;
    const auto count = after.starts_with('x') ? parse_count(after.substr(1)) : std::nullopt;
    if (!count) return fault(line, "expect drop REASON [xCOUNT]");
    step.number = *count;
    return step;
  }

  // SID [blocked] [xCOUNT]
  Result<Step> parse_alert(Step step, const Line& line, std::string_view rest) {
    step.kind = StepKind::ExpectAlert;
    const std::string sid = take_word(rest);
    std::string_view after = rest;
    const bool blocked = take_word(after) == "blocked";
    step.text = sid + (blocked ? " blocked" : " allowed");
    if (blocked) rest = after;
    if (rest.empty() && parse_count(sid)) return step;
    const auto count = rest.starts_with('x') ? parse_count(rest.substr(1)) : std::nullopt;
    if (!count || !parse_count(sid)) return fault(line, "expect alert SID [blocked] [xCOUNT]");
    step.number = *count;
    return step;
  }

  std::vector<Line> lines_;
  size_t position_ = 0;
  std::string file_;
  std::filesystem::path folder_;
  std::string topology_;
  Scenario scenario_;
};

}  // namespace

Result<Scenario> parse_scenario(std::string_view text, const std::string& file,
                                const std::filesystem::path& folder) {
  return Parser(text, file, folder).parse();
}

Result<std::vector<Scenario>> load_scenarios(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> paths;
  std::error_code error;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder, error)) {
    if (entry.path().extension() == ".scenario") paths.push_back(entry.path());
  }
  if (error) return failure(folder.string(), error.message());
  std::sort(paths.begin(), paths.end());
  std::vector<Scenario> scenarios;
  for (const auto& path : paths) {
    auto text = read_file(path);
    if (!text) return tl::unexpected(text.error());
    auto scenario = parse_scenario(*text, path.filename().string(), folder);
    if (!scenario) return tl::unexpected(scenario.error());
    scenario->name = path.stem().string();
    std::replace(scenario->name.begin(), scenario->name.end(), '-', '_');
    scenarios.push_back(std::move(*scenario));
  }
  return scenarios;
}

std::optional<uint64_t> parse_duration(std::string_view text) {
  struct Unit {
    std::string_view name;
    uint64_t milliseconds;
  };
  constexpr Unit kUnits[] = {{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {"d", 86400000}};
  for (const Unit& unit : kUnits) {
    if (!text.ends_with(unit.name)) continue;
    const auto count = parse_count(text.substr(0, text.size() - unit.name.size()));
    if (count) return *count * unit.milliseconds;
  }
  return std::nullopt;
}

}  // namespace masugata::test
