# SPDX-License-Identifier: GPL-2.0-or-later
"""What operators of antivirus see: a smart host that takes notices and reports, processes for scan
jobs, freshclam. Beside labkit/antivirus.py, which it needs."""

import email
import json
import os
import re
import socket
import time

from . import addresses as plan
from .antivirus import SIGNATURES
from .antivirus_servers import MAILBOX
from .commands import RUN_DIRECTORY, Program, run, wait_until
from .gateways import build_directory
from .topology import inside

TLS_PORT = 2525
NOTICES_MARK = "quarantine { folder /run/masugata-lab/quarantine; }"
TLS_EXIM = """
exim_user = Debian-exim
exim_group = Debian-exim
primary_hostname = smart.example.net
spool_directory = {directory}/spool
log_file_path = {directory}/%slog
pid_file_path = {directory}/exim.pid
daemon_smtp_ports = {port}
local_interfaces = {address}
deliver_drop_privilege = true
host_lookup =
rfc1413_query_timeout = 0s
tls_advertise_hosts = *
tls_certificate = {directory}/server.pem
tls_privatekey = {directory}/server.key
""" + MAILBOX


def body_of(content):
    """The text of a notice or report."""
    return email.message_from_bytes(content).get_payload(decode=True).decode("utf-8")


def subject_of(content):
    return email.message_from_bytes(content)["Subject"]


class ScanJobProcesses:
    """What masugata-scan-job.socket does where systemd runs: a process per connection."""

    def __init__(self, lab):
        self.lab = lab
        self.program = None

    def start(self):
        socket = self.lab.gateway.scan_job_socket
        self.program = Program("scan-jobs", inside(plan.GATEWAY, [
            "systemd-socket-activate", "--seqpacket", "--accept", "--inetd", "-l", socket,
            build_directory() / "av-stream" / "scand" / "masugata-scand", "--job", "--user",
            "nobody"]), self.lab.directory / "scan-jobs.log")
        self.program.wait_ready(socket.exists)

    def stop(self):
        if self.program is not None:
            self.program.stop()


class MadeUpScanner:
    """Says to the gateway what masugata-scand would say of signatures of any age; scans nothing. Use
    as a context manager while masugata-scand does not run."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.path = path

    def __enter__(self):
        self.socket.connect(str(self.path))
        self._say({"type": "hello", "link_version": 1})
        return self

    def __exit__(self, *unused):
        self.socket.close()

    def says_built(self, days):
        """Its signatures were built so many days ago, and an hour."""
        self._say({"type": "status", "engine": "ready", "version": "00000000000000ab",
                   "signatures": 1, "built": int(time.time()) - days * 86400 - 3600})

    def _say(self, message):
        self.socket.send(json.dumps(message).encode("ascii"))


class Operation:
    """Use as a context manager around tests that change the gateway's configuration."""

    def __init__(self, lab, antivirus):
        self.lab = lab
        self.antivirus = antivirus
        self.directory = lab.directory / "operation"
        self.processes = ScanJobProcesses(lab)
        self.configuration = lab.gateway.configuration.read_text(encoding="utf-8")
        self.programs = []

    def __enter__(self):
        self.directory.mkdir(mode=0o755)
        self.processes.start()
        return self

    def __exit__(self, *unused):
        self.processes.stop()
        for program in self.programs:
            program.stop()
        self.lab.gateway.configuration.write_text(self.configuration, encoding="utf-8")
        self.lab.gateway.reload()

    def configure(self, notices="", jobs="", quarantine=""):
        """The gateway's configuration with these statements in `av`."""
        assert NOTICES_MARK in self.configuration
        text = self.configuration.replace(NOTICES_MARK, f"""
    quarantine {{ folder {RUN_DIRECTORY}/quarantine; {quarantine} }}
    notices {{ {notices} }}
    {jobs}""")
        self.lab.gateway.configuration.write_text(text, encoding="utf-8")
        self.lab.gateway.reload()

    def show(self, *words):
        return json.loads(self.lab.gateway.command("--json", "show", "av", *words).stdout)

    def job(self, name):
        return next(job for job in self.show("scan-jobs")["jobs"] if job["name"] == name)

    def run_job(self, name, timeout_s=60):
        """One run, from its beginning to its end; what is said of it then."""
        self.lab.gateway.command("request", "av", "scan-job", name, "start")
        assert wait_until(lambda: self.job(name)["state"] == "idle", timeout_s,
                          interval_s=0.1), self.job(name)
        return self.job(name)["last"]

    def new_mails(self, before, count, timeout_s=15):
        """Those that came since there were `before` mails, at least `count`."""
        assert wait_until(lambda: len(self.antivirus.mailbox()) >= before + count, timeout_s,
                          interval_s=0.1), self.show()
        files = sorted(self.antivirus.site.mailbox.iterdir(), key=lambda file: file.stat().st_mtime_ns)
        return [file.read_bytes() for file in files[before:]]

    def delivered_to(self):
        """Who got mails, in turn, as the mail server logs it."""
        log = (self.antivirus.directory / "exim" / "mainlog").read_text(encoding="utf-8")
        return re.findall(r" => \S+ <(\S+)>", log)

    def start_smart_host(self):
        """One that speaks TLS; the file of the authority that its certificate is from."""
        directory = self.directory / "tls"
        (directory / "spool").mkdir(parents=True)
        make_certificates(directory)
        run(["chown", "-R", "Debian-exim:Debian-exim", directory])
        configuration = self.directory / "exim-tls.conf"
        configuration.write_text(TLS_EXIM.format(directory=directory, address=plan.SCANNED,
                                                 port=TLS_PORT), encoding="ascii")
        configuration.chmod(0o644)
        program = Program("exim-tls", inside(plan.WAN, ["exim4", "-C", configuration, "-bdf"]),
                          self.directory / "exim-tls.log")
        self.programs.append(program)
        program.wait_ready(lambda: f"{plan.SCANNED}:{TLS_PORT} " in run(
            inside(plan.WAN, ["ss", "-Htln"])).stdout, timeout_s=15)
        return directory / "authority.pem"

    def smart_host_log(self):
        log = self.directory / "tls" / "mainlog"
        return log.read_text(encoding="utf-8") if log.exists() else ""

    def freshclam(self, content, later_s=0):
        """Fetches a database with `content` from a mirror of the lab's, as freshclam does; what
        it says. It fetches only what is newer than what it has: `later_s` makes it so."""
        mirror = self.directory / "mirror"
        mirror.mkdir(exist_ok=True)
        database = mirror / "fresh.ndb"
        database.write_text(content, encoding="ascii")
        os.utime(database, times=(time.time() + later_s,) * 2)
        run(["chown", "nobody", SIGNATURES])
        configuration = self.directory / "freshclam.conf"
        configuration.write_text(
            f"DatabaseDirectory {SIGNATURES}\nDatabaseOwner nobody\nMaxAttempts 1\n"
            f"DatabaseMirror 127.0.0.1\nTestDatabases no\n"
            f"DatabaseCustomURL file://{mirror}/fresh.ndb\n", encoding="ascii")
        for path in (self.directory, mirror, database, configuration):
            run(["chown", "nobody", path])
        return run(["freshclam", f"--config-file={configuration}", "--update-db=custom",
                    "--no-dns", "--stdout"], timeout_s=60, check=False).stdout


def make_certificates(directory):
    """An authority, and a certificate for the smart host's address."""
    def openssl(*words):
        run(["openssl", *words], timeout_s=30)
    authority, key = directory / "authority.pem", directory / "authority.key"
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
            "-subj", "/CN=Lab authority", "-days", "2", "-keyout", key, "-out", authority)
    request = directory / "server.csr"
    openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj",
            "/CN=smart.example.net", "-keyout", directory / "server.key", "-out", request)
    names = directory / "names"
    names.write_text(f"subjectAltName=IP:{plan.SCANNED}\n", encoding="ascii")
    openssl("x509", "-req", "-in", request, "-CA", authority, "-CAkey", key, "-CAcreateserial",
            "-days", "2", "-extfile", names, "-out", directory / "server.pem")

