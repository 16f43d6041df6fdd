#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The main job, shown: real programs in network namespaces around the gateway.

Every line says what was expected and what was seen; the exit status is 0 when all agree.
"""

import argparse
import os
import subprocess
import sys
import time

from labkit import addresses as plan
from labkit.antivirus import Antivirus
from labkit.charon_pair import CHARON, Path, plugin_path
from labkit.checks import antivirus, errors, inspection, isolation, load, nat, tunnel, version6
from labkit.commands import LabError
from labkit.gateways import GATEWAYS, MasugataGateway, build_directory
from labkit.lab import Lab
from labkit.measure import MEASUREMENTS, throughput
from labkit.topology import inside
from labkit.vpn_sites import SITE, Branch

PICTURE = f"""
  msg-lan 10.0.1.10 ──lan0─┐
          2001:db8:2::10   │          ┌─ msg-wan "Internet" 198.51.100.5, 2001:db8:f::5 ─ msg-far
                           gateway ─wan0 203.0.113.2                      narrow link, MTU {plan.FAR_LINK_MTU}
  msg-dmz 10.0.2.80 ──dmz0─┘
          2001:db8:3::80   published: 203.0.113.2 ports 80 and 443
"""

CHAPTERS = (
    ("Address translation and the published server", nat.CHECKS),
    ("What must not be possible", isolation.CHECKS),
    ("ICMP errors, path MTU, fragments", errors.CHECKS),
    ("IPv6 without translation", version6.CHECKS),
    ("Much at once", load.CHECKS),
)
INSPECTION = ("Intrusion prevention", inspection.CHECKS)
ANTIVIRUS = ("Antivirus", antivirus.CHECKS)
TUNNEL = ("A tunnel to a branch office, with strongSwan at its other end", tunnel.CHECKS)
DEMO_MEASUREMENTS = tuple(MEASUREMENTS)[:2] + tuple(MEASUREMENTS)[4:5]


def show_checks(lab):
    """Prints every check; returns (passed, failed)."""
    if lab.kind != MasugataGateway.kind:
        return show_chapters(lab, CHAPTERS)
    counts = [show_chapters(lab, CHAPTERS + (INSPECTION,)), show_antivirus(lab), show_tunnel(lab)]
    return tuple(map(sum, zip(*counts)))


def show_antivirus(lab):
    try:
        with Antivirus(lab) as lab.antivirus:
            return show_chapters(lab, (ANTIVIRUS,))
    except LabError as error:
        print(f"\n{ANTIVIRUS[0]}\n  FAIL  {error}")
        return 0, 1


def show_tunnel(lab):
    if not Path(CHARON).exists() or not plugin_path().exists():
        print(f"\n{TUNNEL[0]}\n        left out: charon-systemd is not installed, or its plugin is not "
              "built")
        return 0, 0
    try:
        with Branch(lab) as lab.branch:
            counts = show_chapters(lab, (TUNNEL,))
            shown = lab.gateway.command("show", "vpn", SITE, check=False)
            for words, text in (("why", lab.branch.explained), ("", shown.stdout + shown.stderr)):
                print(f"\n$ masugata show vpn {SITE} {words}\n{text.rstrip()}", flush=True)
            return counts
    except LabError as error:
        print(f"\n{TUNNEL[0]}\n  FAIL  {error}")
        return 0, 1


def show_chapters(lab, chapters):
    passed = failed = 0
    for title, checks in chapters:
        print(f"\n{title}")
        for check in checks:
            try:
                outcome = check.examine(lab)
                ok, expected, seen = outcome.ok, outcome.expected, outcome.seen
            except LabError as error:
                ok, expected, seen = False, "an answer", str(error)
            passed, failed = passed + ok, failed + (not ok)
            print(f"  {'ok  ' if ok else 'FAIL'}  {check.title}")
            print(f"          expected {expected}   seen {seen}", flush=True)
    return passed, failed


def show_throughput(lab):
    print("\nThroughput, 2 seconds each (./dev bench compares with the kernel)")
    for name in DEMO_MEASUREMENTS:
        try:
            value = f"{throughput(lab, name, 2):.0f} {MEASUREMENTS[name][2]}"
        except LabError as error:
            value = str(error)
        print(f"        {name}: {value}", flush=True)


def show_reports(lab):
    # Something lives in the session table while it is shown.
    download = lab.start(plan.LAN, [
        "curl", "-sS", "--max-time", "10", "--limit-rate", "3M", "-o", "/dev/null",
        f"http://{plan.INTERNET}/large.bin"], "curl")
    time.sleep(0.3)
    for title, text in lab.gateway.status_reports():
        print(f"\n$ {title}\n{text.rstrip()}", flush=True)
    download.stop()


def open_shell(lab):
    """A shell in msg-gw, where `masugata` speaks to the gateway."""
    environment = dict(os.environ)
    environment["PATH"] = f"{build_directory()}:{environment['PATH']}"
    environment["MASUGATA_CONTROL_SOCKET"] = str(getattr(lab.gateway, "control_socket", ""))
    environment["PS1"] = "msg-gw# "
    print("\nThe lab stays up until you leave this shell. It stands in the gateway's namespace:\n"
          "  masugata show sessions          ip netns exec msg-lan curl http://203.0.113.2/\n"
          "  masugata explain --help         ip netns exec msg-wan ping 203.0.113.2", flush=True)
    subprocess.run(inside(plan.GATEWAY, ["bash", "--norc", "-i"]), env=environment, check=False)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keep", action="store_true",
                        help="leave the lab up and open a shell in the gateway's namespace")
    parser.add_argument("--gateway", choices=GATEWAYS, default="masugata", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    started = time.monotonic()
    try:
        with Lab(arguments.gateway) as lab:
            print(f"The lab is up after {time.monotonic() - started:.1f} s, the gateway is "
                  f"{arguments.gateway}.\n{PICTURE}", flush=True)
            passed, failed = show_checks(lab)
            show_throughput(lab)
            show_reports(lab)
            print(f"\n{passed} as expected, {failed} not, "
                  f"{time.monotonic() - started:.0f} seconds", flush=True)
            if arguments.keep:
                open_shell(lab)
    except LabError as error:
        sys.exit(f"demo: {error}")
    except KeyboardInterrupt:
        sys.exit(130)
    sys.exit(0 if failed == 0 and passed > 0 else 1)


if __name__ == "__main__":
    main()
