# SPDX-License-Identifier: GPL-2.0-or-later
"""Fixtures of the lab tests. MASUGATA_LAB_GATEWAY chooses the gateway: masugata or kernel;
masugata without it."""

import os

import pytest

from labkit.antivirus import Antivirus
from labkit.commands import LabError
from labkit.gateways import GATEWAYS, MasugataGateway
from labkit.lab import Lab
from labkit.vpn_offices import raised_offices


def chosen_kind():
    kind = os.environ.get("MASUGATA_LAB_GATEWAY", MasugataGateway.kind)
    if kind not in GATEWAYS:
        raise pytest.UsageError(f"MASUGATA_LAB_GATEWAY={kind}: must be one of {list(GATEWAYS)}")
    return kind


def pytest_addoption(parser):
    parser.addoption("--full", action="store_true", help="also what takes minutes")


def pytest_configure(config):
    config.addinivalue_line("markers", "full: only with --full")


def pytest_collection_modifyitems(config, items):
    if not config.getoption("--full"):
        for item in items:
            if item.get_closest_marker("full"):
                item.add_marker(pytest.mark.skip(reason="only with --full"))


def pytest_report_header():
    return f"gateway under test: {chosen_kind()}"


@pytest.fixture(scope="session")
def raised_lab():
    if os.geteuid() != 0:
        pytest.exit("the lab tests need root: use ./dev test --lab", returncode=4)
    try:
        with Lab(chosen_kind()) as lab:
            yield lab
    except LabError as error:
        pytest.exit(f"the lab cannot be raised: {error}", returncode=4)


@pytest.fixture
def lab(raised_lab):
    """A lab whose gateway runs, and still runs after the test."""
    if not raised_lab.gateway.is_running():
        raised_lab.gateway.stop()
        raised_lab.gateway.start()
    yield raised_lab
    assert raised_lab.gateway.is_running(), "the gateway has died"


@pytest.fixture(name="av", scope="session")
def antivirus_fixture(raised_lab):
    """Raised once, by the first who asks for it."""
    if raised_lab.gateway.kind != MasugataGateway.kind:
        pytest.skip("the kernel scans nothing")
    with Antivirus(raised_lab) as antivirus:
        raised_lab.antivirus = antivirus
        yield antivirus


@pytest.fixture(scope="module")
def branch(raised_lab, request):
    """A branch office, as the test's own Branch raises it."""
    if raised_lab.gateway.kind != MasugataGateway.kind:
        pytest.skip("the kernel as the gateway has no tunnels here")
    with request.module.Branch(raised_lab) as raised:
        yield raised


@pytest.fixture(scope="module")
def offices(raised_lab):
    """Tunnels to peers that are not ours; the gateway is as before at the end."""
    with raised_offices(raised_lab) as both:
        yield both


def assert_check(check, lab):
    outcome = check.examine(lab)
    assert outcome.ok, f"{check.title}: expected {outcome.expected}; seen {outcome.seen}"
