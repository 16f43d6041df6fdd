// SPDX-License-Identifier: GPL-2.0-or-later
// TLS keywords that are not buffers: versions, states, certificate times, older comparisons.
#include <algorithm>
#include <array>

#include "ids/rules/keyword.h"
#include "ids/rules/text_reading.h"

namespace masugata::ids {
namespace {

Outcome require_tls(RuleDraft& draft) {
  Rule& rule = draft.rule;
  if (rule.application == ApplicationProtocol::Unknown) {
    rule.application = ApplicationProtocol::Tls;
  } else if (rule.application != ApplicationProtocol::Tls &&
             rule.application != ApplicationProtocol::Quic) {
    return wrong("belongs to tls, the rule to " + std::string(protocol_name(rule.application)));
  }
  return {};
}

struct VersionName {
  std::string_view name;
  uint16_t version;
};
constexpr std::array kSslVersions{
    VersionName{"sslv2", 0x0002},  VersionName{"sslv3", 0x0300},  VersionName{"tls1.0", 0x0301},
    VersionName{"tls1.1", 0x0302}, VersionName{"tls1.2", 0x0303}, VersionName{"tls1.3", 0x0304},
};

std::optional<uint64_t> find_version(std::string_view name) noexcept {
  for (const VersionName& each : kSslVersions) {
    if (same_ignoring_case(each.name, name)) return each.version;
  }
  return std::nullopt;
}

// ssl_version:[!]NAME[,...]. One of those without '!', or none of those with it.
Outcome read_ssl_version(RuleDraft& draft, const KeywordUse& use) {
  if (auto done = require_tls(draft); !done) return done;
  std::vector<uint64_t> included;
  std::vector<uint64_t> excluded;
  for (std::string_view name : split(use.value, ',')) {
    const bool negated = name.starts_with('!');
    if (negated) name = trimmed(name.substr(1));
    const auto version = find_version(name);
    if (!version) {
      return wrong("expects sslv2, sslv3, tls1.0, tls1.1, tls1.2 or tls1.3, not " +
                   in_quotes(name));
    }
    (negated ? excluded : included).push_back(*version);
  }
  NumberListMatch match;
  match.field = NumberField::TlsVersion;
  if (excluded.empty()) {
    match.values = included;
  } else {
    // "A or not B" is "not (B without A)".
    match.negated = true;
    for (const uint64_t version : excluded) {
      if (std::find(included.begin(), included.end(), version) == included.end()) {
        match.values.push_back(version);
      }
    }
  }
  draft.rule.conditions.emplace_back(std::move(match));
  return {};
}

// tls.version:[!]1.2 or the bytes of the record as 0x0303.
Outcome read_tls_version(RuleDraft& draft, const KeywordUse& use) {
  if (auto done = require_tls(draft); !done) return done;
  std::string_view text = use.value;
  NumberListMatch match;
  match.negated = text.starts_with('!');
  if (match.negated) text = unquoted(trimmed(text.substr(1)));
  std::optional<uint64_t> version;
  if (text.starts_with("0x")) {
    version = parse_unsigned(text, UINT16_MAX);
  } else {
    version = find_version("tls" + std::string(text));
  }
  if (!version) return wrong("expects 1.0, 1.1, 1.2, 1.3 or 0xNNNN, not " + in_quotes(text));
  match.values.push_back(*version);
  draft.rule.conditions.emplace_back(std::move(match));
  return {};
}

std::optional<TlsStateMatch::State> find_state(std::string_view name) noexcept {
  using State = TlsStateMatch::State;
  if (name == "client_hello") return State::ClientHello;
  if (name == "server_hello") return State::ServerHello;
  if (name == "client_keyx") return State::ClientKeyx;
  if (name == "server_keyx") return State::ServerKeyx;
  if (name == "unknown") return State::Unknown;
  return std::nullopt;
}

// ssl_state:[!]STATE[|[!]STATE...]; commas stand for '|', too.
Outcome read_ssl_state(RuleDraft& draft, const KeywordUse& use) {
  if (auto done = require_tls(draft); !done) return done;
  std::string text(use.value);
  std::replace(text.begin(), text.end(), '|', ',');
  TlsStateMatch match;
  for (std::string_view name : split(text, ',')) {
    TlsStateMatch::Wanted wanted;
    wanted.negated = name.starts_with('!');
    if (wanted.negated) name = trimmed(name.substr(1));
    const auto state = find_state(name);
    if (!state) {
      return wrong("expects client_hello, server_hello, client_keyx, server_keyx or unknown, not " +
                   in_quotes(name));
    }
    wanted.state = *state;
    match.any_of.push_back(wanted);
  }
  draft.rule.conditions.emplace_back(std::move(match));
  return {};
}

int64_t days_from_civil(int64_t year, int64_t month, int64_t day) noexcept {
  // Days since 1970-01-01 of the Gregorian calendar, years that begin in March.
  year -= month <= 2 ? 1 : 0;
  const int64_t era = year / 400;
  const int64_t year_of_era = year - era * 400;
  const int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year -
         719468;
}

// "2015-10-22", "2015-10-22 13:05", "2015-10-22T13:05:01", seconds since 1970.
std::optional<int64_t> parse_time(std::string_view text) {
  text = trimmed(text);
  if (const auto seconds = parse_unsigned(text, INT64_MAX); seconds && text.size() > 4) {
    return static_cast<int64_t>(*seconds);
  }
  constexpr std::array<int64_t, 6> kLargest{9999, 12, 31, 23, 59, 60};
  constexpr std::array<int64_t, 6> kSmallest{1970, 1, 1, 0, 0, 0};
  std::array<int64_t, 6> fields{1970, 1, 1, 0, 0, 0};
  size_t count = 0;
  while (!text.empty() && count < fields.size()) {
    const size_t end = std::min(text.find_first_of("-T :"), text.size());
    const auto value = parse_signed(text.substr(0, end), kSmallest[count], kLargest[count]);
    if (!value) return std::nullopt;
    fields[count++] = *value;
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  if (!text.empty() || count == 0) return std::nullopt;
  return days_from_civil(fields[0], fields[1], fields[2]) * 86400 + fields[3] * 3600 +
         fields[4] * 60 + fields[5];
}

// tls_cert_notbefore and tls_cert_notafter: [<|>]TIME or TIME<>TIME.
Outcome read_certificate_time(RuleDraft& draft, const KeywordUse& use) {
  if (auto done = require_tls(draft); !done) return done;
  TlsCertificateTimeMatch match;
  match.field = static_cast<TlsCertificateTimeMatch::Field>(use.keyword.argument);
  std::string_view text = use.value;
  const size_t gap = text.find("<>");
  if (gap != std::string_view::npos) {
    const auto low = parse_time(text.substr(0, gap));
    const auto high = parse_time(text.substr(gap + 2));
    if (!low || !high || *low >= *high) return wrong("expects TIME<>TIME, not " + in_quotes(text));
    match.comparison = Comparison::Between;
    match.low = *low;
    match.high = *high;
  } else {
    if (text.starts_with('<')) match.comparison = Comparison::Less;
    if (text.starts_with('>')) match.comparison = Comparison::Greater;
    if (match.comparison != Comparison::Equal) text.remove_prefix(1);
    const auto time = parse_time(text);
    if (!time) return wrong("expects a time as 2015-10-22T13:05:01, not " + in_quotes(text));
    match.low = *time;
  }
  draft.rule.conditions.emplace_back(match);
  return {};
}

Outcome read_certificate_state(RuleDraft& draft, const KeywordUse& use) {
  if (auto done = require_tls(draft); !done) return done;
  TlsCertificateTimeMatch match;
  match.field = static_cast<TlsCertificateTimeMatch::Field>(use.keyword.argument);
  draft.rule.conditions.emplace_back(match);
  return {};
}

// The older tls.subject, tls.issuerdn (a part of the name) and tls.fingerprint (all of it).
Outcome read_certificate_text(RuleDraft& draft, const KeywordUse& use) {
  if (draft.has_sticky_buffer()) return wrong("cannot follow a sticky buffer");
  if (use.value.empty()) return wrong("expects a text");
  const auto buffer = static_cast<BufferId>(use.keyword.argument);
  ContentMatch content;
  content.bytes = std::string(use.value);
  content.negated = use.negated;
  if (buffer == BufferId::TlsCertificateFingerprint) {
    content.bytes = lowercase(content.bytes);
    content.nocase = true;
    content.startswith = true;
    content.endswith = true;
  }
  draft.add_to(buffer, std::move(content));
  return {};
}

// Certificates are not stored; what else the rule asks for still decides.
Outcome read_store(RuleDraft& draft, const KeywordUse&) { return require_tls(draft); }

constexpr Keyword certificate_time(std::string_view name, TlsCertificateTimeMatch::Field field) {
  return {name, read_certificate_time, ValueForm::Required, static_cast<uint16_t>(field)};
}
constexpr Keyword certificate_state(std::string_view name, TlsCertificateTimeMatch::Field field) {
  return {name, read_certificate_state, ValueForm::None, static_cast<uint16_t>(field)};
}
constexpr Keyword certificate_text(std::string_view name, BufferId buffer) {
  return {name, read_certificate_text, ValueForm::Pattern, static_cast<uint16_t>(buffer)};
}

using Field = TlsCertificateTimeMatch::Field;
constexpr std::array kKeywords{
    Keyword{"ssl_state", read_ssl_state, ValueForm::Required},
    Keyword{"ssl_version", read_ssl_version, ValueForm::Required},
    certificate_text("tls.fingerprint", BufferId::TlsCertificateFingerprint),
    certificate_text("tls.issuerdn", BufferId::TlsCertificateIssuer),
    Keyword{"tls.store", read_store, ValueForm::None},
    certificate_text("tls.subject", BufferId::TlsCertificateSubject),
    Keyword{"tls.version", read_tls_version, ValueForm::Required},
    certificate_state("tls_cert_expired", Field::Expired),
    certificate_time("tls_cert_notafter", Field::NotAfter),
    certificate_time("tls_cert_notbefore", Field::NotBefore),
    certificate_state("tls_cert_valid", Field::Valid),
};

}  // namespace

std::span<const Keyword> tls_keywords() noexcept { return kKeywords; }

}  // namespace masugata::ids
