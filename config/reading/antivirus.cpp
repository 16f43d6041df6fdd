// SPDX-License-Identifier: GPL-2.0-or-later
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "config/reading/readers.h"
#include "config/reading/values.h"
#include "config/scanner_scratch.h"

namespace masugata::config::reading {

uint64_t read_size(Context& context, DataNode leaf, uint64_t otherwise, uint64_t least,
                   uint64_t most) {
  if (!leaf) return otherwise;
  const std::string_view text = leaf.value();
  uint64_t number = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
  const char unit = read.ptr == text.data() + text.size() ? '\0' : *read.ptr;
  const unsigned shift = unit == 'k' ? 10 : unit == 'M' ? 20 : unit == 'G' ? 30 : 0;
  const uint64_t bytes = number << shift;
  if (bytes < least || bytes > most) {
    context.error(leaf, fmt::format("'{}' is too {}", text, bytes < least ? "small" : "large"),
                  fmt::format("{} to {} bytes", least, most));
  }
  return bytes;
}

namespace {

AvAction read_action(DataNode leaf) {
  if (leaf.value() == "reset") return AvAction::Reset;
  return leaf.value() == "log" ? AvAction::Log : AvAction::Block;
}

AvChoice read_choice(DataNode leaf, AvChoice otherwise) {
  if (leaf.value().empty()) return otherwise;
  return leaf.value() == "pass" ? AvChoice::Pass : AvChoice::Block;
}

std::vector<std::string> read_texts(DataNode parent, std::string_view name) {
  std::vector<std::string> texts;
  for (const DataNode leaf : parent.children(name)) texts.emplace_back(leaf.value());
  return texts;
}

constexpr uint64_t kLargestObject = 1ULL << 30U;
constexpr uint64_t kLargestUnpacked = 16ULL << 30U;

constexpr uint64_t kLargestFile = (2ULL << 30U) - 1;

void warn_of_large_files(Context& context, DataNode leaf, uint64_t bytes) {
  if (bytes <= (uint64_t{kScannerScratchMegabytes} << 20U) / 2 || bytes > kLargestFile) return;
  context.warning(leaf, fmt::format("a file of `{}` takes more than half of the {}M that a scanner "
                                    "has for unpacked files: of archives with such files some "
                                    "cannot be scanned",
                                    leaf.name(), kScannerScratchMegabytes));
}

void read_limits(Context& context, DataNode node, AvProfile& profile) {
  profile.object_bytes =
      read_size(context, node.child("object-size"), profile.object_bytes, 1024, kLargestObject);
  profile.too_large = read_choice(node.child("too-large"), profile.too_large);
  profile.unpacked_bytes = read_size(context, node.child("unpacked-size"), profile.unpacked_bytes,
                                     1024, kLargestUnpacked);
  profile.unpacked_file_bytes = read_size(context, node.child("unpacked-file-size"),
                                          profile.unpacked_file_bytes, 1024, kLargestFile);
  warn_of_large_files(context, node.child("unpacked-file-size"), profile.unpacked_file_bytes);
  profile.unpacked_too_large =
      read_choice(node.child("unpacked-too-large"), profile.unpacked_too_large);
  profile.recursion = number_or(node.child("recursion"), profile.recursion);
  profile.too_deep = read_choice(node.child("too-deep"), profile.too_deep);
  profile.files = number_or(node.child("files"), profile.files);
  profile.too_many_files = read_choice(node.child("too-many-files"), profile.too_many_files);
  profile.time_ms = number_or<uint32_t>(node.child("time"), 30) * 1000;
  profile.too_long = read_choice(node.child("too-long"), profile.too_long);
}

void read_exemptions(Context& context, DataNode node, AvProfile& profile) {
  constexpr std::array<std::string_view, static_cast<size_t>(AvContentKind::Count)> kKinds{
      "image", "audio", "video", "font"};
  for (const DataNode leaf : node.children("kind")) {
    const auto found = std::find(kKinds.begin(), kKinds.end(), leaf.value());
    profile.exempt_kinds =
        static_cast<uint8_t>(profile.exempt_kinds | 1U << (found - kKinds.begin()));
  }
  if (const DataNode larger = node.child("larger-than")) {
    profile.exempt_above_bytes = read_size(context, larger, 0, 1, UINT64_MAX);
  }
}

void read_profile(Context& context, DataNode node, AvProfile& profile) {
  constexpr std::array<std::string_view, static_cast<size_t>(AvProtocol::Count)> kProtocols{
      "http", "smtp", "pop3", "imap", "ftp"};
  profile.name = node.child("name").value();
  for (size_t i = 0; i < kProtocols.size(); ++i) {
    const DataNode protocol = node.child(kProtocols[i]);
    profile.infected[i] = read_action(protocol.child("infected"));
    profile.scan[i] = !protocol.has("disable");
  }
  read_limits(context, node.child("limits"), profile);
  profile.encrypted = read_choice(node.child("encrypted"), profile.encrypted);
  profile.macros = read_choice(node.child("macros"), profile.macros);
  const std::string_view partial = node.child("partial").value();
  profile.partial = partial == "block"  ? AvPartial::Block
                    : partial == "pass" ? AvPartial::Pass
                                        : AvPartial::Whole;
  profile.coded = read_choice(node.child("coded"), profile.coded);
  profile.unknown_protocol = read_choice(node.child("unknown-protocol"), profile.unknown_protocol);
  profile.not_scanned = read_choice(node.child("not-scanned"), profile.not_scanned);
  profile.overload = read_choice(node.child("overload"), profile.overload);
  profile.refuse_encryption = node.child("encryption").value() == "refuse";
  read_exemptions(context, node.child("exempt"), profile);
  profile.hold_whole_bytes = static_cast<uint32_t>(
      read_size(context, node.child("hold-whole"), profile.hold_whole_bytes, 1, 1U << 20U));
  profile.quarantine = !node.has("no-quarantine");
}

void read_signatures(DataNode node, AntivirusSettings& settings) {
  if (const DataNode folder = node.child("folder")) settings.signature_folder = folder.value();
  settings.own_signatures = read_texts(node, "own");
  settings.allowed_sha256 = read_texts(node, "allow-sha256");
  for (std::string& digest : settings.allowed_sha256) {
    for (char& c : digest) c = c >= 'A' && c <= 'F' ? static_cast<char>(c | 0x20) : c;
  }
  settings.signature_days = number_or(node.child("maximum-age"), settings.signature_days);
}

void read_notices(Context& context, DataNode node, AvNotices& notices) {
  notices.smart_host = node.child("smart-host").value();
  const std::string_view tls = node.child("tls").value();
  notices.tls = tls == "none"       ? MailTls::None
                : tls == "required" ? MailTls::Required
                                    : MailTls::Opportunistic;
  notices.authorities = node.child("authorities").value();
  notices.from = node.child("from").value();
  notices.administrators = read_texts(node, "administrator");
  notices.per_hour = number_or(node.child("per-hour"), notices.per_hour);
  for (const DataNode leaf : node.children("inside-zone")) {
    if (read_zone(context, leaf)) notices.zones_inside.emplace_back(leaf.value());
  }
  if (!notices.smart_host.empty() && notices.from.empty()) {
    context.error(node, "notices have no sender", "from ADDRESS;");
  }
}

void read_job(Context& context, DataNode node, AvJob& job) {
  constexpr std::array<std::string_view, 7> kWeekdays{"sun", "mon", "tue", "wed",
                                                      "thu", "fri", "sat"};
  job.name = node.child("name").value();
  job.paths = read_texts(node, "path");
  job.excluded = read_texts(node, "exclude");
  if (job.paths.empty()) context.error(node, "the job scans nothing", "path FOLDER;");
  Schedule day;
  // A range to midnight has the same shape as one moment of the day.
  const std::string at(node.child("at").value());
  if (at.empty()) {
    // The default stands in the job.
  } else if (parse_hours(at + "-24:00", day)) {
    job.at_minute = day.from_minute;
  } else {
    context.error(node.child("at"), fmt::format("'{}' is no time of day", at), "HH:MM");
  }
  unsigned weekdays = 0;
  for (const DataNode leaf : node.children("weekdays")) {
    const auto found = std::find(kWeekdays.begin(), kWeekdays.end(), leaf.value());
    weekdays |= 1U << (found - kWeekdays.begin());
  }
  if (weekdays != 0) job.weekdays = static_cast<uint8_t>(weekdays);
  job.scanners = number_or(node.child("scanners"), job.scanners);
  job.file_bytes = read_size(context, node.child("file-size"), job.file_bytes, 1024, kLargestFile);
  warn_of_large_files(context, node.child("file-size"), job.file_bytes);
  job.quarantine = node.has("quarantine");
  job.report_to = read_texts(node, "report-to");
}

}  // namespace

void read_antivirus(Context& context) {
  const DataNode av = context.tree().top("av");
  AntivirusSettings& settings = context.model.antivirus;
  read_signatures(av.child("signatures"), settings);
  settings.scanners = number_or(av.child("scanners"), settings.scanners);
  settings.memory_megabytes = static_cast<uint32_t>(
      read_size(context, av.child("memory"), uint64_t{settings.memory_megabytes} << 20U,
                16ULL << 20U, 64ULL << 30U) >>
      20U);
  settings.scanner_megabytes = static_cast<uint32_t>(
      read_size(context, av.child("scanner-memory"), uint64_t{settings.scanner_megabytes} << 20U,
                256ULL << 20U, 64ULL << 30U) >>
      20U);
  settings.blocked_url_minutes =
      number_or(av.child("blocked-url-time"), settings.blocked_url_minutes);
  settings.block_page = av.child("block-page").value();
  const DataNode quarantine = av.child("quarantine");
  if (const DataNode folder = quarantine.child("folder")) {
    settings.quarantine.folder = folder.value();
  }
  settings.quarantine.megabytes =
      read_size(context, quarantine.child("size"), settings.quarantine.megabytes << 20U,
                1ULL << 20U, 1ULL << 42U) >>
      20U;
  settings.quarantine.days = number_or(quarantine.child("maximum-age"), settings.quarantine.days);
  read_notices(context, av.child("notices"), settings.notices);
  for (const DataNode node : av.children("scan-job")) {
    AvJob job;
    read_job(context, node, job);
    if (!job.report_to.empty() && settings.notices.smart_host.empty()) {
      context.warning(node, "nobody gets the report: `av notices` has no smart-host");
    }
    settings.jobs.push_back(std::move(job));
  }
  for (const DataNode node : av.children("profile")) {
    AvProfile profile;
    read_profile(context, node, profile);
    const uint64_t memory = uint64_t{settings.memory_megabytes} << 20U;
    if (profile.object_bytes > memory / 2) {
      context.warning(node,
                      "an object of `limits object-size` takes more than half of `av memory`");
    }
    context.names.av_profiles.emplace(
        profile.name,
        Definition<uint16_t>{static_cast<uint16_t>(settings.profiles.size()), node, false});
    settings.profiles.push_back(std::move(profile));
  }
}

}  // namespace masugata::config::reading
