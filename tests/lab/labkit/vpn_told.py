# SPDX-License-Identifier: GPL-2.0-or-later
"""As vpn_sites, with both charons told by swanctl, so that a test can let them differ in anything:
masugatad has the site, but its own charon is not there."""

import os
import re
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


def tunnel_id(name):
    """As the configuration makes it of a site's name: FNV-1a in 31 bits."""
    number = 2166136261
    for letter in name.encode():
        number = (number ^ letter) * 16777619 & 0xffffffff
    number = (number ^ number >> 31) & 0x7fffffff
    return number or 1


class Charon:
    """One charon-systemd in a namespace of the lab."""

    def __init__(self, lab, name, namespace, kernel, sa_socket="/nonexistent"):
        self.lab = lab
        self.name = name
        self.namespace = namespace
        self.directory = Path(lab.directory) / f"charon-{name}"
        self.kernel = kernel
        self.sa_socket = sa_socket
        self.program = None

    def prepare(self):
        shutil.rmtree(self.directory, ignore_errors=True)
        (self.directory / "swanctl").mkdir(parents=True, mode=0o700)
        plugins = self.directory / "plugins"
        shutil.copytree(PLUGINS, plugins)
        shutil.copy(plugin_path(), plugins)
        text = STRONGSWAN_CONF.format(directory=self.directory, kernel=self.kernel,
                                      sa_socket=self.sa_socket)
        (self.directory / "strongswan.conf").write_text(text, encoding="utf-8")

    def _environment(self):
        return {"STRONGSWAN_CONF": f"{self.directory}/strongswan.conf",
                "SWANCTL_DIR": f"{self.directory}/swanctl"}

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
        (self.directory / "vici.sock").unlink(missing_ok=True)

    def swanctl(self, *words, check=True, timeout_s=20):
        command, *rest = words
        settings = [f"{name}={value}" for name, value in self._environment().items()]
        return run(inside(self.namespace, ["env", *settings, "swanctl", command, *rest, "--uri",
                                           f"unix://{self.directory}/vici.sock"]),
                   timeout_s=timeout_s, check=check)

    def load(self, **values):
        text = SWANCTL_CONF.format(**{"site": SITE, "secret": SECRET, "rekey": "50m",
                                      "esp": "aes128gcm16-x25519", "tunnel": "", **values})
        (self.directory / "swanctl" / "swanctl.conf").write_text(text, encoding="utf-8")
        self.swanctl("--load-all", "--noprompt")

    def log(self):
        file = self.directory / "charon.log"
        return file.read_text(encoding="utf-8", errors="replace") if file.exists() else ""


class Branch:
    """Raises both charons on a running lab; a context manager. The gateway gets a site."""

    def __init__(self, lab):
        self.lab = lab
        self.before = None
        self.head = Charon(lab, "head", plan.GATEWAY, "kernel-masugata!",
                           Path(lab.directory) / "sa.sock")
        self.branch = Charon(lab, "branch", plan.FAR, "kernel-libipsec!")

    def __enter__(self):
        gateway = self.lab.gateway
        self.before = gateway.configuration.read_text(encoding="utf-8")
        gateway.configuration.write_text(
            self.before.replace(FROM_WAN, FROM_WAN + IKE_RULE, 1) + CONFIGURATION, encoding="utf-8")
        gateway.reload()
        configure(plan.FAR, f"address add {BRANCH_HOST}/32 dev lo")
        for charon in (self.head, self.branch):
            charon.prepare()
            charon.start()
        self.load()
        return self

    def load(self, **changes):
        number = tunnel_id(SITE)
        self.head.load(local=plan.PUBLIC, remote=plan.FAR_HOST, local_network=plan.LAN_NET,
                       remote_network=BRANCH_NETWORK,
                       tunnel=f"if_id_in = {number}\n    if_id_out = {number}", **changes)
        self.branch.load(local=plan.FAR_HOST, remote=plan.PUBLIC, local_network=BRANCH_NETWORK,
                         remote_network=plan.LAN_NET, **changes)

    def initiate(self, side=None, timeout_s=10):
        """Whether the tunnel came up."""
        return (side or self.branch).swanctl("--initiate", "--child", SITE, "--timeout", timeout_s,
                                             check=False).returncode == 0

    def __exit__(self, *_):
        for charon in (self.branch, self.head):
            charon.stop()
        run(["ip", "-n", plan.FAR, "address", "del", f"{BRANCH_HOST}/32", "dev", "lo"], check=False)
        if self.before is not None:
            self.lab.gateway.configuration.write_text(self.before, encoding="utf-8")
            self.lab.gateway.reload()

    def spis(self):
        """Of the child SAs that the gateway's charon has installed."""
        listed = self.head.swanctl("--list-sas", "--raw", check=False).stdout
        return set(re.findall(r"state=INSTALLED .*?spi-in=([0-9a-f]+)", listed))

    def wait_for_sas(self, count, timeout_s=10):
        def seen():
            return self.head.swanctl("--list-sas", check=False).stdout.count("INSTALLED") == count
        return wait_until(seen, timeout_s, 0.2)
