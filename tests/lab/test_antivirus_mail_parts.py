# SPDX-License-Identifier: GPL-2.0-or-later
"""Parts of mails that are fetched alone by IMAP: how they are coded stands in a header that does not
come with them."""

import base64

import pytest
from labkit import addresses as plan
from labkit import virus_samples as samples
from labkit.antivirus_servers import PASSWORD

# Its first line could be base64.
PLAIN_LINE = b"A" * 76 + b"\r\n"


def quoted(content):
    """Quoted-printable, every third byte as its number."""
    coded = b"".join(b"=%02X" % byte if at % 3 == 0 or not 32 < byte < 127 or byte == ord("=")
                     else bytes([byte]) for at, byte in enumerate(content))
    pieces, line = [], b""
    while coded:
        end = 60 if coded[59:60] != b"=" and coded[58:59] != b"=" else 58
        line, coded = coded[:end], coded[end:]
        pieces.append(line)
    return b"=\r\n".join(pieces) + b"\r\n"


def in_base64(content):
    return base64.encodebytes(content).replace(b"\n", b"\r\n")


def part(coding, body):
    return (b"Content-Type: application/octet-stream\r\nContent-Transfer-Encoding: "
            + coding + b"\r\n\r\n" + body)


def mail(inner):
    return (b"From: sender@example.org\r\nTo: reader@example.net\r\nSubject: parts\r\n"
            b"MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=\"outer\"\r\n\r\n"
            b"--outer\r\nContent-Type: text/plain\r\n\r\nHello.\r\n--outer\r\n" + inner
            + b"\r\n--outer--\r\n")


def divided(content):
    return (b"Content-Type: multipart/mixed; boundary=\"inner\"\r\n\r\n--inner\r\n"
            b"Content-Type: text/plain\r\n\r\nSee below.\r\n--inner\r\n"
            + part(b"base64", in_base64(content)) + b"\r\n--inner--")


# name -> (what makes the second part of content, the section that is fetched)
FORMS = {
    "base64": (lambda content: part(b"base64", in_base64(content)), "2"),
    "quoted-printable": (lambda content: part(b"quoted-printable", quoted(content)), "2"),
    "plain-behind-a-line-of-letters": (lambda content: part(b"8bit", PLAIN_LINE + content), "2"),
    "multipart": (divided, "2"),
    "inside-multipart": (divided, "2.2"),
    "text": (divided, "TEXT"),
}
CONTENTS = {"eicar": samples.EICAR, "marked": samples.CLEAN + samples.LAB_MARK,
            "clean": samples.CLEAN}
# EICAR behind something else is not infected.
MAILS = [(form, name) for form in FORMS for name in CONTENTS
         if (form, name) != ("plain-behind-a-line-of-letters", "eicar")]


def section_of(form, content):
    """What is in it, with LF at line ends and none behind the last."""
    make, section = FORMS[form]
    text = {"2": make(content).partition(b"\r\n\r\n")[2], "2.2": in_base64(content),
            "TEXT": mail(make(content)).partition(b"\r\n\r\n")[2]}[section]
    return text.replace(b"\r\n", b"\n").strip()


@pytest.fixture(name="fetch", scope="module")
def fetch_fixture(raised_lab, av):
    """What comes of a section of a mail, like section_of()."""
    av.site.write_mails("parts", [mail(FORMS[form][0](CONTENTS[name])) for form, name in MAILS])

    def fetched(form, name):
        number = MAILS.index((form, name)) + 1
        told = raised_lab.execute(plan.LAN, [
            "curl", "-sS", "--globoff", "--max-time", "15", "-u", f"parts:{PASSWORD}",
            f"imap://{plan.SCANNED}/INBOX;MAILINDEX={number};SECTION={FORMS[form][1]}"],
            timeout_s=20).stdout
        return told.encode().replace(b"\r\n", b"\n").strip()
    return fetched


@pytest.mark.parametrize("form, name", [each for each in MAILS if each[1] != "clean"])
def test_an_infected_part_does_not_arrive(fetch, form, name):
    assert section_of(form, CONTENTS[name]) not in fetch(form, name)


@pytest.mark.parametrize("form", FORMS)
def test_a_clean_part_arrives(fetch, form):
    assert fetch(form, "clean") == section_of(form, CONTENTS["clean"])
