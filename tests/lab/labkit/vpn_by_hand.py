# SPDX-License-Identifier: GPL-2.0-or-later
"""As vpn_sites.py, but with both charons configured by hand: the head's too can be told what the
gateway's configuration would not, and either side begins when a test says so."""

from pathlib import Path

from . import addresses as plan
from . import vpn_sites
from .topology import configure
from .vpn_sites import BRANCH_HOST, BRANCH_NETWORK, SITE, WrittenCharon


def tunnel_id(name):
    """As the configuration makes it of a site's name: FNV-1a in 31 bits."""
    number = 2166136261
    for letter in name.encode():
        number = (number ^ letter) * 16777619 & 0xffffffff
    number = (number ^ number >> 31) & 0x7fffffff
    return number or 1


class Branch(vpn_sites.Branch):
    """Raises both charons on a running lab; a context manager. The gateway gets a site, whose own
    charon is not there."""

    def __init__(self, lab):
        super().__init__(lab)
        number = tunnel_id(SITE)
        self.head = WrittenCharon(lab, "head", plan.GATEWAY, "kernel-masugata!", {
            "local": plan.PUBLIC, "remote": plan.FAR_HOST, "local_network": plan.LAN_NET,
            "remote_network": BRANCH_NETWORK,
            "tunnel": f"if_id_in = {number}\n    if_id_out = {number}"},
            Path(lab.directory) / "sa.sock")

    def __enter__(self):
        gateway = self.lab.gateway
        self.before = gateway.configuration.read_text(encoding="utf-8")
        self.write_configuration()
        gateway.reload()
        configure(plan.FAR, f"address add {BRANCH_HOST}/32 dev lo")
        for charon in (self.head, self.branch):
            charon.prepare()
            charon.start()
        self.load()
        return self

    def load(self, **changes):
        self.head.load(**changes)
        self.branch.load(**changes)

    def initiate(self, side=None, timeout_s=10):
        """Whether the tunnel came up."""
        return (side or self.branch).initiate(timeout_s)
