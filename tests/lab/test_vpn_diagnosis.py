# SPDX-License-Identifier: GPL-2.0-or-later
"""A peer that is configured otherwise, in every way: the gateway says which parameter, both values,
and what to set."""

import re
from types import SimpleNamespace

import pytest

from labkit import addresses as plan
from labkit.charon_pair import NEEDED, Authority
from labkit.commands import run, wait_until
from labkit.topology import inside
from labkit.vpn_by_hand import Branch
from labkit.vpn_sites import SECRET, SITE

pytestmark = NEEDED


@pytest.fixture
def sides(branch, lab):
    """Both sides as they should be, without a tunnel."""
    for charon in (branch.branch, branch.head):
        charon.swanctl("--terminate", "--ike", SITE, "--force", check=False)
    branch.load()
    return branch


def misconfigure(branch, old, new):
    """In the branch's swanctl.conf."""
    file = branch.branch.directory / "swanctl" / "swanctl.conf"
    text = file.read_text(encoding="utf-8")
    assert old in text, text
    file.write_text(text.replace(old, new), encoding="utf-8")
    branch.branch.swanctl("--load-all", "--noprompt", "--clear")


def why(lab, site=SITE):
    words = ("show", "vpn", site, "why") if site else ("show", "vpn", "why")
    return lab.gateway.command(*words).stdout


def wait_for_why(lab, *texts, site=SITE, timeout_s=5):
    assert wait_until(lambda: all(text in why(lab, site) for text in texts), timeout_s,
                      0.2), why(lab, site)


IKE = "proposals = aes128gcm16-prfsha256-x25519"
ESP = "esp_proposals = aes128gcm16-x25519"

# What is changed at the branch; what the gateway says when the branch asks; when it asks itself.
MISMATCHES = {
    "ike-proposal": (
        IKE, "proposals = aes128gcm16-prfsha256-modp2048",
        ("IKE proposals differ in the group", "offers: aes128gcm16-prfsha256-modp2048",
         "accepted: aes128gcm16-prfsha256-x25519", "swanctl: proposals = "),
        ("the peer takes none of our IKE proposals", "aes128gcm16-prfsha256-x25519")),
    "esp-proposal": (
        ESP, "esp_proposals = aes256gcm16-x25519",
        ("ESP proposals differ in the encryption", "aes256gcm16", "accepted: aes128gcm16",
         "esp { proposal [ aes128gcm16"),
        ("the peer takes none of our ESP proposals", "esp_proposals = aes128gcm16")),
    "networks": (
        "local_ts = 10.9.0.0/24", "local_ts = 10.8.0.0/24",
        ("networks on the peer's side do not match", "remote 10.8.0.0/24", "remote 10.9.0.0/24",
         "remote-networks 10.8.0.0/24;"),
        ("the peer does not take our networks", "10.9.0.0/24")),
    "secret": (
        f'secret = "{SECRET}"', 'secret = "another secret"',
        ("pre-shared keys (PSK) of the two sides differ", "psk"),
        ("the peer refuses us: the pre-shared key (PSK) or our identity",)),
    "identity": (
        f"auth = psk\n      id = {plan.FAR_HOST}", "auth = psk\n      id = branch.example.com",
        ("the peer has another identity than expected", "branch.example.com",
         f"expected: {plan.FAR_HOST}", "remote-identity branch.example.com"),
        None),
}


@pytest.mark.parametrize("case", MISMATCHES)
def test_a_branch_that_asks_wrongly(sides, lab, case):
    old, new, texts, _ = MISMATCHES[case]
    misconfigure(sides, old, new)
    sides.initiate(sides.branch, timeout_s=3)
    wait_for_why(lab, *texts)


@pytest.mark.parametrize("case", [name for name, row in MISMATCHES.items() if row[3]])
def test_a_branch_that_refuses(sides, lab, case):
    old, new, _, texts = MISMATCHES[case]
    misconfigure(sides, old, new)
    sides.initiate(sides.head, timeout_s=3)
    wait_for_why(lab, *texts)


@pytest.fixture
def with_certificates(sides, tmp_path):
    """A function that gives the branch a certificate of an authority and the days of its validity;
    `ours` is what the gateway trusts."""
    ours = Authority(tmp_path / "ours", "Lab CA")
    foreign = Authority(tmp_path / "foreign", "Foreign CA")
    ends = [SimpleNamespace(me=name, directory=charon.directory)
            for name, charon in (("head", sides.head), ("branch", sides.branch))]

    def equip(authority="ours", days=(-1, 30)):
        ours.equip(ends[0], ours)
        {"ours": ours, "foreign": foreign}[authority].equip(ends[1], ours, days)
        for me, peer, charon in (("head", "branch", sides.head), ("branch", "head", sides.branch)):
            file = charon.directory / "swanctl" / "swanctl.conf"
            text = file.read_text(encoding="utf-8")
            text = re.sub(r"local \{ auth = psk\n *id = \S+ \}",
                          f"local {{ auth = pubkey\n certs = site.pem\n id = gw-{me}.example }}", text)
            text = re.sub(r"remote \{ auth = psk\n *id = \S+ \}",
                          f"remote {{ auth = pubkey\n id = gw-{peer}.example }}", text)
            assert text.count("pubkey") == 2, text
            file.write_text(text, encoding="utf-8")
            charon.swanctl("--load-all", "--noprompt", "--clear")
    yield equip
    for charon in (sides.head, sides.branch):
        charon.swanctl("--load-creds", "--clear", "--noprompt")


CERTIFICATES = {
    "expired": ({"days": (-30, -1)}, ("the peer's certificate has expired",
                                      '"CN=gw-branch.example"', "our clock says")),
    "not-yet-valid": ({"days": (1, 30)}, ("the peer's certificate is not valid yet",
                                          '"CN=gw-branch.example"', "our clock says")),
    "unknown-authority": ({"authority": "foreign"},
                          ("from a CA that this site does not trust", 'issued by "CN=Foreign CA"')),
}


@pytest.mark.parametrize("case", CERTIFICATES)
def test_certificates(with_certificates, sides, lab, case):
    changes, texts = CERTIFICATES[case]
    with_certificates(**changes)
    sides.initiate(sides.head, timeout_s=3)
    wait_for_why(lab, *texts)


def test_groups_that_differ_show_when_keys_are_renewed(sides, lab):
    misconfigure(sides, ESP, "esp_proposals = aes128gcm16-modp3072")
    assert sides.initiate(sides.branch), sides.branch.log()[-2000:]
    sides.branch.swanctl("--rekey", "--child", SITE, check=False)
    wait_for_why(lab, "perfect forward secrecy (PFS)", "wants modp3072", "x25519", "esp { pfs ")


def test_networks_that_were_narrowed(sides, lab):
    misconfigure(sides, "local_ts = 10.9.0.0/24", "local_ts = 10.9.0.0/25")
    assert sides.initiate(sides.head), sides.head.log()[-2000:]
    wait_for_why(lab, "up for a part of the networks only", "remote 10.9.0.0/25",
                 "remote 10.9.0.0/24")


def test_a_peer_that_nothing_is_configured_for(sides, lab):
    sides.head.swanctl("--load-conns", "--file", "/dev/null", check=False)
    sides.initiate(sides.branch, timeout_s=3)
    wait_for_why(lab, "asks for a tunnel", plan.FAR_HOST, site=None)


def test_a_peer_that_does_not_answer(sides, lab):
    run(inside(plan.FAR, ["nft", "add table inet silent; add chain inet silent in "
                          "{ type filter hook input priority 0; }; "
                          "add rule inet silent in udp dport 500 drop"]))
    try:
        sides.initiate(sides.head, timeout_s=3)
        wait_for_why(lab, "the peer does not answer", f"nothing from {plan.FAR_HOST} UDP port 500",
                     "let UDP 500 and 4500")
    finally:
        run(inside(plan.FAR, ["nft", "delete table inet silent"]))


def test_a_filter_for_port_4500(sides, lab):
    run(inside(plan.FAR, ["nft", "add table inet silent; add chain inet silent in "
                          "{ type filter hook input priority 0; }; "
                          "add rule inet silent in udp dport 4500 drop"]))
    try:
        sides.initiate(sides.head, timeout_s=8)
        wait_for_why(lab, "UDP port 4500 is not: it is filtered", timeout_s=8)
    finally:
        run(inside(plan.FAR, ["nft", "delete table inet silent"]))


def test_what_is_over_is_said_to_be(sides, lab):
    misconfigure(sides, f'secret = "{SECRET}"', 'secret = "another secret"')
    sides.initiate(sides.branch, timeout_s=3)
    wait_for_why(lab, "pre-shared keys (PSK)")
    sides.load()
    assert sides.initiate(sides.branch), sides.branch.log()[-2000:]
    assert wait_until(lambda: re.search(rf"{SITE} before:\n.*PSK", why(lab), re.S), 5), why(lab)
