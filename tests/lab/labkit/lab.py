# SPDX-License-Identifier: GPL-2.0-or-later
"""The whole lab: one at a time on a machine, always taken down again."""

import atexit
import fcntl
import json
import os
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

from . import addresses as plan
from . import topology
from .commands import RUN_DIRECTORY, LabError, Program, end_recorded_programs, run
from .gateways import GATEWAYS
from .services import PROBES, PYTHON, Services

LOCK_FILE = RUN_DIRECTORY / "lock"
# Describes a lab that is up, for `lab shell` and `lab run`.
STATE_FILE = RUN_DIRECTORY / "state.json"
LOCK_PATIENCE_S = 600


class Lock:
    """Held by the process that owns the lab; the kernel releases it when that process dies."""

    def __init__(self):
        self.file = None

    def take(self, patience_s):
        RUN_DIRECTORY.mkdir(mode=0o755, exist_ok=True)
        handle = open(LOCK_FILE, "a+", encoding="ascii")
        deadline, told = time.monotonic() + patience_s, False
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                handle.seek(0)
                owner = handle.read().strip() or "unknown"
            if time.monotonic() >= deadline:
                handle.close()
                raise LabError(f"another lab is in use by process {owner}")
            if not told:
                print(f"waiting for the lab of process {owner} to end", file=sys.stderr)
                told = True
            time.sleep(0.5)
        handle.truncate(0)
        handle.write(f"{os.getpid()}\n")
        handle.flush()
        self.file = handle

    def release(self):
        if self.file is not None:
            self.file.truncate(0)
            self.file.close()
            self.file = None


def remove_leftovers():
    """Takes down whatever an earlier lab has left; returns what was found, for a message.
    The caller holds the lock."""
    found = end_recorded_programs() + topology.remove()
    if STATE_FILE.exists():
        directory = Path(json.loads(STATE_FILE.read_text(encoding="utf-8"))["directory"])
        if directory.name.startswith("masugata-lab-"):
            shutil.rmtree(directory, ignore_errors=True)
        STATE_FILE.unlink()
    return found


class Lab:
    """Use as a context manager: raised on entry, taken down on exit whatever happens."""

    def __init__(self, kind):
        self.kind = kind
        self.lock = Lock()
        self.directory = None
        self.gateway = None
        self.services = None

    def __enter__(self):
        self.up()
        return self

    def __exit__(self, *unused):
        self.down()

    def up(self, patience_s=LOCK_PATIENCE_S):
        if os.geteuid() != 0:
            raise LabError("the lab needs root for network namespaces: use ./dev lab, or sudo")
        self.lock.take(patience_s)
        for number in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, _exit_on_signal)
        atexit.register(self.down)
        try:
            if remove_leftovers():
                print("an earlier lab has been taken down", file=sys.stderr)
            self.directory = Path(tempfile.mkdtemp(prefix="masugata-lab-"))
            self.directory.chmod(0o755)
            self._record()
            topology.build()
            self.services = Services(self.directory)
            self.services.start()
            self.use_gateway(self.kind)
            self.services.start_in_gateway()
        except BaseException:
            self.down()
            raise

    def use_gateway(self, kind):
        """Puts a gateway of this kind in place of the present one. The programs stay."""
        if self.gateway is not None:
            self.gateway.stop()
        self.kind = kind
        self.gateway = GATEWAYS[kind](self.directory)
        self.gateway.start()
        self._record()

    def _record(self):
        socket = getattr(self.gateway, "control_socket", "")
        STATE_FILE.write_text(json.dumps({
            "directory": str(self.directory), "kind": self.kind, "control_socket": str(socket)}),
            encoding="utf-8")

    def keep(self):
        """Leaves the lab up when this process ends; `lab down` removes it."""
        atexit.unregister(self.down)
        self.lock.release()

    def down(self):
        atexit.unregister(self.down)
        if self.lock.file is None:
            return
        if self.gateway is not None:
            self.gateway.stop()
        if self.services is not None:
            self.services.stop()
        topology.remove()
        end_recorded_programs()
        keep_logs = os.environ.get("MASUGATA_LAB_LOGS")
        if self.directory is not None:
            if keep_logs:
                shutil.copytree(self.directory, keep_logs, dirs_exist_ok=True, symlinks=True,
                                ignore=shutil.ignore_patterns("content", "*.sock", "empty"))
            shutil.rmtree(self.directory, ignore_errors=True)
        STATE_FILE.unlink(missing_ok=True)
        self.lock.release()

    # Programs inside the namespaces.

    def execute(self, namespace, argv, timeout_s=20, check=False):
        return run(topology.inside(namespace, argv), timeout_s=timeout_s, check=check)

    def start(self, namespace, argv, name):
        log = self.directory / f"{name}-{time.monotonic_ns()}.log"
        return Program(name, topology.inside(namespace, argv), log)

    # Short ways for what the checks do most.

    def talk(self, namespace, *words, timeout_s=3, source=None, payload_bytes=64):
        """One line from probes/talk.py, for example "open", "refused", "silence"."""
        options = ["--timeout", timeout_s, "--bytes", payload_bytes]
        if source:
            options += ["--source", source]
        result = self.execute(namespace, [PYTHON, PROBES / "talk.py", *options, *words],
                              timeout_s=90)
        return result.stdout.strip() or result.stderr.strip()[-300:]

    def http(self, namespace, url, *options, timeout_s=5):
        """The body of a page, or curl's complaint."""
        result = self.execute(namespace, [
            "curl", "-sS", "--insecure", "--globoff", "--max-time", timeout_s, *options, url],
            timeout_s=timeout_s + 5)
        if result.returncode == 28:
            return "silence"
        return result.stdout.strip() if result.returncode == 0 else result.stderr.strip()

    def download_sum(self, namespace, url, *options, timeout_s=30):
        """SHA-256 of what curl gets, or its complaint."""
        target = self.directory / f"download-{time.monotonic_ns()}"
        result = self.execute(namespace, [
            "curl", "-sS", "--insecure", "--globoff", "--max-time", timeout_s, "-o", target,
            *options, url], timeout_s=timeout_s + 5)
        if result.returncode != 0:
            return result.stderr.strip()
        digest = run(["sha256sum", target]).stdout.split()[0]
        target.unlink()
        return digest

    def ping(self, namespace, host, *options, count=2):
        """All that ping says. With its own time limit; at most some seconds."""
        result = self.execute(namespace, [
            "ping", "-n", "-c", count, "-i", "0.2", "-W", "1", *options, host], timeout_s=15)
        return result.stdout + result.stderr

    def ask_name(self, namespace, server, kind="A", name=plan.NAME):
        result = self.execute(namespace, [
            "dig", "+short", "+time=1", "+tries=2", f"@{server}", name, kind])
        lines = [line for line in result.stdout.splitlines() if not line.startswith(";;")]
        return " ".join(lines) or "silence"


def _exit_on_signal(number, _frame):
    sys.exit(128 + number)
