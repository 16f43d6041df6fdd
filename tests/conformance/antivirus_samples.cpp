// SPDX-License-Identifier: GPL-2.0-or-later
// Writes an event of each shape that antivirus has, and the gateway's counters: for
// validate_events.py, which no capture leads to them.
#include <fmt/format.h>

#include <cstdint>
#include <string>

#include "dataplane/antivirus/service/antivirus_events.h"
#include "dataplane/inspection/stats_event.h"

namespace {

using namespace masugata::dataplane;  // NOLINT: the program's own file

constexpr uint64_t kTime_us = 1'600'000'000'000'001;

AntivirusRecord record(masugata::ids::ApplicationProtocol protocol, bool v6) {
  AntivirusRecord made;
  made.reference = UINT64_MAX;
  made.flow_id = (uint64_t{1} << 51U) - 1;
  made.key.source = *masugata::net::IpAddress::parse(v6 ? "2001:db8::2" : "10.0.1.2");
  made.key.destination = *masugata::net::IpAddress::parse(v6 ? "2001:db8::80" : "192.0.2.80");
  made.key.set_transport(masugata::net::Be16::from_host(40'000), masugata::net::Be16::from_host(80),
                         masugata::net::Protocol::Tcp);
  made.bytes = 68;
  made.facts.protocol = protocol;
  made.facts.host.set("example.com");
  made.facts.location.set("/a?b=\"\x01\xff");
  made.facts.name.set("caf\xc3\xa9\xff");
  made.facts.media_type.set("text/plain");
  made.facts.sender.set("a@example.com");
  made.facts.recipients.set("b@example.com,,c@example.com");
  return made;
}

void write_objects() {
  using masugata::av::RefusalReason;
  for (size_t protocol = 0; protocol < StatsFigures::kProtocols; ++protocol) {
    for (size_t reason = 0; reason < static_cast<size_t>(RefusalReason::Count); ++reason) {
      auto told =
          record(static_cast<masugata::ids::ApplicationProtocol>(protocol), reason % 2 == 0);
      told.reason = static_cast<RefusalReason>(reason);
      told.action = static_cast<AntivirusAction>(reason % 3);
      told.complete = reason % 2 == 0;
      if (told.reason == RefusalReason::Infected) told.signature.set("Eicar-Test-Signature");
      const EventCircumstances circumstances{kTime_us, "strict", told.complete};
      fmt::print("{}\n{}\n", antivirus_alert(told, circumstances),
                 antivirus_file(told, circumstances));
    }
  }
}

void write_others() {
  fmt::print("{}\n", old_signatures_alert(5, kTime_us));
  FileEvent file{kTime_us, "/srv/a\xff\n", "Eicar", "nightly", 68, 0};
  fmt::print("{}\n", found_file_alert(file));
  file.reference = 63;
  fmt::print("{}\n", found_file_alert(file));
  StatsFigures figures;
  figures.engines = {{"standard", 40'000}};
  figures.rules_loaded_at_s = 1'600'000'000;
  figures.protocol_flows.fill(3);
  fmt::print("{}\n", stats_event(figures, kTime_us));
  figures.antivirus = {{{"objects", 12}, {"infected", 1}}, {{"too-large", 2}}, {{"infected", 1}}};
  fmt::print("{}\n", stats_event(figures, kTime_us));
}

}  // namespace

int main() {
  write_objects();
  write_others();
  return 0;
}
