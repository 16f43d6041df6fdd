# SPDX-License-Identifier: GPL-2.0-or-later
"""Keys of tunnels are nowhere but where they are used. The peer's kernel tells what they are."""

import os
import signal
from pathlib import Path

import pytest

from labkit import vpn_peers
from labkit.commands import RUN_DIRECTORY, run, wait_until
from labkit.key_search import NOT_DUMPED, files_with, forms, keys_of, mappings_with
from labkit.charon_pair import NEEDED
from labkit.vpn_peers import SECRET, Agreement

pytestmark = NEEDED
SHOWN = ("system", "interfaces", "zones", "sessions", "policy", "nat", "routes", "neighbours",
         "drops", "vpn", "vpn osaka", "vpn osaka why")


@pytest.fixture(scope="module", params=[
    "aes256gcm16", pytest.param("aes256-sha256", marks=pytest.mark.full)])
def tunnel(request, offices):
    """A tunnel that was used, and its keys."""
    peer = offices.connect("linux", Agreement(esp=request.param))
    assert vpn_peers.ping_peer() == (3, 3)
    keys = keys_of(peer.machine)
    assert len(keys) >= (2 if "gcm" in request.param else 4), keys
    return peer, keys


def test_no_key_is_in_a_file(tunnel, lab):
    keys = tunnel[1]
    not_ours = [*Path(lab.directory).glob("peer-*"), lab.services.content]
    places = [lab.directory, RUN_DIRECTORY]
    assert files_with(places, keys, not_ours) == []
    assert files_with(places, {SECRET.encode()}, not_ours) == [str(lab.gateway.configuration)]


def test_no_key_is_shown(tunnel, lab):
    needles = set().union(*(forms(key) for key in [*tunnel[1], SECRET.encode()]))
    for topic in SHOWN:
        for options in ((), ("--json",)):
            answer = lab.gateway.command(*options, "show", *topic.split(), check=False)
            shown = (answer.stdout + answer.stderr).encode()
            assert not any(needle in shown for needle in needles), topic


def test_charon_keeps_no_key(tunnel, offices):
    """Neither our plugin, which hands them on, nor strongSwan, which made them. Before the tunnel ends."""
    keys = tunnel[1]
    assert mappings_with(offices.head.charon.pid, {SECRET.encode()}), "the search finds nothing"
    assert mappings_with(offices.head.charon.pid, keys) == set()


def test_no_key_is_in_memory_that_is_dumped(tunnel, offices, lab):
    """Of masugatad; where there is a key, no dump reaches. Afterwards it is nowhere."""
    peer, keys = tunnel
    pid = lab.gateway.program.pid
    there = mappings_with(pid, keys)
    assert there, "the search finds nothing where keys must be"
    assert [line for line, flags in there if NOT_DUMPED not in flags.split()] == []
    peer.terminate()
    assert wait_until(lambda: not offices.head.spis(), 10, 0.2)
    assert wait_until(lambda: not mappings_with(pid, keys), 5, 0.5), mappings_with(pid, keys)
    assert mappings_with(offices.head.charon.pid, keys) == set()


@pytest.mark.full
@pytest.mark.skipif(Path("/proc/sys/kernel/core_pattern").read_text().strip() != "core",
                    reason="core dumps go elsewhere than into the program's folder")
def test_no_key_is_in_a_core_dump(offices, lab):
    """A real one of masugatad, killed while the tunnel is up; nor is the shared secret."""
    peer = offices.connect("linux", Agreement(esp="aes256gcm16"))
    assert vpn_peers.ping_peer() == (3, 3)
    keys = keys_of(peer.machine)
    pid = lab.gateway.program.pid
    assert mappings_with(pid, keys)
    run(["prlimit", "--pid", pid, "--core=unlimited"])
    folder = Path(f"/proc/{pid}/cwd").resolve()
    before = set(folder.glob("core*"))
    os.kill(pid, signal.SIGABRT)
    lab.gateway.program.wait(60)
    lab.gateway.start()
    dump, = set(folder.glob("core*")) - before
    try:
        size = dump.stat().st_size
        assert size > 1 << 20, size
        content = dump.read_bytes()
        assert b"charon" in content, "the search finds nothing"
        found = [key.hex()[:4] for key in [*keys, SECRET.encode()]
                 for form in forms(key) | {key[:16]} if form in content]
        assert found == [], f"{len(found)} keys in {size} bytes"
    finally:
        dump.unlink()
