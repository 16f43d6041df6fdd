// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/antivirus/service/antivirus_events.h"

#include <fmt/format.h>

#include <algorithm>
#include <span>
#include <vector>

#include "ids/eve/community_id.h"
#include "ids/eve/json_writer.h"

namespace masugata::dataplane {
namespace {

using ids::JsonWriter;

constexpr size_t kLineBytes = 32 * 1024;

std::span<const uint8_t> bytes_of(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

void member_if(JsonWriter& json, std::string_view name, std::string_view text) {
  if (!text.empty()) json.member_bytes(name, bytes_of(text));
}

std::string_view action_of(const AntivirusRecord& record) {
  return record.action == AntivirusAction::Passed ? "allowed" : "blocked";
}

std::string_view disposition_of(const AntivirusRecord& record) {
  switch (record.action) {
    case AntivirusAction::Passed:
      return "passed";
    case AntivirusAction::Answered:
      return "answered";
    case AntivirusAction::Reset:
      break;
  }
  return "reset";
}

// The one that sends the object stands first, as with alerts of rules.
void begin(JsonWriter& json, std::string_view type, const AntivirusRecord& record,
           const EventCircumstances& circumstances) {
  const bool to_client = record.facts.direction == ids::Direction::ToClient;
  const net::FlowKey key = to_client ? record.key.reversed() : record.key;
  json.open_object();
  json.member_time("timestamp", circumstances.time_us);
  json.member("flow_id", record.flow_id);
  json.member("event_type", type);
  json.member("src_ip", std::string_view(key.source.to_string()));
  json.member("src_port", uint64_t{key.source_port.host()});
  json.member("dest_ip", std::string_view(key.destination.to_string()));
  json.member("dest_port", uint64_t{key.destination_port.host()});
  json.member("proto", std::string_view("TCP"));
  json.member("ip_v", uint64_t{key.source.is_v4() ? 4U : 6U});
  json.member("pkt_src", std::string_view("wire/pcap"));
  json.member("community_id", ids::community_id(key, 0, 0, 0).view());
}

void write_strings(JsonWriter& json, std::string_view name, std::string_view text) {
  json.open_array(name);
  json.value_bytes(bytes_of(text));
  json.close_array();
}

void write_metadata(JsonWriter& json, const AntivirusRecord& record,
                    const EventCircumstances& circumstances) {
  json.open_object("metadata");
  write_strings(json, "reference", std::to_string(record.reference));
  write_strings(json, "reason", av::name_of(record.reason));
  write_strings(json, "disposition", disposition_of(record));
  write_strings(json, "profile", circumstances.profile);
  json.close_object();
}

void write_alert(JsonWriter& json, const AntivirusRecord& record,
                 const EventCircumstances& circumstances) {
  const std::string other = fmt::format("Antivirus {}", av::name_of(record.reason));
  const bool named = record.signature.size != 0;
  json.open_object("alert");
  json.member("action", action_of(record));
  json.member("gid", kAntivirusGroup);
  json.member("signature_id", kFirstSignatureId + static_cast<uint64_t>(record.reason));
  json.member("rev", uint64_t{1});
  json.member_bytes("signature", bytes_of(named ? record.signature.view() : other));
  json.member("category", std::string_view("Antivirus"));
  json.member("severity", uint64_t{record.reason == av::RefusalReason::Infected ? 1U : 2U});
  write_metadata(json, record, circumstances);
  json.close_object();
}

void write_http(JsonWriter& json, const ObjectFacts& facts) {
  json.open_object("http");
  member_if(json, "hostname", facts.host.view());
  member_if(json, "url", facts.location.view());
  member_if(json, "http_content_type", facts.media_type.view());
  json.close_object();
}

void write_smtp(JsonWriter& json, const ObjectFacts& facts) {
  json.open_object("smtp");
  member_if(json, "mail_from", facts.sender.view());
  json.open_array("rcpt_to");
  std::string_view left = facts.recipients.view();
  while (!left.empty()) {
    const size_t end = std::min(left.find(','), left.size());
    if (end != 0) json.value_bytes(bytes_of(left.substr(0, end)));
    left.remove_prefix(std::min(end + 1, left.size()));
  }
  json.close_array();
  json.close_object();
}

void write_application(JsonWriter& json, const ObjectFacts& facts) {
  if (facts.protocol == ids::ApplicationProtocol::Http) write_http(json, facts);
  if (facts.protocol == ids::ApplicationProtocol::Smtp) write_smtp(json, facts);
  json.member("app_proto", ids::protocol_name(facts.protocol));
  json.member("direction", facts.direction == ids::Direction::ToClient
                               ? std::string_view("to_client")
                               : std::string_view("to_server"));
}

void write_file(JsonWriter& json, const AntivirusRecord& record,
                const EventCircumstances& circumstances) {
  member_if(json, "filename", record.facts.name.view());
  json.member_flag("gaps", false);
  json.member("state", record.complete ? std::string_view("CLOSED") : "TRUNCATED");
  if (record.complete) json.member_hex("sha256", record.sha256, 0);
  json.member_flag("stored", circumstances.stored);
  json.member("size", record.bytes);
  json.member("tx_id", uint64_t{0});
}

// Whatever does not fit is told without the texts of strangers rather than not at all.
template <class Write>
std::string line(const AntivirusRecord& record, Write write) {
  std::vector<char> buffer(kLineBytes);
  JsonWriter json(buffer);
  write(json, record);
  if (!json.overflowed()) return std::string(json.text());
  AntivirusRecord bare = record;
  bare.facts = ObjectFacts();
  bare.facts.protocol = record.facts.protocol;
  bare.facts.direction = record.facts.direction;
  json.reset();
  write(json, bare);
  return std::string(json.text());
}

}  // namespace

std::string antivirus_alert(const AntivirusRecord& record,
                            const EventCircumstances& circumstances) {
  return line(record, [&](JsonWriter& json, const AntivirusRecord& told) {
    begin(json, "alert", told, circumstances);
    write_alert(json, told, circumstances);
    write_application(json, told.facts);
    // A URL that is refused is met before there is an object.
    if (told.reason != av::RefusalReason::UrlRemembered) {
      json.open_array("files");
      json.open_object();
      write_file(json, told, circumstances);
      json.close_object();
      json.close_array();
    }
    json.close_object();
  });
}

std::string antivirus_file(const AntivirusRecord& record, const EventCircumstances& circumstances) {
  return line(record, [&](JsonWriter& json, const AntivirusRecord& told) {
    begin(json, "fileinfo", told, circumstances);
    write_application(json, told.facts);
    json.open_object("fileinfo");
    write_file(json, told, circumstances);
    json.close_object();
    json.close_object();
  });
}

std::string found_file_alert(const FileEvent& event) {
  std::vector<char> buffer(kLineBytes);
  JsonWriter json(buffer);
  json.open_object();
  json.member_time("timestamp", event.time_us);
  json.member("event_type", std::string_view("alert"));
  json.open_object("alert");
  json.member("action", std::string_view("allowed"));
  json.member("gid", kAntivirusGroup);
  json.member("signature_id", kFoundFileId);
  json.member("rev", uint64_t{1});
  json.member_bytes("signature", bytes_of(event.signature));
  json.member("category", std::string_view("Antivirus"));
  json.member("severity", uint64_t{1});
  json.open_object("metadata");
  write_strings(json, "job", event.job);
  if (event.reference != 0) write_strings(json, "reference", std::to_string(event.reference));
  json.close_object();
  json.close_object();
  json.open_array("files");
  json.open_object();
  json.member_bytes("filename", bytes_of(event.path));
  json.member_flag("gaps", false);
  json.member("state", std::string_view("CLOSED"));
  json.member_flag("stored", event.reference != 0);
  json.member("size", event.bytes);
  json.member("tx_id", uint64_t{0});
  json.close_object();
  json.close_array();
  json.close_object();
  return std::string(json.text());
}

std::string old_signatures_alert(uint64_t days, uint64_t time_us) {
  std::vector<char> buffer(1024);
  JsonWriter json(buffer);
  json.open_object();
  json.member_time("timestamp", time_us);
  json.member("event_type", std::string_view("alert"));
  json.open_object("alert");
  json.member("action", std::string_view("allowed"));
  json.member("gid", kAntivirusGroup);
  json.member("signature_id", kOldSignaturesId);
  json.member("rev", uint64_t{1});
  json.member("signature",
              std::string_view(fmt::format("Antivirus signatures are {} days old", days)));
  json.member("category", std::string_view("Antivirus"));
  json.member("severity", uint64_t{2});
  json.close_object();
  json.close_object();
  return std::string(json.text());
}

}  // namespace masugata::dataplane
