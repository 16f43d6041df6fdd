# SPDX-License-Identifier: GPL-2.0-or-later
"""What antivirus is tried with: masugata-scand beside the gateway, and a site of web and mail servers
on plan.SCANNED. Raised once per lab by those who want it: `with Antivirus(lab) as antivirus`."""

import json
import os
import shutil
import signal
import time
from pathlib import Path

from . import addresses as plan
from . import virus_samples as samples
from .antivirus_servers import ODD_PORT, PASSWORD, READERS, WEB_PORT, Site  # noqa: F401
from .commands import RUN_DIRECTORY, LabError, Program, wait_until
from .gateways import build_directory
from .topology import inside

SIGNATURES = RUN_DIRECTORY / "signatures"


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
        return [pid for engine in self.generations() for pid in _children(engine)
                if _name(pid) == "scand-scanner"]

    def generations(self):
        """The pids of the processes that hold an engine."""
        return _children(self.program.pid)

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
        self.files = {}  # name -> content
        self.site = Site(lab, plan.WAN, plan.SCANNED, self.directory, self.content)
        self.received = self.site.received
        self.scanner = Scanner(lab)

    def __enter__(self):
        try:
            self.directory.mkdir(mode=0o755)
            self.files = samples.write_samples(self.content)
            self.site.start()
            self.scanner.start()
            self._wait_scanned()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *unused):
        self.scanner.stop()
        self.site.stop()
        for folder in (self.directory, self.content):
            shutil.rmtree(folder, ignore_errors=True)
        shutil.rmtree(SIGNATURES, ignore_errors=True)

    def url(self, name, port=WEB_PORT):
        return self.site.url(name, port)

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

    def transfer(self, url, *options, timeout_s=15):
        """(curl's exit status, the last reply's code, body) of a transfer by FTP."""
        target = self.directory / f"transferred-{time.monotonic_ns()}"
        result = self.lab.execute(plan.LAN, [
            "curl", "-sS", "--globoff", "--max-time", timeout_s, "-o", target, "-w",
            "%{response_code}", *options, url], timeout_s=timeout_s + 5)
        body = target.read_bytes() if target.exists() else b""
        target.unlink(missing_ok=True)
        return result.returncode, int(result.stdout.strip()[-3:] or 0), body

    def mailbox(self):
        """The mails that have arrived at the mail server."""
        folder = self.site.mailbox
        return [file.read_bytes() for file in sorted(folder.iterdir())] if folder.is_dir() else []

    def send_mail(self, content, *options, timeout_s=20):
        """Everything that swaks says of sending `content`, a whole mail."""
        data = self.directory / f"mail-{self.site.try_number()}"
        data.write_bytes(content)
        result = self.lab.execute(plan.LAN, [
            "swaks", "--server", plan.SCANNED, "--from", "sender@example.org", "--to",
            "reader@example.net", "--data", f"@{data}", "--timeout", timeout_s, "--no-hints",
            *options], timeout_s=timeout_s + 10)
        return result.stdout + result.stderr

    def _wait_scanned(self):
        """Until the gateway knows of the engine: before that everything is refused."""
        if not wait_until(lambda: self.fetch(self.url("clean.com"), timeout_s=5)
                          == (200, samples.CLEAN), timeout_s=40, interval_s=0.3):
            status = json.dumps([self.scanner.scanners(), self.scanner.log()[-1500:]])
            raise LabError(f"nothing passes the scanner: {status}")
