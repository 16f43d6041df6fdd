# SPDX-License-Identifier: GPL-2.0-or-later
"""The gateways that can stand in msg-gw: Masugata, and the kernel as the reference."""

import json
import os
from pathlib import Path

from . import addresses as plan
from .commands import RUN_DIRECTORY, LabError, Program, run
from .topology import configure, inside, set_kernel_settings

HERE = Path(__file__).resolve().parent
CHECKOUT = HERE.parents[2]
CONFIGURATION = HERE.parent / "gateway.conf"
RULES = HERE.parent / "ips.rules"


def build_directory():
    """Where the programs under test are: MASUGATA_BUILD_DIR, or build/ of this checkout."""
    return Path(os.environ.get("MASUGATA_BUILD_DIR", CHECKOUT / "build"))


class KernelGateway:
    """Kernel routing with nftables, doing what gateway.conf says."""

    kind = "kernel"

    def __init__(self, directory):
        self.directory = directory

    def start(self):
        set_kernel_settings(plan.GATEWAY, {
            "net.ipv4.ip_forward": 1, "net.ipv6.conf.all.forwarding": 1,
            "net.netfilter.nf_conntrack_max": 262144})
        self.reload()
        for namespace, port in plan.GATEWAY_PORTS.items():
            set_kernel_settings(plan.GATEWAY, {f"net.ipv6.conf.{port}.disable_ipv6": 0})
            four, six = plan.GATEWAY_ADDRESSES[namespace]
            # A masugatad that was killed may have left its XDP program.
            configure(plan.GATEWAY, f"""
                link set {port} xdp off
                link set {port} arp on up
                address add {four} dev {port}
                address add {six} dev {port} nodad""")
        configure(plan.GATEWAY, f"""
            route replace default via {plan.WAN_HOST}
            route replace default via {plan.WAN_HOST_V6}""")

    def stop(self):
        run(inside(plan.GATEWAY, ["nft", "flush", "ruleset"]), check=False)
        set_kernel_settings(plan.GATEWAY, {
            "net.ipv4.ip_forward": 0, "net.ipv6.conf.all.forwarding": 0})
        for port in plan.GATEWAY_PORTS.values():
            configure(plan.GATEWAY, f"link set {port} down\naddress flush dev {port}")

    def reload(self):
        run(inside(plan.GATEWAY, ["nft", "-f", HERE / "kernel_gateway.nft"]))

    def is_running(self):
        return True

    def status_reports(self):
        """Pairs of a title and a text, as an operator would look at the gateway."""
        rules = run(inside(plan.GATEWAY, ["nft", "list", "ruleset"]), check=False)
        return [("nft list ruleset", rules.stdout)]


class MasugataGateway:
    """masugatad in msg-gw on AF_XDP ports over the gateway ends of the veth pairs."""

    kind = "masugata"
    hw_profiles = CHECKOUT / "hw-profiles"
    reports = ("interfaces", "zones", "sessions", "policy", "nat", "drops", "system")

    def __init__(self, directory):
        self.directory = Path(directory)
        self.control_socket = self.directory / "control.sock"
        self.scanner_socket = self.directory / "scand.sock"  # beside the control socket
        self.scan_job_socket = self.directory / "scan-job.sock"
        self.configuration = self.directory / "gateway.conf"
        # Of charon, which masugatad looks after; it is started by labkit/vpn_head.py.
        self.charon_settings = self.directory / "strongswan.conf"
        self.charon_socket = self.directory / "charon.vici"
        self.charon_log = self.directory / "charon-head.log"
        self.pki = self.directory / "pki"
        self.program = None
        self.said_before = 0

    @staticmethod
    def is_built():
        return all((build_directory() / name).exists() for name in ("masugatad", "masugata"))

    def start(self):
        if not self.is_built():
            raise LabError(f"no masugatad and masugata in {build_directory()}: run ./dev build")
        if not self.configuration.exists():
            self.configuration.write_text(CONFIGURATION.read_text(encoding="utf-8"))
        for name in ("eve.json", "eve.json.1"):
            (RUN_DIRECTORY / name).unlink(missing_ok=True)
        self.use_rules(RULES.read_text(encoding="utf-8"))
        set_kernel_settings(plan.GATEWAY, {
            "net.ipv4.ip_forward": 0, "net.ipv6.conf.all.forwarding": 0})
        for port in plan.GATEWAY_PORTS.values():
            # The kernel must not answer on the wire beside the gateway: it speaks on the TAP twins.
            set_kernel_settings(plan.GATEWAY, {f"net.ipv6.conf.{port}.disable_ipv6": 1})
            configure(plan.GATEWAY, f"""
                address flush dev {port}
                link set {port} xdp off
                link set {port} arp off up""")
        words = os.environ.get("MASUGATA_LAB_OPTIONS", "--no-huge --memory-mb 512").split()
        words += ["--hw-profiles", self.hw_profiles]
        log = self.directory / "masugatad.log"
        # Of a gateway that ran before in this lab; what it said does not make this one ready.
        self.said_before = len(log.read_text(errors="replace")) if log.exists() else 0
        self.program = Program("masugatad", inside(plan.GATEWAY, [
            build_directory() / "masugatad", "--config", self.configuration,
            "--control-socket", self.control_socket, "--scan-job-socket", self.scan_job_socket,
            "--state-folder", self.directory / "state", "--pki-folder", self.pki,
            "--charon-log", self.charon_log, *words]), self.directory / "masugatad.log")
        self.program.wait_ready(self.is_ready, timeout_s=30)

    @staticmethod
    def use_rules(text):
        """What gateway.conf calls its rule file; reload() reads it."""
        RUN_DIRECTORY.mkdir(mode=0o755, exist_ok=True)
        (RUN_DIRECTORY / "ips.rules").write_text(text, encoding="utf-8")

    @staticmethod
    def events():
        """The event log so far, oldest first."""
        path = RUN_DIRECTORY / "eve.json"
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        return [json.loads(line) for line in lines]

    def is_ready(self):
        if "masugatad ready" in self.program.log()[self.said_before:]:
            return True
        return (self.control_socket.exists()
                and self.command("show", "system", check=False).returncode == 0)

    def stop(self):
        if self.program is not None:
            self.program.stop(grace_s=10)
            self.program = None

    def reload(self):
        self.command("reload")

    def is_running(self):
        return self.program is not None and self.program.is_running()

    def command(self, *words, check=True):
        """Runs the masugata command line against this gateway."""
        return run(inside(plan.GATEWAY, [
            build_directory() / "masugata", "--control-socket", self.control_socket, *words]),
            check=check)

    def status_reports(self):
        reports = []
        for topic in self.reports:
            result = self.command("show", topic, check=False)
            reports.append((f"masugata show {topic}", result.stdout + result.stderr))
        return reports


GATEWAYS = {gateway.kind: gateway for gateway in (MasugataGateway, KernelGateway)}
