#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Validates each line that a program writes against the schema of events.

    validate_events.py --schema FILE PROGRAM"""

import argparse
import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import jsonschema


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("program", type=Path)
    parser.add_argument("--schema", type=Path, required=True)
    arguments = parser.parse_args()
    validator = jsonschema.Draft7Validator(json.loads(arguments.schema.read_text()))
    output = subprocess.run([arguments.program], capture_output=True, text=True, check=True).stdout
    events = [json.loads(line) for line in output.splitlines()]
    complaints = [f"{fault.json_path}: {fault.message}: {json.dumps(event)[:500]}"
                  for event in events for fault in validator.iter_errors(event)]
    print("\n".join(complaints[:50]))
    print(f"{len(events)} events, {len(complaints)} faults:",
          dict(Counter(event["event_type"] for event in events)))
    return 1 if complaints or not events else 0


if __name__ == "__main__":
    sys.exit(main())
