# SPDX-License-Identifier: GPL-2.0-or-later
import pytest
from conftest import assert_check
from labkit.checks import version6


@pytest.mark.parametrize("check", version6.CHECKS, ids=str)
def test_ipv6(check, lab):
    assert_check(check, lab)
