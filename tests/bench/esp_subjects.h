// SPDX-License-Identifier: GPL-2.0-or-later
// Three ways to encrypt the same packets: our ESP path, IPsec-MB alone, OpenSSL's EVP.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "ipsec/sa/esp_transform.h"

namespace masugata::bench {

inline constexpr size_t kEspPackets = 256;
inline constexpr size_t kEspBurst = 32;

// Packets of one size in memory that fits into the second-level cache, as buffers of a pool do.
class EspBuffers {
 public:
  explicit EspBuffers(uint32_t packet_bytes);
  // The inner packet, an IPv4 one, with room around it.
  [[nodiscard]] uint8_t* packet(size_t index) { return bytes_ + index * kStride + kHeadroom; }
  [[nodiscard]] uint32_t packet_bytes() const { return packet_bytes_; }

  static constexpr size_t kHeadroom = 128;
  static constexpr size_t kStride = 2304;

 private:
  uint32_t packet_bytes_;
  std::vector<uint8_t> storage_;
  uint8_t* bytes_;
};

// encrypt() and decrypt() take turns over all packets; false when something was refused.
class EspSubject {
 public:
  EspSubject() = default;
  EspSubject(const EspSubject&) = delete;
  EspSubject& operator=(const EspSubject&) = delete;
  virtual ~EspSubject() = default;
  virtual bool encrypt() = 0;
  virtual bool decrypt() = 0;
};

// The whole path: headers, sequence numbers, IV, padding, lifetimes, replay window, inner checks.
std::unique_ptr<EspSubject> make_esp_path(ipsec::EspTransform transform, EspBuffers& buffers);
// The library alone, over the bytes that ESP encrypts, nonces and associated data as ESP's.
std::unique_ptr<EspSubject> make_library(ipsec::EspTransform transform, EspBuffers& buffers);
std::unique_ptr<EspSubject> make_openssl(ipsec::EspTransform transform, EspBuffers& buffers);

}  // namespace masugata::bench
