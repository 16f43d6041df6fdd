# SPDX-License-Identifier: GPL-2.0-or-later
"""A closed network as docs/vpn.md describes it: a branch with a masugatad of its own, whose only exit
is the tunnel to headquarters, which is the lab's gateway.

 msg-branch ── brlan   msg-peer   brwan ── peer0   msg-edge ── msg-wan ── msg-gw ── msg-lan
 clients 10.22.0.10    masugatad  198.51.100.146   the provider's router   headquarters, resolver
"""

import os
import shutil
from pathlib import Path

from . import addresses as plan
from . import vpn_edge as edge
from .charon_pair import CHARON, PLUGINS, plugin_path
from .commands import LabError, Program, run, wait_until
from .gateways import MasugataGateway, build_directory
from .topology import configure, inside, set_kernel_settings, turn_offloads_off
from .vpn_head import FROM_WAN, IKE_RULE, PKI

SITE = "headquarters"
CLIENT, GATEWAY, NETWORK = "10.22.0.10", "10.22.0.1", "10.22.0.0/16"
RESOLVER = plan.CLIENT_SECOND
PASSWORD = "carried by hand"

# docs/vpn.md, with the addresses of the lab. That somebody also permits everything towards the provider
# makes no difference.
BRANCH = f"""
system {{ host-name branch; hw-profile lab; }}
interfaces {{
    interface wan0 {{ device net_af_xdp0,iface=brwan; address {edge.PEER}/28; }}
    interface lan0 {{ device net_af_xdp1,iface=brlan; address {GATEWAY}/16; }}
}}
zones {{ zone wan {{ interface wan0; }} zone lan {{ interface lan0; }} zone headquarters {{ }} }}
vpn {{
    site {SITE} {{
        peer {plan.PUBLIC}; local-interface wan0; zone headquarters; closed-network;
        authentication {{
            certificate sendai; ca sendai;
            local-identity sendai.example.com; remote-identity hq.example.com;
        }}
        local-networks {NETWORK}; remote-networks 0.0.0.0/0;
    }}
}}
routes {{ route 0.0.0.0/0 {{ via {edge.ROUTER}; }} }}
policy {{
    from lan to headquarters {{ rule all {{ action permit; }} }}
    from lan to wan {{ rule all {{ action permit; }} }}
    from wan to self {{ rule ike {{ service [ isakmp ipsec-nat-t ]; action permit; }} }}
}}
"""
HEADQUARTERS = f"""
zones {{ zone branches {{ }} }}
vpn {{
    site sendai {{
        peer any; zone branches;
        authentication {{
            certificate hq; ca own;
            local-identity hq.example.com; remote-identity sendai.example.com;
        }}
        local-networks 0.0.0.0/0; remote-networks {NETWORK};
    }}
}}
policy {{
    from branches to lan {{ rule dns {{ destination {{ address {RESOLVER}; }} service dns; action permit; }} }}
    from branches to wan {{ rule web {{ service [ http https ]; action permit; inspect {{ ips standard; av standard; }} }} }}
}}
nat {{ source {{ rule out-branches {{ from branches; to wan; translate interface; }} }} }}
"""


class Charon:
    """charon with our plugin, beside a masugatad that tells it everything."""

    def __init__(self, lab, gateway, namespace):
        self.gateway = gateway
        plugins = gateway.directory / "charon-plugins"
        shutil.rmtree(plugins, ignore_errors=True)
        shutil.copytree(PLUGINS, plugins)
        shutil.copy(plugin_path(), plugins)
        script = f"mount --bind {plugins} {PLUGINS} && exec {CHARON}"
        self.program = Program(f"charon in {namespace}", inside(namespace, ["sh", "-c", script]),
                               lab.directory / f"charon-{namespace}.out",
                               {"STRONGSWAN_CONF": str(gateway.charon_settings)})

    def stop(self):
        self.program.stop(grace_s=5)
        self.gateway.charon_socket.unlink(missing_ok=True)


class BranchGateway(MasugataGateway):
    """masugatad in msg-peer."""

    def __init__(self, directory):
        super().__init__(directory)
        self.directory.mkdir(mode=0o755)

    def start(self):
        self.configuration.write_text(BRANCH, encoding="utf-8")
        for port in ("brwan", "brlan"):
            set_kernel_settings(plan.PEER, {f"net.ipv6.conf.{port}.disable_ipv6": 1})
            configure(plan.PEER, f"link set {port} arp off up")
        words = os.environ.get("MASUGATA_LAB_OPTIONS", "--no-huge --memory-mb 512").split()
        self.program = Program("masugatad of the branch", inside(plan.PEER, [
            build_directory() / "masugatad", "--config", self.configuration,
            "--control-socket", self.control_socket, "--state-folder", self.directory / "state",
            "--pki-folder", self.pki, "--charon-log", self.charon_log,
            "--hw-profiles", self.hw_profiles, *words]), self.directory / "masugatad.log")
        self.program.wait_ready(self.is_ready, timeout_s=30)

    def command(self, *words, check=True):
        return run(inside(plan.PEER, [build_directory() / "masugata", "--control-socket",
                                      self.control_socket, *words]), check=check)


class ClosedNetwork:
    """Both ends, the tunnel up. A context manager; the lab's gateway is as before at the end."""

    def __init__(self, lab):
        self.lab = lab
        self.head = lab.gateway
        self.branch = BranchGateway(Path(lab.directory) / "branch")
        self.edge = edge.Edge(lab)
        self.before = self.head.configuration.read_text(encoding="utf-8")
        self.programs = []

    def __enter__(self):
        self.edge.__enter__()
        try:
            self._build()
            self._certify()
            self.head.configuration.write_text(
                self.before.replace(FROM_WAN, FROM_WAN + IKE_RULE, 1) + HEADQUARTERS, encoding="utf-8")
            self.head.reload()
            self.branch.start()
            self.programs = [Charon(self.lab, self.head, plan.GATEWAY),
                             Charon(self.lab, self.branch, plan.PEER), self._start_resolver()]
            if not self.comes_up():
                raise LabError("the tunnel does not come up: " + self.why())
        except BaseException:
            self.__exit__()
            raise
        return self

    def _build(self):
        run(["ip", "netns", "add", plan.BRANCH])
        for near, port, namespace in ((edge.PEER_LINK, "brwan", plan.EDGE),
                                      ("eth0", "brlan", plan.BRANCH)):
            run(["ip", "-n", namespace, "link", "add", near, "numtxqueues", "1", "numrxqueues", "1",
                 "type", "veth", "peer", "name", port, "numtxqueues", "1", "numrxqueues", "1",
                 "netns", plan.PEER])
            turn_offloads_off(namespace, near)
            turn_offloads_off(plan.PEER, port)
        edge.Edge.address_peer_link()
        # Somebody at the provider who would like to get in.
        configure(plan.EDGE, f"route add {NETWORK} via {edge.PEER}")
        configure(plan.BRANCH, f"""
            link set lo up
            link set eth0 up
            address add {CLIENT}/16 dev eth0
            route add default via {GATEWAY}""")
        # A namespace of its own file for names, as `ip netns exec` mounts it.
        folder = Path("/etc/netns") / plan.BRANCH
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "resolv.conf").write_text(f"nameserver {RESOLVER}\n", encoding="ascii")

    def _certify(self):
        """As docs/vpn.md says, word for word but for folders and files."""
        carried, password = self.lab.directory / "sendai.p12", self.lab.directory / "sendai.pass"
        password.write_text(PASSWORD + "\n", encoding="ascii")
        password.chmod(0o600)

        def pki(folder, *words):
            run([build_directory() / PKI, *words, "--folder", folder], timeout_s=60)
        pki(self.head.pki, "create-ca", "own", "--subject", "CN=Example VPN")
        pki(self.head.pki, "issue", "hq", "--ca", "own", "--dns", "hq.example.com")
        pki(self.head.pki, "issue", "sendai", "--ca", "own", "--dns", "sendai.example.com")
        pki(self.head.pki, "export", "sendai", "--pkcs12", "--password-file", password, "--out",
            carried)
        pki(self.branch.pki, "import", "sendai", "--pkcs12", "--in", carried, "--password-file",
            password)

    def _start_resolver(self):
        program = self.lab.start(plan.LAN, [
            "dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--no-resolv", "--no-hosts",
            f"--listen-address={RESOLVER}", "--bind-interfaces", f"--server={plan.INTERNET}",
            "--user=root", "--pid-file", "--cache-size=0", "--log-facility=-"], "resolver")
        return program

    def comes_up(self, timeout_s=30):
        return wait_until(lambda: " up " in self.branch.command("show", "vpn", check=False).stdout,
                          timeout_s, 0.3)

    def why(self):
        return "".join(gateway.command("show", "vpn", "why", check=False).stdout
                       for gateway in (self.branch, self.head))

    def client(self, *words, timeout_s=20):
        return run(inside(plan.BRANCH, list(words)), check=False, timeout_s=timeout_s)

    def drops(self, reason):
        """How often the branch's gateway has dropped for it."""
        for line in self.branch.command("show", "drops").stdout.splitlines():
            if reason in line.split():
                return int(line.split()[0].replace(",", ""))
        return 0

    def __exit__(self, *_):
        for program in reversed(self.programs):
            program.stop()
        self.branch.stop()
        self.head.configuration.write_text(self.before, encoding="utf-8")
        if self.head.is_running():
            self.head.reload()
        run(["ip", "netns", "delete", plan.BRANCH], check=False)
        shutil.rmtree(Path("/etc/netns") / plan.BRANCH, ignore_errors=True)
        self.edge.__exit__()
