# SPDX-License-Identifier: GPL-2.0-or-later
"""Running programs with a bound on time, and long-lived ones that are always ended again."""

import os
import signal
import subprocess
import time
from pathlib import Path

# One line per long-lived program: "pid start-time name". Survives a killed lab, for `lab down`.
RUN_DIRECTORY = Path("/run/masugata-lab")
PID_FILE = RUN_DIRECTORY / "pids"


class LabError(Exception):
    """The lab itself cannot do what was asked; says why and where to look."""


def run(argv, timeout_s=20, check=True, stdin_text=None):
    """Runs a program to its end; returns the CompletedProcess (text). Raises LabError when it
    cannot be started or, with `check`, when it fails. At the time limit it is killed and the
    result has return code 124."""
    argv = [str(word) for word in argv]
    try:
        result = subprocess.run(argv, input=stdin_text, capture_output=True, text=True,
                                errors="replace", timeout=timeout_s,
                                stdin=subprocess.DEVNULL if stdin_text is None else None)
    except FileNotFoundError as error:
        raise LabError(f"{argv[0]}: not installed; run the lab through ./dev") from error
    except subprocess.TimeoutExpired as error:
        stdout = _text(error.stdout)
        stderr = _text(error.stderr) + f"\nstopped after {timeout_s} s"
        result = subprocess.CompletedProcess(argv, 124, stdout, stderr)
    if check and result.returncode != 0:
        output = (result.stderr.strip() or result.stdout.strip())[-2000:]
        raise LabError(f"{' '.join(argv)}: exit status {result.returncode}: {output}")
    return result


def _text(output):
    if output is None:
        return ""
    return output.decode(errors="replace") if isinstance(output, bytes) else output


def wait_until(condition, timeout_s, interval_s=0.02):
    """Polls until `condition()` is true; returns whether it became true in time."""
    deadline = time.monotonic() + timeout_s
    while True:
        if condition():
            return True
        if time.monotonic() >= deadline:
            return False
        time.sleep(interval_s)


def start_time(pid):
    """The kernel's start time of a process, None when it is gone or a zombie. Together with the
    pid it names a process for good."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except (OSError, IndexError):
        return None
    return None if fields[0] in "ZX" else fields[19]


def _end(pid, grace_s):
    """Ends one process: asked first, killed after `grace_s`."""
    started = start_time(pid)
    if started is None:
        return
    for number, patience_s in ((signal.SIGTERM, grace_s), (signal.SIGKILL, 2)):
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            return
        if wait_until(lambda: start_time(pid) != started, patience_s):
            return


class Program:
    """A long-lived program of the lab with its log file. Ended with stop(); one that outlives a
    killed lab is ended by `lab down` through PID_FILE."""

    def __init__(self, name, argv, log_path, environment=None, descriptors=()):
        self.name = name
        self.log_path = Path(log_path)
        RUN_DIRECTORY.mkdir(mode=0o755, exist_ok=True)
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                [str(word) for word in argv], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True, pass_fds=descriptors,
                env={**os.environ, **(environment or {})})
        with open(PID_FILE, "a", encoding="ascii") as record:
            record.write(f"{self.process.pid} {start_time(self.process.pid)} {name}\n")

    @property
    def pid(self):
        return self.process.pid

    def is_running(self):
        return self.process.poll() is None

    def log(self):
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    def wait_ready(self, condition, timeout_s=10, interval_s=0.02):
        """Waits until `condition()`; raises LabError with the end of the log when the program
        ends before that or the time is over."""
        def settled():
            return not self.is_running() or condition()
        if wait_until(settled, timeout_s, interval_s) and self.is_running():
            return
        state = "is not ready" if self.is_running() else "has ended"
        raise LabError(f"{self.name} {state} ({self.log_path}):\n{self.log()[-3000:]}")

    def wait(self, timeout_s):
        """Waits for the program's own end; returns its exit status, None when time is over."""
        try:
            return self.process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            return None

    def stop(self, grace_s=5):
        if self.is_running():
            self.process.terminate()
            if self.wait(grace_s) is None:
                self.process.kill()
                self.wait(5)


def end_recorded_programs():
    """Ends the programs that an earlier lab has left running; returns their names."""
    if not PID_FILE.exists():
        return []
    ended = []
    for line in PID_FILE.read_text(encoding="ascii").splitlines():
        words = line.split(maxsplit=2)
        if len(words) == 3 and start_time(int(words[0])) == words[1]:
            _end(int(words[0]), grace_s=3)
            ended.append(words[2])
    PID_FILE.unlink(missing_ok=True)
    return ended


def end_programs_in(namespace):
    """Ends whatever still runs inside a namespace of the lab."""
    listed = run(["ip", "netns", "pids", namespace], check=False)
    for word in listed.stdout.split():
        if int(word) != os.getpid():
            _end(int(word), grace_s=1)
