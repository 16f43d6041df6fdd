# SPDX-License-Identifier: GPL-2.0-or-later
"""What comes out of a tunnel and what goes into it is inspected as any other traffic."""

import pytest

from labkit import addresses as plan
from labkit import virus_samples as samples
from labkit.commands import wait_until
from labkit.services import PYTHON
from labkit.vpn_edge import PEER_HOST
from labkit.charon_pair import NEEDED
from labkit.vpn_peers import Agreement

pytestmark = NEEDED
PORT = "8088"
FILES = {"eicar.com": samples.EICAR, "eicar.zip": samples.zipped(samples.EICAR),
         "clean.zip": samples.zipped(samples.CLEAN)}
FORBIDDEN_AGENT = ["-A", "EvilScanner/1.0"]
FORBIDDEN_AGENT_SID = 1000003


@pytest.fixture(scope="module")
def tunnel(offices, av):
    """With a web server at either end."""
    assert av.scanner.program.is_running()
    peer = offices.connect("linux", Agreement(), inspect="ips standard; av standard;")
    web = peer.directory / "web"
    web.mkdir(exist_ok=True)
    for name, content in FILES.items():
        (web / name).write_bytes(content)
    words = [PYTHON, "-m", "http.server", PORT, "--directory", str(web), "--bind"]
    there = peer.machine.begin([*words, PEER_HOST], peer.directory / "web.log")
    here = offices.lab.start(plan.LAN, [*words, plan.CLIENT], "web-lan")
    for run in (peer.machine.run, lambda words: offices.lab.execute(plan.LAN, words)):
        assert wait_until(lambda run=run: f":{PORT} " in run(["ss", "-Htln"]).stdout, 10)
    yield peer
    here.stop()
    there.end()


def curl(tunnel, lab, way, name, *options):
    """(status or 0, body) of what the client at one end gets from the server at the other."""
    host = PEER_HOST if way == "into" else plan.CLIENT
    target = tunnel.directory / "fetched"
    target.unlink(missing_ok=True)
    words = ["curl", "-sS", "--max-time", "10", "-o", str(target), "-w", "%{http_code}", *options,
             f"http://{host}:{PORT}/{name}"]
    result = lab.execute(plan.LAN, words) if way == "into" else tunnel.machine.run(
        words, check=False)
    body = target.read_bytes() if target.exists() else b""
    return (int(result.stdout[-3:]) if result.returncode == 0 else 0), body


WAYS = pytest.mark.parametrize("way", ["into", "out of"])


@WAYS
def test_attacks_are_blocked(tunnel, lab, way):
    before = sum(is_forbidden_agent(event) for event in lab.gateway.events())
    assert curl(tunnel, lab, way, "clean.zip") == (200, FILES["clean.zip"])
    assert curl(tunnel, lab, way, "clean.zip", *FORBIDDEN_AGENT) == (0, b"")
    assert wait_until(
        lambda: sum(is_forbidden_agent(event) for event in lab.gateway.events()) > before, 5)


def is_forbidden_agent(event):
    return (event.get("alert", {}).get("signature_id") == FORBIDDEN_AGENT_SID
            and PEER_HOST in (event["src_ip"], event["dest_ip"]))


@WAYS
@pytest.mark.parametrize("name", ["eicar.com", "eicar.zip"])
def test_viruses_are_blocked(tunnel, lab, way, name):
    status, body = curl(tunnel, lab, way, name)
    assert status in (0, 403) and FILES[name] not in body, (status, body[:200])
