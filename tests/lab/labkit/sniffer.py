# SPDX-License-Identifier: GPL-2.0-or-later
"""Sees what really arrives in a namespace, and proves that it was looking."""

from . import addresses as plan
from .commands import LabError, wait_until

MARKER_PORT = 4799


class Sniffer:
    """Prints every IP packet that arrives at a host's interface. Because "nothing came" must not
    mean "nobody looked", arrivals() first sends a datagram from the gateway's own namespace side
    of the same wire and waits until it has been seen."""

    def __init__(self, lab, namespace):
        self.lab = lab
        self.namespace = namespace

    def __enter__(self):
        self.program = self.lab.start(self.namespace, [
            "tcpdump", "-n", "-l", "-t", "-i", plan.HOST_INTERFACE, "--immediate-mode",
            "ip or ip6"], f"tcpdump-{self.namespace}")
        self.program.wait_ready(lambda: "listening on" in self.program.log(), timeout_s=10)
        return self

    def __exit__(self, *unused):
        self.program.stop()

    def arrivals(self, *needles):
        """The printed packets that contain every one of `needles`."""
        gateway = {plan.LAN: plan.LAN_GATEWAY, plan.DMZ: plan.DMZ_GATEWAY,
                   plan.WAN: plan.WAN_HOST}[self.namespace]
        # Leaves through the sniffed interface after everything that has arrived before it.
        self.lab.talk(self.namespace, "udp", gateway, MARKER_PORT, timeout_s=0.2)
        if not wait_until(lambda: f".{MARKER_PORT}:" in self.program.log(), timeout_s=5):
            raise LabError(f"the sniffer in {self.namespace} sees nothing: {self.program.log()}")
        return [line for line in self.program.log().splitlines()
                if self.comes_in(line) and all(needle in line for needle in needles)]

    def comes_in(self, line):
        """What the host itself still sends, the end of an old connection, did not arrive."""
        networks = {plan.LAN: ("10.0.1.", "2001:db8:2:"), plan.DMZ: ("10.0.2.", "2001:db8:3:"),
                    plan.WAN: ("203.0.113.", "2001:db8:1:", "198.51.100.", "2001:db8:f:")}
        _, found, destination = line.partition(" > ")
        return bool(found) and destination.startswith(networks[self.namespace])
