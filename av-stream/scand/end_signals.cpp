// SPDX-License-Identifier: GPL-2.0-or-later
#include "av-stream/scand/end_signals.h"

#include <signal.h>

#include <atomic>

namespace masugata::av {
namespace {

std::atomic<int> g_asked{0};
static_assert(std::atomic<int>::is_always_lock_free);

}  // namespace

void note_end_signals() noexcept {
  struct sigaction action {};
  action.sa_handler = [](int number) { g_asked = number; };
  action.sa_flags = SA_RESTART;
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) {
    struct sigaction before {};
    sigaction(number, nullptr, &before);
    if (before.sa_handler != SIG_IGN) sigaction(number, &action, nullptr);
  }
}

bool end_was_asked() noexcept { return g_asked != 0; }

int end_as_asked(int status) noexcept {
  const int number = g_asked;
  if (number == 0) return status;
  signal(number, SIG_DFL);
  raise(number);
  return 128 + number;
}

}  // namespace masugata::av
