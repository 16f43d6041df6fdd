// SPDX-License-Identifier: GPL-2.0-or-later
// The answers about tunnels.
#include <fmt/format.h>

#include "mgmt-cli/output/render.h"
#include "mgmt-cli/output/table.h"
#include "mgmt-cli/output/units.h"

namespace masugata::cli {
namespace {

// "31m", or what `instead` says of a time that does not come.
std::string seconds_text(const Json& object, const char* name, const char* instead) {
  const Json& seconds = member(object, name);
  return seconds.is_number() ? format_duration(number_of(object, name)) : instead;
}

std::string networks_text(const Json& object, const char* name) {
  const std::string text = printable(joined_of(object, name));
  return text.empty() ? "any" : text;
}

std::string state_of(const Json& site) {
  const std::string state = printable(text_of(site, "state"));
  return flag_of(site, "held_down") && state == "down" ? "down by request" : state;
}

// When keys are next renewed: the first of the SAs in force.
std::string next_rekey(const Json& site) {
  uint64_t soonest = 0;
  bool any = false;
  for (const Json& ike : list_of(site, "ike_sas")) {
    for (const Json& sa : list_of(ike, "sas")) {
      if (text_of(sa, "state") != "INSTALLED" || !member(sa, "rekey_in").is_number()) continue;
      const uint64_t seconds = number_of(sa, "rekey_in");
      soonest = any ? std::min(soonest, seconds) : seconds;
      any = true;
    }
  }
  return any ? format_duration(soonest) : "";
}

std::string charon_line(const Json& answer) {
  const Json& charon = member(answer, "charon");
  if (flag_of(charon, "there")) {
    return fmt::format("key exchange     charon {}, there for {}\n",
                       printable(text_of(charon, "version")),
                       format_duration(number_of(charon, "since")));
  }
  return fmt::format("key exchange     {}\n                 tunnels last until their SAs end\n",
                     printable(text_of(charon, "problem")));
}

// Nothing as long as there was none.
std::string early_line(const Json& answer) {
  const Json& early = member(answer, "early_packets");
  const uint64_t kept = number_of(early, "kept");
  const uint64_t refused = number_of(early, "refused");
  if (kept + refused == 0) return {};
  return fmt::format(
      "early packets    {} waited for their SA, {} went on; dropped: {} had no room to wait, {} "
      "waited for too long\n",
      format_count(kept), format_count(number_of(early, "let_go")), format_count(refused),
      format_count(number_of(early, "expired")));
}

std::string all_sites(const Json& answer) {
  Table table({{"SITE"},
               {"STATE"},
               {"SINCE", Align::Right},
               {"PEER"},
               {"IN", Align::Right},
               {"OUT", Align::Right},
               {"REKEY IN", Align::Right}});
  std::string problems;
  for (const Json& site : list_of(answer, "sites")) {
    table.add_row({printable(text_of(site, "name")), state_of(site),
                   seconds_text(site, "since", ""), printable(text_of(site, "peer")),
                   format_bytes(number_of(site, "bytes_in")),
                   format_bytes(number_of(site, "bytes_out")), next_rekey(site)});
    if (const std::string problem = text_of(site, "problem"); !problem.empty()) {
      problems += fmt::format("{}: is not loaded as configured: {}\n",
                              printable(text_of(site, "name")), printable(problem));
    }
  }
  return charon_line(answer) + early_line(answer) + "\n" + table.to_string() +
         (problems.empty() ? "" : "\n") + problems;
}

std::string end_text(const Json& ike, const std::string& side) {
  const uint64_t port = number_of(ike, (side + "_port").c_str());
  return fmt::format("{}, UDP port {}, as {}{}",
                     printable(text_of(ike, (side + "_address").c_str())), port,
                     printable(text_of(ike, (side + "_identity").c_str())),
                     flag_of(ike, (side + "_behind_nat").c_str()) ? ", behind a NAT" : "");
}

std::string sa_lines(const Json& sa) {
  std::string text = fmt::format(
      "  SA {:<13} {}, {}{}\n", printable(text_of(sa, "name")), printable(text_of(sa, "state")),
      printable(text_of(sa, "algorithms")), flag_of(sa, "in_udp") ? ", in UDP" : "");
  text += fmt::format("    networks       {} here, {} there\n", networks_text(sa, "local_networks"),
                      networks_text(sa, "remote_networks"));
  text += fmt::format(
      "    age            {}, new keys in {}, ends in {}\n", format_duration(number_of(sa, "age")),
      seconds_text(sa, "rekey_in", "(never)"), seconds_text(sa, "ends_in", "(never)"));
  text +=
      fmt::format("    in             SPI {}, {} packets, {}, {} replayed, {} not authentic\n",
                  printable(text_of(sa, "spi_in")), format_count(number_of(sa, "packets_in")),
                  format_bytes(number_of(sa, "bytes_in")), format_count(number_of(sa, "replays")),
                  format_count(number_of(sa, "authentication_failures")));
  return text + fmt::format("    out            SPI {}, {} packets, {}\n",
                            printable(text_of(sa, "spi_out")),
                            format_count(number_of(sa, "packets_out")),
                            format_bytes(number_of(sa, "bytes_out")));
}

std::string ike_lines(const Json& ike) {
  std::string text = fmt::format("\nIKE SA {:<9} {}, IKEv{}, begun {}, {}\n", number_of(ike, "id"),
                                 printable(text_of(ike, "state")), number_of(ike, "version"),
                                 flag_of(ike, "begun_here") ? "here" : "there",
                                 printable(text_of(ike, "algorithms")));
  text += fmt::format("  here           {}\n", end_text(ike, "local"));
  text += fmt::format("  there          {}\n", end_text(ike, "remote"));
  text +=
      fmt::format("  age            {}, new keys in {}\n", format_duration(number_of(ike, "age")),
                  seconds_text(ike, "rekey_in", "(never)"));
  for (const Json& sa : list_of(ike, "sas")) text += sa_lines(sa);
  return text;
}

std::string one_site(const Json& answer, const Json& site) {
  std::string text = fmt::format("site             {}", printable(text_of(site, "name")));
  if (const std::string description = text_of(site, "description"); !description.empty()) {
    text += fmt::format(", {}", printable(description));
  }
  text += fmt::format("\nstate            {}", state_of(site));
  if (member(site, "since").is_number()) {
    text += fmt::format(" for {}", format_duration(number_of(site, "since")));
  }
  text += fmt::format("\npeer             {}, role {}, zone {}\n", printable(text_of(site, "peer")),
                      printable(text_of(site, "role")), printable(text_of(site, "zone")));
  text += fmt::format("networks         {} here, {} there\n", networks_text(site, "local_networks"),
                      networks_text(site, "remote_networks"));
  if (const std::string problem = text_of(site, "problem"); !problem.empty()) {
    text +=
        fmt::format("problem          it is not loaded as configured: {}\n", printable(problem));
  }
  text += charon_line(answer) + early_line(answer);
  for (const Json& ike : list_of(site, "ike_sas")) text += ike_lines(ike);
  return text;
}

}  // namespace

std::string render_vpn(const Json& parameters, const Json& answer) {
  const Json& sites = list_of(answer, "sites");
  if (sites.empty()) return "no site is configured\n";
  return parameters.contains("site") ? one_site(answer, sites[0]) : all_sites(answer);
}

std::string render_vpn_action(const Json& answer) {
  const std::string site = printable(text_of(answer, "site"));
  const std::string action = text_of(answer, "action");
  if (action == "up")
    return fmt::format("{} begins; 'masugata show vpn {}' says how it goes\n", site, site);
  if (action == "down") {
    return fmt::format(
        "{} ends and stays down until 'masugata request vpn {} up', or until the other "
        "side begins\n",
        site, site);
  }
  return fmt::format("{} gets new keys\n", site);
}

}  // namespace masugata::cli
