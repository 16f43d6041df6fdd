// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/kernel/frame_carrier.h"

#include <rte_config.h>
#include <rte_mbuf.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "dataplane/kernel/router_flag.h"

namespace masugata::dataplane {

namespace {
constexpr std::size_t kMacBytes = 12;
constexpr std::size_t kTagBytes = 4;
constexpr std::size_t kEthernetBytes = 14;
// More segments than a 64 KB frame in 2 KB mbufs has.
constexpr std::size_t kMaximumPieces = 40;
}  // namespace

bool write_frame(TapDevice& device, const TwinSettings& twin, const rte_mbuf& frame) noexcept {
  std::array<iovec, kMaximumPieces> pieces;
  auto* first = rte_pktmbuf_mtod(&frame, uint8_t*);
  const std::size_t first_length = rte_pktmbuf_data_len(&frame);
  if (first_length < kEthernetBytes) return false;
  const bool tagged = twin.vlan != 0 && first_length >= kEthernetBytes + kTagBytes &&
                      first[kMacBytes] == 0x81 && first[kMacBytes + 1] == 0x00;
  std::size_t count = 0;
  if (tagged) {
    pieces[count++] = {first, kMacBytes};
    pieces[count++] = {first + kMacBytes + kTagBytes, first_length - kMacBytes - kTagBytes};
  } else {
    pieces[count++] = {first, first_length};
  }
  for (const rte_mbuf* segment = frame.next; segment != nullptr; segment = segment->next) {
    if (count == pieces.size()) return false;
    pieces[count++] = {rte_pktmbuf_mtod(segment, uint8_t*), rte_pktmbuf_data_len(segment)};
  }
  return device.write({pieces.data(), count});
}

rte_mbuf* make_frame(std::span<const uint8_t> bytes, const TwinSettings& twin,
                     rte_mempool* pool) noexcept {
  rte_mbuf* head = nullptr;
  rte_mbuf* tail = nullptr;
  std::size_t done = 0;
  while (done < bytes.size()) {
    rte_mbuf* segment = rte_pktmbuf_alloc(pool);
    if (segment == nullptr) {
      rte_pktmbuf_free(head);
      return nullptr;
    }
    const std::size_t length =
        std::min<std::size_t>(rte_pktmbuf_tailroom(segment), bytes.size() - done);
    std::memcpy(rte_pktmbuf_mtod(segment, uint8_t*), bytes.data() + done, length);
    segment->data_len = static_cast<uint16_t>(length);
    done += length;
    if (head == nullptr) {
      head = segment;
    } else {
      tail->next = segment;
      ++head->nb_segs;
    }
    tail = segment;
  }
  if (head == nullptr) return nullptr;
  head->pkt_len = static_cast<uint32_t>(bytes.size());
  head->port = twin.port;
  return head;
}

std::span<const uint8_t> read_frame(TapDevice& device, const TwinSettings& twin,
                                    std::span<uint8_t> buffer) noexcept {
  // Room for a tag stays in front.
  const std::span<uint8_t> plain = buffer.subspan(kTagBytes);
  const std::size_t length = device.read(plain);
  if (length < kEthernetBytes) return {};
  set_router_flag(plain.first(length));
  if (twin.vlan == 0) return plain.first(length);
  std::memmove(buffer.data(), plain.data(), kMacBytes);
  buffer[kMacBytes] = 0x81;
  buffer[kMacBytes + 1] = 0x00;
  buffer[kMacBytes + 2] = static_cast<uint8_t>(twin.vlan >> 8U);
  buffer[kMacBytes + 3] = static_cast<uint8_t>(twin.vlan);
  return buffer.first(length + kTagBytes);
}

}  // namespace masugata::dataplane
