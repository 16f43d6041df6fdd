// SPDX-License-Identifier: GPL-2.0-or-later
// What a worker remembers of a session whose objects are scanned, and of those objects.
#pragma once

#include <openssl/evp.h>

#include <array>
#include <cstdint>
#include <optional>

#include "av-stream/exchange/worker_region.h"
#include "dataplane/antivirus/antivirus_record.h"
#include "dataplane/antivirus/held_segments.h"
#include "dataplane/session/session.h"
#include "ids/direction.h"

namespace masugata::dataplane {

enum class ObjectPhase : uint8_t {
  Free,
  Collecting,  // its bytes come
  Waiting,     // it is whole and there is no room among the scans
  Scanning,    // it is whole and with a scanner
  Told,        // it was refused; only its facts are needed
};

struct ScannedObject {
  uint32_t session = kNone32;  // place of the session
  uint32_t next = kNone32;     // of the session, in the order of their beginnings
  uint16_t serial = 0;         // of the use of this place; part of the content's id
  ObjectPhase phase = ObjectPhase::Free;
  bool ended = false;
  bool complete = false;    // ended as announced, every byte was seen
  bool touched = false;     // by the segment at hand
  bool limits = false;      // what begins at `hold_sequence` or behind it is held
  bool whole_held = false;  // `hold_sequence` is where the message that carries it begins
  bool useless_before_end = false;
  bool answered_next = true;  // as in ids::ContentFacts
  bool asked_again = false;   // a held segment came once more: its sender waits for it
  // No object: at `hold_sequence` begin bytes that nobody announced. Its client is told the end.
  bool unannounced = false;
  bool early_scan = false;  // under way
  bool summed = false;      // `sha256` is that of the whole
  uint8_t early_scans = 0;
  uint32_t hold_sequence = 0;
  // Of a response whose length was announced: where it is over. Nothing behind that passes before
  // it has a verdict.
  std::optional<uint64_t> announced;
  std::optional<uint32_t> announced_end;
  uint64_t arrived = 0;     // of the announced bytes
  uint32_t news_ms = 0;     // when its last bytes came
  uint32_t waiting_ms = 0;  // since when there is no room among the scans
  uint32_t asked_ms = 0;    // when the scan under way was asked for
  uint64_t bytes = 0;
  av::ScanReading reading = av::ScanReading::AsIs;
  av::StoredObject stored;
  av::StoredObject tail;  // what came while `stored` was being scanned
  av::ScanTicket ticket;
  EVP_MD_CTX* digest = nullptr;  // of the place, for all of its uses
  av::Sha256 sha256{};           // once it ended
  ObjectFacts facts;
  [[nodiscard]] bool is_to_client() const noexcept {
    return facts.direction == ids::Direction::ToClient;
  }
};

// A refusal that was decided and not carried out.
struct PendingRefusal {
  bool any = false;
  uint32_t object = kNone32;  // whose facts are told; kNone32: no room for them
  av::RefusalReason reason = av::RefusalReason::Infected;
  av::ScanFailure failure = av::ScanFailure::None;
  CutText<av::kSignatureNameBytes> signature;
  uint64_t signatures = 0;
};

// A text that the gateway sends to a client in the name of its server. "Client" is the end that is
// answered: of a data connection that the server has opened (active FTP) it is the session's
// server.
struct RefusalAnswer {
  bool active = false;
  ids::Direction toward = ids::Direction::ToClient;
  bool client_ended = false;  // its FIN was acknowledged
  bool acknowledged = false;  // it has the whole text
  uint8_t tries = 0;
  uint32_t begun_ms = 0;
  uint32_t next_ms = 0;         // when it is sent again
  uint32_t first_sequence = 0;  // in the server's numbers
  uint32_t text_bytes = 0;      // with the prefix
  // Of the pattern's payload, said before the text: the end of what belongs to others.
  uint32_t prefix_bytes = 0;
  uint32_t acknowledgement = 0;  // in the client's numbers: what the server would expect next
  bool has_timestamps = false;
  uint32_t timestamp_value = 0;  // ours
  uint32_t timestamp_echo = 0;   // the client's
  uint32_t object = kNone32;     // whose facts it tells
  av::RefusalReason reason = av::RefusalReason::Infected;
  uint64_t reference = 0;
  uint64_t time_s = 0;
  CutText<av::kSignatureNameBytes> signature;
  HeldPacket pattern;  // whose link header and interfaces written segments take
};

// Of a control connection (FTP): what its server may say of the transfers that it announced.
struct TransferReplies {
  uint16_t open = 0;           // data sessions whose objects have no verdict yet
  bool waits = false;          // a completion has come meanwhile; it and what follows it is held
  uint32_t hold_sequence = 0;  // of its segment
  uint32_t since_ms = 0;
  // An object was refused: what the server says next of the end of a transfer says so instead.
  bool refused = false;
  uint32_t refused_ms = 0;
  bool told = false;  // some reply was changed
  uint32_t told_sequence = 0;
  av::RefusalReason reason = av::RefusalReason::Infected;
  uint64_t reference = 0;
  CutText<av::kSignatureNameBytes> signature;
};

struct ScannedSession {
  SessionHandle handle;
  AntivirusSlotIndex slot = kNoAntivirusSlot;
  bool closed = false;   // refused: nothing passes any more
  bool reset = false;    // by either end
  bool opaque = false;   // counted
  bool watched = false;  // in the list of those that are looked at every millisecond
  uint32_t next_watched = kNone32;
  uint32_t previous_watched = kNone32;
  uint32_t first_object = kNone32;
  uint16_t objects = 0;
  net::FlowKey key;                    // client to server, the addresses that they really have
  std::array<SegmentQueue, 2> queues;  // by ids::Direction
  std::array<bool, 2> limited{};
  std::array<uint32_t, 2> limit{};        // nothing that ends behind it passes
  std::array<uint64_t, 2> released_us{};  // the turn in which held ones were let go last
  std::array<bool, 2> passed{};
  std::array<uint32_t, 2> passed_end{};  // behind the last byte that passed, gaps or not
  // Of an object, until those before it have a verdict, and until the end that is answered has all
  // that stands before the answer.
  std::optional<uint32_t> announced_end;  // of the last response
  PendingRefusal postponed;
  bool awaits_answered = false;  // the latter
  bool unanswerable = false;     // it waited in vain
  uint32_t awaits_since_ms = 0;
  RefusalAnswer answer;
  TransferReplies transfers;
  // Of a data session that counts among the `open` ones of its control connection.
  uint32_t control = kNone32;
  SessionHandle control_handle;
  bool ending = false;  // FIN or RST of either side was seen
  uint64_t flow_id = 0;
};

}  // namespace masugata::dataplane
