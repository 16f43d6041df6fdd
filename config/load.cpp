// SPDX-License-Identifier: GPL-2.0-or-later
#include "config/load.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <system_error>
#include <utility>

#include "config/checks/interface_checks.h"
#include "config/reading/readers.h"
#include "config/schema/data_tree.h"
#include "config/text/parser.h"

namespace masugata::config {
namespace {

void read_model(reading::Context& context) {
  reading::read_system(context);
  reading::read_sessions(context);
  reading::read_interfaces(context);
  reading::read_tunnels(context);
  reading::read_routes(context);
  reading::read_address_sets(context);
  reading::read_services(context);
  reading::read_schedules(context);
  reading::read_domain_sets(context);
  reading::read_zones(context);
  reading::read_vpn(context);
  reading::read_ips(context);
  reading::read_antivirus(context);
  reading::read_policy(context);
  reading::read_nat(context);
  checks::check_networks_are_apart(context);
  // With errors, what seems unused may be used by a statement that was left out.
  if (context.has_errors()) return;
  checks::check_interfaces_have_zones(context);
  reading::report_unused(context);
}

Loaded one_error(std::string what) {
  Loaded loaded;
  loaded.problems.push_back({Problem::Severity::Error, 0, 0, {}, std::move(what), {}});
  return loaded;
}

// Secrets in a file that anybody can read are none.
void warn_of_open_secrets(const std::filesystem::path& path, Loaded& loaded) {
  if (!loaded.model) return;
  const bool secrets = std::any_of(loaded.model->vpn.sites.begin(), loaded.model->vpn.sites.end(),
                                   [](const VpnSite& site) { return !site.psk.empty(); });
  std::error_code unreadable;
  const auto others = std::filesystem::perms::others_all | std::filesystem::perms::group_write;
  const auto mode = std::filesystem::status(path, unreadable).permissions();
  if (!secrets || unreadable || (mode & others) == std::filesystem::perms::none) return;
  loaded.problems.push_back({Problem::Severity::Warning,
                             0,
                             0,
                             {},
                             "it holds secrets, and others can read or change it",
                             "mode 0600 or 0640: chmod 0600"});
}

Result<schema::DataTree> read_tree(std::string_view text, const std::string& name) {
  ProblemList problems;
  const text::ParsedText parsed = text::parse(text, problems);
  schema::DataTree tree = schema::build_tree(parsed.document.statements, problems);
  for (const Problem& problem : problems.take_sorted()) {
    if (problem.severity == Problem::Severity::Error) {
      return failure({}, format_problem(problem, name));
    }
  }
  return tree;
}

}  // namespace

Loaded load_text(std::string_view text, const std::string& /*name*/) {
  ProblemList problems;
  const text::ParsedText parsed = text::parse(text, problems);
  schema::DataTree tree = schema::build_tree(parsed.document.statements, problems);
  const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  reading::Context context(tree, problems, now);
  // With braces that do not match, definitions are not where they belong and every name would be
  // reported as unknown.
  if (parsed.structure_known) read_model(context);
  tree.validate(problems);

  Loaded loaded;
  if (!problems.has_errors()) loaded.model = std::move(context.model);
  loaded.problems = problems.take_sorted();
  return loaded;
}

Loaded load_file(const std::filesystem::path& path) {
  std::error_code unreadable;
  if (std::filesystem::is_directory(path, unreadable)) return one_error("is a directory");
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return one_error(fmt::format("cannot be read: {}", std::strerror(errno)));
  // Read one byte beyond the bound, never more: the parser refuses the rest.
  const Result<SecretBytes> text = read_secret_bytes(descriptor, text::kMaximumTextBytes + 1);
  ::close(descriptor);
  if (!text) return one_error("cannot be read to its end");
  Loaded loaded = load_text(*text, path.string());
  warn_of_open_secrets(path, loaded);
  return loaded;
}

Result<std::string> to_canonical_text(std::string_view text, const std::string& name,
                                      Secrets secrets) {
  return read_tree(text, name).map([secrets](const schema::DataTree& tree) {
    return schema::canonical_text(tree, secrets);
  });
}

Result<std::string> to_json(std::string_view text, const std::string& name) {
  return read_tree(text, name).map([](const schema::DataTree& tree) {
    return schema::canonical_json(tree);
  });
}

}  // namespace masugata::config
