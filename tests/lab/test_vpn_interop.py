# SPDX-License-Identifier: GPL-2.0-or-later
"""Tunnels to peers that are not ours, with what both sides can agree on."""

import contextlib
from pathlib import Path

import pytest

from labkit import addresses as plan
from labkit import uml, vpn_peers
from labkit.charon_pair import CHARON, plugin_path
from labkit.commands import wait_until
from labkit.vpn_edge import WAN_LINK, Edge
from labkit.vpn_head import Head, certify
from labkit.vpn_peers import Agreement

pytestmark = [
    pytest.mark.skipif(not Path(CHARON).exists(), reason="charon-systemd is not installed"),
    pytest.mark.skipif(not plugin_path().exists(),
                       reason="the plugin is not built: packaging/charon-plugin/build.sh says why"),
]

PEERS = {"libipsec": vpn_peers.libipsec, "linux": vpn_peers.linux_kernel}


class Offices:
    """Both ends; one peer at a time."""

    def __init__(self, lab, head):
        self.lab = lab
        self.head = head
        self.kind = self.peer = None

    def peer_of(self, kind):
        if kind == "linux" and not uml.PROGRAM.exists():
            pytest.skip("user-mode-linux is not installed")
        if kind != self.kind:
            self.stop()
            self.peer = PEERS[kind](self.lab, Path(self.lab.directory) / f"peer-{kind}")
            self.kind = kind
            self.peer.start()
        return self.peer

    def stop(self):
        if self.peer is not None:
            self.peer.stop()
            self.head.terminate()
            self.kind = self.peer = None

    def connect(self, kind, agreement, start="none"):
        """The tunnel, begun by the peer."""
        peer = self.peer_of(kind)
        peer.terminate()
        certify(self.head.store, agreement.authentication)
        self.head.use(agreement.site())
        peer.load(agreement, self.head.store, start)
        assert peer.initiate(), peer.log()[-2000:] + self.head.log()[-2000:]
        assert self.head.wait_for_tunnel(), self.head.log()[-2000:]
        return peer


@pytest.fixture(scope="module")
def offices(raised_lab):
    if raised_lab.gateway.kind != "masugata":
        pytest.skip("the kernel as the gateway has no tunnels here")
    with Edge(raised_lab), Head(raised_lab) as head:
        both = Offices(raised_lab, head)
        try:
            yield both
        finally:
            both.stop()


@contextlib.contextmanager
def watched_wire(lab):
    """What passes on the way to the peer, as tcpdump tells it."""
    program = lab.start(plan.WAN, ["tcpdump", "-n", "-l", "-t", "-i", WAN_LINK,
                                   "--immediate-mode", "ip or ip6"], "tcpdump-edge")
    try:
        program.wait_ready(lambda: "listening on" in program.log(), timeout_s=10)
        yield program
    finally:
        program.stop()


def check_tunnel(lab, six=False):
    """Packets and files pass both ways, and nothing of it is seen on the way."""
    with watched_wire(lab) as wire:
        assert vpn_peers.ping_peer(six=six) == (3, 3)
        outcome = vpn_peers.transfer(six=six)
        assert outcome.get("there") and outcome.get("back"), outcome
        assert wait_until(lambda: wire.log().count("ESP(spi") > 100, 5), wire.log()[-1000:]
    for inner in ("10.9.0.", "10.0.1.", "2001:db8:9:", "2001:db8:2:"):
        assert inner not in wire.log()


# Each cipher, form of sequence numbers, kind of key and family of addresses occurs once at least.
LINUX = (
    Agreement(),
    Agreement(esp="aes256gcm16", esn=False, authentication="rsa"),
    Agreement(esp="chacha20poly1305", translated=True),
    Agreement(esp="aes128-sha256", esn=False, translated=True, authentication="ecdsa"),
    Agreement(esp="aes256-sha256", authentication="ecdsa"),
    Agreement(esp="aes256-sha384", esn=False, outside=6),
    Agreement(esp="aes256-sha512", outside=6, inside_six=True),
)
CIPHERS = tuple(agreement.esp for agreement in LINUX)
# Every combination; all that is not above.
LINUX_ALL = tuple(
    agreement for agreement in (
        Agreement(esp=esp, esn=esn, authentication=authentication, outside=outside,
                  translated=translated, inside_six=True)
        for esp in CIPHERS for esn in (True, False) for authentication in ("psk", "ecdsa", "rsa")
        for outside, translated in ((4, False), (4, True), (6, False)))
    if agreement not in LINUX)
# Neither ESN nor ESP outside of UDP.
LIBIPSEC = (
    Agreement(esp="aes256gcm16", esn=False, authentication="ecdsa"),
    Agreement(esp="aes256-sha512", esn=False, translated=True),
    Agreement(esp="chacha20poly1305", esn=False, authentication="rsa", inside_six=True),
)


def name_of(agreement):
    changed = [name if value is True else str(value)
               for name, value in vars(agreement).items()
               if value != getattr(Agreement, name) and value is not False]
    return "-".join([agreement.esp, *(word for word in changed if word != agreement.esp),
                     *([] if agreement.esn else ["noesn"])])


def cases():
    listed = [("linux", agreement, ()) for agreement in LINUX]
    listed += [("linux", agreement, pytest.mark.full) for agreement in LINUX_ALL]
    listed += [("libipsec", agreement, ()) for agreement in LIBIPSEC]
    return [pytest.param(kind, agreement, id=f"{kind}-{name_of(agreement)}", marks=marks)
            for kind, agreement, marks in listed]


@pytest.mark.parametrize("kind,agreement", cases())
def test_agreement(offices, lab, kind, agreement):
    offices.connect(kind, agreement)
    check_tunnel(lab)
    if agreement.inside_six:
        check_tunnel(lab, six=True)
