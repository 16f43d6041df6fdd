# SPDX-License-Identifier: GPL-2.0-or-later
"""iperf3 through a tunnel whose keys are renewed meanwhile, of the tunnel and of IKE, by either side. The
figures that these tests print are in docs/vpn.md."""

import json
import re

import pytest

from labkit import addresses as plan
from labkit.commands import run, wait_until
from labkit.vpn_edge import PEER_HOST
from labkit.charon_pair import NEEDED
from labkit.vpn_peers import SITE, Agreement

pytestmark = NEEDED
PORT = "5998"
SECONDS = 8


@pytest.fixture(scope="module", params=[
    "linux", pytest.param("libipsec", marks=pytest.mark.full)])
def tunnel(request, offices):
    """A tunnel with iperf3 behind the peer."""
    peer = offices.connect(request.param, Agreement(esn=request.param != "libipsec"))
    if request.param == "linux":
        # Room for what comes while the machine waits for its turn.
        peer.machine.run(["sysctl", "-q", "-w", "net.core.rmem_default=8000000"])
    # Its buffers are files; the only place for those on a machine with the host's file system.
    server = peer.machine.begin(["iperf3", "-s", "-B", PEER_HOST, "-p", PORT],
                                peer.directory / "iperf3.log",
                                {"TMPDIR": "/run"} if request.param == "linux" else None)
    assert wait_until(lambda: peer.machine.run(["ss", "-Hltn", f"sport = :{PORT}"]).stdout, 5, 0.1)
    yield offices
    server.end()


def ike_renewals(head):
    return len(re.findall(r"IKE_SA \S+ rekeyed between", head.log()))


def renew_all(offices):
    """Four times: keys of the tunnel and of IKE, begun here and there."""
    for side in (offices.head, offices.peer):
        before = offices.head.spis()
        side.swanctl("--rekey", "--child", SITE)
        assert wait_until(lambda: len(offices.head.spis() - before) == 1, 5, 0.1)
        renewed = ike_renewals(offices.head)
        side.swanctl("--rekey", "--ike", SITE)
        assert wait_until(lambda: ike_renewals(offices.head) > renewed, 5, 0.1), \
            offices.head.log()[-2000:]


def measure_while_renewing(offices, lab, name, *options):
    """The answer of iperf3."""
    before = packets_of_client()
    client = lab.start(plan.LAN, ["iperf3", "-c", PEER_HOST, "-B", plan.CLIENT, "-p", PORT, "-t",
                                  SECONDS, "--json", *options], f"iperf3-{offices.kind}-{name}")
    try:
        assert wait_until(lambda: packets_of_client() > before + 300, 5)
        renew_all(offices)
        assert client.is_running(), "keys were renewed after the measurement"
        assert client.wait(SECONDS + 15) == 0, client.log()[-2000:]
    finally:
        client.stop()
    return json.loads(client.log())


def packets_of_client():
    links = json.loads(run(["ip", "-n", plan.LAN, "-s", "-j", "link", "show"]).stdout)
    return sum(link["stats64"][way]["packets"] for link in links for way in ("rx", "tx"))


@pytest.mark.parametrize("direction", ["there", "back"])
def test_no_datagram_is_lost(tunnel, lab, direction):
    options = ["-u", "-b", "1M", "-l", "500", *(["-R"] if direction == "back" else [])]
    outcome = measure_while_renewing(tunnel, lab, f"udp-{direction}", *options)["end"]["sum"]
    print(f"\niperf3 -u {direction}, {tunnel.kind}, keys renewed four times: lost "
          f"{outcome['lost_packets']} of {outcome['packets']}")
    assert outcome["packets"] > 1500, outcome
    assert outcome["lost_packets"] == 0, (outcome, lab.gateway.command("show", "drops").stdout)


@pytest.mark.parametrize("direction", ["there", "back"])
def test_a_stream_goes_on(tunnel, lab, direction):
    outcome = measure_while_renewing(tunnel, lab, f"tcp-{direction}", "-b", "20M",
                                     *(["-R"] if direction == "back" else []))
    seconds = [interval["sum"]["bits_per_second"] / 1e6 for interval in outcome["intervals"]]
    print(f"\niperf3 {direction}, {tunnel.kind}, keys renewed four times: "
          f"{outcome['end']['sum_received']['bits_per_second'] / 1e6:.1f} Mbit/s, in the slowest "
          f"second {min(seconds):.1f}, {outcome['end']['sum_sent'].get('retransmits')} retransmits")
    assert min(seconds) > 1, seconds
