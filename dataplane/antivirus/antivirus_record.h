// SPDX-License-Identifier: GPL-2.0-or-later
// What a worker tells the control thread about an object: for the log, notices, quarantine and the
// list of blocked URLs.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>

#include "av-stream/exchange/exchange_layout.h"
#include "av-stream/exchange/worker_region.h"
#include "av-stream/objects/clean_objects.h"
#include "av-stream/verdicts/refusal_text.h"
#include "dataplane/antivirus/antivirus_set.h"
#include "dataplane/pipeline/record_ring.h"
#include "dataplane/session/session.h"
#include "ids/protocols/content_receiver.h"
#include "net/flow_key.h"

namespace masugata::dataplane {

// A text of at most `Bytes`; longer ones are cut. Trivially copyable.
template <uint16_t Bytes>
struct CutText {
  uint16_t size = 0;
  std::array<char, Bytes> text;
  void set(std::string_view from) noexcept {
    size = static_cast<uint16_t>(std::min<size_t>(from.size(), Bytes));
    std::memcpy(text.data(), from.data(), size);
  }
  [[nodiscard]] std::string_view view() const noexcept { return {text.data(), size}; }
};

// As which protocol the profile judges a flow's contents; none: it gives no contents.
[[nodiscard]] inline std::optional<config::AvProtocol> scanned_protocol(
    ids::ApplicationProtocol protocol) noexcept {
  switch (protocol) {
    case ids::ApplicationProtocol::Http:
      return config::AvProtocol::Http;
    case ids::ApplicationProtocol::Smtp:
      return config::AvProtocol::Smtp;
    case ids::ApplicationProtocol::Pop3:
      return config::AvProtocol::Pop3;
    case ids::ApplicationProtocol::Imap:
      return config::AvProtocol::Imap;
    case ids::ApplicationProtocol::Ftp:
    case ids::ApplicationProtocol::FtpData:
      return config::AvProtocol::Ftp;
    default:
      return std::nullopt;
  }
}

// What is remembered of ids::ContentFacts.
struct ObjectFacts {
  ids::ApplicationProtocol protocol = ids::ApplicationProtocol::Unknown;
  ids::Direction direction = ids::Direction::ToClient;
  CutText<128> name;
  CutText<256> host;
  CutText<1024> location;
  uint32_t location_bytes = 0;  // of the whole
  uint64_t url_key = 0;         // HTTP: av::url_key() of the whole, when `location` is cut
  [[nodiscard]] bool is_location_cut() const noexcept { return location_bytes > location.size; }
  CutText<64> media_type;
  CutText<128> languages;
  CutText<64> tag;
  CutText<256> sender;
  CutText<1024> recipients;
};

enum class AntivirusAction : uint8_t {
  Passed,    // reported only
  Answered,  // a block page or a refusal
  Reset,
};

// What became of an object that is worth a word. Clean objects are only counted.
struct AntivirusRecord {
  uint64_t reference = 0;  // unique: worker and number
  uint64_t time_us = 0;    // worker clock
  net::FlowKey key;        // client to server, the addresses that they really have
  AntivirusSlotIndex slot = kNoAntivirusSlot;
  uint64_t flow_id = 0;  // as in the events of rules
  av::RefusalReason reason = av::RefusalReason::Infected;
  AntivirusAction action = AntivirusAction::Passed;
  av::ScanFailure failure = av::ScanFailure::None;
  bool complete = false;  // all of the object is in it
  uint64_t bytes = 0;
  av::Sha256 sha256{};  // when complete
  uint64_t signatures = 0;
  CutText<av::kSignatureNameBytes> signature;
  ObjectFacts facts;
  // For quarantine: the blocks are the control thread's until it gives them back by
  // ObjectGuard::give_back(); empty when there is nothing to keep.
  av::StoredObject object;
};

using AntivirusRecordRing = RecordRing<AntivirusRecord, 256>;

}  // namespace masugata::dataplane
