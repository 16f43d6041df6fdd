# SPDX-License-Identifier: GPL-2.0-or-later
"""How long until the first byte of a body is there, from the request on, and until the last.
usage: first_byte.py ROUNDS READ-BYTES PATH HOST:PORT...; in each round all hosts, in turn; prints a
line "HOST:PORT MICROSECONDS-TO-FIRST MICROSECONDS-TO-LAST" for each. READ-BYTES: then it hangs up, and
what that sets off has a little time before the next one is asked."""

import socket
import sys
import time

REST_S = 0.005
rounds, most, path, hosts = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4:]
for number in range(rounds):
    for host in hosts[number % len(hosts):] + hosts[:number % len(hosts)]:
        address, port = host.split(":")
        with socket.create_connection((address, int(port)), timeout=60) as connection:
            began = time.perf_counter()
            connection.sendall(f"GET {path} HTTP/1.1\r\nHost: {address}\r\n\r\n".encode())
            came, first = b"", None
            while first is None:
                came += connection.recv(65536)
                if came.partition(b"\r\n\r\n")[2]:
                    first = time.perf_counter() - began
            total = len(came)
            while total < most and (piece := connection.recv(65536)):
                total += len(piece)
            last = time.perf_counter() - began
        print(host, round(first * 1e6), round(last * 1e6), flush=True)
        time.sleep(REST_S)
