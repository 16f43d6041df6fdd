# SPDX-License-Identifier: GPL-2.0-or-later
"""Where keys are: in a process's memory, and in files."""

import base64
import re
from pathlib import Path

from .charon_pair import touched_pages

# What dd among the flags of a mapping says: it is left out of core dumps.
NOT_DUMPED = "dd"


def keys_of(machine):
    """Every key of the machine's kernel's SAs, as bytes, and without the salt that AEADs have behind it."""
    listed = machine.run(["ip", "xfrm", "state"]).stdout
    keys = set()
    for kind, digits in re.findall(r"(aead|auth-trunc|auth|enc) \S+ 0x([0-9a-f]+)", listed):
        key = bytes.fromhex(digits)
        keys.add(key[:-4] if kind == "aead" else key)
    return keys


def forms(key):
    """As a key may be written, with the key itself."""
    digits = key.hex()
    return {key, digits.encode(), digits.upper().encode(), base64.b64encode(key).rstrip(b"=")[:-1],
            ":".join(re.findall("..", digits)).encode(), " ".join(re.findall("..", digits)).encode()}


def files_with(folders, keys, left_out=()):
    """Files that hold a key in any form, but for those in folders that are left out."""
    needles = set().union(*(forms(key) for key in keys))
    found = []
    for file in (file for folder in folders for file in Path(folder).rglob("*")):
        if file.is_file() and not file.is_symlink() and not set(left_out) & set(file.parents):
            content = file.read_bytes()
            if any(needle in content for needle in needles):
                found.append(str(file))
    return found


def mappings_with(pid, keys):
    """[(first line of a mapping as /proc has it, its flags)] of what holds the beginning of a key."""
    flags = dict(_flags_of_mappings(pid))
    starts = {key[:16] for key in keys}
    found = set()
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        for first, last in touched_pages(pid):
            memory.seek(first)
            content = memory.read(last - first)
            if any(start in content for start in starts):
                found |= {(line, words) for (begin, end, line), words in flags.items()
                          if begin <= first < end}
    return found


def _flags_of_mappings(pid):
    place = None
    for line in Path(f"/proc/{pid}/smaps").read_text(encoding="utf-8").splitlines():
        if match := re.match(r"([0-9a-f]+)-([0-9a-f]+) ", line):
            place = (int(match[1], 16), int(match[2], 16), line)
        elif line.startswith("VmFlags:"):
            yield place, line.removeprefix("VmFlags:")
