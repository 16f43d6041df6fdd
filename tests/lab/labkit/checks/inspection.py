# SPDX-License-Identifier: GPL-2.0-or-later
"""Intrusion prevention: real attacks by real clients are stopped and told, clean ones are not."""

from .. import addresses as plan
from ..commands import wait_until
from . import CheckList, Outcome, all_of, contains, equal

CHECKS = CheckList()
EVENT_PATIENCE_S = 3


def _events(lab, kind, sid=None):
    return [event for event in lab.gateway.events() if event["event_type"] == kind
            and (sid is None or event.get("alert", {}).get("signature_id") == sid)]


def _alert(lab, sid, action, known):
    """One more alert of the rule than `known`, with what was done."""
    wait_until(lambda: len(_events(lab, "alert", sid)) > known, EVENT_PATIENCE_S)
    seen = _events(lab, "alert", sid)
    told = seen[-1]["alert"]["action"] if len(seen) > known else "no alert"
    return equal(f"rule {sid} {action}", f"rule {sid} {told}")


def _stopped(lab, sid, attempt, wanted=("silence", "reset")):
    """`attempt` gets nowhere and the event log says that a rule blocked it."""
    known = len(_events(lab, "alert", sid))
    seen = attempt()
    ends = {"silence": "silence", "Connection reset by peer": "reset", "Empty reply": "reset",
            "closed": "reset"}
    short = next((word for text, word in ends.items() if text in seen), seen)
    return all_of(Outcome(short in wanted, wanted[0], short), _alert(lab, sid, "blocked", known))


@CHECKS("a path traversal from WAN does not reach the published server")
def path_traversal(lab):
    blocked = _stopped(lab, 1000001, lambda: lab.http(
        plan.WAN, f"http://{plan.PUBLIC}/../../etc/passwd", "--path-as-is", timeout_s=2))
    arrived = "/../" in lab.services.web_log(plan.DMZ)
    return all_of(blocked, equal("the server saw nothing",
                                 "the server saw it" if arrived else "the server saw nothing"))


@CHECKS("a clean request beside it is answered")
def clean_request(lab):
    return equal("published", lab.http(plan.WAN, f"http://{plan.PUBLIC}/name"))


@CHECKS("the same attack, one byte per segment")
def dribbled(lab):
    request = "GET /a/../../etc/passwd HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n"
    return _stopped(lab, 1000001, lambda: lab.talk(
        plan.WAN, "dribble", plan.PUBLIC, "80", request, timeout_s=2))


@CHECKS("an exception lets the own scanner through, and nobody else")
def exception(lab):
    return contains("400", lab.http(plan.WAN, f"http://{plan.PUBLIC}/../../etc/passwd",
                                    "--path-as-is", "--interface", plan.INTERNET_SECOND, "-o",
                                    "/dev/null", "-w", "%{http_code}", timeout_s=2))


@CHECKS("SQL in a form is blocked, another form passes")
def sql_injection(lab):
    url = f"http://{plan.PUBLIC}/name"
    return all_of(
        _stopped(lab, 1000002, lambda: lab.http(
            plan.WAN, url, "--data", "id=1 UNION  ALL SELECT password", timeout_s=2)),
        equal("published", lab.http(plan.WAN, url, "--data", "id=1&union=workers")))


@CHECKS("a rule that rejects resets the client at once")
def rejected(lab):
    return _stopped(lab, 1000003, lambda: lab.http(
        plan.LAN, f"http://{plan.INTERNET}/who", "--user-agent", "EvilScanner/1.0"),
        wanted=("reset",))


@CHECKS("a forbidden name in a TLS handshake is stopped, another is not")
def tls_name(lab):
    def browse(name):
        return lab.http(plan.LAN, f"https://{name}/who", "--resolve", f"{name}:443:{plan.INTERNET}",
                        timeout_s=2)
    return all_of(_stopped(lab, 1000004, lambda: browse("www.forbidden.example")),
                  equal(plan.PUBLIC, browse("www.allowed.example")))


@CHECKS("a forbidden name is not resolved, another is")
def dns_name(lab):
    return all_of(
        _stopped(lab, 1000005, lambda: lab.ask_name(
            plan.LAN, plan.INTERNET, name="www.forbidden.example")),
        equal(plan.INTERNET, lab.ask_name(plan.LAN, plan.INTERNET)))


@CHECKS("a bad file does not arrive whole")
def bad_file(lab):
    known = len(_events(lab, "alert", 1000007))
    seen = lab.http(plan.LAN, f"http://{plan.INTERNET}/malicious.txt", timeout_s=2)
    return all_of(equal("not delivered", "delivered" if "LAB-MALICIOUS" in seen else "not delivered"),
                  _alert(lab, 1000007, "blocked", known))


@CHECKS("a rule that only alerts lets pass")
def alert_only(lab):
    known = len(_events(lab, "alert", 1000008))
    seen = lab.http(plan.WAN, f"http://{plan.PUBLIC}/admin/", "-o", "/dev/null", "-w",
                    "%{http_code}")
    return all_of(equal("404", seen), _alert(lab, 1000008, "allowed", known))


@CHECKS("a large inspected download is what the server sent")
def large_download(lab):
    expected = lab.services.large_sum[:16]
    seen = lab.download_sum(plan.LAN, f"http://{plan.INTERNET}/large.bin")
    return equal(f"sum {expected}", f"sum {seen[:16]}" if len(seen) == 64 else seen)


@CHECKS("the event log tells requests, names and handshakes in EVE's fields")
def event_log(lab):
    wait_until(lambda: _events(lab, "tls"), EVENT_PATIENCE_S)
    http = [event["http"].get("hostname") for event in _events(lab, "http")]
    names = [event["tls"].get("sni") for event in _events(lab, "tls")]
    alerts = _events(lab, "alert", 1000001)
    inside = {event["dest_ip"] for event in alerts}
    return all_of(equal(True, plan.PUBLIC in http),
                  equal(True, "www.allowed.example" in names),
                  equal(f"{{'{plan.SERVER}'}}", str(inside)),
                  equal(True, all(event["community_id"].startswith("1:") for event in alerts)))
