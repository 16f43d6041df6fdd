// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/replay/capture_file.h"

#include <pcap/pcap.h>

#include <algorithm>
#include <array>
#include <utility>

#include "dataplane/replay/link_type.h"

namespace masugata::dataplane {

struct CaptureFile::State {
  std::string path;
  pcap_t* capture = nullptr;
  uint16_t link_type = 1;
  uint64_t packets = 0;

  State() = default;
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() {
    if (capture != nullptr) pcap_close(capture);
  }
};

CaptureFile::CaptureFile(std::unique_ptr<State> state) noexcept : state_(std::move(state)) {}
CaptureFile::CaptureFile(CaptureFile&&) noexcept = default;
CaptureFile& CaptureFile::operator=(CaptureFile&&) noexcept = default;
CaptureFile::~CaptureFile() = default;

Result<CaptureFile> CaptureFile::open(const std::string& path) {
  std::array<char, PCAP_ERRBUF_SIZE> error{};
  auto state = std::make_unique<State>();
  state->path = path;
  state->capture = pcap_open_offline_with_tstamp_precision(
      path.c_str(), PCAP_TSTAMP_PRECISION_MICRO, error.data());
  if (state->capture == nullptr) return failure(path, error.data());
  const int link = pcap_datalink(state->capture);
  if (link < 0 || link > 0xffff || !is_decoded_link_type(static_cast<uint16_t>(link))) {
    const char* name = pcap_datalink_val_to_name(link);
    return failure(path, "link type " + std::to_string(link) +
                             (name == nullptr ? "" : " (" + std::string(name) + ")") +
                             " is not decoded");
  }
  state->link_type = static_cast<uint16_t>(link);
  return CaptureFile(std::move(state));
}

Result<std::optional<CapturedFrame>> CaptureFile::next() {
  pcap_pkthdr* header = nullptr;
  const u_char* bytes = nullptr;
  const int outcome = pcap_next_ex(state_->capture, &header, &bytes);
  if (outcome == PCAP_ERROR_BREAK || outcome == 0) return std::nullopt;
  if (outcome != 1) {
    return failure(state_->path + " packet " + std::to_string(state_->packets + 1),
                   pcap_geterr(state_->capture));
  }
  CapturedFrame frame;
  frame.time_us = static_cast<uint64_t>(std::max<int64_t>(header->ts.tv_sec, 0)) * 1'000'000U +
                  static_cast<uint64_t>(std::max<int64_t>(header->ts.tv_usec, 0));
  frame.number = ++state_->packets;
  frame.link_type = state_->link_type;
  frame.wire_bytes = header->len;
  frame.bytes = {bytes, header->caplen};
  return frame;
}

}  // namespace masugata::dataplane
