# SPDX-License-Identifier: GPL-2.0-or-later
import pytest
from conftest import assert_check
from labkit.checks import isolation


@pytest.mark.parametrize("check", isolation.CHECKS, ids=str)
def test_isolation(check, lab):
    assert_check(check, lab)
