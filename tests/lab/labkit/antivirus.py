# SPDX-License-Identifier: GPL-2.0-or-later
"""What antivirus is tried with: masugata-scand beside the gateway, and web and mail servers of their
own on plan.SCANNED. Raised once per lab by those who want it: `with Antivirus(lab) as antivirus`."""

import base64
import json
import os
import shutil
import signal
import time
from pathlib import Path

from . import addresses as plan
from . import virus_samples as samples
from .commands import RUN_DIRECTORY, LabError, Program, run, wait_until
from .gateways import build_directory
from .services import PROBES, PYTHON
from .topology import inside

SIGNATURES = RUN_DIRECTORY / "signatures"
WEB_PORT, ODD_PORT = 8000, 8001
READERS = ("clean", "infected")
PASSWORD = "lab"

NGINX = """
user nobody nogroup;
worker_processes 1;
daemon off;
pid {directory}/nginx.pid;
error_log {directory}/error.log;
events {{ worker_connections 1024; }}
http {{
    access_log {directory}/access.log;
    client_body_temp_path {directory}/body;
    proxy_temp_path {directory}/proxy;
    fastcgi_temp_path {directory}/fastcgi;
    uwsgi_temp_path {directory}/uwsgi;
    scgi_temp_path {directory}/scgi;
    client_max_body_size 64m;
    default_type application/octet-stream;
    sendfile on;
    server {{
        listen {address}:{port};
        root {content};
        location /as-image/ {{ alias {content}/; types {{ }} default_type image/png; }}
        location /chunked/ {{
            alias {content}/; sub_filter no-such-text-anywhere -; sub_filter_types *;
        }}
        location /on-the-fly/ {{ alias {content}/; gzip on; gzip_min_length 1; gzip_types *; }}
        location /received/ {{ alias {received}/; dav_methods PUT; }}
        {coded}
    }}
}}
"""
CODED = """location /{folder}/ {{ add_header Content-Encoding "{coding}"; }}"""

EXIM = """
exim_user = Debian-exim
exim_group = Debian-exim
primary_hostname = mail.example.net
spool_directory = {directory}/spool
log_file_path = {directory}/%slog
pid_file_path = {directory}/exim.pid
daemon_smtp_ports = 25
local_interfaces = {address}
domainlist local_domains = example.net
deliver_drop_privilege = true
host_lookup =
rfc1413_query_timeout = 0s
chunking_advertise_hosts = *
tls_advertise_hosts =
acl_smtp_rcpt = take
acl_smtp_data = take
begin acl
take:
  accept
begin routers
here:
  driver = accept
  transport = mailbox
begin transports
mailbox:
  driver = appendfile
  directory = {directory}/mailbox
  maildir_format
  create_directory
begin retry
* * F,1h,1m
"""

DOVECOT = """
base_dir = {directory}/run
state_dir = {directory}/state
protocols = imap pop3
listen = {address}
log_path = {directory}/log
ssl = no
disable_plaintext_auth = no
first_valid_uid = 1
mail_location = maildir:{directory}/readers/%u
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid=nobody gid=nogroup home={directory}/readers/%u
}}
"""


def mail(attachment, name="attachment.bin"):
    """A mail with `attachment` in base64."""
    coded = base64.encodebytes(attachment).decode("ascii")
    return ("From: sender@example.org\r\nTo: reader@example.net\r\nSubject: a mail of the lab\r\n"
            "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=\"between\"\r\n\r\n"
            "--between\r\nContent-Type: text/plain\r\n\r\nSomething is attached.\r\n"
            f"--between\r\nContent-Type: application/octet-stream; name=\"{name}\"\r\n"
            "Content-Transfer-Encoding: base64\r\n"
            f"Content-Disposition: attachment; filename=\"{name}\"\r\n\r\n"
            + coded.replace("\n", "\r\n") + "--between--\r\n").encode("ascii")


class Scanner:
    """masugata-scand in the gateway's namespace."""

    def __init__(self, lab):
        self.lab = lab
        self.program = None
        # Above the lab's directory nothing is open to others; the engine reads as nobody.
        shutil.rmtree(SIGNATURES, ignore_errors=True)
        samples.write_signatures(SIGNATURES)

    def start(self):
        program = build_directory() / "av-stream" / "scand" / "masugata-scand"
        if not program.exists():
            raise LabError(f"no {program}: run ./dev build")
        self.program = Program("masugata-scand", inside(plan.GATEWAY, [
            program, "--socket", self.lab.gateway.scanner_socket, "--user", "nobody"]),
            self.lab.directory / "masugata-scand.log")
        self.program.wait_ready(lambda: len(self.scanners()) >= 2, timeout_s=60)

    def stop(self):
        if self.program is not None:
            self.program.stop()
            self.program = None

    def log(self):
        return self.program.log()

    def look_again(self):
        """At the signatures, now."""
        os.kill(self.program.pid, signal.SIGHUP)

    def scanners(self):
        """The pids of the processes that scan."""
        engines = _children(self.program.pid)
        return [pid for engine in engines for pid in _children(engine)
                if _name(pid) == "scand-scanner"]

    def kill_scanners(self):
        killed = self.scanners()
        for pid in killed:
            os.kill(pid, signal.SIGKILL)
        return killed


def _children(pid):
    try:
        return [int(word) for word in
                Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()]
    except OSError:
        return []


def _name(pid):
    try:
        return Path(f"/proc/{pid}/comm").read_text(encoding="utf-8").strip()
    except OSError:
        return ""


class Antivirus:
    """Use as a context manager."""

    def __init__(self, lab):
        self.lab = lab
        self.directory = lab.directory / "antivirus"
        self.content = lab.services.content / "av"  # FTP servers offer it, too
        self.received = self.directory / "received"
        self.files = {}  # name -> content
        self.programs = []
        self.scanner = Scanner(lab)
        self._tries = 0

    def __enter__(self):
        try:
            self.directory.mkdir(mode=0o755)
            self.files = samples.write_samples(self.content)
            self.received.mkdir()
            self.received.chmod(0o777)
            self._start_web()
            self._start_mail()
            self._start_readers()
            self.scanner.start()
            self._wait_scanned()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *unused):
        self.scanner.stop()
        for program in reversed(self.programs):
            program.stop()
        self.programs.clear()
        for folder in (self.directory, self.content):
            shutil.rmtree(folder, ignore_errors=True)
        shutil.rmtree(SIGNATURES, ignore_errors=True)

    def url(self, name, port=WEB_PORT, address=plan.SCANNED):
        """Another one each time: an URL is refused once something infected came from it."""
        self._tries += 1
        return f"http://{address}:{port}/{name}?try={self._tries}"

    def fetch(self, url, *options, timeout_s=30):
        """(HTTP status or 0, body) of what curl gets, whether or not it was complete."""
        target = self.directory / f"fetched-{time.monotonic_ns()}"
        result = self.lab.execute(plan.LAN, [
            "curl", "-sS", "--globoff", "--max-time", timeout_s, "-o", target, "-w",
            "%{http_code}", *options, url], timeout_s=timeout_s + 5)
        body = target.read_bytes() if target.exists() else b""
        target.unlink(missing_ok=True)
        status = result.stdout.strip()[-3:]
        return (int(status) if result.returncode == 0 and status.isdigit() else 0), body

    def mailbox(self):
        """The mails that have arrived at the mail server."""
        folder = self.directory / "exim" / "mailbox" / "new"
        return [file.read_bytes() for file in sorted(folder.iterdir())] if folder.is_dir() else []

    def send_mail(self, content, *options, timeout_s=20):
        """Everything that swaks says of sending `content`, a whole mail."""
        self._tries += 1
        data = self.directory / f"mail-{self._tries}"
        data.write_bytes(content)
        result = self.lab.execute(plan.LAN, [
            "swaks", "--server", plan.SCANNED, "--from", "sender@example.org", "--to",
            "reader@example.net", "--data", f"@{data}", "--timeout", timeout_s, "--no-hints",
            *options], timeout_s=timeout_s + 10)
        return result.stdout + result.stderr

    def _start(self, name, argv):
        program = Program(name, inside(plan.WAN, argv), self.directory / f"{name}.log")
        self.programs.append(program)
        return program

    def _start_web(self):
        directory = self.directory / "nginx"
        directory.mkdir()
        coded = "\n".join(CODED.format(folder=samples.folder_of(coding), coding=coding)
                          for coding in samples.ENCODINGS)
        configuration = directory / "nginx.conf"
        configuration.write_text(NGINX.format(
            directory=directory, address=plan.SCANNED, port=WEB_PORT, content=self.content,
            received=self.received, coded=coded), encoding="ascii")
        self._start("nginx-av", ["nginx", "-p", directory, "-c", configuration, "-e",
                                 directory / "error.log"])
        self._start("odd-web", [PYTHON, PROBES / "odd_web.py", plan.SCANNED, ODD_PORT,
                                self.content, self.received])
        self._wait_port(WEB_PORT)
        self._wait_port(ODD_PORT)

    def _start_mail(self):
        directory = self.directory / "exim"
        directory.mkdir()
        (directory / "spool").mkdir()
        run(["chown", "-R", "Debian-exim:Debian-exim", directory])
        configuration = self.directory / "exim.conf"
        configuration.write_text(EXIM.format(directory=directory, address=plan.SCANNED),
                                 encoding="ascii")
        configuration.chmod(0o644)
        self._start("exim", ["exim4", "-C", configuration, "-bdf"])
        self._wait_port(25)

    def _start_readers(self):
        directory = self.directory / "dovecot"
        for reader in READERS:
            attachment = samples.EICAR if reader == "infected" else samples.CLEAN
            for folder in ("new", "cur", "tmp"):
                (directory / "readers" / reader / folder).mkdir(parents=True)
            (directory / "readers" / reader / "new" / "1.lab").write_bytes(mail(attachment))
        run(["chown", "-R", "nobody:nogroup", directory / "readers"])
        configuration = self.directory / "dovecot.conf"
        configuration.write_text(DOVECOT.format(
            directory=directory, address=plan.SCANNED, password=PASSWORD), encoding="ascii")
        self._start("dovecot", ["dovecot", "-F", "-c", configuration])
        self._wait_port(110)
        self._wait_port(143)

    def _wait_port(self, port):
        program = self.programs[-1]
        program.wait_ready(lambda: f"{plan.SCANNED}:{port} " in run(
            inside(plan.WAN, ["ss", "-Htln"])).stdout, timeout_s=15)

    def _wait_scanned(self):
        """Until the gateway knows of the engine: before that everything is refused."""
        if not wait_until(lambda: self.fetch(self.url("clean.com"), timeout_s=5)
                          == (200, samples.CLEAN), timeout_s=40, interval_s=0.3):
            status = json.dumps([self.scanner.scanners(), self.scanner.log()[-1500:]])
            raise LabError(f"nothing passes the scanner: {status}")
