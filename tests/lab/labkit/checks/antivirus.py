# SPDX-License-Identifier: GPL-2.0-or-later
"""Antivirus, shown: nothing infected arrives whole, and people are told. Each check needs
lab.antivirus (labkit/antivirus.py); the tests try much more."""

from .. import addresses as plan
from .. import virus_samples as samples
from . import CheckList, all_of, contains, equal

CHECKS = CheckList()


def _arrived(body, infected):
    return "it arrived" if infected in body else "it did not arrive"


@CHECKS("the EICAR file is refused with a page that says why")
def block_page(lab):
    status, body = lab.antivirus.fetch(lab.antivirus.url("eicar.com"))
    return all_of(equal(403, status), contains("Eicar", body.decode(errors="replace")),
                  equal("it did not arrive", _arrived(body, samples.EICAR)))


@CHECKS("the page is in Japanese for those who read Japanese")
def japanese_page(lab):
    _, body = lab.antivirus.fetch(lab.antivirus.url("eicar.com"), "-H", "Accept-Language: ja")
    return contains('lang="ja"', body.decode(errors="replace"))


@CHECKS("a clean file arrives as the server sent it")
def clean_file(lab):
    _, body = lab.antivirus.fetch(lab.antivirus.url("clean.zip"))
    return equal("identical", "identical" if body == lab.antivirus.files["clean.zip"] else
                 f"{len(body)} bytes")


@CHECKS("a virus at the end of a 30 MB file keeps the file from being whole")
def large_file(lab):
    _, body = lab.antivirus.fetch(lab.antivirus.url("large-marked.bin"))
    whole = lab.antivirus.files["large-marked.bin"]
    return equal("cut", "whole" if body == whole else "cut")


@CHECKS("a clean 30 MB file is identical")
def large_clean_file(lab):
    _, body = lab.antivirus.fetch(lab.antivirus.url("large-clean.bin"))
    return equal("identical", "identical" if body == lab.antivirus.files["large-clean.bin"] else
                 f"{len(body)} bytes")


@CHECKS("a mail with EICAR attached is refused to its sender and never arrives, another does")
def infected_mail(lab):
    before = len(lab.antivirus.mailbox())
    refused = lab.antivirus.send_mail(samples.mail(samples.EICAR))
    kept = len(lab.antivirus.mailbox()) - before
    taken = lab.antivirus.send_mail(samples.mail(samples.CLEAN))
    return all_of(contains("554 5.7.1", refused), equal("0 arrived", f"{kept} arrived"),
                  contains("250 OK", taken))


@CHECKS("an infected file is not fetched by FTP, a clean one is")
def file_transfer(lab):
    def fetched(name):
        return lab.antivirus.fetch(f"ftp://{plan.SCANNED}/av/{name}")[1]
    return all_of(equal("it did not arrive", _arrived(fetched("eicar.com"), samples.EICAR)),
                  equal(samples.CLEAN, fetched("clean.com")))
