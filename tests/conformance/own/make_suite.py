#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Writes the captures of the own suite, its rules and expected-alerts.jsonl. Run it after changing
a test; what it writes is committed, so that running the suite needs no scapy."""

import base64
import gzip
import json
from pathlib import Path

from scapy.all import (DNS, DNSQR, GRE, ICMP, IP, TCP, UDP, Dot1Q, Ether, ICMPv6EchoRequest, IPv6,
                       IPv6ExtHdrFragment, Raw, fragment, fragment6, raw, wrpcap)

HERE = Path(__file__).parent
CLIENT, SERVER = "192.0.2.10", "198.51.100.20"
START = 1_700_000_000


class Conversation:
    """A TCP connection; each segment goes to `packets`."""

    def __init__(self, port=80, handshake=True):
        self.port = port
        self.numbers = {"client": 1000, "server": 9000}
        self.packets = []
        if handshake:
            self.add("client", flags="S")
            self.numbers["client"] += 1
            self.add("server", flags="SA")
            self.numbers["server"] += 1
            self.add("client", flags="A")

    def segment(self, side, data=b"", flags="PA", at=None):
        other = "server" if side == "client" else "client"
        ends = (CLIENT, SERVER) if side == "client" else (SERVER, CLIENT)
        ports = (40000, self.port) if side == "client" else (self.port, 40000)
        sequence = self.numbers[side] if at is None else at
        acknowledged = 0 if flags == "S" else self.numbers[other]
        header = TCP(sport=ports[0], dport=ports[1], seq=sequence, ack=acknowledged, flags=flags,
                     window=65000)
        return Ether() / IP(src=ends[0], dst=ends[1]) / header / Raw(data)

    def add(self, side, data=b"", flags="PA", at=None):
        self.packets.append(self.segment(side, data, flags, at))

    def say(self, side, data):
        self.add(side, data)
        self.numbers[side] += len(data)

    def end(self):
        self.add("client", flags="FA")
        self.numbers["client"] += 1
        self.add("server", flags="FA")
        self.numbers["server"] += 1
        self.add("client", flags="A")
        return self.packets


REQUEST = (b"GET /attack/%2e%2e/secret?id=1 HTTP/1.1\r\nHost: www.example.com\r\n"
           b"User-Agent: scanner/1.0\r\n\r\n")


def response(body, *headers):
    lines = [b"HTTP/1.1 200 OK", b"Content-Length: %d" % len(body), *headers]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


def http():
    talk = Conversation()
    talk.say("client", REQUEST)
    talk.say("server", response(b"<html>hello malware</html>"))
    return talk.end()


def split_request():
    talk = Conversation()
    for at in range(0, len(REQUEST), 7):
        talk.say("client", REQUEST[at:at + 7])
    talk.say("server", response(b"ok"))
    return talk.end()


def out_of_order():
    talk = Conversation()
    base = talk.numbers["client"]
    for first in (20, 40, 0):
        talk.add("client", REQUEST[first:first + 20 if first < 40 else None], at=base + first)
    talk.numbers["client"] = base + len(REQUEST)
    talk.say("server", response(b"ok"))
    return talk.end()


def overlap():
    """The first content of a byte is what counts, whatever comes later."""
    talk = Conversation()
    base = talk.numbers["client"]
    talk.add("client", b"GET /", at=base)
    talk.add("client", b"_______", at=base + 11)
    talk.add("client", b"attack_", at=base + 11)
    talk.add("client", b"first/", at=base + 5)
    talk.numbers["client"] = base + 18
    talk.say("client", b" HTTP/1.0\r\n\r\n")
    return talk.end()


def compressed():
    talk = Conversation()
    talk.say("client", REQUEST)
    body = gzip.compress(b"<html>hidden malware</html>", mtime=0)
    talk.say("server", response(body, b"Content-Encoding: gzip"))
    return talk.end()


def midstream():
    talk = Conversation(handshake=False)
    talk.say("client", REQUEST)
    talk.say("server", response(b"malware"))
    return talk.packets


def clock_goes_back():
    """A capture whose clock jumps back for one packet: the flow goes on."""
    talk = Conversation()
    talk.packets[1].time = START - 10_000
    talk.say("client", REQUEST)
    return talk.end()


def wrong_checksum():
    talk = Conversation()
    insertion = talk.segment("client", b"x" * len(REQUEST))
    insertion[TCP].chksum = 0x1234
    talk.packets.append(insertion)
    talk.say("client", REQUEST)
    return talk.end()


def dns():
    ask = DNS(id=7, rd=1, qd=DNSQR(qname="bad.example.com"))
    return [Ether() / IP(src=CLIENT, dst=SERVER) / UDP(sport=40001, dport=53) / ask]


def fragments():
    whole = IP(src=CLIENT, dst=SERVER, id=9) / UDP(sport=1, dport=2) / (b"A" * 40 + b"needle")
    pieces = fragment(whole, fragsize=24)
    return [Ether() / piece for piece in reversed(pieces)]


def fragments6():
    whole = (IPv6(src="2001:db8::1", dst="2001:db8::2") / IPv6ExtHdrFragment(id=3) /
             UDP(sport=1, dport=2) / (b"A" * 1400 + b"needle"))
    return [Ether() / IPv6(raw(piece)) for piece in fragment6(whole, 1280)]


def tunnels():
    inner = IP(src=CLIENT, dst=SERVER) / UDP(sport=1, dport=2) / b"needle"
    outer = {"src": "203.0.113.1", "dst": "203.0.113.2"}
    vxlan = b"\x08\0\0\0\0\0\x01\0" + raw(Ether() / inner)
    return [Ether() / IP(**outer) / GRE() / inner,
            Ether() / IP(**outer) / inner,
            Ether() / IP(**outer) / UDP(sport=5, dport=4789) / vxlan,
            Ether() / Dot1Q(vlan=5) / Dot1Q(vlan=6) / inner]


def icmp():
    return [Ether() / IP(src=CLIENT, dst=SERVER) / ICMP(type=8) / b"ping of needle",
            Ether() / IPv6(src="2001:db8::1", dst="2001:db8::2") / ICMPv6EchoRequest(data="needle")]


def midstream_drop():
    talk = Conversation(handshake=False)
    talk.say("client", b"a needle")
    talk.say("server", b"fine")
    talk.say("client", b"fine")
    return talk.packets


def talk_after_needle():
    talk = Conversation(port=7)
    talk.say("client", b"a needle")
    talk.say("client", b"hay")
    talk.say("server", b"hay")
    talk.add("client", flags="A")
    talk.say("client", b"x" * 1400)
    talk.say("client", b"x" * 1400)
    return talk.end()


def syn_data():
    """Data in a SYN, as TCP Fast Open has it, then the rest of a pattern and another pattern."""
    talk = Conversation(handshake=False)
    talk.add("client", b"d2", flags="S")
    talk.numbers["client"] += 3
    talk.add("server", flags="SA")
    talk.numbers["server"] += 1
    talk.say("client", b"d3")
    return talk.end()


def icmp_error():
    """The client's port is closed: it says so about an answer of the server."""
    ask = IP(src=CLIENT, dst=SERVER) / UDP(sport=40001, dport=53) / b"question"
    answer = IP(src=SERVER, dst=CLIENT) / UDP(sport=53, dport=40001) / b"answer"
    closed = IP(src=CLIENT, dst=SERVER) / ICMP(type=3, code=3) / raw(answer)
    other = IP(src=CLIENT, dst=SERVER) / ICMP(type=3, code=3) / raw(
        IP(src=SERVER, dst=CLIENT) / UDP(sport=54, dport=40001) / b"answer")
    return [Ether() / packet for packet in (ask, answer, closed, other)]


def repeated():
    return [Ether() / IP(src=CLIENT, dst=SERVER) / UDP(sport=1000 + turn, dport=7) / b"needle"
            for turn in range(6)]


def vlans():
    inner = IP(src=CLIENT, dst=SERVER) / UDP(sport=1, dport=2) / b"needle"
    return [Ether() / inner, Ether() / Dot1Q(vlan=5) / Dot1Q(vlan=6) / inner,
            Ether() / Dot1Q(vlan=6) / inner]


def one_flow():
    return [Ether() / IP(src=CLIENT, dst=SERVER) / UDP(sport=1000, dport=7) / b"needle"
            for _ in range(4)]


def answered():
    ends = ((CLIENT, SERVER, 1000, 7), (CLIENT, SERVER, 1000, 7), (SERVER, CLIENT, 7, 1000),
            (SERVER, CLIENT, 7, 1000))
    return [Ether() / IP(src=source, dst=destination) / UDP(sport=sport, dport=dport) / b"needle"
            for source, destination, sport, dport in ends]


def mixed_and_plain():
    return [Ether() / IP(src=CLIENT, dst=SERVER) / UDP(sport=1000 + turn, dport=7) / payload
            for turn, payload in enumerate((bytes(range(256)), b"A" * 256))]


def packed_body():
    body = base64.b64encode(gzip.compress(b"some hidden malware", mtime=0))
    talk = Conversation()
    talk.say("client", b"POST /upload HTTP/1.1\r\nHost: www.example.com\r\nContent-Length: %d\r\n"
             b"\r\n%s" % (len(body), body))
    talk.say("server", response(b"ok"))
    return talk.end()


NEEDLE = 'alert ip any any -> any any (msg:"needle"; content:"needle"; sid:1;)\n'
URI = ('alert http any any -> any any (msg:"uri"; http.uri; content:"/secret"; sid:1;)\n'
       'alert http any any -> any any (msg:"agent"; http.user_agent; content:"scanner/"; sid:2;)\n')
BODY = 'alert http any any -> any any (msg:"body"; file.data; content:"malware"; sid:3;)\n'
TESTS = [
    # name, packets, rules, arguments, labels, alerts, drops
    ("http-buffers", http, URI + BODY, "", ["http"], {1: 1, 2: 1, 3: 1}, 0),
    ("http-small-segments", split_request, URI, "", ["http", "stream"], {1: 1, 2: 1}, 0),
    ("stream-out-of-order", out_of_order, URI, "", ["http", "stream"], {1: 1, 2: 1}, 0),
    ("stream-overlap", overlap,
     'alert http any any -> any any (http.uri; content:"attack"; sid:1;)\n'
     'alert http any any -> any any (http.uri; content:"/first/____"; sid:2;)\n', "--simulate-ips",
     ["stream"], {2: 1}, 0),
    ("http-compressed", compressed, BODY, "", ["http"], {3: 1}, 0),
    ("midstream-off", midstream, BODY, "", ["midstream"], {}, 0),
    ("midstream-on", midstream, BODY, "--set stream.midstream=true", ["midstream"], {3: 1}, 0),
    ("clock-goes-back", clock_goes_back, URI, "", ["stream"], {1: 1, 2: 1}, 0),
    ("wrong-checksum", wrong_checksum, URI, "", ["stream"], {1: 1, 2: 1}, 0),
    ("dns-query", dns,
     'alert dns any any -> any any (dns.query; content:"bad.example"; endswith; content:".com"; '
     'sid:1;)\nalert dns any any -> any any (dns.query; content:"bad."; startswith; sid:2;)\n', "",
     ["dns"], {2: 1}, 0),
    ("fragments-reversed", fragments, NEEDLE, "", ["fragments"], {1: 1}, 0),
    ("fragments-ipv6", fragments6, NEEDLE, "", ["fragments"], {1: 1}, 0),
    ("tunnels", tunnels, NEEDLE.replace("alert ip", "alert udp").replace("content", "dsize:6; content"),
     "", ["tunnel"], {1: 4}, 0),
    ("icmp", icmp, 'alert icmp any any -> any any (itype:8; content:"needle"; sid:1;)\n'
     'alert icmp any any -> any any (itype:128; content:"needle"; sid:2;)\n', "", ["icmp"],
     {1: 1, 2: 1}, 0),
    ("threshold-limit", repeated,
     'alert udp any any -> any any (content:"needle"; threshold:type limit, track by_src, count 2, '
     'seconds 60; sid:1;)\n', "", ["threshold"], {1: 2}, 0),
    ("vlan-tags", vlans,
     'alert udp any any -> any any (vlan.id:6; sid:1;)\n'
     'alert udp any any -> any any (vlan.id:6,0; sid:2;)\n'
     'alert udp any any -> any any (vlan.id:6,all; sid:3;)\n'
     'alert udp any any -> any any (vlan.id:<6,-2; sid:4;)\n'
     'alert udp any any -> any any (vlan.layers:0; sid:5;)\n', "", ["header"],
     {1: 2, 2: 1, 3: 1, 4: 1, 5: 1}, 0),
    ("flow-bypass", one_flow,
     'alert udp any any -> any any (content:"needle"; bypass; sid:1;)\n'
     'alert udp any any -> any any (content:"needle"; sid:2;)\n', "", ["flow"], {1: 1, 2: 1}, 0),
    ("flow-counts", answered,
     'alert udp any any -> any any (flow.pkts:both,>1; sid:1;)\n'
     'alert udp any any -> any any (flow.pkts:either,>1; sid:2;)\n'
     'alert udp any any -> any any (flow.pkts:toclient,2; sid:3;)\n', "", ["flow"],
     {1: 1, 2: 3, 3: 1}, 0),
    ("addresses", answered,
     'alert udp any any -> any any (ip.src; content:"|c0 00 02 0a|"; bsize:4; sid:1;)\n'
     'alert udp any any -> any any (ip.dst; content:!"|c0 00 02|"; startswith; sid:2;)\n', "",
     ["header"], {1: 2, 2: 2}, 0),
    ("entropy", mixed_and_plain,
     'alert udp any any -> any any (entropy:value >= 7.5; sid:1;)\n'
     'alert udp any any -> any any (entropy:bytes 16, offset 4, value 4; sid:2;)\n'
     'alert udp any any -> any any (entropy:bytes 16, offset 250, value >= 0; sid:3;)\n'
     'alert udp any any -> any any (entropy:value < 0.5; sid:4;)\n', "", ["payload"],
     {1: 1, 2: 1, 4: 1}, 0),
    ("packed-body", packed_body,
     'alert http any any -> any any (http.request_body; from_base64; gunzip; content:"malware"; '
     'sid:1;)\n'
     'alert http any any -> any any (http.request_body; from_base64; gunzip:max-size=11; '
     'content:"malware"; sid:2;)\n'
     'alert http any any -> any any (http.request_body; from_base64; zlib_deflate; '
     'content:"malware"; sid:3;)\n', "", ["transform"], {1: 1}, 0),
    ("midstream-drop", midstream_drop, NEEDLE.replace("alert ip", "drop tcp"),
     "--simulate-ips --set stream.midstream=true", ["midstream"], {1: 1}, 3),
    ("stream-match-once", talk_after_needle, NEEDLE.replace("alert ip", "alert tcp-stream"), "",
     ["stream"], {1: 1}, 0),
    ("stream-match-inline", talk_after_needle, NEEDLE.replace("alert ip", "alert tcp-stream"),
     "--simulate-ips", ["stream"], {1: 3}, 0),
    ("stream-match-over-searches", syn_data,
     'alert tcp any any -> any any (content:"d2"; sid:1;)\n'
     'alert tcp any any -> any any (content:"d2d3"; sid:2;)\n', "", ["stream"], {1: 1, 2: 1}, 0),
    ("icmp-error-of-flow", icmp_error,
     'drop ip any any -> any 53 (sid:1;)\nalert icmp any any -> any any (itype:3; sid:2;)\n',
     "--simulate-ips", ["icmp"], {1: 1, 2: 1}, 3),
    ("tunnel-drop", tunnels,
     NEEDLE.replace("alert ip", "drop udp").replace("content", "dsize:6; content"),
     "--simulate-ips", ["tunnel"], {1: 4}, 7),
    ("drop-inline", repeated, 'drop udp any 1002 -> any any (content:"needle"; sid:1;)\n',
     "--simulate-ips", ["inline"], {1: 1}, 1),
]
LOG_DROPS = ("%YAML 1.1\n---\noutputs:\n  - eve-log:\n      enabled: yes\n      types:\n"
             "        - alert\n        - drop:\n            flows: all\n")


def main():
    lines = []
    for name, packets, rules, arguments, labels, alerts, drops in TESTS:
        folder = HERE / name
        folder.mkdir(exist_ok=True)
        frames = packets()
        for turn, frame in enumerate(frames):
            if frame.time > START:  # not set by the test
                frame.time = START + turn / 100
        wrpcap(str(folder / "input.pcap"), frames)
        (folder / "test.rules").write_text(rules)
        (folder / "suricata.yaml").write_text(LOG_DROPS)
        lines.append(json.dumps({
            "name": name, "pcap": f"{name}/input.pcap", "rules": [f"{name}/test.rules"],
            "args": arguments, "labels": labels,
            "alerts": {str(sid): count for sid, count in alerts.items()}, "drops": drops}))
    (HERE / "expected-alerts.jsonl").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
