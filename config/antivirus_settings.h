// SPDX-License-Identifier: GPL-2.0-or-later
// The `av` section of a configuration, typed; part of config::Model.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace masugata::config {

// What happens to an object that must not arrive.
enum class AvAction : uint8_t {
  Block,  // a block page or a refusal in the protocol's words where that is possible, else a reset
  Reset,
  Log,  // reported only
};

// What happens to an object that could not be judged, or not wholly.
enum class AvChoice : uint8_t {
  Block,  // as AvAction::Block
  Pass,   // counted
};

// What happens to a request for a part of an object.
enum class AvPartial : uint8_t {
  Whole,  // made a request for the whole (RFC 9110 section 14.2: servers may ignore Range)
  Block,
  Pass,  // the part is scanned as it is, and counted
};

enum class AvProtocol : uint8_t { Http, Smtp, Pop3, Imap, Ftp, Count };

// Kinds of content that a profile may leave unscanned, told by their first bytes.
enum class AvContentKind : uint8_t { Image, Audio, Video, Font, Count };

struct AvProfile {
  std::string name;
  std::array<AvAction, static_cast<size_t>(AvProtocol::Count)> infected{};  // Block each
  std::array<bool, static_cast<size_t>(AvProtocol::Count)> scan{true, true, true, true, true};

  // Limits, and what an object gets that meets them.
  uint64_t object_bytes = 32ULL << 20U;  // as it arrives, content codings undone
  AvChoice too_large = AvChoice::Pass;
  uint64_t unpacked_bytes = 128ULL << 20U;  // from one object in all
  uint64_t unpacked_file_bytes = 32ULL << 20U;
  AvChoice unpacked_too_large = AvChoice::Block;
  uint32_t recursion = 16;
  AvChoice too_deep = AvChoice::Block;
  uint32_t files = 10000;
  AvChoice too_many_files = AvChoice::Block;
  uint32_t time_ms = 30000;
  AvChoice too_long = AvChoice::Block;

  AvChoice encrypted = AvChoice::Pass;  // archives and documents that cannot be opened
  AvChoice macros = AvChoice::Pass;
  AvPartial partial = AvPartial::Whole;
  AvChoice coded = AvChoice::Block;            // content codings that cannot be undone
  AvChoice unknown_protocol = AvChoice::Pass;  // sessions that speak what nobody recognises
  AvChoice not_scanned = AvChoice::Block;      // the scanner failed, or there is none
  AvChoice overload = AvChoice::Block;         // no memory or no room for the object
  bool refuse_encryption = false;              // of mail and FTP: STARTTLS, STLS, AUTH TLS
  bool quarantine = true;

  uint8_t exempt_kinds = 0;                    // bit per AvContentKind
  std::optional<uint64_t> exempt_above_bytes;  // announced length from which nothing is scanned

  // An object of at most so many bytes is held from its first one, so that a block page can stand
  // in its place. More than a sender's first window never comes before the receiver answers.
  uint32_t hold_whole_bytes = 10 * 1024;
};

// How the smart host is spoken to (RFC 3207).
enum class MailTls : uint8_t {
  None,
  Opportunistic,  // encrypted when it offers that; whoever it is
  Required,       // encrypted, and its certificate is valid for its name
};

struct AvNotices {
  MailTls tls = MailTls::Opportunistic;
  std::string authorities;  // file of certificates that are trusted; empty: those of the system
  std::string smart_host;   // "192.0.2.1:25", "mail.example.com:25"; empty = no mails
  std::string from;
  std::vector<std::string> administrators;
  bool to_recipients = true;                   // of infected mail that comes in
  bool to_senders = true;                      // of infected mail that goes out
  std::vector<std::string> zones_inside = {};  // mail into these comes in
  uint32_t per_hour = 60;                      // beyond: one summary
};

struct AvQuarantine {
  std::string folder = "/var/lib/masugata/quarantine";
  uint64_t megabytes = 1024;
  uint32_t days = 30;
};

struct AvJob {
  std::string name;
  std::vector<std::string> paths;
  std::vector<std::string> excluded = {};
  uint16_t at_minute = 2 * 60;  // of the day, local time
  uint8_t weekdays = 0x7f;      // bit 0 = Sunday
  uint16_t scanners = 1;
  uint64_t file_bytes = 100ULL << 20U;  // of a larger file the beginning is scanned
  bool quarantine = false;
  std::vector<std::string> report_to = {};  // mail addresses
};

struct AntivirusSettings {
  std::string signature_folder = "/var/lib/clamav";
  std::vector<std::string> own_signatures;  // files that libclamav reads
  std::vector<std::string> allowed_sha256;  // 64 hexadecimal digits, lower case
  uint32_t signature_days = 3;              // older ones raise an alert
  uint16_t scanners = 2;
  uint32_t memory_megabytes = 256;     // of all workers, for objects on their way
  uint32_t scanner_megabytes = 2048;   // of one scanner process, besides the engine
  uint32_t blocked_url_minutes = 240;  // 0 = not remembered
  std::string block_page;              // file of a template; empty = built in
  std::vector<AvProfile> profiles;
  AvNotices notices;
  AvQuarantine quarantine;
  std::vector<AvJob> jobs;
};

}  // namespace masugata::config
