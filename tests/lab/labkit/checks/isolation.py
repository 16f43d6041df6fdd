# SPDX-License-Identifier: GPL-2.0-or-later
"""What must not be possible."""

import re

from .. import addresses as plan
from ..services import PROBES, PYTHON
from ..sniffer import Sniffer
from . import CheckList, Outcome, all_of, contains, equal

CHECKS = CheckList()

# Found open by a scan of the public address: what is published and nothing else.
PUBLISHED = "80 443"


def _nothing_arrives(lab, target, needle, attack):
    """`attack()` is made; no packet with `needle` may be seen in the target namespace."""
    with Sniffer(lab, target) as sniffer:
        attack()
        arrived = sniffer.arrivals(needle)
    return Outcome(not arrived, "nothing arrives",
                   f"{len(arrived)} arrive: {arrived[0]}" if arrived else "nothing arrives")


@CHECKS("WAN cannot reach LAN by TCP")
def wan_to_lan_tcp(lab):
    return _nothing_arrives(lab, plan.LAN, plan.INTERNET, lambda: [
        lab.talk(plan.WAN, "tcp", plan.CLIENT, port, timeout_s=0.5)
        for port in (plan.IPERF_PORT, plan.CLOSED_PORT)])


@CHECKS("WAN cannot reach LAN by UDP")
def wan_to_lan_udp(lab):
    return _nothing_arrives(lab, plan.LAN, plan.INTERNET, lambda: lab.talk(
        plan.WAN, "udp", plan.CLIENT, plan.UDP_ECHO_PORT, timeout_s=0.5))


@CHECKS("WAN cannot ping LAN or DMZ")
def wan_to_lan_ping(lab):
    return all_of(
        _nothing_arrives(lab, plan.LAN, plan.INTERNET,
                         lambda: lab.ping(plan.WAN, plan.CLIENT)),
        _nothing_arrives(lab, plan.DMZ, plan.INTERNET,
                         lambda: lab.ping(plan.WAN, plan.SERVER)))


@CHECKS("WAN cannot reach LAN with forged sources, unsolicited replies or source routes")
def wan_forgeries(lab):
    # Every forged packet carries this UDP or TCP port, by which it would be recognised.
    def attack():
        lab.execute(plan.WAN, [PYTHON, PROBES / "forge.py"], timeout_s=30, check=True)
    with Sniffer(lab, plan.LAN) as in_lan, Sniffer(lab, plan.DMZ) as in_dmz:
        attack()
        arrived = in_lan.arrivals("6660") + in_dmz.arrivals("6660")
    return Outcome(not arrived, "nothing arrives",
                   f"{len(arrived)} arrive: {arrived[0]}" if arrived else "nothing arrives")


@CHECKS("DMZ cannot open connections to LAN")
def dmz_to_lan(lab):
    def attack():
        lab.talk(plan.DMZ, "tcp", plan.CLIENT, plan.IPERF_PORT, timeout_s=0.5)
        lab.talk(plan.DMZ, "udp", plan.CLIENT, plan.UDP_ECHO_PORT, timeout_s=0.5)
        lab.ping(plan.DMZ, plan.CLIENT, count=1)
    return _nothing_arrives(lab, plan.LAN, f"{plan.SERVER}", attack)


@CHECKS("DMZ may not use other services in WAN")
def dmz_to_wan_other(lab):
    return all_of(
        equal("silence", lab.talk(plan.DMZ, "tcp", plan.INTERNET, plan.IPERF_PORT, timeout_s=1)),
        equal("silence", lab.talk(plan.DMZ, "udp", plan.INTERNET, plan.UDP_ECHO_PORT,
                                  timeout_s=1)))


@CHECKS("LAN may not use other services in DMZ")
def lan_to_dmz_other(lab):
    return equal("silence", lab.talk(plan.LAN, "tcp", plan.SERVER, plan.IPERF_PORT, timeout_s=1))


def _open_ports(report):
    return " ".join(re.findall(r"^(\d+)/(?:tcp|udp)\s+open\s", report, re.MULTILINE))


@CHECKS("a TCP scan from WAN finds only what is published")
def tcp_scan(lab):
    report = lab.execute(plan.WAN, [
        "nmap", "-n", "-Pn", "-sS", "-p", "1-10000", "--min-rate", "4000", "--max-retries", "1",
        "--host-timeout", "60s", plan.PUBLIC], timeout_s=70)
    return equal(f"open: {PUBLISHED}", f"open: {_open_ports(report.stdout)}")


@CHECKS("an IPv6 TCP scan from WAN finds only what is published")
def tcp_scan_v6(lab):
    reports = [lab.execute(plan.WAN, [
        "nmap", "-6", "-n", "-Pn", "-sS", "-p", "1-1100,5201", "--min-rate", "2000",
        "--max-retries", "1", "--host-timeout", "60s", host], timeout_s=70).stdout
        for host in (plan.SERVER_V6, plan.CLIENT_V6, plan.PUBLIC_V6)]
    seen = [_open_ports(report) or "none" for report in reports]
    return equal(f"server {PUBLISHED}, client none, gateway none",
                 f"server {seen[0]}, client {seen[1]}, gateway {seen[2]}")


@CHECKS("a UDP scan from WAN finds nothing, not even closed ports")
def udp_scan(lab):
    report = lab.execute(plan.WAN, [
        "nmap", "-n", "-Pn", "-sU", "-p", "53,67,123,161,500,4500,7007", "--max-retries", "1",
        "--host-timeout", "30s", plan.PUBLIC], timeout_s=40).stdout
    answers = re.findall(r"^(\d+)/udp\s+(open|closed)\s", report, re.MULTILINE)
    return equal("answers: none", f"answers: {answers or 'none'}")


@CHECKS("WAN may only ping the gateway itself")
def wan_to_self(lab):
    return all_of(
        contains("2 received", lab.ping(plan.WAN, plan.PUBLIC)),
        equal("silence", lab.talk(plan.WAN, "tcp", plan.PUBLIC, 22, timeout_s=1)),
        equal("silence", lab.ask_name(plan.WAN, plan.PUBLIC)))


@CHECKS("LAN reaches SSH on the gateway and pings it")
def lan_to_self(lab):
    return all_of(
        equal("open SSH-2.0-masugata-lab", lab.talk(plan.LAN, "tcp", plan.LAN_GATEWAY, 22)),
        contains("2 received", lab.ping(plan.LAN, plan.LAN_GATEWAY)))


@CHECKS("LAN may not use other ports of the gateway")
def lan_to_self_other(lab):
    return equal("silence", lab.talk(plan.LAN, "udp", plan.LAN_GATEWAY, 161, timeout_s=1))
