#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The lab by hand: up, down, shell, run."""

import argparse
import json
import os
import sys

from labkit import addresses as plan
from labkit.commands import LabError
from labkit.gateways import GATEWAYS, build_directory
from labkit.lab import STATE_FILE, Lab, Lock, remove_leftovers
from labkit.topology import existing_namespaces, inside

HOSTS = {name.removeprefix("msg-"): name for name in plan.NAMESPACES}


def up(arguments):
    lab = Lab(arguments.gateway)
    lab.up()
    lab.keep()
    print(f"The lab is up with {arguments.gateway} as the gateway; logs in {lab.directory}.\n"
          "./dev lab shell [gw|wan|lan|dmz|far], ./dev lab run HOST COMMAND..., ./dev lab down")


def down(_arguments):
    if os.geteuid() != 0:
        raise LabError("this needs root")
    lock = Lock()
    lock.take(patience_s=0)
    found = remove_leftovers()
    lock.release()
    print(f"taken down: {', '.join(found)}" if found else "no lab was up")


def enter(host, command):
    """Replaces this process by a command in a host of the lab that is up."""
    namespace = HOSTS.get(host, host)
    if namespace not in existing_namespaces():
        raise LabError("no lab is up: ./dev lab up" if host in HOSTS
                       else f"no host {host}; there are: {', '.join(HOSTS)}")
    state = json.loads(STATE_FILE.read_text(encoding="utf-8")) if STATE_FILE.exists() else {}
    os.environ["MASUGATA_CONTROL_SOCKET"] = state.get("control_socket", "")
    os.environ["PATH"] = f"{build_directory()}:{os.environ['PATH']}"
    os.environ["PS1"] = f"{namespace}# "
    sys.stdout.flush()
    os.execvp("ip", inside(namespace, command))


def main():
    parser = argparse.ArgumentParser(description=__doc__, prog="./dev lab")
    commands = parser.add_subparsers(required=True, dest="command")
    raised = commands.add_parser("up", help="raise the lab and leave it up")
    raised.add_argument("--gateway", choices=GATEWAYS, default="masugata")
    commands.add_parser("down", help="take down whatever is up")
    shell = commands.add_parser("shell", help="a shell in a host")
    shell.add_argument("host", nargs="?", default="gw")
    running = commands.add_parser("run", help="a command in a host")
    running.add_argument("host")
    running.add_argument("words", nargs=argparse.REMAINDER, metavar="COMMAND")
    arguments = parser.parse_args()
    try:
        if arguments.command == "up":
            up(arguments)
        elif arguments.command == "down":
            down(arguments)
        elif arguments.command == "shell":
            enter(arguments.host, ["bash", "--norc", "-i"])
        elif not arguments.words:
            parser.error("run: which command?")
        else:
            enter(arguments.host, arguments.words)
    except LabError as error:
        sys.exit(f"lab: {error}")


if __name__ == "__main__":
    main()
