# SPDX-License-Identifier: GPL-2.0-or-later
"""What antivirus is measured against: squid with c-icap, and e2guardian, both with clamd, as Debian
packages them. In the namespace of the gateway, on the kernel's TCP. Configured to scan all that
they are measured with, and to do nothing else: no cache, no log, no filter of words.

squid 5.7 as it is in Debian 12 since 2025 stops in the middle of objects above 64 KB when it hands them
to an ICAP service (its bug 5352): there is nothing to measure then."""

import os
import re
import shutil
from pathlib import Path

from labkit import addresses as plan
from labkit.commands import Program, run
from labkit.topology import inside

SQUID_PORT, GUARDIAN_PORT = 3128, 8080
CLAMD_SOCKET = "clamd.sock"

CLAMD = """
LocalSocket {directory}/clamd.sock
LocalSocketMode 666
DatabaseDirectory {signatures}
TemporaryDirectory {directory}/temporary
Foreground true
MaxThreads 12
MaxScanTime 120000
MaxScanSize 400M
MaxFileSize 100M
StreamMaxLength 100M
MaxRecursion 17
MaxFiles 10000
SelfCheck 0
"""

ICAP = """
PidFile {directory}/c-icap.pid
CommandsSocket {directory}/c-icap.ctl
Timeout 300
MaxKeepAliveRequests 1000000
KeepAliveTimeout 600
StartServers 1
MaxServers 1
MinSpareThreads 10
MaxSpareThreads 40
ThreadsPerChild 40
MaxRequestsPerChild 0
Port 127.0.0.1:1344
User c-icap
Group nogroup
ServerName lab
TmpDir {directory}/temporary
MaxMemObject 131072
DebugLevel 0
ModulesDir /usr/lib/x86_64-linux-gnu/c_icap
ServicesDir /usr/lib/x86_64-linux-gnu/c_icap
TemplateDir /usr/share/c_icap/templates/
LoadMagicFile /etc/c-icap/c-icap.magic
ServerLog /dev/null
Module common clamd_mod.so
clamd_mod.ClamdSocket {directory}/clamd.sock
Service antivirus_module virus_scan.so
ServiceAlias avscan virus_scan?allow204=on&sizelimit=off&mode=simple
virus_scan.DefaultEngine clamd
virus_scan.ScanFileTypes TEXT DATA EXECUTABLE ARCHIVE GIF JPEG MSOFFICE
virus_scan.SendPercentData 5
virus_scan.StartSendPercentDataAfter 2M
virus_scan.MaxObjectSize 100M
"""

SQUID = """
http_port 0.0.0.0:{port}
pid_filename {directory}/squid.pid
cache_effective_user proxy
cache_log /dev/null
access_log none
cache_store_log none
coredump_dir {directory}
cache deny all
http_access allow all
dns_nameservers 127.0.0.1
pinger_enable off
shutdown_lifetime 0 seconds
forwarded_for transparent
via off
icap_enable on
icap_service_failure_limit -1
icap_persistent_connections on
icap_preview_enable on
icap_preview_size 1024
icap_service scan respmod_precache bypass=0 icap://127.0.0.1:1344/avscan
adaptation_access scan allow all
"""

# Of e2guardian's own files: {setting: value}.
GUARDIAN_SETTINGS = {
    "filterip": "''", "filterports": str(GUARDIAN_PORT), "weightedphrasemode": "0",
    "maxcontentfiltersize": "2048", "maxcontentramcachescansize": "20000",
    "maxcontentfilecachescansize": "100000", "httpworkers": "64", "loglevel": "0",
    "nodaemon": "on", "contentscannertimeout": "60",
}


def admit_proxies():
    """The kernel as the gateway lets clients only forward."""
    run(inside(plan.GATEWAY, ["nft", "add", "rule", "inet", "gateway", "input", "iifname", "gwlan",
                              "tcp", "dport", f"{{ {SQUID_PORT}, {GUARDIAN_PORT} }}", "accept"]))


class Proxies:
    """Use as a context manager, with a lab whose gateway is the kernel."""

    def __init__(self, lab, signatures):
        self.lab = lab
        self.signatures = Path(signatures)
        self.directory = lab.directory / "proxies"
        self.programs = {}

    def __enter__(self):
        try:
            self._prepare()
            self._start_clamd()
            self._start_squid()
            self._start_guardian()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *unused):
        for program in reversed(self.programs.values()):
            program.stop()
        self.programs.clear()

    def pids(self, *names):
        return [self.programs[name].pid for name in names]

    def _prepare(self):
        self.directory.mkdir(mode=0o755)
        (self.directory / "temporary").mkdir()
        # Different users write there and clamd reads.
        (self.directory / "temporary").chmod(0o777)
        self.directory.chmod(0o777)

    def _write(self, name, text, **values):
        path = self.directory / name
        path.write_text(text.format(directory=self.directory, signatures=self.signatures, **values),
                        encoding="ascii")
        return path

    def _start(self, name, argv):
        program = Program(name, inside(plan.GATEWAY, argv), self.directory / f"{name}.log",
                          environment={"PATH": os.environ["PATH"] + ":/usr/sbin:/sbin"})
        self.programs[name] = program
        return program

    def _wait_port(self, name, port):
        self.programs[name].wait_ready(lambda: f":{port} " in run(
            inside(plan.GATEWAY, ["ss", "-Htln"])).stdout, timeout_s=60)

    def _start_clamd(self):
        program = self._start("clamd", ["clamd", "-c", self._write("clamd.conf", CLAMD)])
        program.wait_ready((self.directory / CLAMD_SOCKET).exists, timeout_s=120)

    def _start_squid(self):
        self._start("c-icap", ["c-icap", "-N", "-f", self._write("c-icap.conf", ICAP)])
        self._wait_port("c-icap", 1344)
        self._start("squid", ["squid", "-N", "-f",
                              self._write("squid.conf", SQUID, port=SQUID_PORT)])
        self._wait_port("squid", SQUID_PORT)

    def _start_guardian(self):
        """With Debian's files, but for what is set here."""
        folder = self.directory / "e2guardian"
        shutil.copytree("/etc/e2guardian", folder, symlinks=True, ignore=shutil.ignore_patterns("private"))
        for file in (path for path in folder.rglob("*") if path.is_file()):
            text = file.read_text(encoding="latin-1")
            if "/etc/e2guardian" in text:
                file.write_text(text.replace("/etc/e2guardian", str(folder)), encoding="latin-1")
        for name in ("exceptionvirusextensionlist", "exceptionvirussiteiplist"):
            (folder / "lists" / name).write_text("", encoding="ascii")
        (folder / "contentscanners" / "clamdscan.conf").write_text(
            f"plugname = 'clamdscan'\nclamdudsfile = '{self.directory / CLAMD_SOCKET}'\n",
            encoding="ascii")
        settings = dict(GUARDIAN_SETTINGS, filecachedir=f"'{self.directory / 'temporary'}'",
                        contentscanner=f"'{folder}/contentscanners/clamdscan.conf'",
                        pidfilename=f"'{self.directory}/e2guardian.pid'",
                        loglocation=f"'{self.directory}/e2guardian-access.log'",
                        daemonuser="'root'", daemongroup="'root'")
        path = folder / "e2guardian.conf"
        text = path.read_text(encoding="latin-1")
        for name in settings:
            text = re.sub(rf"(?m)^\s*{name}\s*=.*\n", "", text)
        text += "\n" + "".join(f"{name} = {value}\n" for name, value in settings.items())
        path.write_text(text, encoding="latin-1")
        self._start("e2guardian", ["e2guardian", "-N", "-c", path])
        self._wait_port("e2guardian", GUARDIAN_PORT)
