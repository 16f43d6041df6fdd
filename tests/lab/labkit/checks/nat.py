# SPDX-License-Identifier: GPL-2.0-or-later
"""Address translation: browsing outwards, the published server, hairpin, names, files."""

from .. import addresses as plan
from . import CheckList, all_of, contains, equal

CHECKS = CheckList()


@CHECKS("LAN browses WAN through SNAT")
def lan_browses_wan(lab):
    seen = lab.http(plan.LAN, f"http://{plan.INTERNET}/who")
    return equal(f"server sees {plan.PUBLIC}", f"server sees {seen}")


@CHECKS("LAN browses WAN over TLS")
def lan_browses_wan_tls(lab):
    seen = lab.http(plan.LAN, f"https://{plan.INTERNET_SECOND}/who")
    return equal(f"server sees {plan.PUBLIC}", f"server sees {seen}")


@CHECKS("both LAN clients share the public address")
def second_client(lab):
    seen = lab.http(plan.LAN, f"http://{plan.INTERNET}/who", "--interface", plan.CLIENT_SECOND)
    return equal(f"server sees {plan.PUBLIC}", f"server sees {seen}")


@CHECKS("WAN reaches the DMZ web server by port forward")
def port_forward(lab):
    return all_of(equal("published", lab.http(plan.WAN, f"http://{plan.PUBLIC}/name")),
                  equal("published", lab.http(plan.WAN, f"https://{plan.PUBLIC}/name")))


@CHECKS("the DMZ web server sees the real client")
def forwarded_source(lab):
    seen = lab.http(plan.WAN, f"http://{plan.PUBLIC}/who", "--interface", plan.INTERNET_SECOND)
    return equal(f"server sees {plan.INTERNET_SECOND}", f"server sees {seen}")


@CHECKS("hairpin: LAN reaches the DMZ server by its public address")
def hairpin(lab):
    return all_of(equal("published", lab.http(plan.LAN, f"http://{plan.PUBLIC}/name")),
                  equal("published", lab.http(plan.LAN, f"https://{plan.PUBLIC}/name")))


@CHECKS("LAN reaches the DMZ server by its own address, untranslated")
def lan_to_dmz(lab):
    seen = lab.http(plan.LAN, f"http://{plan.SERVER}/who")
    return equal(f"server sees {plan.CLIENT}", f"server sees {seen}")


@CHECKS("DMZ browses WAN through SNAT")
def dmz_browses_wan(lab):
    seen = lab.http(plan.DMZ, f"http://{plan.INTERNET}/who")
    return equal(f"server sees {plan.PUBLIC}", f"server sees {seen}")


@CHECKS("LAN pings WAN")
def lan_pings_wan(lab):
    return contains("2 received", lab.ping(plan.LAN, plan.INTERNET))


@CHECKS("names: LAN asks a server in WAN, over UDP and TCP")
def names(lab):
    over_tcp = lab.execute(plan.LAN, ["dig", "+short", "+tcp", "+time=2", "+tries=1",
                                      f"@{plan.INTERNET}", plan.NAME]).stdout.strip()
    return all_of(equal(plan.INTERNET, lab.ask_name(plan.LAN, plan.INTERNET)),
                  equal(plan.INTERNET, over_tcp))


@CHECKS("names: DMZ asks a server in WAN")
def names_from_dmz(lab):
    return equal(plan.INTERNET, lab.ask_name(plan.DMZ, plan.INTERNET))


@CHECKS("names: LAN asks the gateway, which asks WAN")
def names_through_gateway(lab):
    return equal(plan.INTERNET, lab.ask_name(plan.LAN, plan.LAN_GATEWAY))


def _transfer(lab, host, *options):
    expected = lab.services.small_sum[:16]
    seen = lab.download_sum(plan.LAN, f"ftp://{host}/small.bin", "--user", "anonymous:lab",
                            *options)
    return equal(f"sum {expected}", f"sum {seen[:16]}" if len(seen) == 64 else seen)


@CHECKS("FTP from WAN, passive (EPSV and PASV)")
def ftp_passive(lab):
    return all_of(_transfer(lab, plan.INTERNET),
                  _transfer(lab, plan.INTERNET, "--disable-epsv"))


@CHECKS("FTP from WAN, active (EPRT and PORT) through the helper")
def ftp_active(lab):
    return all_of(_transfer(lab, plan.INTERNET, "--ftp-port", "-"),
                  _transfer(lab, plan.INTERNET, "--ftp-port", "-", "--disable-eprt"))


@CHECKS("FTP from DMZ, passive and active: data only by the helper")
def ftp_dmz(lab):
    return all_of(_transfer(lab, plan.SERVER),
                  _transfer(lab, plan.SERVER, "--disable-epsv"),
                  _transfer(lab, plan.SERVER, "--ftp-port", "-", "--disable-eprt"))
