# SPDX-License-Identifier: GPL-2.0-or-later
"""The real programs of the lab: web, name, file transfer and measuring servers."""

import hashlib
import random
import sys
from pathlib import Path

from . import addresses as plan
from .commands import LabError, Program, run
from .topology import inside

PYTHON = sys.executable
PROBES = Path(__file__).resolve().parent / "probes"
LARGE_FILE_BYTES = 32 * 1024 * 1024
SMALL_FILE_BYTES = 300_000
LOSSY_FILE_BYTES = 1_500_000

NGINX = """
user {user};
worker_processes 1;
daemon off;
pid {directory}/nginx.pid;
error_log {directory}/error.log;
events {{ worker_connections 4096; }}
http {{
    access_log {directory}/access.log;
    client_body_temp_path {directory}/body;
    proxy_temp_path {directory}/proxy;
    fastcgi_temp_path {directory}/fastcgi;
    uwsgi_temp_path {directory}/uwsgi;
    scgi_temp_path {directory}/scgi;
    default_type application/octet-stream;
    sendfile on;
    server {{
        listen 80 default_server backlog=4096;
        listen [::]:80 default_server ipv6only=on backlog=4096;
        listen 443 ssl default_server;
        listen [::]:443 ssl default_server ipv6only=on;
        ssl_certificate {directory}/certificate.pem;
        ssl_certificate_key {directory}/key.pem;
        root {content};
        location = /who {{ default_type text/plain; return 200 "$remote_addr"; }}
        location = /name {{ default_type text/plain; return 200 "{name}"; }}
    }}
}}
"""

VSFTPD = """
listen=NO
listen_ipv6=YES
background=NO
anonymous_enable=YES
anon_root={content}
no_anon_password=YES
local_enable=NO
write_enable=YES
anon_upload_enable=YES
anon_umask=022
ascii_download_enable=YES
ascii_upload_enable=YES
connect_from_port_20=YES
port_enable=YES
pasv_enable=YES
pasv_min_port=40000
pasv_max_port=40999
use_localtime=NO
xferlog_enable=NO
seccomp_sandbox=NO
isolate=NO
isolate_network=NO
one_process_model=NO
secure_chroot_dir={directory}
ftp_username=ftp
nopriv_user=nobody
"""


class Services:
    """Starts every server of the lab and ends them. The files that they offer are made once;
    their SHA-256 sums are in large_sum and small_sum."""

    def __init__(self, directory):
        self.directory = Path(directory)
        self.programs = []
        self.content = self.directory / "content"
        self.large_sum = ""
        self.small_sum = ""

    def start(self):
        self._make_files()
        self._start_web(plan.WAN, "internet")
        self._start_web(plan.DMZ, "published")
        self._start_names()
        for namespace in (plan.WAN, plan.DMZ):
            self._start_file_transfer(namespace)
        # Several addresses in one namespace: a wildcard UDP socket would answer from another
        # address than the one asked, so there is a server for each address.
        own_addresses = {plan.WAN: (plan.INTERNET, plan.INTERNET_V6),
                         plan.DMZ: (plan.SERVER, plan.SERVER_V6),
                         plan.LAN: (plan.CLIENT, plan.CLIENT_V6)}
        for namespace, own in own_addresses.items():
            for address in own:
                self._start("iperf3", namespace, [
                    "iperf3", "-s", "-p", plan.IPERF_PORT, "-B", address])
            self._start("servers", namespace, [
                PYTHON, PROBES / "servers.py", "--udp-echo", plan.UDP_ECHO_PORT,
                *(word for address in own for word in ("--address", address))])
        self._start("servers", plan.FAR, [PYTHON, PROBES / "servers.py", "--tcp-digest", 9000])
        self._wait_listening()

    def start_in_gateway(self):
        """What the box itself offers: a name server for LAN and something on the SSH port."""
        self._start("dnsmasq", plan.GATEWAY, [
            "dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--no-resolv", "--no-hosts",
            f"--server={plan.INTERNET}", "--user=root", "--pid-file",
            "--cache-size=0", "--log-facility=-"])
        self._start("servers", plan.GATEWAY, [PYTHON, PROBES / "servers.py", "--tcp-banner", 22])

    def web_log(self, namespace):
        """The requests that the web server of a namespace has answered."""
        return (self.directory / f"nginx-{namespace}" / "access.log").read_text(encoding="utf-8")

    def stop(self):
        for program in reversed(self.programs):
            program.process.terminate()
        for program in reversed(self.programs):
            program.stop(grace_s=2)
        self.programs.clear()

    def _start(self, name, namespace, argv):
        log = self.directory / f"{name}-{namespace}.log"
        program = Program(f"{name} in {namespace}", inside(namespace, argv), log)
        self.programs.append(program)
        return program

    def _make_files(self):
        self.content.mkdir()
        incoming = self.content / "incoming"
        incoming.mkdir()
        incoming.chmod(0o777)
        content = random.Random(1).randbytes(LARGE_FILE_BYTES)
        (self.content / "large.bin").write_bytes(content)
        (self.content / "small.bin").write_bytes(content[:SMALL_FILE_BYTES])
        (self.content / "index.html").write_text("<p>Masugata lab</p>\n", encoding="ascii")
        (self.content / "lossy.bin").write_bytes(content[-LOSSY_FILE_BYTES:])
        (self.content / "malicious.txt").write_text(
            "An ordinary beginning.\n" * 100 + "LAB-MALICIOUS-CONTENT\n", encoding="ascii")
        self.large_sum = hashlib.sha256(content).hexdigest()
        self.small_sum = hashlib.sha256(content[:SMALL_FILE_BYTES]).hexdigest()

    def _start_web(self, namespace, name):
        directory = self.directory / f"nginx-{namespace}"
        directory.mkdir()
        run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
             "-nodes", "-days", "30", "-subj", f"/CN={name}.example.net",
             "-keyout", directory / "key.pem", "-out", directory / "certificate.pem"])
        configuration = directory / "nginx.conf"
        configuration.write_text(NGINX.format(
            user="nobody nogroup", directory=directory, content=self.content, name=name),
            encoding="ascii")
        self._start("nginx", namespace, [
            "nginx", "-p", directory, "-c", configuration, "-e", directory / "error.log"])

    def _start_names(self):
        self._start("dnsmasq", plan.WAN, [
            "dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--no-resolv", "--no-hosts",
            f"--listen-address={plan.INTERNET},{plan.INTERNET_V6}", "--bind-interfaces",
            f"--host-record={plan.NAME},{plan.INTERNET},{plan.INTERNET_V6}",
            "--user=root", "--pid-file", "--log-facility=-"])

    def _start_file_transfer(self, namespace):
        directory = self.directory / f"vsftpd-{namespace}"
        (directory / "empty").mkdir(parents=True)
        configuration = directory / "vsftpd.conf"
        configuration.write_text(VSFTPD.format(
            content=self.content, directory=directory / "empty"), encoding="ascii")
        self._start("vsftpd", namespace, ["vsftpd", configuration])

    def _wait_listening(self):
        wanted = {
            plan.WAN: {"tcp": {21, 53, 80, 443, plan.IPERF_PORT}, "udp": {53, plan.UDP_ECHO_PORT}},
            plan.DMZ: {"tcp": {21, 80, 443, plan.IPERF_PORT}, "udp": {plan.UDP_ECHO_PORT}},
            plan.LAN: {"tcp": {plan.IPERF_PORT}, "udp": {plan.UDP_ECHO_PORT}},
            plan.FAR: {"tcp": {9000}, "udp": set()},
        }
        for namespace, ports in wanted.items():
            program = next(p for p in self.programs if p.name.endswith(namespace))
            try:
                program.wait_ready(lambda n=namespace, p=ports: _listens(n, p), timeout_s=15)
            except LabError as error:
                seen = {kind: sorted(_listening(namespace, kind)) for kind in ("tcp", "udp")}
                logs = "".join(f"\n[{p.name}] {p.log()[-500:]}" for p in self.programs
                               if p.name.endswith(namespace))
                raise LabError(f"{namespace}: wanted {ports}, listening {seen}{logs}") from error


def _listening(namespace, kind):
    flags = "-Htln" if kind == "tcp" else "-Huln"
    listed = run(inside(namespace, ["ss", flags])).stdout
    return {int(line.split()[3].rsplit(":", 1)[1]) for line in listed.splitlines() if line.strip()}


def _listens(namespace, ports):
    return all(wanted <= _listening(namespace, kind) for kind, wanted in ports.items())
