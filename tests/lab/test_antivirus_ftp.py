# SPDX-License-Identifier: GPL-2.0-or-later
"""What clients of FTP show of refused files, and that no resumed transfer completes an infected one
(HTTP, too)."""

import time

import pytest
from labkit import addresses as plan
from labkit import virus_samples as samples


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
