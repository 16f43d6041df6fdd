# SPDX-License-Identifier: GPL-2.0-or-later
"""Two charons in network namespaces, each with our plugin and a recorder in masugatad's place."""

import array
import datetime
import itertools
import json
import os
import re
import shutil
import signal
import subprocess
import threading
from pathlib import Path

import pytest

from .commands import LabError, run, wait_until

PLUGIN = "libstrongswan-kernel-masugata.so"
PLUGINS = Path("/usr/lib/ipsec/plugins")
CHARON = "/usr/sbin/charon-systemd"
ADDRESSES = {"a": "192.0.2.1", "b": "192.0.2.2"}
NETWORKS = {"a": "10.1.0.0/24", "b": "10.2.0.0/24"}
TIMEOUT_MS = 1500

# The plugin is marked as critical: without it charon must not run, or SAs would go to the kernel.
STRONGSWAN_CONF = """
charon-systemd {{
  load = random nonce openssl pem pkcs1 pkcs8 x509 pubkey constraints revocation hmac kdf \
kernel-masugata! kernel-netlink socket-default vici
  retransmit_tries = 2
  retransmit_timeout = 1.0
  delete_rekeyed_delay = 1
  journal {{ default = -1 }}
  filelog {{
    main {{
      path = {directory}/charon.log
      flush_line = yes
      default = 1
      knl = 2
      chd = 2
      ike = 2
      cfg = 2
    }}
  }}
  plugins {{
    kernel-masugata {{
      socket = {directory}/sa.sock
      timeout_ms = {timeout_ms}
    }}
    vici {{ socket = unix://{directory}/vici.sock }}
  }}
}}
swanctl {{
  load = pem pkcs1 x509 pubkey openssl random
}}
"""

SWANCTL_CONF = """
connections {{
  site {{
    version = 2
    local_addrs = {local}
    remote_addrs = {remote}
    proposals = {ike}
    mobike = {mobike}
    encap = {encap}
    if_id_in = 42
    if_id_out = 42
    local {{ auth = {auth}
      {certificate}
      id = gw-{me}.example }}
    remote {{ auth = {auth}
      id = {expected_identity} }}
    children {{
      net {{
        local_ts = {local_network}
        remote_ts = {remote_network}
        esp_proposals = {esp}
        start_action = {start_action}
        replay_window = 1024
        rekey_time = 50m
        life_time = 60m
      }}
    }}
  }}
}}
secrets {{
  ike-site {{
    id-a = gw-a.example
    id-b = gw-b.example
    secret = "{secret}"
  }}
}}
"""

DEFAULTS = {
    "ike": "aes256gcm16-prfsha384-ecp384",
    "esp": "aes128gcm16-ecp256-esn",
    "encap": "no",
    "mobike": "no",
    "auth": "psk",
    "certificate": "",
    "start_action": "none",
    "secret": "a secret of the lab",
}


def plugin_path():
    """Where ./dev build has put the plugin."""
    build = Path(os.environ.get("MASUGATA_BUILD_DIR",
                                Path(__file__).resolve().parents[3] / "build"))
    return build / "charon-plugin" / PLUGIN


# For tests with charon.
NEEDED = [
    pytest.mark.skipif(not Path(CHARON).exists(), reason="charon-systemd is not installed"),
    pytest.mark.skipif(not plugin_path().exists(),
                       reason="the plugin is not built: packaging/charon-plugin/build.sh says why"),
]


def recorder_path():
    return plugin_path().parents[1] / "tests" / "ipsec" / "sa_recorder"


class Authority:
    """A certification authority of the lab, made by strongSwan's pki."""

    def __init__(self, directory, name):
        directory.mkdir(mode=0o700)
        self.directory = directory
        self.key = self._generate("ca")
        self.certificate = self._write("ca.pem", pki(
            "--self", "--ca", "--in", self.key, "--type", "ecdsa", "--dn", f"CN={name}",
            "--outform", "pem"))

    def _generate(self, name):
        return self._write(f"{name}-key.pem", pki("--gen", "--type", "ecdsa", "--outform", "pem"))

    def _write(self, name, text):
        file = self.directory / name
        file.write_text(text, encoding="utf-8")
        return file

    def equip(self, site, trusted, days=(-1, 30)):
        """Gives the site a certificate, valid for those days from today, and the authority that it
        trusts."""
        key = self._generate(site.me)
        today = datetime.datetime.now(datetime.timezone.utc)
        first, last = ((today + datetime.timedelta(days=day)).strftime("%d.%m.%y %H:%M:%S")
                       for day in days)
        text = pki("--issue", "--cacert", self.certificate, "--cakey", self.key, "--in", key,
                   "--type", "ecdsa", "--dn", f"CN=gw-{site.me}.example", "--san",
                   f"gw-{site.me}.example", "--not-before", first, "--not-after", last,
                   "--outform", "pem")
        swanctl = site.directory / "swanctl"
        for folder in ("x509", "x509ca", "ecdsa"):
            (swanctl / folder).mkdir(exist_ok=True)
        (swanctl / "x509" / "site.pem").write_text(text, encoding="utf-8")
        shutil.copy(key, swanctl / "ecdsa" / "site.pem")
        shutil.copy(trusted.certificate, swanctl / "x509ca" / "ca.pem")


def pki(*words):
    return run(["pki", *words]).stdout


class Recorder:
    """sa_recorder, its events, and commands for it."""

    def __init__(self, directory):
        self.directory = directory
        self.events = []
        self.process = None

    def start(self):
        self.process = subprocess.Popen(
            [recorder_path(), self.directory / "sa.sock", self.directory / "keys"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        threading.Thread(target=self._read, args=(self.process,), daemon=True).start()
        self.expect("listening")

    def _read(self, process):
        with (self.directory / "recorder.log").open("a", encoding="utf-8") as log:
            for line in process.stdout:
                log.write(line)
                log.flush()
                self.events.append(json.loads(line))

    def tell(self, command):
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()

    def find(self, event, since=0, **fields):
        """All events of that kind from number `since` on, whose fields are those."""
        return [seen for seen in list(self.events)[since:] if seen["event"] == event
                and all(seen.get(name) == value for name, value in fields.items())]

    def expect(self, event, since=0, count=1, timeout_s=15, **fields):
        """Waits for `count` such events; returns the last of them."""
        if not wait_until(lambda: len(self.find(event, since, **fields)) >= count, timeout_s):
            raise AssertionError(f"no {count} events {event} {fields} at {self.directory.name}; seen "
                                 f"{[seen['event'] for seen in self.events[since:]]}")
        return self.find(event, since, **fields)[count - 1]

    def mark(self):
        return len(self.events)

    def state(self):
        """What the recorder holds now."""
        since = self.mark()
        self.tell("state")
        return self.expect("state", since)

    def kill(self):
        """As kill -9 does."""
        end(self.process, signal.SIGKILL)
        self.process = None


class Site:
    """One side: namespace, charon, recorder."""

    def __init__(self, me, directory):
        self.me = me
        self.namespace = f"msg-ike-{me}"
        self.directory = directory / me
        self.recorder = Recorder(self.directory)
        self.charon = None
        self.plugins = directory / "plugins"

    def prepare(self):
        (self.directory / "swanctl").mkdir(parents=True, mode=0o700)
        conf = STRONGSWAN_CONF.format(directory=self.directory, timeout_ms=TIMEOUT_MS)
        (self.directory / "strongswan.conf").write_text(conf, encoding="utf-8")

    def in_namespace(self, words):
        return ["ip", "netns", "exec", self.namespace, "env",
                f"STRONGSWAN_CONF={self.directory}/strongswan.conf",
                f"SWANCTL_DIR={self.directory}/swanctl", *words]

    def start_charon(self, plugins=None):
        # ip netns exec gives a mount namespace of its own: the system's plugins stay untouched.
        script = f"mount --bind {plugins or self.plugins} {PLUGINS} && exec {CHARON}"
        with (self.directory / "charon.out").open("ab") as output:
            self.charon = subprocess.Popen(self.in_namespace(["sh", "-c", script]),
                                           stdin=subprocess.DEVNULL, stdout=output, stderr=output)

    def wait_for_charon(self):
        def answers():
            return self.swanctl("--stats", check=False).returncode == 0
        if not wait_until(answers, 20, 0.1):
            raise LabError(f"charon does not start: {self.log()[-2000:]}")

    def end_charon(self, number=signal.SIGTERM):
        end(self.charon, number)
        self.charon = None
        (self.directory / "vici.sock").unlink(missing_ok=True)

    def swanctl(self, *words, check=True, timeout_s=20):
        command, *rest = words
        return run(self.in_namespace(["swanctl", command, *rest, "--uri",
                                      f"unix://{self.directory}/vici.sock"]),
                   timeout_s=timeout_s, check=check)

    def load(self, **changes):
        peer = "b" if self.me == "a" else "a"
        values = {**DEFAULTS, "me": self.me, "local": ADDRESSES[self.me],
                  "remote": ADDRESSES[peer], "local_network": NETWORKS[self.me],
                  "remote_network": NETWORKS[peer], "expected_identity": f"gw-{peer}.example",
                  **changes}
        file = self.directory / "swanctl" / "swanctl.conf"
        file.write_text(SWANCTL_CONF.format(**values), encoding="utf-8")
        self.swanctl("--load-all", "--noprompt")

    def initiate(self, timeout_s=10):
        """Whether the tunnel came up."""
        return self.swanctl("--initiate", "--child", "net", "--timeout", timeout_s,
                            check=False).returncode == 0

    def log(self):
        file = self.directory / "charon.log"
        return file.read_text(encoding="utf-8", errors="replace") if file.exists() else ""

    def stop(self):
        if self.charon:
            self.end_charon()
        if self.recorder.process:
            self.recorder.kill()


class CharonPair:
    """Sites a and b, joined by a veth pair. A context manager."""

    def __init__(self, directory):
        self.directory = Path(directory)
        self.a = Site("a", self.directory)
        self.b = Site("b", self.directory)
        self.sites = (self.a, self.b)

    def __enter__(self):
        try:
            self._raise()
        except BaseException:
            self.__exit__()
            raise
        return self

    def _raise(self):
        self._remove_namespaces()
        shutil.copytree(PLUGINS, self.directory / "plugins")
        shutil.copy(plugin_path(), self.directory / "plugins")
        for site in self.sites:
            site.prepare()
            run(["ip", "netns", "add", site.namespace])
            run(["ip", "-n", site.namespace, "link", "set", "lo", "up"])
        run(["ip", "-n", self.a.namespace, "link", "add", "wan", "type", "veth", "peer", "name",
             "wan", "netns", self.b.namespace])
        for site in self.sites:
            run(["ip", "-n", site.namespace, "addr", "add", f"{ADDRESSES[site.me]}/24", "dev",
                 "wan"])
            run(["ip", "-n", site.namespace, "link", "set", "wan", "up"])
        for site in self.sites:
            site.recorder.start()
            site.start_charon()
        for site in self.sites:
            site.wait_for_charon()
            site.recorder.expect("connected")

    def __exit__(self, *_):
        for site in self.sites:
            site.stop()
        self._remove_namespaces()

    def _remove_namespaces(self):
        for site in self.sites:
            run(["ip", "netns", "del", site.namespace], check=False)

    def connect(self, **changes):
        """Loads the same on both sides and brings the tunnel up from a."""
        for site in self.sites:
            site.load(**changes)
        assert self.a.initiate(), self.a.log()[-2000:]

    def keys(self):
        """Every key that a recorder was given, as bytes."""
        found = set()
        for site in self.sites:
            file = site.directory / "keys"
            if file.exists():
                found |= {bytes.fromhex(line) for line in file.read_text().split()}
        return found


def end(process, number):
    process.send_signal(number)
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(10)


def count_in_memory(process, keys):
    """How many copies of the keys' first 16 bytes the process has in memory that it may write."""
    found = 0
    with open(f"/proc/{process.pid}/mem", "rb", buffering=0) as memory:
        for first, last in touched_pages(process.pid):
            memory.seek(first)
            content = memory.read(last - first)
            found += sum(content.count(key[:16]) for key in keys)
    return found


def touched_pages(pid):
    """(first, last) addresses of writable memory that is there: of the stacks most never was."""
    page_bytes = os.sysconf("SC_PAGE_SIZE")
    with open(f"/proc/{pid}/pagemap", "rb", buffering=0) as pagemap:
        for line in Path(f"/proc/{pid}/maps").read_text(encoding="utf-8").splitlines():
            place, permissions = line.split()[:2]
            if not permissions.startswith("rw"):
                continue
            first, last = (int(number, 16) for number in place.split("-"))
            pagemap.seek(first // page_bytes * 8)
            pages = array.array("Q", pagemap.read((last - first) // page_bytes * 8))
            # In memory or swapped out: the two highest bits.
            for there, run_of in itertools.groupby(enumerate(pages), lambda page: page[1] >> 62):
                numbers = [number for number, _ in run_of]
                if there:
                    yield first + numbers[0] * page_bytes, first + (numbers[-1] + 1) * page_bytes


def spis(events):
    return {(event["direction"], event["spi"]) for event in events}


def order_of(events, *patterns):
    """The number of the first event that matches each pattern (event name and a regular expression
    that the event as JSON contains)."""
    numbers = []
    for name, pattern in patterns:
        numbers.append(next((number for number, event in enumerate(events)
                             if event["event"] == name and re.search(pattern, json.dumps(event))),
                            None))
    return numbers
