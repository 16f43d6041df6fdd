# SPDX-License-Identifier: GPL-2.0-or-later
"""Shared secrets, private keys, keys of IKE and of ESP: in no support archive, no log, no answer, and
in no memory of masugatad that a dump would hold. A peer that tells its keys is what they are known by."""

import os
import secrets
from pathlib import Path

import pytest

from labkit import archives, vpn_peers
from labkit.charon_pair import NEEDED
from labkit.commands import RUN_DIRECTORY, wait_until
from labkit.key_search import NOT_DUMPED, files_with, forms, mappings_with
from labkit.vpn_peers import SECRET, Agreement

pytestmark = NEEDED


class Tunnel:
    """One that is up and was used, and all its secrets."""

    def __init__(self, offices, authentication):
        peer = offices.peer_of("libipsec")
        settings = peer.directory / "strongswan.conf"
        text = settings.read_text(encoding="utf-8")
        if "ike = 4" not in text:
            settings.write_text(text.replace("default = 1\n", "default = 1\n    ike = 4\n    chd = 4\n"),
                                encoding="utf-8")
            peer.swanctl("--reload-settings")
        before = len(peer.log())
        offices.connect("libipsec", Agreement(esn=False, authentication=authentication))
        assert vpn_peers.ping_peer() == (3, 3)
        told = archives.keys_told(peer.log()[before:])
        # What AUTH payloads hold is no key: the peer is sent it. "secret" is the shared one itself.
        self.esp = set().union(*(keys for name, keys in told.items() if name.startswith("encryption")))
        self.ike = set().union(*(keys for name, keys in told.items()
                                 if not name.startswith(("encryption", "AUTH")) and name != "secret"))
        self.long_lived = {SECRET.encode()} if authentication == "psk" else \
            archives.secrets_of_keys(Path(offices.head.store))
        self.peer = peer
        self.told = told

    @property
    def all(self):
        return self.ike | self.esp | self.long_lived


@pytest.fixture(scope="module", params=["psk", "ecdsa"])
def tunnel(request, offices):
    return Tunnel(offices, request.param)


def test_the_secrets_are_known(tunnel, offices):
    """Without them nothing below says anything."""
    for name in ("shared Diffie Hellman secret", "SKEYSEED", "Sk_d secret", "Sk_ei secret",
                 "Sk_er secret", "Sk_pi secret", "Sk_pr secret", "encryption initiator key",
                 "encryption responder key"):
        assert name in tunnel.told, tunnel.told.keys()
    assert tunnel.long_lived
    # What the peer tells is what our side has: the IKE SA's keys, in our charon.
    assert mappings_with(offices.head.charon.pid, tunnel.ike)


def test_an_archive_has_none(tunnel, lab):
    path = Path(lab.directory) / "support.tar.gz"
    summary = archives.make(lab.gateway, path)
    content = archives.unpack(path)
    assert summary["secrets_hidden"] == 0, content["contents.txt"]
    assert archives.files_of_archive_with(content, tunnel.all) == []
    for name in ("contents.txt", "version.txt", "configuration/gateway.conf", "show/system.json",
                 "show/interfaces.txt", "show/drops.json", "show/routes.txt", "show/neighbours.txt",
                 "show/vpn.txt", "show/vpn-site-osaka.txt", "show/vpn-why.txt", "charon/list-sas.txt",
                 "logs/masugatad.log", "kernel/net-dev.txt", "machine/proc-meminfo.txt"):
        assert name in content, content["contents.txt"]
    assert b"ESTABLISHED" in content["charon/list-sas.txt"]
    assert any(name.endswith("/limits.txt") for name in content)
    configuration = content["configuration/gateway.conf"]
    assert b"psk (hidden);" in configuration or b"certificate hq-ecdsa;" in configuration
    path.unlink()


def test_what_an_archive_has_would_be_found(tunnel, lab):
    """A key that nobody knows of is put into a log; so is the shared secret, which is taken out again."""
    path = Path(lab.directory) / "support.tar.gz"
    log = lab.gateway.program.log_path
    planted = [secrets.token_bytes(32) for _ in range(3)]
    written = log.read_bytes()
    with open(log, "ab") as file:
        file.write(b"planted: " + planted[0].hex().encode() + b"\nplanted: " + planted[1] +
                   b"\nplanted: " + sorted(forms(planted[2]))[-1] + b"\nplanted: " + SECRET.encode() +
                   b" " + SECRET.encode().hex().encode() + b"\n")
    try:
        summary = archives.make(lab.gateway, path)
        content = archives.unpack(path)
        for key in planted:
            assert archives.files_of_archive_with(content, {key}) == ["logs/masugatad.log"]
        # It is known while a site has it.
        if SECRET.encode() in tunnel.long_lived:
            assert summary["secrets_hidden"] == 2
            assert archives.files_of_archive_with(content, {SECRET.encode()}) == []
    finally:
        os.truncate(log, len(written))
        path.unlink(missing_ok=True)


def test_no_file_and_no_answer_has_one(tunnel, lab):
    # Other machines' own: a branch has the key that was issued for it here.
    not_ours = [*Path(lab.directory).glob("peer-*"), *Path(lab.directory).glob("branch*/pki"),
                lab.services.content, lab.gateway.pki]
    found = files_with([lab.directory, RUN_DIRECTORY], tunnel.all, not_ours)
    assert found in ([], [str(lab.gateway.configuration)])
    with_key = [file for file in lab.gateway.pki.rglob("*.pem") if "PRIVATE" in file.read_text()]
    assert with_key or tunnel.long_lived == {SECRET.encode()}
    for file in [*with_key, lab.gateway.configuration]:
        assert file.stat().st_mode & 0o077 == 0, f"others can read {file}"
    assert files_with([lab.directory], tunnel.ike | tunnel.esp, not_ours) == []
    needles = set().union(*(forms(key) for key in tunnel.all))
    for words in (("show", "vpn"), ("show", "vpn", "osaka"), ("show", "vpn", "osaka", "why"),
                  ("show", "system"), ("--json", "show", "vpn", "osaka")):
        answer = lab.gateway.command(*words, check=False)
        shown = (answer.stdout + answer.stderr).encode()
        assert not any(needle in shown for needle in needles), words


def test_what_a_dump_of_masugatad_would_hold(tunnel, lab):
    """Every page that is written to a core; a real core is looked at in test_vpn_keys.py."""
    pid = lab.gateway.program.pid
    there = mappings_with(pid, tunnel.esp | tunnel.long_lived)
    assert there, "the search finds nothing where keys must be"
    assert [line for line, flags in there if NOT_DUMPED not in flags.split()] == []
    assert mappings_with(pid, tunnel.ike) == set(), "masugatad has nothing to do with keys of IKE"


def test_what_is_left_when_the_tunnel_ends(tunnel, offices, lab):
    """Last: it ends the tunnel. Keys of SAs are nowhere; a secret that was given stays for the next."""
    tunnel.peer.terminate()
    keys = tunnel.ike | tunnel.esp
    assert wait_until(lambda: not offices.head.spis(), 20, 0.2)
    for pid in (lab.gateway.program.pid, offices.head.charon.pid):
        assert wait_until(lambda pid=pid: not mappings_with(pid, keys), 60, 0.5), \
            {name for name, told in tunnel.told.items() if mappings_with(pid, told)}
