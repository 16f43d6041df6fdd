# SPDX-License-Identifier: GPL-2.0-or-later
"""What the matrix of antivirus carries: EICAR, a marked text, every file of clamav-testfiles, and of
each a clean twin of the same size; and the folders in which web servers offer them."""

import gzip
import random
import zlib
from dataclasses import dataclass

from . import virus_samples as samples
from .commands import run

# folder -> (Content-Encoding, codings in the order in which they are applied)
CODINGS = {
    "coded-gzip": ("gzip", ("gzip",)),
    "coded-deflate": ("deflate", ("zlib",)),
    "coded-raw-deflate": ("deflate", ("raw-deflate",)),
    "coded-br": ("br", ("br",)),
    "coded-zstd": ("zstd", ("zstd",)),
    "coded-gzip-br": ("gzip, br", ("gzip", "br")),
    "coded-gzip-gzip": ("gzip, gzip", ("gzip", "gzip")),
    "coded-br-zstd": ("br, zstd", ("br", "zstd")),
}
PLAIN, ZIPPED = "plain", "zipped"
LARGE_BYTES = 1_000_000
# Of forms that say more of a protocol than of a file.
SOME = ("eicar.com", "marked.txt", "clam.exe", "clam.zip", "clam.7z", "clam.pdf", "clam.mail",
        "clam-upx.exe", "clam.ea05.exe")
# As deep as libclamav goes already: packed once more, it is refused for its depth.
DEEP = ("clam_cache_emax.tgz",)


@dataclass(frozen=True)
class Item:
    name: str
    content: bytes
    infected: bool

    @property
    def original(self):
        return self.name.removeprefix("clean-")

    @property
    def is_large(self):
        return len(self.content) > LARGE_BYTES

    @property
    def is_some(self):
        return self.original in SOME


def twin_of(name, content):
    """Clean bytes of the same number: half of them text, half noise."""
    chance = random.Random(name)
    text = "".join(f"line {n} of {name}, {chance.randrange(1000)}\n"
                   for n in range(len(content) // 40 + 1)).encode("ascii")
    half = len(content) // 2
    return text[:half] + chance.randbytes(len(content) - half)


def make_items():
    text = "".join(f"line {n} of a text, {n * 7919 % 1009}\n" for n in range(6000)).encode()
    infected = {"eicar.com": samples.EICAR, "marked.txt": text + samples.LAB_MARK}
    infected.update((file.name, file.read_bytes()) for file in sorted(samples.TEST_FILES.iterdir()))
    items = []
    for name, content in infected.items():
        items.append(Item(name, content, True))
        items.append(Item(f"clean-{name}", twin_of(name, content), False))
    return items


def _deflated(content, coding):
    if coding == "gzip":
        return gzip.compress(content, mtime=0)
    packer = zlib.compressobj(wbits=zlib.MAX_WBITS if coding == "zlib" else -zlib.MAX_WBITS)
    return packer.compress(content) + packer.flush()


def encode_folder(source, target, coding):
    """Every file of `source`, encoded, under its name into `target`."""
    target.mkdir(mode=0o755)
    files = sorted(source.iterdir())
    if coding == "br":
        run(["brotli", "-q", "5", "-k", "-S", ".encoded", *files], timeout_s=60)
    elif coding == "zstd":
        run(["zstd", "-q", "--output-dir-flat", target, *files], timeout_s=60)
    for file in files:
        if coding == "br":
            file.with_name(f"{file.name}.encoded").rename(target / file.name)
        elif coding == "zstd":
            (target / f"{file.name}.zst").rename(target / file.name)
        else:
            (target / file.name).write_bytes(_deflated(file.read_bytes(), coding))


def write_folders(items, content):
    """One folder per way in which a web server offers the items."""
    for folder in (PLAIN, ZIPPED):
        (content / folder).mkdir(mode=0o755)
    for item in items:
        (content / PLAIN / item.name).write_bytes(item.content)
        (content / ZIPPED / item.name).write_bytes(samples.zipped(item.content, item.name))
    made = {(): content / PLAIN}
    for folder, (_, codings) in CODINGS.items():
        source = made.get(codings[:-1])
        if source is None:
            source = content / f"made-{'-'.join(codings[:-1])}"
            encode_folder(content / PLAIN, source, codings[0])
        encode_folder(source, content / folder, codings[-1])
        made[codings] = content / folder
