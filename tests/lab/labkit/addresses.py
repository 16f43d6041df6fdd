# SPDX-License-Identifier: GPL-2.0-or-later
"""The address plan of the lab. README.md in the folder above draws it."""

# Namespaces.
WAN = "msg-wan"
LAN = "msg-lan"
DMZ = "msg-dmz"
FAR = "msg-far"
GATEWAY = "msg-gw"
# Only where tunnels are tried: a router of the Internet and a peer behind it.
EDGE = "msg-edge"
PEER = "msg-peer"
# And clients of a branch whose gateway is in msg-peer.
BRANCH = "msg-branch"
NAMESPACES = (WAN, LAN, DMZ, FAR, GATEWAY)

# Every host's interface towards the gateway (and that of msg-far towards msg-wan).
HOST_INTERFACE = "eth0"
# The interface of msg-wan towards msg-far. Its MTU is smaller than that of the other links.
FAR_LINK = "far0"
FAR_LINK_MTU = 1400

# The gateway's ends of the veth pairs, by the namespace at the other end.
GATEWAY_PORTS = {WAN: "gwwan", LAN: "gwlan", DMZ: "gwdmz"}

WAN_HOST = "203.0.113.1"
WAN_HOST_V6 = "2001:db8:1::1"
# The gateway's public address: what the world sees of LAN and DMZ.
PUBLIC = "203.0.113.2"
PUBLIC_V6 = "2001:db8:1::2"

# "Internet" hosts, on the loopback interface of msg-wan.
INTERNET = "198.51.100.5"
INTERNET_SECOND = "198.51.100.6"
# Where antivirus is tried: what comes from there passes only after a scan.
SCANNED = "198.51.100.7"
INTERNET_V6 = "2001:db8:f::5"

FAR_ROUTER = "192.0.2.1"
FAR_ROUTER_V6 = "2001:db8:e::1"
FAR_HOST = "192.0.2.2"
FAR_HOST_V6 = "2001:db8:e::2"

LAN_GATEWAY = "10.0.1.1"
LAN_GATEWAY_V6 = "2001:db8:2::1"
CLIENT = "10.0.1.10"
CLIENT_SECOND = "10.0.1.11"
CLIENT_V6 = "2001:db8:2::10"

DMZ_GATEWAY = "10.0.2.1"
DMZ_GATEWAY_V6 = "2001:db8:3::1"
SERVER = "10.0.2.80"
SERVER_V6 = "2001:db8:3::80"

LAN_NET = "10.0.1.0/24"
LAN_NET_V6 = "2001:db8:2::/64"
DMZ_NET = "10.0.2.0/24"
DMZ_NET_V6 = "2001:db8:3::/64"

# What the gateway carries, by the namespace at the other end of the port.
GATEWAY_ADDRESSES = {
    WAN: (f"{PUBLIC}/24", f"{PUBLIC_V6}/64"),
    LAN: (f"{LAN_GATEWAY}/24", f"{LAN_GATEWAY_V6}/64"),
    DMZ: (f"{DMZ_GATEWAY}/24", f"{DMZ_GATEWAY_V6}/64"),
}

UDP_ECHO_PORT = 7007
IPERF_PORT = 5201
# A UDP and TCP port where nobody listens, anywhere.
CLOSED_PORT = 9

# The name that the Internet's name server answers, and its addresses.
NAME = "www.example.net"
