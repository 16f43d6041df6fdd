# SPDX-License-Identifier: GPL-2.0-or-later
"""Antivirus against real programs: what is infected never arrives whole, its clean twin does."""

import re
import time

import pytest
from conftest import assert_check
from labkit import addresses as plan
from labkit import virus_samples as samples
from labkit.antivirus import SIGNATURES
from labkit.antivirus_servers import ODD_PORT
from labkit.checks import antivirus as shown
from labkit.commands import wait_until


@pytest.fixture(autouse=True)
def gateway_lives(lab, av):
    yield
    assert av.scanner.program.is_running()


@pytest.mark.parametrize("check", shown.CHECKS, ids=str)
def test_shown(check, lab):
    assert_check(check, lab)


def assert_refused(av, url, whole, *options):
    """Nothing that a client could take for the object: another status, or cut, or a page."""
    status, body = av.fetch(url, *options)
    assert whole not in body, f"status {status}, {len(body)} bytes"
    assert status in (0, 403), (status, body[:200])
    return status, body


# HTTP, beside the forms of test_antivirus_matrix.py.

def test_archives_in_archives(av):
    assert_refused(av, av.url("eicar.zip.zip"), av.files["eicar.zip.zip"])
    assert av.fetch(av.url("clean.zip.zip")) == (200, av.files["clean.zip.zip"])


def test_compressed_on_the_fly(av):
    assert_refused(av, av.url("on-the-fly/eicar.com"), samples.EICAR, "--compressed")
    assert av.fetch(av.url("on-the-fly/clean.txt"), "--compressed") == (200, av.files["clean.txt"])


@pytest.mark.parametrize("name", ["large-eicar.tar", "large-marked.bin"])
def test_at_the_end_of_a_large_file(av, name):
    assert_refused(av, av.url(name), av.files[name])
    clean = name.replace("marked", "clean").replace("eicar", "clean")
    status, body = av.fetch(av.url(clean))
    assert (status, body == av.files[clean]) == (200, True)


@pytest.mark.parametrize("way", ["put", "form", "ftp"])
def test_at_the_end_of_a_large_upload(lab, av, way):
    """30 MB, whose last bytes are what is not wanted."""
    for name, arrives in (("large-clean.bin", True), ("large-marked.bin", False)):
        target = f"{way}-{name}"
        file = av.content / name
        if way == "ftp":
            kept = lab.services.content / "incoming" / target
            av.fetch(f"ftp://{plan.SCANNED}/incoming/{target}", "-T", file, timeout_s=60)
        else:
            kept = av.received / target
            options = ["-T", file] if way == "put" else ["-F", f"file=@{file}"]
            av.fetch(av.url(target, ODD_PORT), *options, timeout_s=60)
        came = kept.read_bytes() if kept.exists() else b""
        assert (av.files[name] in came) == arrives, (name, len(came))


@pytest.mark.parametrize("client", ["curl", "wget"])
@pytest.mark.parametrize("way", ["bare", "folded"])
def test_what_clients_read_differently(lab, av, way, client):
    """No status line, or a folded Transfer-Encoding: it cannot be scanned as each of them reads it."""
    for name in ("eicar.com", "marked.txt", "clean.txt"):
        target = av.directory / f"strange-{time.monotonic_ns()}"
        argv = (["curl", "-sS", "--http0.9", "--max-time", "10", "-o", target] if client == "curl"
                else ["wget", "-q", "-t", "1", "-T", "10", "-O", target])
        lab.execute(plan.LAN, [*argv, av.url(f"{way}/{name}", ODD_PORT)], timeout_s=15)
        assert not target.exists() or av.files[name] not in target.read_bytes()


def test_wget(lab, av):
    for name, status in (("clean.zip", 0), ("eicar.zip", 8)):
        target = av.directory / "wget"
        result = lab.execute(plan.LAN, ["wget", "-q", "-t", "1", "-T", "10", "-O", target,
                                        av.url(name)])
        assert result.returncode == status, (name, result.stderr)
        assert (target.read_bytes() == av.files[name]) == (status == 0)


# The page, and the memory of where something came from.

def test_the_page_says_why(av):
    url = av.url("eicar.com")
    status, body = av.fetch(url, "-H", "Accept-Language: en")
    page = body.decode()
    assert status == 403 and 'lang="en"' in page and "Eicar" in page and "eicar.com" in page
    _, body = av.fetch(av.url("eicar.com"), "-H", "Accept-Language: ja, en;q=0.5")
    assert "遮断" in body.decode()


def test_the_address_is_refused_afterwards(av):
    url = av.url("eicar.com")

    def asked():
        log = (av.directory / "nginx" / "access.log").read_text(encoding="utf-8")
        return log.count(url.split("?")[1] + " ")

    def refused_unasked():
        before = asked()
        status, body = av.fetch(url)
        return status == 403 and b"Eicar" in body and asked() == before
    assert_refused(av, url, samples.EICAR)
    assert wait_until(refused_unasked, timeout_s=3)


# Mail.

@pytest.mark.parametrize("name", ["eicar.com", "eicar.zip", "marked.txt"])
@pytest.mark.parametrize("options", [(), ("--pipeline",)], ids=["plain", "pipelined"])
def test_infected_mail(av, name, options):
    before = len(av.mailbox())
    told = av.send_mail(samples.mail(av.files[name]), *options)
    assert "554 5.7.1" in told, told[-600:]
    assert len(av.mailbox()) == before


def test_clean_mail(av):
    before = len(av.mailbox())
    told = av.send_mail(samples.mail(av.files["clean.txt"]))
    assert re.search(r"250 OK", told), told[-600:]
    assert wait_until(lambda: len(av.mailbox()) == before + 1, timeout_s=10)


# Files.

@pytest.mark.parametrize("passive", ["on", "off"])
def test_files_by_lftp(lab, av, passive):
    def get(name):
        target = av.directory / f"lftp-{time.monotonic_ns()}"
        settings = (f"set ftp:passive-mode {passive}; set ftp:ssl-allow no; set net:max-retries 1;"
                    "set net:timeout 5; set net:reconnect-interval-base 1")
        lab.execute(plan.LAN, ["lftp", "-e", f"{settings}; get av/{name} -o {target}; bye",
                               f"ftp://{plan.SCANNED}"], timeout_s=25)
        return target.read_bytes() if target.exists() else b""
    assert get("clean.zip") == av.files["clean.zip"]
    assert av.files["eicar.zip"] not in get("eicar.zip")


# When things go wrong.

def test_killed_scanners(lab, av):
    """Their object does not pass, the next one does within a second."""
    target = av.directory / "slow"
    download = lab.start(plan.LAN, ["curl", "-sS", "--max-time", "40", "-o", target,
                                    av.url("slow.html")], "curl-slow")
    size = len(av.files["slow.html"])
    assert wait_until(lambda: target.exists() and target.stat().st_size > size - 65536,
                      timeout_s=20), "the download does not get near its end"
    time.sleep(0.2)
    killed = av.scanner.kill_scanners()
    assert killed
    began = time.monotonic()
    assert wait_until(lambda: len(set(av.scanner.scanners()) - set(killed)) >= len(killed),
                      timeout_s=5)
    assert time.monotonic() - began < 1
    assert av.fetch(av.url("clean.zip")) == (200, av.files["clean.zip"])
    download.wait(40)
    assert target.stat().st_size < size


def test_broken_signatures_are_refused(av):
    broken = SIGNATURES / "broken.ndb"
    broken.write_text(samples.signature("Lab.Broken", samples.LATER_MARK)[:-9] + "zz\n",
                      encoding="ascii")
    try:
        av.scanner.look_again()
        assert wait_until(lambda: "broken.ndb" in av.scanner.log(), timeout_s=30), \
            av.scanner.log()[-1000:]
        assert_refused(av, av.url("marked.txt"), av.files["marked.txt"])
        assert av.fetch(av.url("clean.zip"))[0] == 200
    finally:
        broken.unlink()
        av.scanner.look_again()


def test_new_signatures_under_load(lab, av):
    """Nothing clean is lost meanwhile, and what is new is found in the end."""
    assert wait_until(lambda: av.fetch(av.url("later.txt")) == (200, samples.LATER_MARK),
                      timeout_s=40, interval_s=0.5), av.scanner.log()[-1000:]
    target = av.directory / "under-load"
    download = lab.start(plan.LAN, ["curl", "-sS", "--limit-rate", "4M", "--max-time", "60", "-o",
                                    target, av.url("large-clean.bin")], "curl-load")
    later = SIGNATURES / "later.ndb"
    later.write_text(samples.signature("Lab.Later", samples.LATER_MARK), encoding="ascii")
    try:
        av.scanner.look_again()
        deadline = time.monotonic() + 30
        while av.fetch(av.url("later.txt"))[0] == 200:
            assert av.fetch(av.url("clean.zip")) == (200, av.files["clean.zip"])
            assert time.monotonic() < deadline, "the new signature does not come into use"
        assert download.wait(65) == 0, download.log()
        assert target.read_bytes() == av.files["large-clean.bin"]
    finally:
        later.unlink()
        av.scanner.look_again()
