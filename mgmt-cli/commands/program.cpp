// SPDX-License-Identifier: GPL-2.0-or-later
#include "mgmt-cli/commands/program.h"

#include <algorithm>
#include <exception>
#include <filesystem>
#include <ostream>

#include "mgmt-cli/commands/check.h"
#include "mgmt-cli/commands/command_line.h"
#include "mgmt-cli/commands/completion.h"
#include "mgmt-cli/commands/release_object.h"
#include "mgmt-cli/output/render.h"
#include "mgmt-cli/protocol/json_rpc_client.h"
#include "mgmt-cli/support/support_archive.h"

namespace masugata::cli {
namespace {

constexpr const char* kReplayProgram = "masugata-replay";
constexpr const char* kPkiProgram = "masugata-pki";

struct ProgramOptions {
  std::string control_socket = kDefaultControlSocket;
  bool as_json = false;
  bool help = false;
  bool version = false;
  std::vector<std::string> words;  // the command
};

class Program {
 public:
  explicit Program(Surroundings surroundings) : surroundings_(surroundings) {}

  int run(const std::vector<std::string>& arguments);

 private:
  int usage_problem(const std::string& what);
  int call_problem(const CallError& error);
  Result<ProgramOptions> read_options(const std::vector<std::string>& arguments) const;
  int dispatch(const Invocation& invocation);
  int show_help(const std::vector<std::string>& words);
  int show_version();
  int call(const Invocation& invocation);
  int reload(Invocation invocation);
  int release(const Invocation& invocation);
  int make_archive(const Invocation& invocation);
  int monitor(const Invocation& invocation);
  int become(const std::string& program, const std::vector<std::string>& arguments);
  int scan_files(std::vector<std::string> arguments);
  int offer_completion(const std::vector<std::string>& words);
  std::vector<std::string> names_of_gateway(ValueKind kind);
  void print_json(const Json& json) {
    surroundings_.output << json.dump(2, ' ', false, Json::error_handler_t::replace) << "\n";
  }

  Surroundings surroundings_;
  ProgramOptions options_;
};

int Program::usage_problem(const std::string& what) {
  surroundings_.errors << "masugata: " << what << "\n";
  return kUsage;
}

int Program::call_problem(const CallError& error) {
  surroundings_.errors << "masugata: " << error.message << "\n";
  return error.kind == CallError::Kind::Unreachable ? kUnreachable : kProblem;
}

// Options may stand before or behind the command; "--" ends them.
Result<ProgramOptions> Program::read_options(const std::vector<std::string>& arguments) const {
  ProgramOptions options;
  if (const auto path = surroundings_.environment("MASUGATA_CONTROL_SOCKET"); path) {
    if (!path->empty()) options.control_socket = *path;
  }
  const std::string socket_prefix = "--control-socket=";
  bool reading = true;
  for (size_t index = 0; index < arguments.size(); ++index) {
    const std::string& word = arguments[index];
    if (!reading || !word.starts_with("-") || word == "-") {
      options.words.push_back(word);
    } else if (word == "--") {
      reading = false;
    } else if (word == "--json") {
      options.as_json = true;
    } else if (word == "--help" || word == "-h") {
      options.help = true;
    } else if (word == "--version") {
      options.version = true;
    } else if (word == "--control-socket") {
      if (++index >= arguments.size()) return failure("", "--control-socket needs a path");
      options.control_socket = arguments[index];
    } else if (word.starts_with(socket_prefix)) {
      options.control_socket = word.substr(socket_prefix.size());
    } else {
      return failure("", "there is no option '" + word +
                             "': --control-socket PATH, --json, --help, --version");
    }
  }
  return options;
}

int Program::show_help(const std::vector<std::string>& words) {
  if (words.empty()) {
    surroundings_.output << help_text();
    return kDone;
  }
  const std::string text = help_about(words);
  if (text.empty()) {
    const auto parsed = parse_command(words);
    return usage_problem(parsed ? "there is no more to say about this" : parsed.error().what);
  }
  surroundings_.output << text;
  return kDone;
}

int Program::show_version() {
  if (options_.as_json) {
    print_json({{"version", MASUGATA_VERSION}});
  } else {
    surroundings_.output << "masugata " << MASUGATA_VERSION << "\n";
  }
  return kDone;
}

int Program::call(const Invocation& invocation) {
  auto client = JsonRpcClient::connect(options_.control_socket);
  if (!client) return call_problem(client.error());
  const std::string method(invocation.command->method);
  const auto answer = client->call(method, invocation.parameters);
  if (!answer) return call_problem(answer.error());
  if (options_.as_json) {
    print_json(*answer);
  } else {
    surroundings_.output << render_answer(method, invocation.parameters, *answer);
  }
  return kDone;
}

int Program::reload(Invocation invocation) {
  if (invocation.parameters.contains("file")) {
    const std::filesystem::path file = invocation.parameters["file"].get<std::string>();
    std::error_code error;
    const auto absolute = std::filesystem::absolute(file, error);
    if (!error) invocation.parameters["file"] = absolute.string();
  }
  auto client = JsonRpcClient::connect(options_.control_socket);
  if (!client) return call_problem(client.error());
  const auto report = client->call("reload", invocation.parameters);
  if (!report) return call_problem(report.error());
  const bool applied = flag_of(*report, "applied");
  if (options_.as_json) {
    print_json(*report);
  } else {
    (applied ? surroundings_.output : surroundings_.errors) << render_reload(*report);
  }
  // A tunnel that is not as configured, though everything else is.
  const Json& problems = list_of(*report, "problems");
  const bool errors = std::any_of(problems.begin(), problems.end(), [](const Json& problem) {
    return text_of(problem, "severity") == "error";
  });
  return applied && !errors ? kDone : kProblem;
}

int Program::release(const Invocation& invocation) {
  auto client = JsonRpcClient::connect(options_.control_socket);
  if (!client) return call_problem(client.error());
  const std::string file = invocation.parameters.at("file").get<std::string>();
  const auto bytes =
      release_object(*client, invocation.parameters.at("reference").get<std::string>(), file);
  if (!bytes) return call_problem(bytes.error());
  if (options_.as_json) {
    print_json({{"file", file}, {"bytes", *bytes}});
  } else {
    surroundings_.output << *bytes << " bytes are in " << file << "; beware of them\n";
  }
  return kDone;
}

int Program::make_archive(const Invocation& invocation) {
  const auto made = make_support_archive(invocation.parameters.value("file", usual_support_file()),
                                         options_.control_socket);
  if (!made) {
    surroundings_.errors << "masugata: " << made.error().message() << "\n";
    return kProblem;
  }
  if (options_.as_json) {
    print_json({{"file", made->path},
                {"bytes", made->bytes},
                {"sha256", made->sha256},
                {"pieces", made->pieces},
                {"left_out", made->left_out},
                {"secrets_hidden", made->hidden}});
  } else {
    surroundings_.output << render_support_archive(*made);
  }
  return kDone;
}

int Program::monitor(const Invocation& invocation) {
  auto client = JsonRpcClient::connect(options_.control_socket);
  if (!client) return call_problem(client.error());
  const bool packets = invocation.command->method == "monitor.trace";
  const auto started = client->call(std::string(invocation.command->method), invocation.parameters);
  if (!started) return call_problem(started.error());
  while (true) {
    const auto notification = client->next_notification();
    if (!notification) return call_problem(notification.error());
    if (notification->method == "trace.ended") {
      if (!options_.as_json) {
        surroundings_.errors << "masugata: ended: " << text_of(notification->parameters, "why")
                             << "\n";
      }
      return kDone;
    }
    if (notification->method != (packets ? "trace.line" : "vpn.line")) continue;
    if (options_.as_json) {
      surroundings_.output << notification->parameters.dump(-1, ' ', false,
                                                            Json::error_handler_t::replace)
                           << "\n";
    } else {
      surroundings_.output << (packets ? render_trace_line(notification->parameters)
                                       : render_vpn_line(notification->parameters));
    }
    surroundings_.output.flush();
    if (!surroundings_.output) return kDone;  // nobody reads any more
  }
}

int Program::become(const std::string& program, const std::vector<std::string>& arguments) {
  surroundings_.output.flush();
  surroundings_.errors.flush();
  return surroundings_.become ? surroundings_.become(program, arguments) : kProblem;
}

int Program::scan_files(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "--scan");
  return become("masugata-scand", arguments);
}

std::vector<std::string> Program::names_of_gateway(ValueKind kind) {
  auto client = JsonRpcClient::connect(options_.control_socket);
  if (!client) return {};
  const char* list = kind == ValueKind::Zone   ? "zones"
                     : kind == ValueKind::Site ? "sites"
                                               : "interfaces";
  const std::string method = kind == ValueKind::Site ? "show.vpn" : std::string("show.") + list;
  const auto answer = client->call(method, Json::object());
  if (!answer) return {};
  std::vector<std::string> names;
  for (const Json& entry : list_of(*answer, list)) {
    names.push_back(text_of(entry, "name"));
  }
  return names;
}

int Program::offer_completion(const std::vector<std::string>& words) {
  const auto names = [this](ValueKind kind) { return names_of_gateway(kind); };
  for (const Candidate& candidate : complete(words, names)) {
    surroundings_.output << candidate.text << "\n";
  }
  return kDone;
}

int Program::dispatch(const Invocation& invocation) {
  switch (invocation.command->action) {
    case Action::Check:
      return run_check(invocation.parameters.at("file").get<std::string>(), options_.as_json,
                       surroundings_.output, surroundings_.errors);
    case Action::Call:
      return call(invocation);
    case Action::Reload:
      return reload(invocation);
    case Action::Release:
      return release(invocation);
    case Action::Monitor:
      return monitor(invocation);
    case Action::TestRules: {
      std::vector<std::string> arguments = {"--test-rules"};
      for (const Json& file : invocation.parameters.at("files")) {
        arguments.push_back(file.get<std::string>());
      }
      if (options_.as_json) arguments.emplace_back("--json");
      return become(kReplayProgram, arguments);
    }
    case Action::Replay:
      return become(kReplayProgram, {options_.words.begin() + 1, options_.words.end()});
    case Action::Scan:
      return scan_files({options_.words.begin() + 1, options_.words.end()});
    case Action::Pki:
      return become(kPkiProgram, {options_.words.begin() + 1, options_.words.end()});
    case Action::Support:
      return make_archive(invocation);
    case Action::Version:
      return show_version();
    case Action::Help:
      return show_help({options_.words.begin() + 1, options_.words.end()});
  }
  return kUsage;
}

int Program::run(const std::vector<std::string>& arguments) {
  // For the shell's completion; not a command for people, so it is not in the table.
  if (!arguments.empty() && arguments[0] == "--complete") {
    if (const auto path = surroundings_.environment("MASUGATA_CONTROL_SOCKET"); path) {
      options_.control_socket = *path;
    }
    return offer_completion({arguments.begin() + 1, arguments.end()});
  }
  // Its options are not ours.
  if (!arguments.empty() && arguments[0] == "replay") {
    return become(kReplayProgram, {arguments.begin() + 1, arguments.end()});
  }
  if (!arguments.empty() && arguments[0] == "scan") {
    return scan_files({arguments.begin() + 1, arguments.end()});
  }
  if (!arguments.empty() && arguments[0] == "pki") {
    return become(kPkiProgram, {arguments.begin() + 1, arguments.end()});
  }
  auto options = read_options(arguments);
  if (!options) return usage_problem(options.error().what);
  options_ = std::move(*options);
  if (options_.version) return show_version();
  if (options_.help) return show_help(options_.words);
  if (options_.words.empty()) {
    surroundings_.errors << help_text();
    return kUsage;
  }
  const auto invocation = parse_command(options_.words);
  if (!invocation) return usage_problem(invocation.error().what);
  return dispatch(*invocation);
}

}  // namespace

int run_program(const std::vector<std::string>& arguments, Surroundings surroundings) {
  try {
    return Program(surroundings).run(arguments);
  } catch (const std::exception& exception) {
    surroundings.errors << "masugata: internal error, please report it: " << exception.what()
                        << "\n";
    return kProblem;
  }
}

}  // namespace masugata::cli
