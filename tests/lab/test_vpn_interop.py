# SPDX-License-Identifier: GPL-2.0-or-later
"""Tunnels to peers that are not ours, with what both sides can agree on."""

import dataclasses

import pytest

from labkit import addresses as plan
from labkit.commands import wait_until
from labkit.vpn_edge import PEER_HOST, PEER_NET
from labkit.charon_pair import NEEDED
from labkit.vpn_offices import check_tunnel
from labkit.vpn_peers import PEER_IDENTITY, SITE, Agreement, changed, ping_peer

pytestmark = NEEDED

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
LIBRESWAN = (
    Agreement(),
    Agreement(esp="aes256-sha512", esn=False, translated=True, authentication="rsa"),
)
LIBRESWAN_ALL = tuple(
    agreement for agreement in (
        dataclasses.replace(agreement, inside_six=False) for agreement in (*LINUX, *LINUX_ALL))
    if agreement not in LIBRESWAN)


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
    listed += [("libreswan", agreement, ()) for agreement in LIBRESWAN]
    listed += [("libreswan", agreement, pytest.mark.full) for agreement in LIBRESWAN_ALL]
    return [pytest.param(kind, agreement, id=f"{kind}-{name_of(agreement)}", marks=marks)
            for kind, agreement, marks in listed]


SECOND_NET, SECOND_HOST = "10.10.0.0/24", "10.10.0.5"
VERSION_1 = Agreement(esn=False, ike="aes256-sha256-ecp384")
# The peer's children: each has one network on either side.
FIRST_CHILD = f"children {{ {SITE} {{"
SECOND_CHILD = f"""children {{ second {{
    local_ts = {SECOND_NET}
    remote_ts = {plan.LAN_NET}
    esp_proposals = aes128gcm16-x25519
  }}
  {SITE} {{"""


@pytest.mark.parametrize("begun_by", ["head", "peer"])
def test_every_network_of_version_1(offices, lab, begun_by):
    """Of which each pair is negotiated by itself."""
    peer = offices.peer_of("libipsec")
    peer.terminate()
    start = "start by-hand;" if begun_by == "peer" else ""
    offices.head.use()
    peer.load(VERSION_1, offices.head.store, [("version = 2", "version = 1"),
                                              (FIRST_CHILD, SECOND_CHILD)])
    peer.machine.run(["ip", "address", "replace", f"{SECOND_HOST}/32", "dev", "lo"])
    offices.head.use(
        VERSION_1.site().replace("start by-hand;", start).replace("ike {", "ike { version 1;")
        .replace(f"[ {PEER_NET} ]", f"[ {PEER_NET} {SECOND_NET} ]"))
    for child in (SITE, "second") if begun_by == "peer" else ():
        peer.swanctl("--initiate", "--child", child, "--timeout", "5")
    assert wait_until(lambda: len(offices.head.spis()) == 2, 25, 0.2), offices.head.log()[-2000:]
    for host in (PEER_HOST, SECOND_HOST):
        assert ping_peer(host=host) == (3, 3), (host, lab.gateway.command("show", "drops").stdout)
    before = offices.head.spis()
    lab.gateway.command("request", "vpn", SITE, "rekey")
    assert wait_until(lambda: len(offices.head.spis() - before) == 2, 10, 0.2), \
        offices.head.log()[-2000:]
    for host in (PEER_HOST, SECOND_HOST):
        assert ping_peer(host=host) == (3, 3), (host, lab.gateway.command("show", "drops").stdout)


def test_a_peer_that_signs_with_pss(offices, lab):
    """RSA with PSS padding (RFC 7427), which strongSwan uses when it is told to, and others do always."""
    peer = offices.peer_of("libipsec")
    settings = peer.directory / "strongswan.conf"
    before = settings.read_text(encoding="utf-8")
    settings.write_text(changed(before, [("retransmit_tries", "rsa_pss = yes\n  retransmit_tries")]),
                        encoding="utf-8")
    try:
        peer.swanctl("--reload-settings")
        said_before = len(offices.head.log())
        offices.connect("libipsec", Agreement(esn=False, authentication="rsa"))
        assert f"'{PEER_IDENTITY}' with RSA_EMSA_PSS" in offices.head.log()[said_before:], \
            offices.head.log()[said_before:]
        assert ping_peer() == (3, 3)
    finally:
        settings.write_text(before, encoding="utf-8")
        peer.swanctl("--reload-settings")


@pytest.mark.parametrize("kind,agreement", cases())
def test_agreement(offices, lab, kind, agreement):
    offices.connect(kind, agreement)
    check_tunnel(lab)
    if agreement.inside_six:
        check_tunnel(lab, six=True)
