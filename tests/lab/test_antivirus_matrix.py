# SPDX-License-Identifier: GPL-2.0-or-later
"""Whatever is infected in whatever form is refused, its clean twin arrives byte by byte. A failure
names form and item."""

import pytest
from labkit import addresses as plan
from labkit import matrix_samples
from labkit.antivirus_servers import ODD_PORT, Site
from labkit.lossy_line import ADDRESS, NAMESPACE, lossy_line
from labkit.matrix import FORMS, Matrix

# Of what a line with loss is tried with: a few items, and forms of each protocol.
LOSSY_ITEMS = ("eicar.com", "marked.txt", "clam.7z")
LOSSY_FORMS = ("plain", "coded-gzip", "coded-zstd", "chunked", "no-length", "length-too-large",
               "length-and-more", "chunks-of-http-1.0", "ranges", "pipelined", "form", "put-chunked",
               "put-continue", "webdav", "attachment", "bdat", "bdat-at-once", "pop3-retr", "imap-fetch",
               "imap-part", "imap-append", "ftp-get-passive", "ftp-get-active", "ftp-put-passive")
# too-deep: clam_cache_emax.tgz is as deep as the profile allows.
REASONS = {"infected", "too-deep", "url-remembered"}


@pytest.fixture(name="items", scope="module")
def items_fixture(av):
    items = matrix_samples.make_items()
    folder = av.content / "matrix"
    folder.mkdir(mode=0o755)
    matrix_samples.write_folders(items, folder)
    return items


@pytest.fixture(name="matrix_run", scope="module")
def matrix_run_fixture(raised_lab, av, items):
    """What went wrong in each form, and the events meanwhile."""
    matrix = Matrix(raised_lab, av.site, items, av.directory / "matrix",
                    raised_lab.services.content)
    before = len(raised_lab.gateway.events())
    faults = matrix.run(FORMS)
    return faults, raised_lab.gateway.events()[before:]


@pytest.fixture(name="lossy_faults", scope="module")
def lossy_faults_fixture(raised_lab, av, items):
    chosen = [item for item in items if item.original in LOSSY_ITEMS]
    with lossy_line(raised_lab, seconds=240, ports=(), reorder_percent=2):
        site = Site(raised_lab, NAMESPACE, ADDRESS, av.directory / "lossy", av.content,
                    raised_lab.services.content)
        try:
            site.start()
            matrix = Matrix(raised_lab, site, chosen, av.directory / "lossy-matrix",
                            raised_lab.services.content)
            forms = [form._replace(takes=lambda item: True) for form in FORMS
                     if form.name in LOSSY_FORMS]
            return matrix.run(forms)
        finally:
            site.stop()


@pytest.mark.parametrize("form", [form.name for form in FORMS])
def test_form(matrix_run, form):
    assert matrix_run[0][form] == []


def test_nothing_was_refused_for_another_reason(matrix_run):
    """What stands behind an announced length may be unreadable; the odd web server has such."""
    alerts = [event for event in matrix_run[1] if event["event_type"] == "alert"
              and event["alert"]["category"] == "Antivirus"]
    others = [alert for alert in alerts
              if alert["alert"]["metadata"]["reason"][0] not in REASONS
              and (alert["alert"]["metadata"]["reason"][0] != "not-scanned"
                   or alert["src_port"] != ODD_PORT)]
    assert others == []
    assert len(alerts) > 1000


@pytest.mark.parametrize("form", LOSSY_FORMS)
def test_form_over_a_lossy_line(lossy_faults, form):
    assert lossy_faults[form] == []
