# SPDX-License-Identifier: GPL-2.0-or-later
"""Gateways of their own on other drivers: jumbo frames on AF_PACKET, and TCP checksums left to
a TAP port."""

import contextlib
import json
import re

import pytest
from labkit.commands import Program, run, wait_until
from labkit.gateways import CHECKOUT, MasugataGateway, build_directory
from labkit.topology import configure, inside, turn_offloads_off

GATEWAY, CLIENT, SERVER = "msg-jumbo-gw", "msg-jumbo-client", "msg-jumbo-server"
PACKET_ARGUMENTS = "framecnt=256,framesz=16384,blocksz=65536"
CONFIGURATION = """
system {{ host-name other; hw-profile other; }}
interfaces {{
    interface lan0 {{ device {lan}; mtu {mtu}; address 10.9.1.1/24; }}
    interface wan0 {{ device {wan}; mtu {mtu}; address 192.0.2.1/24; }}
}}
zones {{ zone lan {{ interface lan0; }} zone wan {{ interface wan0; }} }}
policy {{ from lan to wan {{ rule all {{ action permit; }} }} }}
nat {{ source {{ rule out {{ from lan; to wan; translate interface; }} }} }}
"""
LISTEN = """
import socket
listener = socket.create_server(("192.0.2.9", 21))
listener.settimeout(20)
print("listening", flush=True)
peer, _ = listener.accept()
peer.settimeout(20)
print("said", peer.makefile().readline().strip(), flush=True)
"""
SAY = """
import socket
control = socket.create_connection(("192.0.2.9", 21), 20)
control.sendall(b"PORT 10,9,1,2,200,13\\r\\n")
control.settimeout(20)
control.recv(1)
"""


def write_profile(folder):
    """The lab's profile with room for jumbo frames and every offload that a port has."""
    text = json.loads((CHECKOUT / "hw-profiles" / "lab.json").read_text(encoding="utf-8"))
    text.update(name="other", offloads=["receive-checksums", "transmit-transport-checksum"],
                buffers={"count": 4096, "room_bytes": 16384})
    (folder / "other.json").write_text(json.dumps(text), encoding="utf-8")


def remove_hosts():
    for namespace in (GATEWAY, CLIENT, SERVER):
        run(["ip", "netns", "delete", namespace], check=False)


def make_veth_pairs(mtu):
    for host, near, far in ((CLIENT, "jlan", "to-gw"), (SERVER, "jwan", "to-gw")):
        run(["ip", "-n", GATEWAY, "link", "add", near, "type", "veth", "peer", "name", far,
             "netns", host])
        configure(GATEWAY, f"link set {near} mtu {mtu} arp off up")
        turn_offloads_off(GATEWAY, near)
        turn_offloads_off(host, far)


def move_taps():
    """The far side of a TAP port is a kernel interface: it becomes a host's."""
    for host, near in ((CLIENT, "jlan"), (SERVER, "jwan")):
        run(["ip", "-n", GATEWAY, "link", "set", near, "netns", host])
        configure(host, f"link set {near} name to-gw")


def address_hosts(mtu):
    configure(CLIENT, f"link set to-gw mtu {mtu} up\naddress add 10.9.1.2/24 dev to-gw\n"
                      "route add default via 10.9.1.1")
    configure(SERVER, f"link set to-gw mtu {mtu} up\naddress add 192.0.2.9/24 dev to-gw")


@contextlib.contextmanager
def raised(folder, mtu, lan, wan, before=None, after=None):
    """A gateway between CLIENT and SERVER; yields its command line."""
    write_profile(folder)
    (folder / "gateway.conf").write_text(
        CONFIGURATION.format(mtu=mtu, lan=lan, wan=wan), encoding="utf-8")
    remove_hosts()
    program = None
    try:
        for namespace in (GATEWAY, CLIENT, SERVER):
            run(["ip", "netns", "add", namespace])
        if before:
            before()
        program = Program("masugatad", inside(GATEWAY, [
            build_directory() / "masugatad", "--config", folder / "gateway.conf",
            "--control-socket", folder / "control.sock", "--hw-profiles", folder,
            "--no-huge", "--memory-mb", "384"]), folder / "masugatad.log")
        program.wait_ready(lambda: "masugatad ready" in program.log(), timeout_s=30)
        if after:
            after()
        address_hosts(mtu)
        yield lambda *words: run(inside(GATEWAY, [
            build_directory() / "masugata", "--control-socket", folder / "control.sock", *words]))
    finally:
        if program is not None:
            program.stop(grace_s=10)
        remove_hosts()


@pytest.fixture(autouse=True)
def only_our_own(raised_lab):
    if raised_lab.gateway.kind != MasugataGateway.kind:
        pytest.skip("about Masugata's own ports")


def ping(size, count=3):
    result = run(inside(CLIENT, ["ping", "-n", "-c", str(count), "-W", "2", "-i", "0.2", "-M", "do",
                                 "-s", str(size), "192.0.2.9"]), check=False)
    received = re.search(r"(\d+) received", result.stdout)
    return int(received.group(1)) if received else 0


def test_jumbo_frames_pass_whole(tmp_path):
    devices = [f"net_af_packet{i},iface={name},{PACKET_ARGUMENTS}"
               for i, name in enumerate(("jlan", "jwan"))]
    with raised(tmp_path, 9000, *devices, before=lambda: make_veth_pairs(9000)) as gateway:
        assert wait_until(lambda: ping(56, 1) == 1, timeout_s=10), gateway("show", "drops").stdout
        assert ping(9000 - 28) == 3, gateway("show", "drops").stdout


def test_a_rewritten_payload_leaves_with_a_checksum_of_the_port(tmp_path):
    devices = ["net_tap0,iface=jlan,mac=fixed", "net_tap1,iface=jwan,mac=fixed"]
    with raised(tmp_path, 1500, *devices, after=move_taps) as gateway:
        shown = gateway("show", "interfaces").stdout
        assert "transmit-transport-checksum" in shown, shown
        server = Program("listener", inside(SERVER, ["/usr/bin/python3", "-c", LISTEN]),
                         tmp_path / "listener.log")
        client = None
        try:
            server.wait_ready(lambda: "listening" in server.log())
            client = Program("client", inside(CLIENT, ["/usr/bin/python3", "-c", SAY]),
                             tmp_path / "client.log")
            # The server's kernel takes the line only when its checksum is right.
            assert wait_until(lambda: "said" in server.log(), timeout_s=15), server.log()
            assert re.search(r"said PORT 192,0,2,1,\d+,\d+", server.log()), server.log()
        finally:
            for program in (client, server):
                if program is not None:
                    program.stop()
