# SPDX-License-Identifier: GPL-2.0-or-later
"""Web, mail and file servers on one address of one namespace, all offering the same folder."""

from . import matrix_samples
from . import virus_samples as samples
from .commands import Program, run
from .services import PROBES, PYTHON, VSFTPD
from .topology import inside

WEB_PORT, ODD_PORT = 8000, 8001
PASSWORD = "lab"
# Who reads mail: of each of these one mail.
READERS = ("clean", "infected")

NGINX = """
user nobody nogroup;
worker_processes 1;
daemon off;
pid {directory}/nginx.pid;
error_log {directory}/error.log;
events {{ worker_connections 1024; }}
http {{
    access_log {directory}/access.log;
    client_body_temp_path {directory}/body;
    proxy_temp_path {directory}/proxy;
    fastcgi_temp_path {directory}/fastcgi;
    uwsgi_temp_path {directory}/uwsgi;
    scgi_temp_path {directory}/scgi;
    client_max_body_size 64m;
    default_type application/octet-stream;
    sendfile on;
    keepalive_requests 100000;
    server {{
        listen {address}:{port};
        root {content};
        location /as-image/ {{ alias {content}/; types {{ }} default_type image/png; }}
        location /chunked/ {{
            alias {content}/; sub_filter no-such-text-anywhere -; sub_filter_types *;
        }}
        location /on-the-fly/ {{ alias {content}/; gzip on; gzip_min_length 1; gzip_types *; }}
        location /received/ {{ alias {received}/; dav_methods PUT; create_full_put_path on; }}
        location /unique/ {{
            default_type text/plain; return 200 "This is $request_uri, never asked for before.\n";
        }}
        {coded}
    }}
}}
"""
CODED = """location /{folder}/ {{ add_header Content-Encoding "{coding}"; }}"""

# Takes every mail and puts it into {directory}/mailbox: the rest of a configuration of exim.
MAILBOX = """\
acl_smtp_rcpt = take
acl_smtp_data = take
begin acl
take:
  accept
begin routers
here:
  driver = accept
  transport = mailbox
begin transports
mailbox:
  driver = appendfile
  directory = {directory}/mailbox
  maildir_format
  create_directory
begin retry
* * F,1h,1m
"""
EXIM = """
exim_user = Debian-exim
exim_group = Debian-exim
primary_hostname = mail.example.net
spool_directory = {directory}/spool
log_file_path = {directory}/%slog
pid_file_path = {directory}/exim.pid
daemon_smtp_ports = 25
local_interfaces = {address}
domainlist local_domains = example.net
deliver_drop_privilege = true
host_lookup =
rfc1413_query_timeout = 0s
chunking_advertise_hosts = *
tls_advertise_hosts =
""" + MAILBOX

DOVECOT = """
base_dir = {directory}/run
state_dir = {directory}/state
protocols = imap pop3
listen = {address}
log_path = {directory}/log
ssl = no
disable_plaintext_auth = no
first_valid_uid = 1
mail_max_userip_connections = 100
mail_location = maildir:{directory}/readers/%u
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid=nobody gid=nogroup home={directory}/readers/%u
}}
"""


class Site:
    """`content`: what the web servers offer. `files`: what an FTP server of its own offers, None
    when one is there already."""

    def __init__(self, lab, namespace, address, directory, content, files=None):
        self.lab, self.namespace, self.address = lab, namespace, address
        self.directory, self.content, self.files = directory, content, files
        self.received = directory / "received"
        self.mailbox = directory / "exim" / "mailbox" / "new"
        self.readers = directory / "dovecot" / "readers"
        self.programs = []
        self._tries = 0

    def start(self):
        self.directory.mkdir(mode=0o755, exist_ok=True)
        self.received.mkdir()
        self.received.chmod(0o777)
        self._start_web()
        self._start_mail()
        self._start_readers()
        if self.files is not None:
            self._start_files()

    def stop(self):
        for program in reversed(self.programs):
            program.process.terminate()
        for program in reversed(self.programs):
            program.stop()
        self.programs.clear()

    def try_number(self):
        """Another one each time."""
        self._tries += 1
        return self._tries

    def url(self, path, port=WEB_PORT):
        """Another one each time: an URL is refused once something infected came from it."""
        return f"http://{self.address}:{port}/{path}?try={self.try_number()}"

    def write_mails(self, reader, mails):
        """Into the reader's folder, in this order."""
        for folder in ("new", "cur", "tmp"):
            (self.readers / reader / folder).mkdir(parents=True, exist_ok=True)
        for number, content in enumerate(mails, start=1):
            name = f"{1_000_000_000 + number}.M{number}P1.lab"
            (self.readers / reader / "new" / name).write_bytes(content)
        run(["chown", "-R", "nobody:nogroup", self.readers / reader])

    def stored_mails(self, reader):
        """What is in the reader's folder, with the line ends of the Internet."""
        return [file.read_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
                for folder in ("new", "cur") for file in (self.readers / reader / folder).iterdir()]

    def _start(self, name, argv):
        program = Program(name, inside(self.namespace, argv), self.directory / f"{name}.log")
        self.programs.append(program)
        return program

    def _start_web(self):
        directory = self.directory / "nginx"
        directory.mkdir()
        coded = "\n".join(CODED.format(folder=f"matrix/{folder}", coding=coding)
                          for folder, (coding, _) in matrix_samples.CODINGS.items())
        configuration = directory / "nginx.conf"
        configuration.write_text(NGINX.format(
            directory=directory, address=self.address, port=WEB_PORT, content=self.content,
            received=self.received, coded=coded), encoding="ascii")
        self._start("nginx-av", ["nginx", "-p", directory, "-c", configuration, "-e",
                                 directory / "error.log"])
        self._start("odd-web", [PYTHON, PROBES / "odd_web.py", self.address, ODD_PORT,
                                self.content, self.received])
        self._wait_ports(WEB_PORT, ODD_PORT)

    def _start_mail(self):
        directory = self.directory / "exim"
        directory.mkdir()
        (directory / "spool").mkdir()
        run(["chown", "-R", "Debian-exim:Debian-exim", directory])
        configuration = self.directory / "exim.conf"
        configuration.write_text(EXIM.format(directory=directory, address=self.address),
                                 encoding="ascii")
        configuration.chmod(0o644)
        self._start("exim", ["exim4", "-C", configuration, "-bdf"])
        self._wait_ports(25)

    def _start_readers(self):
        for reader, attachment in (("clean", samples.CLEAN), ("infected", samples.EICAR)):
            self.write_mails(reader, [samples.mail(attachment)])
        configuration = self.directory / "dovecot.conf"
        configuration.write_text(DOVECOT.format(
            directory=self.directory / "dovecot", address=self.address, password=PASSWORD),
            encoding="ascii")
        self._start("dovecot", ["dovecot", "-F", "-c", configuration])
        self._wait_ports(110, 143)

    def _start_files(self):
        (self.directory / "empty").mkdir()
        configuration = self.directory / "vsftpd.conf"
        configuration.write_text(VSFTPD.format(
            content=self.files, directory=self.directory / "empty"), encoding="ascii")
        self._start("vsftpd", ["vsftpd", configuration])
        self._wait_ports(21)

    def _wait_ports(self, *ports):
        def listens():
            shown = run(inside(self.namespace, ["ss", "-Htln"])).stdout
            return all(f":{port} " in shown for port in ports)
        self.programs[-1].wait_ready(listens, timeout_s=30)
