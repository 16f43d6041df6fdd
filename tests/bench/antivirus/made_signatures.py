#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""usage: made_signatures.py FOLDER [COUNT]

Writes a made-up set of signatures, 1,000,000 unless said, of the kinds and shares that public sets
have: 60 % MD5 sums of files, 20 % of sections of programs, 10 % SHA-256 sums, 8 % bodies, 2 % logical
ones. The same in every run; nothing real is found by any of them."""

import random
import sys
from pathlib import Path

SHARES = {"hdb": 600, "mdb": 200, "hsb": 110, "ndb": 89, "ldb": 1}
# What a signature is compared with: any file, programs, documents, pages, mails, ELF, text.
TARGETS = {0: 30, 1: 45, 2: 4, 3: 8, 4: 2, 6: 5, 7: 6}
LOGICAL_TARGETS = {0: 12, 1: 40, 2: 12, 3: 12, 6: 12, 7: 12}
TEXT_TARGETS = (3, 4, 7)
WORDS = ("document.write(", "eval(unescape(", "<iframe width=", "function ", "var ", "window.open",
         "fromcharcode", "http://", "powershell -w hidden ", "cmd.exe /c ", "wscript.shell")
# What is looked for to see that something scans; kMark in made_objects.h.
MARK = "masugata measurement mark: this is not wanted"
LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789_"


class Maker:
    def __init__(self):
        self.random = random.Random(7)

    def sum_of(self, size):
        return self.random.randbytes(size).hex()

    def one_of(self, targets):
        return self.random.choices(list(targets), targets.values())[0]

    def text(self, length):
        parts, have = [], 0
        while have < length:
            word = self.random.choice(WORDS) + "".join(self.random.choices(LETTERS, k=9))
            parts.append(word)
            have += len(word)
        return "".join(parts)[:length].encode("ascii").hex()

    def body(self, target):
        length = self.random.randint(24, 80)
        pattern = self.text(length) if target in TEXT_TARGETS else self.sum_of(length)
        if self.random.random() < 0.25:
            cut = 2 * self.random.randint(10, length - 10)
            gap = self.random.choice(("*", "{4-32}", "{-128}", "????"))
            pattern = pattern[:cut] + gap + pattern[cut:]
        return pattern

    def offset(self, target):
        chance = self.random.random()
        if target == 1 and chance < 0.25:
            return f"EP+{self.random.randint(0, 64)}"
        if target in (1, 6) and chance < 0.35:
            return str(self.random.randint(0, 4096))
        return "*"

    def line(self, kind, number):
        size = self.random.randint(300, 3_000_000)
        if kind == "hdb":
            return f"{self.sum_of(16)}:{size}:Made.Sum-{number}"
        if kind == "mdb":
            return f"{(size // 512 + 1) * 512}:{self.sum_of(16)}:Made.Section-{number}"
        if kind == "hsb":
            return f"{self.sum_of(32)}:{size}:Made.Long-{number}:73"
        target = self.one_of(TARGETS if kind == "ndb" else LOGICAL_TARGETS)
        if kind == "ndb":
            return f"Made.Body-{number}:{target}:{self.offset(target)}:{self.body(target)}"
        parts = [self.body(target) for _ in range(self.random.randint(2, 4))]
        every = "&".join(str(index) for index in range(len(parts)))
        return f"Made.Logical-{number};Engine:81-255,Target:{target};{every};{';'.join(parts)}"


def main():
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    folder = Path(sys.argv[1])
    count = int(sys.argv[2]) if len(sys.argv) == 3 else 1_000_000
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "mark.ndb").write_text(f"Made.Mark:0:*:{MARK.encode('ascii').hex()}\n",
                                     encoding="ascii")
    maker = Maker()
    for kind, share in SHARES.items():
        with open(folder / f"made.{kind}", "w", encoding="ascii") as file:
            for number in range(count * share // 1000):
                file.write(maker.line(kind, number) + "\n")


if __name__ == "__main__":
    main()
