// SPDX-License-Identifier: GPL-2.0-or-later
#include "ids/protocols/protocol_detector.h"

namespace masugata::ids {

DetectionAnswer detect_protocol(const DetectionQuestion& question) noexcept {
  const auto& first = question.to_server;
  if (first.size() >= 3 && first[0] == 22 && first[1] == 3) {
    return {ApplicationProtocol::Tls, Direction::ToServer, false};
  }
  if (first.size() >= 4 && first[0] == 'G' && first[1] == 'E' && first[2] == 'T') {
    return {ApplicationProtocol::Http, Direction::ToServer, false};
  }
  return {};
}

}  // namespace masugata::ids
