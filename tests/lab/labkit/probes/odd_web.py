# SPDX-License-Identifier: GPL-2.0-or-later
"""A web server that says what it likes of its answers, and keeps what is sent to it.
usage: odd_web.py ADDRESS PORT CONTENT-FOLDER RECEIVED-FOLDER
  GET /long/NAME       Content-Length is 1000 too large, then the connection ends
  GET /short/NAME      Content-Length is half of the body, all of which follows
  GET /followed/NAME   Content-Length is right, a line follows that nobody asked for, and the end that
                       was announced (or else clients ask again, and take the line for the answer)
  GET /lengthless/NAME neither length nor chunks: the end of the connection is the end
  GET /dribbled/NAME   in chunks of 7 bytes
  GET /old/NAME        in chunks of an answer in HTTP/1.0
  GET /folded/NAME     in one chunk; the line of Transfer-Encoding is folded, in another packet
  GET /bare/NAME       without a status line (HTTP/0.9)
  PUT, POST            the body goes into a file of RECEIVED-FOLDER, named as the last part of the
                       path or, without one, after its SHA-256, which is the answer
"""

import hashlib
import http.server
import sys
import time
import urllib.parse
from pathlib import Path

CONTENT, RECEIVED = Path(sys.argv[3]), Path(sys.argv[4])


def chunks(body, size):
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in
                    (body[at:at + size] for at in range(0, len(body), size))) + b"0\r\n\r\n"


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    received = 0

    def do_GET(self):
        way, _, name = urllib.parse.urlparse(self.path).path.strip("/").partition("/")
        body = (CONTENT / name).read_bytes()
        if way in ("bare", "folded"):
            self._send_strangely(way, body)
            return
        if way == "old":
            self.protocol_version = "HTTP/1.0"
        self.send_response(200)
        self.send_header("Content-Type", "application/octet-stream")
        self.close_connection = way != "dribbled"
        if way in ("dribbled", "old"):
            self.send_header("Transfer-Encoding", "chunked")
            body = chunks(body, 7 if way == "dribbled" else 1000)
        elif way != "lengthless":
            lengths = {"long": len(body) + 1000, "short": len(body) // 2, "followed": len(body)}
            self.send_header("Content-Length", str(lengths[way]))
        if way == "followed":
            self.send_header("Connection", "close")
            body += b"\r\nmore\r\n"
        self.end_headers()
        self.wfile.write(body)

    def _send_strangely(self, way, body):
        self.close_connection = True
        if way == "folded":
            self.wfile.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\nTransfer-Encoding:\r\n")
            time.sleep(0.1)
            body = b" chunked\r\n\r\n" + chunks(body, len(body))
        self.wfile.write(body)

    def do_POST(self):
        if "chunked" in self.headers.get("Transfer-Encoding", ""):
            body = b"".join(self._chunks())
        else:
            length = int(self.headers["Content-Length"])
            body = self.rfile.read(length)
            if len(body) < length:
                self.close_connection = True
                return
        name = hashlib.sha256(body).hexdigest()
        path = urllib.parse.urlparse(self.path).path
        (RECEIVED / (path.rpartition("/")[2] or name)).write_bytes(body)
        self.send_response(200)
        self.send_header("Content-Length", str(len(name)))
        self.end_headers()
        self.wfile.write(name.encode())

    do_PUT = do_POST

    def _chunks(self):
        while length := int(self.rfile.readline().split(b";")[0], 16):
            yield self.rfile.read(length)
            self.rfile.readline()
        self.rfile.readline()

    def log_message(self, *unused):
        pass


http.server.ThreadingHTTPServer((sys.argv[1], int(sys.argv[2])), Handler).serve_forever()
