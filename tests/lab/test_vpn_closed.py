# SPDX-License-Identifier: GPL-2.0-or-later
"""A branch whose only exit is the tunnel: the configuration of docs/vpn.md with real clients, and what
leaves when there is no tunnel."""

import pytest

from labkit import addresses as plan
from labkit import virus_samples as samples
from labkit.charon_pair import NEEDED
from labkit.commands import run, wait_until
from labkit.topology import inside
from labkit.vpn_closed import CLIENT, SITE, ClosedNetwork
from labkit.vpn_edge import PEER, PEER_LINK, ROUTER

pytestmark = NEEDED
# What belongs on the way between the branch and its provider.
CLEAR = f"ip and not (host {PEER} and (proto 50 or udp port 500 or udp port 4500))"


@pytest.fixture(scope="module")
def closed(raised_lab, av):
    if raised_lab.gateway.kind != "masugata":
        pytest.skip("the kernel as the gateway has no tunnels here")
    assert av.scanner.program.is_running()
    with ClosedNetwork(raised_lab) as raised:
        yield raised


class Provider:
    """What the branch's provider sees that is neither ESP nor IKE."""

    def __init__(self, lab):
        self.lab = lab

    def __enter__(self):
        self.program = self.lab.start(plan.EDGE, ["tcpdump", "-n", "-l", "-t", "-i", PEER_LINK,
                                                  "--immediate-mode", CLEAR], "tcpdump-provider")
        self.program.wait_ready(lambda: "listening on" in self.program.log(), timeout_s=10)
        return self

    def seen(self):
        return [line for line in self.program.log().splitlines() if line.startswith("IP ")]

    def sees_its_own_probe(self):
        """Nothing seen is believed only of somebody who sees."""
        run(inside(plan.EDGE, ["ping", "-n", "-c", "1", "-W", "1", PEER]), check=False)
        return wait_until(lambda: any(f"> {PEER}: ICMP echo request" in line for line in self.seen()), 5)

    def of_the_branch(self):
        return [line for line in self.seen() if "10.22." in line or f"{PEER} >" in line
                or f"{PEER}." in line.split(">")[0]]

    def __exit__(self, *_):
        self.program.stop()


def curl(closed, url, *options):
    """(status or 0, body)"""
    result = closed.client("curl", "-sS", "--max-time", "8", "-w", "\n%{http_code}", *options, url)
    body, _, status = result.stdout.rpartition("\n")
    return (int(status) if result.returncode == 0 else 0), body


def everything(closed):
    """What a client tries that wants out; returns what it got."""
    return {
        "web": curl(closed, f"http://{plan.INTERNET}/name"),
        "name": closed.client("dig", "+time=1", "+tries=1", "+short", plan.NAME).stdout.strip(),
        "other resolver": closed.client("dig", "+time=1", "+tries=1", "+short",
                                        f"@{plan.INTERNET}", plan.NAME).stdout.strip(),
        "ping": closed.client("ping", "-n", "-c", "1", "-W", "1", plan.INTERNET).returncode,
        "provider": closed.client("ping", "-n", "-c", "1", "-W", "1", ROUTER).returncode,
        "neighbour": closed.client("curl", "-sS", "--max-time", "2", f"http://{ROUTER}/").returncode,
    }


def test_names_and_web_pass_headquarters(closed, lab):
    with Provider(lab) as provider:
        assert closed.client("dig", "+time=2", "+short", plan.NAME).stdout.split() == [plan.INTERNET]
        assert curl(closed, f"http://{plan.NAME}/who") == (200, plan.PUBLIC)
        status, body = curl(closed, f"https://{plan.NAME}/who", "-k")
        assert (status, body) == (200, plan.PUBLIC)
        assert provider.sees_its_own_probe()
        assert not provider.of_the_branch()


def test_headquarters_inspect_it(closed, lab):
    # A virus, under a name that was just resolved.
    status, body = curl(closed, f"http://{plan.NAME}/av/eicar.com")
    assert status in (0, 403) and samples.EICAR.decode() not in body, (status, body)
    assert curl(closed, f"http://{plan.NAME}/name", "-A", "EvilScanner/1.0")[0] == 0
    assert wait_until(lambda: any(
        event.get("alert", {}).get("signature_id") == 1000003 and CLIENT in event["src_ip"]
        for event in lab.gateway.events()), 5)


def test_what_headquarters_do_not_permit_does_not_leave_either(closed, lab):
    with Provider(lab) as provider:
        got = everything(closed)
        assert got["web"][0] == 200 and got["name"] == plan.INTERNET
        assert got["other resolver"] != plan.INTERNET
        assert got["ping"] != 0 and got["provider"] != 0 and got["neighbour"] != 0, got
        assert provider.sees_its_own_probe()
        assert not provider.of_the_branch()


def test_nobody_gets_in_beside_the_tunnel(closed, lab):
    before = closed.drops("closed-network")
    words = ["tcpdump", "-n", "-l", "-t", "-i", "eth0", "--immediate-mode", "icmp"]
    inside_program = lab.start(plan.BRANCH, words, "tcpdump-branch")
    try:
        inside_program.wait_ready(lambda: "listening on" in inside_program.log(), timeout_s=10)
        run(inside(plan.EDGE, ["ping", "-n", "-c", "2", "-W", "1", CLIENT]), check=False)
        assert wait_until(lambda: closed.drops("closed-network") >= before + 2, 5)
        # The watcher sees what is there.
        closed.client("ping", "-n", "-c", "1", "-W", "1", plan.INTERNET)
        assert wait_until(lambda: f"> {plan.INTERNET}" in inside_program.log(), 5)
        assert f"> {CLIENT}: ICMP echo request" not in inside_program.log()
    finally:
        inside_program.stop()


def test_nothing_leaves_while_the_tunnel_is_down(closed, lab):
    assert closed.branch.command("request", "vpn", SITE, "down").returncode == 0
    assert wait_until(lambda: curl(closed, f"http://{plan.INTERNET}/name")[0] == 0, 20)
    before = closed.drops("ipsec-no-sa")
    with Provider(lab) as provider:
        got = everything(closed)
        assert got["web"] == (0, "") and plan.INTERNET not in (got["name"], got["other resolver"])
        assert got["ping"] != 0 and got["provider"] != 0 and got["neighbour"] != 0, got
        assert closed.drops("ipsec-no-sa") > before
        assert provider.sees_its_own_probe()
        assert not provider.of_the_branch()
    assert closed.branch.command("request", "vpn", SITE, "up").returncode == 0
    assert closed.comes_up(), closed.why()
    assert wait_until(lambda: curl(closed, f"http://{plan.NAME}/who") == (200, plan.PUBLIC), 10)


def test_nothing_leaves_when_charon_never_came(closed, lab):
    """The gateway of the branch starts anew, before it has any SA."""
    closed.programs[1].stop()
    closed.branch.stop()
    with Provider(lab) as provider:
        closed.branch.start()
        got = everything(closed)
        assert got["web"] == (0, "") and got["ping"] != 0 and got["provider"] != 0, got
        assert provider.sees_its_own_probe()
        assert not provider.of_the_branch()
