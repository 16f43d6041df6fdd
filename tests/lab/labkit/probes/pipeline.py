# SPDX-License-Identifier: GPL-2.0-or-later
"""Sends GET requests for all PATHs in one write; prints everything that comes back, as it came.
  pipeline.py HOST PORT PATH...
Without paths, lines "TARGET-FILE PATH..." are read, each a connection; some run at the same time."""

import concurrent.futures
import socket
import sys
from pathlib import Path


def ask(paths):
    came = bytearray()
    try:
        with socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout=20) as connection:
            connection.sendall("".join(
                f"GET {path} HTTP/1.1\r\nHost: {sys.argv[1]}\r\n"
                f"Connection: {'close' if left == 1 else 'keep-alive'}\r\n\r\n"
                for left, path in zip(range(len(paths), 0, -1), paths)).encode())
            while piece := connection.recv(65536):
                came += piece
    except OSError as error:
        print(f"\n{error}", file=sys.stderr)
    return bytes(came)


def main():
    if len(sys.argv) > 3:
        sys.stdout.buffer.write(ask(sys.argv[3:]))
        return
    jobs = [line.split() for line in sys.stdin]
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        for (target, *_), came in zip(jobs, pool.map(lambda words: ask(words[1:]), jobs)):
            Path(target).write_bytes(came)


main()
