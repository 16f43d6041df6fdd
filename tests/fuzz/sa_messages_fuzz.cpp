// SPDX-License-Identifier: GPL-2.0-or-later
// What charon's plugin says to masugatad. Input: messages, each behind its size (two bytes, little
// end first). A header with an odd magic number is set right, so that what lies behind it is
// reached.
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "ipsec/sa/recording_consumer.h"
#include "ipsec/sa/sa_dialogue.h"

namespace {

using namespace masugata::ipsec;  // NOLINT: a program of one file

void require(bool holds) {
  if (!holds) std::abort();
}

void check_state(const RecordingConsumer& consumer) {
  for (const auto& [name, parameters] : consumer.sas) {
    require(check(parameters).has_value());
    require(name.spi == parameters.spi.host());
    require(parameters.local_selectors.count <= TrafficSelectors::kMaximum);
  }
  for (const CharonAlert& alert : consumer.alerts) {
    require(name_of(alert.kind) != "no alert");
    for (const char c : alert.received + alert.configured + alert.remote_identity) {
      require(c >= ' ' && c <= '~');
    }
  }
}

void mend_header(uint8_t* message, size_t size) {
  masugata_sa_header header;
  if (size < sizeof header) return;
  std::memcpy(&header, message, sizeof header);
  if ((header.magic & 1U) != 0) {
    header.magic = MASUGATA_SA_MAGIC;
    header.version = MASUGATA_SA_VERSION;
    header.size = static_cast<uint32_t>(size);
  }
  std::memcpy(message, &header, sizeof header);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  RecordingConsumer consumer;
  SaDialogue dialogue(consumer, 1);
  dialogue.begin();
  while (size >= 2) {
    const size_t announced = static_cast<size_t>(data[0]) | static_cast<size_t>(data[1]) << 8U;
    data += 2;
    size -= 2;
    const size_t bytes = std::min(announced, size);
    // Exactly as large as the message: a byte beyond it is a finding.
    const auto message = std::make_unique<uint8_t[]>(bytes);
    std::memcpy(message.get(), data, bytes);
    mend_header(message.get(), bytes);
    data += bytes;
    size -= bytes;
    const auto reply = dialogue.handle({message.get(), bytes});
    for (size_t i = 0; i < bytes; ++i) require(message[i] == 0);
    if (!reply) {
      dialogue.end();
      dialogue.begin();
      continue;
    }
    if (reply->has_value()) require((*reply)->reason[sizeof(*reply)->reason - 1] == '\0');
    check_state(consumer);
  }
  return 0;
}
