# SPDX-License-Identifier: GPL-2.0-or-later
"""The masugata command line against a gateway with traffic. Not for the reference."""

import pytest
from labkit import addresses as plan
from labkit.commands import wait_until

TOPICS = ("system", "interfaces", "zones", "sessions", "policy", "nat", "routes", "neighbours",
          "drops")


@pytest.fixture
def gateway(lab):
    """The gateway under test; its configuration file is put back after the test."""
    if lab.kind != "masugata":
        pytest.skip("the reference has no such command line")
    text = lab.gateway.configuration.read_text(encoding="utf-8")
    yield lab.gateway
    if lab.gateway.configuration.read_text(encoding="utf-8") != text:
        lab.gateway.configuration.write_text(text, encoding="utf-8")
        lab.gateway.reload()


def browse(lab, *options):
    return lab.http(plan.LAN, f"http://{plan.INTERNET}/who", *options, timeout_s=2)


def edit(gateway, old, new):
    text = gateway.configuration.read_text(encoding="utf-8")
    assert text.count(old) == 1, f"{old!r} is not once in the configuration"
    gateway.configuration.write_text(text.replace(old, new), encoding="utf-8")


@pytest.mark.parametrize("topic", TOPICS)
def test_every_show_command_answers(gateway, topic):
    assert gateway.command("show", topic).stdout.strip()


def test_sessions_are_shown_with_their_translation(lab, gateway):
    browse(lab)
    shown = gateway.command("show", "sessions", "destination", plan.INTERNET).stdout
    for part in (plan.CLIENT, plan.INTERNET, plan.PUBLIC):
        assert part in shown, shown


def test_denied_packets_are_counted_by_reason(lab, gateway):
    gateway.command("clear", "counters")
    assert lab.talk(plan.WAN, "tcp", plan.SERVER, 22, timeout_s=0.5) == "silence"
    # Workers publish their counters from time to time.
    assert wait_until(lambda: "policy" in gateway.command("show", "drops").stdout.lower(),
                      timeout_s=5), gateway.command("show", "drops").stdout


def test_explain_agrees_with_the_traffic(gateway):
    permitted = gateway.command("explain", "tcp", f"{plan.CLIENT}:1025", f"{plan.INTERNET}:80")
    assert "permit" in permitted.stdout and plan.PUBLIC in permitted.stdout, permitted.stdout
    denied = gateway.command("explain", "tcp", f"{plan.SERVER}:1025", f"{plan.CLIENT}:80",
                             check=False)
    assert "permit" not in denied.stdout.lower() or "deny" in denied.stdout.lower(), denied.stdout


def test_a_broken_configuration_changes_nothing(lab, gateway):
    edit(gateway, "rule all { action permit; }", "rule all { action permitt; }")
    checked = gateway.command("check", gateway.configuration, check=False)
    assert checked.returncode == 1
    assert "permitt" in checked.stdout + checked.stderr
    reloaded = gateway.command("reload", check=False)
    assert reloaded.returncode != 0
    assert browse(lab) == plan.PUBLIC


def test_a_reload_that_forbids_ends_what_it_forbids(lab, gateway):
    target = lab.directory / "forbidden-download"
    download = lab.start(plan.LAN, [
        "curl", "-sS", "--max-time", "20", "--limit-rate", "2M", "--speed-limit", "1000",
        "--speed-time", "3", "-o", target, f"http://{plan.INTERNET}/large.bin"], "curl")
    assert wait_until(lambda: target.exists() and target.stat().st_size > 0, timeout_s=5)
    edit(gateway, "from lan to wan {",
         "from lan to wan {\n"
         "        rule no-web { protocol tcp; destination { port 80; } action deny; }")
    gateway.reload()
    assert download.wait(25) != 0, "the download of a session now denied went on"
    assert browse(lab) == "silence"
    assert "2 received" in lab.ping(plan.LAN, plan.INTERNET)


def test_a_reload_can_reject_with_a_reset(lab, gateway):
    edit(gateway, "from lan to wan {",
         "from lan to wan {\n"
         "        rule no-web { protocol tcp; destination { port 80; } action reject; }\n"
         "        rule no-echo { protocol udp; destination { port 7007; } action reject; }")
    gateway.reload()
    assert lab.talk(plan.LAN, "tcp", plan.INTERNET, 80) == "refused"
    assert lab.talk(plan.LAN, "udp", plan.INTERNET, plan.UDP_ECHO_PORT) in (
        "refused", "unreachable", "prohibited")
