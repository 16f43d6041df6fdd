// SPDX-License-Identifier: GPL-2.0-or-later
#include "ids/protocols/dns/dns_parser.h"

#include <algorithm>

#include "ids/protocols/detection/datagram_probes.h"
#include "ids/protocols/event_names.h"

namespace masugata::ids {
namespace {

constexpr uint8_t kLastOpcode = 6;  // DSO, RFC 8490

BufferBytes whole_text(const std::string& text) noexcept {
  return {BufferState::Complete, {reinterpret_cast<const uint8_t*>(text.data()), text.size()}, 0};
}

template <typename Entries>
BufferBytes name_of(const Entries& entries, uint32_t instance) noexcept {
  if (instance >= entries.size()) return {};
  return whole_text(entries[instance].name);
}

// Moves `instance` to the number within the next list when it is not in this one.
template <typename Entries>
bool is_in(const Entries& entries, size_t& instance) noexcept {
  if (instance < entries.size()) return true;
  instance -= entries.size();
  return false;
}

bool has_searched_target(const DnsRecord& record) noexcept {
  return record.is(DnsType::Cname) || record.is(DnsType::Ptr) || record.is(DnsType::Mx) ||
         record.is(DnsType::Ns) || record.is(DnsType::Soa);
}

void raise_findings(const DnsReadFindings& findings, Direction direction,
                    Transaction& transaction) noexcept {
  auto raise_if = [&](bool holds, uint8_t event) noexcept {
    if (holds) transaction.raise(direction, event);
  };
  raise_if(findings.no_header || findings.malformed,
           event_number(kDnsEventNames, "malformed_data"));
  raise_if(findings.name_too_long, event_number(kDnsEventNames, "name_too_long"));
  raise_if(findings.infinite_loop, event_number(kDnsEventNames, "infinite_loop"));
  raise_if(findings.too_many_labels, event_number(kDnsEventNames, "too_many_labels"));
  raise_if(findings.invalid_authorities, event_number(kDnsEventNames, "invalid_authorities"));
  raise_if(findings.invalid_additionals, event_number(kDnsEventNames, "invalid_additionals"));
}

}  // namespace

DnsTransaction::DnsTransaction(Direction direction) noexcept : direction_(direction) {
  one_sided = direction;
  finished = {true, true};
  progress = {1, 1};
  touch(direction);
}

BufferBytes DnsTransaction::buffer(BufferId buffer, Direction direction,
                                   uint32_t instance) noexcept {
  if (direction != direction_) return {};
  switch (buffer) {
    case BufferId::DnsQuery:
      return direction == Direction::ToServer ? name_of(message_.questions, instance)
                                              : BufferBytes{};
    case BufferId::DnsQueriesName:
      return name_of(message_.questions, instance);
    case BufferId::DnsAnswersName:
      return name_of(message_.answers, instance);
    case BufferId::DnsAuthoritiesName:
      return name_of(message_.authorities, instance);
    case BufferId::DnsAdditionalsName:
      return name_of(message_.additionals, instance);
    case BufferId::DnsResponseName: {
      if (direction == Direction::ToServer) return {};
      const std::string* name = response_name(instance);
      return name == nullptr ? BufferBytes{} : whole_text(*name);
    }
    default:
      return {};
  }
}

// The names of all sections one after the other, each record followed by the name in its data.
const std::string* DnsTransaction::response_name(size_t instance) const noexcept {
  if (is_in(message_.questions, instance)) return &message_.questions[instance].name;
  for (const auto* section : {&message_.answers, &message_.authorities, &message_.additionals}) {
    for (const DnsRecord& record : *section) {
      if (instance-- == 0) return &record.name;
      if (has_searched_target(record) && instance-- == 0) return &record.target;
    }
  }
  return nullptr;
}

bool DnsTransaction::number(NumberField field, Direction direction, uint64_t& value) noexcept {
  if (direction != direction_) return false;
  switch (field) {
    case NumberField::DnsOpcode:
      value = message_.opcode();
      return true;
    case NumberField::DnsRcode:
      value = message_.rcode();
      return true;
    default:
      return false;
  }
}

bool DnsTransaction::number_of_many(NumberField field, Direction direction, uint32_t instance,
                                    uint64_t& value) noexcept {
  if (direction != direction_ || field != NumberField::DnsRecordType) return false;
  if (direction == Direction::ToServer) {
    if (instance >= message_.questions.size()) return false;
    value = message_.questions[instance].type;
  } else {
    if (instance >= message_.answers.size()) return false;
    value = message_.answers[instance].type;
  }
  return true;
}

DnsParser::DnsParser(bool datagrams) noexcept
    : ProtocolParser(ApplicationProtocol::Dns), datagrams_(datagrams) {}

ParseOutcome DnsParser::on_data(Direction direction, std::span<const uint8_t> bytes,
                                uint64_t /*time_us*/) noexcept {
  const bool good = datagrams_ ? take_message(direction, bytes) : take_stream(direction, bytes);
  return good ? ParseOutcome::Going : ParseOutcome::Failed;
}

ParseOutcome DnsParser::on_gap(Direction direction, uint64_t /*bytes*/) noexcept {
  Side& side = sides_[index_of(direction)];
  side.partial.clear();
  side.after_gap = true;
  return ParseOutcome::Going;
}

bool DnsParser::take_message(Direction direction, std::span<const uint8_t> bytes) noexcept {
  auto made = std::make_unique<DnsTransaction>(direction);
  const DnsReadFindings findings = read_dns_message(bytes, made->message());
  const DnsMessage& message = made->message();
  raise_findings(findings, direction, *made);
  if (!findings.no_header) {
    const bool wrong_way = message.is_response() != (direction == Direction::ToClient);
    if (wrong_way) {
      made->raise(direction, direction == Direction::ToServer
                                 ? event_number(kDnsEventNames, "not_request")
                                 : event_number(kDnsEventNames, "not_response"));
    }
    if (message.reserved_flag()) {
      made->raise(direction, event_number(kDnsEventNames, "z_flag_set"));
    }
    if (message.opcode() > kLastOpcode) {
      made->raise(direction, event_number(kDnsEventNames, "invalid_opcode"));
    }
  }
  if (append(std::move(made)) == nullptr) return false;
  return !(findings.no_header || findings.malformed) || count_bad_message();
}

bool DnsParser::take_stream(Direction direction, std::span<const uint8_t> bytes) noexcept {
  Side& side = sides_[index_of(direction)];
  if (side.after_gap) {
    const bool begins_like_one =
        bytes.size() > 14 &&
        detection::looks_like_dns(bytes.subspan(2), direction == Direction::ToServer, false);
    if (!begins_like_one) return true;
    side.after_gap = false;
  }
  while (!bytes.empty()) {
    // First the two bytes of length, then the message.
    const size_t have = side.partial.size();
    const size_t whole =
        have < 2 ? 2 : 2 + static_cast<size_t>(side.partial[0]) * 256 + side.partial[1];
    const size_t taken = std::min(bytes.size(), whole - have);
    const auto part = bytes.first(taken);
    side.partial.insert(side.partial.end(), part.begin(), part.end());
    bytes = bytes.subspan(taken);
    if (side.partial.size() < 2) return true;
    const size_t length = static_cast<size_t>(side.partial[0]) * 256 + side.partial[1];
    if (side.partial.size() < 2 + length) continue;
    const bool good =
        length == 0 || take_message(direction, std::span<const uint8_t>{side.partial}.subspan(2));
    side.partial.clear();
    if (!good) return false;
  }
  return true;
}

}  // namespace masugata::ids
