# SPDX-License-Identifier: GPL-2.0-or-later
"""What antivirus is tried with, made at run time: no file of the tree holds anything that a virus
scanner would find. Everything infected has a clean twin of the same shape."""

import base64
import hashlib
import io
import random
import tarfile
import zipfile
from pathlib import Path

TEST_FILES = Path("/usr/share/clamav-testfiles")
LARGE_BYTES = 30_000_000

# The test file that every scanner knows, written backwards.
EICAR = ("*H+H$!ELIF-TSET-SURIVITNA-DRADNATS-RACIE$"
         "}7)CC7)^P(45XZP\\4[PA@%P!O5X")[::-1].encode("ascii")
# What no scanner knows but by the lab's own signature, and something that takes one seconds.
LAB_MARK = b"masugata lab mark: this is not wanted"
LATER_MARK = b"another mark of the lab: not wanted from some time on"
# A text that is known by its digest only: with other line ends it is another one.
LISTED = b"".join(b"line %d of what the lab's list of digests has\n" % n for n in range(4000))
CLEAN = b"An ordinary file of the lab, as it came.\n" * 3


def signature(name, mark):
    return f"{name}:0:*:{mark.hex()}\n"


def write_signatures(folder):
    """Signatures for the marks, for a text, and for the program that is in every file of
    clamav-testfiles."""
    folder.mkdir(mode=0o755, parents=True, exist_ok=True)
    (folder / "lab.ndb").write_text(signature("Lab.Mark", LAB_MARK), encoding="ascii")
    known = {"Lab.Clam": (TEST_FILES / "clam.exe").read_bytes(), "Lab.Listed": LISTED}
    (folder / "lab.hsb").write_text("".join(
        f"{hashlib.sha256(content).hexdigest()}:{len(content)}:{name}:73\n"
        for name, content in known.items()), encoding="ascii")


def mail(attachment, name="attachment.bin"):
    """A mail with `attachment` in base64."""
    coded = base64.encodebytes(attachment).decode("ascii")
    return ("From: sender@example.org\r\nTo: reader@example.net\r\nSubject: a mail of the lab\r\n"
            "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=\"between\"\r\n\r\n"
            "--between\r\nContent-Type: text/plain\r\n\r\nSomething is attached.\r\n"
            f"--between\r\nContent-Type: application/octet-stream; name=\"{name}\"\r\n"
            "Content-Transfer-Encoding: base64\r\n"
            f"Content-Disposition: attachment; filename=\"{name}\"\r\n\r\n"
            + coded.replace("\n", "\r\n") + "--between--\r\n").encode("ascii")


def zipped(content, name="inside.txt"):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    return packed.getvalue()


def tarred(contents):
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for number, content in enumerate(contents):
            entry = tarfile.TarInfo(f"part-{number}")
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return packed.getvalue()


def slow_page():
    """A page that libclamav looks at for seconds."""
    number, parts = 1, ["<html><body>"]
    for _ in range(160_000):
        number = (number * 1664525 + 1013904223) % 2**32
        parts.append(f"<script>var a{number}='{number}';</script>")
    return "".join(parts).encode("ascii")


def write_samples(folder):
    """Into `folder`; returns {name: content} of everything that is served as it is."""
    folder.mkdir(mode=0o755)
    noise = random.Random(2).randbytes(LARGE_BYTES)
    text = "".join(f"line {n} of a clean text, {n * 7919 % 1009}\n" for n in range(6000))
    samples = {
        "eicar.com": EICAR, "clean.com": CLEAN,
        "eicar.zip": zipped(EICAR), "clean.zip": zipped(CLEAN),
        "eicar.zip.zip": zipped(zipped(EICAR), "a.zip"),
        "clean.zip.zip": zipped(zipped(CLEAN), "a.zip"),
        "marked.txt": text.encode() + LAB_MARK, "clean.txt": text.encode(),
        "listed.txt": LISTED, "listed-clean.txt": LISTED.replace(b"digests", b"nothing"),
        "large-marked.bin": noise[:-len(LAB_MARK)] + LAB_MARK, "large-clean.bin": noise,
        "large-eicar.tar": tarred([noise[:LARGE_BYTES - 40_000], EICAR]),
        "large-clean.tar": tarred([noise[:LARGE_BYTES - 40_000], CLEAN]),
        "later.txt": LATER_MARK, "slow.html": slow_page(),
    }
    for name, content in samples.items():
        (folder / name).write_bytes(content)
    return samples
