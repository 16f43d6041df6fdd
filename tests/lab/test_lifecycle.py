# SPDX-License-Identifier: GPL-2.0-or-later
"""Reload and restart while traffic flows."""

import re

from conftest import assert_check
from labkit import addresses as plan
from labkit.checks import nat, version6
from labkit.commands import wait_until


def start_download(lab, target):
    # 6 MB/s: the 32 MB last about five seconds, long enough for several reloads.
    return lab.start(plan.LAN, [
        "curl", "-sS", "--max-time", "40", "--limit-rate", "6M", "-o", target,
        f"http://{plan.INTERNET}/large.bin"], "curl")


def file_sum(lab, path):
    return lab.execute(plan.LAN, ["sha256sum", path]).stdout.split()[0]


def test_reload_under_pings_loses_nothing(lab):
    """No other traffic: what is missing then was lost to the reload, not to a full queue."""
    lab.ping(plan.LAN, plan.INTERNET)  # neighbours are known
    pings = lab.start(plan.LAN, ["ping", "-n", "-i", "0.01", "-c", "300", "-W", "1", plan.INTERNET],
                      "ping")
    for _ in range(5):
        lab.gateway.reload()
    assert pings.wait(30) == 0
    received = re.search(r"(\d+) received", pings.log())
    assert received and received.group(1) == "300", pings.log()[-300:]


def test_reload_under_a_download_breaks_nothing(lab):
    target = lab.directory / "reload-download"
    download = start_download(lab, target)
    assert wait_until(lambda: target.exists() and target.stat().st_size > 0, timeout_s=5)
    for _ in range(5):
        lab.gateway.reload()
    assert download.wait(45) == 0, download.log()
    assert file_sum(lab, target) == lab.services.large_sum
    target.unlink()


def test_gateway_restart(lab):
    lab.gateway.stop()
    lab.gateway.start()
    for check in nat.CHECKS[:4] + version6.CHECKS[:2]:
        assert_check(check, lab)
