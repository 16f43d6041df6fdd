// SPDX-License-Identifier: GPL-2.0-or-later
// What measuring a tunnel has found.
#include <fmt/format.h>

#include "mgmt-cli/output/json_fields.h"
#include "mgmt-cli/output/render.h"
#include "mgmt-cli/output/table.h"

namespace masugata::cli {
namespace {

std::string line(std::string_view title, const std::string& text) {
  return fmt::format("  {:<12}{}\n", title, text);
}

std::string lines(std::string_view title, const Json& answer, const char* name) {
  std::string output;
  for (const Json& each : list_of(answer, name)) {
    if (!each.is_string()) continue;
    output += line(title, printable(each.get<std::string>()));
    title = "";
  }
  return output;
}

// The first line, behind the name of the site.
std::string outcome(const Json& answer) {
  const uint64_t passes = number_of(answer, "passes");
  const uint64_t lets_in = number_of(answer, "lets_in");
  if (!flag_of(answer, "answered")) return "nobody answers: nothing was measured";
  if (!flag_of(answer, "steady")) {
    return "answers ended while it was measured: nothing is certain, try again";
  }
  if (flag_of(answer, "black_hole")) return printable(text_of(answer, "what"));
  if (passes >= lets_in) return "all packets that the tunnel lets in pass";
  return fmt::format("packets up to {} bytes pass", passes);
}

std::string passes_text(const Json& answer) {
  const uint64_t fails = number_of(answer, "fails");
  return fmt::format("{} bytes through the tunnel, {} outside{}{}", number_of(answer, "passes"),
                     number_of(answer, "outer_passes"),
                     fails == 0 ? std::string() : fmt::format("; {} do not", fails),
                     flag_of(answer, "way_back") ? ", there and back" : ", there");
}

std::string mtu_text(const Json& answer) {
  const uint64_t configured = number_of(answer, "configured_mtu");
  const std::string from = configured == 0 ? std::string("from cipher and path")
                                           : fmt::format("mtu {} is configured", configured);
  return fmt::format("{} bytes are let in ({})", number_of(answer, "lets_in"), from);
}

std::string path_text(const Json& answer) {
  const uint64_t said = number_of(answer, "router_said");
  return fmt::format("{} has {}, {}", printable(text_of(answer, "interface")),
                     number_of(answer, "interface_mtu"),
                     said == 0 ? std::string("no router on the way has said anything")
                               : fmt::format("a router on the way has said {}", said));
}

std::string one_family(const std::string& site, const std::string& title, const Json& answer) {
  std::string text = fmt::format("{}: {}\n", title, outcome(answer));
  const bool answered = flag_of(answer, "answered");
  if (answered) text += line("passes", passes_text(answer));
  text += line("tunnel", mtu_text(answer));
  text += line("path", path_text(answer));
  text += line("TCP", fmt::format("segments of {} bytes, over IPv6 {}",
                                  number_of(answer, "mss_ipv4"), number_of(answer, "mss_ipv6")));
  text +=
      line("asked", fmt::format("{}, {} packets in {}.{} s",
                                answered ? printable(text_of(answer, "answered_by"))
                                         : printable(joined_of(answer, "asked")),
                                number_of(answer, "packets"), number_of(answer, "took_ms") / 1000,
                                number_of(answer, "took_ms") % 1000 / 100));
  if (!answered) {
    return text + line("try", fmt::format("masugata request vpn {} probe HOST, a host behind it "
                                          "that answers pings",
                                          site));
  }
  return text + lines("remark", answer, "remarks") + lines("set here", answer, "set_here") +
         lines("set there", answer, "set_there");
}

}  // namespace

std::string render_vpn_probe(const Json& answer) {
  const std::string site = printable(text_of(answer, "site"));
  const Json& measured = list_of(answer, "measured");
  std::string text;
  for (const Json& each : measured) {
    const std::string family = printable(text_of(each, "family"));
    text +=
        one_family(site, measured.size() < 2 ? site : fmt::format("{}, {}", site, family), each);
  }
  return text;
}

}  // namespace masugata::cli
