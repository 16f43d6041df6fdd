# SPDX-License-Identifier: GPL-2.0-or-later
"""What antivirus is tried with, made at run time: no file of the tree holds anything that a virus
scanner would find. Everything infected has a clean twin of the same shape."""

import gzip
import hashlib
import io
import random
import tarfile
import zipfile
import zlib
from pathlib import Path

from .commands import run

TEST_FILES = Path("/usr/share/clamav-testfiles")
LARGE_BYTES = 30_000_000

# The test file that every scanner knows, written backwards.
EICAR = ("*H+H$!ELIF-TSET-SURIVITNA-DRADNATS-RACIE$"
         "}7)CC7)^P(45XZP\\4[PA@%P!O5X")[::-1].encode("ascii")
# What no scanner knows but by the lab's own signature, and something that takes one seconds.
LAB_MARK = b"masugata lab mark: this is not wanted"
LATER_MARK = b"another mark of the lab: not wanted from some time on"
CLEAN = b"An ordinary file of the lab, as it came.\n" * 3

ENCODINGS = ("gzip", "deflate", "br", "zstd", "gzip, br")


def signature(name, mark):
    return f"{name}:0:*:{mark.hex()}\n"


def write_signatures(folder):
    """Signatures for the marks and for the program that is in every file of clamav-testfiles."""
    folder.mkdir(mode=0o755, parents=True, exist_ok=True)
    (folder / "lab.ndb").write_text(signature("Lab.Mark", LAB_MARK), encoding="ascii")
    program = TEST_FILES / "clam.exe"
    content = program.read_bytes()
    (folder / "lab.hsb").write_text(
        f"{hashlib.sha256(content).hexdigest()}:{len(content)}:Lab.Clam:73\n", encoding="ascii")


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


def encoded(content, codings, folder):
    """As an HTTP body with this Content-Encoding: the codings in the order in which they were
    applied."""
    for coding in codings.split(", "):
        if coding == "gzip":
            content = gzip.compress(content, mtime=0)
        elif coding == "deflate":
            content = zlib.compress(content)
        else:
            program = {"br": ["brotli", "--stdout"], "zstd": ["zstd", "-q", "--stdout"]}[coding]
            source = folder / "to-encode"
            target = folder / "was-encoded"
            source.write_bytes(content)
            run(["sh", "-c", f"{' '.join(program)} '{source}' > '{target}'"])
            content = target.read_bytes()
            source.unlink()
            target.unlink()
    return content


def slow_page():
    """A page that libclamav looks at for seconds."""
    number, parts = 1, ["<html><body>"]
    for _ in range(160_000):
        number = (number * 1664525 + 1013904223) % 2**32
        parts.append(f"<script>var a{number}='{number}';</script>")
    return "".join(parts).encode("ascii")


def folder_of(coding):
    return "coded-" + coding.replace(", ", "-")


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
        "large-marked.bin": noise[:-len(LAB_MARK)] + LAB_MARK, "large-clean.bin": noise,
        "large-eicar.tar": tarred([noise[:LARGE_BYTES - 40_000], EICAR]),
        "large-clean.tar": tarred([noise[:LARGE_BYTES - 40_000], CLEAN]),
        "later.txt": LATER_MARK, "slow.html": slow_page(),
    }
    for name, content in samples.items():
        (folder / name).write_bytes(content)
    for coding in ENCODINGS:
        below = folder / folder_of(coding)
        below.mkdir(mode=0o755)
        for name in ("eicar.com", "eicar.zip", "marked.txt", "clean.com", "clean.zip", "clean.txt"):
            (below / name).write_bytes(encoded(samples[name], coding, folder))
    if TEST_FILES.is_dir():
        (folder / "testfiles").symlink_to(TEST_FILES)
    return samples
