# SPDX-License-Identifier: GPL-2.0-or-later
"""A machine in the lab with a Linux kernel of its own: Debian's user-mode-linux. Its root is the
host's file system, read-only; its network is a TAP device in a namespace. Here for the kernel's ESP,
which the host's kernel need not have."""

import json
import os
import select
import signal
import time
from pathlib import Path

from .commands import RUN_DIRECTORY, LabError, Program
from .gateways import build_directory
from .topology import inside

PROGRAM = Path("/usr/bin/linux.uml")
INIT = Path(__file__).resolve().parents[1] / "user_mode_linux" / "init.py"
MEMORY = "192M"
BOOT_PATIENCE_S = 30


def extended_state():
    """What has to be preloaded where the CPU has AMX."""
    return build_directory() / "tests" / "lab" / "user_mode_linux" / "libextended_state.so"


class UserModeLinux:
    """One machine; booted by start(), gone after stop() or kill(). `directory` is its own in the
    lab's: what it writes is there."""

    def __init__(self, name, namespace, tap, directory):
        self.name = name
        self.namespace = namespace
        self.tap = tap
        self.directory = Path(directory)
        self.program = None
        self.to_machine = self.from_machine = None
        self.unread = b""
        self.booted_in_s = None

    def start(self):
        """Boots. Debian's program was once seen to end with SIGSEGV; then it is tried once more, and said."""
        try:
            self._boot()
        except LabError:
            status = self.program.wait(1)
            if status is None or status >= 0:
                raise
            print(f"\n{self.name}: user-mode-linux ended by signal {-status} as it booted; once more")
            self.kill()
            self._boot()

    def _boot(self):
        self.directory.mkdir(mode=0o755, parents=True, exist_ok=True)
        theirs_in, self.to_machine = os.pipe()
        self.from_machine, theirs_out = os.pipe()
        self.unread = b""
        begun = time.monotonic()
        # Without physical memory behind a file on a disk.
        self.program = Program(f"uml-{self.name}", inside(self.namespace, [
            PROGRAM, f"mem={MEMORY}", "rootfstype=hostfs", "rootflags=/", "ro", f"init={INIT}",
            f"vec0:transport=tap,ifname={self.tap},depth=64,gro=0", "con=null", "con0=null,fd:1",
            f"ssl0=fd:{theirs_in},fd:{theirs_out}", "quiet", f"umid={self.name}",
            f"uml_dir={RUN_DIRECTORY}/uml", "--", self.directory]),
            self.directory / "console.log",
            {"LD_PRELOAD": str(extended_state()), "TMPDIR": "/dev/shm"},
            descriptors=(theirs_in, theirs_out))
        os.close(theirs_in)
        os.close(theirs_out)
        self._answer(BOOT_PATIENCE_S)
        self.booted_in_s = time.monotonic() - begun

    def _answer(self, timeout_s):
        deadline = time.monotonic() + timeout_s
        while b"\n" not in self.unread:
            patience_s = deadline - time.monotonic()
            ready = patience_s > 0 and select.select([self.from_machine], [], [], patience_s)[0]
            data = os.read(self.from_machine, 65536) if ready else b""
            if not data:
                raise LabError(f"{self.name} does not answer: {self.program.log()[-2000:]}")
            self.unread += data
        line, self.unread = self.unread.split(b"\n", 1)
        return json.loads(line)

    def _order(self, patience_s, **order):
        os.write(self.to_machine, (json.dumps(order) + "\n").encode())
        return self._answer(patience_s)

    def run(self, argv, timeout_s=20, check=True, environment=None):
        """As commands.run, in the machine."""
        words = [f"{name}={value}" for name, value in (environment or {}).items()]
        argv = [*(["env", *words] if words else []), *(str(word) for word in argv)]
        answer = self._order(timeout_s + 10, run=argv, timeout_s=timeout_s)
        if check and answer["status"] != 0:
            raise LabError(f"{self.name}: {' '.join(argv)}: exit status {answer['status']}: "
                           f"{(answer['stderr'] or answer['stdout'])[-2000:]}")
        return Done(answer)

    def begin(self, argv, log, environment=None):
        """Starts a program that goes on; returns what ends it."""
        pid = self._order(10, start=[str(word) for word in argv], log=str(log),
                         environment=environment or {})["pid"]
        return Begun(self, pid)

    def halt(self):
        """As a machine is switched off: nothing is said to anybody."""
        self.kill()

    def kill(self):
        if self.program is None:
            return
        try:
            os.killpg(self.program.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.program.wait(5)
        self.program = None
        for descriptor in (self.to_machine, self.from_machine):
            os.close(descriptor)

    stop = kill


class Done:
    """What subprocess.run would give."""

    def __init__(self, answer):
        self.returncode = answer["status"]
        self.stdout = answer["stdout"]
        self.stderr = answer["stderr"]


class Begun:
    """A program that runs in the machine."""

    def __init__(self, machine, pid):
        self.machine = machine
        self.pid = pid

    def end(self, number=signal.SIGTERM):
        return self.machine._order(10, end=self.pid, signal=int(number))["status"]
