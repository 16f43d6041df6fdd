# SPDX-License-Identifier: GPL-2.0-or-later
"""Inspection on a line with 1 % loss and 80 ms: the kernel has no netem, so the line is a relay."""

import hashlib
import re
import sys

import pytest
from labkit import addresses as plan
from labkit.commands import run
from labkit.gateways import MasugataGateway
from labkit.services import PROBES
from labkit.topology import configure, inside

LOSSY, ADDRESS = "msg-lossy", "192.0.2.200"


@pytest.fixture
def lossy_line(lab):
    if lab.gateway.kind != MasugataGateway.kind:
        pytest.skip("about inspection")
    run(["ip", "netns", "delete", LOSSY], check=False)
    run(["ip", "netns", "add", LOSSY])
    programs = []
    try:
        relay = lab.start(plan.WAN, [
            sys.executable, PROBES / "relay.py", "lossy0", "lossy1", "40", "1", "60"], "relay")
        programs.append(relay)
        relay.wait_ready(lambda: "ready" in relay.log(), timeout_s=5)
        run(["ip", "-n", plan.WAN, "link", "set", "lossy1", "netns", LOSSY])
        configure(plan.WAN, f"link set lossy0 up\nroute add {ADDRESS}/32 dev lossy0")
        configure(LOSSY, f"link set lo up\nlink set lossy1 up\naddress add {ADDRESS}/32 dev lossy1\n"
                         "route add default dev lossy1")
        server = lab.start(LOSSY, [
            sys.executable, "-m", "http.server", "80", "--directory", lab.services.content],
            "lossy-server")
        programs.append(server)
        server.wait_ready(lambda: ":80" in run(inside(LOSSY, ["ss", "-Htln"])).stdout)
        yield
    finally:
        for program in reversed(programs):
            program.stop()
        run(["ip", "netns", "delete", LOSSY], check=False)


def stream_drops(lab):
    shown = lab.gateway.command("show", "drops").stdout
    counted = re.findall(r"(\d[\d,]*) +[\d.,<]+ +(stream-\S+)", shown)
    return sorted((reason, count) for count, reason in counted)


def test_a_lossy_line_keeps_its_content(lab, lossy_line):
    before = stream_drops(lab)
    target = lab.directory / "lossy-download"
    result = lab.execute(plan.LAN, ["curl", "-sS", "--max-time", "40", "-o", target,
                                    f"http://{ADDRESS}/lossy.bin"], timeout_s=45)
    assert result.returncode == 0, result.stderr
    content = (lab.services.content / "lossy.bin").read_bytes()
    assert hashlib.sha256(target.read_bytes()).digest() == hashlib.sha256(content).digest()
    assert stream_drops(lab) == before


def test_an_attack_over_a_lossy_line_is_stopped(lab, lossy_line):
    known = len([event for event in lab.gateway.events() if event["event_type"] == "alert"])
    seen = lab.http(plan.LAN, f"http://{ADDRESS}/malicious.txt", timeout_s=4)
    assert "LAB-MALICIOUS" not in seen
    alerts = [event for event in lab.gateway.events() if event["event_type"] == "alert"]
    assert len(alerts) > known
