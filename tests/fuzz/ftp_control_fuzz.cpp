// SPDX-License-Identifier: GPL-2.0-or-later
// FTP announcements out of any payload. Input: one byte of choices, then the payload.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "dataplane/nat/ftp_control.h"

namespace {

using namespace masugata;  // NOLINT: a program of one file

void require(bool holds) {
  if (!holds) std::abort();
}

// The announcement written anew must be found again and say what was written. Lines behind it are
// left away: when its own has grown beyond the longest one, the next announcement would be found.
void check_replacement(const std::vector<uint8_t>& payload, dataplane::FtpSide side,
                       const dataplane::FtpAnnouncement& found, bool at_line_start) {
  require(size_t{found.replace_offset} + found.replace_length <= payload.size());
  const auto outside =
      *net::IpAddress::parse(found.address.is_v4() ? "203.0.113.254" : "2001:db8:ffff::fffe");
  const auto port = net::Be16::from_host(61234);
  const auto text = dataplane::write_announcement(found, outside, port);
  require(text.length > 0 && text.length <= dataplane::kFtpReplacementBytes);
  std::vector<uint8_t> line(payload.begin(), payload.begin() + found.replace_offset);
  line.insert(line.end(), text.view().begin(), text.view().end());
  const auto behind = payload.begin() + found.replace_offset + found.replace_length;
  const auto line_end = std::find(behind, payload.end(), uint8_t{'\n'});
  require(line_end != payload.end());
  line.insert(line.end(), behind, line_end + 1);
  const auto again = dataplane::find_announcement(line, side, outside, at_line_start);
  // A line close to the longest one may have grown beyond it.
  if (!again) return;
  require(again->address == outside && again->port == port);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const auto side = (data[0] & 1U) != 0 ? dataplane::FtpSide::Server : dataplane::FtpSide::Client;
  const bool at_line_start = (data[0] & 2U) != 0;
  const auto sender = *net::IpAddress::parse((data[0] & 4U) != 0 ? "2001:db8::5" : "10.0.0.5");
  const std::vector<uint8_t> payload(data + 1, data + size);
  const auto found = dataplane::find_announcement(payload, side, sender, at_line_start);
  if (!found) return 0;
  require(found->address == sender && found->port.host() >= 1024);
  check_replacement(payload, side, *found, at_line_start);
  return 0;
}
