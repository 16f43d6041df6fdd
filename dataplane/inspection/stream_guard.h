// SPDX-License-Identifier: GPL-2.0-or-later
// Who has a say in what passes besides the rules, and takes the contents of a session's streams:
// antivirus (dataplane/antivirus), as far as the inspector knows of it.
#pragma once

#include <cstdint>
#include <span>

#include "dataplane/antivirus/antivirus_slot.h"
#include "dataplane/session/session.h"
#include "ids/protocols/content_receiver.h"
#include "net/flow_key.h"

namespace masugata::dataplane {

// How a segment lies in its stream, in its sender's numbers.
struct SegmentPlace {
  ids::Direction direction = ids::Direction::ToServer;
  uint32_t sequence = 0;
  uint32_t end = 0;      // behind its last byte, FIN included
  bool carries = false;  // bytes or FIN: what must not pass beyond a limit
  bool ends = false;     // FIN or RST
  bool resets = false;   // a believable RST: neither end has a use for what follows
  // Behind the last byte that can be read now: of a segment that closed a gap farther than `end`.
  uint32_t readable_end = 0;
  bool ahead = false;     // behind a gap: nobody can read it before that is closed
  bool repeated = false;  // nothing of it is new
  std::span<uint8_t> payload;
};

enum class GuardFate : uint8_t {
  Go,
  Hold,    // ObjectGuard::hold() takes it
  Refuse,  // ObjectGuard::refuse() takes it: it must not pass, nor anything after it
};

struct GuardVerdict {
  GuardFate fate = GuardFate::Go;
  bool payload_changed = false;  // in place, the length stays
};

// What a guard is told of a session.
struct GuardedSession {
  SessionHandle session;
  AntivirusSlotIndex slot = kNoAntivirusSlot;
  net::FlowKey key;      // client to server, as they really are
  uint64_t flow_id = 0;  // as in the events of rules
  // Of a data session that a control connection (FTP) announced: the place of that connection.
  uint32_t control = kNone32;
};

// Thread: the worker's.
class StreamGuard : public ids::ContentReceiver {
 public:
  // A session's place, kNone32 at the bound.
  [[nodiscard]] virtual uint32_t open(const GuardedSession& session) noexcept = 0;
  // The session ends or is no longer scanned; what is held is dropped.
  virtual void close(uint32_t place) noexcept = 0;
  // What the guard refused before stays refused.
  [[nodiscard]] virtual bool is_closed(uint32_t place) const noexcept = 0;
  // A believable RST has passed: nothing is remembered of contents, bytes must not pass any more.
  [[nodiscard]] virtual bool is_reset(uint32_t place) const noexcept = 0;

  // Around what the engine does with a segment, or with the flow's end.
  virtual void begin_segment(uint32_t place, const SegmentPlace& segment, uint32_t now_ms,
                             uint64_t now_us) noexcept = 0;
  // The engine refused the segment, or there was none.
  virtual void cancel_segment() noexcept = 0;
  [[nodiscard]] virtual GuardVerdict end_segment() noexcept = 0;
  // Whether a session that cannot be scanned may pass.
  [[nodiscard]] virtual bool passes_unscanned(AntivirusSlotIndex slot) const noexcept = 0;
};

}  // namespace masugata::dataplane
