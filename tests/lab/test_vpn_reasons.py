# SPDX-License-Identifier: GPL-2.0-or-later
"""`show vpn SITE why` word by word, for peers that do not fit: vpn_reasons.txt has what must be said.
MASUGATA_WRITE_GOLDEN=1 writes that file anew, to be read before it is committed."""

import contextlib
import dataclasses
import os
import re
import shutil
from pathlib import Path

import pytest

from labkit import addresses as plan
from labkit.commands import run, wait_until
from labkit.topology import inside
from labkit.vpn_edge import EDGE, PEER, PEER_HOST, PEER_PRIVATE, UPLINK
from labkit.vpn_head import authority
from labkit.charon_pair import NEEDED, PLUGINS
from labkit.charon_pair import pki as strongswan_pki
from labkit.vpn_peers import HEAD_IDENTITY, PEER_IDENTITY, SITE, Agreement, changed

pytestmark = NEEDED
OCSP_PORT, OCSP_SERIAL = "2560", "77"
GOLDEN = Path(__file__).with_name("vpn_reasons.txt")
# What the peer's own ESP can.
PLAIN = Agreement(esn=False)
TRANSLATED = Agreement(esn=False, translated=True)
HOST_BEHIND_NAT = dataclasses.replace(TRANSLATED, transport=True)


@dataclasses.dataclass(frozen=True)
class Case:
    """What is otherwise, in our configuration and in the peer's swanctl.conf."""

    here: tuple = ()
    there: tuple = ()
    begun_by: str = "peer"
    rekeyed_by: str = ""  # comes up before
    comes_up: bool = False
    agreement: Agreement = PLAIN
    name: str = PEER_IDENTITY  # in the peer's certificate
    revoked: bool = False
    listed: bool = True  # there is a list of what is revoked
    below: bool = False  # the peer's is issued by a CA of a CA, which ours may not have
    machine: str = "libipsec"
    lost: str = ""  # what does not arrive; when the tunnel comes up before, from then on
    switched_off: bool = False
    without_secrets: bool = False  # charon has lost them
    timeout_s: int = 8


def certified(kind):
    return dataclasses.replace(PLAIN, authentication=kind)


BY_ADDRESS = (("peer any; role respond;", f"peer {EDGE}; start by-hand;"),
              (f"remote-identity {PEER_IDENTITY};", ""))
AS_IT_SEES_ITSELF = ((f"id = {PEER_IDENTITY}", f"id = {PEER_PRIVATE}"),
                     (f"id-a = {PEER_IDENTITY}", f"id-a = {PEER_PRIVATE}"))
VERSION_1 = (("version = 2", "version = 1"),)
OLD = dataclasses.replace(PLAIN, ike="aes256-sha256-ecp384")  # without a combined cipher
OLD_VERSION_HERE = (("ike {", "ike { version 1;"),)
SMALLER = (("local_ts = 10.9.0.0/24", "local_ts = 10.9.0.0/25"),)
OTHER_GROUP = (("-x25519-noesn", "-modp3072-noesn"),)
NOT_FOR_US = ((f"{SITE} {{\n  version", "elsewhere {\n  version"),
              (f"remote_addrs = {plan.PUBLIC}", "remote_addrs = 192.0.2.99"))

OUR_IKE = f"ip saddr {plan.PUBLIC} udp sport {{ 500, 4500 }}"
# Of IKE in UDP port 500: exchange type 35.
SECOND_MESSAGES = f"ip saddr {plan.PUBLIC} udp dport 500 @th,208,8 35"
FROM_PEER = f"ip saddr {PEER}"

CASES = {
    "revoked": Case(agreement=certified("revoked"), revoked=True),
    "revoked, begun here": Case(agreement=certified("revoked"), revoked=True, begun_by="head"),
    "nothing known of revocation": Case(
        agreement=certified("unlisted"), listed=False,
        here=(("authentication {", "authentication { revocation strict;"),)),
    "name in the certificate": Case(agreement=certified("name"), name="kobe.example.com"),
    "name in the certificate, begun here": Case(agreement=certified("name"),
                                                name="kobe.example.com", begun_by="head"),
    "identity behind NAT": Case(agreement=TRANSLATED, here=BY_ADDRESS, there=AS_IT_SEES_ITSELF),
    "identity behind NAT, begun here": Case(agreement=TRANSLATED, here=BY_ADDRESS,
                                            there=AS_IT_SEES_ITSELF, begun_by="head"),
    "version 1 there": Case(there=VERSION_1),
    "version 1 there, begun here": Case(there=VERSION_1, begun_by="head"),
    "version 1 here": Case(here=OLD_VERSION_HERE, agreement=OLD),
    "version 1 here, begun here": Case(here=OLD_VERSION_HERE, agreement=OLD,
                                       begun_by="head"),
    "one side only, begun here": Case(there=NOT_FOR_US, begun_by="head"),
    "transport mode behind NAT": Case(agreement=HOST_BEHIND_NAT, here=BY_ADDRESS[:1]),
    "transport mode behind NAT, begun here": Case(agreement=HOST_BEHIND_NAT, here=BY_ADDRESS[:1],
                                                  begun_by="head"),
    "switched off": Case(here=(("zone branches;", "disable; zone branches;"),), switched_off=True),
    "name without an address, begun here": Case(here=((f"peer {PEER};", "peer osaka.invalid;"),),
                                                begun_by="head", timeout_s=30),
    "half open": Case(lost=OUR_IKE, timeout_s=60),
    "second message, begun here": Case(machine="linux", lost=SECOND_MESSAGES, begun_by="head",
                                       timeout_s=30),
    "peer gone": Case(here=(("ike {", "dead-peer { interval 1s; } ike {"),), comes_up=True,
                      lost=FROM_PEER, timeout_s=60),
    "own credentials, begun here": Case(without_secrets=True, begun_by="head"),
    "chain of certificates": Case(agreement=certified("below"), below=True),
    "not installed": Case(machine="linux", agreement=Agreement(transport=True),
                          there=(("mode = transport", "mode = tunnel"),)),
    "narrowed": Case(there=SMALLER, comes_up=True),
    "narrowed, begun here": Case(there=SMALLER, comes_up=True, begun_by="head"),
    "group of the first rekey": Case(there=OTHER_GROUP, rekeyed_by="peer"),
    "group of the first rekey, begun here": Case(there=OTHER_GROUP, rekeyed_by="head"),
}


def shown(lab):
    """Without what differs from run to run."""
    text = lab.gateway.command("show", "vpn", SITE, "why").stdout
    text = re.sub(r"^ *seen .*\n", "", text, flags=re.M)
    text = re.sub(r"\b[1-9]\d* packets (to|from)", r"N packets \1", text)
    return re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC", "TIME", text)


def golden():
    parts = re.split(r"^== (.+)\n", GOLDEN.read_text(encoding="utf-8"), flags=re.M)
    return dict(zip(parts[1::2], parts[2::2]))


def check_reason(lab, name, timeout_s=8):
    if os.environ.get("MASUGATA_WRITE_GOLDEN"):
        wait_until(lambda: "  set there" in shown(lab), timeout_s, 0.2)
        texts = {**(golden() if GOLDEN.exists() else {}), name: shown(lab)}
        GOLDEN.write_text("".join(f"== {each}\n{texts[each]}" for each in sorted(texts)),
                          encoding="utf-8")
    said = golden()[name]
    assert wait_until(lambda: said in shown(lab), timeout_s, 0.2), shown(lab)


def certify(head, case):
    """Certificates for both sides by a CA of the case's own."""
    kind = case.agreement.authentication
    if kind == "psk" or (head.store / "certificates" / f"osaka-{kind}.pem").exists():
        return
    pki = authority(head.store, f"own-{kind}")
    pki("issue", f"hq-{kind}", "--dns", HEAD_IDENTITY)
    pki("issue", f"osaka-{kind}", "--dns", case.name)
    if case.revoked:
        pki("revoke", f"osaka-{kind}")
    if case.below:
        issue_below(head.store, kind)
    if not case.listed:
        (head.store / "ca" / f"own-{kind}.crl.pem").unlink()


def issue_below(store, kind):
    """The peer's certificate, by an authority below ours. The peer shows both."""
    below, request = store / "below.pem", ("--type", "priv", "--outform", "pem", "--in")
    run(["openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", below])
    ours = ("--cacert", store / f"ca/own-{kind}.pem", "--cakey", store / f"ca-keys/own-{kind}.pem")
    (store / "below-ca.pem").write_text(
        strongswan_pki("--issue", *ours, *request, below, "--ca", "--dn", "CN=below"), encoding="utf-8")
    (store / f"certificates/osaka-{kind}.pem").write_text(strongswan_pki(
        "--issue", "--cacert", store / "below-ca.pem", "--cakey", below, *request,
        store / f"keys/osaka-{kind}.pem", "--dn", f"CN={PEER_IDENTITY}", "--san", PEER_IDENTITY),
        encoding="utf-8")


@contextlib.contextmanager
def lost(packets):
    """On the way between the two."""
    if not packets:
        yield
        return
    run(inside(plan.WAN, ["nft", f"add table ip lost; add chain ip lost on {{ type filter hook forward "
                                 f"priority 0; }}; add rule ip lost on {packets} drop"]))
    try:
        yield
    finally:
        run(inside(plan.WAN, ["nft", "delete table ip lost"]))


def forget_secrets(head):
    empty = Path(head.lab.directory) / "no-secrets"
    empty.mkdir(exist_ok=True)
    run(["env", f"SWANCTL_DIR={empty}", "swanctl", "--load-creds", "--clear", "--noprompt", "--uri",
         f"unix://{head.gateway.charon_socket}"])


@contextlib.contextmanager
def forwarding():
    """The provider's router sends what comes for IKE to the peer behind it."""
    rule = (f'add table ip forwarded; add chain ip forwarded in {{ type nat hook prerouting priority '
            f'dstnat; }}; add rule ip forwarded in iifname "{UPLINK}" udp dport {{ 500, 4500 }} '
            f"dnat to {PEER_PRIVATE}")
    run(inside(plan.EDGE, ["nft", rule]))
    try:
        yield
    finally:
        run(inside(plan.EDGE, ["nft", "delete table ip forwarded"]))


def show_authority_below(peer, store):
    shutil.copy(store / "below-ca.pem", peer.directory / "swanctl" / "x509ca" / "below.pem")
    peer.swanctl("--load-all", "--noprompt", "--clear")


def begin(offices, side):
    if side == "peer":
        offices.peer.initiate(timeout_s=3)
    else:
        offices.lab.gateway.command("request", "vpn", SITE, "up", check=False)


# charon itself waits for half a minute.
SLOW = {"half open"}


@pytest.mark.parametrize("name", [pytest.param(name, marks=[pytest.mark.full] * (name in SLOW))
                                  for name in CASES])
def test_reason(offices, lab, name):
    case = CASES[name]
    peer = offices.peer_of(case.machine)
    peer.terminate()
    certify(offices.head, case)
    offices.head.use()  # what was of the site before is forgotten
    peer.load(case.agreement, offices.head.store, case.there)
    if case.below:
        show_authority_below(peer, offices.head.store)
    if case.switched_off:
        offices.head.use(case.agreement.site())
    offices.head.use(changed(case.agreement.site(), case.here), load=not case.switched_off)
    if case.without_secrets:
        forget_secrets(offices.head)
    with contextlib.ExitStack() as stack:
        if case.agreement.translated:
            stack.enter_context(forwarding())
        if not case.comes_up:
            stack.enter_context(lost(case.lost))
        begin(offices, case.begun_by)
        if case.comes_up or case.rekeyed_by:
            assert offices.head.wait_for_tunnel(), offices.head.log()[-2000:]
        if case.rekeyed_by:
            getattr(offices, case.rekeyed_by).rekey()
        if case.comes_up:
            stack.enter_context(lost(case.lost))
        check_reason(lab, name, case.timeout_s)


@contextlib.contextmanager
def ocsp_server(lab, store, authority_name):
    """Of the authority; says that what has OCSP_SERIAL is revoked."""
    folder = Path(lab.directory) / "ocsp"
    folder.mkdir(exist_ok=True)
    (folder / "index").write_text(f"R\t491231235959Z\t261101000000Z\t{OCSP_SERIAL}\tunknown\t/CN=x\n")
    certificate = store / "ca" / f"{authority_name}.pem"
    server = lab.start(plan.WAN, [
        "openssl", "ocsp", "-index", folder / "index", "-port", OCSP_PORT, "-CA", certificate,
        "-rsigner", certificate, "-rkey", store / "ca-keys" / f"{authority_name}.pem"], "ocsp")
    try:
        server.wait_ready(lambda: "waiting for OCSP" in server.log())
        yield
    finally:
        server.stop()


@pytest.mark.skipif(not (PLUGINS / "libstrongswan-curl.so").exists(),
                    reason="libstrongswan-extra-plugins is not installed")
def test_what_an_ocsp_server_says(offices, lab):
    """Of the server that the certificate names; there is no list."""
    case = Case(agreement=certified("asked"), listed=False)
    peer = offices.peer_of("libipsec")
    peer.terminate()
    store = offices.head.store
    certify(offices.head, case)
    issued = strongswan_pki(
        "--issue", "--cacert", store / "ca/own-asked.pem", "--cakey", store / "ca-keys/own-asked.pem",
        "--type", "priv", "--in", store / "keys/osaka-asked.pem", "--dn", f"CN={PEER_IDENTITY}", "--san",
        PEER_IDENTITY, "--serial", OCSP_SERIAL, "--ocsp", f"http://{plan.INTERNET}:{OCSP_PORT}/",
        "--outform", "pem")
    (store / "certificates/osaka-asked.pem").write_text(issued, encoding="utf-8")
    offices.head.use()
    peer.load(case.agreement, store)
    offices.head.use(case.agreement.site())
    with ocsp_server(lab, store, "own-asked"):
        peer.initiate(timeout_s=3)
        check_reason(lab, "revoked, by OCSP")


# What is taken off its way, and where; who sends meanwhile.
ASYMMETRIC = {
    "nothing comes": (plan.PEER, ["route", "flush", "table", "220"], plan.LAN, plan.CLIENT, PEER_HOST),
    "nothing goes": (plan.GATEWAY, ["route", "add", f"{PEER_HOST}/32", "via", plan.WAN_HOST],
                     plan.PEER, PEER_HOST, plan.CLIENT),
}


@pytest.mark.parametrize("name", ["nothing comes", pytest.param("nothing goes",
                                                                marks=pytest.mark.full)])
def test_one_direction_only(offices, lab, name):
    """A route at one of the two ends leads past the tunnel. It takes half a minute until that is told."""
    namespace, words, sender, source, target = ASYMMETRIC[name]
    peer = offices.peer_of("libipsec")
    peer.terminate()
    offices.head.use()
    peer.load(PLAIN, offices.head.store)
    offices.head.use(PLAIN.site())
    assert peer.initiate(), peer.log()[-2000:]
    run(["ip", "-n", namespace, *words])
    pings = lab.start(sender, ["ping", "-n", "-q", "-i", "1", "-I", source, target], "one-way")
    try:
        check_reason(lab, name, timeout_s=45)
    finally:
        pings.stop()
        run(["ip", "-n", plan.GATEWAY, "route", "delete", f"{PEER_HOST}/32"], check=False)
        peer.terminate()  # with it go its routes, and come again


def test_every_text_has_its_case():
    assert set(golden()) == {*CASES, *ASYMMETRIC, "revoked, by OCSP"}
