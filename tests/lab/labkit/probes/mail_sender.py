# SPDX-License-Identifier: GPL-2.0-or-later
"""Sends mails by SMTP in the ways that RFC 2920 (pipelining) and RFC 3030 (BDAT) allow.
usage: mail_sender.py HOST, with lines "WAY RECIPIENT FILE" on standard input; for each a line
"RECIPIENT REPLY" comes out. FILE is a mail as it is to arrive.
  data            step by step        data-at-once     envelope in one write, the end with QUIT
  bdat            one chunk           bdat-pieces      chunks of 700 bytes, an empty last one
  bdat-at-once    envelope, a chunk, the last one and QUIT in one write
"""

import concurrent.futures
import re
import socket
import sys
from pathlib import Path

PIECE_BYTES = 700


class Refused(Exception):
    pass


class Connection:
    def __init__(self, host):
        self.socket = socket.create_connection((host, 25), timeout=30)
        self.replies = self.socket.makefile("rb")

    def say(self, *lines):
        self.socket.sendall(b"".join(lines))

    def hear(self, wanted):
        """The next reply, whose code begins with `wanted`."""
        while True:
            line = self.replies.readline().decode(errors="replace").rstrip()
            if not line:
                raise Refused("connection closed")
            if line[3:4] != "-":
                break
        if not line.startswith(wanted):
            raise Refused(line)
        return line


def stuffed(content):
    return re.sub(rb"(?m)^\.", b"..", content)


def send(host, way, recipient, content):
    connection = Connection(host)
    envelope = [b"MAIL FROM:<sender@example.org>\r\n", f"RCPT TO:<{recipient}>\r\n".encode()]
    try:
        connection.hear("220")
        connection.say(b"EHLO client.example.org\r\n")
        connection.hear("250")
        pieces = [content[at:at + PIECE_BYTES] for at in range(0, len(content), PIECE_BYTES)]
        if way == "bdat-at-once":
            half = len(content) // 2
            connection.say(*envelope, b"BDAT %d\r\n" % half, content[:half],
                           b"BDAT %d LAST\r\n" % (len(content) - half), content[half:],
                           b"QUIT\r\n")
            for _ in range(3):
                connection.hear("250")
            return connection.hear("250")
        if way == "data-at-once":
            connection.say(*envelope, b"DATA\r\n")
            for code in ("250", "250", "354"):
                connection.hear(code)
            connection.say(stuffed(content), b".\r\n", b"QUIT\r\n")
            return connection.hear("250")
        for line in envelope:
            connection.say(line)
            connection.hear("250")
        if way == "data":
            connection.say(b"DATA\r\n")
            connection.hear("354")
            connection.say(stuffed(content), b".\r\n")
            return connection.hear("250")
        if way == "bdat":
            connection.say(b"BDAT %d LAST\r\n" % len(content), content)
            return connection.hear("250")
        for piece in pieces:
            connection.say(b"BDAT %d\r\n" % len(piece), piece)
            connection.hear("250")
        connection.say(b"BDAT 0 LAST\r\n")
        return connection.hear("250")
    except (Refused, OSError) as error:
        return str(error)
    finally:
        connection.socket.close()


def main():
    jobs = [line.split() for line in sys.stdin]
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        told = pool.map(lambda job: send(sys.argv[1], job[0], job[1], Path(job[2]).read_bytes()),
                        jobs)
        for job, reply in zip(jobs, told):
            print(job[1], reply)


main()
