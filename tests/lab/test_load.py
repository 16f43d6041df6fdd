# SPDX-License-Identifier: GPL-2.0-or-later
import pytest
from conftest import assert_check
from labkit.checks import load


@pytest.mark.parametrize("check", load.CHECKS, ids=str)
def test_load(check, lab):
    assert_check(check, lab)
