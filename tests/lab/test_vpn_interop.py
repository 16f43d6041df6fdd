# SPDX-License-Identifier: GPL-2.0-or-later
"""Tunnels to peers that are not ours, with what both sides can agree on."""

import dataclasses

import pytest

from labkit.vpn_offices import NEEDED, check_tunnel
from labkit.vpn_peers import Agreement

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


@pytest.mark.parametrize("kind,agreement", cases())
def test_agreement(offices, lab, kind, agreement):
    offices.connect(kind, agreement)
    check_tunnel(lab)
    if agreement.inside_six:
        check_tunnel(lab, six=True)
