# SPDX-License-Identifier: GPL-2.0-or-later
"""Every link of a Markdown page leads to a file of the project, and to a heading that it has."""

import os
import re
from pathlib import Path

from sources import ROOT, finish, project_files, read_text

LINK = re.compile(r"\[[^\]\n]*\]\(([^)\s]+)\)")
CODE = re.compile(r"^(```|~~~).*?^\1|^ {4}\S[^\n]*$|`[^`\n]*`", re.DOTALL | re.MULTILINE)
HEADING = re.compile(r"^#{1,6} +(.+?) *$", re.MULTILINE)
FENCE = re.compile(r"^(```|~~~).*?^\1", re.DOTALL | re.MULTILINE)


def anchors_of(text):
    """The anchors that a heading gets: lower case, words joined by '-', no punctuation."""
    headings = HEADING.findall(FENCE.sub("", text))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def complaints_about(page, text):
    for match in LINK.finditer(CODE.sub(lambda code: re.sub(r"[^\n]", " ", code.group()), text)):
        target, _, anchor = match.group(1).partition("#")
        place = f"{page}:{text.count(chr(10), 0, match.start()) + 1}"
        if re.match(r"[a-z]+:", target):
            continue
        if target.startswith("/"):
            yield f"{place}: {target} is not relative"
            continue
        path = Path(os.path.normpath(page.parent / target)) if target else page
        if not (ROOT / path).exists():
            yield f"{place}: {path} does not exist"
        elif anchor and path.suffix == ".md" and anchor not in anchors_of(read_text(path)):
            yield f"{place}: {path} has no heading for #{anchor}"


def main():
    complaints = []
    for page in project_files(".md"):
        complaints += complaints_about(page, read_text(page))
    finish(complaints)


if __name__ == "__main__":
    main()
