# SPDX-License-Identifier: GPL-2.0-or-later
"""Prints "PASSED FAILED" for a test run.

usage: count_results.py meson BUILD-DIRECTORY GTEST-RESULTS-DIRECTORY
       count_results.py junit FILE

A program that ends badly without a failed case in its report (a crash, a time-out) counts as one
failure, and so does a report that is missing or broken. Skipped cases count as neither.
"""

import json
import re
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path


def count_cases(path):
    """(passed, failed) of the test cases in a JUnit or gtest report."""
    try:
        cases = ElementTree.parse(path).getroot().iter("testcase")
    except (OSError, ElementTree.ParseError):
        return 0, 1
    passed = failed = 0
    for case in cases:
        kinds = {child.tag for child in case}
        if kinds & {"failure", "error"}:
            failed += 1
        elif "skipped" not in kinds and case.get("result", "completed") == "completed":
            passed += 1
    return passed, failed


def reports_of(program, name, build, results):
    """A gtest program's reports: by GTEST_OUTPUT (with _N when it ran several times), or where
    meson asks for it with protocol 'gtest'."""
    stem = re.escape(program)
    found = [path for path in results.glob("*.xml") if re.fullmatch(rf"{stem}(_\d+)?", path.stem)]
    own = build / f"{name}.xml"
    return found + ([own] if own.exists() else [])


def count_meson(build, results):
    log = build / "meson-logs" / "testlog.json"
    passed = failed = 0
    counted = set()
    try:
        entries = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    except (OSError, json.JSONDecodeError):
        return 0, 1
    for entry in entries:
        if entry["result"] == "SKIP":
            continue
        name = entry["name"].rsplit(" / ", 1)[-1]
        reports = reports_of(Path(entry["command"][0]).name, name, build, results)
        here_passed = here_failed = 0
        for report in reports:
            if report in counted:
                continue
            counted.add(report)
            good, bad = count_cases(report)
            here_passed += good
            here_failed += bad
        if entry["result"] not in ("OK", "EXPECTEDFAIL") and here_failed == 0:
            print(f"{name}: {entry['result']} without a failed case", file=sys.stderr)
            here_failed = 1
        elif not reports:
            here_passed = 1
        passed += here_passed
        failed += here_failed
    return passed, failed


def main():
    if sys.argv[1] == "meson":
        counts = count_meson(Path(sys.argv[2]), Path(sys.argv[3]))
    else:
        counts = count_cases(Path(sys.argv[2]))
        if counts == (0, 0):  # nothing could even begin
            counts = (0, 1)
    print(*counts)


if __name__ == "__main__":
    main()
