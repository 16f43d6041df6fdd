# SPDX-License-Identifier: GPL-2.0-or-later
"""Intrusion prevention against real clients and servers."""

import re

import pytest
from conftest import assert_check
from labkit import addresses as plan
from labkit.checks import inspection
from labkit.commands import wait_until
from labkit.gateways import RULES, MasugataGateway


@pytest.fixture(autouse=True)
def only_masugata(raised_lab):
    if raised_lab.gateway.kind != MasugataGateway.kind:
        pytest.skip("the kernel inspects nothing")


@pytest.mark.parametrize("check", inspection.CHECKS, ids=str)
def test_inspection(check, lab):
    assert_check(check, lab)


NEW_RULE = ('drop http any any -> any any (msg:"LAB new rule"; flow:established,to_server; '
            'http.uri; content:"/newly-forbidden"; sid:1000009; rev:1;)\n')


def status_of_new_page(lab):
    return lab.http(plan.WAN, f"http://{plan.PUBLIC}/newly-forbidden", "-o", "/dev/null", "-w",
                    "%{http_code}", timeout_s=1)


@pytest.fixture
def many_new_rules(lab):
    """Puts NEW_RULE and thousands of others into the rule file; the old ones are back at the end."""
    old = RULES.read_text(encoding="utf-8")
    many = "".join(f'alert tcp any any -> any any (msg:"LAB filler {n}"; content:"filler-{n}-x"; '
                   f'sid:{2000000 + n};)\n' for n in range(5000))
    assert status_of_new_page(lab) == "404"
    lab.gateway.use_rules(old + NEW_RULE + many)
    yield
    lab.gateway.use_rules(old)
    lab.gateway.reload()
    assert wait_until(lambda: status_of_new_page(lab) == "404", timeout_s=20)


def test_new_rules_lose_no_packet(lab, many_new_rules):
    """No other traffic: what is missing then was lost to the reload, not to a full queue."""
    lab.ping(plan.LAN, plan.INTERNET)
    pings = lab.start(plan.LAN, ["ping", "-n", "-i", "0.01", "-c", "300", "-W", "1",
                                 plan.INTERNET], "ping")
    lab.gateway.reload()
    assert pings.wait(30) == 0
    received = re.search(r"(\d+) received", pings.log())
    assert received and received.group(1) == "300", pings.log()[-300:]
    assert wait_until(lambda: "404" not in status_of_new_page(lab), timeout_s=20)


def test_new_rules_under_a_download(lab, many_new_rules):
    """The old rules judge until the new ones do, and an inspected flow goes on over the change."""
    target = lab.directory / "rules-download"
    download = lab.start(plan.LAN, [
        "curl", "-sS", "--max-time", "40", "--limit-rate", "8M", "-o", target,
        f"http://{plan.INTERNET}/large.bin"], "curl")
    assert wait_until(lambda: target.exists() and target.stat().st_size > 0, timeout_s=5)
    lab.gateway.reload()
    assert wait_until(lambda: "404" not in status_of_new_page(lab), timeout_s=20)
    assert download.wait(45) == 0, download.log()
    assert target.stat().st_size == (lab.services.content / "large.bin").stat().st_size
    target.unlink()
