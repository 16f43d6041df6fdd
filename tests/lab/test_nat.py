# SPDX-License-Identifier: GPL-2.0-or-later
import pytest
from conftest import assert_check
from labkit.checks import nat


@pytest.mark.parametrize("check", nat.CHECKS, ids=str)
def test_nat(check, lab):
    assert_check(check, lab)
