// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/transfers/tcp_frame.h"

#include <algorithm>

#include "tests/packets/byte_reader.h"
#include "tests/packets/byte_writer.h"
#include "tests/packets/wire_checksum.h"

namespace masugata::test {
namespace {

constexpr size_t kEthernetBytes = 14;
constexpr size_t kIpv4Bytes = 20;
constexpr size_t kTcpBytes = 20;
constexpr size_t kChecksumAt = 16;  // in a TCP header
constexpr uint8_t kTcp = 6;
constexpr uint8_t kWindowScale = 3;
constexpr uint8_t kTimestamps = 8;

AddressBytes bytes_of(const uint8_t* address) {
  AddressBytes bytes;
  bytes.size = 4;
  std::copy_n(address, bytes.size, bytes.bytes.begin());
  return bytes;
}

std::vector<uint8_t> write_options(const TcpWords& words) {
  ByteWriter options;
  if (words.window_scale) {
    options.u32(0x01030300U + *words.window_scale);
  }
  if (words.timestamps) {
    options.u32(0x0101080aU);
    options.u32(words.timestamps->value);
    options.u32(words.timestamps->echo);
  }
  return options.take();
}

void read_options(std::span<const uint8_t> options, TcpWords& words) {
  size_t at = 0;
  while (at < options.size() && options[at] != 0) {
    if (options[at] == 1) {
      ++at;
      continue;
    }
    if (at + 1 >= options.size() || options[at + 1] < 2 || at + options[at + 1] > options.size()) {
      return;
    }
    if (options[at] == kWindowScale) words.window_scale = options[at + 2];
    if (options[at] == kTimestamps) {
      words.timestamps = TcpTimestamps{static_cast<uint32_t>(read_u32(options, at + 2)),
                                       static_cast<uint32_t>(read_u32(options, at + 6))};
    }
    at += options[at + 1];
  }
}

}  // namespace

std::vector<uint8_t> write_frame(const TcpWords& words, const TcpAddress& from,
                                 const TcpAddress& to) {
  const std::vector<uint8_t> options = write_options(words);
  ByteWriter tcp;
  tcp.u16(from.port);
  tcp.u16(to.port);
  tcp.u32(words.sequence);
  tcp.u32(words.acknowledgement);
  tcp.u8((kTcpBytes + options.size()) / 4 << 4U);
  tcp.u8(words.flags);
  tcp.u16(words.window);
  tcp.u32(0);
  tcp.append(options);
  tcp.append({reinterpret_cast<const uint8_t*>(words.payload.data()), words.payload.size()});
  tcp.put_u16(kChecksumAt,
              transport_checksum(tcp.bytes(), kChecksumAt, kTcp, bytes_of(from.address.data()),
                                 bytes_of(to.address.data())));
  ByteWriter ip;
  ip.u16(0x4500);
  ip.u16(kIpv4Bytes + tcp.size());
  ip.u32(0x4000);  // "do not fragment"
  ip.u8(64);
  ip.u8(kTcp);
  ip.u16(0);
  ip.append(from.address);
  ip.append(to.address);
  ip.put_u16(10, header_checksum(ip.bytes(), 10));
  ByteWriter frame;
  frame.append(to.mac);
  frame.append(from.mac);
  frame.u16(0x0800);
  frame.append(ip.bytes());
  frame.append(tcp.bytes());
  return frame.take();
}

std::optional<ReadFrame> read_frame(std::span<const uint8_t> frame) {
  if (frame.size() < kEthernetBytes + kIpv4Bytes + kTcpBytes) return std::nullopt;
  if (read_u16(frame, 12) != 0x0800) return std::nullopt;
  const auto ip = frame.subspan(kEthernetBytes);
  const uint64_t length = read_u16(ip, 2);
  const bool plain = ip[0] == 0x45 && ip[9] == kTcp && length <= ip.size();
  if (!plain || header_checksum(ip.first(kIpv4Bytes), 10) != read_u16(ip, 10)) return std::nullopt;
  const auto tcp = ip.first(length).subspan(kIpv4Bytes);
  const size_t header = static_cast<size_t>(tcp[12] >> 4U) * 4;
  if (header < kTcpBytes || header > tcp.size()) return std::nullopt;
  const uint16_t sum = transport_checksum(tcp, kChecksumAt, kTcp, bytes_of(ip.data() + 12),
                                          bytes_of(ip.data() + 16));
  if (sum != read_u16(tcp, kChecksumAt)) return std::nullopt;
  ReadFrame read;
  read.source_port = static_cast<uint16_t>(read_u16(tcp, 0));
  read.destination_port = static_cast<uint16_t>(read_u16(tcp, 2));
  read.words.sequence = static_cast<uint32_t>(read_u32(tcp, 4));
  read.words.acknowledgement = static_cast<uint32_t>(read_u32(tcp, 8));
  read.words.flags = tcp[13];
  read.words.window = static_cast<uint16_t>(read_u16(tcp, 14));
  read_options(tcp.subspan(kTcpBytes, header - kTcpBytes), read.words);
  const auto payload = tcp.subspan(header);
  read.words.payload.assign(payload.begin(), payload.end());
  return read;
}

}  // namespace masugata::test
