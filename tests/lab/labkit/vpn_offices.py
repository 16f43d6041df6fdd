# SPDX-License-Identifier: GPL-2.0-or-later
"""Headquarters and a peer that is not ours, joined by a tunnel."""

import contextlib
from pathlib import Path

import pytest

from . import addresses as plan
from . import uml, vpn_libreswan, vpn_peers
from .commands import wait_until
from .vpn_edge import WAN_LINK, Edge
from .vpn_head import Head, certify

PEERS = {"libipsec": vpn_peers.libipsec, "linux": vpn_peers.linux_kernel,
         "libreswan": vpn_libreswan.Libreswan}


class Offices:
    """Both ends; one peer at a time."""

    def __init__(self, lab, head):
        self.lab = lab
        self.head = head
        self.kind = self.peer = None

    def peer_of(self, kind):
        if kind != "libipsec" and not uml.PROGRAM.exists():
            pytest.skip("user-mode-linux is not installed")
        if kind == "libreswan" and not vpn_libreswan.programs().exists():
            pytest.skip("Libreswan is not there: packaging/libreswan/fetch.sh says why")
        if kind != self.kind:
            self.stop()
            self.peer = PEERS[kind](self.lab, Path(self.lab.directory) / f"peer-{kind}")
            self.peer.start()
            self.kind = kind
        return self.peer

    def stop(self):
        if self.peer is not None:
            self.peer.stop()
            self.head.terminate()
            self.kind = self.peer = None

    def connect(self, kind, agreement, start="none", **more):
        """The tunnel, begun by the peer."""
        peer = self.peer_of(kind)
        peer.terminate()
        certify(self.head.store, agreement.authentication)
        self.head.use(agreement.site(), **more)
        peer.load(agreement, self.head.store, start=start)
        # One that begins by itself may be faster.
        assert peer.initiate() or start != "none", peer.log()[-2000:] + self.head.log()[-2000:]
        assert self.head.wait_for_tunnel(), self.head.log()[-2000:]
        return peer


@contextlib.contextmanager
def raised_offices(lab):
    if lab.gateway.kind != "masugata":
        pytest.skip("the kernel as the gateway has no tunnels here")
    with Edge(lab), Head(lab) as head:
        both = Offices(lab, head)
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
        assert outcome.get("there") and outcome.get("back"), (
            outcome, lab.gateway.command("show", "drops").stdout)
        assert wait_until(lambda: wire.log().count("ESP(spi") > 100, 5), wire.log()[-1000:]
    for inner in ("10.9.0.", "10.0.1.", "2001:db8:9:", "2001:db8:2:"):
        assert inner not in wire.log()
