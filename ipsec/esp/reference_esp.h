// SPDX-License-Identifier: GPL-2.0-or-later
// ESP by the book with OpenSSL, for tests: what checks the packet path must not share its mistakes.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "ipsec/esp/esp_packet.h"
#include "ipsec/esp/esp_worker.h"
#include "ipsec/esp/sa_memory.h"
#include "ipsec/sa/sa_parameters.h"

namespace masugata::ipsec::reference {

using Bytes = std::vector<uint8_t>;

// Hexadecimal digits; blanks are passed over.
Bytes from_hex(std::string_view digits);

// Every valid transform.
std::vector<EspTransform> all_transforms();

// Parameters between 192.0.2.1 (local) and 198.51.100.1 with keys that depend on transform and SPI
// only, so that an inbound and an outbound SA of one SPI understand each other.
SaParameters parameters_of(EspTransform transform, Direction direction, uint32_t spi = 0x1000);
// The other end of the same SA: direction, addresses and ports changed over.
SaParameters peer_of(const SaParameters& parameters);

// SPI, sequence number, IV, encrypted `text`, ICV. `iv` as long as the transform's.
Bytes seal(const SaParameters& parameters, uint64_t sequence, const Bytes& iv, Bytes text);
// The decrypted text with padding and trailer; nullopt when the ICV is wrong.
std::optional<Bytes> open(const SaParameters& parameters, uint64_t sequence,
                          std::span<const uint8_t> esp);

// `payload`, padding 1, 2, 3, ... to the transform's alignment, trailer.
Bytes padded(EspTransform transform, Bytes payload, uint8_t next_header);
// An IPv4 header of 20 bytes (or IPv6 one of 40) without options before `payload`.
Bytes ipv4_packet(uint8_t protocol, const Bytes& payload, uint8_t traffic_class = 0,
                  bool dont_fragment = false);
Bytes ipv6_packet(uint8_t next_header, const Bytes& payload, uint8_t traffic_class = 0);

// Bytes with room around them, so that a packet of the burst can be made of them.
class PacketBuffer {
 public:
  explicit PacketBuffer(const Bytes& packet, uint16_t headroom = kEspHeadroomBytes,
                        uint16_t tailroom = kEspTailroomBytes);
  [[nodiscard]] EspPacket packet(EspSa* sa, uint16_t esp_offset = 0);

 private:
  Bytes storage_;
  uint16_t headroom_;
  uint16_t tailroom_;
  uint32_t length_;
};
// What a packet of the burst has become.
Bytes bytes_of(const EspPacket& packet);

// A worker, memory for 64 SAs and one packet at a time.
class Fixture {
 public:
  Fixture();
  [[nodiscard]] EspSa* add(const SaParameters& parameters, uint64_t now_ms = 0);
  void clear() { sas_.clear(); }

  struct Outcome {
    EspRefusal refusal;
    Bytes packet;  // empty when refused
  };
  Outcome encapsulate(EspSa* sa, const Bytes& packet, uint64_t now_ms = 0);
  Outcome decapsulate(EspSa* sa, const Bytes& packet, uint64_t now_ms = 0);

  [[nodiscard]] EspWorker& worker() { return *worker_; }
  [[nodiscard]] SaMemory& memory() { return *memory_; }

 private:
  std::unique_ptr<EspWorker> worker_;
  std::unique_ptr<SaMemory> memory_;
  std::vector<SaMemory::Pointer> sas_;
};

// From the start of an outer packet without extension headers to its ESP header.
uint16_t esp_offset_of(const Bytes& outer);

}  // namespace masugata::ipsec::reference
