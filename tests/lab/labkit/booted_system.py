# SPDX-License-Identifier: GPL-2.0-or-later
"""A system of its own that systemd boots: this one's files under an overlay in memory, with the
gateway installed into it. Nothing of it reaches the host, and it ends with its first process."""

import contextlib
import os
import tempfile
from pathlib import Path

from .commands import LabError, Program, run, wait_until
from .gateways import CHECKOUT, build_directory

PORTS = """[Unit]
DefaultDependencies=no
Before=network-pre.target masugatad.service
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/sh -ec '{commands}'
"""
# Only what is under test: the host's own services stay out.
TARGET = """[Unit]
Requires=basic.target lab-ports.service
After=basic.target lab-ports.service
Wants={units}
"""


class BootedSystem:
    """Between __enter__ and __exit__ it runs; `units` are wanted at boot. `ports` are the kernel's
    devices that the gateway gets, each the end of a pair whose other end is far-NAME."""

    def __init__(self, files, ports, units):
        self._files = {**files, **self._units(ports, units)}
        self._cleanups = contextlib.ExitStack()
        self._leader = None
        self._program = None

    @staticmethod
    def _units(ports, units):
        commands = "; ".join(f"ip link add {port} type veth peer name far-{port}; "
                             f"ip link set {port} up; ip link set far-{port} up"
                             for port in ports)
        return {"etc/systemd/system/lab-ports.service": PORTS.format(commands=commands),
                "etc/systemd/system/lab.target": TARGET.format(units=" ".join(units))}

    def __enter__(self):
        with contextlib.ExitStack() as cleanups:
            root = self._mount(cleanups)
            self._boot(root, cleanups)
            self._cleanups = cleanups.pop_all()
        return self

    def __exit__(self, *_):
        self._cleanups.close()

    def _mount(self, cleanups):
        memory = Path(cleanups.enter_context(tempfile.TemporaryDirectory(prefix="masugata-boot-")))
        run(["mount", "-t", "tmpfs", "-o", "size=4g,mode=755", "tmpfs", memory])
        cleanups.callback(run, ["umount", memory], check=False)
        upper, work, root = memory / "upper", memory / "work", memory / "root"
        for folder in (upper, work, root):
            folder.mkdir()
        run([CHECKOUT / "dev", "install", upper], timeout_s=60)
        for name, text in self._files.items():
            file = upper / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
            if "secrets" in file.parts:
                file.chmod(0o600)
        run(["mount", "-t", "overlay", "overlay", "-o",
             f"lowerdir=/,upperdir={upper},workdir={work}", root])
        cleanups.callback(run, ["umount", root], check=False)
        return root

    def _boot(self, root, cleanups):
        log = build_directory() / "test-results" / "booted-system.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        log.unlink(missing_ok=True)
        # DPDK looks for /sys/module before anything else.
        self._program = Program(
            "booted-system",
            ["systemd-nspawn", "--quiet", f"--directory={root}", "--private-network",
             f"--machine=masugata-{os.getpid()}", "--register=no", "--keep-unit",
             "--link-journal=no", "--bind=/dev/net/tun", "--bind-ro=/sys/module",
             "--capability=all", "--console=pipe", "--boot", "systemd.unit=lab.target"],
            log, {"SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": hierarchy()})
        cleanups.callback(self._program.stop, grace_s=20)
        self._program.wait_ready(self._is_booted, timeout_s=60, interval_s=0.3)

    def _is_booted(self):
        """Until its first process is systemd, others stand there that set the system up."""
        self._leader = self._first_process()
        return (self._leader is not None
                and self.run("systemctl", "is-active", "lab.target", check=False).returncode == 0)

    def _first_process(self):
        tasks = Path(f"/proc/{self._program.pid}/task/{self._program.pid}")
        try:
            for child in (tasks / "children").read_text(encoding="ascii").split():
                if Path(f"/proc/{child}/comm").read_text(encoding="ascii") == "systemd\n":
                    return child
        except OSError:
            pass
        return None

    def run(self, *argv, check=True, timeout_s=30):
        """A command inside."""
        if self._leader is None:
            raise LabError("the system is not up")
        return run(["nsenter", "--target", self._leader, "--mount", "--uts", "--ipc", "--net",
                    "--pid", "--wd=/", *argv], check=check, timeout_s=timeout_s)

    def state(self, unit):
        return self.run("systemctl", "is-active", unit, check=False).stdout.strip()

    def restarts(self, unit):
        return int(self.run("systemctl", "show", "--property=NRestarts", "--value", unit).stdout)

    def journal(self, unit):
        return self.run("journalctl", "--no-pager", "--boot", f"--unit={unit}").stdout

    def wait_for(self, unit, state, timeout_s=30):
        return wait_until(lambda: self.state(unit) == state, timeout_s, interval_s=0.2)


def hierarchy():
    """The guest has to use the control groups that the host has."""
    return "1" if Path("/sys/fs/cgroup/cgroup.controllers").exists() else "0"
