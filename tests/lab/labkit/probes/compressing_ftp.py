# SPDX-License-Identifier: GPL-2.0-or-later
"""An FTP server that compresses what it sends (MODE Z, which vsftpd does not know), passive only.
usage: compressing_ftp.py ADDRESS PORT FOLDER"""

import socketserver
import sys
import zlib
from pathlib import Path
from socket import AF_INET, create_server

ADDRESS, FOLDER = sys.argv[1], Path(sys.argv[3])


class Control(socketserver.StreamRequestHandler):
    """One client."""

    compressed = False
    data = None

    def reply(self, text):
        self.wfile.write(f"{text}\r\n".encode("ascii"))

    def handle(self):
        self.reply("220 ready")
        for line in self.rfile:
            word, _, argument = line.decode("ascii").strip().partition(" ")
            answer = getattr(self, f"do_{word.lower()}", None)
            if word.upper() == "QUIT":
                self.reply("221 bye")
                return
            if answer is None:
                self.reply("502 not here")
            else:
                answer(argument)

    def do_user(self, _):
        self.reply("230 welcome")

    do_pass = do_user

    def do_pwd(self, _):
        self.reply('257 "/"')

    def do_type(self, _):
        self.reply("200 so it is")

    do_opts = do_type

    def do_feat(self, _):
        self.reply("211-this\r\n MODE Z\r\n SIZE\r\n211 end")

    def do_size(self, name):
        self.reply(f"213 {(FOLDER / name.lstrip('/')).stat().st_size}")

    def do_mode(self, mode):
        self.compressed = mode.upper() == "Z"
        self.reply(f"200 mode {mode}")

    def do_epsv(self, _):
        self.data = create_server((ADDRESS, 0), family=AF_INET)
        self.reply(f"229 here (|||{self.data.getsockname()[1]}|)")

    def do_pasv(self, _):
        self.data = create_server((ADDRESS, 0), family=AF_INET)
        port = self.data.getsockname()[1]
        self.reply(f"227 here ({ADDRESS.replace('.', ',')},{port // 256},{port % 256})")

    def do_retr(self, name):
        self.reply("150 it comes")
        content = (FOLDER / name.lstrip("/")).read_bytes()
        connection, _ = self.data.accept()
        try:
            with connection:
                connection.sendall(zlib.compress(content) if self.compressed else content)
            self.reply("226 that was it")
        except OSError:
            self.reply("426 cut off")
        self.data.close()


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


Server((ADDRESS, int(sys.argv[2])), Control).serve_forever()
