// SPDX-License-Identifier: GPL-2.0-or-later
// Reading capture files (pcap and pcapng) packet by packet.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "result/result.h"

namespace masugata::dataplane {

// One packet of the file. `bytes` stays valid until the next call of next().
struct CapturedFrame {
  uint64_t time_us = 0;  // since 1970
  uint64_t number = 0;   // 1, 2, ..
  uint16_t link_type = 1;
  uint32_t wire_bytes = 0;  // length on the wire; more than bytes.size() when cut short
  std::span<const uint8_t> bytes;
};

// Thread: one at a time.
class CaptureFile {
 public:
  // Fails when the file cannot be read, is no capture, or has a link type that is not decoded.
  [[nodiscard]] static Result<CaptureFile> open(const std::string& path);
  CaptureFile(CaptureFile&&) noexcept;
  CaptureFile& operator=(CaptureFile&&) noexcept;
  ~CaptureFile();

  // The next packet; nullopt at the end. A file that is damaged in the middle is a failure there.
  [[nodiscard]] Result<std::optional<CapturedFrame>> next();

 private:
  struct State;
  explicit CaptureFile(std::unique_ptr<State> state) noexcept;
  std::unique_ptr<State> state_;
};

}  // namespace masugata::dataplane
