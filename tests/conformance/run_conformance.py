#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs a suite of captures with rules through masugata-replay and compares the alerts of each
signature with those that are expected.

    run_conformance.py SUITE_DIR [--binary PATH] [--only GLOB] [--report FILE]

SUITE_DIR holds tests in the layout of the public suricata-verify suite and expected-alerts.jsonl: one
object a line with name, pcap, rules, args, labels, alerts (signature id to number) and drops. A
test passes when alerts are the same for every signature, and drops too where the test counts them.
It is unsupported when a rule of it did not load because a keyword is not supported, or when it asks
for a setting that is not there; everything else is a failure."""

import argparse
import fnmatch
import json
import os
import subprocess
import sys
from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

from suite import Unsupported, command_of, counts_drops, read_configuration, read_expectations

SECONDS_PER_TEST = 60
OUTCOMES = ("pass", "fail", "unsupported")


@dataclass
class Outcome:
    name: str
    labels: list
    outcome: str  # one of OUTCOMES
    reason: str = ""


def compare(expectation, summary, with_drops):
    """What differs, as words; empty when nothing does."""
    alerts = {int(sid): count for sid, count in summary["alerts"].items()}
    differences = []
    for sid in sorted(set(alerts) | set(expectation.alerts)):
        got, wanted = alerts.get(sid, 0), expectation.alerts.get(sid, 0)
        if got != wanted:
            differences.append(f"sid {sid}: {got} instead of {wanted}")
    if with_drops and summary["drops"] != expectation.drops:
        differences.append(f"drops: {summary['drops']} instead of {expectation.drops}")
    return "; ".join(differences)


def run_test(expectation, suite, binary):
    outcome = Outcome(expectation.name, expectation.labels, "fail")
    try:
        command, left_out = command_of(expectation, suite, binary)
    except Unsupported as lack:
        outcome.outcome, outcome.reason = "unsupported", str(lack)
        return outcome
    try:
        finished = subprocess.run(command, capture_output=True, text=True, errors="replace",
                                  timeout=SECONDS_PER_TEST, check=False)
    except subprocess.TimeoutExpired:
        outcome.reason = f"not finished after {SECONDS_PER_TEST} s"
        return outcome
    if finished.returncode not in (0, 1) or not finished.stdout.startswith("{"):
        last = finished.stderr.strip().splitlines()[-1:] or [""]
        if finished.returncode == 2:
            outcome.outcome = "unsupported"
        outcome.reason = f"exit status {finished.returncode}: {last[0]}"
        return outcome
    summary = json.loads(finished.stdout)
    with_drops = counts_drops(read_configuration(suite / expectation.name))
    outcome.reason = compare(expectation, summary, with_drops)
    if not outcome.reason:
        outcome.outcome = "pass"
        return outcome
    lacking = [problem for problem in summary["problems"] if problem["unsupported"]]
    wrong = [problem for problem in summary["problems"] if not problem["unsupported"]]
    if any("names the file" in problem["reason"] for problem in wrong):
        outcome.outcome, outcome.reason = "unsupported", "a list of its rules is not in the suite"
    elif left_out:
        outcome.outcome = "unsupported"
        outcome.reason = "not known here: " + ", ".join(left_out)
    elif lacking:
        outcome.outcome = "unsupported"
        outcome.reason = "; ".join(sorted({f"{p['keyword']}: {p['reason']}" for p in lacking}))
    elif wrong:
        outcome.reason += " (" + "; ".join(
            f"sid {p['sid']} {p['keyword']} {p['reason']}" for p in wrong[:3]) + ")"
    return outcome


def summary_table(outcomes):
    """Lines of a table: per label and in all, how many have which outcome."""
    per_label = defaultdict(Counter)
    for outcome in outcomes:
        for label in [*outcome.labels, "all"]:
            per_label[label][outcome.outcome] += 1
    lines = [f"{'class':<16}{'tests':>7}{'pass':>7}{'fail':>7}{'unsup.':>8}{'pass %':>8}"]
    for label in sorted(per_label, key=lambda name: (name == "all", name)):
        counts = per_label[label]
        tests = sum(counts.values())
        lines.append(f"{label:<16}{tests:>7}{counts['pass']:>7}{counts['fail']:>7}"
                     f"{counts['unsupported']:>8}{100 * counts['pass'] / tests:>8.1f}")
    return lines


def read_arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("suite", type=Path)
    parser.add_argument("--binary", type=Path, default=Path("build/dataplane/replay/masugata-replay"))
    parser.add_argument("--only", default="*", help="names of tests, as a shell pattern")
    parser.add_argument("--report", type=Path, help="all outcomes as JSON")
    parser.add_argument("--quiet", action="store_true", help="only the table")
    return parser.parse_args()


def main():
    arguments = read_arguments()
    suite = arguments.suite.resolve()
    binary = arguments.binary.resolve()
    if not binary.is_file():
        sys.exit(f"{binary} is not there: build it first, or name it with --binary")
    expectations = [expectation for expectation in read_expectations(suite)
                    if fnmatch.fnmatch(expectation.name, arguments.only)]
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        outcomes = list(pool.map(lambda one: run_test(one, suite, binary), expectations))
    if not arguments.quiet:
        for outcome in outcomes:
            if outcome.outcome != "pass":
                print(f"{outcome.outcome:<12} {outcome.name}: {outcome.reason}")
    print("\n".join(summary_table(outcomes)))
    if arguments.report:
        arguments.report.write_text(json.dumps([asdict(one) for one in outcomes], indent=1) + "\n")
    return 1 if any(outcome.outcome == "fail" for outcome in outcomes) else 0


if __name__ == "__main__":
    sys.exit(main())
