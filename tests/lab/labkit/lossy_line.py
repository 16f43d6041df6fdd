# SPDX-License-Identifier: GPL-2.0-or-later
"""A web server behind a line with 1 % loss and 80 ms, and reordering if wanted: the kernel has no
netem, so the line is a relay between two TUN interfaces."""

import contextlib
import sys

from . import addresses as plan
from .commands import run
from .services import PROBES
from .topology import configure, inside

NAMESPACE, ADDRESS = "msg-lossy", "192.0.2.200"
DELAY_MS, LOSS_PERCENT = "40", "1"


@contextlib.contextmanager
def lossy_line(lab, seconds, ports=(80,), reorder_percent=0, loss_percent=LOSS_PERCENT):
    """The server listens on `ports` of ADDRESS; the line is there for `seconds` at most."""
    run(["ip", "netns", "delete", NAMESPACE], check=False)
    run(["ip", "netns", "add", NAMESPACE])
    programs = []
    try:
        relay = lab.start(plan.WAN, [
            sys.executable, PROBES / "relay.py", "lossy0", "lossy1", DELAY_MS, str(loss_percent),
            str(seconds), str(reorder_percent)], "relay")
        programs.append(relay)
        relay.wait_ready(lambda: "ready" in relay.log(), timeout_s=5)
        run(["ip", "-n", plan.WAN, "link", "set", "lossy1", "netns", NAMESPACE])
        configure(plan.WAN, f"link set lossy0 up\nroute add {ADDRESS}/32 dev lossy0")
        configure(NAMESPACE, f"link set lo up\nlink set lossy1 up\n"
                             f"address add {ADDRESS}/32 dev lossy1\nroute add default dev lossy1")
        for port in ports:
            server = lab.start(NAMESPACE, [
                sys.executable, "-m", "http.server", str(port), "--directory",
                lab.services.content], f"lossy-server-{port}")
            programs.append(server)
            server.wait_ready(
                lambda port=port: f":{port} " in run(inside(NAMESPACE, ["ss", "-Htln"])).stdout)
        yield
    finally:
        for program in reversed(programs):
            program.stop()
        run(["ip", "netns", "delete", NAMESPACE], check=False)
