// SPDX-License-Identifier: GPL-2.0-or-later
// Puts configurations into a charon over vici, as masugatad does, and tells what charon has. For
// tests: commands on standard input, answers on standard output, each with `end` behind it.
//
//   charon_loader settings FILE VICI-SOCKET KERNEL LOG    writes strongswan.conf and ends
//   charon_loader VICI-SOCKET PKI-FOLDER                  commit FILE | keep-up | status |
//                                                         record FILE | version | rekey SITE
#include <fmt/format.h>

#include <chrono>
#include <fstream>
#include <iostream>
#include <sstream>
#include <string>

#include "config/load.h"
#include "ipsec/charon/charon_control.h"
#include "ipsec/charon/daemon_settings.h"
#include "ipsec/charon/site_status.h"
#include "ipsec/pki/pki_store.h"

namespace {

using namespace masugata;
using namespace masugata::ipsec;

class Loader {
 public:
  Loader(ViciSession session, const std::string& folder)
      : session_(std::move(session)), store_(folder) {}

  void act(const std::string& line) {
    std::istringstream words(line);
    std::string command;
    std::string argument;
    words >> command >> argument;
    if (command == "commit") {
      commit(argument);
    } else if (command == "keep-up") {
      const auto begun = control_.keep_up(session_, std::chrono::steady_clock::now());
      if (!begun) return fault(begun.error());
      for (const std::string& name : *begun) fmt::print("begun {}\n", name);
    } else if (command == "status") {
      const auto sites = site_statuses(session_, settings_);
      if (!sites) return fault(sites.error());
      for (const SiteStatus& site : *sites) fmt::print("{}", to_text(site));
    } else if (command == "record") {
      record(argument);
    } else if (command == "version") {
      const auto version = charon_version(session_);
      if (!version) return fault(version.error());
      fmt::print("{} {}\n", version->daemon, version->version);
    } else if (command == "rekey") {
      const Status done = control_.rekey(session_, argument, false);
      if (!done) return fault(done.error());
    } else {
      fmt::print("fault no such command\n");
    }
  }

 private:
  static void fault(const Fault& fault) { fmt::print("fault {}\n", fault.message()); }

  void commit(const std::string& path) {
    config::Loaded loaded = config::load_file(path);
    for (const config::Problem& problem : loaded.problems) {
      fmt::print("problem {}\n", config::format_problem(problem, path));
    }
    if (!loaded.model) return;
    settings_ = loaded.model->vpn;
    const auto report = control_.commit(session_, plan_connections(*loaded.model, store_));
    if (!report) return fault(report.error());
    for (const std::string& name : report->loaded) fmt::print("loaded {}\n", name);
    for (const std::string& name : report->unchanged) fmt::print("unchanged {}\n", name);
    for (const std::string& name : report->removed) fmt::print("removed {}\n", name);
    for (const Fault& one : report->faults) fault(one);
  }
  // The messages of list-sas as they are on the wire, to learn from later.
  void record(const std::string& path) {
    const auto sas = session_.stream("list-sas", "list-sa", {});
    if (!sas) return fault(sas.error());
    std::ofstream file(path);
    for (const ViciSection& sa : *sas) file << ipsec::to_text(sa);
  }

  ViciSession session_;
  pki::PkiStore store_;
  CharonControl control_;
  config::VpnSettings settings_;
};

}  // namespace

int main(int count, char** values) {
  const std::string first = count > 1 ? values[1] : "";
  if (first == "settings" && count == 6) {
    DaemonSettings settings;
    settings.vici_socket = values[3];
    settings.ipsec_kernel = values[4];
    settings.log_file = values[5];
    const auto written = write_daemon_configuration(values[2], settings);
    if (!written) fmt::print(stderr, "{}\n", written.error().message());
    return written ? 0 : 1;
  }
  if (count != 3) return 2;
  auto session = ViciSession::connect(first);
  if (!session) {
    fmt::print(stderr, "{}\n", session.error().message());
    return 1;
  }
  Loader loader(std::move(*session), values[2]);
  for (std::string line; std::getline(std::cin, line);) {
    loader.act(line);
    fmt::print("end\n");
    std::fflush(stdout);
  }
  return 0;
}
