// SPDX-License-Identifier: GPL-2.0-or-later
// What a rule looks for inside one buffer: the keywords whose order matters, because each may
// begin where the one before it ended. Rule-language reference: "Payload keywords".
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace masugata::ids {

// An index into the values that byte_extract and byte_math of the same rule have set; a rule
// holds at most kMaximumRuleVariables of them.
using VariableIndex = uint8_t;
inline constexpr size_t kMaximumRuleVariables = 16;

// A number written in the rule, or the name of a variable of that rule.
struct Operand {
  int64_t number = 0;
  std::optional<VariableIndex> variable;  // set: `number` is not used
};

enum class Comparison : uint8_t {
  Equal,
  NotEqual,
  Less,
  LessOrEqual,
  Greater,
  GreaterOrEqual,
  Between,  // low < value < high, as `a<>b` in most keywords
  Outside,  // value <= low or value >= high, as `!a<>b`
  BitAnd,
  BitOr,
  Masked,    // the bits of `low` in the value are `high`: `&0xc0=0x80`
  NotMasked  // they are not: `&0xc0!=0x80`
};

// `content:"...";` with what modifies it.
struct ContentMatch {
  std::string bytes;  // escapes and |hex| resolved; lower-case when `nocase`
  bool negated = false;
  bool nocase = false;
  bool startswith = false;  // same as depth = size
  bool endswith = false;
  bool rawbytes = false;
  bool fast_pattern = false;
  bool fast_pattern_only = false;
  uint16_t fast_pattern_offset = 0;  // chop: bytes [offset, offset+length) are the pattern
  uint16_t fast_pattern_length = 0;  // 0 = all
  std::optional<Operand> offset;     // from the start of the buffer
  std::optional<Operand> depth;      // bytes after `offset` within which it must end
  std::optional<Operand> distance;   // from the end of the match before
  std::optional<Operand> within;     // bytes after the match before within which it must end
  std::string replacement;           // `replace:`; as long as `bytes`, or empty

  [[nodiscard]] bool relative() const noexcept { return distance || within; }
};

struct PcreCapture {
  enum class Scope : uint8_t { Packet, Flow } scope = Scope::Flow;
  std::string name;  // pkt:NAME or flow:NAME
};

// `pcre:"/.../flags";` The compiled form belongs to the plan.
struct PcreMatch {
  std::string pattern;   // between the slashes
  uint32_t options = 0;  // PCRE2_* compile options that the flags i s m x A E G ask for
  bool negated = false;
  bool relative = false;              // R
  std::vector<PcreCapture> captures;  // for groups 1..; of an empty name: not kept
};

enum class NumberBase : uint8_t { Binary, Hexadecimal, Decimal, Octal };  // Binary: raw bytes

// How byte_test, byte_jump, byte_extract and byte_math read a number.
struct NumberReading {
  Operand byte_count;  // 1..8 for raw bytes, up to 23 for text
  Operand offset;
  bool relative = false;
  bool little_endian = false;
  NumberBase base = NumberBase::Binary;  // string,hex etc.
  bool dce = false;                      // byte order as DCERPC said it
  uint64_t bitmask = 0;  // 0 = none; the result is shifted right by its trailing zeros
};

struct ByteTest {
  NumberReading reading;
  bool negated = false;
  Comparison comparison = Comparison::Equal;
  Operand value;
};

struct ByteJump {
  NumberReading reading;
  Operand multiplier{1, std::nullopt};
  int32_t post_offset = 0;
  std::optional<VariableIndex> post_offset_variable;
  bool align = false;  // to the next multiple of 4
  bool from_beginning = false;
  bool from_end = false;
};

struct ByteExtract {
  NumberReading reading;
  VariableIndex variable = 0;
  uint16_t multiplier = 1;
  uint8_t align = 0;  // 0, 2 or 4
};

enum class MathOperator : uint8_t { Add, Subtract, Multiply, Divide, ShiftLeft, ShiftRight };

struct ByteMath {
  NumberReading reading;
  MathOperator operation = MathOperator::Add;
  Operand right;  // rvalue
  VariableIndex variable = 0;
};

// `isdataat:[!]N[,relative];` Negated: there are fewer bytes.
struct IsDataAt {
  Operand position;
  bool negated = false;
  bool relative = false;
};

// `bsize:`, and `urilen:` which is the same on a URI buffer. For `Between` both bounds are
// exclusive.
struct BufferSize {
  Comparison comparison = Comparison::Equal;
  uint64_t low = 0;
  uint64_t high = 0;
};

// `base64_decode:[bytes N][, offset N][, relative];` Its result is BufferId::Base64Data.
struct Base64Decode {
  uint32_t bytes = 0;  // 0 = as many as there are
  uint32_t offset = 0;
  bool relative = false;
};

enum class DatasetType : uint8_t { String, Md5, Sha256, Ipv4, Ip };

// `dataset:isset,NAME,type string,...;`, `datarep:NAME,>,N,...;`
struct DatasetMatch {
  enum class Operation : uint8_t {
    IsSet,
    IsNotSet,
    Set,
    Unset,
    Reputation
  } operation = Operation::IsSet;
  std::string name;
  std::optional<DatasetType> type;  // unset: that of the set, which another rule describes
  std::string load_path;            // read at load time; relative to the rule file
  std::string state_path;
  uint32_t maximum_entries = 0;               // memcap and hashsize are bounds of our own
  Comparison comparison = Comparison::Equal;  // of Reputation
  uint16_t reputation = 0;
};

// `absent;` or `absent:or_else;`: the buffer does not exist at all, or the rest matches.
struct BufferAbsent {
  bool or_else = false;
};

// `entropy:[bytes N, ][offset N, ]value COMPARISON`: of that part of the buffer, in bits per byte.
struct BufferEntropy {
  uint32_t bytes = 0;  // 0 = all
  uint32_t offset = 0;
  Comparison comparison = Comparison::Equal;
  double low = 0;
  double high = 0;
};

// `asn1:...;` and the like are not here: rules that use them do not load.
using PayloadMatch =
    std::variant<ContentMatch, PcreMatch, ByteTest, ByteJump, ByteExtract, ByteMath, IsDataAt,
                 BufferSize, Base64Decode, DatasetMatch, BufferAbsent, BufferEntropy>;

enum class TransformKind : uint8_t {
  DotPrefix,
  ToLowercase,
  ToUppercase,
  UrlDecode,
  Xor,
  StripWhitespace,
  CompressWhitespace,
  ToMd5,
  ToSha1,
  ToSha256,
  PcreTransform,
  HeaderLowercase,
  StripPseudoHeaders,
  FromBase64,
  Domain,
  Tld,
  Gunzip,
  ZlibDeflate,
};

struct Transform {
  TransformKind kind = TransformKind::DotPrefix;
  std::string argument;  // the key of xor (bytes), the pattern of pcrexform, options of
                         // from_base64, the largest output of gunzip and zlib_deflate
  bool operator==(const Transform&) const = default;
};

}  // namespace masugata::ids
