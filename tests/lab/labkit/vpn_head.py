# SPDX-License-Identifier: GPL-2.0-or-later
"""Headquarters of the tunnels: masugatad with sites in its configuration, charon with our plugin, and
certificates by masugata pki."""

import os
import re
import shutil
import signal
import subprocess
from pathlib import Path

from . import addresses as plan
from .charon_pair import CHARON, PLUGINS, plugin_path
from .commands import LabError, Program, run, wait_until
from .gateways import build_directory
from .topology import inside
from .vpn_peers import HEAD_IDENTITY, PEER_IDENTITY, SITE

LOADER = "tests/ipsec/charon_loader"
PKI = "ipsec/pki/masugata-pki"
KEYS = {"ecdsa": "ec256", "rsa": "rsa3072"}

FROM_WAN = "    from wan to self {\n"
# IKE is traffic to the gateway like any other: a rule permits it.
IKE_RULE = """        rule ike { service [ isakmp ipsec-nat-t ]; action permit; }
"""
POLICY = """
zones { zone branches { } }
vpn {%s}
policy {
    from lan to branches { rule all { action permit; inspect { ips standard; } } }
    from branches to lan { rule all { action permit; inspect { ips standard; } } }
    %s
}
"""


def certify(folder, kind):
    """Certificates for both sides, of an own CA for each kind of key; made when first asked for."""
    if kind == "psk" or (folder / "ca" / f"own-{kind}.pem").exists():
        return
    def pki(*words):
        run([build_directory() / PKI, *words, "--folder", folder], timeout_s=60)
    # An RSA key takes long to make: two are enough.
    pki("create-ca", f"own-{kind}", "--key", KEYS["ecdsa"])
    for site, name in (("hq", HEAD_IDENTITY), ("osaka", PEER_IDENTITY)):
        pki("issue", f"{site}-{kind}", "--ca", f"own-{kind}", "--dns", name, "--key", KEYS[kind])


class Head:
    """A context manager. charon keeps running; use() tells what sites there are."""

    def __init__(self, lab):
        self.lab = lab
        self.directory = Path(lab.directory) / "head"
        self.store = self.directory / "pki"
        self.socket = self.directory / "vici.sock"
        self.before = None
        self.charon = self.loader = None

    def __enter__(self):
        self.before = self.lab.gateway.configuration.read_text(encoding="utf-8")
        self.lab.gateway.configuration.chmod(0o600)  # it shall hold secrets
        try:
            self._prepare()
            self.start_charon()
        except BaseException:
            self.__exit__()
            raise
        return self

    def _prepare(self):
        shutil.rmtree(self.directory, ignore_errors=True)
        shutil.copytree(PLUGINS, self.directory / "plugins")
        shutil.copy(plugin_path(), self.directory / "plugins")
        settings = self.directory / "strongswan.conf"
        run([build_directory() / LOADER, "settings", settings, self.socket, "kernel-masugata",
             self.directory / "charon.log"])
        text = re.sub(r"(kernel-masugata \{\s*socket = )\S+", rf"\1{self.lab.directory}/sa.sock",
                      settings.read_text(encoding="utf-8"))
        settings.write_text(text, encoding="utf-8")

    def start_charon(self):
        script = f"mount --bind {self.directory}/plugins {PLUGINS} && exec {CHARON}"
        self.charon = Program("charon-head", inside(plan.GATEWAY, ["sh", "-c", script]),
                              self.directory / "charon.out",
                              {"STRONGSWAN_CONF": f"{self.directory}/strongswan.conf"})
        self.charon.wait_ready(
            lambda: self.swanctl("--stats", check=False).returncode == 0, timeout_s=20)
        self.loader = subprocess.Popen(
            [build_directory() / LOADER, self.socket, self.store], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, text=True)

    def _end_loader(self):
        if self.loader is not None:
            self.loader.kill()
            self.loader.wait()
            self.loader = None

    def kill_charon(self):
        """As kill -9 does; what started it goes with it."""
        os.killpg(self.charon.pid, signal.SIGKILL)
        self.charon.wait(5)
        self._end_loader()
        self.socket.unlink(missing_ok=True)

    def ask_loader(self, command):
        self.loader.stdin.write(command + "\n")
        self.loader.stdin.flush()
        lines = [line.rstrip("\n") for line in iter(self.loader.stdout.readline, "end\n") if line]
        if any(line.startswith(("fault", "problem")) for line in lines):
            raise LabError(f"{command}: {lines}")
        return lines

    def use(self, *sites, more_policy=""):
        """Configures the gateway with these sites; what was before ends."""
        text = self.before.replace(FROM_WAN, FROM_WAN + IKE_RULE, 1)
        self.lab.gateway.configuration.write_text(
            text + POLICY % ("".join(sites), more_policy), encoding="utf-8")
        self.lab.gateway.reload()
        self.commit()

    def commit(self):
        return self.ask_loader(f"commit {self.lab.gateway.configuration}")

    def swanctl(self, *words, check=True, timeout_s=20):
        command, *rest = words
        return run(["swanctl", command, *rest, "--uri", f"unix://{self.socket}"],
                   timeout_s=timeout_s, check=check)

    def terminate(self):
        """Forgets a peer that answers no more."""
        self.swanctl("--terminate", "--ike", SITE, "--force", "--timeout", "1", check=False)

    def spis(self):
        """Of the child SAs that the gateway's charon has installed."""
        listed = self.swanctl("--list-sas", "--raw", check=False).stdout
        return set(re.findall(r"state=INSTALLED .*?spi-in=([0-9a-f]+)", listed))

    def wait_for_tunnel(self, timeout_s=10):
        return wait_until(lambda: len(self.spis()) == 1, timeout_s, 0.1)

    def log(self):
        file = self.directory / "charon.log"
        return file.read_text(encoding="utf-8", errors="replace") if file.exists() else ""

    def __exit__(self, *_):
        self._end_loader()
        if self.charon is not None:
            self.charon.stop(grace_s=5)
        self.lab.gateway.configuration.write_text(self.before, encoding="utf-8")
        if self.lab.gateway.is_running():
            self.lab.gateway.reload()
