# SPDX-License-Identifier: GPL-2.0-or-later
"""Many objects through the gateway, with scanners killed and signatures changed in the middle; what
memory and descriptors do meanwhile."""

import json
import time
from dataclasses import dataclass, field
from pathlib import Path

from . import addresses as plan
from . import virus_samples as samples
from .antivirus import SIGNATURES
from .commands import LabError, wait_until
from .services import PROBES, PYTHON

# An object that a scanner died over is lost by then.
SCANNER_LOSS_S = 2
WARM_UP = 0.2  # of the objects, before memory is looked at for the first time
# Beyond what was there after the warm-up.
MOST_GROWTH_KB = {"masugatad": 16 * 1024, "supervisor": 1024, "generation": 4 * 1024,
                  "scanners": 24 * 1024}


@dataclass
class Report:
    counts: dict = field(default_factory=dict)
    seconds: float = 0
    after_warm_up: dict = field(default_factory=dict)
    at_end: dict = field(default_factory=dict)
    # Each time something was done, and at the end: share of the objects -> usage().
    on_the_way: dict = field(default_factory=dict)
    lost: list = field(default_factory=list)  # what the client says of each clean object
    antivirus: str = ""  # what the gateway says of it at the end
    killed_at: list = field(default_factory=list)  # seconds since 1970
    scanners_killed: int = 0
    reloads: int = 0

    def explained(self):
        """Clean objects that did not arrive: how many by which cause."""
        causes = {"beside an infected one": 0, "with its scanner": 0, "unexplained": 0}
        for one in self.lost:
            died = any(0 <= one["at"] - at <= SCANNER_LOSS_S for at in self.killed_at)
            cause = ("beside an infected one" if one["beside_infected"] else
                     "with its scanner" if died else "unexplained")
            causes[cause] += 1
        return causes

    def faults(self):
        found = [f"{what}: {count}" for what, count in self.counts.items()
                 if what.startswith("error") or what.endswith(("ARRIVED", "CHANGED"))]
        causes = self.explained()
        if causes["with its scanner"] > self.scanners_killed:
            found.append(f"{causes['with its scanner']} objects were lost with "
                         f"{self.scanners_killed} scanners")
        if causes["unexplained"]:
            found.append(f"{causes['unexplained']} clean objects did not arrive: {self.lost}")
        for who, before in self.after_warm_up.items():
            after = self.at_end[who]
            if after["private_kb"] > before["private_kb"] + MOST_GROWTH_KB[who]:
                found.append(f"{who}: {before['private_kb']} kB, then {after['private_kb']} kB")
            if after["descriptors"] > before["descriptors"]:
                found.append(f"{who}: {before['descriptors']} descriptors, then "
                             f"{after['descriptors']}")
        return found


def _memory_of(pids):
    """Of all of them: memory of their own and with what they share, descriptors."""
    total = {"private_kb": 0, "resident_kb": 0, "descriptors": 0}
    for pid in pids:
        status = dict(line.split(":", 1) for line in
                      Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines())
        if "RssAnon" not in status:  # it has ended, and nobody has asked how
            continue
        total["private_kb"] += int(status["RssAnon"].split()[0])
        total["resident_kb"] += int(status["VmRSS"].split()[0])
        total["descriptors"] += len(list(Path(f"/proc/{pid}/fd").iterdir()))
    return total


def usage(lab, av):
    gateway = _process_of(lab.gateway.program.pid, "masugatad")
    generations, scanners = av.scanner.generations(), av.scanner.scanners()
    return {"masugatad": _memory_of([gateway]), "supervisor": _memory_of([av.scanner.program.pid]),
            "generation": _memory_of(generations), "scanners": _memory_of(scanners)}


def _process_of(pid, name):
    if not Path(f"/proc/{pid}/comm").read_text(encoding="ascii").startswith(name[:15]):
        raise LabError(f"process {pid} is not {name}")
    return pid


def _change_signatures(av, number):
    """A further signature that nothing has; returns when it is in use."""
    before = set(av.scanner.generations())
    (SIGNATURES / "soak.ndb").write_text(
        samples.signature(f"Lab.Soak{number}", f"no object of the soak holds this {number}".encode()),
        encoding="ascii")
    av.scanner.look_again()
    if not wait_until(lambda: len(now := set(av.scanner.generations())) == 1 and not now & before,
                      timeout_s=60, interval_s=0.1):
        raise LabError(f"new signatures do not come into use: {av.scanner.log()[-1000:]}")


def soak(lab, av, objects, most_s, infected=True):
    """Ends after `most_s` at the latest, as an error. What is infected is remembered (its URL, what is
    in quarantine), up to bounds: without any, nothing may remain."""
    report = Report()
    began = time.monotonic()
    client = lab.start(plan.LAN, [PYTHON, PROBES / "soak_client.py", plan.SCANNED, objects, 1,
                                  av.content, "infected" if infected else "clean"], "soak-client")

    def lines(of):
        """What the client has said, whole lines only, that begin with `of`."""
        said = client.log()
        return [json.loads(line) for line in said[:said.rfind("\n") + 1].splitlines()
                if line.startswith(f'{{"{of}"')]

    def counts():
        return (lines("objects") or [{"objects": 0}])[-1]

    def reach(share):
        if not wait_until(lambda: counts()["objects"] >= share * objects or not client.is_running(),
                          timeout_s=most_s - (time.monotonic() - began), interval_s=0.2):
            raise LabError(f"after {most_s} s: {counts()}")

    try:
        reach(WARM_UP)
        _change_signatures(av, 0)  # memory after a reload is compared with memory after a reload
        report.after_warm_up = usage(lab, av)
        for share, act in ((0.35, "kill"), (0.5, "reload"), (0.65, "kill"), (0.8, "reload")):
            reach(share)
            report.on_the_way[share] = usage(lab, av)
            if act == "kill":
                report.killed_at.append(time.time())
                report.scanners_killed += len(av.scanner.kill_scanners())
            else:
                report.reloads += 1
                _change_signatures(av, report.reloads)
        reach(1.1)  # until it ends
        report.lost = lines("lost")
        report.antivirus = lab.gateway.command("show", "av", check=False).stdout
        report.counts, report.seconds = counts(), time.monotonic() - began
        if client.wait(10) != 0:
            raise LabError(f"the client of the soak: {client.log()[-2000:]}")
        wait_until(lambda: len(av.scanner.scanners()) >= 2, timeout_s=5)
        time.sleep(1)
        report.at_end = usage(lab, av)
    finally:
        client.stop()
        (SIGNATURES / "soak.ndb").unlink(missing_ok=True)
    return report
