// SPDX-License-Identifier: GPL-2.0-or-later
// A transaction: one request with its answer (HTTP, DNS), one handshake (TLS, SSH), one mail
// (SMTP), one command (FTP). Parsers make them, the engine reads their buffers, EVE logs them.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "ids/buffers/buffer_id.h"
#include "ids/direction.h"
#include "ids/protocols/events.h"
#include "ids/rules/condition.h"

namespace masugata::ids {

enum class BufferState : uint8_t {
  NotYet,    // may still come: ask again after more data
  Absent,    // will never exist in this transaction (a request without that header)
  Partial,   // progressive: these bytes now, more may follow
  Complete,  // these bytes, for good
};

// Bytes of one buffer. `bytes` stays valid until the parser is given more data.
struct BufferBytes {
  BufferState state = BufferState::Absent;
  std::span<const uint8_t> bytes{};
  // Progressive buffers keep a bounded window: `bytes[0]` is byte number `first` of the buffer.
  uint64_t first = 0;
};

// A file on its way inside a transaction. Kept by the transaction, at most kMaximumFiles each.
inline constexpr size_t kMaximumFiles = 16;
struct TransferredFile {
  std::string name;             // as the protocol said it; may be empty
  std::vector<uint8_t> window;  // the last bytes, at most the parser's inspection limit
  uint64_t window_first = 0;    // number of window[0] in the file
  uint64_t size = 0;            // bytes seen so far
  Direction direction = Direction::ToServer;
  bool complete = false;   // no more bytes will come
  bool truncated = false;  // it ended before its end, or a gap is in it
  // Raw digests, set at `complete` when the plan asks for them; empty otherwise.
  std::string md5, sha1, sha256;
  std::string magic;  // libmagic's text from the first bytes, when asked for
};

// Which work parsers must do because a rule or the log asks for it.
struct ParserDemands {
  bool md5 = false;
  bool sha1 = false;
  bool sha256 = false;
  bool magic = false;
  bool ja3 = false;
  bool ja4 = false;
  bool hassh = false;
  bool bodies = true;                // keep request and response bodies for rules
  bool message_bodies = false;       // the nameless text of mail counts as a file too
  uint32_t body_limit = 100 * 1024;  // bytes of each body and file that are inspected
};

// Thread: the flow's worker. No member allocates beyond the parser's bounds; none throws.
class Transaction {
 public:
  Transaction() = default;
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  virtual ~Transaction() = default;

  // Bytes of `buffer`, instance 0, 1, .. for buffers with several (Absent or NotYet beyond the
  // last). `direction` matters for buffers that both sides have (http.header). Computed on first
  // use where that costs something.
  [[nodiscard]] virtual BufferBytes buffer(BufferId buffer, Direction direction,
                                           uint32_t instance) noexcept = 0;
  // A number of this transaction; false when it has none (yet).
  [[nodiscard]] virtual bool number(NumberField /*field*/, Direction /*direction*/,
                                    uint64_t& /*value*/) noexcept {
    return false;
  }
  // Values to match a list against (dns.rrtype): the `instance`th, false beyond the last.
  [[nodiscard]] virtual bool number_of_many(NumberField, Direction, uint32_t /*instance*/,
                                            uint64_t&) noexcept {
    return false;
  }
  // A condition that only the protocol can judge (TlsStateMatch, TlsCertificateTimeMatch,
  // FtpDataCommandMatch, FtpBounceMatch); nullopt: not known yet.
  [[nodiscard]] virtual std::optional<bool> holds(const Condition&, Direction,
                                                  uint64_t /*time_us*/) noexcept {
    return std::nullopt;
  }
  [[nodiscard]] virtual std::span<TransferredFile> files() noexcept { return {}; }
  // What it holds on the heap, beyond the few kilobytes that any transaction may take: windows of
  // files, bodies, certificates. Here: those of files(). Asked after every packet: cheap.
  [[nodiscard]] virtual size_t memory_bytes() noexcept {
    size_t bytes = 0;
    for (const TransferredFile& file : files()) {
      bytes += file.window.capacity();
    }
    return bytes;
  }

  uint64_t number_in_flow = 0;  // 0, 1, ..
  ApplicationProtocol protocol = ApplicationProtocol::Unknown;
  EventSet events;                      // raised so far
  std::array<EventSet, 2> events_of{};  // the same, by the Direction of the bytes they are about
  // Changes whenever a buffer, number, file or event of that direction did: the engine looks again.
  std::array<uint32_t, 2> version{};  // by Direction
  std::array<bool, 2> finished{};     // by Direction: nothing of that side will change any more
  // How far each side is, in the protocol's own steps, for rule hooks ("response_line"); see the
  // parser's header for what the numbers mean.
  std::array<uint8_t, 2> progress{};
  // Set: the transaction is one message of that direction, and the other direction is never
  // inspected (DNS: a query and its answer are two transactions).
  std::optional<Direction> one_sided;
  bool logged = false;   // EVE has it
  bool ignored = false;  // a pass rule or a bypass: not inspected any more

  // The engine's memory of this transaction; opaque to parsers.
  struct InspectionState {
    virtual ~InspectionState() = default;
  };
  std::unique_ptr<InspectionState> inspection;

  [[nodiscard]] bool complete() const noexcept { return finished[0] && finished[1]; }
  void touch(Direction direction) noexcept { ++version[index_of(direction)]; }
  void raise(Direction direction, uint8_t event) noexcept {
    events.set(event);
    events_of[index_of(direction)].set(event);
    touch(direction);
  }
};

}  // namespace masugata::ids
