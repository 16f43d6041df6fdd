# SPDX-License-Identifier: GPL-2.0-or-later
"""A tunnel between the gateway and a branch office whose ESP we did not write."""

import pytest

from labkit import addresses as plan
from labkit.charon_pair import NEEDED
from labkit.commands import run, wait_until
from labkit.topology import inside
from labkit.vpn_sites import BRANCH_HOST, BRANCH_NETWORK, SECRET, SITE, Branch

pytestmark = NEEDED


@pytest.fixture
def tunnel(branch, lab):
    """The tunnel, up: the gateway begins it by itself."""
    assert branch.comes_up(), branch.branch.log()[-3000:] + branch.head.log()[-3000:]
    return branch


def ping(namespace, source, target, count=3):
    return run(inside(namespace, ["ping", "-n", "-c", count, "-i", "0.2", "-W", "2", "-I", source,
                                  target]), check=False, timeout_s=30)


def losses(result):
    """(sent, received) of a ping."""
    line = next(line for line in result.stdout.splitlines() if "packets transmitted" in line)
    words = line.split()
    return int(words[0]), int(words[3])


def test_both_sides_reach_each_other(tunnel, lab):
    there = ping(plan.LAN, plan.CLIENT, BRANCH_HOST)
    assert losses(there) == (3, 3), there.stdout
    back = ping(plan.FAR, BRANCH_HOST, plan.CLIENT)
    assert losses(back) == (3, 3), back.stdout


def test_nothing_is_seen_in_clear_on_the_way(tunnel, lab):
    program = lab.start(plan.WAN, ["tcpdump", "-n", "-l", "-t", "-i", plan.FAR_LINK,
                                   "--immediate-mode", "ip"], "tcpdump-tunnel")
    try:
        program.wait_ready(lambda: "listening on" in program.log(), timeout_s=10)
        assert losses(ping(plan.LAN, plan.CLIENT, BRANCH_HOST)) == (3, 3)
        assert wait_until(lambda: program.log().count("UDP-encap: ESP") >= 6, 5), program.log()
        assert "10.9.0." not in program.log() and "10.0.1." not in program.log()
    finally:
        program.stop()


def test_large_transfers(tunnel, lab):
    """Segments are made to fit, both ways; what arrives is what was sent."""
    server = lab.start(plan.FAR, ["iperf3", "-s", "--forceflush", "-B", BRANCH_HOST, "-p",
                                  "5999"], "iperf3-branch")
    try:
        assert wait_until(lambda: "listening" in server.log(), 5), server.log()
        for direction in ([], ["-R"]):
            result = run(inside(plan.LAN, ["iperf3", "-c", BRANCH_HOST, "-p", "5999", "-B",
                                           plan.CLIENT, "-n", "20M", *direction]),
                         check=False, timeout_s=60)
            assert result.returncode == 0, result.stdout + result.stderr
    finally:
        server.stop()


@pytest.mark.parametrize("side", ["head", "branch"])
def test_a_rekey_loses_nothing(tunnel, lab, side):
    stream = lab.start(plan.LAN, ["ping", "-n", "-i", "0.02", "-c", "150", "-W", "2", "-I",
                                  plan.CLIENT, BRANCH_HOST], f"ping-rekey-{side}")
    try:
        assert wait_until(lambda: stream.log().count("bytes from") > 20, 10)
        before = tunnel.spis()
        getattr(tunnel, side).rekey()
        assert wait_until(lambda: tunnel.spis() and not tunnel.spis() & before, 10, 0.2)
        assert stream.wait(30) == 0
        assert "150 packets transmitted, 150 received" in stream.log(), stream.log()[-300:]
    finally:
        stream.stop()


def test_what_is_shown(tunnel, lab):
    assert losses(ping(plan.LAN, plan.CLIENT, BRANCH_HOST)) == (3, 3)
    site = tunnel.site()
    ike, = site["ike_sas"]
    sa, = tunnel.sas()
    assert (ike["local_address"], ike["remote_address"]) == (plan.PUBLIC, plan.FAR_HOST)
    assert (sa["local_networks"], sa["remote_networks"]) == ([plan.LAN_NET], [BRANCH_NETWORK])
    assert sa["algorithms"].startswith("AES_GCM_16-128") and sa["rekey_in"] > 0
    assert sa["packets_in"] >= 3 and sa["packets_out"] >= 3
    assert (sa["replays"], sa["authentication_failures"]) == (0, 0)
    shown = lab.gateway.command("show", "vpn", SITE).stdout
    assert sa["spi_in"] in shown and "zone branches" in shown and SECRET not in shown
    assert SITE in lab.gateway.command("show", "vpn").stdout
    assert SECRET not in tunnel.head.log() + lab.gateway.program.log()


def test_down_by_request_and_up_again(tunnel, lab):
    assert tunnel.act("down").returncode == 0
    assert wait_until(lambda: tunnel.state() == "down" and tunnel.site()["held_down"], 10, 0.2)
    assert losses(ping(plan.LAN, plan.CLIENT, BRANCH_HOST, 1))[1] == 0
    assert tunnel.act("up").returncode == 0
    assert tunnel.comes_up(5), tunnel.head.log()[-3000:]
    assert losses(ping(plan.LAN, plan.CLIENT, BRANCH_HOST)) == (3, 3)


def test_a_commit_renews_what_it_changes_only(tunnel, lab):
    before = tunnel.spis()
    assert tunnel.configure().returncode == 0
    other = "site kobe { zone branches; peer 198.51.100.99; local-interface wan0; " \
            'role respond; authentication { psk "another secret of the lab"; } }\n    site osaka'
    answer = tunnel.configure("site osaka", other)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert tunnel.spis() == before, "another site is none of this one's business"
    answer = tunnel.configure("mtu 1280;", "mtu 1280; esp { rekey-time 3000; }")
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert wait_until(lambda: tunnel.spis() and not tunnel.spis() & before, 10, 0.2)
    assert tunnel.configure().returncode == 0
    assert tunnel.comes_up()


def test_what_cannot_be_loaded_is_refused_by_name(tunnel, lab):
    before = tunnel.spis()
    answer = tunnel.configure(f'psk "{SECRET}";', "psk-file /nonexistent/secret;")
    assert answer.returncode != 0
    said = answer.stdout + answer.stderr
    assert "vpn site osaka" in said and "/nonexistent/secret" in said, said
    assert tunnel.spis() == before and tunnel.state() == "up"
    assert tunnel.configure().returncode == 0
    assert tunnel.spis() == before


def test_when_both_begin_at_once_one_is_left(tunnel, lab):
    for _ in range(3):
        tunnel.act("down")
        assert wait_until(lambda: tunnel.head.ike_sas() == 0 == tunnel.branch.ike_sas(), 10, 0.1)
        tunnel.branch.swanctl("--initiate", "--child", SITE, "--timeout", "-1", check=False)
        assert tunnel.act("up").returncode == 0
        assert tunnel.comes_up(10), tunnel.head.log()[-3000:]
        assert wait_until(lambda: tunnel.head.ike_sas() == 1 == tunnel.branch.ike_sas(), 15, 0.5), \
            tunnel.head.log()[-3000:]
        assert losses(ping(plan.LAN, plan.CLIENT, BRANCH_HOST)) == (3, 3)


def test_a_killed_charon_comes_back(tunnel, lab):
    """The tunnel works on without charon; a new charon is told everything and builds a new one."""
    before = tunnel.spis()
    tunnel.head.kill()
    assert losses(ping(plan.LAN, plan.CLIENT, BRANCH_HOST)) == (3, 3)
    shown = lab.gateway.command("show", "vpn")
    assert shown.returncode == 0 and "charon is not there" in shown.stdout, shown.stdout
    assert "charon is not there" in tunnel.act("rekey").stderr
    tunnel.head.start()
    assert wait_until(lambda: tunnel.spis() and not tunnel.spis() & before, 20, 0.2), \
        tunnel.head.log()[-2000:]
    assert losses(ping(plan.LAN, plan.CLIENT, BRANCH_HOST)) == (3, 3)


def test_a_restarted_gateway_gets_new_sas(tunnel, lab):
    """Keys are never used again: the sequence numbers of the old SAs are lost."""
    before = tunnel.spis()
    lab.gateway.stop()
    lab.gateway.start()
    assert wait_until(lambda: tunnel.spis() and not tunnel.spis() & before, 20, 0.2), \
        lab.gateway.program.log()[-2000:] + tunnel.head.log()[-2000:]
    assert wait_until(
        lambda: losses(ping(plan.LAN, plan.CLIENT, BRANCH_HOST, 1)) == (1, 1), 10, 0.2)
