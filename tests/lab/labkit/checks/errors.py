# SPDX-License-Identifier: GPL-2.0-or-later
"""ICMP errors, path MTU, fragments."""

from .. import addresses as plan
from ..sniffer import Sniffer
from . import CheckList, Outcome, all_of, contains, equal

CHECKS = CheckList()
LARGER_THAN_MTU = ("-s", "4000")


@CHECKS("port unreachable from WAN comes back to the LAN host that asked")
def port_unreachable(lab):
    # A connected socket takes the error only when the quoted packet is its own, inside out.
    return all_of(
        equal("refused", lab.talk(plan.LAN, "udp", plan.INTERNET, plan.CLOSED_PORT,
                                  source=plan.CLIENT)),
        equal("refused", lab.talk(plan.LAN, "udp", plan.INTERNET, plan.CLOSED_PORT,
                                  source=plan.CLIENT_SECOND)))


@CHECKS("a refused TCP connection is refused at once")
def tcp_refused(lab):
    return equal("refused", lab.talk(plan.LAN, "tcp", plan.INTERNET, plan.CLOSED_PORT))


@CHECKS("traceroute shows the gateway, then the router behind it")
def traceroute(lab):
    first = lab.ping(plan.LAN, plan.FAR_HOST, "-t", "1", count=1)
    second = lab.ping(plan.LAN, plan.FAR_HOST, "-t", "2", count=1)
    return all_of(contains(f"From {plan.LAN_GATEWAY} icmp_seq=1 Time to live exceeded", first),
                  contains(f"From {plan.WAN_HOST} icmp_seq=1 Time to live exceeded", second))


def _forget_paths(lab, namespace):
    """The kernel remembers path MTUs for minutes."""
    lab.execute(namespace, ["ip", "route", "flush", "cache"])
    lab.execute(namespace, ["ip", "-6", "route", "flush", "cache"])


@CHECKS("PMTU: 'fragmentation needed' from behind WAN reaches the LAN host")
def pmtu_error(lab):
    _forget_paths(lab, plan.LAN)
    seen = lab.ping(plan.LAN, plan.FAR_HOST, "-M", "do", "-s", "1472", count=2)
    _forget_paths(lab, plan.LAN)
    return contains(f"mtu = {plan.FAR_LINK_MTU}", seen.replace("mtu=", "mtu = "))


@CHECKS("PMTU: an upload over the narrow link works")
def pmtu_upload(lab):
    _forget_paths(lab, plan.LAN)
    seen = lab.talk(plan.LAN, "upload", plan.FAR_HOST, 9000, 3_000_000, timeout_s=10)
    _forget_paths(lab, plan.LAN)
    return equal("ok", seen)


@CHECKS("PMTU: an IPv6 upload over the narrow link works")
def pmtu_upload_v6(lab):
    _forget_paths(lab, plan.LAN)
    seen = lab.talk(plan.LAN, "upload", plan.FAR_HOST_V6, 9000, 3_000_000, timeout_s=10)
    _forget_paths(lab, plan.LAN)
    return equal("ok", seen)


@CHECKS("PMTU: the error of a LAN host's session is not seen in DMZ")
def pmtu_right_host(lab):
    _forget_paths(lab, plan.LAN)
    with Sniffer(lab, plan.DMZ) as sniffer:
        lab.ping(plan.LAN, plan.FAR_HOST, "-M", "do", "-s", "1472", count=1)
        strays = sniffer.arrivals("need to frag")
    _forget_paths(lab, plan.LAN)
    return Outcome(not strays, "no stray error in DMZ",
                   strays[0] if strays else "no stray error in DMZ")


@CHECKS("fragments: large pings LAN to WAN")
def fragmented_ping(lab):
    return contains("2 received", lab.ping(plan.LAN, plan.INTERNET, *LARGER_THAN_MTU))


@CHECKS("fragments: large pings WAN to the gateway")
def fragmented_ping_to_self(lab):
    return contains("2 received", lab.ping(plan.WAN, plan.PUBLIC, *LARGER_THAN_MTU))


@CHECKS("fragments: 4,000-byte UDP LAN to WAN and back")
def fragmented_udp(lab):
    return all_of(*(equal("echo 4000", lab.talk(
        plan.LAN, "udp", plan.INTERNET, plan.UDP_ECHO_PORT, payload_bytes=4000, source=source))
        for source in (plan.CLIENT, plan.CLIENT_SECOND)))


@CHECKS("fragments: IPv6, large pings and UDP")
def fragmented_v6(lab):
    return all_of(
        contains("2 received", lab.ping(plan.LAN, plan.INTERNET_V6, *LARGER_THAN_MTU)),
        contains("2 received", lab.ping(plan.WAN, plan.PUBLIC_V6, *LARGER_THAN_MTU)),
        equal("echo 4000", lab.talk(plan.LAN, "udp", plan.INTERNET_V6, plan.UDP_ECHO_PORT,
                                    payload_bytes=4000)))
