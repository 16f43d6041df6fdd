// SPDX-License-Identifier: GPL-2.0-or-later
#include "ids/matching/conditions.h"

#include <algorithm>
#include <string>
#include <string_view>

#include "ids/matching/content_search.h"
#include "ids/rules/comparison.h"

namespace masugata::ids {
namespace {

constexpr ConditionOutcome outcome(bool holds) {
  return holds ? ConditionOutcome::Yes : ConditionOutcome::No;
}

bool match_tcp_flags(const TcpFlagsMatch& match, uint8_t flags) noexcept {
  const auto seen = static_cast<uint8_t>(flags & ~match.ignored);
  switch (match.mode) {
    case TcpFlagsMatch::Mode::Exactly:
      return seen == match.flags;
    case TcpFlagsMatch::Mode::AllOf:
      return (seen & match.flags) == match.flags;
    case TcpFlagsMatch::Mode::AnyOf:
      return (seen & match.flags) != 0;
    case TcpFlagsMatch::Mode::Not:
      return (seen & match.flags) != match.flags;
  }
  return false;
}

constexpr unsigned fragment_bits(bool more, bool dont, bool reserved) {
  return (more ? 1U : 0U) | (dont ? 2U : 0U) | (reserved ? 4U : 0U);
}

bool match_fragment_bits(const FragmentBitsMatch& match, const PacketFields& packet) noexcept {
  const unsigned wanted = fragment_bits(match.more_fragments, match.dont_fragment, match.reserved);
  const unsigned seen =
      fragment_bits(packet.more_fragments(), packet.dont_fragment(), packet.reserved_bit());
  switch (match.mode) {
    case FragmentBitsMatch::Mode::Exactly:
      return seen == wanted;
    case FragmentBitsMatch::Mode::AllOf:
      return (seen & wanted) == wanted;
    case FragmentBitsMatch::Mode::AnyOf:
      return (seen & wanted) != 0;
    case FragmentBitsMatch::Mode::Not:
      return (seen & wanted) != wanted;
  }
  return false;
}

bool match_vlan(const VlanIdMatch& match, const PacketFacts& packet) noexcept {
  const uint16_t tags[] = {packet.vlan[0], packet.vlan[1], packet.third_vlan};
  const int count = packet.vlan_layers;
  auto fits = [&](int layer) {
    return compare(match.comparison, tags[layer], match.low, match.high);
  };
  if (match.which == VlanIdMatch::Which::Layer) {
    const int layer = match.layer < 0 ? count + match.layer : match.layer;
    return layer >= 0 && layer < count && fits(layer);
  }
  const bool all = match.which == VlanIdMatch::Which::All;
  for (int layer = 0; layer < count; ++layer) {
    if (fits(layer) != all) return !all;
  }
  return all && count > 0;
}

bool has_country(const GeoIpMatch& match, const GeoDatabase& database,
                 const net::IpAddress& address) noexcept {
  const CountryCode country = database.country_of(address);
  if (!country.known()) return false;
  const bool listed = std::any_of(
      match.countries.begin(), match.countries.end(),
      [&country](const std::string& code) { return std::string_view(code) == country.text(); });
  return listed != match.negated;
}

bool match_geography(const GeoIpMatch& match, const PacketFacts& packet,
                     const GeoDatabase* database) noexcept {
  if (database == nullptr) return false;
  auto side = [&](const net::IpAddress& address) { return has_country(match, *database, address); };
  switch (match.side) {
    case GeoIpMatch::Side::Source:
      return side(packet.key.source);
    case GeoIpMatch::Side::Destination:
      return side(packet.key.destination);
    case GeoIpMatch::Side::Both:
      return side(packet.key.source) && side(packet.key.destination);
    case GeoIpMatch::Side::Any:
      return side(packet.key.source) || side(packet.key.destination);
  }
  return false;
}

bool match_reputation(const IpReputationMatch& match, const PacketFacts& packet,
                      const IpReputationTable* table) noexcept {
  if (table == nullptr) return false;
  const auto category = table->find_category(match.category);
  if (!category) return false;
  auto side = [&](const net::IpAddress& address) {
    const auto score = table->score_of(address, *category);
    if (match.absent) return !score;
    return score && compare(match.comparison, *score, match.value, match.value);
  };
  switch (match.side) {
    case IpReputationMatch::Side::Source:
      return side(packet.key.source);
    case IpReputationMatch::Side::Destination:
      return side(packet.key.destination);
    case IpReputationMatch::Side::Both:
      return side(packet.key.source) && side(packet.key.destination);
    case IpReputationMatch::Side::Any:
      return side(packet.key.source) || side(packet.key.destination);
  }
  return false;
}

ConditionOutcome match_event(const EventMatch& match, const PacketFacts& packet) noexcept {
  if (match.kind == EventKind::Application) return ConditionOutcome::NotAsked;
  if (match.event >= kMaximumEvents) return ConditionOutcome::No;
  const EventSet& events =
      match.kind == EventKind::Decode ? packet.decode_events : packet.stream_events;
  return outcome(events.test(match.event));
}

bool contains_nocase(std::string_view text, std::string_view lower) noexcept {
  auto same = [](char one, char other) {
    return to_lower_ascii(static_cast<uint8_t>(one)) == static_cast<uint8_t>(other);
  };
  return lower.empty() ||
         std::search(text.begin(), text.end(), lower.begin(), lower.end(), same) != text.end();
}

bool has_extension(std::string_view name, std::string_view extension) noexcept {
  const size_t dot = name.rfind('.');
  return dot != std::string_view::npos && name.size() - dot - 1 == extension.size() &&
         contains_nocase(name.substr(dot + 1), extension);
}

ConditionOutcome match_file_text(const FileTextMatch& match, const TransferredFile& file) noexcept {
  bool found = false;
  switch (match.field) {
    case FileTextMatch::Field::Extension:
      if (file.name.empty()) return ConditionOutcome::No;
      found = has_extension(file.name, match.text);
      break;
    case FileTextMatch::Field::Name:
      if (file.name.empty()) return ConditionOutcome::No;
      found = contains_nocase(file.name, match.text);
      break;
    case FileTextMatch::Field::Magic:
      if (file.magic.empty()) {
        return file.complete ? ConditionOutcome::No : ConditionOutcome::NotYet;
      }
      found = contains_nocase(file.magic, match.text);
      break;
  }
  return outcome(found != match.negated);
}

ConditionOutcome match_file_hash(const FileHashMatch& match, const TransferredFile& file) noexcept {
  if (!file.complete) return ConditionOutcome::NotYet;
  const std::string* digest = &file.md5;
  if (match.algorithm == FileHashMatch::Algorithm::Sha1) digest = &file.sha1;
  if (match.algorithm == FileHashMatch::Algorithm::Sha256) digest = &file.sha256;
  // A file with a gap has no digest: nothing can be said of it, either way.
  if (digest->empty() || file.truncated) return ConditionOutcome::No;
  const bool listed = std::binary_search(match.digests.begin(), match.digests.end(), *digest);
  return outcome(listed != match.negated);
}

ConditionOutcome match_file_size(const NumberMatch& match, const TransferredFile& file) noexcept {
  if (file.complete) return outcome(number_matches(match, file.size));
  // While it grows only "larger than" can already be certain.
  const bool larger = !match.negated && (match.comparison == Comparison::Greater ||
                                         match.comparison == Comparison::GreaterOrEqual);
  return larger && number_matches(match, file.size) ? ConditionOutcome::Yes
                                                    : ConditionOutcome::NotYet;
}

ConditionOutcome match_packet_number(const NumberMatch& match,
                                     const PacketFields& packet) noexcept {
  if (!is_packet_field(match.field)) return ConditionOutcome::NotAsked;
  uint64_t value = 0;
  return outcome(packet.number(match.field, value) && number_matches(match, value));
}

ConditionOutcome match_packet_list(const NumberListMatch& match,
                                   const PacketFields& packet) noexcept {
  if (!is_packet_field(match.field)) return ConditionOutcome::NotAsked;
  uint64_t value = 0;
  return outcome(packet.number(match.field, value) && number_matches(match, value));
}

}  // namespace

bool compare(Comparison comparison, uint64_t value, uint64_t low, uint64_t high) noexcept {
  return compare_numbers(comparison, value, low, high);
}

bool compare_signed(Comparison comparison, int64_t value, int64_t low, int64_t high) noexcept {
  return compare_numbers(comparison, value, low, high);
}

bool number_matches(const NumberMatch& match, uint64_t value) noexcept {
  return compare(match.comparison, value, match.low, match.high) != match.negated;
}

bool number_matches(const NumberListMatch& match, uint64_t value) noexcept {
  const bool listed =
      std::find(match.values.begin(), match.values.end(), value) != match.values.end();
  return listed != match.negated;
}

bool is_packet_field(NumberField field) noexcept { return field <= NumberField::PayloadSize; }
static_assert(NumberField::IpTtl < NumberField::PayloadSize &&
              NumberField::PayloadSize < NumberField::StreamSizeClient);

ConditionOutcome match_packet_condition(const Condition& condition, const PacketFields& packet,
                                        const ConditionTables& tables) noexcept {
  if (const auto* number = std::get_if<NumberMatch>(&condition)) {
    return match_packet_number(*number, packet);
  }
  if (const auto* list = std::get_if<NumberListMatch>(&condition)) {
    return match_packet_list(*list, packet);
  }
  if (const auto* flags = std::get_if<TcpFlagsMatch>(&condition)) {
    return outcome(packet.has_tcp() && match_tcp_flags(*flags, packet.tcp_flags()));
  }
  if (const auto* bits = std::get_if<FragmentBitsMatch>(&condition)) {
    return outcome(packet.has_ipv4() && match_fragment_bits(*bits, packet));
  }
  if (const auto* options = std::get_if<IpOptionsMatch>(&condition)) {
    return outcome(packet.has_ip_option(options->option));
  }
  if (std::holds_alternative<SameIpMatch>(condition)) {
    const net::FlowKey& key = packet.packet().key;
    return outcome(packet.packet().is_ip && key.source == key.destination);
  }
  if (const auto* vlan = std::get_if<VlanIdMatch>(&condition)) {
    return outcome(match_vlan(*vlan, packet.packet()));
  }
  if (const auto* event = std::get_if<EventMatch>(&condition)) {
    return match_event(*event, packet.packet());
  }
  if (const auto* geography = std::get_if<GeoIpMatch>(&condition)) {
    return outcome(match_geography(*geography, packet.packet(), tables.geography));
  }
  if (const auto* reputation = std::get_if<IpReputationMatch>(&condition)) {
    return outcome(match_reputation(*reputation, packet.packet(), tables.reputation));
  }
  return ConditionOutcome::NotAsked;
}

ConditionOutcome match_file_condition(const Condition& condition,
                                      const TransferredFile& file) noexcept {
  if (const auto* text = std::get_if<FileTextMatch>(&condition)) {
    return match_file_text(*text, file);
  }
  if (const auto* hash = std::get_if<FileHashMatch>(&condition)) {
    return match_file_hash(*hash, file);
  }
  if (std::holds_alternative<FileStore>(condition)) return ConditionOutcome::Yes;
  const auto* number = std::get_if<NumberMatch>(&condition);
  if (number != nullptr && number->field == NumberField::FileSize) {
    return match_file_size(*number, file);
  }
  return ConditionOutcome::NotAsked;
}

bool match_certificate_time(const TlsCertificateTimeMatch& match,
                            const CertificateTimes& certificate, int64_t now) noexcept {
  switch (match.field) {
    case TlsCertificateTimeMatch::Field::Expired:
      return certificate.not_after < now;
    case TlsCertificateTimeMatch::Field::Valid:
      return certificate.not_before <= now && now <= certificate.not_after;
    case TlsCertificateTimeMatch::Field::NotBefore:
      return compare_signed(match.comparison, certificate.not_before, match.low, match.high);
    case TlsCertificateTimeMatch::Field::NotAfter:
      return compare_signed(match.comparison, certificate.not_after, match.low, match.high);
  }
  return false;
}

}  // namespace masugata::ids
