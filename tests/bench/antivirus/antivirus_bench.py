#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What antivirus costs: masugata beside squid with c-icap, and e2guardian, both with clamd, with the
same signatures, in turn, in one run. Processor time is that of all processes of each."""

import argparse
import json
import statistics
import sys
from contextlib import ExitStack
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "lab"))

from candidates import CANDIDATES, Masugata, start_web_server
from labkit import addresses as plan
from labkit.commands import LabError, run
from labkit.gateways import build_directory
from labkit.lab import Lab
from processor_group import ProcessorGroup, wanted
from proxies import Proxies, admit_proxies

KINDS = ("page", "text", "noise")


class Size:
    def __init__(self, name, size, kinds, new, seen, distinct, connections, alone):
        self.name, self.bytes, self.kinds = name, size, kinds
        self.count = {"new": new, "seen": seen}
        self.distinct = distinct  # objects that are seen again
        self.connections = connections
        self.alone = alone  # objects one after the other, for latency


SIZES = [
    Size("1 KB", 1_000, KINDS, new=900, seen=3000, distinct=60, connections=8, alone=300),
    Size("50 KB", 50_000, KINDS, new=150, seen=600, distinct=30, connections=8, alone=60),
    Size("100 KB", 100_000, KINDS, new=90, seen=300, distinct=30, connections=8, alone=60),
    Size("10 MB", 10_000_000, ("noise",), new=6, seen=12, distinct=3, connections=3, alone=6),
]


class Bench:
    def __init__(self, lab, signatures, stack, scanners):
        self.lab = lab
        self.scanners = {}
        self.proxies = None
        self.groups = {}
        self.present = None
        self.next_seed = 1 << 32
        self.stack = stack
        for kind in ("sleeping", "polling"):
            self.scanners[kind] = Masugata(lab, signatures, scanners, kind == "polling")
            self.scanners[kind].prepare()
        self.server = start_web_server(lab)
        stack.callback(self.server.stop)

    def open_proxies(self, signatures):
        self.proxies = self.stack.enter_context(Proxies(self.lab, signatures))
        for name, program in self.proxies.programs.items():
            self.group(name).take(program.pid)

    def group(self, name):
        if name not in self.groups:
            self.groups[name] = self.stack.enter_context(ProcessorGroup(name))
        return self.groups[name]

    def use(self, candidate):
        """Puts the candidate's gateway in place."""
        if self.present == candidate.gateway:
            return
        self.present = candidate.gateway
        if candidate.gateway == "kernel":
            self.lab.use_gateway("kernel")
            admit_proxies()
            return
        masugata = self.scanners[candidate.gateway]
        other = self.scanners["polling" if candidate.gateway == "sleeping" else "sleeping"]
        masugata.scanner = masugata.scanner or other.scanner
        masugata.start()
        self.stack.callback(masugata.stop)
        gateway, scanner = masugata.pids()
        self.group("masugatad").take(gateway)
        self.group("masugata-scand").take(scanner)

    def programs(self, candidate):
        if candidate.gateway == "kernel":
            return candidate.programs
        return ("masugatad", "masugata-scand") if candidate.scans else ("masugatad",)

    def load(self, candidate, size, kinds=None, **options):
        words = ["--server", candidate.server, "--bytes", size.bytes]
        if candidate.proxy:
            words += ["--proxy", candidate.proxy]
        for kind in kinds or size.kinds:
            words += ["--kind", kind]
        for name, value in options.items():
            words += [f"--{name.replace('_', '-')}", value]
        result = self.lab.execute(plan.LAN, [
            build_directory() / "tests" / "bench" / "antivirus" / "web_load", *words],
            timeout_s=120)
        try:
            return json.loads(result.stdout)
        except ValueError:
            raise LabError(f"{candidate.name}, {size.name}, web_load {words}: {result.stdout}"
                           f"{result.stderr}") from None

    def seeds(self, count):
        first, self.next_seed = self.next_seed, self.next_seed + count
        return first

    def try_out(self, candidate, sizes):
        """(sizes at which clean objects come through, names of infected ones that do)."""
        whole, passed = [], []
        for size in sizes:
            # Who stops says nothing more; a large one takes seconds on a crowded machine.
            report = self.load(candidate, size, count=len(size.kinds), first=self.seeds(9),
                               patience_ms=5000 if size.bytes < 1_000_000 else 60_000)
            if report["failures"] or report["objects"] < len(size.kinds):
                continue
            whole.append(size)
            for kind in size.kinds if candidate.scans else ():
                report = self.load(candidate, size, [kind], marked="yes", count=1,
                                   first=self.seeds(1))
                if report["objects"] > 0:
                    passed.append(f"{kind} of {size.name}")
        return whole, passed

    def measure(self, candidate, size, state):
        """One sample: the load of many connections with its processor time, then one alone."""
        count = size.count[state]
        options = {"first": 1, "distinct": size.distinct}
        if state == "new":
            options = {"first": self.seeds(count)}
        else:
            self.load(candidate, size, connections=2, count=size.distinct, **options)
        stages = self.scanners[candidate.gateway].stage_seconds \
            if candidate.gateway != "kernel" else lambda: 0
        groups = {name: self.group(name) for name in self.programs(candidate)}
        before, stages_before = {n: g.seconds() for n, g in groups.items()}, stages()
        report = self.load(candidate, size, connections=size.connections, count=count, **options)
        used = {name: group.seconds() - before[name] for name, group in groups.items()}
        in_stages = stages() - stages_before
        if state == "new":
            options = {"first": self.seeds(size.alone)}
        alone = self.load(candidate, size, connections=1, count=size.alone, **options)
        for each in (report, alone):
            if each["failures"] or not each["objects"]:
                raise LabError(f"{candidate.name}, {size.name}, {state}: {each}")
        return {"objects": report["objects"], "seconds": report["seconds"],
                "bytes": report["bytes"], "processor": used, "stages": in_stages,
                "median_us": alone["median_us"], "p99_us": alone["p99_us"],
                "first_byte_us": alone["first_byte_median_us"]}

    def idle_share(self, candidate):
        """Of one core, of all processes of the candidate, with nothing to do."""
        groups = [self.group(name) for name in self.programs(candidate)]
        before = sum(group.seconds() for group in groups)
        run(["sleep", "2"])
        return (sum(group.seconds() for group in groups) - before) / 2


def summary(samples, notes):
    """{candidate: {size: {state: {figure: median}}}}"""
    def figures(sample, idle):
        used, count = sum(sample["processor"].values()), sample["objects"]
        row = {"objects/s": count / sample["seconds"],
               "MB/s": sample["bytes"] / 1e6 / sample["seconds"],
               "CPU us/object": used / count * 1e6,
               "above idle": max(0, used - idle * sample["seconds"]) / count * 1e6,
               "CPU s/GB": used / sample["bytes"] * 1e9,
               "median us": sample["median_us"], "p99 us": sample["p99_us"],
               "first byte us": sample["first_byte_us"],
               "stages us/object": sample["stages"] / count * 1e6}
        row.update({f"{name} us/object": seconds / count * 1e6
                    for name, seconds in sample["processor"].items()})
        return row
    result = {}
    for (name, size, state), each in samples.items():
        rows = [figures(sample, notes[name]["idle"]) for sample in each]
        result.setdefault(name, {}).setdefault(size, {})[state] = {
            figure: statistics.median(row[figure] for row in rows) for figure in rows[0]}
    return result


def table(result, size, state):
    columns = ("objects/s", "MB/s", "CPU us/object", "above idle", "CPU s/GB",
               "median us", "p99 us")
    lines = [f"{size}, {'never seen' if state == 'new' else 'seen before'}".ljust(28)
             + "".join(column.rjust(15) for column in columns)]
    for name, sizes in result.items():
        if state not in sizes.get(size, {}):
            lines.append(f"{name:28}{'not measured':>15}")
            continue
        row = sizes[size][state]
        lines.append(name.ljust(28) + "".join(
            f"{row[column]:15.2f}" if column == "CPU s/GB" else f"{row[column]:15.1f}"
            for column in columns))
        parts = [f"{figure[:-len(' us/object')]} {value:.0f}" for figure, value in row.items()
                 if figure.endswith(" us/object") and not figure.startswith("CPU") and value]
        if len(parts) > 1:
            lines.append(" " * 28 + "of the CPU us: " + ", ".join(parts))
    return "\n".join(lines)


def measure_all(bench, rounds, candidates, sizes):
    samples, notes, whole = {}, {}, {}
    for turn in range(rounds):
        # Who goes first changes; those behind one gateway follow each other.
        for candidate in candidates if turn % 2 == 0 else list(reversed(candidates)):
            bench.use(candidate)
            if turn == 0:
                whole[candidate.name], passed = bench.try_out(candidate, sizes)
                notes[candidate.name] = {
                    "idle": bench.idle_share(candidate), "passed": passed,
                    "stopped": [size.name for size in sizes if size not in whole[candidate.name]]}
            for size in whole[candidate.name]:
                for state in ("new", "seen"):
                    try:
                        sample = bench.measure(candidate, size, state)
                    except LabError as error:
                        notes[candidate.name].setdefault("failed", []).append(str(error))
                        continue
                    samples.setdefault((candidate.name, size.name, state), []).append(sample)
                    print(".", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    return samples, notes


def chosen(all_of_them, names):
    return [each for each in all_of_them if not names or each.name in names]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("signatures", type=Path, help="a folder, for example of made_signatures.py")
    parser.add_argument("--json", type=Path, help="write every sample here")
    parser.add_argument("--quick", action="store_true", help="one round")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--scanners", type=int, default=2)
    parser.add_argument("--candidate", action="append", help="only these")
    parser.add_argument("--size", action="append", help="only these")
    arguments = parser.parse_args()
    candidates = sorted(chosen(CANDIDATES, arguments.candidate), key=lambda each: each.gateway)
    sizes = chosen(SIZES, arguments.size)
    missing = wanted(program for each in candidates for program in each.programs)
    if missing:
        sys.exit(f"antivirus_bench: not installed: {', '.join(sorted(set(missing)))}")
    try:
        with Lab("kernel") as lab, ExitStack() as stack:
            bench = Bench(lab, arguments.signatures.resolve(), stack, arguments.scanners)
            if any(each.proxy for each in candidates):
                bench.open_proxies(arguments.signatures.resolve())
            samples, notes = measure_all(bench, 1 if arguments.quick else arguments.rounds,
                                         candidates, sizes)
    except (LabError, OSError) as error:
        sys.exit(f"antivirus_bench: {error}")
    except KeyboardInterrupt:
        sys.exit(130)
    result = summary(samples, notes)
    if arguments.json:
        arguments.json.parent.mkdir(parents=True, exist_ok=True)
        arguments.json.write_text(json.dumps({
            "samples": [[*key, each] for key, each in samples.items()], "notes": notes,
            "medians": result}, indent=1), encoding="utf-8")
    for size in sizes:
        for state in ("new", "seen"):
            print(table(result, size.name, state) + "\n")
    for name, note in notes.items():
        print(f"{name}: with nothing to do {note['idle'] * 100:.1f} % of a core")
        if note["passed"]:
            print(f"  lets infected objects through: {', '.join(note['passed'])}")
        for problem in note.get("failed", ()):
            print(f"  not measured: {problem}")
        if note["stopped"]:
            print(f"  does not let clean ones through of {', '.join(note['stopped'])}")


if __name__ == "__main__":
    main()
