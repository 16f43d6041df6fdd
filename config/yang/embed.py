#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Writes a C++ source that holds the YANG modules, so that the programs need no files at run time.

usage: embed.py OUTPUT MODULE.yang...
"""
import pathlib
import sys


def main() -> None:
    output = pathlib.Path(sys.argv[1])
    lines = [
        "// Generated from config/yang/ by embed.py.",
        '#include "config/schema/embedded_modules.h"',
        "",
        "namespace masugata::config::schema {",
        "",
        "std::span<const EmbeddedModule> embedded_modules() {",
        "  static constexpr EmbeddedModule kModules[] = {",
    ]
    for argument in sys.argv[2:]:
        path = pathlib.Path(argument)
        text = path.read_text(encoding="utf-8")
        if ')yang"' in text:
            sys.exit(f"{path}: holds the end mark of the raw string")
        lines.append(f'    {{"{path.stem}", R"yang({text})yang"}},')
    lines += ["  };", "  return kModules;", "}", "", "}  // namespace masugata::config::schema", ""]
    output.write_text("\n".join(lines), encoding="utf-8")


main()
