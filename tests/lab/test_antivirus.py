# SPDX-License-Identifier: GPL-2.0-or-later
"""Antivirus against real programs: what is infected never arrives whole, its clean twin does."""

import hashlib
import re
import time

import pytest
from conftest import assert_check
from labkit import addresses as plan
from labkit import virus_samples as samples
from labkit.antivirus import ODD_PORT, PASSWORD, READERS, SIGNATURES, Antivirus, mail
from labkit.checks import antivirus as shown
from labkit.commands import wait_until
from labkit.gateways import MasugataGateway
from labkit.lossy_line import ADDRESS, lossy_line
from labkit.services import PROBES, PYTHON

CODED_FOLDERS = [samples.folder_of(coding) for coding in samples.ENCODINGS]


@pytest.fixture(name="av", scope="module")
def antivirus_fixture(raised_lab):
    if raised_lab.gateway.kind != MasugataGateway.kind:
        pytest.skip("the kernel scans nothing")
    with Antivirus(raised_lab) as antivirus:
        raised_lab.antivirus = antivirus
        yield antivirus


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


# HTTP, as nginx says it.

@pytest.mark.parametrize("name", ["eicar.com", "eicar.zip", "eicar.zip.zip", "marked.txt"])
@pytest.mark.parametrize("way", ["", "as-image/", "chunked/"])
def test_infected_downloads(av, way, name):
    assert_refused(av, av.url(way + name), av.files[name])


@pytest.mark.parametrize("name", ["clean.com", "clean.zip", "clean.zip.zip", "clean.txt"])
@pytest.mark.parametrize("way", ["", "as-image/", "chunked/"])
def test_clean_downloads(av, way, name):
    assert av.fetch(av.url(way + name)) == (200, av.files[name])


@pytest.mark.parametrize("name", ["eicar.com", "eicar.zip", "marked.txt"])
@pytest.mark.parametrize("folder", CODED_FOLDERS)
def test_infected_content_codings(av, folder, name):
    assert_refused(av, av.url(f"{folder}/{name}"), (av.content / folder / name).read_bytes())


@pytest.mark.parametrize("name", ["clean.com", "clean.zip", "clean.txt"])
@pytest.mark.parametrize("folder", [f for f in CODED_FOLDERS if "zstd" not in f])
def test_clean_content_codings(av, folder, name):
    assert av.fetch(av.url(f"{folder}/{name}")) == (200, (av.content / folder / name).read_bytes())


def test_compressed_on_the_fly(av):
    assert_refused(av, av.url("on-the-fly/eicar.com"), samples.EICAR, "--compressed")
    assert av.fetch(av.url("on-the-fly/clean.txt"), "--compressed") == (200, av.files["clean.txt"])


@pytest.mark.parametrize("way", ["long", "short", "lengthless", "dribbled"])
def test_odd_lengths(av, way):
    for name in ("eicar.com", "eicar.zip", "marked.txt"):
        status, body = av.fetch(av.url(f"{way}/{name}", ODD_PORT))
        assert av.files[name] not in body
        # What is announced too short ends before what is infected.
        assert way == "short" or status in (0, 403), name
    _, body = av.fetch(av.url(f"{way}/clean.txt", ODD_PORT))
    clean = av.files["clean.txt"]
    assert body == (clean[:len(clean) // 2] if way == "short" else clean)


def test_two_ranges(av):
    parts = [av.fetch(av.url("eicar.com"), "-r", part)[1] for part in ("0-33", "34-")]
    assert samples.EICAR not in b"".join(parts)
    assert not any(part and part in samples.EICAR for part in parts)
    assert av.fetch(av.url("clean.txt"), "-r", "0-99")[1] == av.files["clean.txt"]


def test_pipelined(lab, av):
    def ask(*names):
        paths = [av.url(name).split(f":{8000}")[1] for name in names]
        return lab.execute(plan.LAN, [PYTHON, PROBES / "pipeline.py", plan.SCANNED, "8000",
                                      *paths]).stdout.encode()
    seen = ask("clean.com", "eicar.com", "clean.com")
    before, _, page = seen.partition(b"HTTP/1.1 403")
    assert samples.EICAR not in seen
    assert not page or samples.CLEAN in before, "the page stands in the place of a clean file"
    assert ask("clean.com", "clean.com", "clean.com").count(samples.CLEAN) == 3


@pytest.mark.parametrize("name", ["large-eicar.tar", "large-marked.bin"])
def test_at_the_end_of_a_large_file(av, name):
    assert_refused(av, av.url(name), av.files[name])
    clean = name.replace("marked", "clean").replace("eicar", "clean")
    status, body = av.fetch(av.url(clean))
    assert (status, body == av.files[clean]) == (200, True)


def test_every_test_file_of_clamav(av):
    files = sorted(samples.TEST_FILES.iterdir())
    assert len(files) >= 40
    arrived = [file.name for file in files
               if file.read_bytes() in av.fetch(av.url(f"testfiles/{file.name}"))[1]]
    assert arrived == []


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


# Uploads.

def kept(av):
    return {file.name: file.read_bytes() for file in av.received.iterdir()}


@pytest.mark.parametrize("name", ["eicar.com", "eicar.zip", "marked.txt"])
def test_infected_uploads(av, name):
    file = av.content / name
    before = kept(av)
    for options in (["-T", file], ["-T", file, "-H", "Transfer-Encoding: chunked"],
                    ["-F", f"file=@{file}"], ["--data-binary", f"@{file}"]):
        status, _ = av.fetch(av.url("", ODD_PORT), *options, timeout_s=10)
        assert status in (0, 403), options
    status, _ = av.fetch(av.url(f"received/{name}"), "-T", file, timeout_s=10)
    assert status in (0, 403)
    assert not [kind for kind, body in kept(av).items()
                if kind not in before and av.files[name] in body]


def test_clean_uploads(av):
    file = av.content / "clean.zip"
    content = av.files["clean.zip"]
    digest = hashlib.sha256(content).hexdigest().encode()
    assert av.fetch(av.url("", ODD_PORT), "-T", file) == (200, digest)
    assert av.fetch(av.url("", ODD_PORT), "-T", file, "-H", "Transfer-Encoding: chunked") == (
        200, digest)
    assert av.fetch(av.url("", ODD_PORT), "--data-binary", f"@{file}") == (200, digest)
    status, form = av.fetch(av.url("", ODD_PORT), "-F", f"file=@{file}")
    assert status == 200 and content in kept(av)[form.decode()]
    assert av.fetch(av.url("received/clean.zip"), "-T", file)[0] == 201
    assert kept(av)["clean.zip"] == content


# Mail.

@pytest.mark.parametrize("name", ["eicar.com", "eicar.zip", "marked.txt"])
@pytest.mark.parametrize("options", [(), ("--pipeline",)], ids=["plain", "pipelined"])
def test_infected_mail(av, name, options):
    before = len(av.mailbox())
    told = av.send_mail(mail(av.files[name]), *options)
    assert "554 5.7.1" in told, told[-600:]
    assert len(av.mailbox()) == before


def test_clean_mail(av):
    before = len(av.mailbox())
    told = av.send_mail(mail(av.files["clean.txt"]))
    assert re.search(r"250 OK", told), told[-600:]
    assert wait_until(lambda: len(av.mailbox()) == before + 1, timeout_s=10)


def test_mail_is_read(av):
    for scheme in ("pop3", "imap"):
        address = {"pop3": f"pop3://{plan.SCANNED}/1",
                   "imap": f"imap://{plan.SCANNED}/INBOX;UID=1"}[scheme]
        for reader in READERS:
            _, body = av.fetch(address, "-u", f"{reader}:{PASSWORD}", timeout_s=10)
            content = mail(samples.EICAR if reader == "infected" else samples.CLEAN)
            assert (content == body) == (reader == "clean"), (scheme, reader, body[-200:])


def test_mail_is_stored(av):
    folder = av.directory / "dovecot" / "readers" / "clean"

    def stored():
        return len(list((folder / "new").iterdir()) + list((folder / "cur").iterdir()))
    for content, arrives in ((samples.EICAR, False), (samples.CLEAN, True)):
        before = stored()
        file = av.directory / "to-store"
        file.write_bytes(mail(content))
        av.fetch(f"imap://{plan.SCANNED}/INBOX", "-u", f"clean:{PASSWORD}", "-T", file,
                 timeout_s=10)
        assert (stored() > before) == arrives


# Files.

@pytest.mark.parametrize("mode", [(), ("--ftp-port", "-", "--disable-eprt"), ("--ftp-port", "-")],
                         ids=["passive", "active", "extended-active"])
def test_files_by_ftp(lab, av, mode):
    base = f"ftp://{plan.SCANNED}"
    for name in ("clean.com", "clean.zip", "clean.txt"):
        assert av.fetch(f"{base}/av/{name}", *mode)[1] == av.files[name]
    for name in ("eicar.com", "eicar.zip", "marked.txt"):
        assert av.files[name] not in av.fetch(f"{base}/av/{name}", *mode, timeout_s=10)[1]
    incoming = lab.services.content / "incoming"
    for name, arrives in (("clean.zip", True), ("eicar.com", False), ("marked.txt", False)):
        target = f"{name}-{time.monotonic_ns()}"
        av.fetch(f"{base}/incoming/{target}", "-T", av.content / name, *mode, timeout_s=10)
        file = incoming / target
        assert (file.exists() and file.read_bytes() == av.files[name]) == arrives, name


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
    assert av.fetch(av.url("later.txt")) == (200, samples.LATER_MARK)
    target = av.directory / "under-load"
    download = lab.start(plan.LAN, ["curl", "-sS", "--limit-rate", "4M", "--max-time", "60", "-o",
                                    target, av.url("large-clean.bin")], "curl-load")
    (SIGNATURES / "later.ndb").write_text(samples.signature("Lab.Later", samples.LATER_MARK),
                                          encoding="ascii")
    av.scanner.look_again()
    deadline = time.monotonic() + 30
    while av.fetch(av.url("later.txt"))[0] == 200:
        assert av.fetch(av.url("clean.zip")) == (200, av.files["clean.zip"])
        assert time.monotonic() < deadline, "the new signature does not come into use"
    assert download.wait(65) == 0, download.log()
    assert target.read_bytes() == av.files["large-clean.bin"]


def test_over_a_lossy_line(lab, av):
    with lossy_line(lab, seconds=90, ports=(8000,), reorder_percent=2):
        for name in ("clean.com", "clean.zip", "clean.txt"):
            status, body = av.fetch(av.url(f"av/{name}", address=ADDRESS))
            assert (status, body) == (200, av.files[name]), name
        for name in ("eicar.com", "eicar.zip", "marked.txt"):
            assert_refused(av, av.url(f"av/{name}", address=ADDRESS), av.files[name])
        status, body = av.fetch(av.url("lossy.bin", address=ADDRESS), timeout_s=40)
        assert body == (lab.services.content / "lossy.bin").read_bytes()
