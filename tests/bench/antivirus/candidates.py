# SPDX-License-Identifier: GPL-2.0-or-later
"""What stands between client and server, and what of it counts as its processor time."""

import json
import re
from pathlib import Path

from labkit import addresses as plan
from labkit.commands import LabError, Program, wait_until
from labkit.gateways import GATEWAYS, MasugataGateway, build_directory
from labkit.topology import inside
from proxies import GUARDIAN_PORT, SQUID_PORT

WEB_PORT = 8000

CONFIGURATION = """
system {{ host-name bench-gateway; hw-profile {profile}; }}
interfaces {{
    interface wan0 {{ device net_af_xdp0,iface=gwwan; address 203.0.113.2/24; }}
    interface lan0 {{ device net_af_xdp1,iface=gwlan; address 10.0.1.1/24; }}
}}
routes {{ route 0.0.0.0/0 {{ via 203.0.113.1; }} }}
zones {{ zone wan {{ interface wan0; }} zone lan {{ interface lan0; }} }}
# As the others: no line per object.
ips {{ log {{ file {directory}/bench-eve.json; event [ alert drop ]; }} }}
av {{
    signatures {{ folder {signatures}; }}
    scanners {scanners};
    memory 256M;
    quarantine {{ folder {directory}/quarantine; }}
    profile standard {{ }}
}}
policy {{
    from lan to wan {{
        rule scanned {{
            protocol tcp;
            destination {{ address {scanned}; }}
            action permit;
            inspect {{ av standard; }}
        }}
        rule all {{ action permit; }}
    }}
}}
nat {{ source {{ rule out {{ from lan; to wan; translate {{ interface; }} }} }} }}
"""
# Of hw-profiles/lab.json, but with a worker that sleeps when there is nothing to do: its processor
# time is then what it works, and what looking for packets costs.
SLEEP_US = 50


class BenchGateway(MasugataGateway):
    """masugatad with antivirus and nothing else."""

    kind = "masugata-bench"
    profile = "lab"


class SleepingGateway(BenchGateway):
    kind = "masugata-bench-sleeping"
    profile = "sleeping"


GATEWAYS[BenchGateway.kind] = BenchGateway
GATEWAYS[SleepingGateway.kind] = SleepingGateway


class Masugata:
    """masugatad and masugata-scand. `polling`: the worker polls on, and only gives way."""

    def __init__(self, lab, signatures, scanners, polling):
        self.lab = lab
        self.signatures = signatures
        self.scanners = scanners
        self.gateway_kind = (BenchGateway if polling else SleepingGateway).kind
        self.scanner = None

    def prepare(self):
        folder = self.lab.directory / "hw-profiles"
        folder.mkdir(exist_ok=True)
        lab = Path(__file__).resolve().parents[3] / "hw-profiles" / "lab.json"
        profile = json.loads(lab.read_text(encoding="utf-8"))
        (folder / "lab.json").write_text(json.dumps(profile), encoding="utf-8")
        profile.update(name="sleeping", idle={"sleep_us": SLEEP_US})
        (folder / "sleeping.json").write_text(json.dumps(profile), encoding="utf-8")
        BenchGateway.hw_profiles = folder
        (self.lab.directory / "quarantine").mkdir(exist_ok=True)

    def start(self):
        (self.lab.directory / "gateway.conf").write_text(CONFIGURATION.format(
            profile=GATEWAYS[self.gateway_kind].profile, signatures=self.signatures,
            scanners=self.scanners, directory=self.lab.directory, scanned=plan.SCANNED),
            encoding="ascii")
        self.lab.use_gateway(self.gateway_kind)
        if self.scanner is None:
            self.scanner = Program("masugata-scand", inside(plan.GATEWAY, [
                build_directory() / "av-stream" / "scand" / "masugata-scand", "--socket",
                self.lab.gateway.scanner_socket, "--user", "nobody"]),
                self.lab.directory / "masugata-scand.log")
        self.scanner.wait_ready(self._scans, timeout_s=120)

    def stop(self):
        if self.scanner is not None:
            self.scanner.stop()

    def _scans(self):
        answer = self.lab.gateway.command("show", "av", check=False)
        return "engine ready" in answer.stdout

    def pids(self):
        return [self.lab.gateway.program.pid, self.scanner.pid]

    def stage_seconds(self):
        """Of the worker: what its stages have counted, as seconds of the time-stamp counter."""
        answer = json.loads(self.lab.gateway.command("--json", "show", "system").stdout)
        cycles = sum(stage["cycles"] for worker in answer["workers"] for stage in worker["stages"])
        return cycles / counter_hertz()


def counter_hertz():
    text = Path("/proc/cpuinfo").read_text(encoding="ascii")
    return float(re.search(r"cpu MHz\s*:\s*([\d.]+)", text).group(1)) * 1e6


class Candidate:
    """One way from client to server."""

    def __init__(self, name, gateway, server, proxy="", scans=True, programs=()):
        self.name = name
        self.gateway = gateway  # "kernel", "sleeping" or "polling"
        self.server = f"{server}:{WEB_PORT}"
        self.proxy = proxy
        self.scans = scans
        self.programs = programs  # of the proxies, whose processor time counts


CANDIDATES = [
    Candidate("no gateway but the kernel", "kernel", plan.SCANNED, scans=False),
    Candidate("masugata, not inspected", "sleeping", plan.INTERNET, scans=False),
    Candidate("masugata", "sleeping", plan.SCANNED),
    Candidate("masugata, polling", "polling", plan.SCANNED),
    Candidate("squid, c-icap, clamd", "kernel", plan.SCANNED, f"{plan.LAN_GATEWAY}:{SQUID_PORT}",
              programs=("squid", "c-icap", "clamd")),
    Candidate("e2guardian, clamd", "kernel", plan.SCANNED, f"{plan.LAN_GATEWAY}:{GUARDIAN_PORT}",
              programs=("e2guardian", "clamd")),
]


def start_web_server(lab):
    """On every address of the Internet."""
    program = Program("web_server", inside(plan.WAN, [
        build_directory() / "tests" / "bench" / "antivirus" / "web_server", "0.0.0.0", WEB_PORT]),
        lab.directory / "web_server.log")
    if not wait_until(lambda: f":{WEB_PORT} " in lab.execute(plan.WAN, ["ss", "-Htln"]).stdout, 10):
        raise LabError(f"web_server does not listen: {program.log()}")
    return program
