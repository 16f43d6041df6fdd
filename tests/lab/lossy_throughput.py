#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Does inspection keep the throughput of a lossy, reordering line?

Downloads over the same line at the same time, some through a rule that inspects (port 80) and as
many through one that does not (port 8080). Loss decides how fast each is, so what counts is the
ratio of the speeds of both kinds.
"""

import argparse
import json
import statistics
import subprocess
import sys
from pathlib import Path

from labkit import addresses as plan
from labkit.commands import LabError
from labkit.lab import Lab
from labkit.lossy_line import ADDRESS, lossy_line
from labkit.topology import inside

KINDS = {"inspected": 80, "uninspected": 8080}
CONNECTIONS = 6  # of each kind
REORDER_PERCENT = 2
# The largest receive window that the gateway remembers all of (InspectorLimits::stream_span_bytes)
# is half of this buffer. The gateway lowers larger ones on the way.
RECEIVE_BUFFER_BYTES = 8 * 1024 * 1024


def download(port, seconds):
    """A process that downloads for so long, or all, and then says how many bytes came a second."""
    return subprocess.Popen(
        [str(word) for word in inside(plan.LAN, [
            "curl", "-s", "-o", "/dev/null", "--max-time", str(seconds), "-w", "%{speed_download}",
            f"http://{ADDRESS}:{port}/large.bin"])],
        stdout=subprocess.PIPE, text=True)


def measure(seconds):
    """{kind: Mbit/s of all its connections}"""
    running = [(kind, download(port, seconds)) for _ in range(CONNECTIONS)
               for kind, port in KINDS.items()]
    totals = dict.fromkeys(KINDS, 0)
    for kind, process in running:
        told, _ = process.communicate(timeout=seconds + 15)
        if not told.strip().isdigit() or int(told) == 0:
            raise LabError(f"a download of the kind '{kind}' brought nothing")
        totals[kind] += int(told)
    return {kind: total * 8 / 1e6 for kind, total in totals.items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, help="write every sample here")
    parser.add_argument("--quick", action="store_true", help="one short round")
    parser.add_argument("--receive-buffer", type=int, default=RECEIVE_BUFFER_BYTES,
                        help="bytes, of the clients' sockets (default: %(default)s)")
    arguments = parser.parse_args()
    rounds, seconds = (1, 8) if arguments.quick else (5, 20)
    try:
        with Lab("masugata") as lab, lossy_line(lab, rounds * (seconds + 20), KINDS.values(),
                                                REORDER_PERCENT):
            buffers = f"net.ipv4.tcp_rmem=4096 131072 {arguments.receive_buffer}"
            lab.execute(plan.LAN, ["sysctl", "-qw", buffers], check=True)
            samples = [measure(seconds) for _ in range(rounds)]
    except LabError as error:
        sys.exit(f"lossy_throughput: {error}")
    except KeyboardInterrupt:
        sys.exit(130)
    medians = {kind: statistics.median(sample[kind] for sample in samples) for kind in KINDS}
    ratios = [sample["inspected"] / sample["uninspected"] for sample in samples]
    ratio = statistics.median(ratios)
    if arguments.json:
        arguments.json.parent.mkdir(parents=True, exist_ok=True)
        arguments.json.write_text(json.dumps(
            {"rounds": rounds, "seconds": seconds, "connections": CONNECTIONS, "samples": samples,
             "ratio": ratio}, indent=1), encoding="utf-8")
    print(f"1 % loss, 80 ms, reordering, {CONNECTIONS} downloads each: inspected "
          f"{medians['inspected']:.1f} Mbit/s, uninspected {medians['uninspected']:.1f} Mbit/s, "
          f"ratio {ratio:.2f} ({min(ratios):.2f}..{max(ratios):.2f})")


if __name__ == "__main__":
    main()
