// SPDX-License-Identifier: GPL-2.0-or-later
// Right configurations: what the Model says, and that text and Model go together.
#include "config/load.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <string>

namespace masugata::config {
namespace {

constexpr const char* kNetworks = R"(
interfaces {
    interface wan0 { device "net_af_xdp0,iface=gwwan"; address [ 203.0.113.2/24 2001:db8:1::2/64 ]; tcp-mss 1360; }
    interface lan0 { device 0000:03:00.0; address 10.0.1.1/24; mtu 9000;
        vlan 10 { address 10.10.0.1/24; mtu 1500; no-mss-clamp; } }
    interface dmz0 { device 0000:03:00.1; address 10.0.2.1/24; disable; description "servers"; }
}
zones {
    zone wan { interface wan0; anti-spoofing loose; new-sessions-per-source 200; syn-cookies { threshold 7; } }
    zone lan { interface [ lan0 lan0.10 ]; syn-cookies; }
    zone dmz { interface dmz0; anti-spoofing off; }
}
)";

Model model_of(const std::string& text) {
  Loaded loaded = load_text(text, "test");
  for (const Problem& problem : loaded.problems) {
    EXPECT_EQ(problem.severity, Problem::Severity::Warning) << format_problem(problem, "test");
  }
  EXPECT_TRUE(loaded.model);
  return loaded.model ? std::move(*loaded.model) : Model{};
}

std::string text_of(const std::vector<net::AddressRange>& ranges) {
  std::string text;
  for (const net::AddressRange& range : ranges)
    text += (text.empty() ? "" : " ") + range.to_string();
  return text;
}

std::string text_of(const std::vector<ServiceMatch>& services) {
  std::string text;
  for (const ServiceMatch& service : services) {
    text += fmt::format("{}{}:{}-{}>{}-{}", text.empty() ? "" : " ",
                        static_cast<unsigned>(service.protocol), service.source_port.first,
                        service.source_port.last, service.destination_port.first,
                        service.destination_port.last);
    if (service.icmp_type) text += fmt::format("/{}", *service.icmp_type);
    if (service.icmp_code) text += fmt::format(".{}", *service.icmp_code);
  }
  return text;
}

TEST(Load, ReadsPortsInterfacesAndZones) {
  const Model model = model_of(kNetworks);
  ASSERT_EQ(model.ports.size(), 3U);
  EXPECT_EQ(model.ports[0].device, "net_af_xdp0,iface=gwwan");
  EXPECT_EQ(model.ports[1].mtu, 9000);
  EXPECT_FALSE(model.ports[2].enabled);
  ASSERT_EQ(model.interfaces.size(), 4U);
  const Interface& vlan = model.interfaces[*model.find_interface("lan0.10")];
  EXPECT_EQ(vlan.port, 1);
  EXPECT_EQ(vlan.vlan, 10);
  EXPECT_EQ(vlan.mtu, 1500);
  EXPECT_FALSE(vlan.clamp_mss);
  EXPECT_EQ(model.interfaces[0].tcp_mss_ipv4, 1360);
  EXPECT_EQ(model.interfaces[0].tcp_mss_ipv6, 1340);
  EXPECT_EQ(model.interfaces[0].addresses[1].to_string(), "2001:db8:1::2/64");
  EXPECT_EQ(model.interfaces[0].place.line, 3U);
  EXPECT_EQ(model.interfaces[0].place.column, 5U);

  ASSERT_EQ(model.zones.size(), 4U);
  EXPECT_EQ(model.zones[kSelfZone].name, "self");
  const Zone& wan = model.zones[*model.find_zone("wan")];
  EXPECT_EQ(wan.anti_spoofing, AntiSpoofing::Loose);
  EXPECT_EQ(wan.new_sessions_per_source_per_second, 200U);
  EXPECT_EQ(wan.syn_cookie_threshold, 7U);
  const Zone& lan = model.zones[*model.find_zone("lan")];
  EXPECT_EQ(lan.interfaces, (std::vector<uint16_t>{1, 2}));
  EXPECT_EQ(lan.syn_cookie_threshold, 1000U);
  EXPECT_EQ(lan.anti_spoofing, AntiSpoofing::Strict);
  EXPECT_FALSE(model.find_zone("any"));
}

TEST(Load, ReadsRoutes) {
  const Model model = model_of(std::string(kNetworks) + R"(routes {
    route 0.0.0.0/0 { via 203.0.113.1; } route 10.9.0.0/16 { blackhole; }
    route 2001:db8:ff::/48 { via fe80::1; interface wan0; } })");
  ASSERT_EQ(model.routes.size(), 3U);
  EXPECT_EQ(model.routes[0].via->to_string(), "203.0.113.1");
  EXPECT_TRUE(model.routes[1].blackhole);
  EXPECT_EQ(model.routes[2].interface, model.find_interface("wan0"));
}

TEST(Load, ReadsARuleWithEverything) {
  const Model model = model_of(std::string(kNetworks) + R"(
sets { address-set servers { address [ 10.0.2.80 10.0.2.0/28 10.0.2.10-10.0.2.20 ]; include more; }
       address-set more { address 10.0.2.21; }
       schedule office { weekdays [ mon fri ]; time 22:00-06:00; } }
ips { profile standard { } }
av { profile strict { } }
policy { from lan to wan { rule web {
    description "all of it";
    source { address [ 10.0.1.0/24 servers ]; mac 02:00:00:00:00:01; port 1024-65535; }
    destination { address any; port [ 80 8000-8080 ]; }
    protocol tcp; schedule office; until "2999-12-01 18:00"; session-limit-per-source 100;
    action permit; log; inspect { ips standard; av strict; } }
    rule off { action deny; disable; } } })");
  ASSERT_EQ(model.policy.size(), 1U);
  EXPECT_EQ(model.policy[0].from, *model.find_zone("lan"));
  ASSERT_EQ(model.policy[0].rules.size(), 1U);
  const PolicyRule& rule = model.policy[0].rules[0];
  EXPECT_EQ(text_of(rule.source), "10.0.1.0/24 10.0.2.0-10.0.2.21 10.0.2.80");
  EXPECT_TRUE(rule.destination.empty());
  EXPECT_EQ(rule.source_mac.size(), 1U);
  EXPECT_EQ(text_of(rule.services), "6:1024-65535>80-80 6:1024-65535>8000-8080");
  ASSERT_TRUE(rule.schedule);
  EXPECT_EQ(rule.schedule->weekdays, 0x22);
  EXPECT_EQ(rule.schedule->from_minute, 22 * 60);
  EXPECT_EQ(rule.schedule->to_minute, 6 * 60);
  EXPECT_TRUE(rule.until);
  EXPECT_EQ(rule.action, Action::Permit);
  EXPECT_TRUE(rule.log);
  EXPECT_EQ(rule.session_limit_per_source, 100U);
  EXPECT_EQ(rule.inspect.ips, "standard");
  EXPECT_EQ(rule.inspect.av, "strict");
}

TEST(Load, ReadsIntrusionPrevention) {
  const Model model = model_of(std::string(kNetworks) + R"(
ips {
    rules { file [ /etc/rules/a.rules /etc/rules/emerging-*.rules ]; threshold-file /etc/t.config;
            address-variable HOME_NET { value "[10.0.0.0/8,!10.1.0.0/16]"; }
            port-variable HTTP_PORTS { value "[80,8080]"; } }
    profile strict {
        mode detect;
        select { classtype [ trojan-activity web-application-attack ]; priority 2; sid 2000000-2999999; }
        override 2010935 { action disable; }
        override trojan-activity { action reject; }
        exception scanner { sid 2010936; source { address 10.0.1.9; } until "2999-12-01 18:00"; }
        memory-full pass;
    }
    log { file /tmp/eve.json; event [ alert drop ]; payload; }
}
policy { from lan to wan { rule web { action permit; inspect { ips strict; } } } })");
  ASSERT_EQ(model.ips.profiles.size(), 1U);
  const IpsProfile& profile = model.ips.profiles[0];
  EXPECT_FALSE(profile.prevent);
  EXPECT_EQ(profile.selection.classtypes.size(), 2U);
  EXPECT_EQ(profile.selection.priority, 2);
  ASSERT_EQ(profile.selection.sids.size(), 1U);
  EXPECT_EQ(profile.selection.sids[0].last, 2999999U);
  ASSERT_EQ(profile.overrides.size(), 2U);
  EXPECT_EQ(profile.overrides[0].sids.first, 2010935U);
  EXPECT_EQ(profile.overrides[0].action, IpsAction::Disable);
  EXPECT_EQ(profile.overrides[1].classtype, "trojan-activity");
  ASSERT_EQ(profile.exceptions.size(), 1U);
  EXPECT_EQ(text_of(profile.exceptions[0].source), "10.0.1.9");
  EXPECT_TRUE(profile.exceptions[0].until);
  EXPECT_EQ(profile.memory_full, InspectionFailure::Pass);
  EXPECT_EQ(profile.overload, InspectionFailure::Drop);
  EXPECT_EQ(model.ips.rule_files.size(), 2U);
  EXPECT_EQ(model.ips.address_variables[0].value, "[10.0.0.0/8,!10.1.0.0/16]");
  EXPECT_EQ(model.ips.log.file, "/tmp/eve.json");
  EXPECT_TRUE(model.ips.log.payload);
}

TEST(Load, ReadsAntivirus) {
  const Model model = model_of(std::string(kNetworks) + R"(
av {
    signatures { folder /srv/signatures; own /etc/own.ndb; maximum-age 7;
        allow-sha256 00112233445566778899AABBCCDDEEFF00112233445566778899aabbccddeeff; }
    memory 64M;
    blocked-url-time 10;
    profile office {
        smtp { infected reset; }
        pop3 { disable; }
        limits { object-size 8M; too-large block; time 5; }
        partial pass;
        encryption refuse;
        exempt { kind [ image video ]; larger-than 1G; }
        no-quarantine;
    }
    notices { smart-host 192.0.2.25; from av@example.com; inside-zone lan; tls required;
              authorities /etc/ssl/own.pem; }
    scan-job nightly { path /srv/mail; exclude /srv/mail/tmp; at 03:30; weekdays [ mon sun ];
                       scanners 2; file-size 5M; quarantine; report-to admin@example.com; }
    scan-job plain { path /srv; }
}
policy { from lan to wan { rule web { action permit; inspect { av office; } } } }
)");
  ASSERT_EQ(model.antivirus.profiles.size(), 1U);
  const AvProfile& profile = model.antivirus.profiles[0];
  EXPECT_EQ(profile.infected[static_cast<size_t>(AvProtocol::Http)], AvAction::Block);
  EXPECT_EQ(profile.infected[static_cast<size_t>(AvProtocol::Smtp)], AvAction::Reset);
  EXPECT_FALSE(profile.scan[static_cast<size_t>(AvProtocol::Pop3)]);
  EXPECT_TRUE(profile.scan[static_cast<size_t>(AvProtocol::Imap)]);
  EXPECT_EQ(profile.object_bytes, 8U << 20U);
  EXPECT_EQ(profile.too_large, AvChoice::Block);
  EXPECT_EQ(profile.time_ms, 5000U);
  EXPECT_EQ(profile.partial, AvPartial::Pass);
  EXPECT_TRUE(profile.refuse_encryption);
  EXPECT_EQ(profile.exempt_kinds, 0b101);
  EXPECT_EQ(profile.exempt_above_bytes, 1ULL << 30U);
  EXPECT_FALSE(profile.quarantine);
  const AntivirusSettings& av = model.antivirus;
  EXPECT_EQ(av.signature_folder, "/srv/signatures");
  EXPECT_EQ(av.allowed_sha256[0],
            "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff");
  EXPECT_EQ(av.memory_megabytes, 64U);
  EXPECT_EQ(av.blocked_url_minutes, 10U);
  EXPECT_EQ(av.notices.tls, MailTls::Required);
  EXPECT_EQ(av.notices.authorities, "/etc/ssl/own.pem");
  ASSERT_EQ(av.jobs.size(), 2U);
  EXPECT_EQ(av.jobs[0].at_minute, 3 * 60 + 30);
  EXPECT_EQ(av.jobs[0].weekdays, 0b11);
  EXPECT_EQ(av.jobs[0].excluded, std::vector<std::string>{"/srv/mail/tmp"});
  EXPECT_EQ(av.jobs[0].scanners, 2U);
  EXPECT_EQ(av.jobs[0].file_bytes, 5U << 20U);
  EXPECT_TRUE(av.jobs[0].quarantine);
  EXPECT_EQ(av.jobs[0].report_to, std::vector<std::string>{"admin@example.com"});
  EXPECT_EQ(av.jobs[1].at_minute, 2 * 60);
  EXPECT_EQ(av.jobs[1].weekdays, 0x7f);
  EXPECT_EQ(av.jobs[1].scanners, 1U);
}

TEST(Load, AntivirusProfilesThatSayNothingPassWhatIsNotKnownToBeBad) {
  const Model model = model_of(std::string(kNetworks) + R"(
av { profile bare { } profile named { limits { object-size 1M; } } })");
  ASSERT_EQ(model.antivirus.profiles.size(), 2U);
  for (const AvProfile& profile : model.antivirus.profiles) {
    EXPECT_EQ(profile.encrypted, AvChoice::Pass);
    EXPECT_EQ(profile.macros, AvChoice::Pass);
    EXPECT_EQ(profile.too_large, AvChoice::Pass);
    EXPECT_EQ(profile.unpacked_too_large, AvChoice::Block);
    EXPECT_EQ(profile.too_deep, AvChoice::Block);
    EXPECT_EQ(profile.too_many_files, AvChoice::Block);
    EXPECT_EQ(profile.too_long, AvChoice::Block);
    EXPECT_EQ(profile.coded, AvChoice::Block);
    EXPECT_EQ(profile.unknown_protocol, AvChoice::Pass);
    EXPECT_EQ(profile.not_scanned, AvChoice::Block);
    EXPECT_EQ(profile.overload, AvChoice::Block);
    EXPECT_EQ(profile.partial, AvPartial::Whole);
    EXPECT_FALSE(profile.refuse_encryption);
  }
}

TEST(Load, ReadsServices) {
  const Model model = model_of(std::string(kNetworks) + R"(
sets { service dns { protocol udp; port 5353; } service probe { protocol [ icmp icmpv6 ]; icmp-type echo-request; icmp-code 0; }
       service-set web { service [ http https ]; } service-set all { service [ web dns ]; } }
policy { from any to self {
    rule a { service all; action permit; } rule b { service [ ping ping6 probe ]; action permit; }
    rule c { destination { port 53; } action reject; } rule d { protocol [ gre 89 ]; action deny; } } })");
  const std::vector<PolicyRule>& rules = model.policy[0].rules;
  EXPECT_EQ(model.policy[0].from, kAnyZone);
  EXPECT_EQ(model.policy[0].to, kSelfZone);
  EXPECT_EQ(text_of(rules[0].services), "6:0-65535>80-80 6:0-65535>443-443 17:0-65535>5353-5353");
  EXPECT_EQ(text_of(rules[1].services),
            "1:0-65535>0-65535/8 58:0-65535>0-65535/128 1:0-65535>0-65535/8.0 "
            "58:0-65535>0-65535/128.0");
  EXPECT_EQ(text_of(rules[2].services), "6:0-65535>53-53 17:0-65535>53-53");
  EXPECT_EQ(text_of(rules[3].services), "47:0-65535>0-65535 89:0-65535>0-65535");
}

TEST(Load, ReadsTranslation) {
  const Model model = model_of(std::string(kNetworks) + R"(
nat {
    pool out { address [ 203.0.113.16-203.0.113.18 203.0.113.19 ]; ports 2000-3000; }
    source { rule vpn { to wan; destination { address 10.9.0.0/16; } translate none; }
             rule out { from [ lan dmz ]; to wan; protocol tcp; port 25; translate pool out; }
             rule rest { from any; to wan; translate { interface; } } }
    destination { rule www { from [ wan lan ]; to { address 203.0.113.2; protocol tcp; port 8000-8009; }
                      translate { address 10.0.2.80; port 80-89; } no-hairpin; }
                  rule except { to { address 203.0.113.3; } translate none; } }
    static { rule mail { zone wan; external 203.0.113.5; internal 10.0.2.25; } } })");
  ASSERT_EQ(model.nat_pools.size(), 1U);
  EXPECT_EQ(text_of(model.nat_pools[0].addresses), "203.0.113.16/30");
  EXPECT_EQ(model.nat_pools[0].ports, (PortRange{2000, 3000}));
  ASSERT_EQ(model.source_nat.size(), 4U);
  EXPECT_EQ(model.source_nat[0].translation, SourceTranslation::None);
  EXPECT_EQ(model.source_nat[0].from, kAnyZone);
  EXPECT_EQ(model.source_nat[1].name, "out");
  EXPECT_EQ(model.source_nat[1].from, *model.find_zone("lan"));
  EXPECT_EQ(model.source_nat[2].name, "out");
  EXPECT_EQ(model.source_nat[2].from, *model.find_zone("dmz"));
  EXPECT_EQ(model.source_nat[2].translation, SourceTranslation::Pool);
  EXPECT_EQ(model.source_nat[3].translation, SourceTranslation::Interface);
  ASSERT_EQ(model.destination_nat.size(), 3U);
  EXPECT_EQ(model.destination_nat[1].from, *model.find_zone("lan"));
  EXPECT_EQ(model.destination_nat[1].to_address.to_string(), "10.0.2.80");
  EXPECT_EQ(*model.destination_nat[1].to_ports, (PortRange{80, 89}));
  EXPECT_FALSE(model.destination_nat[1].hairpin);
  EXPECT_FALSE(model.destination_nat[2].translate);
  ASSERT_EQ(model.static_nat.size(), 1U);
  EXPECT_EQ(model.static_nat[0].external_zone, *model.find_zone("wan"));
}

TEST(Load, ReadsSettings) {
  const Model model = model_of(R"(system { host-name gw1; hw-profile small; log-denied; }
sessions { maximum 1024; timeout { tcp-established 2h; udp-new 45s; icmp 90; } tcp-strict off; tcp-midstream; ftp-helper off; }
fragments { maximum-datagrams 100; maximum-per-source 9; timeout 10s; maximum-per-datagram 16; })");
  EXPECT_EQ(model.system.host_name, "gw1");
  EXPECT_TRUE(model.system.log_denied);
  EXPECT_EQ(model.sessions.maximum, 1024U);
  EXPECT_EQ(model.sessions.timeouts.tcp_established, 7200U);
  EXPECT_EQ(model.sessions.timeouts.udp_new, 45U);
  EXPECT_EQ(model.sessions.timeouts.icmp, 90U);
  EXPECT_FALSE(model.sessions.tcp_strict);
  EXPECT_TRUE(model.sessions.tcp_midstream);
  EXPECT_FALSE(model.sessions.ftp_helper);
  EXPECT_EQ(model.fragments.maximum_datagrams, 100U);
  EXPECT_EQ(model.fragments.timeout_seconds, 10U);
}

TEST(Load, KeepsTheOrderOfSectionsAndRules) {
  const Model model = model_of(std::string(kNetworks) + R"(policy {
    from wan to lan { rule z { protocol tcp; action permit; } rule a { protocol udp; action deny; } }
    from any to any { rule m { action deny; } }
    from lan to wan { rule b { action permit; } } })");
  ASSERT_EQ(model.policy.size(), 3U);
  EXPECT_EQ(model.policy[0].rules[0].name, "z");
  EXPECT_EQ(model.policy[0].rules[1].name, "a");
  EXPECT_EQ(model.policy[1].from, kAnyZone);
  EXPECT_EQ(model.policy[2].rules[0].name, "b");
}

TEST(Load, TheExampleConfigurationIsWithoutProblems) {
  const std::string path = std::string(MASUGATA_SOURCE_ROOT) + "/packaging/gateway.conf";
  const Loaded loaded = load_file(path);
  for (const Problem& problem : loaded.problems) ADD_FAILURE() << format_problem(problem, path);
  ASSERT_TRUE(loaded.model);
  EXPECT_EQ(loaded.model->zones.size(), 4U);

  std::ifstream file(path);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  const auto canonical = to_canonical_text(text, path);
  ASSERT_TRUE(canonical);
  EXPECT_EQ(to_canonical_text(*canonical, "canonical"), *canonical);
  EXPECT_TRUE(load_text(*canonical, "canonical").problems.empty());
}

TEST(Load, AFileThatCannotBeReadIsOneProblem) {
  const Loaded missing = load_file("/nonexistent/gateway.conf");
  EXPECT_FALSE(missing.model);
  ASSERT_EQ(missing.problems.size(), 1U);
  EXPECT_EQ(format_problem(missing.problems[0], "x"),
            "x: error: cannot be read: No such file or directory");
  EXPECT_EQ(load_file("/").problems.size(), 1U);
}

TEST(Canonical, PutsValuesAndStatementsIntoOneForm) {
  const auto text = to_canonical_text(
      "sessions { timeout udp-new 5m; } system { log-denied; host-name \"gw\"; }"
      "policy { from wan to lan { rule a { destination { port 80; port 443; } action permit; } } }",
      "t");
  ASSERT_TRUE(text) << text.error().message();
  EXPECT_EQ(*text, R"(system {
    host-name gw;
    log-denied;
}
policy {
    from wan to lan {
        rule a {
            destination {
                port [ 80 443 ];
            }
            action permit;
        }
    }
}
sessions {
    timeout {
        udp-new 300;
    }
}
)");
}

TEST(Canonical, GivesJson) {
  const auto json = to_json("system { host-name gw; }", "t");
  ASSERT_TRUE(json);
  EXPECT_NE(json->find("\"masugata:system\""), std::string::npos);
  EXPECT_NE(json->find("\"host-name\""), std::string::npos);
  EXPECT_EQ(*to_json("", "t"), "{}");
}

TEST(Canonical, RefusesWhatHasErrors) {
  const auto text = to_canonical_text("system { x; }", "t");
  ASSERT_FALSE(text);
  EXPECT_EQ(text.error().what.substr(0, 15), "t:1:10: error: ");
}

TEST(Load, TenThousandRules) {
  std::string text = kNetworks;
  text += "sets {\n";
  for (int set = 0; set < 100; ++set) {
    text += fmt::format(
        "address-set s{0} {{ address [ 192.0.{0}.0/24 198.51.{0}.1-198.51.{0}.9 ]; }}\n", set);
  }
  text += "} policy { from lan to wan {\n";
  for (int rule = 0; rule < 10'000; ++rule) {
    text += fmt::format(
        "rule r{0} {{ source {{ address [ 10.{1}.{2}.0/24 s{3} ]; }} destination {{ address "
        "172.16.{1}.{2}; port [ 443 {4} ]; }} protocol tcp; action permit; }}\n",
        rule, rule / 256, rule % 256, rule % 100, 1000 + rule);
  }
  text += "} }";
  const Loaded loaded = load_text(text, "generated");
  ASSERT_TRUE(loaded.model);
  EXPECT_TRUE(loaded.problems.empty());
  EXPECT_EQ(loaded.model->policy[0].rules.size(), 10'000U);
  EXPECT_EQ(loaded.model->policy[0].rules[9'999].name, "r9999");
}

}  // namespace
}  // namespace masugata::config
