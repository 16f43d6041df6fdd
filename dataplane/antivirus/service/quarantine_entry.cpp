// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/antivirus/service/quarantine_entry.h"

namespace masugata::dataplane {

using Json = nlohmann::json;

Json to_metadata(const QuarantineEntry& entry) {
  return {{"reference", entry.reference},
          {"time", entry.time_s},
          {"bytes", entry.bytes},
          {"complete", entry.complete},
          {"sha256", entry.sha256},
          {"signature", entry.signature},
          {"reason", entry.reason},
          {"profile", entry.profile},
          {"protocol", entry.protocol},
          {"client", entry.client},
          {"server", entry.server},
          {"name", entry.name},
          {"url", entry.url},
          {"sender", entry.sender},
          {"recipients", entry.recipients}};
}

std::optional<QuarantineEntry> from_metadata(const std::string& text) {
  const Json body = Json::parse(text, nullptr, false);
  if (!body.is_object()) return std::nullopt;
  QuarantineEntry entry;
  try {
    entry.reference = body.at("reference").get<uint64_t>();
    entry.time_s = body.at("time").get<int64_t>();
    entry.bytes = body.at("bytes").get<uint64_t>();
    entry.complete = body.at("complete").get<bool>();
    entry.sha256 = body.at("sha256").get<std::string>();
    entry.signature = body.at("signature").get<std::string>();
    entry.reason = body.at("reason").get<std::string>();
    entry.profile = body.at("profile").get<std::string>();
    entry.protocol = body.at("protocol").get<std::string>();
    entry.client = body.at("client").get<std::string>();
    entry.server = body.at("server").get<std::string>();
    entry.name = body.at("name").get<std::string>();
    entry.url = body.at("url").get<std::string>();
    entry.sender = body.at("sender").get<std::string>();
    entry.recipients = body.at("recipients").get<std::string>();
  } catch (const Json::exception&) {
    return std::nullopt;
  }
  return entry;
}

}  // namespace masugata::dataplane
