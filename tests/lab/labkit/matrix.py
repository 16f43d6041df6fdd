# SPDX-License-Identifier: GPL-2.0-or-later
"""Every item in every form through the gateway: `Matrix(...).run(FORMS)` says what went wrong.

A form takes items and yields for each what its receiver is to have and what it has."""

import concurrent.futures
import threading
import time
from collections import namedtuple

from . import addresses as plan
from . import matrix_samples, virus_samples
from .antivirus_servers import ODD_PORT, PASSWORD, WEB_PORT
from .matrix_samples import PLAIN, ZIPPED
from .services import PROBES, PYTHON

PARALLEL_TRANSFERS = 6
PARALLEL_FORMS = 3
# curl 7.88 sometimes sends nothing for 60 s in the middle of an FTP upload, one of several at once, although
# all that it sent was acknowledged and the window is open; then it goes on.
TRANSFER_S, FORM_S = 120, 240
MAIL_ARRIVES_S = 20
ARRIVED = "arrived whole"

# refused: the client was told or cut off; None: cannot be said of this form. said: by the client.
Outcome = namedtuple("Outcome", "item expected arrived refused said", defaults=(None, ""))
Transfer = namedtuple("Transfer", "refused body said")
# run(matrix, items, form's name) yields Outcomes
Form = namedtuple("Form", "name takes run")


def fault_of(outcome):
    """What is wrong, or None."""
    item = outcome.item
    if not item.infected:
        if outcome.arrived == outcome.expected:
            return None
        return (f"{len(outcome.arrived)} bytes arrived, not the {len(outcome.expected)} sent"
                f" {outcome.said}")
    if outcome.expected in outcome.arrived or item.content in outcome.arrived:
        return ARRIVED
    return "was not refused" if outcome.refused is False else None


class Matrix:
    """`scratch`: an empty folder. `files`: what FTP servers offer."""

    def __init__(self, lab, site, items, scratch, files):
        self.lab, self.site, self.items, self.scratch, self.files = lab, site, items, scratch, files
        scratch.mkdir(mode=0o755)
        self.uploads = site.content / "matrix" / PLAIN
        self._lock = threading.Lock()
        self._number = 0
        self._mails = {}
        self.readable = [item for item in items if not item.is_large]
        site.write_mails("matrix", [self.mail_of("read", item) for item in self.readable])
        site.write_mails("stored", [])

    def run(self, forms):
        """{form's name: what went wrong}"""
        with concurrent.futures.ThreadPoolExecutor(PARALLEL_FORMS) as pool:
            faults = pool.map(self._faults_of, forms)
            return {form.name: found for form, found in zip(forms, faults)}

    def _faults_of(self, form):
        items = [item for item in self.items if form.takes(item)]
        try:
            outcomes = list(form.run(self, items, form.name))
        except Exception as error:  # one form that cannot be tried must not hide the others
            return [f"{form.name}: {error!r}"]
        found = [f"{form.name}/{outcome.item.name}: {fault}" for outcome in outcomes
                 if (fault := fault_of(outcome))]
        return found if outcomes else [f"{form.name}: nothing was tried"]

    def new_file(self, content=None):
        with self._lock:
            self._number += 1
            file = self.scratch / str(self._number)
        if content is not None:
            file.write_bytes(content)
        return file

    def curl(self, transfers):
        """Carries out [(url, lines of curl's configuration)] by one curl, some at a time; returns a
        Transfer for each."""
        targets = [self.new_file() for _ in transfers]
        blocks = ["\n".join([f'url = "{url}"', f'output = "{target}"', "silent", "globoff",
                             f"max-time = {TRANSFER_S}",
                             f'write-out = "{number} %{{exitcode}} %{{http_code}}\\n"', *lines])
                  for number, ((url, lines), target) in enumerate(zip(transfers, targets))]
        configuration = self.new_file("\nnext\n".join(blocks).encode())
        told = self.lab.execute(plan.LAN, [
            "curl", "-q", "--parallel", "--parallel-max", PARALLEL_TRANSFERS, "-K", configuration],
            timeout_s=FORM_S)
        ends = {int(words[0]): words[1:] for line in told.stdout.splitlines()
                if len(words := line.split()) == 3}
        bodies = [target.read_bytes() if target.exists() else b"" for target in targets]
        return [Transfer(ends.get(number, ["", ""])[0] != "0" or ends[number][1] == "403", body,
                         f"(curl's exit and answer: {ends.get(number)})")
                for number, body in enumerate(bodies)]

    def mail_of(self, form, item):
        return virus_samples.mail(item.content, f"{form}-{item.name}")

    def all_mails(self):
        """Those that have arrived at the mail server."""
        for file in self.site.mailbox.iterdir() if self.site.mailbox.is_dir() else ():
            if file.name not in self._mails:
                self._mails[file.name] = file.read_bytes().replace(b"\n", b"\r\n")
        return list(self._mails.values())

    def arrived_mails(self, wanted):
        """Those of the texts `wanted` that are in mails that have come, once all of them are there
        or time is over."""
        deadline = time.monotonic() + MAIL_ARRIVES_S
        while True:
            mails = self.all_mails()
            found = {text for text in wanted if any(text in mail for mail in mails)}
            if len(found) == len(wanted) or time.monotonic() > deadline:
                return found
            time.sleep(0.2)


def downloads(folder, way="", port=WEB_PORT, expected=None, lines=()):
    """`expected`: what the receiver of a clean one has, of what was sent."""
    def run(matrix, items, _):
        urls = [matrix.site.url(f"{way}matrix/{folder}/{item.name}", port) for item in items]
        for item, transfer in zip(items, matrix.curl([(url, lines) for url in urls])):
            whole = (matrix.site.content / "matrix" / folder / item.name).read_bytes()
            if expected is None:
                yield Outcome(item, whole, transfer.body, transfer.refused)
            else:
                yield Outcome(item, whole if item.infected else expected(whole), transfer.body)
    return run


def ranges(backwards):
    """Both halves, each asked for alone under one URL. A gateway may have the server send all."""
    def run(matrix, items, _):
        urls = [matrix.site.url(f"matrix/{PLAIN}/{item.name}") for item in items]
        middles = [len(item.content) // 2 for item in items]
        parts = {}
        for first in (False, True) if backwards else (True, False):
            words = [f"0-{middle - 1}" if first else f"{middle}-" for middle in middles]
            parts[first] = matrix.curl([(url, [f'range = "{word}"'])
                                        for url, word in zip(urls, words)])
        for item, first, second in zip(items, parts[True], parts[False]):
            bodies = (first.body, second.body)
            if bodies == (item.content, item.content) and not item.infected:
                yield Outcome(item, item.content, item.content)
                continue
            refused = first.refused and second.refused
            yield Outcome(item, item.content, b"".join(bodies), refused)
    return run


def pipelined(matrix, items, _):
    """Between two clean ones on one connection."""
    beside = next(item for item in matrix.items if not item.infected)
    targets = [matrix.new_file() for _ in items]
    lines = []
    for item, target in zip(items, targets):
        urls = [matrix.site.url(f"matrix/{PLAIN}/{name}") for name in
                (beside.name, item.name, beside.name)]
        lines.append(" ".join([str(target)] + ["/" + url.split("/", 3)[3] for url in urls]))
    matrix.lab.execute(plan.LAN, ["sh", "-c", f"{PYTHON} {PROBES / 'pipeline.py'} "
                                  f"{matrix.site.address} {WEB_PORT} < "
                                  f"{matrix.new_file(chr(10).join(lines).encode())}"],
                       timeout_s=FORM_S)
    for item, target in zip(items, targets):
        came = target.read_bytes() if target.exists() else b""
        there = came.count(b"HTTP/1.1 200") == 3 and item.content in came
        arrived = item.content if there and not item.infected else came
        yield Outcome(item, item.content, arrived, b"HTTP/1.1 403" in came or not there)


def uploads(lines, folder=PLAIN, path="", port=ODD_PORT):
    """`lines` of curl's configuration with {file} in them."""
    def run(matrix, items, form):
        names = [f"{form}-{item.name}" for item in items]
        files = [matrix.site.content / "matrix" / folder / item.name for item in items]
        transfers = matrix.curl([
            (matrix.site.url(path + name, port), [line.format(file=file) for line in lines])
            for name, file in zip(names, files)])
        for item, name, file, transfer in zip(items, names, files, transfers):
            target = matrix.site.received / name
            kept = target.read_bytes() if target.exists() else b""
            sent = file.read_bytes()
            if b"form-data" in kept and sent in kept:
                kept = sent
            yield Outcome(item, sent, kept, transfer.refused, transfer.said)
    return run


def text_of(mail):
    return mail.partition(b"\r\n\r\n")[2]


def mails(way, write=None):
    def run(matrix, items, form):
        sent = [(write or matrix.mail_of)(form, item) for item in items]
        lines = [f"{way} {form}-{number}@example.net {matrix.new_file(mail)}"
                 for number, mail in enumerate(sent)]
        told = matrix.lab.execute(plan.LAN, [
            "sh", "-c", f"{PYTHON} {PROBES / 'mail_sender.py'} {matrix.site.address} < "
            f"{matrix.new_file(chr(10).join(lines).encode())}"], timeout_s=FORM_S).stdout
        refused = [" 554 5.7.1" in line for line in told.splitlines()]
        clean = {text_of(mail) for item, mail in zip(items, sent) if not item.infected}
        arrived = matrix.arrived_mails(clean)
        came = b"".join(matrix.all_mails())
        for item, mail, said in zip(items, sent, refused + [False] * len(sent)):
            text = text_of(mail)
            there = text in (came if item.infected else arrived)
            yield Outcome(item, text, text if there else b"", said)
    return run


def dotted_mail(form, item):
    """Quoted-printable, broken so that lines begin with dots: wrong when they are not unstuffed."""
    lines = [""]
    for byte in item.content:
        if byte == 0x2e or len(lines[-1]) > 60:
            lines[-1] += "="
            lines.append("")
        lines[-1] += "." if byte == 0x2e else f"={byte:02X}"
    head = virus_samples.mail(b"", f"{form}-{item.name}").partition(b"--between\r\nContent-Type: "
                                                                    b"application")[0]
    return head + (
        f"--between\r\nContent-Type: application/octet-stream; name=\"{form}-{item.name}\"\r\n"
        "Content-Transfer-Encoding: quoted-printable\r\n\r\n" + "\r\n".join(lines)
        + "\r\n--between--\r\n").encode("ascii")


def reading(address, lines=(), part=False):
    """`address`: an URL with {number} of the mail in the box."""
    def run(matrix, items, _):
        items = [item for item in items if item in matrix.readable]
        numbers = [matrix.readable.index(item) + 1 for item in items]
        transfers = matrix.curl([
            (address.format(host=matrix.site.address, number=number),
             [f'user = "matrix:{PASSWORD}"', *(line.format(number=number) for line in lines)])
            for number in numbers])
        for item, transfer in zip(items, transfers):
            expected, body = matrix.mail_of("read", item), transfer.body
            if part:
                expected = expected.rpartition(b"\r\n\r\n")[2].partition(b"\r\n--between")[0]
                body = body.rstrip(b"\r\n")
            yield Outcome(item, expected, body, transfer.refused)
    return run


def storing(matrix, items, form):
    sent = [matrix.mail_of(form, item) for item in items]
    transfers = matrix.curl([
        (f"imap://{matrix.site.address}/INBOX",
         [f'user = "stored:{PASSWORD}"', f'upload-file = "{matrix.new_file(mail)}"'])
        for mail in sent])
    stored = b"".join(matrix.site.stored_mails("stored"))
    for item, mail, transfer in zip(items, sent, transfers):
        yield Outcome(item, mail, mail if mail in stored else b"", transfer.refused)


def ftp_gets(mode):
    def run(matrix, items, _):
        base = (matrix.site.content / "matrix" / PLAIN).relative_to(matrix.files)
        transfers = matrix.curl([(f"ftp://{matrix.site.address}/{base}/{item.name}", mode)
                                 for item in items])
        for item, transfer in zip(items, transfers):
            yield Outcome(item, item.content, transfer.body, transfer.refused, transfer.said)
    return run


def ftp_puts(mode):
    def run(matrix, items, form):
        names = [f"{form}-{matrix.site.address}-{item.name}" for item in items]
        transfers = matrix.curl([
            (f"ftp://{matrix.site.address}/incoming/{name}",
             [f'upload-file = "{matrix.uploads / item.name}"', *mode])
            for item, name in zip(items, names)])
        for item, name, transfer in zip(items, names, transfers):
            target = matrix.files / "incoming" / name
            kept = target.read_bytes() if target.exists() else b""
            yield Outcome(item, item.content, kept, transfer.refused, transfer.said)
    return run


def every(_):
    return True


def small(item):
    return not item.is_large


def some(item):
    return item.is_some


PASSIVE, ACTIVE = (), ('ftp-port = "-"', "disable-eprt")
EXTENDED_ACTIVE = ('ftp-port = "-"',)

FORMS = [
    Form("plain", every, downloads(PLAIN)),
    Form("zipped", every, downloads(ZIPPED)),
    *(Form(folder, every if folder == "coded-gzip" else small, downloads(folder))
      for folder in matrix_samples.CODINGS),
    Form("chunked", every, downloads(PLAIN, "chunked/")),
    Form("wrong-type", small, downloads(PLAIN, "as-image/")),
    Form("chunks-of-7-bytes", some, downloads(PLAIN, "dribbled/", ODD_PORT)),
    Form("chunks-of-http-1.0", small, downloads(PLAIN, "old/", ODD_PORT)),
    Form("length-too-large", small, downloads(PLAIN, "long/", ODD_PORT)),
    Form("length-too-small", small, downloads(PLAIN, "short/", ODD_PORT,
                                              lambda whole: whole[:len(whole) // 2])),
    Form("length-and-more", small, downloads(PLAIN, "followed/", ODD_PORT)),
    Form("no-length", small, downloads(PLAIN, "lengthless/", ODD_PORT)),
    # Nobody can say what that is to its client: a clean one is refused as well.
    Form("no-status-line", lambda item: item.infected and not item.is_large,
         downloads(PLAIN, "bare/", ODD_PORT, lines=("http0.9",))),
    Form("ranges", small, ranges(False)),
    Form("ranges-backwards", small, ranges(True)),
    Form("pipelined", every, pipelined),
    Form("form", every, uploads(['form = "file=@{file}"'])),
    Form("put", small, uploads(['upload-file = "{file}"'])),
    Form("post", some, uploads(['data-binary = "@{file}"'])),
    Form("put-chunked", small, uploads(['upload-file = "{file}"',
                                        'header = "Transfer-Encoding: chunked"'])),
    Form("put-continue", small, uploads(['upload-file = "{file}"',
                                         'header = "Expect: 100-continue"'])),
    Form("put-gzip", some, uploads(['upload-file = "{file}"', 'header = "Content-Encoding: gzip"'],
                                   "coded-gzip")),
    Form("webdav", small, uploads(['upload-file = "{file}"'], PLAIN, "received/", WEB_PORT)),
    Form("attachment", every, mails("data")),
    Form("smtp-at-once", some, mails("data-at-once")),
    Form("smtp-dots", lambda item: item.original in ("clam.zip", "clam.7z"),
         mails("data", dotted_mail)),
    Form("bdat", some, mails("bdat")),
    Form("bdat-pieces", lambda item: item.is_some and len(item.content) < 50_000,
         mails("bdat-pieces")),
    Form("bdat-at-once", some, mails("bdat-at-once")),
    Form("pop3-retr", small, reading("pop3://{host}/{number}")),
    Form("pop3-top", some, reading("pop3://{host}/", ['request = "TOP {number} 999999"'])),
    Form("imap-fetch", small, reading("imap://{host}/INBOX;UID={number}")),
    Form("imap-part", some, reading("imap://{host}/INBOX;UID={number};SECTION=2", part=True)),
    Form("imap-append", some, storing),
    Form("ftp-get-passive", small, ftp_gets(PASSIVE)),
    Form("ftp-get-active", small, ftp_gets(ACTIVE)),
    Form("ftp-get-extended-active", some, ftp_gets(EXTENDED_ACTIVE)),
    Form("ftp-put-passive", small, ftp_puts(PASSIVE)),
    Form("ftp-put-active", some, ftp_puts(ACTIVE)),
    Form("ftp-put-extended-active", some, ftp_puts(EXTENDED_ACTIVE)),
]
