// SPDX-License-Identifier: GPL-2.0-or-later
#include "ids/protocols/ftp/ftp_form.h"

#include "ids/protocols/mime/line_reader.h"

namespace masugata::ids {

bool is_form_command(std::string_view command) noexcept {
  return command == "TYPE" || command == "STRU" || command == "MODE" || command == "REIN";
}

FtpForm form_after(FtpForm form, std::string_view command, std::string_view argument) noexcept {
  argument = argument.substr(0, argument.find_last_not_of(' ') + 1);
  if (command == "REIN") return {};
  if (command == "STRU") form.other_structure = !mime::equals(argument, "f");
  if (command == "MODE") form.other_mode = !mime::equals(argument, "s");
  if (command == "TYPE") {
    const bool image = mime::equals(argument, "i") || mime::equals(argument, "l 8");
    form.text = !image;
    // "A N", "A T", "A C"
    form.other_type = !image && !mime::equals(argument.substr(0, 1), "a");
  }
  return form;
}

FtpForm worse_of(FtpForm one, FtpForm other) noexcept {
  return {one.text || other.text, one.other_type || other.other_type,
          one.other_structure || other.other_structure, one.other_mode || other.other_mode};
}

}  // namespace masugata::ids
