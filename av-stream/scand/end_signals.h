// SPDX-License-Identifier: GPL-2.0-or-later
// How a program at a terminal ends when it is asked to: after it has tidied up, and by the signal
// that asked, so that the shell that called it sees why (exit status 130 of Ctrl-C, 143 of
// SIGTERM).
#pragma once

namespace masugata::av {

// From now on SIGINT, SIGTERM and SIGHUP are only noted. Those that are ignored stay so (nohup).
// Thread: before there are others.
void note_end_signals() noexcept;
// Whether one came. Thread: any.
[[nodiscard]] bool end_was_asked() noexcept;
// The last of what a program does: ends it by the signal that came; else gives `status`.
[[nodiscard]] int end_as_asked(int status) noexcept;

}  // namespace masugata::av
