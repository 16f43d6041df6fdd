// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/replay/fragment_assembler.h"

#include <algorithm>

#include "net/byte_order.h"
#include "net/checksum.h"

namespace masugata::dataplane {
namespace {

constexpr uint32_t kLargestDatagram = 65535;
constexpr size_t kIpv6Bytes = 40;

bool same_datagram(const Fragment& left, const Fragment& right) noexcept {
  return left.identification == right.identification && left.is_ipv6 == right.is_ipv6 &&
         left.source == right.source && left.destination == right.destination &&
         (left.is_ipv6 || left.protocol == right.protocol) && left.vlan[0] == right.vlan[0] &&
         left.vlan[1] == right.vlan[1];
}

}  // namespace

FragmentAssembler::Place FragmentAssembler::find_or_begin(const Fragment& fragment,
                                                          uint64_t time_us) {
  while (!datagrams_.empty() && datagrams_.front().first_seen_us + kLifetime_us < time_us) {
    datagrams_.pop_front();
  }
  const auto found = std::find_if(datagrams_.begin(), datagrams_.end(), [&](const Datagram& known) {
    return same_datagram(known.identity, fragment);
  });
  if (found != datagrams_.end()) return found;
  if (datagrams_.size() >= kMaximumDatagrams) datagrams_.pop_front();
  Datagram begun;
  begun.identity = fragment;
  begun.identity.header = {};
  begun.identity.data = {};
  begun.first_seen_us = time_us;
  datagrams_.push_back(std::move(begun));
  return std::prev(datagrams_.end());
}

// Copies what is not there yet; true when some of it was.
bool FragmentAssembler::insert(Datagram& datagram, uint32_t first, std::span<const uint8_t> bytes) {
  const auto end = first + static_cast<uint32_t>(bytes.size());
  if (datagram.data.size() < end) datagram.data.resize(end);
  bool overlap = false;
  std::vector<std::pair<uint32_t, uint32_t>> merged;
  uint32_t at = first;
  auto copy_until = [&](uint32_t limit) {
    if (at >= limit) return;
    std::copy_n(bytes.begin() + (at - first), limit - at, datagram.data.begin() + at);
  };
  for (const auto& [known_first, known_end] : datagram.pieces) {
    if (known_end <= first || known_first >= end) continue;
    overlap = true;
    copy_until(std::min(known_first, end));
    at = std::max(at, known_end);
  }
  copy_until(end);
  datagram.pieces.emplace_back(first, end);
  std::sort(datagram.pieces.begin(), datagram.pieces.end());
  for (const auto& piece : datagram.pieces) {
    if (!merged.empty() && piece.first <= merged.back().second) {
      merged.back().second = std::max(merged.back().second, piece.second);
    } else {
      merged.push_back(piece);
    }
  }
  datagram.pieces = std::move(merged);
  return overlap;
}

std::vector<uint8_t> FragmentAssembler::build(const Datagram& datagram) {
  std::vector<uint8_t> finished = datagram.header;
  finished.insert(finished.end(), datagram.data.begin(), datagram.data.begin() + datagram.total);
  uint8_t* header = finished.data();
  if (datagram.identity.is_ipv6) {
    const auto payload = static_cast<uint16_t>(finished.size() - kIpv6Bytes);
    net::store(header + 4, net::Be16::from_host(payload));
    header[datagram.next_header_offset] = datagram.identity.protocol;
    return finished;
  }
  net::store(header + 2, net::Be16::from_host(static_cast<uint16_t>(finished.size())));
  header[6] = static_cast<uint8_t>(header[6] & 0x40U);  // only "don't fragment" survives
  header[7] = 0;
  header[10] = header[11] = 0;
  const auto sum =
      static_cast<uint16_t>(~net::checksum_fold(net::checksum_add(header, datagram.header.size())));
  net::store(header + 10, net::Be16{sum});
  return finished;
}

AssemblyOutcome FragmentAssembler::add(const Fragment& fragment, uint64_t time_us) {
  AssemblyOutcome outcome;
  const uint64_t end = static_cast<uint64_t>(fragment.offset) + fragment.data.size();
  // IPv4 counts its header, IPv6 only what follows the fixed one.
  const size_t counted =
      fragment.is_ipv6 ? fragment.header.size() - kIpv6Bytes : fragment.header.size();
  if (end + counted > kLargestDatagram) {
    outcome.too_large = outcome.ignored = true;
    return outcome;
  }
  const Place place = find_or_begin(fragment, time_us);
  Datagram& datagram = *place;
  const bool contradicts = (datagram.total != 0 && end > datagram.total) ||
                           (!fragment.more && datagram.data.size() > end);
  if (contradicts || datagram.pieces.size() >= kMaximumPieces) {
    outcome.ignored = true;
    outcome.overlap = contradicts;
    return outcome;
  }
  if (!fragment.more && datagram.total == 0) datagram.total = static_cast<uint32_t>(end);
  if (fragment.offset == 0 && datagram.header.empty()) {
    datagram.header.assign(fragment.header.begin(), fragment.header.end());
    datagram.next_header_offset = fragment.next_header_offset;
    datagram.identity.protocol = fragment.protocol;
  }
  outcome.overlap = insert(datagram, fragment.offset, fragment.data);
  const bool whole = datagram.total != 0 && !datagram.header.empty() &&
                     datagram.pieces.size() == 1 && datagram.pieces[0].first == 0 &&
                     datagram.pieces[0].second >= datagram.total;
  if (whole) {
    outcome.datagram = build(datagram);
    datagrams_.erase(place);
  }
  return outcome;
}

}  // namespace masugata::dataplane
