# SPDX-License-Identifier: GPL-2.0-or-later
"""Peers that are not ours: strongSwan with ESP of its own (kernel-libipsec), strongSwan and Libreswan
with the Linux kernel's ESP. What both sides agree on is an Agreement."""

import dataclasses
import json
import shutil
from pathlib import Path

from . import addresses as plan
from . import vpn_edge as edge
from .charon_pair import CHARON
from .commands import LabError, run, wait_until
from .services import PROBES, PYTHON
from .topology import inside

SITE = "osaka"
SECRET = "the secret of two offices"
HEAD_IDENTITY, PEER_IDENTITY = "hq.example.com", "osaka.example.com"


@dataclasses.dataclass(frozen=True)
class Agreement:
    """What a tunnel is made with, as both sides are told it."""

    esp: str = "aes128gcm16"
    esn: bool = True
    group: str = "x25519"
    ike: str = "aes256gcm16-prfsha384-ecp384"
    authentication: str = "psk"  # psk, ecdsa, rsa
    outside: int = 4  # version of IP
    translated: bool = False  # the peer behind NAT
    second: bool = False  # the peer at the second of its addresses
    inside_six: bool = False  # IPv6 networks too
    starting: bool = False  # headquarters begin by themselves
    moving: bool = False  # at headquarters the peer's address is any
    mobike: bool = False  # its address may change while the tunnel is up
    transport: bool = False  # no tunnel: between the gateway and the peer themselves

    @property
    def peer_address(self):
        if self.outside == 6:
            return edge.PEER_V6
        if self.translated:
            return edge.PEER_PRIVATE_SECOND if self.second else edge.PEER_PRIVATE
        return edge.PEER_SECOND if self.second else edge.PEER

    @property
    def head_address(self):
        return plan.PUBLIC_V6 if self.outside == 6 else plan.PUBLIC

    @property
    def mode(self):
        return "transport" if self.transport else "tunnel"

    @property
    def head_networks(self):
        if self.transport:
            return ["dynamic"]
        return [plan.LAN_NET, *([plan.LAN_NET_V6] if self.inside_six else [])]

    @property
    def peer_networks(self):
        if self.transport:
            return ["dynamic"]
        return [edge.PEER_NET, *([edge.PEER_NET_V6] if self.inside_six else [])]

    def site(self, role="both", more=""):
        """The site in our configuration."""
        authentication = f'psk "{SECRET}";' if self.authentication == "psk" else \
            f"certificate hq-{self.authentication}; ca own-{self.authentication};"
        peer = "any" if self.translated or self.moving or self.mobike else self.peer_address
        role = "respond" if peer == "any" else role
        what = "transport-mode;" if self.transport else f"""
        local-networks [ {" ".join(self.head_networks)} ];
        remote-networks [ {" ".join(self.peer_networks)} ];"""
        return f"""
    site {SITE} {{
        zone branches; peer {peer}; role {role}; {"" if role == "respond" or self.starting else "start by-hand;"}
        local-address {self.head_address};
        authentication {{ {authentication} local-identity {HEAD_IDENTITY};
                         remote-identity {PEER_IDENTITY}; }}
        {what}
        ike {{ proposal {self.ike}; {"mobike on;" if self.mobike else ""} }}
        esp {{ proposal {self.esp}; pfs {self.group}; esn {"on" if self.esn else "off"}; }}
        {more}
    }}
"""


STRONGSWAN_CONF = """
charon-systemd {{
  load = random nonce openssl pem pkcs1 pkcs8 x509 pubkey constraints hmac kdf \
{kernel} kernel-netlink socket-default vici
  retransmit_tries = 3
  retransmit_timeout = 1.0
  delete_rekeyed_delay = 1
  install_virtual_ip = no
  journal {{ default = -1 }}
  filelog {{ main {{
    path = {directory}/charon.log
    flush_line = yes
    default = 1
  }} }}
  plugins {{ vici {{ socket = unix://{socket} }} }}
}}
swanctl {{ load = pem pkcs1 pkcs8 x509 pubkey openssl random }}
"""

SWANCTL_CONF = """
connections {{ {site} {{
  version = 2
  local_addrs = {local}
  remote_addrs = {remote}
  proposals = {ike}
  mobike = {mobike}
  dpd_delay = 2s
  local {{ {local_authentication}
    id = {local_identity} }}
  remote {{ {remote_authentication}
    id = {remote_identity} }}
  children {{ {site} {{
    local_ts = {local_networks}
    remote_ts = {remote_networks}
    mode = {mode}
    esp_proposals = {esp}
    replay_window = 128
    rekey_time = 50m
    start_action = {start}
    dpd_action = restart
  }} }}
}} }}
secrets {{ ike-site {{
  id-a = {local_identity}
  id-b = {remote_identity}
  secret = "{secret}"
}} }}
"""


def changed(text, changes):
    """Once each; what is not there is a mistake of the test's."""
    for old, new in changes:
        if old not in text:
            raise LabError(f"no {old!r} in {text}")
        text = text.replace(old, new, 1)
    return text


class StrongSwan:
    """charon and swanctl on a machine. `kernel` is the plugin that holds its SAs."""

    def __init__(self, lab, machine, kernel):
        self.lab = lab
        self.machine = machine
        self.kernel = kernel
        self.program = self.transfers = None
        self.directory = machine.directory

    @property
    def _environment(self):
        return {"STRONGSWAN_CONF": f"{self.directory}/strongswan.conf",
                "SWANCTL_DIR": f"{self.directory}/swanctl"}

    @property
    def _socket(self):
        # A file system of a machine's host cannot hold a socket of the machine.
        return "/run/vici.sock" if self.kernel is None else f"{self.directory}/vici.sock"

    def start(self):
        self.machine.start()
        self._write_settings()
        self.start_programs()

    def _write_settings(self):
        shutil.rmtree(self.directory / "swanctl", ignore_errors=True)
        for folder in ("x509", "x509ca", "private"):
            (self.directory / "swanctl" / folder).mkdir(parents=True)
        text = STRONGSWAN_CONF.format(directory=self.directory, kernel=self.kernel or "",
                                      socket=self._socket)
        (self.directory / "strongswan.conf").write_text(text, encoding="utf-8")

    def restart(self):
        """After its machine was stopped: with what it was configured with."""
        self.machine.start()
        self.start_programs()
        self.swanctl("--load-all", "--noprompt")

    def start_programs(self):
        self.start_charon()
        self.transfers = [edge.serve_transfers(self.machine),
                          edge.serve_transfers(self.machine, edge.PEER_HOST_V6)]

    def start_charon(self):
        self.program = self.machine.begin([CHARON], self.directory / "charon.out",
                                          self._environment)
        if not wait_until(lambda: self.swanctl("--stats", check=False).returncode == 0, 15, 0.1):
            raise LabError(f"charon does not start: {self.log()[-2000:]}")

    def stop(self):
        self.machine.stop()

    def swanctl(self, *words, check=True, timeout_s=20):
        command, *rest = words
        return self.machine.run(["swanctl", command, *rest, "--uri", f"unix://{self._socket}"],
                                timeout_s=timeout_s, check=check, environment=self._environment)

    def load(self, agreement, store, changes=(), start="none"):
        """`store` is the folder of masugata pki with the peer's certificate; `changes` are pairs of
        what swanctl.conf would say and what it says instead."""
        esn = "-esn" if agreement.esn else "-noesn"
        if agreement.authentication == "psk":
            local = remote = "auth = psk"
        else:
            self._take_certificate(agreement.authentication, store)
            local = f"auth = pubkey\n    certs = {PEER_IDENTITY}.pem"
            remote = "auth = pubkey"
        text = SWANCTL_CONF.format(
            site=SITE, local="%any" if agreement.mobike else agreement.peer_address,
            remote=agreement.head_address, ike=agreement.ike, mobike="yes" if agreement.mobike else "no",
            local_authentication=local, remote_authentication=remote,
            local_identity=PEER_IDENTITY, remote_identity=HEAD_IDENTITY,
            local_networks=",".join(agreement.peer_networks),
            remote_networks=",".join(agreement.head_networks), mode=agreement.mode,
            esp=f"{agreement.esp}-{agreement.group}{esn}", start=start, secret=SECRET)
        (self.directory / "swanctl" / "swanctl.conf").write_text(changed(text, changes),
                                                                 encoding="utf-8")
        self.swanctl("--load-all", "--noprompt", "--clear")

    def _take_certificate(self, kind, store):
        swanctl = self.directory / "swanctl"
        shutil.copy(store / f"certificates/osaka-{kind}.pem", swanctl / "x509" / f"{PEER_IDENTITY}.pem")
        shutil.copy(store / f"keys/osaka-{kind}.pem", swanctl / "private" / "site.key")
        shutil.copy(store / f"ca/own-{kind}.pem", swanctl / "x509ca" / "ca.pem")

    def initiate(self, timeout_s=10):
        """Whether the tunnel came up."""
        return self.swanctl("--initiate", "--child", SITE, "--timeout", timeout_s,
                            check=False).returncode == 0

    def terminate(self):
        self.swanctl("--terminate", "--ike", SITE, "--force", "--timeout", "2", check=False)

    def rekey(self):
        self.swanctl("--rekey", "--child", SITE)

    def log(self):
        file = self.directory / "charon.log"
        return file.read_text(encoding="utf-8", errors="replace") if file.exists() else ""


def libipsec(lab, directory):
    return StrongSwan(lab, edge.NamespaceMachine(lab, Path(directory)), "kernel-libipsec!")


def linux_kernel(lab, directory):
    return StrongSwan(lab, edge.UmlMachine(lab, Path(directory)), None)


# What is sent through the tunnel; answers of probes/tunnel.py.

def transfer(size=400_000, six=False, from_gateway=False):
    namespace = plan.GATEWAY if from_gateway else plan.LAN
    source, host = (plan.CLIENT_V6, edge.PEER_HOST_V6) if six else (plan.CLIENT, edge.PEER_HOST)
    if from_gateway:
        source, host = plan.PUBLIC, edge.PEER
    result = run(inside(namespace, [PYTHON, PROBES / "tunnel.py", "transfer", source, host,
                                   edge.TRANSFER_PORT, size]), check=False, timeout_s=40)
    return json.loads(result.stdout) if result.returncode == 0 else {"error": result.stderr[-500:]}


class Stream:
    """Numbered datagrams to the peer, which sends them back."""

    def __init__(self, lab, seconds, interval_ms=2):
        self.program = lab.start(plan.LAN, [
            PYTHON, PROBES / "tunnel.py", "count", plan.CLIENT, edge.PEER_HOST,
            str(edge.TRANSFER_PORT), str(seconds), str(interval_ms)], "stream")
        self.patience_s = seconds + 10

    def outcome(self):
        """As probes/tunnel.py prints it."""
        self.program.wait(self.patience_s)
        self.program.stop()
        return json.loads(self.program.log())


def ping_peer(count=3, six=False, host=edge.PEER_HOST):
    """(sent, received)."""
    source, target = (plan.CLIENT_V6, edge.PEER_HOST_V6) if six else (plan.CLIENT, host)
    return count_pings(run(inside(plan.LAN, ping(source, target, count)), check=False, timeout_s=30))


def ping(source, host, count=3, *more):
    return ["ping", "-n", "-c", count, "-i", "0.1", "-W", "3", *more, "-I", source, host]


def count_pings(result):
    """(sent, received)."""
    words = next((line.split() for line in result.stdout.splitlines()
                  if "packets transmitted" in line), ("0", "", "", "-1"))
    return int(words[0]), int(words[3])
