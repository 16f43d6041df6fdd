# SPDX-License-Identifier: GPL-2.0-or-later
"""Sends GET requests for all PATHs in one write; prints everything that comes back, as it came.
usage: pipeline.py HOST PORT PATH..."""

import socket
import sys

connection = socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout=10)
paths = sys.argv[3:]
connection.sendall("".join(
    f"GET {path} HTTP/1.1\r\nHost: {sys.argv[1]}\r\n"
    f"Connection: {'close' if left == 1 else 'keep-alive'}\r\n\r\n"
    for left, path in zip(range(len(paths), 0, -1), paths)).encode())
try:
    while piece := connection.recv(65536):
        sys.stdout.buffer.write(piece)
except OSError as error:
    print(f"\n{error}", file=sys.stderr)
