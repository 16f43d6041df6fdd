// SPDX-License-Identifier: GPL-2.0-or-later
// Takes what a protocol carries, whole and in order, while it passes: for antivirus. Files of rules
// (TransferredFile) are windows with a limit; contents are every byte.
//
// What is given is what the receiver's program will have: transfer codings (chunks, BDAT, dot
// stuffing, literals) and content codings undone. A mail message is given as one content with its
// header, its MIME structure untouched.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "ids/direction.h"
#include "ids/protocols/application_protocol.h"

namespace masugata::ids {

enum class ContentKind : uint8_t {
  File,     // a body, a part of a form, a file of FTP or SMB
  Message,  // RFC 5322: header fields, empty line, body
};

// As what else than as it is given a content may be read by its receiver, when nobody can say for
// certain whether it is.
enum class ContentReading : uint8_t {
  AsGiven,
  LineEnds,  // FTP, TYPE A: with the line ends of its own system
  MailPart,  // what a mail carries, without the header that says how it is coded or divided
};

// What is known when the content begins. Texts are valid during the call only, may be empty, and
// are as the protocol said them: hostile.
struct ContentFacts {
  ApplicationProtocol protocol = ApplicationProtocol::Unknown;
  Direction direction = Direction::ToClient;  // in which it travels
  ContentKind kind = ContentKind::File;
  std::string_view name;        // file name; of HTTP without a name: the last part of the path
  std::string_view host;        // HTTP: Host of the request, in lower case, without port
  std::string_view location;    // HTTP: target without scheme and host; FTP: path; IMAP: section
  std::string_view media_type;  // as declared
  std::string_view languages;   // HTTP: Accept-Language of the request
  std::string_view tag;         // IMAP: tag of the command
  std::string_view sender;      // SMTP: reverse path
  std::string_view recipients;  // SMTP: forward paths, separated by commas; cut at 1,024 bytes
  // As announced for the body on the wire, before content codings are undone.
  std::optional<uint64_t> announced_bytes;
  // A part of a larger object (206, REST, APPE): where it begins; 0 where nobody says (APPE).
  std::optional<uint64_t> range_first;
  // The receiver has no use for it before end(): its length was announced, or it is a message that
  // is taken over with its end. Otherwise all bytes may be there before the end is seen.
  bool useless_before_end = false;
  // A coding that was not undone is around it: what is given are coded bytes.
  bool coded = false;
  ContentReading reading = ContentReading::AsGiven;
  // Nothing of the message that carries it (HTTP response, POP3 or IMAP reply) has come in packets
  // before the one at hand.
  bool begins_with_packet = false;
  // Of a message that begins with the packet: its first byte (HTTP: of the status line), in the
  // memory that the parser was given; null where it is not known.
  const uint8_t* first_byte = nullptr;
  // HTTP requests: every request before it has its response, so that the next one is its own.
  bool answered_next = true;
};

enum class ContentEnd : uint8_t {
  Whole,
  Broken,  // a gap, a failed decoding, a parser that gave up, the end of the connection before its
           // announced end
};

using ContentId = uint32_t;
inline constexpr ContentId kNoContent = 0;

// Thread: the flow's worker, inside InspectionEngine::inspect() and close_flow(). Implementations
// neither block nor throw. At most one content of a direction is open at a time.
class ContentReceiver {
 public:
  virtual ~ContentReceiver() = default;
  // kNoContent: not wanted, no further call for it.
  virtual ContentId begin(const ContentFacts& facts) noexcept = 0;
  virtual void bytes(ContentId content, std::span<const uint8_t> bytes) noexcept = 0;
  // So many bytes of it have come as sent, of those that were announced. What they decode to was
  // given, or follows, or nothing does as long as a coding needs more of them.
  virtual void arrived(ContentId /*content*/, size_t /*bytes*/) noexcept {}
  virtual void end(ContentId content, ContentEnd end) noexcept = 0;

  // IMAP: the content goes on in the answer to a further command with this tag (a message fetched
  // piece by piece).
  virtual void continues(ContentId /*content*/, std::string_view /*tag*/) noexcept {}
  // Behind a message stand bytes that it did not announce and that begin no other: nobody can say
  // what they are for. From `facts.first_byte` on nothing more of the flow is given; opaque()
  // follows. Of the facts there are protocol, direction, host and location.
  virtual void unannounced(const ContentFacts& /*facts*/) noexcept {}
  // A client's request for a location, before anything of it is forwarded: HTTP when the header of
  // the request is complete. As in ContentFacts.
  virtual void request(std::string_view /*host*/, std::string_view /*location*/,
                       std::string_view /*languages*/, bool /*answered_next*/) noexcept {}
  // A client asks for encryption in the middle (STARTTLS, AUTH TLS, STLS), before it is forwarded.
  virtual void encryption_asked(ApplicationProtocol /*protocol*/) noexcept {}
  // The flow is encrypted, or its protocol is one whose contents are not taken out, or its parser
  // gave up. Once per flow: nothing further of it is given.
  virtual void opaque(ApplicationProtocol /*protocol*/) noexcept {}
};

}  // namespace masugata::ids
