// SPDX-License-Identifier: GPL-2.0-or-later
// A parser of one application protocol over both directions of one flow.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "ids/direction.h"
#include "ids/protocols/application_protocol.h"
#include "ids/protocols/content_receiver.h"
#include "ids/protocols/transaction.h"
#include "net/flow_key.h"

namespace masugata::ids {

// What a parser thinks of the bytes it was given.
enum class ParseOutcome : uint8_t {
  Going,     // fine so far
  Finished,  // nothing further in this flow is for a parser (TLS after the handshake, SSH after
             // key exchange); the stream's bytes are still inspected as such
  Failed,    // not this protocol, or broken beyond repair: no more calls
  Changed,   // continues as `next_protocol()` (SMTP or FTP STARTTLS, HTTP CONNECT or upgrade)
};

// Thread: the flow's worker. Calls are in stream order, for each direction in sequence. Nothing
// throws. Memory: at most kMaximumTransactions live ones, each bounded by its protocol.
inline constexpr size_t kMaximumTransactions = 256;

class ProtocolParser {
 public:
  explicit ProtocolParser(ApplicationProtocol protocol) noexcept : protocol_(protocol) {}
  ProtocolParser(const ProtocolParser&) = delete;
  ProtocolParser& operator=(const ProtocolParser&) = delete;
  virtual ~ProtocolParser() = default;

  // The next bytes of that direction. For UDP: one datagram.
  virtual ParseOutcome on_data(Direction direction, std::span<const uint8_t> bytes,
                               uint64_t time_us) noexcept = 0;
  // `bytes` of the stream are missing (a capture with loss, or uninspected by policy).
  virtual ParseOutcome on_gap(Direction /*direction*/, uint64_t /*bytes*/) noexcept {
    return ParseOutcome::Failed;
  }
  // That side will send no more (FIN, RST, end of the flow or of the capture). May be called twice.
  virtual void on_end(Direction /*direction*/) noexcept {}

  [[nodiscard]] ApplicationProtocol protocol() const noexcept { return protocol_; }
  [[nodiscard]] virtual ApplicationProtocol next_protocol() const noexcept {
    return ApplicationProtocol::Unknown;
  }

  // After Changed: how many bytes of that call were still of this protocol. Those behind them
  // belong to the next one. More than were given: all.
  [[nodiscard]] virtual size_t consumed() const noexcept { return SIZE_MAX; }

  // Both sides have agreed to encrypt: nobody can read what they say from now on, and rules are not
  // asked about it.
  [[nodiscard]] virtual bool is_encrypted() const noexcept { return false; }

  // After Changed: bytes of that direction that the parser was given, here or in earlier calls, and
  // has not read. They belong to the next protocol, before those that consumed() leaves. Taken
  // once.
  [[nodiscard]] virtual std::string take_unread(Direction /*direction*/) noexcept { return {}; }

  // The flow was another protocol's until the bytes of the first call of on_data(); a parser that
  // would give way within that call must not.
  void follow_change() noexcept { follows_change_ = true; }

  // What the parser holds on the heap beyond its transactions and the few kilobytes that any parser
  // may take: messages that are not whole yet, bytes that wait. Asked after every packet: cheap.
  [[nodiscard]] virtual size_t memory_bytes() const noexcept { return 0; }

  // Who takes what the flow carries, from the next message on; null: nobody, which costs nothing.
  // `receiver` outlives the parser.
  void set_content_receiver(ContentReceiver* receiver) noexcept { content_receiver_ = receiver; }

  // A data session that this control connection announced (FTP PORT/PASV): asked once per change.
  struct ExpectedData {
    ApplicationProtocol protocol = ApplicationProtocol::FtpData;
    net::IpAddress server_address;  // where the data connection goes to
    uint16_t server_port = 0;
    std::string file_name;
    bool upload = false;  // STOR
    bool active = false;  // PORT: the control connection's server opens it, towards its client
    std::optional<uint64_t> range_first;  // REST, APPE: see ContentFacts
    bool coded = false;                   // MODE Z and its like: the file is not sent as it is
    bool text = true;  // TYPE A, or nobody knows: line ends may be changed at either end
  };
  [[nodiscard]] virtual const ExpectedData* expected_data() const noexcept { return nullptr; }
  // The newest transfer that was announced for a data connection to that port, also when that was
  // some calls ago: clients connect before they say what for. Null when it is not remembered.
  [[nodiscard]] virtual const ExpectedData* announced_data(
      uint16_t /*server_port*/) const noexcept {
    return nullptr;
  }

  // Where data connections may be opened from now on, as both ends have read it on this control
  // connection; told until forget_endpoints(), oldest first, the last kMaximumEndpoints.
  struct DataEndpoint {
    net::IpAddress address;  // all zero: the one who announced it
    uint16_t port = 0;
    bool active = false;  // announced by the client: its server opens it
  };
  static constexpr size_t kMaximumEndpoints = 4;
  [[nodiscard]] virtual std::span<const DataEndpoint> new_endpoints() const noexcept { return {}; }
  virtual void forget_endpoints() noexcept {}

  // Oldest first. The engine removes from the front what it has inspected to the end.
  [[nodiscard]] std::deque<std::unique_ptr<Transaction>>& transactions() noexcept {
    return transactions_;
  }

 protected:
  // Numbers the transaction and appends it. At the bound the oldest is ended (both sides finished)
  // and stays for the engine to take; beyond twice the bound returns null and the parser fails.
  Transaction* append(std::unique_ptr<Transaction> transaction) noexcept;
  [[nodiscard]] bool follows_change() const noexcept { return follows_change_; }

  [[nodiscard]] ContentReceiver* content_receiver() const noexcept { return content_receiver_; }

 private:
  ApplicationProtocol protocol_;
  ContentReceiver* content_receiver_ = nullptr;
  bool follows_change_ = false;
  uint64_t next_number_ = 0;
  std::deque<std::unique_ptr<Transaction>> transactions_;
};

// Whether what `protocol` carries is given to a ContentReceiver.
[[nodiscard]] bool gives_contents(ApplicationProtocol protocol) noexcept;

// A parser for `protocol`, or null when it is only recognised. `demands` outlives the parser.
// `datagrams`: over UDP, each call of on_data() is one.
[[nodiscard]] std::unique_ptr<ProtocolParser> make_parser(ApplicationProtocol protocol,
                                                          const ParserDemands& demands,
                                                          bool datagrams = false);

}  // namespace masugata::ids
