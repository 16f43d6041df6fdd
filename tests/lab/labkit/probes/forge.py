# SPDX-License-Identifier: GPL-2.0-or-later
"""Run in msg-wan: puts packets on the wire that no gateway may let into LAN or DMZ. Each carries
port 6660, by which a watcher recognises it."""

import logging
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
logging.getLogger("scapy").setLevel(logging.ERROR)

# pylint: disable=wrong-import-position
from scapy.config import conf  # noqa: E402
from scapy.layers.inet import ICMP, IP, TCP, UDP, IPerror, UDPerror  # noqa: E402
from scapy.layers.inet6 import IPv6  # noqa: E402
from scapy.layers.l2 import Ether, getmacbyip  # noqa: E402
from scapy.sendrecv import sendp  # noqa: E402

from labkit import addresses as plan  # noqa: E402

PORT = 6660
LOOSE_SOURCE_ROUTE = b"\x83\x07\x04\x0a\x00\x01\x0a\x00"  # via 10.0.1.10, padded


def forged_packets():
    for target in (plan.CLIENT, plan.SERVER):
        for source in ("10.0.1.99", "10.0.2.80", "127.0.0.1", "0.0.0.0", "224.0.0.1",
                       plan.PUBLIC, plan.LAN_GATEWAY, target):
            yield IP(src=source, dst=target) / UDP(sport=53, dport=PORT)
            yield IP(src=source, dst=target) / TCP(sport=PORT, dport=80, flags="S")
        # Not the answer to anything.
        for flags in ("SA", "A", "FA", "R", "FPU", ""):
            yield IP(src=plan.INTERNET, dst=target) / TCP(sport=80, dport=PORT, flags=flags)
        yield (IP(src=plan.INTERNET, dst=target) / ICMP(type=3, code=3)
               / IPerror(src=target, dst=plan.INTERNET) / UDPerror(sport=PORT, dport=PORT))
    yield (IP(src=plan.INTERNET, dst=plan.PUBLIC, options=[]) / UDP(sport=53, dport=PORT))
    routed = IP(src=plan.INTERNET, dst=plan.PUBLIC) / UDP(sport=53, dport=PORT)
    raw = bytearray(bytes(routed))
    raw[0] = 0x47
    raw[2:4] = (len(raw) + len(LOOSE_SOURCE_ROUTE)).to_bytes(2, "big")
    raw[10:12] = b"\0\0"
    options = IP(bytes(raw[:20]) + LOOSE_SOURCE_ROUTE + bytes(raw[20:]))
    del options.chksum
    yield options
    for target in (plan.CLIENT_V6, plan.SERVER_V6):
        for source in ("2001:db8:2::99", "::1", plan.PUBLIC_V6, "ff02::1", target):
            yield IPv6(src=source, dst=target) / UDP(sport=53, dport=PORT)
            yield IPv6(src=source, dst=target) / TCP(sport=PORT, dport=80, flags="S")
        yield IPv6(src=plan.INTERNET_V6, dst=target) / TCP(sport=80, dport=PORT, flags="SA")


def main():
    conf.verb = 0
    gateway = getmacbyip(plan.PUBLIC)
    if gateway is None:
        sys.exit("the gateway does not answer ARP")
    sendp([Ether(dst=gateway) / packet for packet in forged_packets()], iface=plan.HOST_INTERFACE)


if __name__ == "__main__":
    main()
