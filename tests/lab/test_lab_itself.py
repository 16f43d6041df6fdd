# SPDX-License-Identifier: GPL-2.0-or-later
"""The checks that something is impossible must notice when it is possible: with a gateway that
only routes, each of them fails."""

import pytest
from labkit import addresses as plan
from labkit.checks import isolation
from labkit.commands import run
from labkit.topology import inside

# Where the right answer of a plain router differs from that of a firewall.
MUST_FAIL = [check for check in isolation.CHECKS
             if check.title != "LAN reaches SSH on the gateway and pings it"]


@pytest.fixture(scope="module")
def open_lab(raised_lab):
    kind = raised_lab.kind
    raised_lab.use_gateway("kernel")
    run(inside(plan.GATEWAY, ["nft", "flush", "ruleset"]))
    yield raised_lab
    raised_lab.use_gateway(kind)


@pytest.mark.parametrize("check", MUST_FAIL, ids=str)
def test_check_notices_an_open_gateway(check, open_lab):
    assert not check.examine(open_lab).ok
