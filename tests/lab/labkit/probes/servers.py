# SPDX-License-Identifier: GPL-2.0-or-later
"""Small servers of the lab: UDP echo, a banner on a TCP port, and a TCP sink that answers with
the number and the SHA-256 sum of the bytes that it got. IPv4 and IPv6."""

import argparse
import hashlib
import socket
import socketserver
import threading

BANNER = b"SSH-2.0-masugata-lab\r\n"


class DualStackTcp(socketserver.ThreadingTCPServer):
    address_family = socket.AF_INET6
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 128


class UdpEcho(socketserver.UDPServer):
    address_family = socket.AF_INET6
    max_packet_size = 65535

    def __init__(self, address, port):
        if "." in address:
            self.address_family = socket.AF_INET
        super().__init__((address, port), Echo)


class Echo(socketserver.BaseRequestHandler):
    def handle(self):
        datagram, udp_socket = self.request
        udp_socket.sendto(datagram, self.client_address)


class Banner(socketserver.BaseRequestHandler):
    def handle(self):
        self.request.sendall(BANNER)


class Digest(socketserver.BaseRequestHandler):
    def handle(self):
        digest, count = hashlib.sha256(), 0
        while block := self.request.recv(65536):
            digest.update(block)
            count += len(block)
        self.request.sendall(f"{count} {digest.hexdigest()}\n".encode())


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--udp-echo", type=int, metavar="PORT")
    parser.add_argument("--address", action="append", help="for UDP echo; several are possible")
    parser.add_argument("--tcp-banner", type=int, metavar="PORT")
    parser.add_argument("--tcp-digest", type=int, metavar="PORT")
    arguments = parser.parse_args()
    servers = []
    if arguments.udp_echo:
        for address in arguments.address or ["::"]:
            servers.append(UdpEcho(address, arguments.udp_echo))
    if arguments.tcp_banner:
        servers.append(DualStackTcp(("::", arguments.tcp_banner), Banner))
    if arguments.tcp_digest:
        servers.append(DualStackTcp(("::", arguments.tcp_digest), Digest))
    threads = [threading.Thread(target=server.serve_forever) for server in servers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    main()
