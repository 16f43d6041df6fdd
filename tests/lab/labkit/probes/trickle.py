# SPDX-License-Identifier: GPL-2.0-or-later
"""A web server that sends slowly: GET /BYTES/BYTES-PER-SECOND, in pieces of some milliseconds; a rate
of 0 is as fast as it can.  usage: trickle.py PORT..."""

import http.server
import random
import sys
import threading
import time

PIECE_S = 0.01
NOISE = random.Random(3).randbytes(1 << 20)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        size, rate = (int(word) for word in self.path.strip("/").split("/"))
        self.send_response(200)
        self.send_header("Content-Length", str(size))
        self.end_headers()
        piece = int(rate * PIECE_S) or len(NOISE)
        due = time.monotonic()
        try:
            while size > 0:
                self.wfile.write(NOISE[:min(piece, size)])
                size -= piece
                if rate:
                    due += PIECE_S
                    time.sleep(max(0, due - time.monotonic()))
        except OSError:
            pass  # the client has seen enough

    def log_message(self, *unused):
        pass


for port in sys.argv[1:]:
    server = http.server.ThreadingHTTPServer(("", int(port)), Handler)
    threading.Thread(target=server.serve_forever).start()
