# SPDX-License-Identifier: GPL-2.0-or-later
import pytest
from conftest import assert_check
from labkit.checks import errors


@pytest.mark.parametrize("check", errors.CHECKS, ids=str)
def test_errors(check, lab):
    assert_check(check, lab)
