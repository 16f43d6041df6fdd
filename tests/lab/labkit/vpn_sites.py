# SPDX-License-Identifier: GPL-2.0-or-later
"""A branch office behind the Internet: strongSwan with its own ESP in msg-far, and charon with our
plugin beside masugatad, which tells it everything."""

import json
import os
import shutil
import signal
from pathlib import Path

from . import addresses as plan
from .charon_pair import CHARON, PLUGINS, plugin_path
from .commands import Program, run, wait_until
from .topology import configure, inside

BRANCH_HOST = "10.9.0.5"
BRANCH_NETWORK = "10.9.0.0/24"
SITE = "osaka"
SECRET = "a secret of the lab"

# What is appended to gateway.conf.
CONFIGURATION = f"""
zones {{ zone branches {{ }} }}
vpn {{
    site {SITE} {{
        zone branches;
        peer {plan.FAR_HOST};
        local-interface wan0;
        authentication {{ psk "{SECRET}"; }}
        local-networks {plan.LAN_NET};
        remote-networks {BRANCH_NETWORK};
        mtu 1280;
    }}
}}
policy {{
    from lan to branches {{ rule all {{ action permit; inspect {{ ips standard; }} }} }}
    from branches to lan {{ rule all {{ action permit; inspect {{ ips standard; }} }} }}
}}
"""

# IKE is traffic to the gateway like any other: a rule permits it.
FROM_WAN = "    from wan to self {\n"
IKE_RULE = """        rule ike { protocol udp; destination { port [ 500 4500 ]; } action permit; }
"""

STRONGSWAN_CONF = """
charon-systemd {{
  load = random nonce openssl pem pkcs1 pkcs8 x509 pubkey constraints hmac kdf {kernel} \
kernel-netlink socket-default vici
  retransmit_tries = 2
  retransmit_timeout = 1.0
  delete_rekeyed_delay = 1
  install_virtual_ip = no
  journal {{ default = -1 }}
  filelog {{
    main {{
      path = {directory}/charon.log
      flush_line = yes
      default = 1
    }}
  }}
  plugins {{
    kernel-masugata {{ socket = {sa_socket} }}
    vici {{ socket = unix://{directory}/vici.sock }}
  }}
}}
swanctl {{
  load = pem pkcs1 x509 pubkey openssl random
}}
"""

SWANCTL_CONF = """
connections {{
  {site} {{
    version = 2
    local_addrs = {local}
    remote_addrs = {remote}
    proposals = aes128gcm16-prfsha256-x25519
    mobike = no
    {tunnel}
    local {{ auth = psk
      id = {local} }}
    remote {{ auth = psk
      id = {remote} }}
    children {{
      {site} {{
        local_ts = {local_network}
        remote_ts = {remote_network}
        esp_proposals = {esp}
        replay_window = 1024
        rekey_time = {rekey}
        life_time = 60m
      }}
    }}
  }}
}}
secrets {{
  ike-site {{
    id-a = {local}
    id-b = {remote}
    secret = "{secret}"
  }}
}}
"""


class Charon:
    """One charon-systemd in a namespace of the lab, with its plugins where it looks for them."""

    def __init__(self, lab, name, namespace):
        self.lab = lab
        self.name = name
        self.namespace = namespace
        self.directory = Path(lab.directory) / f"charon-{name}"
        self.settings = self.directory / "strongswan.conf"
        self.socket = self.directory / "vici.sock"
        self.log_file = self.directory / "charon.log"
        self.program = None

    def prepare(self):
        shutil.rmtree(self.directory, ignore_errors=True)
        (self.directory / "swanctl").mkdir(parents=True, mode=0o700)
        plugins = self.directory / "plugins"
        shutil.copytree(PLUGINS, plugins)
        shutil.copy(plugin_path(), plugins)

    def _environment(self):
        return {"STRONGSWAN_CONF": str(self.settings), "SWANCTL_DIR": f"{self.directory}/swanctl"}

    def start(self):
        script = f"mount --bind {self.directory}/plugins {PLUGINS} && exec {CHARON}"
        self.program = Program(f"charon-{self.name}", inside(self.namespace, ["sh", "-c", script]),
                               self.directory / "charon.out", self._environment())
        self.program.wait_ready(
            lambda: self.swanctl("--stats", check=False).returncode == 0, timeout_s=20)

    def kill(self):
        """As kill -9 does; what started it goes with it."""
        os.killpg(self.program.pid, signal.SIGKILL)
        self.program.wait(5)
        self.stop()

    def stop(self):
        if self.program is not None:
            self.program.stop(grace_s=5)
            self.program = None
        self.socket.unlink(missing_ok=True)

    def swanctl(self, *words, check=True, timeout_s=20):
        command, *rest = words
        settings = [f"{name}={value}" for name, value in self._environment().items()]
        return run(inside(self.namespace, ["env", *settings, "swanctl", command, *rest, "--uri",
                                           f"unix://{self.socket}"]),
                   timeout_s=timeout_s, check=check)

    def log(self):
        file = self.log_file
        return file.read_text(encoding="utf-8", errors="replace") if file.exists() else ""

    def ike_sas(self):
        """How many there are, as swanctl sees them: a look from outside, on either side."""
        listed = self.swanctl("--list-sas", check=False).stdout
        return sum(line.startswith(f"{SITE}: #") for line in listed.splitlines())


class HeadCharon(Charon):
    """Headquarters': settings, connections and secrets come from masugatad."""

    def __init__(self, lab):
        super().__init__(lab, "head", plan.GATEWAY)
        self.settings = lab.gateway.charon_settings
        self.socket = lab.gateway.charon_socket
        self.log_file = lab.gateway.charon_log

    def rekey(self):
        self.lab.gateway.command("request", "vpn", SITE, "rekey")


class WrittenCharon(Charon):
    """Somebody wrote its strongswan.conf and swanctl.conf. `ends` fills SWANCTL_CONF: local, remote,
    local_network, remote_network, and what ties it to a tunnel."""

    def __init__(self, lab, name, namespace, kernel, ends, sa_socket="/nonexistent"):
        super().__init__(lab, name, namespace)
        self.kernel = kernel
        self.ends = {"tunnel": "", **ends}
        self.sa_socket = sa_socket

    def prepare(self):
        super().prepare()
        self.settings.write_text(STRONGSWAN_CONF.format(
            directory=self.directory, kernel=self.kernel, sa_socket=self.sa_socket),
            encoding="utf-8")

    def load(self, **changes):
        values = {"site": SITE, "secret": SECRET, "rekey": "50m", "esp": "aes128gcm16-x25519",
                  **self.ends, **changes}
        (self.directory / "swanctl" / "swanctl.conf").write_text(
            SWANCTL_CONF.format(**values), encoding="utf-8")
        self.swanctl("--load-all", "--noprompt")

    def initiate(self, timeout_s=10):
        """Whether the tunnel came up."""
        return self.swanctl("--initiate", "--child", SITE, "--timeout", timeout_s,
                            check=False).returncode == 0

    def rekey(self):
        self.swanctl("--rekey", "--child", SITE)


def branch_charon(lab):
    return WrittenCharon(lab, "branch", plan.FAR, "kernel-libipsec!", {
        "local": plan.FAR_HOST, "remote": plan.PUBLIC, "local_network": BRANCH_NETWORK,
        "remote_network": plan.LAN_NET})


class Branch:
    """Raises both charons on a running lab; a context manager. The gateway gets a site, and begins
    it."""

    def __init__(self, lab):
        self.lab = lab
        self.before = None
        self.explained = ""  # what `show vpn SITE why` said of a branch that was configured otherwise
        self.head = HeadCharon(lab)
        self.branch = branch_charon(lab)

    def __enter__(self):
        gateway = self.lab.gateway
        self.before = gateway.configuration.read_text(encoding="utf-8")
        configure(plan.FAR, f"address add {BRANCH_HOST}/32 dev lo")
        try:
            for charon in (self.head, self.branch):
                charon.prepare()
            self.branch.start()
            self.branch.load()
            self.configure()
            self.head.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def configure(self, old="", new=""):
        """Puts the gateway's configuration into force, its site changed. What it said."""
        self.write_configuration(old, new)
        return self.lab.gateway.command("reload", check=False)

    def write_configuration(self, old="", new=""):
        assert old in CONFIGURATION
        self.lab.gateway.configuration.write_text(
            self.before.replace(FROM_WAN, FROM_WAN + IKE_RULE, 1)
            + CONFIGURATION.replace(old, new, 1), encoding="utf-8")

    def __exit__(self, *_):
        for charon in (self.branch, self.head):
            charon.stop()
        run(["ip", "-n", plan.FAR, "address", "del", f"{BRANCH_HOST}/32", "dev", "lo"], check=False)
        if self.before is not None:
            self.lab.gateway.configuration.write_text(self.before, encoding="utf-8")
            self.lab.gateway.reload()

    def site(self):
        """As `masugata show vpn` has it."""
        answer = self.lab.gateway.command("show", "vpn", SITE, "--json", check=False)
        return json.loads(answer.stdout)["sites"][0] if answer.returncode == 0 else {}

    def state(self):
        return self.site().get("state")

    def comes_up(self, timeout_s=25):
        return wait_until(lambda: self.state() == "up", timeout_s, 0.3)

    def sas(self):
        """The child SAs in force."""
        return [sa for ike in self.site().get("ike_sas", []) for sa in ike["sas"]
                if sa["state"] == "INSTALLED"]

    def spis(self):
        return {sa["spi_in"] for sa in self.sas()}

    def act(self, action):
        return self.lab.gateway.command("request", "vpn", SITE, action, check=False)
