# SPDX-License-Identifier: GPL-2.0-or-later
"""IPv6: the same firewall, no translation."""

from .. import addresses as plan
from ..sniffer import Sniffer
from . import CheckList, Outcome, all_of, contains, equal

CHECKS = CheckList()


@CHECKS("IPv6: LAN browses WAN with its own address")
def lan_browses_wan(lab):
    seen = lab.http(plan.LAN, f"http://[{plan.INTERNET_V6}]/who")
    return equal(f"server sees {plan.CLIENT_V6}", f"server sees {seen}")


@CHECKS("IPv6: WAN reaches the DMZ web server")
def published(lab):
    return all_of(equal("published", lab.http(plan.WAN, f"http://[{plan.SERVER_V6}]/name")),
                  equal("published", lab.http(plan.WAN, f"https://[{plan.SERVER_V6}]/name")))


@CHECKS("IPv6: LAN reaches the DMZ web server")
def lan_to_dmz(lab):
    return equal("published", lab.http(plan.LAN, f"http://[{plan.SERVER_V6}]/name"))


@CHECKS("IPv6: LAN pings WAN")
def lan_pings_wan(lab):
    return contains("2 received", lab.ping(plan.LAN, plan.INTERNET_V6))


@CHECKS("IPv6: neither WAN nor DMZ reaches LAN")
def isolation(lab):
    with Sniffer(lab, plan.LAN) as sniffer:
        for namespace in (plan.WAN, plan.DMZ):
            lab.talk(namespace, "tcp", plan.CLIENT_V6, plan.IPERF_PORT, timeout_s=0.5)
            lab.talk(namespace, "udp", plan.CLIENT_V6, plan.UDP_ECHO_PORT, timeout_s=0.5)
            lab.ping(namespace, plan.CLIENT_V6, count=1)
        arrived = sniffer.arrivals(plan.WAN_HOST_V6) + sniffer.arrivals(plan.SERVER_V6)
    return Outcome(not arrived, "nothing arrives",
                   f"{len(arrived)} arrive: {arrived[0]}" if arrived else "nothing arrives")


@CHECKS("IPv6: WAN may only ping the gateway itself")
def wan_to_self(lab):
    return all_of(
        contains("2 received", lab.ping(plan.WAN, plan.PUBLIC_V6)),
        equal("silence", lab.talk(plan.WAN, "tcp", plan.PUBLIC_V6, 22, timeout_s=1)))


@CHECKS("IPv6: port unreachable and traceroute come back")
def errors(lab):
    hop = lab.ping(plan.LAN, plan.FAR_HOST_V6, "-t", "1", count=1)
    return all_of(
        equal("refused", lab.talk(plan.LAN, "udp", plan.INTERNET_V6, plan.CLOSED_PORT)),
        contains(f"From {plan.LAN_GATEWAY_V6} icmp_seq=1 Time exceeded", hop))


@CHECKS("IPv6: names from WAN")
def names(lab):
    return equal(plan.INTERNET_V6, lab.ask_name(plan.LAN, plan.INTERNET_V6, "AAAA"))
