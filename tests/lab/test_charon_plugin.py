# SPDX-License-Identifier: GPL-2.0-or-later
"""charon's plugin kernel-masugata with real charons: what it hands over, and what happens when either
side goes away. A recorder stands in masugatad's place."""

import os
import shutil
import signal
import time

import pytest

from labkit.charon_pair import (NEEDED, TIMEOUT_MS, Authority, CharonPair, count_in_memory,
                                order_of, plugin_path, spis)
from labkit.commands import run, wait_until

pytestmark = NEEDED


@pytest.fixture(scope="module")
def raised_pair(tmp_path_factory):
    if os.geteuid() != 0:
        pytest.skip("network namespaces need root")
    directory = tmp_path_factory.mktemp("charon")
    with CharonPair(directory) as pair:
        yield pair


@pytest.fixture
def pair(raised_pair):
    """Both sides up, without a tunnel and without configuration."""
    for site in raised_pair.sites:
        if site.recorder.process is None:
            site.recorder.start()
        if site.charon is None or site.charon.poll() is not None:
            site.start_charon()
            site.wait_for_charon()
        site.recorder.expect("connected")
    yield raised_pair
    for site in raised_pair.sites:
        if site.charon and site.charon.poll() is None:
            site.swanctl("--terminate", "--ike", "site", "--force", check=False)


def installed(site):
    return {(sa["direction"], sa["spi"]): sa for sa in site.recorder.state()["sas"]}


def the_spi(site, direction):
    """Of the only SA of that direction."""
    (found,) = [spi for side, spi in installed(site) if side == direction]
    return found


def wait_for_one_pair(site, timeout_s=15):
    """Until exactly one SA of each direction is left."""
    assert wait_until(lambda: sorted(side for side, _ in installed(site)) == ["inbound", "outbound"],
                      timeout_s, 0.1), installed(site)


def test_both_sides_get_the_same_sas(pair):
    pair.connect()
    mine, theirs = installed(pair.a), installed(pair.b)
    assert len(mine) == len(theirs) == 2
    assert the_spi(pair.a, "outbound") == the_spi(pair.b, "inbound")
    assert the_spi(pair.a, "inbound") == the_spi(pair.b, "outbound")
    for sa in mine.values():
        assert sa["transform"] == "aes128gcm16" and sa["key_bytes"] == 20
        assert (sa["local"], sa["remote"]) == ("192.0.2.1", "192.0.2.2")
        assert sa["local_networks"] == ["10.1.0.0/24"]
        assert sa["remote_networks"] == ["10.2.0.0/24"]
        assert sa["esn"] and sa["udp"] == [0, 0] and sa["tunnel_id"] == 42
        assert sa["hard"][0] == 3600
    assert mine["inbound", the_spi(pair.a, "inbound")]["window"] == 1024
    # Each key is the same at both ends: two SAs, two keys, written down twice each.
    assert len(pair.keys()) == 2
    policies = pair.a.recorder.state()["policies"]
    (outbound,) = [policy for policy in policies if policy["direction"] == "outbound"]
    assert outbound["spi"] == the_spi(pair.a, "outbound")
    assert (outbound["source"], outbound["destination"]) == ("10.1.0.0/24", "10.2.0.0/24")
    pair.a.recorder.tell("use 1000 3 2")
    assert "1000 bytes" in pair.a.swanctl("--list-sas").stdout
    pair.a.swanctl("--terminate", "--ike", "site")
    for site in pair.sites:
        state = site.recorder.state()
        assert (state["sas"], state["policies"], state["reserved"]) == ([], [], 0)


@pytest.mark.parametrize("esp, transform, key_bytes", [
    ("aes256gcm16-ecp384-noesn", "aes256gcm16", 36),
    ("chacha20poly1305-x25519", "chacha20poly1305", 36),
    ("aes256-sha512-ecp256", "aes256-sha512", 96),
])
def test_other_transforms(pair, esp, transform, key_bytes):
    pair.connect(esp=esp)
    for sa in installed(pair.b).values():
        assert (sa["transform"], sa["key_bytes"], sa["esn"]) == (transform, key_bytes, False)


def test_udp_encapsulation_hands_over_the_ports(pair):
    pair.connect(encap="yes")
    for sa in installed(pair.a).values():
        assert sa["udp"] == [4500, 4500]


def test_an_unsupported_transform_is_refused_with_a_reason(pair):
    for site in pair.sites:
        site.load(esp="aes128-sha1-ecp256")
    assert not pair.a.initiate()
    assert "integrity algorithm 2 (IKEv2's number) is not supported" in pair.b.log()
    assert pair.b.recorder.expect("alert", kind="sa-not-installed")["child"] == "net"
    assert installed(pair.b) == {}


def test_rekeying_makes_before_it_breaks(pair):
    pair.connect()
    marks = [site.recorder.mark() for site in pair.sites]
    old = [installed(site) for site in pair.sites]
    pair.a.swanctl("--rekey", "--child", "net")
    for site, mark, before in zip(pair.sites, marks, old):
        site.recorder.expect("install", mark, count=2)
        wait_for_one_pair(site)
        assert not set(before) & set(installed(site))
        events = site.recorder.events[mark:]
        made_in, made_out, policy, broken = order_of(
            events, ("install", '"inbound"'), ("install", '"outbound"'),
            ("add-policy", '"outbound"'), ("remove", '"found": true'))
        assert max(made_in, made_out, policy) < broken


def test_soft_expiry_renews_and_hard_expiry_recreates(pair):
    pair.connect()
    for kind in ("soft", "hard"):
        before = the_spi(pair.a, "inbound")
        pair.a.recorder.tell(f"expire {before} {kind}")
        assert wait_until(lambda: before not in [spi for _, spi in installed(pair.a)], 15, 0.1)
        wait_for_one_pair(pair.a)
        wait_for_one_pair(pair.b)
        assert the_spi(pair.a, "outbound") == the_spi(pair.b, "inbound")


def test_traffic_calls_for_a_tunnel(pair):
    mark = pair.a.recorder.mark()
    pair.b.load()
    pair.a.load(start_action="trap")
    trap = pair.a.recorder.expect("add-policy", mark, direction="outbound", spi="00000000")
    assert trap["priority"] == 2
    pair.a.recorder.tell(f"acquire {trap['request_id']}")
    pair.a.recorder.expect("install", mark, count=2)
    assert pair.a.recorder.find("install", mark)[0]["request_id"] == trap["request_id"]
    pair.a.load()


def test_a_new_mapping_moves_the_sa(pair):
    pair.connect(encap="yes")
    mark = pair.b.recorder.mark()
    inbound = the_spi(pair.b, "inbound")
    pair.b.recorder.tell(f"map {inbound} 192.0.2.1 61000")
    moved = pair.b.recorder.expect("update", mark, direction="inbound")
    assert (moved["remote"], moved["udp"]) == ("192.0.2.1", [4500, 61000])
    assert pair.b.recorder.expect("update", mark, direction="outbound")["udp"] == [4500, 61000]
    pair.b.swanctl("--terminate", "--ike", "site", "--force", check=False)
    assert wait_until(lambda: installed(pair.b) == {}, 15, 0.1)


def test_mobike_moves_the_sas_to_another_address(pair):
    other = "192.0.2.11"
    # Else the second address would go together with the first.
    run(pair.a.in_namespace(["sysctl", "-qw", "net.ipv4.conf.wan.promote_secondaries=1"]))
    run(["ip", "-n", pair.a.namespace, "addr", "add", f"{other}/24", "dev", "wan"])
    pair.b.load(mobike="yes", remote=f"192.0.2.1,{other}")
    pair.a.load(mobike="yes", local=f"192.0.2.1,{other}")
    try:
        assert pair.a.initiate(), pair.a.log()[-2000:]
        marks = [site.recorder.mark() for site in pair.sites]
        before = set(installed(pair.b))
        run(["ip", "-n", pair.a.namespace, "addr", "del", "192.0.2.1/24", "dev", "wan"])
        for site, mark, side in zip(pair.sites, marks, ("local", "remote")):
            site.recorder.expect("update", mark, direction="inbound", **{side: other})
            site.recorder.expect("update", mark, direction="outbound", **{side: other})
        assert set(installed(pair.b)) == before
        pair.a.swanctl("--terminate", "--ike", "site")
        assert installed(pair.a) == {}
    finally:
        run(["ip", "-n", pair.a.namespace, "addr", "flush", "dev", "wan"])
        run(["ip", "-n", pair.a.namespace, "addr", "add", "192.0.2.1/24", "dev", "wan"])


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_new_charon_flushes_what_the_old_one_left(pair, number):
    pair.connect()
    mark = pair.a.recorder.mark()
    charon = pair.a.charon
    pair.a.end_charon(number)
    assert charon.returncode == (0 if number == signal.SIGTERM else -number)
    pair.a.recorder.expect("gone", mark)
    left = installed(pair.a)
    # Killed, it takes nothing back: its SAs serve until another charon comes.
    assert len(left) == (2 if number == signal.SIGKILL else 0)
    pair.a.start_charon()
    pair.a.recorder.expect("connected", mark)
    assert pair.a.recorder.expect("flush", mark)["sas"] == len(left)
    assert installed(pair.a) == {}
    pair.a.wait_for_charon()
    pair.connect()
    wait_for_one_pair(pair.a)


def test_after_a_restart_of_masugatad_no_key_is_used_again(pair):
    pair.connect()
    pair.a.load(start_action="trap")
    old = installed(pair.a)
    keys = pair.keys()
    pair.a.recorder.kill()
    mark = pair.a.recorder.mark()
    pair.a.recorder.start()
    pair.a.recorder.expect("connected", mark)
    # Policies are there at once, SAs only as new ones.
    pair.a.recorder.expect("add-policy", mark, direction="outbound")
    pair.a.recorder.expect("install", mark, count=2)
    wait_for_one_pair(pair.a)
    assert not set(old) & spis(pair.a.recorder.find("install", mark))
    assert keys < pair.keys()
    for key in pair.keys() - keys:
        assert key not in keys
    wait_for_one_pair(pair.b)
    assert the_spi(pair.a, "outbound") == the_spi(pair.b, "inbound")
    policies = pair.a.recorder.state()["policies"]
    assert the_spi(pair.a, "outbound") in {policy["spi"] for policy in policies}
    assert "CHILD_SAs have expired" in pair.a.log()


def test_without_masugatad_a_tunnel_fails_at_once_and_says_why(pair):
    for site in pair.sites:
        site.load()
    pair.a.recorder.kill()
    assert wait_until(lambda: "masugatad is gone" in pair.a.log(), 5)
    started = time.monotonic()
    assert not pair.a.initiate()
    assert time.monotonic() - started < 5
    assert "masugatad cannot be reached" in pair.a.log()
    assert pair.a.swanctl("--stats", timeout_s=3).returncode == 0
    pair.a.recorder.start()
    pair.a.recorder.expect("connected", pair.a.recorder.mark() - 1)


def test_a_masugatad_that_hangs_does_not_hang_charon(pair):
    pair.connect()
    mark = pair.a.recorder.mark()
    left = installed(pair.a)
    pair.a.recorder.process.send_signal(signal.SIGSTOP)
    started = time.monotonic()
    pair.a.swanctl("--list-sas", timeout_s=15)
    pair.a.swanctl("--terminate", "--ike", "site", "--force", check=False, timeout_s=15)
    # One request waits, the others fail at once.
    assert time.monotonic() - started < 3 * TIMEOUT_MS / 1000 + 2
    assert "masugatad does not answer" in pair.a.log()
    pair.a.recorder.process.send_signal(signal.SIGCONT)
    pair.a.recorder.expect("connected", mark)
    # It was the same masugatad: nothing is flushed, but what charon has deleted meanwhile goes.
    assert pair.a.recorder.find("flush", mark) == []
    assert wait_until(lambda: not set(left) & set(installed(pair.a)), 10, 0.1)


def test_a_second_charon_is_turned_away(pair):
    mark = pair.a.recorder.mark()
    text = (pair.a.directory / "strongswan.conf").read_text()
    # b's charon is restarted to speak to a's recorder.
    other = (pair.b.directory / "strongswan.conf").read_text()
    pair.b.end_charon()
    stolen = other.replace(f"{pair.b.directory}/sa.sock", f"{pair.a.directory}/sa.sock")
    assert stolen not in (other, text)
    (pair.b.directory / "strongswan.conf").write_text(stolen)
    try:
        pair.b.start_charon()
        pair.a.recorder.expect("report", mark, text="a second charon is turned away: one is connected")
        assert wait_until(lambda: "another charon speaks to masugatad" in pair.b.log(), 5)
        assert pair.a.recorder.find("gone", mark) == []
    finally:
        pair.b.end_charon()
        (pair.b.directory / "strongswan.conf").write_text(other)


def test_a_plugin_of_another_build_does_not_load(pair):
    directory = pair.directory / "other-plugins"
    shutil.copytree(pair.a.plugins, directory)
    file = directory / plugin_path().name
    build_id = (plugin_path().parent / "built-for").read_text().split()[1].encode()
    content = file.read_bytes()
    assert content.count(build_id) == 1
    file.write_bytes(content.replace(build_id, build_id[::-1]))
    pair.a.end_charon()
    try:
        pair.a.start_charon(directory)
        assert pair.a.charon.wait(15) != 0
        assert "refusing to load" in pair.a.log()
    finally:
        pair.a.charon = None


MISMATCHES = [
    # changes at a, changes at b; kind of alert at b (who answers), what it says
    ({"ike": "aes128-sha256-ecp256"}, {}, "ike-proposals",
     ("IKE:AES_CBC_128", "IKE:AES_GCM_16_256")),
    ({"esp": "aes256-sha256-ecp256"}, {}, "child-proposals",
     ("ESP:AES_CBC_256", "ESP:AES_GCM_16_128")),
    ({"remote_network": "10.9.0.0/24"}, {}, "selectors",
     ("10.9.0.0/24 === 10.1.0.0/24", "10.2.0.0/24 === 10.1.0.0/24")),
]


@pytest.mark.parametrize("at_a, at_b, kind, texts", MISMATCHES, ids=[row[2] for row in MISMATCHES])
def test_alerts_tell_both_sides_of_a_mismatch(pair, at_a, at_b, kind, texts):
    marks = [site.recorder.mark() for site in pair.sites]
    pair.a.load(**at_a)
    pair.b.load(**at_b)
    assert not pair.a.initiate()
    alert = pair.b.recorder.expect("alert", marks[1], kind=kind)
    received, configured = texts
    assert received in alert["received"] and configured in alert["configured"]
    assert not alert["we_asked"] and alert["remote"] == "192.0.2.1"
    refusal = pair.a.recorder.expect("alert", marks[0], kind="peer-notified")
    assert refusal["received"] == ("TS_UNACCEPTABLE" if kind == "selectors"
                                   else "NO_PROPOSAL_CHOSEN")
    assert refusal["we_asked"] and refusal["connection"] == "site"


def test_alerts_tell_of_failed_authentication(pair):
    marks = [site.recorder.mark() for site in pair.sites]
    pair.a.load(secret="another secret")
    pair.b.load()
    assert not pair.a.initiate()
    alert = pair.b.recorder.expect("alert", marks[1], kind="peer-authentication")
    assert alert["remote_identity"] == "gw-a.example" and alert["connection"] == "site"
    assert pair.a.recorder.expect("alert", marks[0], kind="local-authentication")
    assert alert["configured_remote_identity"] == "gw-a.example"


def test_alerts_tell_of_an_unexpected_identity(pair):
    mark = pair.b.recorder.mark()
    pair.a.load()
    pair.b.load(expected_identity="gw-c.example")
    assert not pair.a.initiate()
    alert = pair.b.recorder.expect("alert", mark, kind="peer-authentication")
    # No configuration fits, so charon names none: who reads this knows what is configured.
    assert (alert["remote_identity"], alert["connection"]) == ("gw-a.example", "")


def test_alerts_tell_of_certificates(pair):
    ours = Authority(pair.directory / "ours", "Lab CA")
    theirs = Authority(pair.directory / "theirs", "Foreign CA")
    certificates = {"auth": "pubkey", "certificate": "certs = site.pem"}
    ours.equip(pair.a, ours)
    cases = [
        ({"authority": ours}, None),
        ({"authority": ours, "days": (-30, -1)}, "certificate-expired"),
        ({"authority": theirs}, "certificate-no-issuer"),
    ]
    for how, kind in cases:
        how["authority"].equip(pair.b, ours, how.get("days", (-1, 30)))
        for site in pair.sites:
            site.swanctl("--load-creds", "--clear", "--noprompt")
            site.load(**certificates)
        mark = pair.a.recorder.mark()
        assert pair.a.initiate() == (kind is None), pair.a.log()[-2000:]
        if kind is None:
            pair.a.swanctl("--terminate", "--ike", "site")
            continue
        alert = pair.a.recorder.expect("alert", mark, kind=kind)
        assert alert["subject"] == "CN=gw-b.example" and alert["connection"] == "site"
        assert alert["issuer"] == ("CN=Lab CA" if how["authority"] is ours else "CN=Foreign CA")
        assert 0 < alert["not_before"] < alert["not_after"]
        assert (alert["not_after"] < time.time()) == (kind == "certificate-expired")
        pair.a.recorder.expect("alert", mark, kind="peer-authentication")


def test_alerts_tell_of_a_peer_that_does_not_answer(pair):
    mark = pair.a.recorder.mark()
    pair.b.end_charon()
    pair.a.load()
    assert not pair.a.initiate(timeout_s=3)
    assert pair.a.recorder.expect("alert", mark, kind="retransmit")["number"] == 1
    timeout = pair.a.recorder.expect("alert", mark, kind="retransmit-timeout", timeout_s=20)
    assert not timeout["peer_answered"] and not timeout["established"]


def test_alerts_tell_of_a_peer_that_nothing_is_configured_for(pair):
    marks = [site.recorder.mark() for site in pair.sites]
    pair.a.load()
    pair.b.load(remote="192.0.2.77")
    assert not pair.a.initiate()
    stranger = pair.b.recorder.expect("alert", marks[1], kind="peer-not-configured")
    assert (stranger["remote"], stranger["connection"]) == ("192.0.2.1", "")
    refusal = pair.a.recorder.expect("alert", marks[0], kind="peer-notified")
    assert (refusal["received"], refusal["exchange"]) == ("NO_PROPOSAL_CHOSEN", 34)


def test_alerts_tell_that_all_is_well(pair):
    mark = pair.a.recorder.mark()
    pair.connect(encap="yes")
    up = pair.a.recorder.expect("alert", mark, kind="child-up")
    assert up["received"] == up["configured"] == "10.1.0.0/24 === 10.2.0.0/24"
    assert up["connection"] == "site" and up["peer_answered"]
    assert pair.a.recorder.expect("alert", mark, kind="ike-up")["nat"] == [False, True]
    pair.a.swanctl("--rekey", "--child", "net")
    pair.a.recorder.expect("alert", mark, kind="child-rekeyed")
    pair.a.swanctl("--rekey", "--ike", "site")
    pair.a.recorder.expect("alert", mark, kind="ike-rekeyed")
    pair.a.swanctl("--terminate", "--ike", "site")
    pair.a.recorder.expect("alert", mark, kind="child-down")
    pair.a.recorder.expect("alert", mark, kind="ike-down")


def test_no_key_is_in_any_log(pair):
    pair.connect()
    keys = pair.keys()
    assert len(keys) >= 2
    texts = [file.read_bytes() for site in pair.sites for file in site.directory.glob("*.log")]
    texts += [file.read_bytes() for site in pair.sites for file in site.directory.glob("*.out")]
    assert any(b"kernel-masugata" in text for text in texts)
    for key in keys:
        # Whole keys and halves of them, as bytes and as digits.
        for part in (key[:8], key[-8:]):
            for form in (part, part.hex().encode(), part.hex(" ").encode(),
                         part.hex(" ").upper().encode()):
                assert not any(form in text for text in texts)


def test_keys_are_in_memory_only_while_they_serve(pair):
    known = pair.keys()
    pair.connect()
    keys = pair.keys() - known
    assert len(keys) == 2
    for site in pair.sites:
        assert count_in_memory(site.recorder.process, keys) == 2  # one per SA
        assert count_in_memory(site.charon, keys) == 0
    pair.a.swanctl("--terminate", "--ike", "site")
    for site in pair.sites:
        assert installed(site) == {}
        assert count_in_memory(site.recorder.process, keys) == 0
        assert count_in_memory(site.charon, keys) == 0
