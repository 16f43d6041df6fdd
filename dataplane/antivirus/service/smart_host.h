// SPDX-License-Identifier: GPL-2.0-or-later
// Hands mails to a smart host by SMTP, in a thread of its own.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <thread>

#include "dataplane/antivirus/service/notices.h"

namespace masugata::dataplane {

struct SmartHostCounts {
  uint64_t sent = 0;
  uint64_t failed = 0;  // given up, or no room to wait
  uint64_t waiting = 0;
  std::string problem;  // of the last try; empty after one that went well
};

// Any thread. Mails wait in memory: a restart forgets them.
class SmartHost {
 public:
  static constexpr size_t kMaximumWaiting = 256;
  static constexpr int kTries = 3;
  static constexpr long kSecondsPerTry = 30;

  // `retry_ms`: between two tries of a mail.
  explicit SmartHost(uint64_t retry_ms = 60'000);
  // Without sending what waits; ends the try under way within about a second.
  ~SmartHost();
  SmartHost(const SmartHost&) = delete;
  SmartHost& operator=(const SmartHost&) = delete;

  // For mails that are tried from now on; when it is another way, a mail that waits for its next
  // try does not wait any longer.
  void configure(const config::AvNotices& settings);
  // False, and counted: too many wait.
  bool send(NoticeMail mail);
  [[nodiscard]] SmartHostCounts counts() const;

 private:
  void work();

  const uint64_t retry_ms_;
  mutable std::mutex lock_;  // of what follows
  std::condition_variable changed_;
  std::deque<NoticeMail> waiting_;
  SmartHostCounts counts_;
  config::AvNotices settings_;
  uint64_t ways_ = 0;               // how often another one was configured
  std::atomic<bool> stop_ = false;  // changed under the lock
  std::thread thread_;
};

}  // namespace masugata::dataplane
