# SPDX-License-Identifier: GPL-2.0-or-later
"""The soak in small; tests/lab/antivirus_soak.py does it with 100,000 objects."""

from labkit.soak import soak


def test_many_objects(lab, av):
    assert soak(lab, av, 2000, most_s=300).faults() == []
