# SPDX-License-Identifier: GPL-2.0-or-later
"""What traffic in a tunnel suffers from new keys, restarts and new addresses. The figures that these
tests print are in docs/vpn.md."""

import os
import signal
import time

import pytest

from labkit import addresses as plan
from labkit import vpn_peers
from labkit.commands import wait_until
from labkit.vpn_edge import PEER, PEER_HOST, Edge
from labkit.charon_pair import NEEDED
from labkit.vpn_peers import Agreement, Stream

pytestmark = NEEDED
# Libreswan 4.10 takes the group of the IKE SA for new keys, whatever its esp= says.
GROUPS = {"libreswan": "ecp384"}


@pytest.mark.parametrize("side", ["head", "peer"])
@pytest.mark.parametrize("kind", ["linux", pytest.param("libipsec", marks=pytest.mark.full),
                                  pytest.param("libreswan", marks=pytest.mark.full)])
def test_new_keys_lose_nothing(offices, lab, kind, side):
    offices.connect(kind, Agreement(esn=kind != "libipsec", group=GROUPS.get(kind, "x25519")))
    stream = Stream(lab, seconds=4, interval_ms=4)
    before = offices.head.spis()
    for _ in range(2):
        time.sleep(1)
        getattr(offices, side).rekey()
        assert wait_until(lambda: offices.head.spis() and not offices.head.spis() & before, 5, 0.1)
        before = offices.head.spis()
    outcome = stream.outcome()
    # Libreswan sends with the new keys as soon as it has answered, which may be before its answer
    # has told us the other half of them: such packets wait.
    print(f"\nnew keys twice, {kind}, begun by {side}: {outcome}")
    assert outcome["received"] == outcome["sent"], (
        outcome, lab.gateway.command("show", "drops").stdout)


@pytest.mark.full
def test_a_peer_that_restarts(offices, lab):
    peer = offices.connect("linux", Agreement(), start="start")
    stream = Stream(lab, seconds=12, interval_ms=10)
    assert wait_until(lambda: vpn_peers.ping_peer(1) == (1, 1), 5)
    peer.machine.stop()
    peer.restart()
    outcome = stream.outcome()
    print(f"\npeer switched off and on: {outcome}")
    assert vpn_peers.ping_peer() == (3, 3)
    assert outcome["longest_gap_s"] < 10, outcome


def test_a_translation_that_changes(offices, lab):
    """What the peer sends says where it is now."""
    peer = offices.connect("linux", Agreement(translated=True))
    stream = Stream(lab, seconds=4, interval_ms=10)
    own = peer.machine.begin(["ping", "-n", "-q", "-i", "0.1", "-I", PEER_HOST, plan.CLIENT],
                             peer.directory / "ping.log")
    time.sleep(1)
    try:
        Edge.get_new_address()
        outcome = stream.outcome()
        print(f"\ntranslated to another address: {outcome}")
        assert vpn_peers.ping_peer() == (3, 3)
        assert outcome["longest_gap_s"] < 1, outcome
    finally:
        own.end()
        Edge.get_old_address()


@pytest.mark.full
def test_a_peer_with_a_new_address(offices, lab):
    """A site whose peer is `any`: it comes from elsewhere."""
    offices.connect("linux", Agreement(moving=True))
    stream = Stream(lab, seconds=6, interval_ms=10)
    time.sleep(1)
    agreement = Agreement(moving=True, second=True)
    offices.peer.load(agreement, offices.head.store)
    assert offices.peer.initiate(), offices.peer.log()[-2000:]
    outcome = stream.outcome()
    print(f"\npeer at a new address: {outcome}")
    assert vpn_peers.ping_peer() == (3, 3)
    assert outcome["longest_gap_s"] < 4, outcome


@pytest.mark.full
def test_a_peer_that_moves(offices, lab):
    """With MOBIKE: the SAs stay, their ends change."""
    peer = offices.connect("linux", Agreement(mobike=True))
    before = offices.head.spis()
    stream = Stream(lab, seconds=6, interval_ms=10)
    time.sleep(1)
    peer.machine.run(["sysctl", "-w", "net.ipv4.conf.all.promote_secondaries=1"])
    try:
        peer.machine.run(["ip", "address", "delete", f"{PEER}/28", "dev", "vec0"])
        outcome = stream.outcome()
        print(f"\npeer moves with MOBIKE: {outcome}")
        assert vpn_peers.ping_peer() == (3, 3)
        assert offices.head.spis() == before
        assert outcome["longest_gap_s"] < 4, outcome
    finally:
        offices.stop()


def outage(lab, offices, kill, seconds=7):
    """The tunnel's traffic while something is killed and started again."""
    stream = Stream(lab, seconds, interval_ms=10)
    time.sleep(1)
    kill()
    outcome = stream.outcome()
    assert wait_until(lambda: vpn_peers.ping_peer(1) == (1, 1), 20, 0.2), (
        offices.head.log()[-2000:], lab.gateway.program.log()[-2000:])
    return outcome


def kill_charon(offices):
    offices.head.kill_charon()
    offices.head.start_charon()


def kill_gateway(lab):
    os.killpg(lab.gateway.program.pid, signal.SIGKILL)
    lab.gateway.program.wait(5)
    lab.gateway.start()


@pytest.mark.full
def test_a_killed_charon(offices, lab):
    offices.connect("linux", Agreement(starting=True), start="start")
    outcome = outage(lab, offices, lambda: kill_charon(offices))
    print(f"\ncharon killed: {outcome}")
    assert outcome["longest_gap_s"] < 5, outcome


@pytest.mark.full
def test_a_killed_gateway(offices, lab):
    offices.connect("linux", Agreement(starting=True), start="start")
    outcome = outage(lab, offices, lambda: kill_gateway(lab))
    print(f"\nmasugatad killed: {outcome}")
    assert outcome["longest_gap_s"] < 10, outcome


@pytest.mark.full
def test_killed_both(offices, lab):
    def kill():
        offices.head.kill_charon()
        kill_gateway(lab)
        offices.head.start_charon()
    offices.connect("linux", Agreement(starting=True), start="start")
    outcome = outage(lab, offices, kill)
    print(f"\ncharon and masugatad killed: {outcome}")
    assert outcome["longest_gap_s"] < 10, outcome
