#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Instructions per packet, counted by valgrind, against the figures in instructions.json.

    instruction_gate.py PROGRAM FIGURES [--record]

Fails when a packet costs more than the tolerance above its figure. --record writes what was
counted: after a change that is worth its instructions, or that saved some.
"""

import json
import os
import re
import subprocess
import sys
import tempfile

CASES = ("established", "established-nat", "new-nat")
COUNTED = "masugata::dataplane::Worker::process"
FEW, MANY = 256, 2304
TOLERANCE = 0.03


def instructions(program, case, packets):
    """Instructions of one run inside the packet path."""
    with tempfile.TemporaryDirectory() as folder:
        command = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={folder}/counts",
                   f"--toggle-collect={COUNTED}*", program, case, str(packets)]
        run = subprocess.run(command, capture_output=True, text=True, check=False,
                             env={**os.environ, "LC_ALL": "C"})
    counted = re.search(r"Collected : (\d+)", run.stderr)
    if run.returncode != 0 or counted is None:
        sys.exit(f"{' '.join(command)} failed:\n{run.stdout}{run.stderr}")
    return int(counted[1])


def per_packet(program, case):
    """What is the same in both runs cancels out: the sessions."""
    difference = instructions(program, case, MANY) - instructions(program, case, FEW)
    return difference / (MANY - FEW)


def main(program, figures_file, *options):
    counted = {case: round(per_packet(program, case), 1) for case in CASES}
    if "--record" in options:
        with open(figures_file, "w", encoding="utf-8") as file:
            json.dump(counted, file, indent=2)
            file.write("\n")
        return 0
    with open(figures_file, encoding="utf-8") as file:
        figures = json.load(file)
    failed = False
    for case, count in counted.items():
        limit = figures[case] * (1 + TOLERANCE)
        print(f"{case}: {count} instructions per packet, recorded {figures[case]}")
        if count > limit:
            print(f"  more than {TOLERANCE:.0%} above: find out why, or record it anew")
            failed = True
        elif count < figures[case] * (1 - TOLERANCE):
            print("  fewer than recorded: record it anew, so that the gain is kept")
    return 1 if failed else 0


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    sys.exit(main(*sys.argv[1:]))
