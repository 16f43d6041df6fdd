# SPDX-License-Identifier: GPL-2.0-or-later
"""A hundred branch offices, each a tunnel of its own, at one peer that is not ours."""

import time

import pytest

from labkit import addresses as plan
from labkit import vpn_edge as edge
from labkit.commands import run, wait_until
from labkit.topology import inside
from labkit.charon_pair import NEEDED
from labkit.vpn_peers import SECRET

pytestmark = NEEDED
COUNT = 100

SITE = """
    site branch-{n} {{
        zone branches; peer 198.18.0.{n}; local-address {head}; role respond;
        authentication {{ psk "{secret} {n}"; }}
        local-networks {lan}; remote-networks 10.100.{n}.0/24;
    }}
"""
PEER_CONNECTION = """
  branch-{n} {{
    version = 2
    local_addrs = 198.18.0.{n}
    remote_addrs = {head}
    proposals = aes128gcm16-prfsha256-x25519
    mobike = no
    local {{ auth = psk }}
    remote {{ auth = psk }}
    children {{ branch-{n} {{
      local_ts = 10.100.{n}.0/24
      remote_ts = {lan}
      esp_proposals = aes128gcm16-x25519-esn
      start_action = start
    }} }}
  }}
"""
PEER_SECRET = """
  ike-{n} {{
    id-a = 198.18.0.{n}
    id-b = {head}
    secret = "{secret} {n}"
  }}
"""
# Prints who does not answer.
PING_EACH = f"""
for n in $(seq {COUNT}); do
    ping -n -q -c 3 -i 0.2 -w 2 -I {plan.CLIENT} 10.100.$n.1 >/dev/null || echo $n &
done
wait"""


def each(text):
    return "".join(text.format(n=n, head=plan.PUBLIC, lan=plan.LAN_NET, secret=SECRET)
                   for n in range(1, COUNT + 1))


@pytest.fixture
def hundred(offices):
    peer = offices.peer_of("linux")
    addresses = peer.directory / "addresses"
    addresses.write_text("".join(f"address add {address} dev lo\n" for n in range(1, COUNT + 1)
                                 for address in (f"198.18.0.{n}/32", f"10.100.{n}.1/32")),
                         encoding="utf-8")
    peer.machine.run(["ip", "-batch", addresses])
    edge.Edge.route_many_peers()
    (peer.directory / "swanctl" / "swanctl.conf").write_text(
        f"connections {{{each(PEER_CONNECTION)}}}\nsecrets {{{each(PEER_SECRET)}}}\n",
        encoding="utf-8")
    offices.head.use(each(SITE))
    return peer


def test_a_hundred_tunnels(offices, hundred, lab):
    begun = time.monotonic()
    hundred.swanctl("--load-all", "--noprompt", timeout_s=60)
    def up():
        return len(offices.head.spis()) >= COUNT
    assert wait_until(up, 60, 0.5), (len(offices.head.spis()), offices.head.log()[-2000:])
    took_s = time.monotonic() - begun
    print(f"\n{COUNT} tunnels up after {took_s:.1f} s")
    result = run(inside(plan.LAN, ["sh", "-c", PING_EACH]), timeout_s=60)
    assert result.stdout == ""
