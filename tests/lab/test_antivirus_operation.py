# SPDX-License-Identifier: GPL-2.0-or-later
"""What operators of antivirus have: notices and reports by mail, the quarantine, scan jobs, updates
of signatures. With real mail servers and freshclam."""

import time

import pytest
from labkit import addresses as plan
from labkit import virus_samples as samples
from labkit.antivirus import SIGNATURES
from labkit.antivirus_operation import TLS_PORT, MadeUpScanner, Operation, body_of, subject_of
from labkit.commands import RUN_DIRECTORY, wait_until

HOST = f"smart-host {plan.SCANNED}:25; from av@example.net;"


@pytest.fixture(name="operation", scope="module")
def operation_fixture(raised_lab, av):
    with Operation(raised_lab, av) as operation:
        yield operation


def refuse_a_mail(av):
    assert "554 5.7.1" in av.send_mail(samples.mail(samples.EICAR))


# Notices.

@pytest.mark.parametrize("zone, person, words", [
    ("wan", "reader@example.net", "A mail to you was refused"),
    ("lan", "sender@example.org", "A mail of yours was refused")], ids=["in", "out"])
def test_notices_of_mail(av, operation, zone, person, words):
    """Mail into the zones inside is told to its recipients, other mail to its sender."""
    operation.configure(f"{HOST} administrator admin@example.net; inside-zone {zone};")
    mails, told = len(av.mailbox()), len(operation.delivered_to())
    refuse_a_mail(av)
    notices = operation.new_mails(mails, 2)
    assert sorted(operation.delivered_to()[told:]) == sorted([person, "admin@example.net"])
    bodies = [body_of(notice) for notice in notices]
    assert sum(words in body for body in bodies) == 1
    assert all("Eicar" in body and "sender@example.org" in body for body in bodies)
    assert all(samples.EICAR not in notice for notice in notices)


def test_a_flood_is_not_told_mail_by_mail(av, operation):
    operation.configure(f"{HOST} administrator admin@example.net; per-hour 1;")
    before = operation.show()["notices"]["suppressed"]
    for _ in range(3):
        refuse_a_mail(av)
    assert wait_until(lambda: operation.show()["notices"]["suppressed"] >= before + 2, timeout_s=10)


def test_encryption_on_the_way_to_the_smart_host(av, operation):
    authority = operation.start_smart_host()
    host = f"smart-host {plan.SCANNED}:{TLS_PORT}; from av@example.net;" \
           "administrator admin@example.net;"
    operation.configure(f"{host} tls none;")
    refuse_a_mail(av)
    assert wait_until(lambda: " <= <> " in operation.smart_host_log(), timeout_s=10)
    assert " X=TLS" not in operation.smart_host_log()
    operation.configure(f"{host} tls required; authorities {authority};")
    refuse_a_mail(av)
    assert wait_until(lambda: " X=TLS" in operation.smart_host_log(), timeout_s=10), operation.show()
    taken = operation.smart_host_log().count(" <= <> ")
    # Its authority is none that this machine knows.
    operation.configure(f"{host} tls required;")
    refuse_a_mail(av)
    assert wait_until(lambda: operation.show()["notice_problem"], timeout_s=10)
    assert operation.smart_host_log().count(" <= <> ") == taken
    # The mail that waits goes when its way is open again.
    operation.configure(f"{host} tls opportunistic;")


# Quarantine.

def test_out_of_quarantine_as_it_was(lab, av, operation):
    operation.configure()
    known = {kept["reference"] for kept in operation.show("quarantine")["objects"]}
    av.fetch(av.url("eicar.zip"))

    def kept():
        return [each for each in operation.show("quarantine")["objects"]
                if each["reference"] not in known]
    assert wait_until(kept, timeout_s=10)
    reference = str(kept()[0]["reference"])
    file = av.directory / "released"
    lab.gateway.command("request", "av", "release", reference, "to", file)
    assert file.read_bytes() == av.files["eicar.zip"]
    sealed = RUN_DIRECTORY / "quarantine" / f"{reference}.sealed"
    assert av.files["eicar.zip"] not in sealed.read_bytes()
    assert lab.gateway.command("request", "av", "release", reference, "to", file,
                               check=False).returncode != 0, "nothing is overwritten"
    lab.gateway.command("request", "av", "delete", reference)
    assert not kept() and not sealed.exists()


def test_the_quarantine_is_bounded(av, operation):
    operation.configure(quarantine="size 1M;")
    for _ in range(3):
        av.fetch(av.url("marked.txt"))
    assert wait_until(lambda: operation.show("quarantine")["total"] >= 1, timeout_s=10)
    assert operation.show()["quarantine"]["bytes"] <= 1 << 20
    assert operation.show()["quarantine"]["maximum_bytes"] == 1 << 20


def test_counters_begin_again(lab, av, operation):
    operation.configure()
    av.fetch(av.url("clean.com"))
    assert operation.show()["counters"]["objects"] > 0
    lab.gateway.command("clear", "counters")
    shown = operation.show()
    assert (shown["counters"]["objects"], shown["refused"]) == (0, {})
    av.fetch(av.url("clean.com"))
    assert operation.show()["counters"]["objects"] > 0


# Scan jobs.

@pytest.fixture(name="share")
def share_fixture(av):
    folder = av.directory / f"share-{time.monotonic_ns()}"
    (folder / "deep" / "er").mkdir(parents=True)
    for number in range(20):
        (folder / "deep" / f"clean-{number}").write_bytes(samples.CLEAN + bytes([number]))
    (folder / "deep" / "er" / "eicar.com").write_bytes(samples.EICAR)
    (folder / "locked").symlink_to("/nowhere")
    made = time.time()
    # What has just changed is not remembered.
    assert wait_until(lambda: time.time() > made + 2.1, timeout_s=5)
    return folder


def job_on(folder, more=""):
    return f"scan-job nightly {{ path {folder}; report-to admin@example.net; {more} }}"


def test_a_scan_job_scans_what_changed(lab, av, operation, share):
    operation.configure(HOST, job_on(share))
    assert operation.job("nightly")["next"] > time.time()
    mails = len(av.mailbox())
    last = operation.run_job("nightly")
    assert (last["result"], last["counts"]["files"], last["counts"]["infected"]) == ("found", 21, 1)
    report = operation.new_mails(mails, 1)[0]
    assert subject_of(report) == "Antivirus scan nightly: 1 found"
    body = body_of(report)
    assert f"{share}/deep/er/eicar.com" in body and "Eicar" in body and "21 files" in body
    assert operation.delivered_to()[-1] == "admin@example.net"
    assert any(event["event_type"] == "alert" and event["alert"]["signature_id"] == 1900101
               for event in lab.gateway.events())
    # Only what changed, and what is infected.
    (share / "deep" / "clean-7").write_bytes(b"changed")
    (share / "new").write_bytes(b"new")
    counts = operation.run_job("nightly")["counts"]
    assert (counts["files"], counts["unchanged"], counts["infected"]) == (3, 19, 1)
    # With other signatures everything, and what is found by them.
    (share / "later").write_bytes(samples.LATER_MARK)
    later = SIGNATURES / "later-job.ndb"
    later.write_text(samples.signature("Lab.Later", samples.LATER_MARK), encoding="ascii")
    try:
        counts = operation.run_job("nightly")["counts"]
        assert (counts["files"], counts["unchanged"], counts["infected"]) == (23, 0, 2)
    finally:
        later.unlink()
        av.scanner.look_again()


def test_a_scan_job_moves_into_quarantine(lab, av, operation, share):
    operation.configure(HOST, job_on(share, "quarantine;"))
    mails = len(av.mailbox())
    file = share / "deep" / "er" / "eicar.com"
    assert operation.run_job("nightly")["counts"]["infected"] == 1
    assert not file.exists() and len(list((share / "deep").iterdir())) == 21
    assert "in quarantine" in body_of(operation.new_mails(mails, 1)[0])
    kept = next(each for each in operation.show("quarantine")["objects"]
                if each["name"] == str(file))
    lab.gateway.command("request", "av", "release", str(kept["reference"]), "to", file)
    assert file.read_bytes() == samples.EICAR
    lab.gateway.command("request", "av", "delete", str(kept["reference"]))


def test_a_scan_job_is_stopped(lab, av, operation, share):
    (share / "slow.html").write_bytes(samples.slow_page())
    operation.configure("", job_on(share))
    lab.gateway.command("request", "av", "scan-job", "nightly", "start")
    again = lab.gateway.command("request", "av", "scan-job", "nightly", "start", check=False)
    assert again.returncode != 0 and "already" in again.stderr
    lab.gateway.command("request", "av", "scan-job", "nightly", "stop")
    assert wait_until(lambda: operation.job("nightly")["state"] == "idle", timeout_s=40)
    assert operation.job("nightly")["last"]["result"] == "stopped"
    assert "stopped" in lab.gateway.command("show", "av", "scan-jobs").stdout


# Signatures.

def test_freshclam_updates_and_does_no_harm(av, operation):
    """What it fetches comes into use; what is broken is refused and the engine stays."""
    fresh = SIGNATURES / "fresh.ndb"
    whole = samples.signature("Lab.Fresh", samples.LATER_MARK)
    operation.configure()
    # Signatures of a test before are taken out by a reload of their own.
    assert wait_until(lambda: av.fetch(av.url("later.txt")) == (200, samples.LATER_MARK),
                      timeout_s=40, interval_s=0.5), av.scanner.log()[-1000:]
    def version():
        return operation.show()["scanner"]["version"]
    before = version()
    try:
        said = operation.freshclam(whole)
        assert fresh.exists(), said
        assert wait_until(lambda: av.fetch(av.url("later.txt"))[0] != 200, timeout_s=40,
                          interval_s=0.5), av.scanner.log()[-1000:]
        # Scanners know of it before it is shown.
        assert wait_until(lambda: version() != before, timeout_s=20, interval_s=0.1)
        loaded = version()
        # Cut in the middle of a signature.
        operation.freshclam(whole[:-5] + "z\n", later_s=3600)
        assert wait_until(lambda: "fresh.ndb" in operation.show()["scanner"]["refusal"],
                          timeout_s=40, interval_s=0.5), av.scanner.log()[-1000:]
        assert version() == loaded
        assert av.fetch(av.url("later.txt"))[0] != 200
        assert av.fetch(av.url("clean.zip"))[0] == 200
    finally:
        fresh.unlink(missing_ok=True)
        av.scanner.look_again()


def test_old_signatures_raise_an_alert(lab, av, operation):
    """Only databases that their makers have signed have a date, so the scanner is made up."""
    operation.configure()
    av.scanner.stop()
    try:
        with MadeUpScanner(lab.gateway.scanner_socket) as scanner:
            def shows(days, words):
                scanner.says_built(days)
                return words in lab.gateway.command("show", "av").stdout

            def alerts():
                return [event["alert"]["signature"] for event in lab.gateway.events()
                        if event.get("alert", {}).get("signature_id") == 1900100]
            before = len(alerts())
            assert wait_until(lambda: shows(5, "(5 days: too old)"), timeout_s=20)
            assert wait_until(lambda: shows(5, "5 days") and len(alerts()) > before, timeout_s=20)
            assert alerts()[before:] == ["Antivirus signatures are 5 days old"]
            assert "signatures are 5 days old" in lab.gateway.program.log()
            # With fresh ones nothing more is said.
            assert wait_until(lambda: shows(0, "(0 days)"), timeout_s=20)
            assert "too old" not in lab.gateway.command("show", "av").stdout
            assert len(alerts()) == before + 1
    finally:
        av.scanner.start()
        assert wait_until(lambda: av.fetch(av.url("clean.com"))[0] == 200, timeout_s=40,
                          interval_s=0.5), av.scanner.log()[-1000:]
