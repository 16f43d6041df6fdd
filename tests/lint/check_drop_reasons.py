# SPDX-License-Identifier: GPL-2.0-or-later
"""docs/drop-reasons.md lists every drop reason of the code, once, in the code's words and order."""

import re
from pathlib import Path

from sources import finish, read_text

CODE = Path("dataplane/pipeline/drop_reason.h")
PAGE = Path("docs/drop-reasons.md")
REASON = re.compile(r'^ *X\(\s*\w+\s*,\s*"([^"]+)"\s*,\s*"([^"]+)"\s*\)', re.MULTILINE)
ROW = re.compile(r"^\| `([^`]+)` \| ([^|]*) \|", re.MULTILINE)


def compare(code, page):
    """Complaints about `page` ((name, meaning) in order) as a list of the reasons in `code`."""
    if not code:
        return [f"{CODE}: no drop reasons found; has the macro changed?"]
    complaints = []
    meanings = dict(code)
    listed = [name for name, _ in page]
    for name, meaning in page:
        if name not in meanings:
            complaints.append(f"{PAGE}: {name} is no drop reason of {CODE}")
        elif meaning != meanings[name]:
            complaints.append(f"{PAGE}: {name}: '{meaning}' is not what the code says: "
                              f"'{meanings[name]}'")
    complaints += [f"{PAGE}: {name} is listed more than once"
                   for name in sorted(set(listed)) if listed.count(name) > 1]
    complaints += [f"{PAGE}: {name} is missing" for name, _ in code if name not in listed]
    if not complaints and listed != [name for name, _ in code]:
        complaints.append(f"{PAGE}: the order is not that of {CODE}")
    return complaints


def main():
    finish(compare(REASON.findall(read_text(CODE)), ROW.findall(read_text(PAGE))))


if __name__ == "__main__":
    main()
