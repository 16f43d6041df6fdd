#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Many mixed objects through antivirus: does memory stay flat, do descriptors stay few?"""

import argparse
import dataclasses
import json
import sys
from pathlib import Path

from labkit.antivirus import Antivirus
from labkit.apart import live_apart
from labkit.commands import LabError
from labkit.lab import Lab
from labkit.soak import soak


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--objects", type=int, default=100_000)
    parser.add_argument("--seconds", type=int, default=1800, help="give up after so many")
    parser.add_argument("--quick", action="store_true", help="2,000 objects")
    parser.add_argument("--json", type=Path, help="write the report here")
    parser.add_argument("--clean", action="store_true", help="nothing infected among them")
    parser.add_argument("--apart", action="store_true", help="beside another lab that is in use")
    arguments = parser.parse_args()
    objects = 2000 if arguments.quick else arguments.objects
    try:
        if arguments.apart:
            live_apart()
        with Lab("masugata") as lab, Antivirus(lab) as av:
            report = soak(lab, av, objects, arguments.seconds, not arguments.clean)
    except LabError as error:
        sys.exit(f"antivirus_soak: {error}")
    except KeyboardInterrupt:
        sys.exit(130)
    if arguments.json:
        arguments.json.parent.mkdir(parents=True, exist_ok=True)
        arguments.json.write_text(json.dumps(dataclasses.asdict(report), indent=1), encoding="utf-8")
    print(f"{report.counts['objects']} objects in {report.seconds:.0f} s, {report.reloads} reloads, "
          f"{report.scanners_killed} scanners killed")
    print(", ".join(f"{what} {count}" for what, count in sorted(report.counts.items())))
    for who, before in report.after_warm_up.items():
        after = report.at_end[who]
        print(f"{who:12} private {before['private_kb']:>8} kB, then {after['private_kb']:>8} kB; "
              f"resident {before['resident_kb']:>8}, {after['resident_kb']:>8}; descriptors "
              f"{before['descriptors']}, {after['descriptors']}")
    print("clean ones that did not arrive:", report.explained())
    faults = report.faults()
    print("\n".join(f"fault: {fault}" for fault in faults))
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
