// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/packets/packet_fragmenter.h"

#include <algorithm>

#include "tests/packets/byte_writer.h"
#include "tests/packets/wire_checksum.h"

namespace masugata::test {
namespace {

using Bytes = std::vector<uint8_t>;

struct Piece {
  size_t offset = 0;
  size_t length = 0;
  bool more = false;
};

Result<Piece> choose_piece(size_t content_size, const Layer& cut) {
  Piece piece{cut.number_or("offset", 0), cut.number_or("length", 0), false};
  if (piece.offset >= content_size) {
    return failure("cut", "the packet has only " + std::to_string(content_size) + " bytes");
  }
  piece.length = std::min(piece.length, content_size - piece.offset);
  piece.more = piece.offset + piece.length < content_size;
  if (cut.has("more")) piece.more = true;
  if (cut.has("last")) piece.more = false;
  return piece;
}

Result<Bytes> cut_ipv4(const Bytes& frame, size_t link_length, const Layer& cut) {
  const size_t header_length = (frame[link_length] & 15U) * 4U;
  const size_t content_start = link_length + header_length;
  const auto piece = choose_piece(frame.size() - content_start, cut);
  if (!piece) return tl::unexpected(piece.error());
  ByteWriter out;
  out.append({frame.data(), content_start});
  out.append({frame.data() + content_start + piece->offset, piece->length});
  out.put_u16(link_length + 2, header_length + piece->length);
  if (cut.has("id")) out.put_u16(link_length + 4, cut.number_or("id", 0));
  const uint64_t flags = frame[link_length + 6] & 0xc0U;
  out.put_u16(link_length + 6, flags << 8U | (piece->more ? 0x2000U : 0U) | piece->offset / 8);
  constexpr size_t kChecksumOffset = 10;
  out.put_u16(link_length + kChecksumOffset,
              header_checksum({out.bytes().data() + link_length, header_length}, kChecksumOffset));
  return out.take();
}

Result<Bytes> cut_ipv6(const Bytes& frame, size_t link_length, const Layer& cut) {
  size_t announcer = link_length + 6;  // where the next header's number stands
  size_t content_start = link_length + 40;
  while ((frame[announcer] == 0 || frame[announcer] == 43) && content_start + 2 <= frame.size()) {
    announcer = content_start;
    content_start += (frame[content_start + 1] + 1U) * 8U;
  }
  if (content_start > frame.size()) return failure("cut", "extension header beyond the packet");
  const auto piece = choose_piece(frame.size() - content_start, cut);
  if (!piece) return tl::unexpected(piece.error());
  Bytes front(frame.begin(), frame.begin() + static_cast<ptrdiff_t>(content_start));
  front[announcer] = 44;
  ByteWriter out;
  out.append(front);
  out.u8(frame[announcer]);
  out.u8(0);
  out.u16(piece->offset | (piece->more ? 1U : 0U));
  out.u32(cut.number_or("id", 0));
  out.append({frame.data() + content_start + piece->offset, piece->length});
  out.put_u16(link_length + 4, out.size() - link_length - 40);
  return out.take();
}

}  // namespace

Result<std::vector<uint8_t>> cut_fragment(const std::vector<uint8_t>& frame, size_t link_length,
                                          const Layer& cut) {
  const size_t left = frame.size() - std::min(link_length, frame.size());
  const unsigned version = left > 0 ? frame[link_length] >> 4U : 0U;
  if (version == 4 && left >= 20) return cut_ipv4(frame, link_length, cut);
  if (version == 6 && left >= 40) return cut_ipv6(frame, link_length, cut);
  return failure("cut", "there is no IP packet to cut");
}

}  // namespace masugata::test
