// SPDX-License-Identifier: GPL-2.0-or-later
#include "av-stream/scand/readings.h"

#include <algorithm>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace masugata::av {
namespace {

constexpr size_t kMaximumBoundaryBytes = 70;  // RFC 2046 section 5.1.1
constexpr std::string_view kHead =
    "From: a@example.org\r\nTo: b@example.org\r\nMIME-Version: 1.0\r\nContent-Type: ";

std::string_view text_of(std::span<const uint8_t> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::string coded_as(std::string_view coding) {
  return std::string(kHead) + "application/octet-stream; name=part\r\nContent-Transfer-Encoding: " +
         std::string(coding) + "\r\n\r\n";
}

std::string divided_by(std::string_view boundary) {
  return std::string(kHead) + "multipart/mixed; boundary=\"" + std::string(boundary) + "\"\r\n\r\n";
}

std::string_view without_blanks_behind(std::string_view line) {
  const size_t last = line.find_last_not_of(" \t\r");
  return line.substr(0, last == std::string_view::npos ? 0 : last + 1);
}

// Of a line that a multipart body may be divided by; empty of others.
std::string_view boundary_of(std::string_view line) {
  line = without_blanks_behind(line);
  const bool fits = line.starts_with("--") && line.size() > 2 &&
                    line.size() <= kMaximumBoundaryBytes + 2 &&
                    line.find_first_of("\"\\") == std::string_view::npos;
  return fits ? line.substr(2) : std::string_view{};
}

// Behind a boundary stands the header of a part, which may be empty.
bool begins_part(std::string_view line) {
  line = without_blanks_behind(line);
  const size_t name = std::min(line.find(':'), line.size());
  return line.empty() || (name != line.size() && name != 0 &&
                          line.substr(0, name).find_first_of(" \t") == std::string_view::npos);
}

std::vector<std::string> boundaries_of(std::string_view text) {
  std::vector<std::string> found;
  std::string_view last;
  while (!text.empty() && found.size() < kMaximumBoundaries) {
    const size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    if (!last.empty() && begins_part(line) &&
        std::find(found.begin(), found.end(), last) == found.end()) {
      found.emplace_back(last);
    }
    last = boundary_of(line);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return found;
}

// The bytes of `object` with LF in the place of CR LF, at its beginning.
std::span<uint8_t> with_line_feeds(std::span<uint8_t> object) {
  size_t kept = 0;
  for (size_t at = 0; at < object.size(); ++at) {
    const bool dropped = object[at] == '\r' && at + 1 < object.size() && object[at + 1] == '\n';
    if (!dropped) object[kept++] = object[at];
  }
  return object.first(kept);
}

class Readings {
 public:
  Readings(std::span<uint8_t> room, const ScanOnce& scan)
      : room_(room), object_(room.subspan(kHeaderRoom)), scan_(scan) {}

  ScanResult as_is() {
    take(scan_(object_));
    return std::move(result_);
  }
  ScanResult with_other_line_ends() {
    take(scan_(object_));
    if (!is_settled() && text_of(object_).find("\r\n") != std::string_view::npos) {
      take(scan_(with_line_feeds(object_)));
    }
    return std::move(result_);
  }
  ScanResult as_mail() {
    take(scan_(object_));
    behind(coded_as("base64"));
    if (text_of(object_).find('=') != std::string_view::npos) behind(coded_as("quoted-printable"));
    for (const std::string& boundary : boundaries_of(text_of(object_))) {
      behind(divided_by(boundary));
    }
    return std::move(result_);
  }

 private:
  [[nodiscard]] bool is_settled() const {
    return result_.outcome == ScanOutcome::Infected || result_.outcome == ScanOutcome::Failed;
  }
  void take(ScanResult result) {
    const bool counts = result.outcome == ScanOutcome::Infected ||
                        result.outcome == ScanOutcome::Failed ||
                        result_.outcome == ScanOutcome::Clean;
    if (counts) result_ = std::move(result);
  }
  void behind(std::string_view header) {
    if (is_settled() || object_.empty()) return;
    const std::span<uint8_t> mail = room_.subspan(kHeaderRoom - header.size());
    std::memcpy(mail.data(), header.data(), header.size());
    take(scan_(mail));
  }

  std::span<uint8_t> room_;
  std::span<uint8_t> object_;
  const ScanOnce& scan_;
  ScanResult result_{ScanOutcome::Clean, ScanFailure::None, {}};
};

}  // namespace

ScanResult scan_readings(std::span<uint8_t> room, ScanReading reading, const ScanOnce& scan) {
  Readings readings(room, scan);
  switch (reading) {
    case ScanReading::LineEnds:
      return readings.with_other_line_ends();
    case ScanReading::MailPart:
      return readings.as_mail();
    case ScanReading::AsIs:
      break;
  }
  return readings.as_is();
}

}  // namespace masugata::av
