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


def test_rules_reload_under_traffic(lab):
    """The old rules judge until the new ones do; pings and a download lose nothing meanwhile."""
    target = lab.directory / "rules-download"
    download = lab.start(plan.LAN, [
        "curl", "-sS", "--max-time", "40", "--limit-rate", "8M", "-o", target,
        f"http://{plan.INTERNET}/large.bin"], "curl")
    new_rule = ('drop http any any -> any any (msg:"LAB new rule"; flow:established,to_server; '
                'http.uri; content:"/newly-forbidden"; sid:1000009; rev:1;)\n')

    def status():
        return lab.http(plan.WAN, f"http://{plan.PUBLIC}/newly-forbidden", "-o", "/dev/null", "-w",
                        "%{http_code}", timeout_s=1)
    try:
        assert wait_until(lambda: target.exists() and target.stat().st_size > 0, timeout_s=5)
        assert status() == "404"
        many = "".join(f'alert tcp any any -> any any (msg:"LAB filler {n}"; content:"filler-{n}-x"; '
                       f'sid:{2000000 + n};)\n' for n in range(5000))
        lab.gateway.use_rules(RULES.read_text(encoding="utf-8") + new_rule + many)
        pings = lab.start(plan.LAN, ["ping", "-n", "-i", "0.01", "-c", "300", "-W", "1",
                                     plan.INTERNET], "ping")
        lab.gateway.reload()
        assert wait_until(lambda: "404" not in status(), timeout_s=20)
        assert pings.wait(30) == 0
        received = re.search(r"(\d+) received", pings.log())
        assert received and int(received.group(1)) >= 299, pings.log()[-300:]
        assert download.wait(45) == 0, download.log()
    finally:
        lab.gateway.use_rules(RULES.read_text(encoding="utf-8"))
        lab.gateway.reload()
        target.unlink(missing_ok=True)
    assert wait_until(lambda: status() == "404", timeout_s=20)
