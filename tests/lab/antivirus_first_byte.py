#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""How much later the first byte of a large, clean download comes when it is scanned.

The same server, asked in turn through a rule with antivirus and through one without; medians and
their ratio. On the lab's own line, where the gateway is most of the time that passes, and on one of
80 ms."""

import argparse
import json
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

SIZE, READ = 10_000_000, 400_000
# name -> bytes per second, 0: as fast as the server can
SPEEDS = {"1 MB/s": 1_000_000, "at full speed": 0}
SCANNED_PORT, OTHER_PORT = 8001, 8002


def start_server(lab, namespace, *ports):
    server = lab.start(namespace, [PYTHON, PROBES / "trickle.py", *ports], "trickle")
    server.wait_ready(lambda: f":{ports[-1]} " in run(inside(namespace, ["ss", "-Htln"])).stdout)
    return server


def measure(lab, hosts, rate, rounds, read):
    """{inspected or uninspected: [(microseconds to the first byte, to the last that is read)]}"""
    told = lab.execute(plan.LAN, [PYTHON, PROBES / "first_byte.py", rounds, read,
                                  f"/{SIZE}/{rate}", *hosts.values()], timeout_s=600, check=True)
    names = {host: name for name, host in hosts.items()}
    samples = {name: [] for name in hosts}
    for line in told.stdout.splitlines():
        host, first, last = line.split()
        samples[names[host]].append((int(first), int(last)))
    return samples


def tell(title, samples):
    medians = {name: [statistics.median(sample[at] for sample in kind) / 1000 for at in (0, 1)]
               for name, kind in samples.items()}
    mine, other = medians["inspected"], medians["uninspected"]
    print(f"{title}: first byte {mine[0]:.2f} ms inspected, {other[0]:.2f} ms uninspected, ratio "
          f"{mine[0] / other[0]:.3f}; as far as read {mine[1]:.1f} ms, {other[1]:.1f} ms, ratio "
          f"{mine[1] / other[1]:.3f}", flush=True)
    return {"title": title, "medians_ms": medians, "samples_us": samples}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, help="write every sample here")
    parser.add_argument("--quick", action="store_true", help="a few rounds")
    arguments = parser.parse_args()
    rounds = 10 if arguments.quick else 60
    results = []
    try:
        with Lab("masugata") as lab, Antivirus(lab):
            server = start_server(lab, plan.WAN, OTHER_PORT)
            hosts = {"inspected": f"{plan.SCANNED}:{OTHER_PORT}",
                     "uninspected": f"{plan.INTERNET}:{OTHER_PORT}"}
            for speed, rate in SPEEDS.items():
                results.append(tell(f"own line, {speed}",
                                    measure(lab, hosts, rate, rounds, READ)))
            results.append(tell("own line, at full speed, all of it",
                                measure(lab, hosts, 0, max(rounds // 6, 3), SIZE)))
            server.stop()
            with lossy_line(lab, seconds=400, ports=(), loss_percent=0):
                server = start_server(lab, NAMESPACE, SCANNED_PORT, OTHER_PORT)
                hosts = {"inspected": f"{ADDRESS}:{SCANNED_PORT}",
                         "uninspected": f"{ADDRESS}:{OTHER_PORT}"}
                for speed, rate in SPEEDS.items():
                    results.append(tell(f"line of 80 ms, {speed}",
                                        measure(lab, hosts, rate, max(rounds // 2, 5), READ)))
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
