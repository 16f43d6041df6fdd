#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""How much later the first byte of a large, clean download comes when it is scanned.

The same server, asked in turn through a rule with antivirus and through one that differs only in
having none; medians, their ratio, and between what the ratio lies when pairs are drawn again (95 %).
The first pairs are not counted. On the lab's own line, where the gateway is most of the time that
passes, and on one of 80 ms."""

import argparse
import json
import random
import statistics
import sys
from pathlib import Path

from labkit import addresses as plan
from labkit.antivirus import Antivirus
from labkit.commands import LabError, run
from labkit.lab import Lab
from labkit.lossy_line import ADDRESS, NAMESPACE, lossy_line
from labkit.services import PROBES, PYTHON
from labkit.topology import inside

SIZE = 10_000_000
# name -> bytes per second, 0: as fast as the server can; bytes that are read
SPEEDS = {"1 MB/s": (1_000_000, 20_000), "at full speed": (0, 200_000)}
SCANNED_PORT, OTHER_PORT = 8011, 8012
FAR_SCANNED_PORT, FAR_OTHER_PORT = 8001, 8002  # as gateway.conf has them
WARM_UP, DRAWS = 10, 1000
RULE = """rule first-byte-{port} {{
            protocol tcp;
            destination {{ address {address}; port {port}; }}
            action permit;
            {inspect}
        }}
        """


def add_rules(lab):
    """For two ports of one address, before all others: with antivirus alone, and with nothing."""
    inspections = {SCANNED_PORT: "inspect { av standard; }", OTHER_PORT: ""}
    rules = "".join(RULE.format(address=plan.SCANNED, port=port, inspect=inspect)
                    for port, inspect in inspections.items())
    text = lab.gateway.configuration.read_text(encoding="utf-8")
    before, found, behind = text.partition("from lan to wan {")
    if not found:
        raise LabError("the gateway's configuration has no policy from lan to wan")
    text = f"{before}{found}\n        {rules}{behind}"
    lab.gateway.configuration.write_text(text, encoding="utf-8")
    lab.gateway.reload()


def start_server(lab, namespace, *ports):
    server = lab.start(namespace, [PYTHON, PROBES / "trickle.py", *ports], "trickle")
    server.wait_ready(lambda: f":{ports[-1]} " in run(inside(namespace, ["ss", "-Htln"])).stdout)
    return server


def measure(lab, hosts, rate, rounds, read):
    """{inspected or uninspected: [(microseconds to the first byte, to the last that is read)]}"""
    told = lab.execute(plan.LAN, [PYTHON, PROBES / "first_byte.py", rounds + WARM_UP, read,
                                  f"/{SIZE}/{rate}", *hosts.values()], timeout_s=900, check=True)
    names = {host: name for name, host in hosts.items()}
    samples = {name: [] for name in hosts}
    for line in told.stdout.splitlines():
        host, first, last = line.split()
        samples[names[host]].append((int(first), int(last)))
    return {name: kind[WARM_UP:] for name, kind in samples.items()}


def ratio_of_medians(pairs):
    mine, other = zip(*pairs)
    return statistics.median(mine) / statistics.median(other)


def spread_of_ratio(pairs):
    """Between what 95 % of the ratios lie when as many pairs are drawn again, with repetition."""
    draw = random.Random(1)
    ratios = sorted(ratio_of_medians(draw.choices(pairs, k=len(pairs))) for _ in range(DRAWS))
    return ratios[DRAWS // 40], ratios[-1 - DRAWS // 40]


def tell(title, samples):
    pairs = len(samples["inspected"])
    result = {"title": title, "pairs": pairs, "samples_us": samples}
    print(f"{title}, {pairs} pairs", flush=True)
    for at, what in enumerate(("first byte", "as far as read")):
        times = {name: [sample[at] / 1000 for sample in kind] for name, kind in samples.items()}
        both = list(zip(times["inspected"], times["uninspected"]))
        ratio, (low, high) = ratio_of_medians(both), spread_of_ratio(both)
        quartiles = {name: statistics.quantiles(kind, n=4) for name, kind in times.items()}
        print(f"  {what}: " + ", ".join(f"{q[1]:.3f} ms {name} ({q[0]:.3f} to {q[2]:.3f})"
                                        for name, q in quartiles.items())
              + f", ratio {ratio:.3f} ({low:.3f} to {high:.3f})", flush=True)
        result[what] = {"quartiles_ms": quartiles, "ratio": ratio, "ratio_95_percent": [low, high]}
    return result


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, help="write every sample here")
    parser.add_argument("--quick", action="store_true", help="a few pairs")
    arguments = parser.parse_args()
    rounds = 20 if arguments.quick else 300
    results = []
    try:
        with Lab("masugata") as lab, Antivirus(lab):
            add_rules(lab)
            server = start_server(lab, plan.WAN, SCANNED_PORT, OTHER_PORT)
            hosts = {"inspected": f"{plan.SCANNED}:{SCANNED_PORT}",
                     "uninspected": f"{plan.SCANNED}:{OTHER_PORT}"}
            for speed, (rate, read) in SPEEDS.items():
                results.append(tell(f"own line, {speed}",
                                    measure(lab, hosts, rate, rounds, read)))
            results.append(tell("own line, at full speed, all of it",
                                measure(lab, hosts, 0, rounds // 10, SIZE)))
            server.stop()
            with lossy_line(lab, seconds=900, ports=(), loss_percent=0):
                server = start_server(lab, NAMESPACE, FAR_SCANNED_PORT, FAR_OTHER_PORT)
                hosts = {"inspected": f"{ADDRESS}:{FAR_SCANNED_PORT}",
                         "uninspected": f"{ADDRESS}:{FAR_OTHER_PORT}"}
                for speed, (rate, read) in SPEEDS.items():
                    results.append(tell(f"line of 80 ms, {speed}",
                                        measure(lab, hosts, rate, rounds * 2 // 3, read)))
                server.stop()
    except LabError as error:
        sys.exit(f"antivirus_first_byte: {error}")
    except KeyboardInterrupt:
        sys.exit(130)
    if arguments.json:
        arguments.json.parent.mkdir(parents=True, exist_ok=True)
        arguments.json.write_text(json.dumps(results, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
