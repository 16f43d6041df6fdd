# SPDX-License-Identifier: GPL-2.0-or-later
"""A lab beside another one on the same machine."""

import ctypes
import os
from pathlib import Path

from .commands import RUN_DIRECTORY, LabError, run

CLONE_NEWNS = 0x00020000


def live_apart():
    """From here on the names of network namespaces, the lab's records and its lock are those of this
    process and of its children alone. Their processors are everybody's still: nothing to measure
    with."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNS) != 0:
        raise LabError(f"unshare: {os.strerror(ctypes.get_errno())}")
    run(["mount", "--make-rprivate", "/"])
    for folder in (Path("/run/netns"), RUN_DIRECTORY):
        folder.mkdir(mode=0o755, parents=True, exist_ok=True)
        run(["mount", "-t", "tmpfs", "-o", "mode=755", "apart", folder])
