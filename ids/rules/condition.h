// SPDX-License-Identifier: GPL-2.0-or-later
// What a rule asks of the packet, the flow, the transaction and the file, apart from bytes inside
// buffers. All conditions of a rule must hold; their order does not matter, except that the
// plan evaluates the cheap ones first and those with effects (flowbits:set and its like) last.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "ids/direction.h"
#include "ids/protocols/application_protocol.h"
#include "ids/rules/payload_match.h"

namespace masugata::ids {

// Numbers that a rule can compare. Which object they are read from stands in the comment.
enum class NumberField : uint8_t {
  // packet
  IpTtl,               // ttl; also the hop limit
  IpTos,               // tos
  IpId,                // id
  IpProtocol,          // ip_proto; of IPv6: after the extension headers
  IpFragmentOffset,    // fragoffset
  TcpSequence,         // seq / tcp.seq
  TcpAcknowledgement,  // ack / tcp.ack
  TcpWindow,           // window / tcp.window
  TcpMss,              // tcp.mss
  TcpWindowScale,      // tcp.wscale
  IcmpType,            // itype; ICMP and ICMPv6
  IcmpCode,            // icode
  IcmpId,              // icmp_id
  IcmpSequence,        // icmp_seq
  Icmpv6Mtu,           // icmpv6.mtu
  IpVersion,           // l3_proto
  VlanLayers,          // vlan.layers
  PayloadSize,         // dsize
  // flow
  StreamSizeClient,
  StreamSizeServer,
  StreamSizeBoth,
  StreamSizeEither,     // stream_size
  FlowAgeSeconds,       // flow.age
  FlowPacketsToServer,  // flow.pkts:toserver, flow.pkts_toserver
  FlowPacketsToClient,
  FlowPacketsBoth,    // flow.pkts:both, each direction by itself
  FlowPacketsEither,  // flow.pkts:either
  FlowBytesToServer,
  FlowBytesToClient,
  FlowBytesBoth,
  FlowBytesEither,
  // transaction
  DnsOpcode,
  DnsRcode,
  DnsRecordType,
  TlsVersion,  // 0x0301.. of the handshake, ssl_version and tls.version
  TlsCertificateChainLength,
  HttpStatus,
  FtpReplyReceived,
  FtpDynamicPort,  // ftp.dynamic_port: of PORT, EPRT, PASV or EPSV
  FtpMode,         // ftp.mode: 1 active, 2 passive
  SmbVersion,
  // file
  FileSize,  // filesize
  Count,
};

struct NumberMatch {
  NumberField field = NumberField::IpTtl;
  Comparison comparison = Comparison::Equal;
  uint64_t low = 0;
  uint64_t high = 0;
  bool negated = false;
  // Of which side of the transaction, in `=>` rules (`filesize:to_client,>100`).
  std::optional<Direction> side{};
};

// One of a list: ssl_version, tls.version, ip_proto with several, dns.rrtype.
struct NumberListMatch {
  NumberField field = NumberField::TlsVersion;
  bool negated = false;
  std::vector<uint64_t> values;
};

// `flags:` / `tcp.flags:`. `mode` as its prefix says: none = exactly, + all of, * any of, ! not.
struct TcpFlagsMatch {
  enum class Mode : uint8_t { Exactly, AllOf, AnyOf, Not } mode = Mode::Exactly;
  uint8_t flags = 0;
  uint8_t ignored = 0;  // after the comma
};

struct FragmentBitsMatch {
  enum class Mode : uint8_t { Exactly, AllOf, AnyOf, Not } mode = Mode::Exactly;
  bool more_fragments = false;
  bool dont_fragment = false;
  bool reserved = false;
};

enum class IpOption : uint8_t {
  RecordRoute,
  LooseSourceRoute,
  StrictSourceRoute,
  EndOfList,
  NoOperation,
  Timestamp,
  Security,
  ExtendedSecurity,
  StreamId,
  Any
};
struct IpOptionsMatch {
  IpOption option = IpOption::Any;
};
struct SameIpMatch {};

// `vlan.id:RANGE[,any|all|LAYER]`, of up to three tags. A packet without tags never matches.
struct VlanIdMatch {
  enum class Which : uint8_t { Any, All, Layer } which = Which::Any;
  int8_t layer = 0;  // from the outermost 0 on; -1 is the innermost
  Comparison comparison = Comparison::Equal;
  uint64_t low = 0;
  uint64_t high = 0;
};

// `flow:` options. Each nullopt is "not asked".
struct FlowMatch {
  std::optional<bool> established;  // false: not_established
  bool stateless = false;
  bool only_stream = false;
  bool no_stream = false;
  bool only_fragment = false;
  bool no_fragment = false;
};

struct FlowbitsMatch {
  enum class Operation : uint8_t {
    Set,
    Unset,
    Toggle,
    IsSet,
    IsNotSet
  } operation = Operation::IsSet;
  std::vector<uint32_t> bits;  // names are numbered in RuleSet::flowbit_names; several = any of
};

struct FlowintMatch {
  enum class Operation : uint8_t {
    Set,
    Add,
    Subtract,
    IsSet,
    NotSet,
    Compare
  } operation = Operation::Set;
  uint32_t variable = 0;  // numbered in RuleSet::flowint_names
  Comparison comparison = Comparison::Equal;
  uint32_t value = 0;
  std::optional<uint32_t> other;  // the value is another flowint's
};

// `xbits:` and `hostbits:`.
struct XbitsMatch {
  enum class Operation : uint8_t {
    Set,
    Unset,
    Toggle,
    IsSet,
    IsNotSet
  } operation = Operation::IsSet;
  enum class Track : uint8_t { Source, Destination, Pair, Both, Transaction } track = Track::Source;
  uint32_t bit = 0;  // numbered in RuleSet::xbit_names
  uint32_t expire_seconds = 30;
};

struct ApplicationProtocolMatch {
  enum class Mode : uint8_t { Final, Either, ToServer, ToClient, Original } mode = Mode::Final;
  std::string name;  // as written; may be a protocol that we do not recognise
  ApplicationProtocol protocol = ApplicationProtocol::Unknown;  // Failed for `failed`
  bool negated = false;
};

enum class EventKind : uint8_t { Application, Decode, Stream };
// `app-layer-event:http.…`, `decode-event:ipv4.…`, `stream-event:…`. The numbers are those of
// protocols/events.h.
struct EventMatch {
  EventKind kind = EventKind::Application;
  ApplicationProtocol protocol = ApplicationProtocol::Unknown;
  uint8_t event = 0;
};

struct GeoIpMatch {
  enum class Side : uint8_t { Source, Destination, Both, Any } side = Side::Any;
  std::vector<std::string> countries;
  bool negated = false;
};

// `iprep:SIDE,CATEGORY,OP,VALUE`.
struct IpReputationMatch {
  enum class Side : uint8_t { Source, Destination, Both, Any } side = Side::Any;
  std::string category;
  Comparison comparison = Comparison::Greater;
  uint8_t value = 0;
  bool absent = false;  // isnotset: the address has no score
};

// fileext, filename (older, substring), filemagic (older, substring).
struct FileTextMatch {
  enum class Field : uint8_t { Extension, Name, Magic } field = Field::Name;
  std::string text;  // lower-case
  bool negated = false;
};
// filemd5, filesha1, filesha256: hex digests read from a file.
struct FileHashMatch {
  enum class Algorithm : uint8_t { Md5, Sha1, Sha256 } algorithm = Algorithm::Md5;
  std::vector<std::string> digests;  // raw bytes, sorted
  bool negated = false;
};
struct FileStore {
  std::string scope;
};  // `filestore`; the file's events say "stored": false

// ssl_state, tls_cert_expired, tls_cert_valid, tls_cert_notbefore/notafter.
struct TlsStateMatch {
  enum class State : uint8_t { ClientHello, ServerHello, ClientKeyx, ServerKeyx, Unknown };
  struct Wanted {
    State state = State::Unknown;
    bool negated = false;
  };
  std::vector<Wanted> any_of;  // one of these is so
};
struct TlsCertificateTimeMatch {
  enum class Field : uint8_t { Expired, Valid, NotBefore, NotAfter } field = Field::Expired;
  Comparison comparison = Comparison::Equal;
  int64_t low = 0;  // seconds since 1970
  int64_t high = 0;
};

// `ftpdata_command:stor|retr`
struct FtpDataCommandMatch {
  enum class Command : uint8_t { Stor, Retr } command = Command::Stor;
};
// `ftpbounce`
struct FtpBounceMatch {};
// `dce_iface`, `dce_opnum`, `smb.*` beyond buffers are unsupported.

using Condition =
    std::variant<NumberMatch, NumberListMatch, TcpFlagsMatch, FragmentBitsMatch, IpOptionsMatch,
                 SameIpMatch, VlanIdMatch, FlowMatch, FlowbitsMatch, FlowintMatch, XbitsMatch,
                 ApplicationProtocolMatch, EventMatch, GeoIpMatch, IpReputationMatch, FileTextMatch,
                 FileHashMatch, FileStore, TlsStateMatch, TlsCertificateTimeMatch,
                 FtpDataCommandMatch, FtpBounceMatch>;

}  // namespace masugata::ids
