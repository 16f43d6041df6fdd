# SPDX-License-Identifier: GPL-2.0-or-later
"""Inspection on a line with 1 % loss and 80 ms (labkit/lossy_line.py)."""

import hashlib
import re

import pytest
from labkit import addresses as plan
from labkit.gateways import MasugataGateway
from labkit.lossy_line import ADDRESS, lossy_line


@pytest.fixture(name="line")
def line_fixture(lab):
    if lab.gateway.kind != MasugataGateway.kind:
        pytest.skip("about inspection")
    with lossy_line(lab, seconds=60):
        yield


def stream_drops(lab):
    shown = lab.gateway.command("show", "drops").stdout
    counted = re.findall(r"(\d[\d,]*) +[\d.,<]+ +(stream-\S+)", shown)
    return sorted((reason, count) for count, reason in counted)


def test_a_lossy_line_keeps_its_content(lab, line):
    before = stream_drops(lab)
    target = lab.directory / "lossy-download"
    result = lab.execute(plan.LAN, ["curl", "-sS", "--max-time", "40", "-o", target,
                                    f"http://{ADDRESS}/lossy.bin"], timeout_s=45)
    assert result.returncode == 0, result.stderr
    content = (lab.services.content / "lossy.bin").read_bytes()
    assert hashlib.sha256(target.read_bytes()).digest() == hashlib.sha256(content).digest()
    assert stream_drops(lab) == before


def test_an_attack_over_a_lossy_line_is_stopped(lab, line):
    known = len([event for event in lab.gateway.events() if event["event_type"] == "alert"])
    seen = lab.http(plan.LAN, f"http://{ADDRESS}/malicious.txt", timeout_s=4)
    assert "LAB-MALICIOUS" not in seen
    alerts = [event for event in lab.gateway.events() if event["event_type"] == "alert"]
    assert len(alerts) > known
