# SPDX-License-Identifier: GPL-2.0-or-later
"""Transport mode: the gateway itself and strongSwan with the Linux kernel's ESP."""

import pytest

from labkit import addresses as plan
from labkit import vpn_edge as edge
from labkit import vpn_peers
from labkit.charon_pair import NEEDED
from labkit.commands import run, wait_until
from labkit.topology import inside
from labkit.vpn_offices import watched_wire
from labkit.vpn_peers import Agreement, count_pings, ping

pytestmark = NEEDED


def ping_from_gateway(*more):
    return count_pings(run(inside(plan.GATEWAY, ping(plan.PUBLIC, edge.PEER, 3, *more)),
                           check=False, timeout_s=30))


@pytest.mark.parametrize("esp", ["aes128gcm16", "aes256-sha256"])
def test_between_the_gateway_and_a_host(offices, lab, esp):
    peer = offices.connect("linux", Agreement(esp=esp, transport=True))
    server = edge.serve_transfers(peer.machine, edge.PEER)
    try:
        with watched_wire(lab) as wire:
            assert ping_from_gateway() == (3, 3), lab.gateway.command("show", "drops").stdout
            # As large as the link, not to be cut: cut behind encryption, and so is what comes back.
            assert ping_from_gateway("-s", "1472", "-M", "do") == (3, 3)
            # Cut before it comes to encryption: joined, encrypted as a whole, cut again; and back.
            for size in ("4000", "60000"):
                assert ping_from_gateway("-s", size) == (3, 3), (
                    size, lab.gateway.command("show", "drops").stdout)
                assert count_pings(peer.machine.run(
                    ping(edge.PEER, plan.PUBLIC, 3, "-s", size), check=False)) == (3, 3), size
            assert count_pings(peer.machine.run(ping(edge.PEER, plan.PUBLIC), check=False)) == (3, 3)
            assert wait_until(lambda: vpn_peers.transfer(1000, from_gateway=True).get("back"), 10, 0.2)
            outcome = vpn_peers.transfer(from_gateway=True)
            assert outcome.get("there") and outcome.get("back"), (
                outcome, lab.gateway.command("show", "drops").stdout)
            assert wait_until(lambda: wire.log().count("ESP(spi") > 100, 5), wire.log()[-1000:]
        between = [line for line in wire.log().splitlines()
                   if edge.PEER in line and plan.PUBLIC in line]
        clear = [line for line in between
                 if not any(word in line for word in ("ESP(spi", "isakmp", "ip-proto-50", "ESP"))]
        assert not clear, clear[:5]
    finally:
        server.end()


def test_nothing_goes_in_clear(offices, lab):
    """Neither without keys, nor what comes from the peer without them."""
    peer = offices.connect("linux", Agreement(transport=True))
    assert ping_from_gateway() == (3, 3)
    peer.terminate()
    assert wait_until(lambda: not offices.head.spis(), 5, 0.1)
    with watched_wire(lab) as wire:
        assert ping_from_gateway() == (3, 0)
        assert count_pings(peer.machine.run(ping(edge.PEER, plan.PUBLIC), check=False)) == (3, 0)
        assert wait_until(lambda: "echo request" in wire.log(), 5), wire.log()[-1000:]
        assert f"{plan.PUBLIC} > {edge.PEER}: ICMP" not in wire.log()
    drops = lab.gateway.command("show", "drops").stdout
    assert "ipsec-in-clear" in drops and "ipsec-no-sa" in drops, drops
