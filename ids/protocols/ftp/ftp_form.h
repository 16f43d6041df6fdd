// SPDX-License-Identifier: GPL-2.0-or-later
// How the bytes of files are written on FTP's data connections (RFC 959 section 3), as the control
// connection says it.
#pragma once

#include <string_view>

namespace masugata::ids {

struct FtpForm {
  bool text = true;  // TYPE A, which a server begins with; else TYPE I
  bool other_type = false;
  bool other_structure = false;  // than STRU F
  bool other_mode = false;       // than MODE S
  // A file is not what the bytes are, but for its line ends.
  [[nodiscard]] bool coded() const noexcept { return other_type || other_structure || other_mode; }
};

// TYPE, STRU, MODE and REIN. `command` in upper case.
[[nodiscard]] bool is_form_command(std::string_view command) noexcept;
// What holds once the server has agreed to such a command. What is not known is another form.
[[nodiscard]] FtpForm form_after(FtpForm form, std::string_view command,
                                 std::string_view argument) noexcept;
// Everything that either of them has to be taken into account for.
[[nodiscard]] FtpForm worse_of(FtpForm one, FtpForm other) noexcept;

}  // namespace masugata::ids
