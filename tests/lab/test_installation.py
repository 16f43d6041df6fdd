# SPDX-License-Identifier: GPL-2.0-or-later
"""What `./dev install` installs, started by systemd as the units say: with their bounds on
capabilities, folders and system calls."""

import contextlib
import json

import pytest

from labkit import virus_samples as samples
from labkit.booted_system import BootedSystem
from labkit.commands import LabError, wait_until

GATEWAY, SCANNERS, JOBS = "masugatad.service", "masugata-scand.service", "masugata-scan-job.socket"
CHARON, CHARON_PATH = "masugata-charon.service", "masugata-charon.path"
CONFIGURATION = """
system { host-name installed; hw-profile lab; }
interfaces {
    interface wan0 { device net_af_packet0,iface=uplink; address 203.0.113.2/24; }
    interface lan0 { device net_af_packet1,iface=office; address 10.0.1.1/24; }
}
zones { zone wan { interface wan0; } zone lan { interface lan0; } }
policy { from lan to wan { rule all { action permit; inspect { av office; } } } }
av {
    signatures { folder /srv/signatures; }
    profile office { }
    scan-job nightly { path /srv/share; quarantine; }
}
vpn {
    site osaka {
        peer any; local-interface wan0; zone wan;
        authentication { psk-file /etc/masugata/secrets/osaka; remote-identity osaka.example; }
        local-networks 10.0.0.0/16; remote-networks 10.20.0.0/16;
    }
}
"""
FILES = {
    "etc/masugata/gateway.conf": CONFIGURATION,
    "etc/masugata/secrets/osaka": "not told to anybody\n",
    "srv/signatures/lab.ndb": samples.signature("Lab.Later", samples.LATER_MARK),
    "srv/share/clean": "nothing",
    "srv/share/marked": samples.LATER_MARK.decode(),
}


@pytest.fixture(name="system", scope="module")
def booted_system():
    """What it waits for does not depend on the units under test."""
    with contextlib.ExitStack() as stack:
        try:
            system = stack.enter_context(BootedSystem(FILES, ["uplink", "office"],
                                                      [GATEWAY, SCANNERS, JOBS, CHARON_PATH]))
        except LabError as error:
            pytest.skip(f"systemd cannot be booted inside this machine: {error}")
        yield system


def show(system, *words):
    shown = system.run("masugata", "show", *words, "--json", check=False)
    return json.loads(shown.stdout) if shown.returncode == 0 else {}


def scanners_are_ready(system):
    return show(system, "av").get("scanner", {}).get("engine") == "ready"


def test_the_units_start(system):
    for unit in (GATEWAY, SCANNERS, JOBS):
        assert system.wait_for(unit, "active"), system.journal(unit)
    assert wait_until(lambda: scanners_are_ready(system), timeout_s=60, interval_s=0.5), \
        system.journal(SCANNERS)
    assert (system.restarts(GATEWAY), system.restarts(SCANNERS)) == (0, 0)
    assert "lan0" in system.run("masugata", "show", "interfaces").stdout


def test_members_of_the_group_may_ask(system):
    asked = ["setpriv", "--reuid=nobody", "--clear-groups", "--inh-caps=-all"]
    refused = system.run(*asked, "--regid=nogroup", "masugata", "show", "interfaces", check=False)
    assert refused.returncode != 0
    assert "lan0" in system.run(*asked, "--regid=masugata", "masugata", "show",
                                "interfaces").stdout


def test_a_scan_job_runs(system):
    assert wait_until(lambda: scanners_are_ready(system), timeout_s=60, interval_s=0.5)
    system.run("masugata", "request", "av", "scan-job", "nightly", "start")

    def counts():
        jobs = show(system, "av", "scan-jobs").get("jobs", [])
        return (jobs[0].get("last") or {}).get("counts", {}) if jobs else {}
    assert wait_until(lambda: counts().get("infected") == 1, timeout_s=60, interval_s=0.5), \
        system.run("journalctl", "--no-pager", "--boot").stdout[-3000:]
    assert counts()["files"] == 2
    assert system.run("test", "-e", "/srv/share/marked", check=False).returncode != 0


def charon_is_there(system):
    return show(system, "vpn").get("charon", {}).get("there") is True


def test_charon_starts_with_the_first_site(system):
    assert system.wait_for(CHARON, "active"), system.journal(CHARON)
    assert wait_until(lambda: charon_is_there(system), timeout_s=30, interval_s=0.5), \
        system.journal(CHARON) + system.journal(GATEWAY)
    assert "osaka" in system.run("masugata", "show", "vpn").stdout
    assert system.restarts(CHARON) == 0


def test_a_killed_gateway_comes_back(system):
    system.run("systemctl", "kill", "--signal=KILL", GATEWAY)
    assert wait_until(lambda: system.restarts(GATEWAY) == 1, timeout_s=20)
    assert system.wait_for(GATEWAY, "active"), system.journal(GATEWAY)
    assert wait_until(lambda: scanners_are_ready(system), timeout_s=60, interval_s=0.5), \
        system.journal(SCANNERS)
    assert system.restarts(SCANNERS) == 0
    assert wait_until(lambda: charon_is_there(system), timeout_s=30, interval_s=0.5), \
        system.journal(CHARON)


def test_a_killed_charon_comes_back(system):
    system.run("systemctl", "kill", "--signal=KILL", CHARON)
    assert wait_until(lambda: system.restarts(CHARON) == 1, timeout_s=20)
    assert wait_until(lambda: charon_is_there(system), timeout_s=30, interval_s=0.5), \
        system.journal(CHARON)


def test_a_wrong_configuration_is_not_started(system):
    system.run("sh", "-c", "echo 'zones { zone lan { interface lan0; } }' "
                           ">> /etc/masugata/gateway.conf")
    reload = system.run("systemctl", "reload", GATEWAY, check=False)
    assert reload.returncode != 0
    assert "written twice" in system.journal(GATEWAY)
    assert system.state(GATEWAY) == "active"
    assert "lan0" in system.run("masugata", "show", "interfaces").stdout


def test_it_stops_in_order(system):
    system.run("systemctl", "stop", GATEWAY, SCANNERS, timeout_s=40)
    for unit in (GATEWAY, SCANNERS):
        assert system.state(unit) == "inactive", system.journal(unit)
