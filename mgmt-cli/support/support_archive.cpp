// SPDX-License-Identifier: GPL-2.0-or-later
#include "mgmt-cli/support/support_archive.h"

#include <fcntl.h>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <optional>
#include <sstream>
#include <utility>
#include <vector>

#include "config/load.h"
#include "ipsec/charon/vici_session.h"
#include "mgmt-cli/commands/command_line.h"
#include "mgmt-cli/output/render.h"
#include "mgmt-cli/protocol/json_rpc_client.h"
#include "mgmt-cli/support/archive_file.h"
#include "mgmt-cli/support/local_facts.h"
#include "mgmt-cli/support/secret_filter.h"
#include "mgmt-cli/support/support_contents.h"

namespace masugata::cli {
namespace {

using Clock = std::chrono::steady_clock;

constexpr const char* kFolder = "masugata-support/";
constexpr const char* kUsualConfiguration = "/etc/masugata/gateway.conf";

std::vector<std::string> words_of(std::string_view text) {
  std::istringstream stream{std::string(text)};
  std::vector<std::string> words;
  for (std::string word; stream >> word;) words.push_back(word);
  return words;
}

// Of a file in the archive: letters, digits, '-', '_' and '.'; everything else is '-'.
std::string plain_name(std::string_view text) {
  std::string name(text);
  for (char& letter : name) {
    const auto byte = static_cast<unsigned char>(letter);
    if (std::isalnum(byte) == 0 && letter != '_' && letter != '.') letter = '-';
  }
  return name;
}

// In canonical form: comments are left out, somebody may have written a secret there.
Result<std::string> configuration_without_secrets(const std::string& path) {
  constexpr size_t kMaximumBytes = size_t{16} << 20U;
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor < 0) return failure(path, std::strerror(errno));
  const auto text = config::read_secret_bytes(descriptor, kMaximumBytes);
  ::close(descriptor);
  if (!text) return failure(path, text.error().what);
  return config::to_canonical_text(*text, path, config::Secrets::Hide);
}

// One run of it.
class Collector {
 public:
  Collector(ArchiveFile& file, const std::string& control_socket)
      : file_(file), control_socket_(control_socket), deadline_(Clock::now() + kSupportTime) {}

  // Fault: the file cannot be written.
  Status collect();
  void count_into(SupportArchive& result) const {
    result.pieces = pieces_;
    result.left_out = left_out_;
    result.hidden = hidden_;
  }

 private:
  void add(const std::string& name, Result<std::string> content);
  void leave_out(const std::string& name, const std::string& why);
  [[nodiscard]] bool is_late() const { return Clock::now() >= deadline_; }
  // Null when there is no answer.
  Json ask(const std::string& words, const std::string& name);
  void read_configuration();
  void ask_gateway();
  void ask_charon();
  void look_at_processes();
  void look_at_machine();
  void read_logs();

  ArchiveFile& file_;
  const std::string& control_socket_;
  Clock::time_point deadline_;
  SecretFilter filter_;
  std::optional<JsonRpcClient> client_;
  std::string no_gateway_;  // why there is no client
  std::optional<config::Model> model_;
  pid_t gateway_ = 0;
  std::string contents_;
  Status written_;
  size_t bytes_ = 0;
  uint64_t pieces_ = 0;
  uint64_t left_out_ = 0;
  uint64_t hidden_ = 0;
};

void Collector::leave_out(const std::string& name, const std::string& why) {
  contents_ += fmt::format("{:<44} left out: {}\n", name, why);
  ++left_out_;
}

void Collector::add(const std::string& name, Result<std::string> content) {
  if (!written_) return;
  if (!content) return leave_out(name, content.error().message());
  std::string note;
  if (content->size() > kMaximumSupportPieceBytes) {
    note = fmt::format(", the first of {}", content->size());
    content->resize(kMaximumSupportPieceBytes);
  }
  if (const size_t found = filter_.hide_in(*content); found != 0) {
    note += fmt::format(", {} secrets hidden", found);
    hidden_ += found;
  }
  if (bytes_ + content->size() > kMaximumSupportBytes) return leave_out(name, "no room is left");
  written_ = file_.add(kFolder + name, *content);
  bytes_ += content->size();
  ++pieces_;
  contents_ += fmt::format("{:<44} {} bytes{}\n", name, content->size(), note);
}

Json Collector::ask(const std::string& words, const std::string& name) {
  const auto give_up = [this, &name](const std::string& why) {
    leave_out(name, why);
    return Json();
  };
  if (!client_) return give_up(no_gateway_);
  if (is_late()) return give_up("there was no time left");
  const auto invocation = parse_command(words_of(words));
  if (!invocation) return give_up(invocation.error().message());
  const std::string method(invocation->command->method);
  const auto answer = client_->call(method, invocation->parameters);
  if (!answer) {
    if (answer.error().kind == CallError::Kind::Unreachable) {
      no_gateway_ = answer.error().message;
      client_.reset();
    }
    return give_up(answer.error().message);
  }
  add(name + ".txt", render_answer(method, invocation->parameters, *answer));
  add(name + ".json", answer->dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
  return *answer;
}

// First of all: it says what the secrets are that must not be in the rest.
void Collector::read_configuration() {
  std::string path = kUsualConfiguration;
  if (client_) {
    if (const auto system = client_->call("show.system", Json::object()); system) {
      if (const std::string named = text_of(*system, "configuration_file"); !named.empty()) {
        path = named;
      }
    }
  }
  config::Loaded loaded = config::load_file(path);
  if (loaded.model) filter_.add_secrets_of(*loaded.model);
  std::string problems;
  for (const config::Problem& problem : loaded.problems) {
    problems += config::format_problem(problem, path) + "\n";
  }
  add("configuration/problems.txt", problems);
  add("configuration/gateway.conf", configuration_without_secrets(path));
  model_ = std::move(loaded.model);
}

void Collector::ask_gateway() {
  for (const SupportQuestion& question : support_questions()) {
    const std::string words(question.words);
    const Json answer = ask(fmt::format("{} {}", words, question.limits),
                            "show/" + plain_name(words.substr(std::string("show ").size())));
    if (words != "show vpn") continue;
    for (const Json& site : list_of(answer, "sites")) {
      const std::string name = text_of(site, "name");
      ask("show vpn " + name, "show/vpn-site-" + plain_name(name));
    }
  }
  for (const LeftOutQuestion& question : left_out_questions()) {
    leave_out(std::string(question.words), std::string(question.why));
  }
}

// Its SAs as it sees them; vici never hands out keys.
void Collector::ask_charon() {
  const std::string socket =
      std::filesystem::path(control_socket_).replace_filename("charon.vici").string();
  constexpr std::chrono::seconds kTime{kSupportAnswerSeconds};
  for (const auto& [command, event] : {std::pair{"list-sas", "list-sa"},
                                       {"list-conns", "list-conn"},
                                       {"list-policies", "list-policy"}}) {
    const std::string name = fmt::format("charon/{}.txt", command);
    if (is_late()) {
      leave_out(name, "there was no time left");
      continue;
    }
    auto session = ipsec::ViciSession::connect(socket, kTime);
    if (!session) {
      leave_out(name, session.error().message());
      continue;
    }
    const auto parts = session->stream(command, event, {}, kTime);
    std::string text;
    if (parts) {
      for (const ipsec::ViciSection& part : *parts) text += ipsec::to_text(part);
    }
    add(name, parts ? Result<std::string>(text) : tl::unexpected<Fault>(parts.error()));
  }
}

void Collector::look_at_processes() {
  for (const char* name : {"masugatad", "charon-systemd", "masugata-scand"}) {
    std::vector<pid_t> processes = processes_named(name);
    // This gateway's, where several run.
    if (gateway_ != 0 && std::string_view(name) == "masugatad") processes = {gateway_};
    if (processes.empty()) leave_out(fmt::format("processes/{}", name), "does not run");
    for (const pid_t process : processes) {
      for (const std::string_view file : support_process_files()) {
        add(fmt::format("processes/{}-{}/{}.txt", name, process, file),
            beginning_of_file(fmt::format("/proc/{}/{}", process, file),
                              kMaximumSupportPieceBytes));
      }
    }
  }
}

void Collector::look_at_machine() {
  // In the namespace of the gateway.
  const std::string process = gateway_ != 0 ? std::to_string(gateway_) : "self";
  for (const std::string_view file : support_network_files()) {
    add(fmt::format("kernel/{}.txt", plain_name(file)),
        beginning_of_file(fmt::format("/proc/{}/{}", process, file), kMaximumSupportPieceBytes));
  }
  for (const std::string_view file : support_machine_files()) {
    add(fmt::format("machine/{}.txt", plain_name(file.substr(1))),
        beginning_of_file(std::string(file), kMaximumSupportPieceBytes));
  }
}

void Collector::read_logs() {
  add("logs/journal.txt",
      journal_of_units({"masugatad.service", "masugata-charon.service", "masugata-scand.service"},
                       kMaximumSupportPieceBytes, deadline_));
  const auto add_end_of = [this](const std::string& name, const std::string& file) {
    if (file.empty()) return;
    add("logs/" + plain_name(name), end_of_file(file, kMaximumSupportPieceBytes));
  };
  std::vector<std::string> files;
  if (model_) files.push_back(model_->ips.log.file);
  if (gateway_ != 0) {
    const auto output = output_file_of_process(gateway_);
    if (output) add_end_of(output->name, output->path);
    const std::vector<std::string> words = words_of_process(gateway_);
    const auto option = std::find(words.begin(), words.end(), "--charon-log");
    if (option != words.end() && option + 1 != words.end()) files.push_back(option[1]);
  }
  for (const std::string& file : files) {
    add_end_of(std::filesystem::path(file).filename(), file);
  }
}

Status Collector::collect() {
  auto client = JsonRpcClient::connect(control_socket_);
  if (client) {
    client_.emplace(std::move(*client));
    client_->set_answer_seconds(kSupportAnswerSeconds);
    gateway_ = client_->peer();
  } else {
    no_gateway_ = client.error().message;
  }
  read_configuration();
  add("version.txt",
      fmt::format("masugata {}\nmade at {:%Y-%m-%dT%H:%M:%SZ}\n{}", MASUGATA_VERSION,
                  fmt::gmtime(std::time(nullptr)), no_gateway_.empty() ? "" : no_gateway_ + "\n"));
  ask_gateway();
  ask_charon();
  look_at_processes();
  look_at_machine();
  read_logs();
  if (!written_) return written_;
  filter_.hide_in(contents_);
  return file_.add(std::string(kFolder) + "contents.txt", contents_);
}

}  // namespace

Result<SupportArchive> make_support_archive(const std::string& path,
                                            const std::string& control_socket) {
  auto file = ArchiveFile::create(path);
  if (!file) return tl::unexpected(file.error());
  Collector collector(*file, control_socket);
  if (Status collected = collector.collect(); !collected) return tl::unexpected(collected.error());
  const auto finished = file->finish();
  if (!finished) return tl::unexpected(finished.error());
  SupportArchive result;
  result.path = path;
  result.bytes = finished->bytes;
  result.sha256 = finished->sha256;
  collector.count_into(result);
  return result;
}

std::string render_support_archive(const SupportArchive& made) {
  std::string text = fmt::format(
      "{}\n  {} bytes, {} files; left out: {}, see contents.txt\n"
      "  SHA-256 {}\n",
      made.path, made.bytes, made.pieces, made.left_out, made.sha256);
  if (made.hidden != 0) {
    text += fmt::format("  {} times a secret stood where none should be, and was taken out\n",
                        made.hidden);
  }
  return text;
}

std::string usual_support_file() {
  return fmt::format("masugata-support-{:%Y%m%d-%H%M%S}.tar.gz", fmt::gmtime(std::time(nullptr)));
}

}  // namespace masugata::cli
