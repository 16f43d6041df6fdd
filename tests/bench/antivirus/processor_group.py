# SPDX-License-Identifier: GPL-2.0-or-later
"""Processor time of programs with all that they start, also of what has ended: control groups."""

import contextlib
import os
import shutil
from pathlib import Path

NAME = "masugata-bench"


def hierarchy():
    """Where version 2 of control groups is mounted; None when it is not."""
    for place in (Path("/sys/fs/cgroup"), Path("/sys/fs/cgroup/unified")):
        if (place / "cgroup.controllers").exists():
            return place
    return None


def descendants(pid):
    """`pid` and all that it started and that still runs."""
    found, waiting = [], [pid]
    while waiting:
        process = waiting.pop()
        found.append(process)
        for children in Path(f"/proc/{process}/task").glob("*/children"):
            with contextlib.suppress(OSError):
                waiting.extend(int(word) for word in children.read_text(encoding="ascii").split())
    return found


class ProcessorGroup:
    """One group. Use as a context manager; whatever is still in it goes back where it was."""

    def __init__(self, name):
        place = hierarchy()
        if place is None:
            raise OSError("version 2 of control groups is not mounted")
        self.root = place
        self.folder = place / f"{NAME}-{os.getpid()}-{name}"

    def __enter__(self):
        self.folder.mkdir()
        return self

    def __exit__(self, *unused):
        for word in (self.folder / "cgroup.procs").read_text(encoding="ascii").split():
            with contextlib.suppress(OSError):
                (self.root / "cgroup.procs").write_text(word, encoding="ascii")
        with contextlib.suppress(OSError):
            self.folder.rmdir()

    def take(self, pid):
        for process in descendants(pid):
            with contextlib.suppress(ProcessLookupError):
                (self.folder / "cgroup.procs").write_text(str(process), encoding="ascii")

    def seconds(self):
        for line in (self.folder / "cpu.stat").read_text(encoding="ascii").splitlines():
            name, value = line.split()
            if name == "usage_usec":
                return int(value) / 1e6
        raise OSError(f"{self.folder}/cpu.stat says nothing of usage_usec")


def wanted(programs):
    """Those of the programs that are not installed."""
    return [name for name in programs
            if shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin") is None]
