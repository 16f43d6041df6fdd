# SPDX-License-Identifier: GPL-2.0-or-later
"""Much data and many connections."""

from .. import addresses as plan
from . import CheckList, all_of, equal

CHECKS = CheckList()
PARALLEL = 400
# A burst of so many senders overflows the receive ring of a port, the more so when the machine has
# other work. A segment that is lost again and again is repeated after 0.2, 0.4, ... 25.6 seconds: a
# client that waits for the eighth repetition is as patient as any program.
PATIENCE_S = 80


def _large(lab, namespace, url):
    expected = lab.services.large_sum[:16]
    seen = lab.download_sum(namespace, url)
    return equal(f"sum {expected}", f"sum {seen[:16]}" if len(seen) == 64 else seen)


@CHECKS("a 32 MB download is byte for byte the same")
def large_download(lab):
    return _large(lab, plan.LAN, f"http://{plan.INTERNET}/large.bin")


@CHECKS("a 32 MB download from the published server is byte for byte the same")
def large_published_download(lab):
    return _large(lab, plan.WAN, f"https://{plan.PUBLIC}/large.bin")


@CHECKS("a 32 MB IPv6 download is byte for byte the same")
def large_download_v6(lab):
    return _large(lab, plan.LAN, f"http://[{plan.INTERNET_V6}]/large.bin")


@CHECKS(f"{PARALLEL} connections at the same time, outwards and to the published server")
def parallel(lab):
    return all_of(*(equal(f"{PARALLEL} of {PARALLEL}", lab.talk(
        namespace, "fetch", host, 80, "/small.bin", PARALLEL, lab.services.small_sum,
        timeout_s=PATIENCE_S))
        for namespace, host in ((plan.LAN, plan.INTERNET), (plan.WAN, plan.PUBLIC))))
