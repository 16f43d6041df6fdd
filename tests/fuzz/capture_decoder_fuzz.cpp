// SPDX-License-Identifier: GPL-2.0-or-later
// The decoder of captures and its assembler of fragments. Input: one byte of options, then frames:
// a byte that chooses the link layer and the time that has passed, two bytes of length, and so many
// bytes. Whatever comes: every frame gives a packet, not many more than it has layers, and all that
// a packet points to can be read.
#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <vector>

#include "dataplane/replay/link_type.h"
#include "dataplane/replay/packet_decoder.h"

namespace {

using namespace masugata;             // NOLINT: a program of one file
using namespace masugata::dataplane;  // NOLINT

constexpr std::array kLinkTypes{
    LinkType::Ethernet, LinkType::Raw,       LinkType::Null,      LinkType::Loop, LinkType::Ppp,
    LinkType::LinuxSll, LinkType::LinuxSll2, LinkType::CiscoHdlc, LinkType::Ipv4, LinkType::Ipv6};

// A frame, its layers, and what it completes as the last fragment at any of them.
constexpr unsigned kMaximumPackets = 2 * PacketDecoder::kMaximumLayers + 2;

void require(bool holds) {
  if (!holds) std::abort();
}

class Reader final : public PacketReceiver {
 public:
  void receive(DecodedPacket& packet) override {
    ++packets_;
    const ids::PacketFacts& facts = packet.facts;
    for (const auto& bytes : {facts.frame, facts.network, facts.transport, facts.payload}) {
      for (const uint8_t byte : bytes) sum_ = sum_ + byte;
    }
    // An IPv4-mapped address in an IPv6 header is judged as the IPv4 address that it names.
    if (packet.has_flow) require(facts.is_ip && (facts.is_ipv6 || facts.key.source.is_v4()));
    if (!facts.payload.empty()) require(facts.payload.size() <= facts.network.size());
  }
  // Packets since the last call.
  unsigned take_packets() {
    const unsigned packets = packets_;
    packets_ = 0;
    return packets;
  }

 private:
  unsigned packets_ = 0;
  volatile unsigned sum_ = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::span<const uint8_t> input(data, size);
  if (input.empty()) return 0;
  DecoderOptions options;
  options.verify_checksums = (input[0] & 1U) != 0;
  options.teredo = (input[0] & 2U) != 0;
  input = input.subspan(1);
  Reader reader;
  PacketDecoder decoder(options, reader);
  CapturedFrame frame;
  while (input.size() >= 3) {
    const size_t length = std::min<size_t>(input[1] * 256U + input[2], input.size() - 3);
    const auto bytes = input.subspan(3, length);
    // Exactly as large as the frame: a byte beyond it is a finding.
    const std::vector<uint8_t> copy(bytes.begin(), bytes.end());
    frame.bytes = copy;
    frame.link_type = static_cast<uint16_t>(kLinkTypes[(input[0] & 15U) % kLinkTypes.size()]);
    frame.time_us += (input[0] >> 4U) * 5'000'000ULL;
    frame.wire_bytes = static_cast<uint32_t>(length);
    ++frame.number;
    decoder.decode(frame);
    const unsigned packets = reader.take_packets();
    require(packets >= 1 && packets <= kMaximumPackets);
    input = input.subspan(3 + length);
  }
  return 0;
}
