# SPDX-License-Identifier: GPL-2.0-or-later
"""Libreswan as a peer, with the Linux kernel's ESP on a machine of user-mode-linux. It does not get along
with strongSwan on one system: packaging/libreswan/fetch.sh unpacks it beside what is built."""

import shutil
from pathlib import Path

from . import vpn_edge as edge
from .commands import LabError, run, wait_until
from .gateways import build_directory
from .vpn_peers import HEAD_IDENTITY, PEER_IDENTITY, SECRET, SITE

NAMES = {
    "aes128gcm16": "aes_gcm128", "aes256gcm16": "aes_gcm256",
    "chacha20poly1305": "chacha20_poly1305", "aes128-sha256": "aes128-sha2_256",
    "aes256-sha256": "aes256-sha2_256", "aes256-sha384": "aes256-sha2_384",
    "aes256-sha512": "aes256-sha2_512", "aes256gcm16-prfsha384-ecp384": "aes_gcm256-sha2_384-dh20",
    "x25519": "dh31", "ecp384": "dh20",
}
AUTHENTICATION = {"psk": "secret", "ecdsa": "ecdsa", "rsa": "rsasig"}
RUN = "/run/pluto"

CONFIGURATION = """
config setup
    uniqueids=yes

conn {site}
    ikev2=insist
    left={local}
    leftid=@{local_identity}
    leftsubnet={local_network}
    {certificate}
    leftupdown=%disabled
    right={remote}
    rightid=@{remote_identity}
    rightsubnet={remote_network}
    authby={authby}
    ike={ike}
    esp={esp}
    esn={esn}
    replay-window=128
    auto=add
"""


def programs():
    return build_directory() / "libreswan" / "root" / "usr" / "libexec" / "ipsec"


class Libreswan:
    """As StrongSwan of vpn_peers."""

    def __init__(self, lab, directory):
        self.lab = lab
        self.machine = edge.UmlMachine(lab, Path(directory))
        self.directory = self.machine.directory
        self.pluto = self.transfers = None

    def start(self):
        self.machine.start()
        self.directory.mkdir(exist_ok=True)
        self.transfers = [edge.serve_transfers(self.machine),
                          edge.serve_transfers(self.machine, edge.PEER_HOST_V6)]
        self.machine.run(["mkdir", "-p", RUN])
        # It calls its own programs where a package would have put them.
        self.machine.run(["mount", "--bind", programs().parent, "/usr/libexec"])

    def stop(self):
        self.machine.stop()

    def _whack(self, *words, check=True, timeout_s=20):
        return self.machine.run([programs() / "whack", "--rundir", RUN, *words], check=check,
                                timeout_s=timeout_s)

    def load(self, agreement, store, start="none"):
        """Another pluto with another key store, so that nothing of before is left."""
        self.end_pluto()
        certificate = "" if agreement.authentication == "psk" else \
            f"leftcert={self._take_certificate(agreement.authentication, store)}"
        (self.directory / "ipsec.conf").write_text(CONFIGURATION.format(
            site=SITE, local=agreement.peer_address, remote=agreement.head_address,
            local_identity=PEER_IDENTITY, remote_identity=HEAD_IDENTITY,
            local_network=agreement.peer_networks[0], remote_network=agreement.head_networks[0],
            certificate=certificate, authby=AUTHENTICATION[agreement.authentication],
            ike=NAMES[agreement.ike], esp=f"{NAMES[agreement.esp]};{NAMES[agreement.group]}",
            esn="yes" if agreement.esn else "no"), encoding="utf-8")
        (self.directory / "ipsec.secrets").write_text(
            f'@{PEER_IDENTITY} @{HEAD_IDENTITY} : PSK "{SECRET}"\n', encoding="utf-8")
        self._start_pluto()

    def _start_pluto(self):
        if not (self.directory / "nss").exists():
            self._make_key_store()
        said_before = len(self.log())
        self.pluto = self.machine.begin(
            [programs() / "pluto", "--nofork", "--logfile", self.directory / "pluto.log",
             "--config", self.directory / "ipsec.conf", "--nssdir", self.directory / "nss",
             "--rundir", RUN, "--secretsfile", self.directory / "ipsec.secrets", "--use-xfrm",
             "--no-dnssec"], self.directory / "pluto.out")
        # It loads connections by itself, and what is initiated before would end then.
        if not wait_until(lambda: "added IKEv2 connection" in self.log()[said_before:], 15):
            raise LabError(f"pluto does not start: {self.log()[-2000:]}")

    def _make_key_store(self):
        (self.directory / "nss").mkdir()
        run(["certutil", "-N", "-d", f"sql:{self.directory}/nss", "--empty-password"])

    def _take_certificate(self, kind, store):
        """The name that the key store gives it."""
        shutil.rmtree(self.directory / "nss", ignore_errors=True)
        self._make_key_store()
        name, bundle = f"osaka-{kind}", self.directory / "site.p12"
        run(["openssl", "pkcs12", "-export", "-in", store / f"certificates/{name}.pem", "-inkey",
             store / f"keys/{name}.pem", "-name", name, "-out", bundle, "-passout", "pass:lab"])
        place = f"sql:{self.directory}/nss"
        run(["pk12util", "-i", bundle, "-d", place, "-W", "lab", "-K", ""])
        run(["certutil", "-A", "-d", place, "-n", f"own-{kind}", "-t", "CT,,", "-i",
             store / f"ca/own-{kind}.pem"])
        return name

    def end_pluto(self):
        if self.pluto is not None:
            self._whack("--shutdown", check=False)
            self.pluto.end()
            self.pluto = None

    def initiate(self, timeout_s=10):
        """Whether the tunnel came up."""
        said = self._whack("--initiate", "--name", SITE, check=False, timeout_s=timeout_s)
        return "established Child SA" in said.stdout

    def terminate(self):
        self._whack("--terminate", "--name", SITE, check=False)

    def rekey(self):
        self._whack("--rekey-ipsec", "--name", SITE, "--async")

    def log(self):
        file = self.directory / "pluto.log"
        return file.read_text(encoding="utf-8", errors="replace") if file.exists() else ""
