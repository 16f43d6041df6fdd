// SPDX-License-Identifier: GPL-2.0-or-later
#include <fmt/format.h>

#include <charconv>
#include <utility>

#include "config/reading/readers.h"
#include "config/reading/values.h"

namespace masugata::config::reading {
namespace {

InspectionFailure read_failure(DataNode leaf) {
  return leaf.value() == "pass" ? InspectionFailure::Pass : InspectionFailure::Drop;
}

IpsAction read_action(DataNode leaf) {
  if (leaf.value() == "drop") return IpsAction::Drop;
  if (leaf.value() == "reject") return IpsAction::Reject;
  if (leaf.value() == "pass") return IpsAction::Pass;
  if (leaf.value() == "disable") return IpsAction::Disable;
  return IpsAction::Alert;
}

// nullopt after an error.
std::optional<SidRange> read_sids(Context& context, DataNode leaf) {
  const std::string_view text = leaf.value();
  const char* const end = text.data() + text.size();
  SidRange range;
  auto read = std::from_chars(text.data(), end, range.first);
  range.last = range.first;
  if (read.ec == std::errc{} && read.ptr != end) {
    read = std::from_chars(read.ptr + 1, end, range.last);
  }
  if (read.ec != std::errc{} || range.first == 0 || range.first > range.last) {
    context.error(leaf, fmt::format("'{}' is not a signature id or a range of them", leaf.value()),
                  "1 or more, or first-last");
    return std::nullopt;
  }
  return range;
}

std::vector<SidRange> read_sid_list(Context& context, DataNode parent) {
  std::vector<SidRange> ranges;
  for (const DataNode leaf : parent.children("sid")) {
    if (const auto range = read_sids(context, leaf)) ranges.push_back(*range);
  }
  return ranges;
}

std::vector<std::string> read_texts(DataNode parent, std::string_view name) {
  std::vector<std::string> texts;
  for (const DataNode leaf : parent.children(name)) texts.emplace_back(leaf.value());
  return texts;
}

std::vector<IpsVariable> read_variables(DataNode parent, std::string_view name) {
  std::vector<IpsVariable> variables;
  for (const DataNode node : parent.children(name)) {
    variables.push_back(
        {std::string(node.child("name").value()), std::string(node.child("value").value())});
  }
  return variables;
}

void read_rules(DataNode node, IpsSettings& ips) {
  ips.rule_files = read_texts(node, "file");
  ips.threshold_file = node.child("threshold-file").value();
  ips.classification_file = node.child("classification-file").value();
  ips.data_folder = node.child("data-folder").value();
  ips.geoip_database = node.child("geoip-database").value();
  ips.reputation_categories = node.child("reputation-categories").value();
  ips.reputation_files = read_texts(node, "reputation-file");
  if (const DataNode folder = node.child("cache-folder")) ips.cache_folder = folder.value();
  ips.address_variables = read_variables(node, "address-variable");
  ips.port_variables = read_variables(node, "port-variable");
}

void read_overrides(Context& context, DataNode node, IpsProfile& profile) {
  for (const DataNode entry : node.children("override")) {
    IpsOverride override;
    override.place = place_of(entry);
    override.action = read_action(entry.child("action"));
    const DataNode rules = entry.child("rules");
    if (!rules.value().empty() && rules.value()[0] >= '0' && rules.value()[0] <= '9') {
      const auto range = read_sids(context, rules);
      if (!range) continue;
      override.sids = *range;
    } else {
      override.classtype = rules.value();
    }
    profile.overrides.push_back(std::move(override));
  }
}

void read_exceptions(Context& context, DataNode node, IpsProfile& profile) {
  for (const DataNode entry : node.children("exception")) {
    IpsException exception;
    exception.name = entry.child("name").value();
    exception.place = place_of(entry);
    exception.sids = read_sid_list(context, entry);
    auto source = read_addresses(context, entry.child("source"));
    auto destination = read_addresses(context, entry.child("destination"));
    if (!source || !destination) continue;
    exception.source = std::move(*source);
    exception.destination = std::move(*destination);
    if (const DataNode until = entry.child("until")) {
      exception.until = parse_moment(until.value());
      if (!exception.until) {
        context.refuse(until);
        continue;
      }
      if (*exception.until <= context.now()) {
        context.warning(until, "the exception has ended already");
      }
    }
    if (exception.sids.empty() && exception.source.empty() && exception.destination.empty()) {
      context.error(entry, "the exception takes everything from every rule",
                    "a sid, a source or a destination; or no `inspect` in the policy rule");
      continue;
    }
    profile.exceptions.push_back(std::move(exception));
  }
}

void read_selection(Context& context, DataNode node, IpsSelection& selection) {
  selection.classtypes = read_texts(node, "classtype");
  selection.metadata = read_texts(node, "metadata");
  selection.sids = read_sid_list(context, node);
  if (const DataNode priority = node.child("priority")) {
    selection.priority = number_or<uint8_t>(priority, 255);
  }
}

void read_log(DataNode node, IpsLog& log) {
  if (const DataNode file = node.child("file")) log.file = file.value();
  log.maximum_megabytes = number_or(node.child("maximum-size"), log.maximum_megabytes);
  log.events = read_texts(node, "event");
  log.payload = node.has("payload");
  log.packet = node.has("packet");
}

}  // namespace

void read_ips(Context& context) {
  const DataNode ips = context.tree().top("ips");
  IpsSettings& settings = context.model.ips;
  read_rules(ips.child("rules"), settings);
  read_log(ips.child("log"), settings.log);
  for (const DataNode node : ips.children("profile")) {
    IpsProfile profile;
    profile.name = node.child("name").value();
    profile.place = place_of(node);
    profile.prevent = node.child("mode").value() != "detect";
    read_selection(context, node.child("select"), profile.selection);
    read_overrides(context, node, profile);
    read_exceptions(context, node, profile);
    profile.without_rules = read_failure(node.child("without-rules"));
    profile.memory_full = read_failure(node.child("memory-full"));
    profile.overload = read_failure(node.child("overload"));
    profile.midstream = read_failure(node.child("midstream"));
    if (settings.rule_files.empty() && !context.has_errors()) {
      context.warning(node, "there are no rules: `ips rules` names no file");
    }
    context.names.ips_profiles.emplace(
        profile.name,
        Definition<uint16_t>{static_cast<uint16_t>(settings.profiles.size()), node, false});
    settings.profiles.push_back(std::move(profile));
  }
}

}  // namespace masugata::config::reading
