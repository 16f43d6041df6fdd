# SPDX-License-Identifier: GPL-2.0-or-later
"""Clients of the lab. Each subcommand prints one line that says what happened:
  udp HOST PORT [--source ADDRESS] [--bytes N]   "echo N", "refused", "unreachable", "silence"
  tcp HOST PORT [--source ADDRESS]               "open [first line]", "refused", "silence", ...
  upload HOST PORT BYTES                         "ok" when the sink's sum agrees
  dribble HOST PORT TEXT                         one byte per segment; the first line of the answer
  fetch HOST PORT PATH COUNT SHA256              "N of COUNT": parallel HTTP requests that agree,
                                                 and what went wrong with the others
"""

import argparse
import asyncio
import errno
import hashlib
import random
import socket
from collections import Counter

NAMES = {errno.ECONNREFUSED: "refused", errno.EHOSTUNREACH: "unreachable",
         errno.ENETUNREACH: "unreachable", errno.EACCES: "prohibited",
         errno.EPERM: "prohibited", errno.ECONNRESET: "reset", errno.EMSGSIZE: "too long",
         errno.ETIMEDOUT: "silence"}


def connected(kind, arguments):
    family = socket.AF_INET6 if ":" in arguments.host else socket.AF_INET
    connection = socket.socket(family, kind)
    connection.settimeout(arguments.timeout)
    if arguments.source:
        connection.bind((arguments.source, 0))
    connection.connect((arguments.host, arguments.port))
    return connection


def udp(arguments):
    payload = random.Random(arguments.bytes).randbytes(arguments.bytes)
    connection = connected(socket.SOCK_DGRAM, arguments)
    connection.send(payload)
    answer = connection.recv(65535)
    return f"echo {len(answer)}" if answer == payload else "other content"


def tcp(arguments):
    connection = connected(socket.SOCK_STREAM, arguments)
    connection.settimeout(0.3)
    try:
        first_line = connection.recv(200).decode(errors="replace").strip()
    except TimeoutError:
        first_line = ""
    return f"open {first_line}".strip()


def dribble(arguments):
    connection = connected(socket.SOCK_STREAM, arguments)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for byte in arguments.text.encode().decode("unicode_escape").encode("latin-1"):
        connection.send(bytes([byte]))
    answer = connection.recv(4096).decode(errors="replace")
    return answer.splitlines()[0] if answer else "closed"


def upload(arguments):
    payload = random.Random(2).randbytes(arguments.bytes)
    connection = connected(socket.SOCK_STREAM, arguments)
    connection.sendall(payload)
    connection.shutdown(socket.SHUT_WR)
    answer = b""
    while block := connection.recv(200):
        answer += block
    wanted = f"{len(payload)} {hashlib.sha256(payload).hexdigest()}"
    return "ok" if answer.decode().strip() == wanted else f"sink says {answer.decode()!r}"


async def fetch_one(arguments):
    """Nothing when the page agrees; what went wrong otherwise."""
    body, stage = b"", "connecting"
    try:
        async with asyncio.timeout(arguments.timeout):
            reader, writer = await asyncio.open_connection(arguments.host, arguments.port)
            stage = "reading"
            writer.write(f"GET {arguments.path} HTTP/1.0\r\nHost: lab\r\n\r\n".encode())
            while block := await reader.read(65536):
                body += block
            writer.close()
    except OSError as error:
        # Without a number it is this program's own patience that has ended.
        cause = NAMES.get(error.errno, str(error)) if error.errno else "patience ended"
        return f"{cause} {stage} after {len(body)} bytes"
    page = body.partition(b"\r\n\r\n")[2]
    if hashlib.sha256(page).hexdigest() == arguments.sha256:
        return None
    return f"other content: {len(body)} bytes that begin with {body[:40]}"


def fetch(arguments):
    async def all_of_them():
        return await asyncio.gather(*(fetch_one(arguments) for _ in range(arguments.count)))
    wrong = Counter(filter(None, asyncio.run(all_of_them())))
    causes = "".join(f"; {count} times {cause}" for cause, count in wrong.most_common(5))
    return f"{arguments.count - wrong.total()} of {arguments.count}{causes}"


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--timeout", type=float, default=3, metavar="SECONDS")
    parser.add_argument("--source", metavar="ADDRESS")
    parser.add_argument("--bytes", type=int, default=64)
    commands = parser.add_subparsers(required=True)
    for action, extra in ((udp, ()), (tcp, ()), (upload, ("bytes",)), (dribble, ("text",)),
                          (fetch, ("path", "count", "sha256"))):
        command = commands.add_parser(action.__name__)
        command.set_defaults(action=action)
        command.add_argument("host")
        command.add_argument("port", type=int)
        for name in extra:
            command.add_argument(name, type=int if name in ("bytes", "count") else str)
    arguments = parser.parse_args()
    try:
        print(arguments.action(arguments))
    except TimeoutError:
        print("silence")
    except OSError as error:
        print(NAMES.get(error.errno, str(error)))


if __name__ == "__main__":
    main()
