# SPDX-License-Identifier: GPL-2.0-or-later
"""The way to a peer of the gateway: a router behind the Internet, which translates the peer's private
addresses as a provider does, and the machines that peers run on.

 msg-wan ── edge0   uplink ── msg-edge ── peer0   the peer: msg-peer, or a user-mode-linux machine
  198.51.100.129    .130, .131           .145      .146, .147: its own public addresses
  2001:db8:d::1     ::2          2001:db8:d:1::1   ::2
                                  192.168.77.1     .2, .3: translated to 198.51.100.130
"""

from . import addresses as plan
from .commands import end_programs_in, run
from .services import PROBES, PYTHON
from .topology import configure, inside, set_kernel_settings, turn_offloads_off
from .uml import UserModeLinux

WAN_LINK, UPLINK, PEER_LINK = "edge0", "uplink", "peer0"
WAN_SIDE, EDGE, EDGE_SECOND = "198.51.100.129", "198.51.100.130", "198.51.100.131"
# Between the two routers only: never translated to, always there.
WAN_TRANSIT, EDGE_TRANSIT = "198.51.100.124", "198.51.100.125"
WAN_SIDE_V6, EDGE_V6 = "2001:db8:d::1", "2001:db8:d::2"
ROUTER, ROUTER_V6, ROUTER_PRIVATE = "198.51.100.145", "2001:db8:d:1::1", "192.168.77.1"
PEER_LINK_NET, PEER_LINK_NET_V6 = "198.51.100.144/28", "2001:db8:d:1::/64"
PEER, PEER_SECOND, PEER_V6 = "198.51.100.146", "198.51.100.147", "2001:db8:d:1::2"
PRIVATE_NET = "192.168.77.0/24"
PEER_PRIVATE, PEER_PRIVATE_SECOND = "192.168.77.2", "192.168.77.3"

PEER_HOST, PEER_HOST_V6 = "10.9.0.5", "2001:db8:9::5"
PEER_NET, PEER_NET_V6 = "10.9.0.0/24", "2001:db8:9::/64"
# Where a hundred peers are, with a hundred networks 10.100.N.0/24.
MANY_PEERS_NET = "198.18.0.0/24"
TRANSFER_PORT = 7100

TRANSLATION = f"""
table ip nat {{
    chain out {{
        type nat hook postrouting priority srcnat; policy accept;
        oifname "{UPLINK}" ip saddr {PRIVATE_NET} masquerade
    }}
}}
"""


class Edge:
    """The router. A context manager."""

    def __init__(self, lab):
        self.lab = lab

    def __enter__(self):
        self._remove()
        try:
            self._raise()
        except BaseException:
            self._remove()
            raise
        return self

    def _raise(self):
        for namespace in (plan.EDGE, plan.PEER):
            run(["ip", "netns", "add", namespace])
            set_kernel_settings(namespace, {
                "net.ipv4.conf.all.promote_secondaries": 1,
                "net.ipv4.conf.all.rp_filter": 0, "net.ipv4.conf.default.rp_filter": 0,
                "net.ipv6.conf.all.accept_ra": 0, "net.ipv6.conf.default.accept_ra": 0})
        set_kernel_settings(plan.EDGE, {"net.ipv4.ip_forward": 1,
                                        "net.ipv6.conf.all.forwarding": 1})
        run(["ip", "-n", plan.WAN, "link", "add", WAN_LINK, "type", "veth", "peer", "name", UPLINK,
             "netns", plan.EDGE])
        turn_offloads_off(plan.WAN, WAN_LINK)
        turn_offloads_off(plan.EDGE, UPLINK)
        configure(plan.WAN, f"""
            link set {WAN_LINK} up
            address add {WAN_SIDE}/28 dev {WAN_LINK}
            address add {WAN_TRANSIT}/31 dev {WAN_LINK}
            address add {WAN_SIDE_V6}/64 dev {WAN_LINK} nodad
            route add {PEER_LINK_NET} via {EDGE_TRANSIT}
            route add {MANY_PEERS_NET} via {EDGE_TRANSIT}
            route add {PEER_LINK_NET_V6} via {EDGE_V6}""")
        configure(plan.EDGE, f"""
            link set lo up
            link set {UPLINK} up
            address add {EDGE_TRANSIT}/31 dev {UPLINK}
            address add {EDGE}/28 dev {UPLINK}
            address add {EDGE_SECOND}/28 dev {UPLINK}
            address add {EDGE_V6}/64 dev {UPLINK} nodad
            route add default via {WAN_SIDE}
            route add default via {WAN_SIDE_V6}""")
        run(inside(plan.EDGE, ["nft", "-f", "-"]), stdin_text=TRANSLATION)

    @staticmethod
    def get_new_address():
        """As a provider gives one: what was translated to the old one is so no more."""
        configure(plan.EDGE, f"address delete {EDGE}/28 dev {UPLINK}")

    @staticmethod
    def get_old_address():
        """Back to how it was."""
        configure(plan.EDGE, f"""
            address delete {EDGE_SECOND}/28 dev {UPLINK}
            address add {EDGE}/28 dev {UPLINK}
            address add {EDGE_SECOND}/28 dev {UPLINK}
            route replace default via {WAN_SIDE}""")

    @staticmethod
    def address_peer_link():
        """When the interface towards the peer has come."""
        configure(plan.EDGE, f"""
            link set {PEER_LINK} up
            address replace {ROUTER}/28 dev {PEER_LINK}
            address replace {ROUTER_PRIVATE}/24 dev {PEER_LINK}
            address replace {ROUTER_V6}/64 dev {PEER_LINK} nodad""")

    @staticmethod
    def route_many_peers():
        """The peer has all of their addresses."""
        configure(plan.EDGE, f"route replace {MANY_PEERS_NET} via {PEER}")

    @staticmethod
    def _remove():
        run(["ip", "-n", plan.WAN, "link", "delete", WAN_LINK], check=False)
        for namespace in (plan.EDGE, plan.PEER):
            run(["ip", "netns", "delete", namespace], check=False)

    def __exit__(self, *_):
        self._remove()


def peer_addresses(interface):
    """What the peer configures, as words of ip."""
    commands = f"""
        link set lo up
        link set {interface} up
        address add {PEER}/28 dev {interface}
        address add {PEER_SECOND}/28 dev {interface}
        address add {PEER_PRIVATE}/24 dev {interface}
        address add {PEER_PRIVATE_SECOND}/24 dev {interface}
        address add {PEER_V6}/64 dev {interface} nodad
        address add {PEER_HOST}/32 dev lo
        address add {PEER_HOST_V6}/128 dev lo nodad
        route add default via {ROUTER} table main
        route add default via {ROUTER_PRIVATE} table 77
        rule add from {PRIVATE_NET} table 77
        -6 route add default via {ROUTER_V6}"""
    return [line.split() for line in commands.strip().splitlines()]


class NamespaceMachine:
    """The peer as programs on the host's kernel in msg-peer."""

    def __init__(self, lab, directory):
        self.lab = lab
        self.directory = directory

    def start(self):
        self.directory.mkdir(parents=True, exist_ok=True)
        run(["ip", "-n", plan.EDGE, "link", "add", PEER_LINK, "type", "veth", "peer", "name", "eth0",
             "netns", plan.PEER])
        turn_offloads_off(plan.EDGE, PEER_LINK)
        turn_offloads_off(plan.PEER, "eth0")
        Edge.address_peer_link()
        for words in peer_addresses("eth0"):
            self.run(["ip", *words])

    def run(self, argv, timeout_s=20, check=True, environment=None):
        words = [f"{name}={value}" for name, value in (environment or {}).items()]
        return run(inside(plan.PEER, [*(["env", *words] if words else []), *argv]),
                   timeout_s=timeout_s, check=check)

    def begin(self, argv, log, environment=None):
        words = [f"{name}={value}" for name, value in (environment or {}).items()]
        return NamespaceProgram(self.lab.start(plan.PEER, ["env", *words, *argv], log.stem))

    def stop(self):
        """The namespace stays, and a machine may be started in it again."""
        run(["ip", "-n", plan.EDGE, "link", "delete", PEER_LINK], check=False)
        end_programs_in(plan.PEER)
        for words in ("address flush dev lo scope global", f"rule delete from {PRIVATE_NET}"):
            run(["ip", "-n", plan.PEER, *words.split()], check=False)


class NamespaceProgram:
    def __init__(self, program):
        self.program = program

    def end(self, number=15):
        self.program.process.send_signal(number)
        return self.program.wait(5)


class UmlMachine(UserModeLinux):
    """The peer with a kernel of its own."""

    def __init__(self, _lab, directory):
        super().__init__("peer", plan.EDGE, PEER_LINK, directory)

    def start(self):
        run(["ip", "-n", plan.EDGE, "tuntap", "add", PEER_LINK, "mode", "tap"], check=False)
        Edge.address_peer_link()
        super().start()
        for words in peer_addresses("vec0"):
            self.run(["ip", *words])

    def stop(self):
        super().stop()
        run(["ip", "-n", plan.EDGE, "link", "delete", PEER_LINK], check=False)


def serve_transfers(machine, address=PEER_HOST, ports=(TRANSFER_PORT,)):
    return machine.begin([PYTHON, PROBES / "tunnel.py", "serve", address, *map(str, ports)],
                         machine.directory / "transfers.log")
