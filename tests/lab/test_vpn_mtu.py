# SPDX-License-Identifier: GPL-2.0-or-later
"""Paths that carry less than their ends: routers that say so, and routers that do not. The peer is
strongSwan with the Linux kernel's ESP."""

import contextlib
import json
import re

import pytest

from labkit import addresses as plan
from labkit.charon_pair import NEEDED
from labkit.commands import run, wait_until
from labkit.gateways import build_directory
from labkit.topology import configure, inside
from labkit.vpn_edge import PEER, PEER_HOST, UPLINK, WAN_LINK
from labkit.vpn_peers import SITE, Agreement, ping_peer, transfer

pytestmark = NEEDED
AGREEMENT = Agreement()
FULL, NARROW, HOLE = 1500, 1400, 1372
# No router on the way may say that a packet was too large.
MUTE = f"""
table inet mute {{
    chain out {{
        type filter hook output priority filter; policy accept;
        icmp type destination-unreachable icmp code frag-needed drop
    }}
}}
"""


def fits(path):
    """Inside of AES-GCM over IPv4: headers, IV, ICV, trailer, blocks of four bytes."""
    return (path - 20 - 8 - 8 - 16) // 4 * 4 - 2


def set_path(mtu):
    configure(plan.WAN, f"link set {WAN_LINK} mtu {mtu}")
    configure(plan.EDGE, f"link set {UPLINK} mtu {mtu}")


def forget_paths(peer):
    """What the ends have learnt of earlier paths."""
    run(["ip", "-n", plan.LAN, "route", "flush", "cache"], check=False)
    peer.machine.run(["ip", "route", "flush", "cache"], check=False)


@pytest.fixture
def tunnel(offices, lab):
    """A new one, of a gateway that remembers nothing of earlier paths."""
    set_path(FULL)
    if offices.peer is None:
        peer = offices.connect("linux", AGREEMENT)
    else:
        peer = offices.peer
        lab.gateway.stop()
        lab.gateway.start()
        # charon lives on, and both sides begin anew.
        assert wait_until(lambda: ping_peer(1)[1] == 1, 30, 0.5), \
            offices.head.log()[-2000:]
    forget_paths(peer)
    yield peer
    set_path(FULL)
    for namespace in (plan.WAN, plan.EDGE):
        run(inside(namespace, ["nft", "delete", "table", "inet", "mute"]), check=False)


@contextlib.contextmanager
def configured(offices, line):
    """The site with one line more. charon has no part in it: the tunnel stays as it is."""
    file, before = offices.head.gateway.configuration, offices.head.used
    file.write_text(before.replace(f"site {SITE} {{", f"site {SITE} {{ {line}", 1), encoding="utf-8")
    offices.head.gateway.reload()
    try:
        yield
    finally:
        file.write_text(before, encoding="utf-8")
        offices.head.gateway.reload()


def make_hole():
    for namespace in (plan.WAN, plan.EDGE):
        run(inside(namespace, ["nft", "-f", "-"]), stdin_text=MUTE)
    set_path(HOLE)


def ping(size, *options):
    """What ping says of packets of `size` bytes from a client to the peer's host."""
    return run(inside(plan.LAN, ["ping", "-n", "-c", "4", "-i", "0.3", "-W", "1", *options, "-s",
                                 size - 28, "-I", plan.CLIENT, PEER_HOST]), check=False).stdout


def probe(lab, *words):
    # Who answers by errors only is asked once in a second.
    answer = run(inside(plan.GATEWAY, [
        build_directory() / "masugata", "--control-socket", lab.gateway.control_socket, "request",
        "vpn", SITE, "probe", *words, "--json"]), check=False, timeout_s=60)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    return json.loads(answer.stdout)["measured"][0]


class Wire:
    """What passes between the routers and matches a filter."""

    def __init__(self, lab, expression, namespace=plan.WAN, interface=WAN_LINK):
        self.program = lab.start(namespace, ["tcpdump", "-n", "-l", "-t", "-i", interface,
                                             "--immediate-mode", expression], "tcpdump-mtu")
        self.program.wait_ready(lambda: "listening on" in self.program.log(), timeout_s=10)

    def lines(self):
        return [line for line in self.program.log().splitlines() if line.startswith("IP")]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.program.stop()


def segment_sizes(wire):
    return {int(size) for size in re.findall(r"mss (\d+)", "\n".join(wire.lines()))}


def test_a_smaller_path_is_told_to_senders(tunnel, lab):
    assert f"{fits(FULL)} bytes" not in ping(fits(FULL), "-M", "do")
    set_path(NARROW)
    said = ping(fits(FULL), "-M", "do")
    assert f"(mtu = {fits(NARROW)})" in said, said
    assert "4 received" in ping(fits(NARROW), "-M", "do")


def twin_mtu():
    shown = run(["ip", "-n", plan.GATEWAY, "-o", "link", "show", SITE]).stdout
    return int(re.search(r" mtu (\d+)", shown).group(1))


def test_what_the_gateway_itself_sends_is_made_for_the_path(tunnel, lab):
    assert wait_until(lambda: twin_mtu() == fits(FULL), 5), twin_mtu()
    set_path(NARROW)
    ping(fits(FULL), "-M", "do")
    assert wait_until(lambda: twin_mtu() == fits(NARROW), 5), twin_mtu()


def test_segments_are_made_for_the_path(tunnel, lab):
    with Wire(lab, "tcp[tcpflags] & (tcp-syn|tcp-ack) = (tcp-syn|tcp-ack)", plan.LAN, "eth0") as wire:
        assert transfer(20_000).get("there")
        assert wait_until(lambda: segment_sizes(wire), 5)
        assert segment_sizes(wire) == {fits(FULL) - 40}
    set_path(NARROW)
    ping(fits(FULL), "-M", "do")
    forget_paths(tunnel)
    with Wire(lab, "tcp[tcpflags] & (tcp-syn|tcp-ack) = (tcp-syn|tcp-ack)", plan.LAN, "eth0") as wire:
        outcome = transfer()
        assert outcome.get("there") and outcome.get("back"), outcome
        assert wait_until(lambda: segment_sizes(wire), 5)
        assert segment_sizes(wire) == {fits(NARROW) - 40}


@pytest.mark.parametrize("way", ["there", "back"])
def test_a_transfer_goes_on_when_the_path_narrows(tunnel, lab, way):
    # iperf3 keeps what it sends in a file, and most of that machine is read-only.
    server = tunnel.machine.begin(["iperf3", "-s", "-1", "-B", PEER_HOST, "-p", "5999"],
                                  tunnel.directory / "iperf3.log", {"TMPDIR": "/run"})
    assert wait_until(lambda: ":5999 " in tunnel.machine.run(["ss", "-Htln"]).stdout, 10)
    client = lab.start(plan.LAN, [
        "iperf3", "-c", PEER_HOST, "-B", plan.CLIENT, "-p", "5999", "-t", "6", "-i", "1", "-b", "5M",
        "-f", "k", "--forceflush", *(["-R"] if way == "back" else [])], f"iperf3-{way}")
    def seconds():
        return [float(rate) for rate in re.findall(r"([\d.]+) Kbits/sec(?! *\S* *(?:sender|receiver))",
                                                   client.log())]
    try:
        assert wait_until(lambda: len(seconds()) >= 2, 15), client.log()
        set_path(NARROW)
        assert client.wait(30) == 0, client.log()
        assert min(seconds()[-2:]) > 1000, client.log()
    finally:
        client.stop()
        server.end()


FRAGMENTS = "ip and ip[6:2] & 0x3fff != 0"


def test_what_may_be_cut_is_cut_before_encryption(tunnel, lab):
    with Wire(lab, FRAGMENTS) as fragments, Wire(lab, f"ip proto 50 and dst {PEER}") as packets:
        assert "4 received" in ping(FULL, "-M", "dont")
        assert wait_until(lambda: len(packets.lines()) >= 8, 5)
        assert not [line for line in fragments.lines() if f"> {PEER}" in line]


def test_with_a_larger_mtu_what_may_be_cut_is_cut_behind_encryption(offices, tunnel, lab):
    with configured(offices, f"mtu {FULL};"), Wire(lab, FRAGMENTS) as fragments:
        assert "4 received" in ping(FULL, "-M", "dont")
        assert wait_until(
            lambda: len([line for line in fragments.lines() if f"> {PEER}" in line]) >= 8, 5)


# --- nobody says anything ---

def test_a_black_hole_is_measured_and_mended(offices, tunnel, lab):
    whole = probe(lab, PEER_HOST)
    assert whole["answered"] and not whole["black_hole"], whole
    assert whole["passes"] == whole["lets_in"] == fits(FULL) and whole["outer_passes"] == FULL
    make_hole()
    assert "0 received" in ping(fits(FULL), "-M", "do")
    assert not transfer().get("there")
    found = probe(lab, PEER_HOST)
    assert found["black_hole"] and found["steady"], found
    assert (found["passes"], found["outer_passes"]) == (fits(HOLE), HOLE)
    assert found["router_said"] == 0 and found["answered_by"] == PEER_HOST
    why = lab.gateway.command("show", "vpn", SITE, "why").stdout
    line = f"mtu {fits(HOLE)};"
    assert "MTU black hole" in why and line in why, why
    # What it says to set is what helps.
    with configured(offices, line):
        assert transfer().get("there")
        again = probe(lab, PEER_HOST)
        assert not again["black_hole"], again
        assert again["passes"] == again["lets_in"] == fits(HOLE), again
        why = lab.gateway.command("show", "vpn", SITE, "why").stdout
        assert "up, nothing is wrong" in why, why


def test_a_router_that_speaks_is_not_a_black_hole(tunnel, lab):
    set_path(NARROW)
    found = probe(lab, PEER_HOST)
    assert not found["black_hole"] and found["router_said"] == NARROW, found
    assert found["passes"] == found["lets_in"] == fits(NARROW)


def test_the_peers_router_answers_when_no_host_does(tunnel, lab):
    """Nobody has 10.9.0.1; whoever forwards there says that the packet's hops are used up."""
    silent = probe(lab)
    assert not silent["answered"] and silent["asked"] == ["10.9.0.1"], silent
    tunnel.machine.run(["sysctl", "-q", "-w", "net.ipv4.ip_forward=1"])
    try:
        make_hole()
        found = probe(lab)
        assert found["black_hole"] and found["passes"] == fits(HOLE), found
        assert not found["way_back"]
    finally:
        tunnel.machine.run(["sysctl", "-q", "-w", "net.ipv4.ip_forward=0"])


def test_a_tunnel_that_is_down_is_not_measured(offices, tunnel, lab):
    tunnel.terminate()
    assert wait_until(lambda: not offices.head.spis(), 10)
    answer = lab.gateway.command("request", "vpn", SITE, "probe", check=False)
    assert answer.returncode != 0 and "is down" in answer.stderr
    assert ping_peer(1)[1] == 0
