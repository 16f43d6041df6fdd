#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Replays every capture of a suite and validates each event against the schema.

    validate_eve.py SUITE_DIR --binary PATH --schema FILE"""

import argparse
import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import jsonschema
from suite import Unsupported, command_of, read_expectations

EVERYTHING = ["--eve-payload", "--eve-payload-printable", "--eve-packet", "--eve-community-id"]


def events_of(expectation, suite, binary):
    """The events of one test; raises ValueError for a line that is no JSON."""
    command, _ = command_of(expectation, suite, binary)
    command.remove("--json")
    finished = subprocess.run([*command, "--eve", "-", *EVERYTHING], capture_output=True,
                              text=True, check=False)
    return [json.loads(line) for line in finished.stdout.splitlines()]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("suite", type=Path)
    parser.add_argument("--binary", type=Path, required=True)
    parser.add_argument("--schema", type=Path, required=True)
    arguments = parser.parse_args()
    validator = jsonschema.Draft7Validator(json.loads(arguments.schema.read_text()))
    suite = arguments.suite.resolve()
    complaints = []
    seen = Counter()
    for expectation in read_expectations(suite):
        try:
            events = events_of(expectation, suite, arguments.binary.resolve())
        except Unsupported:
            continue
        except ValueError as trouble:
            complaints.append(f"{expectation.name}: {trouble}")
            continue
        for event in events:
            seen[event.get("event_type")] += 1
            complaints += [f"{expectation.name}: {fault.json_path}: {fault.message}"
                           for fault in validator.iter_errors(event)]
    print("\n".join(complaints[:50]))
    print(f"{sum(seen.values())} events, {len(complaints)} faults:", dict(seen))
    return 1 if complaints or not seen else 0


if __name__ == "__main__":
    sys.exit(main())
