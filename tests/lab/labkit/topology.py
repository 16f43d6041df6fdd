# SPDX-License-Identifier: GPL-2.0-or-later
"""Namespaces, veth pairs, addresses and routes; everything but the gateway's own part."""

from . import addresses as plan
from .commands import end_programs_in, run

# Frames must be what a wire carries: no segment larger than the MTU, every checksum real.
OFFLOADS_OFF = ("rx off tx off sg off tso off gso off gro off tx-udp-segmentation off "
                "rxvlan off txvlan off").split()
# AF_XDP takes one queue; with a single one no packet can go past it into the kernel.
ONE_QUEUE = "numtxqueues 1 numrxqueues 1"


def inside(namespace, argv):
    return ["ip", "netns", "exec", namespace, *argv]


def existing_namespaces():
    listed = run(["ip", "netns", "list"]).stdout
    names = [line.split()[0] for line in listed.splitlines() if line.strip()]
    return [name for name in names if name in (*plan.NAMESPACES, plan.EDGE, plan.PEER, plan.BRANCH)]


def configure(namespace, commands):
    """Runs `ip` commands, one per line, in a namespace."""
    run(["ip", "-n", namespace, "-batch", "-"], stdin_text=commands + "\n")


def set_kernel_settings(namespace, settings):
    words = [f"{name}={value}" for name, value in settings.items()]
    run(inside(namespace, ["sysctl", "-q", "-w", *words]))


def turn_offloads_off(namespace, interface):
    result = run(inside(namespace, ["ethtool", "-K", interface, *OFFLOADS_OFF]), check=False)
    if result.returncode != 0:
        # A kernel that does not know one of the names refuses the whole line.
        for name, state in zip(OFFLOADS_OFF[::2], OFFLOADS_OFF[1::2]):
            run(inside(namespace, ["ethtool", "-K", interface, name, state]), check=False)


def build():
    for namespace in plan.NAMESPACES:
        run(["ip", "netns", "add", namespace])
        set_kernel_settings(namespace, {
            "net.ipv4.conf.all.rp_filter": 0, "net.ipv4.conf.default.rp_filter": 0,
            "net.ipv6.conf.all.accept_ra": 0, "net.ipv6.conf.default.accept_ra": 0,
            "net.ipv4.icmp_ratelimit": 0, "net.ipv6.icmp.ratelimit": 0,
        })
        configure(namespace, "link set lo up")
    for namespace, port in plan.GATEWAY_PORTS.items():
        run(["ip", "-n", namespace, "link", "add", plan.HOST_INTERFACE, *ONE_QUEUE.split(),
             "type", "veth", "peer", "name", port, *ONE_QUEUE.split(), "netns", plan.GATEWAY])
        turn_offloads_off(namespace, plan.HOST_INTERFACE)
        turn_offloads_off(plan.GATEWAY, port)
    run(["ip", "-n", plan.WAN, "link", "add", plan.FAR_LINK, "type", "veth",
         "peer", "name", plan.HOST_INTERFACE, "netns", plan.FAR])
    turn_offloads_off(plan.WAN, plan.FAR_LINK)
    turn_offloads_off(plan.FAR, plan.HOST_INTERFACE)
    _address_hosts()


def _address_hosts():
    set_kernel_settings(plan.WAN, {"net.ipv4.ip_forward": 1, "net.ipv6.conf.all.forwarding": 1})
    # msg-wan also knows a way to LAN and DMZ: the attacker on the gateway's own segment.
    # (No route makes "WAN cannot reach LAN" true before the gateway has been asked.)
    configure(plan.WAN, f"""
        link set eth0 up
        link set {plan.FAR_LINK} mtu {plan.FAR_LINK_MTU} up
        address add {plan.WAN_HOST}/24 dev eth0
        address add {plan.WAN_HOST_V6}/64 dev eth0 nodad
        address add {plan.INTERNET}/32 dev lo
        address add {plan.INTERNET_SECOND}/32 dev lo
        address add {plan.SCANNED}/32 dev lo
        address add {plan.INTERNET_V6}/128 dev lo nodad
        address add {plan.FAR_ROUTER}/24 dev {plan.FAR_LINK}
        address add {plan.FAR_ROUTER_V6}/64 dev {plan.FAR_LINK} nodad
        route add {plan.LAN_NET} via {plan.PUBLIC} src {plan.INTERNET}
        route add {plan.DMZ_NET} via {plan.PUBLIC} src {plan.INTERNET}
        route add {plan.LAN_NET_V6} via {plan.PUBLIC_V6}
        route add {plan.DMZ_NET_V6} via {plan.PUBLIC_V6}""")
    # msg-far keeps MTU 1500 at its own end, so that it announces a large MSS and a sender in LAN
    # must learn the smaller MTU from msg-wan's ICMP errors.
    configure(plan.FAR, f"""
        link set eth0 up
        address add {plan.FAR_HOST}/24 dev eth0
        address add {plan.FAR_HOST_V6}/64 dev eth0 nodad
        route add default via {plan.FAR_ROUTER}
        route add default via {plan.FAR_ROUTER_V6}""")
    configure(plan.LAN, f"""
        link set eth0 up
        address add {plan.CLIENT}/24 dev eth0
        address add {plan.CLIENT_SECOND}/24 dev eth0
        address add {plan.CLIENT_V6}/64 dev eth0 nodad
        route add default via {plan.LAN_GATEWAY}
        route add default via {plan.LAN_GATEWAY_V6}""")
    configure(plan.DMZ, f"""
        link set eth0 up
        address add {plan.SERVER}/24 dev eth0
        address add {plan.SERVER_V6}/64 dev eth0 nodad
        route add default via {plan.DMZ_GATEWAY}
        route add default via {plan.DMZ_GATEWAY_V6}""")


def remove():
    """Ends what runs in the lab's namespaces and deletes them; returns the names removed."""
    names = existing_namespaces()
    for namespace in names:
        end_programs_in(namespace)
    for namespace in names:
        run(["ip", "netns", "delete", namespace], check=False)
    return names
