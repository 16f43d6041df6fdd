// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/bench/ips_capture.h"

#include <algorithm>
#include <fstream>
#include <utility>

#include "net/checksum.h"
#include "net/flow_key.h"
#include "net/headers/transport.h"

namespace masugata::bench {
namespace {

constexpr size_t kEthernetBytes = 14;
constexpr size_t kIpBytes = 20;
constexpr size_t kTcpBytes = 32;  // with timestamps
constexpr size_t kUdpBytes = 8;
constexpr size_t kSegmentBytes = 1448;
constexpr uint64_t kStart_us = 1'700'000'000'000'000;

void put16(std::string& to, uint32_t value) {
  to += static_cast<char>(value >> 8U & 0xffU);
  to += static_cast<char>(value & 0xffU);
}
void put32(std::string& to, uint32_t value) {
  put16(to, value >> 16U);
  put16(to, value & 0xffffU);
}
void store(std::string& to, size_t place, uint16_t in_memory_order) {
  std::memcpy(to.data() + place, &in_memory_order, 2);
}
const uint8_t* bytes_at(const std::string& of, size_t place) {
  return reinterpret_cast<const uint8_t*>(of.data()) + place;
}

// Ethernet and IPv4 headers for a payload of `length` bytes.
std::string begin_frame(const Endpoints& ends, bool to_server, net::Protocol protocol,
                        size_t length) {
  std::string frame;
  frame.reserve(kEthernetBytes + kIpBytes + length);
  const std::string client("\x02\x00\x00\x00\x00\x01", 6);
  const std::string server("\x02\x00\x00\x00\x00\x02", 6);
  frame += to_server ? server + client : client + server;
  put16(frame, 0x0800);
  put16(frame, 0x4500);
  put16(frame, static_cast<uint32_t>(kIpBytes + length));
  put32(frame, 0x00004000);
  put16(frame, 0x4000U | static_cast<uint32_t>(protocol));
  put16(frame, 0);
  put32(frame, to_server ? ends.client : ends.server);
  put32(frame, to_server ? ends.server : ends.client);
  const uint64_t sum = net::checksum_add(bytes_at(frame, kEthernetBytes), kIpBytes);
  store(frame, kEthernetBytes + 10, static_cast<uint16_t>(~net::checksum_fold(sum)));
  return frame;
}

void fill_transport_checksum(std::string& frame, net::Protocol protocol, size_t place) {
  const size_t begin = kEthernetBytes + kIpBytes;
  const size_t length = frame.size() - begin;
  uint64_t sum = net::checksum_add(bytes_at(frame, kEthernetBytes + 12), 8);
  sum += net::Be16::from_host(static_cast<uint8_t>(protocol)).raw;
  sum += net::Be16::from_host(static_cast<uint16_t>(length)).raw;
  sum = net::checksum_add(bytes_at(frame, begin), length, sum);
  store(frame, begin + place, static_cast<uint16_t>(~net::checksum_fold(sum)));
}

}  // namespace

std::string udp_frame(const Endpoints& ends, bool to_server, std::string_view payload) {
  std::string frame = begin_frame(ends, to_server, net::Protocol::Udp, kUdpBytes + payload.size());
  put16(frame, to_server ? ends.client_port : ends.server_port);
  put16(frame, to_server ? ends.server_port : ends.client_port);
  put16(frame, static_cast<uint32_t>(kUdpBytes + payload.size()));
  put16(frame, 0);
  frame += payload;
  fill_transport_checksum(frame, net::Protocol::Udp, 6);
  return frame;
}

TcpWriter::TcpWriter(const Endpoints& ends, RandomSource& random)
    : ends_(ends),
      next_{static_cast<uint32_t>(random.next()), static_cast<uint32_t>(random.next())} {
  segment(true, net::kTcpSyn, {});
  segment(false, net::kTcpSyn | net::kTcpAck, {});
  segment(true, net::kTcpAck, {});
}

void TcpWriter::segment(bool to_server, unsigned flags, std::string_view payload) {
  const size_t side = to_server ? 0 : 1;
  std::string frame = begin_frame(ends_, to_server, net::Protocol::Tcp, kTcpBytes + payload.size());
  put16(frame, to_server ? ends_.client_port : ends_.server_port);
  put16(frame, to_server ? ends_.server_port : ends_.client_port);
  put32(frame, next_[side]);
  put32(frame, (flags & net::kTcpAck) != 0 ? next_[1 - side] : 0);
  put16(frame, 0x8000U | flags);
  put16(frame, 65535);
  put32(frame, 0);  // checksum, urgent pointer
  put32(frame, 0x0101080a);
  put32(frame, ++clock_);
  put32(frame, (flags & net::kTcpAck) != 0 ? clock_ - 1 : 0);
  frame += payload;
  fill_transport_checksum(frame, net::Protocol::Tcp, 16);
  frames_.push_back(std::move(frame));
  next_[side] += static_cast<uint32_t>(payload.size());
  if ((flags & (net::kTcpSyn | net::kTcpFin)) != 0) ++next_[side];
}

void TcpWriter::send(bool to_server, std::string_view bytes) {
  for (size_t sent = 0, count = 1; sent < bytes.size(); sent += kSegmentBytes, ++count) {
    const std::string_view part = bytes.substr(sent, kSegmentBytes);
    const bool last = sent + part.size() == bytes.size();
    segment(to_server, net::kTcpAck | (last ? unsigned{net::kTcpPsh} : 0U), part);
    if (count % 2 == 0 || last) segment(!to_server, net::kTcpAck, {});
  }
}

FrameList TcpWriter::finish() {
  segment(true, net::kTcpFin | net::kTcpAck, {});
  segment(false, net::kTcpFin | net::kTcpAck, {});
  segment(true, net::kTcpAck, {});
  return std::move(frames_);
}

CaptureWriter::CaptureWriter(std::string name, size_t width, uint64_t seed)
    : width_(width), random_(seed), time_ns_(kStart_us * 1000) {
  capture_.name = std::move(name);
}

void CaptureWriter::add(FrameList conversation) {
  ++capture_.flows;
  for (const std::string& frame : conversation) bytes_ += frame.size();
  open_.push_back({std::move(conversation), 0});
  while (open_.size() >= width_) emit_some();
}

// A few frames of a conversation, as a server's burst would come.
void CaptureWriter::emit_some() {
  Open& chosen = open_[random_.below(open_.size())];
  for (size_t left = random_.between(1, 8); left > 0 && chosen.next < chosen.frames.size();
       --left) {
    std::string& frame = chosen.frames[chosen.next++];
    time_ns_ += (frame.size() + 24) * 8;
    capture_.bytes += frame.size();
    capture_.frames.push_back({time_ns_ / 1000, std::move(frame)});
  }
  if (chosen.next == chosen.frames.size()) {
    std::swap(chosen, open_.back());
    open_.pop_back();
  }
}

Capture CaptureWriter::finish() {
  while (!open_.empty()) emit_some();
  return std::move(capture_);
}

Status write_pcap(const Capture& capture, const std::string& path) {
  std::ofstream file(path, std::ios::binary);
  const auto put = [&file](uint32_t value) {
    file.write(reinterpret_cast<const char*>(&value), sizeof value);
  };
  put(0xa1b2c3d4);
  put(4U << 16U | 2U);
  put(0);
  put(0);
  put(65535);
  put(1);
  for (const TimedFrame& frame : capture.frames) {
    put(static_cast<uint32_t>(frame.time_us / 1'000'000));
    put(static_cast<uint32_t>(frame.time_us % 1'000'000));
    put(static_cast<uint32_t>(frame.bytes.size()));
    put(static_cast<uint32_t>(frame.bytes.size()));
    file.write(frame.bytes.data(), static_cast<std::streamsize>(frame.bytes.size()));
  }
  file.flush();
  if (!file) return failure(path, "cannot be written");
  return {};
}

}  // namespace masugata::bench
