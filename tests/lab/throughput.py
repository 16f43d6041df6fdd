#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Throughput through masugatad beside the kernel's forwarding with nftables doing the same job.

Both gateways are measured in turn, round after round in one run, because absolute figures of a
shared machine mean little; what counts is the ratio of the medians.
"""

import argparse
import json
import statistics
import sys
from pathlib import Path

from labkit.commands import LabError
from labkit.lab import Lab
from labkit.measure import MEASUREMENTS, throughput

KINDS = ("masugata", "kernel")


def measure(lab, kinds, rounds, seconds):
    """{measurement: {kind: [values]}}"""
    values = {name: {kind: [] for kind in kinds} for name in MEASUREMENTS}
    for turn in range(rounds):
        # The one that goes first changes, so that a drift of the machine favours nobody.
        for kind in kinds if turn % 2 == 0 else reversed(kinds):
            lab.use_gateway(kind)
            for name in MEASUREMENTS:
                values[name][kind].append(throughput(lab, name, seconds))
                print(".", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    return values


def summary(values):
    """Rows of name, unit and per kind the median and the spread, and the ratio where both are."""
    rows = []
    for name, by_kind in values.items():
        row = {"name": name, "unit": MEASUREMENTS[name][2], "kinds": {}}
        for kind, samples in by_kind.items():
            row["kinds"][kind] = {"median": statistics.median(samples), "least": min(samples),
                                  "most": max(samples), "samples": samples}
        if len(by_kind) == 2:
            mine, reference = (row["kinds"][kind]["median"] for kind in KINDS)
            row["ratio"] = mine / reference if reference else None
        rows.append(row)
    return rows


def table(rows, kinds):
    lines = [f"{'end to end in the lab':44}" + "".join(f"{kind + ' (least..most)':>28}"
                                                      for kind in kinds) + f"{'ratio':>8}"]
    for row in rows:
        line = f"{row['name'] + ', ' + row['unit']:44}"
        for kind in kinds:
            cell = row["kinds"][kind]
            line += f"{cell['median']:>10.0f} ({cell['least']:6.0f}..{cell['most']:6.0f})".rjust(28)
        ratio = row.get("ratio")
        lines.append(line + (f"{ratio:8.2f}" if ratio is not None else f"{'':>8}"))
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, help="write every sample here")
    parser.add_argument("--quick", action="store_true", help="one short round")
    parser.add_argument("--gateway", choices=KINDS, help="measure only one")
    arguments = parser.parse_args()
    kinds = (arguments.gateway,) if arguments.gateway else KINDS
    rounds, seconds = (1, 1) if arguments.quick else (5, 3)
    try:
        with Lab(kinds[0]) as lab:
            rows = summary(measure(lab, kinds, rounds, seconds))
    except LabError as error:
        sys.exit(f"throughput: {error}")
    except KeyboardInterrupt:
        sys.exit(130)
    if arguments.json:
        arguments.json.parent.mkdir(parents=True, exist_ok=True)
        arguments.json.write_text(json.dumps(
            {"rounds": rounds, "seconds": seconds, "results": rows}, indent=1), encoding="utf-8")
    print(table(rows, kinds))


if __name__ == "__main__":
    main()
