# SPDX-License-Identifier: GPL-2.0-or-later
"""Arrows point down only: which component may include which (ARCHITECTURE.md), and who may
include DPDK directly."""

import re
from pathlib import Path

from sources import ROOT, finish, project_files, read_text

ALLOWED = {
    "result": {"result"},
    "net": {"net", "result"},
    "config": {"config", "net", "result"},
    "ids": {"ids", "config", "net", "result"},
    "av-stream": {"av-stream", "config", "net", "result"},
    "ipsec": {"ipsec", "config", "net", "result"},
    "dataplane": {"dataplane", "ids", "av-stream", "ipsec", "config", "net", "result"},
    "mgmt-cli": {"mgmt-cli", "ipsec", "config", "net", "result"},
}
DPDK_ALLOWED = ("dataplane", "ipsec/esp", "tests")
# Besides its component, a test may know the tools of the tests.
IS_TEST = re.compile(r"(^|_)test(_|\.)")
INCLUDE = re.compile(r'^\s*#\s*include\s*(["<])([^">]+)[">]', re.MULTILINE)


def complaints_about(path, text):
    component = path.parts[0]
    for match in INCLUDE.finditer(text):
        quote, target = match.groups()
        place = f"{path}:{text.count(chr(10), 0, match.start()) + 1}"
        if target.startswith("rte_") and not str(path).startswith(DPDK_ALLOWED):
            yield f"{place}: DPDK's {target} belongs in {' and '.join(DPDK_ALLOWED)} only"
        if quote == "<" or component not in ALLOWED:
            continue
        if "/" not in target or not (ROOT / target).parent.is_dir():
            yield f"{place}: \"{target}\" is not a path from the root of the project"
            continue
        allowed = ALLOWED[component] | ({"tests"} if IS_TEST.search(path.name) else set())
        if Path(target).parts[0] not in allowed:
            yield f"{place}: {component}/ must not know {Path(target).parts[0]}/ ({target})"


def main():
    complaints = []
    for path in project_files(".h", ".cpp", ".c"):
        complaints += complaints_about(path, read_text(path))
    finish(complaints)


if __name__ == "__main__":
    main()
