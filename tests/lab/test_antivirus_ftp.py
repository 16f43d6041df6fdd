# SPDX-License-Identifier: GPL-2.0-or-later
"""What clients of FTP show of refused files, and that no resumed transfer completes an infected one
(HTTP, too)."""

import time

import pytest
from labkit import addresses as plan
from labkit import virus_samples as samples
from labkit.commands import Program, run
from labkit.services import PROBES, PYTHON
from labkit.topology import inside


@pytest.fixture(autouse=True)
def gateway_lives(lab, av):
    yield
    assert av.scanner.program.is_running()


def ftp(path):
    return f"ftp://{plan.SCANNED}/{path}"


def lftp(lab, script):
    """What it says, replies of its server included. It repeats a refused download as long as each
    attempt brings some bytes: it is stopped after some of them."""
    settings = "debug 3; set ftp:ssl-allow no; set net:max-retries 1; set cmd:fail-exit yes"
    result = lab.execute(plan.LAN, ["lftp", "-e", f"{settings}; {script}; bye",
                                    f"ftp://{plan.SCANNED}"], timeout_s=8)
    return result.returncode, result.stdout + result.stderr


@pytest.mark.parametrize("options", [(), ("--disable-epsv",), ("--ftp-port", "-")],
                         ids=["extended", "passive", "active"])
def test_curl_is_told_of_a_refused_download(av, options):
    status, code, body = av.transfer(ftp("av/marked.txt"), *options)
    # It knows the size and sees that the file ends before it: it may not read the last reply.
    assert status != 0 and code in (150, 550), (status, code)
    assert av.files["marked.txt"] not in body
    assert av.transfer(ftp("av/clean.txt"), *options) == (0, 226, av.files["clean.txt"])


def test_curl_is_told_of_a_refused_upload(av):
    name = f"told-{time.monotonic_ns()}"
    file = av.directory / name
    file.write_bytes(av.files["marked.txt"])
    status, code, _ = av.transfer(ftp(f"incoming/{name}"), "-T", file)
    assert status != 0 and code == 550, (status, code)


@pytest.mark.parametrize("command", ["get av/marked.txt -o {target}",
                                     "put -O incoming {source} -o {name}"], ids=["get", "put"])
def test_lftp_says_why(lab, av, command):
    name = f"lftp-{time.monotonic_ns()}"
    source, target = av.directory / f"{name}-source", av.directory / name
    source.write_bytes(av.files["marked.txt"])
    status, said = lftp(lab, command.format(target=target, source=source, name=name))
    assert status != 0
    assert "550 Infected with " in said, said
    assert not target.exists() or samples.LAB_MARK not in target.read_bytes()


def half_of(av, name):
    """A file with the first half of what the server has."""
    target = av.directory / f"resumed-{time.monotonic_ns()}"
    target.write_bytes(av.files[name][:len(av.files[name]) // 2])
    target.chmod(0o666)
    return target


@pytest.mark.parametrize("name", ["marked.txt", "large-marked.bin"])
@pytest.mark.parametrize("way", ["http", "ftp", "lftp"])
def test_a_resumed_transfer_completes_nothing_infected(lab, av, way, name):
    for _ in range(2):
        target = half_of(av, name)
        if way == "lftp":
            lftp(lab, f"get -c av/{name} -o {target}")
        else:
            url = av.url(name) if way == "http" else ftp(f"av/{name}")
            lab.execute(plan.LAN, ["curl", "-sS", "--max-time", "20", "-C", "-", "-o", target, url],
                        timeout_s=25)
        assert target.read_bytes() != av.files[name]
        target.unlink()


# Line ends that change on the way (TYPE A): what is scanned is what either end may have.

CLIENTS = ["curl", "lftp"]


def fetched_as_text(lab, av, client, name, address=plan.SCANNED):
    target = av.directory / f"as-text-{time.monotonic_ns()}"
    url = f"ftp://{address}/av/{name}"
    argv = (["curl", "-sS", "--use-ascii", "--max-time", "15", "-o", target, url]
            if client == "curl" else
            ["lftp", "-e", f"set net:max-retries 1; get -a {url} -o {target}; bye"])
    lab.execute(plan.LAN, argv, timeout_s=20)
    return target.read_bytes() if target.exists() else b""


def stored_as_text(lab, av, client, content, address=plan.SCANNED):
    name = f"as-text-{time.monotonic_ns()}"
    source = av.directory / name
    source.write_bytes(content)
    argv = (["curl", "-sS", "--use-ascii", "--max-time", "15", "-T", source,
             f"ftp://{address}/incoming/{name}"] if client == "curl" else
            ["lftp", "-e", f"set net:max-retries 1; put -a -O incoming {source} -o {name}; bye",
             f"ftp://{address}"])
    lab.execute(plan.LAN, argv, timeout_s=20)
    kept = lab.services.content / "incoming" / name
    return kept.read_bytes() if kept.exists() else b""


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("name", ["listed.txt", "marked.txt", "eicar.com"])
def test_text_is_scanned_as_its_receiver_has_it(lab, av, client, name):
    """A signature by digest knows the file as it is at its ends, not as it travels."""
    content = av.files[name]
    assert fetched_as_text(lab, av, client, name, plan.INTERNET) == content
    assert content not in fetched_as_text(lab, av, client, name)
    assert content not in stored_as_text(lab, av, client, content)


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("name", ["listed-clean.txt", "clean.zip", "large-clean.tar"])
def test_clean_text_is_as_without_us(lab, av, client, name):
    for way, what in ((fetched_as_text, name), (stored_as_text, av.files[name])):
        assert way(lab, av, client, what) == way(lab, av, client, what, plan.INTERNET)


@pytest.fixture(name="compressing", scope="module")
def compressing_fixture(raised_lab, av):
    """The address of a server that knows MODE Z."""
    port = 2121
    server = Program("compressing-ftp", inside(plan.WAN, [
        PYTHON, PROBES / "compressing_ftp.py", plan.SCANNED, port, raised_lab.services.content]),
        av.directory / "compressing-ftp.log")
    server.wait_ready(lambda: f":{port} " in run(inside(plan.WAN, ["ss", "-Htln"])).stdout)
    yield f"ftp://{plan.SCANNED}:{port}"
    server.stop()


def test_what_is_compressed_on_its_way_is_not_taken_for_scanned(lab, av, compressing):
    """MODE Z: the profile blocks codings that are not undone."""
    def get(name, compressed):
        target = av.directory / f"compressed-{time.monotonic_ns()}"
        lab.execute(plan.LAN, [
            "lftp", "-e", f"set ftp:use-mode-z {compressed}; set net:max-retries 1; set net:timeout 5;"
            f" get av/{name} -o {target}; bye", compressing], timeout_s=20)
        return target.read_bytes() if target.exists() else b""
    before = len(lab.gateway.events())
    assert get("clean.txt", "no") == av.files["clean.txt"]
    assert get("clean.txt", "yes") != av.files["clean.txt"]
    for name in ("marked.txt", "eicar.com"):
        assert get(name, "yes") != av.files[name]
        assert get(name, "no") != av.files[name]
    reasons = [event["alert"]["metadata"]["reason"] for event in lab.gateway.events()[before:]
               if event["event_type"] == "alert"]
    assert ["coded"] in reasons and ["infected"] in reasons, reasons
