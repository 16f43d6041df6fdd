// SPDX-License-Identifier: GPL-2.0-or-later
// masugatad's end of the link to masugata-scand: gives it settings and regions, remembers its
// status. What is said over it: av-stream/scand/README.md.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "av-stream/scand/message_socket.h"
#include "av-stream/scand/scand_settings.h"
#include "dataplane/antivirus/service/scanner_status.h"
#include "dataplane/control/event_loop.h"
#include "dataplane/control/listening_socket.h"
#include "result/result.h"

namespace masugata::dataplane {

// Control thread. One masugata-scand at a time: scanners of two would answer each other's objects,
// so a second one is turned away while the first is heard of.
class ScannerLink {
 public:
  static constexpr uint64_t kSilenceMs = 10'000;  // then the link is given up
  static constexpr uint64_t kTickMs = 1000;

  // `loop` outlives the link. `changed` is told what is worth a line of the log.
  using Report = std::function<void(bool problem, const std::string& text)>;
  ScannerLink(control::EventLoop& loop, Report report);
  ~ScannerLink();
  ScannerLink(const ScannerLink&) = delete;
  ScannerLink& operator=(const ScannerLink&) = delete;

  // Begins to listen, for this process's user and root only. Faults as ListeningSocket's.
  Status listen(const std::string& path);

  // From now on, and to whoever connects later. The descriptors stay the caller's and live as long
  // as the link; they do not change any more once they are given.
  void give_regions(std::vector<int> descriptors);
  void configure(const av::ScandSettings& settings);
  // The signatures are looked at again, also those that were refused. A fault without a scanner.
  Status reload();

  [[nodiscard]] bool listens() const noexcept { return socket_.has_value(); }
  [[nodiscard]] bool connected() const noexcept { return link_.has_value(); }
  // As last heard; nothing before the first time since it connected.
  [[nodiscard]] const std::optional<ScannerStatus>& status() const noexcept { return status_; }
  // How often it connected.
  [[nodiscard]] uint64_t connections() const noexcept { return connections_; }

 private:
  void accept();
  void hear();
  void obey(const av::Message& message);
  void note(const ScannerStatus& next);
  void greet();
  void send(const nlohmann::json& body, const std::vector<int>& descriptors = {});
  void disconnect(const std::string& reason);
  void watch_silence();

  control::EventLoop& loop_;
  Report report_;
  std::optional<control::ListeningSocket> socket_;
  std::optional<av::MessageSocket> link_;
  control::EventLoop::TimerId timer_ = 0;
  uint64_t heard_ms_ = 0;
  uint64_t connections_ = 0;
  std::vector<int> regions_;
  std::optional<av::ScandSettings> settings_;
  std::optional<ScannerStatus> status_;
};

}  // namespace masugata::dataplane
