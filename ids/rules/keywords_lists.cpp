// SPDX-License-Identifier: GPL-2.0-or-later
// Lists kept outside the rules: dataset, datarep, iprep, geoip.
#include <algorithm>
#include <array>

#include "ids/rules/keyword.h"
#include "ids/rules/text_reading.h"

namespace masugata::ids {
namespace {

constexpr uint32_t kDatasetEntries = 1'000'000;  // of a set that states no size

std::optional<DatasetType> find_type(std::string_view name) noexcept {
  if (name == "string") return DatasetType::String;
  if (name == "md5") return DatasetType::Md5;
  if (name == "sha256") return DatasetType::Sha256;
  if (name == "ipv4") return DatasetType::Ipv4;
  if (name == "ip") return DatasetType::Ip;
  return std::nullopt;
}

std::optional<DatasetMatch::Operation> find_operation(std::string_view name) noexcept {
  using Operation = DatasetMatch::Operation;
  if (name == "isset") return Operation::IsSet;
  if (name == "isnotset") return Operation::IsNotSet;
  if (name == "set") return Operation::Set;
  if (name == "unset") return Operation::Unset;
  return std::nullopt;
}

// Rules come from elsewhere: what they load and keep stays inside the folders meant for it.
Outcome check_path(std::string_view path) {
  if (path.empty() || path.starts_with('/') || path.find("..") != std::string_view::npos) {
    return wrong("expects a relative path without '..', not " + in_quotes(path));
  }
  return {};
}

// Options that dataset and datarep share: "type string", "load FILE", "state FILE", ...
Outcome read_dataset_option(const RuleDraft& draft, std::string_view option, DatasetMatch& match,
                            bool& has_type) {
  std::string_view rest = option;
  const std::string_view word = take_word(rest);
  if (word == "load" || word == "save" || word == "state") {
    if (auto checked = check_path(rest); !checked) return checked;
  }
  if (word == "type") {
    const auto type = find_type(rest);
    if (!type) return wrong("expects type string, md5, sha256, ipv4 or ip, not " + in_quotes(rest));
    match.type = *type;
    has_type = true;
  } else if (word == "load") {
    auto path = draft.builder.find_data_file(draft.rule.file, rest);
    if (!path) return tl::unexpected(path.error());
    match.load_path = std::move(*path);
  } else if (word == "save") {
    match.state_path = std::string(rest);
  } else if (word == "state") {
    match.state_path = std::string(rest);
    if (auto path = draft.builder.find_data_file(draft.rule.file, rest)) {
      match.load_path = std::move(*path);
    }
  } else if (word == "hashsize") {
    const auto size = read_number(rest, UINT32_MAX);
    if (!size) return tl::unexpected(size.error());
    match.maximum_entries = std::max(match.maximum_entries, static_cast<uint32_t>(*size));
  } else if (word == "memcap") {
    if (rest.empty()) return wrong("expects memcap SIZE");  // bounded by entries, not by bytes
  } else if (word == "format" && rest == "csv") {
    return {};
  } else if (word == "format" || word == "context_key" || word == "value_key" ||
             word == "array_key" || word == "enrichment_key" || word == "remove_key") {
    return not_supported("has no JSON datasets");
  } else {
    return wrong("has the unknown option " + in_quotes(option));
  }
  return {};
}

Outcome check_dataset_name(std::string_view name) {
  if (name.empty() || name.size() > 255) return wrong("expects the name of a set");
  return {};
}

// dataset:OPERATION,NAME[,options]. A set without a type is one that another rule describes.
Outcome read_dataset(RuleDraft& draft, const KeywordUse& use) {
  if (!draft.has_sticky_buffer()) return wrong("expects a sticky buffer before it");
  const auto parts = split(use.value, ',');
  if (parts.size() < 2) return wrong("expects OPERATION,NAME,type TYPE");
  const auto operation = find_operation(parts[0]);
  if (!operation) return wrong("expects isset, isnotset, set or unset, not " + in_quotes(parts[0]));
  if (auto checked = check_dataset_name(parts[1]); !checked) return checked;
  DatasetMatch match;
  match.operation = *operation;
  match.name = std::string(parts[1]);
  match.maximum_entries = kDatasetEntries;
  bool has_type = false;
  for (size_t i = 2; i < parts.size(); ++i) {
    if (auto done = read_dataset_option(draft, parts[i], match, has_type); !done) return done;
  }
  if (!has_type && !match.load_path.empty()) return wrong("expects a type with load or state");
  draft.add(std::move(match));
  return {};
}

// datarep:NAME,>|<|==,VALUE[,options]
Outcome read_datarep(RuleDraft& draft, const KeywordUse& use) {
  if (!draft.has_sticky_buffer()) return wrong("expects a sticky buffer before it");
  const auto parts = split(use.value, ',');
  if (parts.size() < 3) return wrong("expects NAME,OPERATOR,VALUE,type TYPE");
  if (auto checked = check_dataset_name(parts[0]); !checked) return checked;
  const auto comparison = find_comparison(parts[1]);
  if (!comparison) return wrong("expects > < or ==, not " + in_quotes(parts[1]));
  const auto value = read_number(parts[2], UINT16_MAX);
  if (!value) return tl::unexpected(value.error());
  DatasetMatch match;
  match.operation = DatasetMatch::Operation::Reputation;
  match.name = std::string(parts[0]);
  match.comparison = *comparison;
  match.reputation = static_cast<uint16_t>(*value);
  match.maximum_entries = kDatasetEntries;
  bool has_type = false;
  for (size_t i = 3; i < parts.size(); ++i) {
    if (auto done = read_dataset_option(draft, parts[i], match, has_type); !done) return done;
  }
  if (!has_type) return wrong("expects a type");
  draft.add(std::move(match));
  return {};
}

template <class Side>
std::optional<Side> find_side(std::string_view name) noexcept {
  if (name == "src") return Side::Source;
  if (name == "dst") return Side::Destination;
  if (name == "both") return Side::Both;
  if (name == "any") return Side::Any;
  return std::nullopt;
}

// iprep:SIDE,CATEGORY,OPERATOR,VALUE or iprep:SIDE,CATEGORY,isset|isnotset
Outcome read_iprep(RuleDraft& draft, const KeywordUse& use) {
  const auto parts = split(use.value, ',');
  if (parts.size() == 3 && (parts[2] == "isset" || parts[2] == "isnotset")) {
    const auto side = find_side<IpReputationMatch::Side>(parts[0]);
    if (!side) return wrong("expects src, dst, both or any, not " + in_quotes(parts[0]));
    if (parts[1].empty()) return wrong("expects a category");
    IpReputationMatch match{*side, std::string(parts[1]), Comparison::GreaterOrEqual, 0};
    match.absent = parts[2] == "isnotset";
    draft.rule.conditions.emplace_back(std::move(match));
    return {};
  }
  if (parts.size() != 4) return wrong("expects SIDE,CATEGORY,OPERATOR,VALUE");
  const auto side = find_side<IpReputationMatch::Side>(parts[0]);
  if (!side) return wrong("expects src, dst, both or any, not " + in_quotes(parts[0]));
  if (parts[1].empty()) return wrong("expects a category");
  const auto comparison = find_comparison(parts[2]);
  if (!comparison) return wrong("expects < > = <= or >=, not " + in_quotes(parts[2]));
  const auto value = read_number(parts[3], 127);
  if (!value) return tl::unexpected(value.error());
  draft.rule.conditions.emplace_back(
      IpReputationMatch{*side, std::string(parts[1]), *comparison, static_cast<uint8_t>(*value)});
  return {};
}

// geoip:[SIDE,][!]COUNTRY[,...]
Outcome read_geoip(RuleDraft& draft, const KeywordUse& use) {
  GeoIpMatch match;
  size_t negated = 0;
  const auto parts = split(use.value, ',');
  for (size_t i = 0; i < parts.size(); ++i) {
    if (const auto side = i == 0 ? find_side<GeoIpMatch::Side>(parts[i]) : std::nullopt) {
      match.side = *side;
      continue;
    }
    std::string_view country = parts[i];
    if (country.starts_with('!')) {
      ++negated;
      country = trimmed(country.substr(1));
    }
    const bool letters = std::all_of(country.begin(), country.end(), [](char c) {
      return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
    });
    if (country.size() != 2 || !letters) {
      return wrong("expects countries of two letters, not " + in_quotes(parts[i]));
    }
    std::string name = lowercase(country);
    std::transform(name.begin(), name.end(), name.begin(),
                   [](char c) { return static_cast<char>(c - 32); });
    match.countries.push_back(std::move(name));
  }
  if (match.countries.empty()) return wrong("expects at least one country");
  if (negated != 0 && negated != match.countries.size()) {
    return wrong("expects '!' before all countries or before none");
  }
  match.negated = negated != 0;
  draft.rule.conditions.emplace_back(std::move(match));
  return {};
}

constexpr std::array kKeywords{
    Keyword{"datarep", read_datarep, ValueForm::Required},
    Keyword{"dataset", read_dataset, ValueForm::Required},
    Keyword{"geoip", read_geoip, ValueForm::Required},
    Keyword{"iprep", read_iprep, ValueForm::Required},
};

}  // namespace

std::span<const Keyword> list_keywords() noexcept { return kKeywords; }

}  // namespace masugata::ids
