# SPDX-License-Identifier: GPL-2.0-or-later
"""Every source says its licence first; no file names a path of somebody's machine; no line ends
in blanks."""

import re

from sources import finish, project_files, read_text

LICENCE = "SPDX-License-Identifier: GPL-2.0-or-later"
NEEDS_LICENCE = (".h", ".cpp", ".c", ".py", ".sh", ".build", ".nft", "dev", "run")
# Home directories and the like; "/home" alone, as in a page about file systems, is fine.
MACHINE_PATH = re.compile(r"(?<![\w./<])/(?:home|root|work|Users|builds)/[\w.]")


def main():
    complaints = []
    for path in project_files():
        text = read_text(path)
        if text is None:
            continue
        if path.parts[:3] == ("tests", "fuzz", "corpus"):
            continue
        if path.suffix in NEEDS_LICENCE or path.name in NEEDS_LICENCE:
            if not any(LICENCE in line for line in text.splitlines()[:3]):
                complaints.append(f"{path}:1: the first line must say {LICENCE}")
        for number, line in enumerate(text.splitlines(), 1):
            if MACHINE_PATH.search(line):
                complaints.append(f"{path}:{number}: names a path of one machine")
            if line != line.rstrip() and path.suffix in NEEDS_LICENCE:
                complaints.append(f"{path}:{number}: blanks at the end of the line")
    finish(complaints)


if __name__ == "__main__":
    main()
