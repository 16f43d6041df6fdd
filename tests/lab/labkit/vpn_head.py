# SPDX-License-Identifier: GPL-2.0-or-later
"""Headquarters of the tunnels: masugatad with sites in its configuration, charon with our plugin, and
certificates by masugata pki."""

import os
import re
import shutil
import signal
from pathlib import Path

from . import addresses as plan
from .charon_pair import CHARON, PLUGINS, plugin_path
from .commands import LabError, Program, run, wait_until
from .gateways import build_directory
from .topology import inside
from .vpn_peers import HEAD_IDENTITY, PEER_IDENTITY, SITE

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
    from lan to branches { rule all { action permit; inspect { %s } } }
    from branches to lan { rule all { action permit; inspect { %s } } }
    from branches to self { rule ping { protocol icmp; action permit; } }
}
"""


def authority(folder, name):
    """A CA of our own, and a function that asks masugata pki for something by it."""
    def pki(action, of_whom, *words):
        run([build_directory() / PKI, action, of_whom, "--ca", name, *words, "--folder", folder],
            timeout_s=60)
    if not (folder / "ca" / f"{name}.pem").exists():
        # An RSA key takes long to make: sites have enough of them.
        run([build_directory() / PKI, "create-ca", name, "--key", KEYS["ecdsa"], "--folder", folder],
            timeout_s=60)
    return pki


def certify(folder, kind):
    """Certificates for both sides, of an own CA for each kind of key; made when first asked for."""
    if kind == "psk" or (folder / "ca" / f"own-{kind}.pem").exists():
        return
    pki = authority(folder, f"own-{kind}")
    for site, name in (("hq", HEAD_IDENTITY), ("osaka", PEER_IDENTITY)):
        pki("issue", f"{site}-{kind}", "--dns", name, "--key", KEYS[kind])


class Head:
    """A context manager. use() tells what sites there are; masugatad tells charon."""

    def __init__(self, lab):
        self.lab = lab
        self.gateway = lab.gateway
        self.store = self.gateway.pki
        self.plugins = Path(lab.directory) / "head-plugins"
        self.before = self.used = self.charon = None

    def __enter__(self):
        self.before = self.gateway.configuration.read_text(encoding="utf-8")
        self.gateway.configuration.chmod(0o600)  # it shall hold secrets
        shutil.rmtree(self.plugins, ignore_errors=True)
        shutil.copytree(PLUGINS, self.plugins)
        shutil.copy(plugin_path(), self.plugins)
        return self

    def start_charon(self):
        script = f"mount --bind {self.plugins} {PLUGINS} && exec {CHARON}"
        self.charon = Program("charon-head", inside(plan.GATEWAY, ["sh", "-c", script]),
                              Path(self.lab.directory) / "charon-head.out",
                              {"STRONGSWAN_CONF": str(self.gateway.charon_settings)})

    def kill_charon(self):
        """As kill -9 does; what started it goes with it."""
        os.killpg(self.charon.pid, signal.SIGKILL)
        self.charon.wait(5)
        self.gateway.charon_socket.unlink(missing_ok=True)

    def use(self, *sites, inspect="ips standard;", load=True):
        """Configures the gateway with these sites; what was before ends. `load`: none of them is
        disabled."""
        text = self.before.replace(FROM_WAN, FROM_WAN + IKE_RULE, 1) + \
            POLICY % ("".join(sites), inspect, inspect)
        if text == self.used:
            return
        loaded = self._count_loaded()
        self.gateway.configuration.write_text(text, encoding="utf-8")
        self.gateway.reload()
        if self.charon is None and sites:
            self.start_charon()
        self.used = text
        if not wait_until(lambda: self._count_loaded() >= loaded + len(sites) * load, 15):
            raise LabError(f"sites are not loaded: {self.gateway.program.log()[-2000:]}")

    def _count_loaded(self):
        return len(re.findall(r"site \S+ is loaded", self.gateway.program.log()))

    def swanctl(self, *words, check=True, timeout_s=20):
        command, *rest = words
        return run(["swanctl", command, *rest, "--uri", f"unix://{self.gateway.charon_socket}"],
                   timeout_s=timeout_s, check=check)

    def terminate(self):
        """Forgets a peer that answers no more."""
        self.swanctl("--terminate", "--ike", SITE, "--force", "--timeout", "1", check=False)

    def rekey(self):
        self.swanctl("--rekey", "--child", SITE)

    def spis(self):
        """Of the child SAs that the gateway's charon has installed."""
        listed = self.swanctl("--list-sas", "--raw", check=False).stdout
        return set(re.findall(r"state=INSTALLED .*?spi-in=([0-9a-f]+)", listed))

    def wait_for_tunnel(self, timeout_s=10):
        return wait_until(lambda: len(self.spis()) == 1, timeout_s, 0.1)

    def log(self):
        file = self.gateway.charon_log
        return file.read_text(encoding="utf-8", errors="replace") if file.exists() else ""

    def __exit__(self, *_):
        if self.charon is not None:
            self.charon.stop(grace_s=5)
            self.gateway.charon_socket.unlink(missing_ok=True)
        self.gateway.configuration.write_text(self.before, encoding="utf-8")
        if self.gateway.is_running():
            self.gateway.reload()
