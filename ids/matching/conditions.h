// SPDX-License-Identifier: GPL-2.0-or-later
// The conditions of a rule that need nothing but the packet, a file or a certificate. Those on
// flows, their bits and application layers are the engine's.
#pragma once

#include <cstdint>

#include "ids/matching/geo_database.h"
#include "ids/matching/ip_reputation.h"
#include "ids/matching/packet_fields.h"
#include "ids/protocols/transaction.h"
#include "ids/rules/condition.h"

namespace masugata::ids {

// `value` against the numbers of the rule. Between: low < value < high. BitAnd: a bit of `low` is
// set in `value`; BitOr (written ^): `value` and `low` differ in a bit.
[[nodiscard]] bool compare(Comparison comparison, uint64_t value, uint64_t low,
                           uint64_t high) noexcept;
// The same with signed numbers.
[[nodiscard]] bool compare_signed(Comparison comparison, int64_t value, int64_t low,
                                  int64_t high) noexcept;

// `value` against a condition that the caller found the number for.
[[nodiscard]] bool number_matches(const NumberMatch& match, uint64_t value) noexcept;
[[nodiscard]] bool number_matches(const NumberListMatch& match, uint64_t value) noexcept;

// Is `field` one of a packet, which match_packet_condition looks up by itself?
[[nodiscard]] bool is_packet_field(NumberField field) noexcept;

// Tables that are loaded beside the rules; null: nothing is known, conditions on them do not
// match.
struct ConditionTables {
  const GeoDatabase* geography = nullptr;
  const IpReputationTable* reputation = nullptr;
};

enum class ConditionOutcome : uint8_t {
  No,
  Yes,
  NotYet,    // of a file or transaction: may still become true
  NotAsked,  // not a condition of this kind: the caller's to evaluate
};

// NumberMatch and NumberListMatch on packet fields, TcpFlags, FragmentBits, IpOptions, SameIp,
// EventMatch of packets and streams, GeoIp, IpReputation; NotAsked for all others. A packet
// without the field does not match, negated or not. Worker thread.
[[nodiscard]] ConditionOutcome match_packet_condition(const Condition& condition,
                                                      const PacketFields& packet,
                                                      const ConditionTables& tables) noexcept;

// FileText, FileHash, FileStore (always Yes) and NumberMatch on FileSize; NotAsked for all
// others. Names are compared without regard to case.
[[nodiscard]] ConditionOutcome match_file_condition(const Condition& condition,
                                                    const TransferredFile& file) noexcept;

// Seconds since 1970.
struct CertificateTimes {
  int64_t not_before = 0;
  int64_t not_after = 0;
};
[[nodiscard]] bool match_certificate_time(const TlsCertificateTimeMatch& match,
                                          const CertificateTimes& certificate,
                                          int64_t now) noexcept;

}  // namespace masugata::ids
