# SPDX-License-Identifier: GPL-2.0-or-later
"""Support archives, and the secrets of a tunnel that must not be in one."""

import base64
import hashlib
import json
import re
import tarfile

from .key_search import forms

PEM_BODY = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----\n(.*?)-----END", re.S)
# What stands before the number in PKCS #8 (RFC 5915: version 1, then 32 bytes). 48 bytes are a line.
KEY_ON_P256 = bytes.fromhex("0201010420")
# As charon tells them at the highest level: a title, then lines of at most 16 bytes.
TOLD = re.compile(r"\[(?:IKE|CHD)\d?\] (?P<name>[^\n]*?(?:secret|SKEYSEED|key)[^\n]*?) => "
                  r"(?P<size>\d+) bytes @ \S+\n(?P<lines>(?:[^\n]*\[(?:IKE|CHD)\d?\] +\d+: [^\n]*\n)+)")


def make(gateway, path):
    """Makes one; what the command says of it."""
    path.unlink(missing_ok=True)
    summary = json.loads(gateway.command("--json", "request", "support", "archive", path).stdout)
    assert summary["file"] == str(path)
    assert summary["bytes"] == path.stat().st_size
    assert summary["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert path.stat().st_mode & 0o7777 == 0o600
    return summary


def unpack(path):
    """{name: content}"""
    with tarfile.open(path, "r:gz") as archive:
        members = archive.getmembers()
        assert all(member.isfile() and member.mode == 0o600 for member in members)
        return {member.name.removeprefix("masugata-support/"): archive.extractfile(member).read()
                for member in members}


def files_of_archive_with(content, secrets):
    """Names of the unpacked files that hold a secret in any form."""
    needles = set().union(*(forms(secret) for secret in secrets))
    return sorted(name for name, text in content.items()
                  if any(needle in text for needle in needles))


def secrets_of_keys(folder):
    """What private keys on the curve P-256 are recognised by: the number itself, and that part of the
    file's text that has nothing but it. The rest of the file is public."""
    found = set()
    for file in folder.rglob("*.pem"):
        for body in PEM_BODY.findall(file.read_text(encoding="ascii")):
            key = base64.b64decode(body)
            if KEY_ON_P256 in key:
                begin = key.index(KEY_ON_P256) + len(KEY_ON_P256)
                found.add(key[begin:begin + 32])
                found.add(body.split()[1][:(begin + 32 - 48) // 3 * 4].encode())
    return found


def keys_told(log):
    """{name: {keys}} of what charon's log has at level 4 of ike and chd."""
    found = {}
    for match in TOLD.finditer(log):
        digits = "".join("".join(re.match(r" *\d+: ((?:[0-9A-F]{2} ?)+)", line)[1].split())
                         for line in re.findall(r"\] +(\d+: [^\n]*)\n", match["lines"]))
        key = bytes.fromhex(digits[:2 * int(match["size"])])
        if len(key) >= 16:
            # AEADs have a salt of four bytes behind the key, which is kept apart from it.
            bare = {key[:-4]} if len(key) % 8 == 4 else set()
            found.setdefault(match["name"], set()).update({key} | bare)
    return found
