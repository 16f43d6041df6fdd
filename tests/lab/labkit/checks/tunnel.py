# SPDX-License-Identifier: GPL-2.0-or-later
"""A tunnel, shown: to a branch office with strongSwan's own ESP. Each check needs lab.branch
(labkit/vpn_sites.py); the tests try much more."""

from .. import addresses as plan
from ..commands import run, wait_until
from ..topology import inside
from ..vpn_sites import BRANCH_HOST, SITE
from . import CheckList, all_of, equal

CHECKS = CheckList()


def _ping(namespace, source, target, count=3):
    """Lines of answers."""
    result = run(inside(namespace, ["ping", "-n", "-c", count, "-i", "0.1", "-W", "2", "-I", source,
                                    target]), check=False, timeout_s=30)
    return result.stdout.count("bytes from")


@CHECKS("the gateway begins the tunnel that its configuration names, by itself")
def begins(lab):
    lab.branch.comes_up()
    return equal("up", lab.branch.state())


@CHECKS("hosts of both offices reach each other through it")
def both_ways(lab):
    return all_of(equal(3, _ping(plan.LAN, plan.CLIENT, BRANCH_HOST)),
                  equal(3, _ping(plan.FAR, BRANCH_HOST, plan.CLIENT)))


@CHECKS("new keys cost no packet")
def new_keys(lab):
    before = lab.branch.spis()
    stream = lab.start(plan.LAN, ["ping", "-n", "-i", "0.02", "-c", "75", "-W", "2", "-I",
                                  plan.CLIENT, BRANCH_HOST], "ping-demo-rekey")
    lab.branch.act("rekey")
    changed = wait_until(lambda: lab.branch.spis() and not lab.branch.spis() & before, 10, 0.2)
    stream.wait(20)
    answers = stream.log().count("bytes from")
    stream.stop()
    return all_of(equal("other keys", "other keys" if changed else "the same keys"),
                  equal("75 of 75 answered", f"{answers} of 75 answered"))


@CHECKS("a branch that offers only old ciphers is refused, and the gateway says what to set there")
def explains(lab):
    try:
        lab.branch.act("down")
        lab.branch.branch.load(esp="aes128-sha1-x25519")
        came_up = lab.branch.branch.initiate(5)
        wanted = ("offers: aes128-sha1", "change the peer", "esp { proposal", "swanctl: ")
        wait_until(lambda: all(text in why(lab) for text in wanted), 5, 0.2)
        lab.branch.explained = why(lab)
        said = [text for text in wanted if text in lab.branch.explained]
    finally:
        lab.branch.branch.load()
        lab.branch.act("up")
    return all_of(equal(False, came_up), equal(list(wanted), said),
                  equal("up again", "up again" if lab.branch.comes_up() else lab.branch.state()))


def why(lab):
    return lab.gateway.command("show", "vpn", SITE, "why", check=False).stdout
