#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The first process of a user-mode-linux machine of the lab. Sets the machine up, then does what it
is told on its serial line: one JSON object per line, one answer per line.

  {"run": [...], "timeout_s": n}      → {"status": n, "stdout": "...", "stderr": "..."}
  {"start": [...], "log": PATH, "environment": {...}}   → {"pid": n}
  {"end": pid, "signal": n}           → {"status": n}
  {"halt": true}                      no answer
"""

import io
import json
import os
import subprocess
import sys
import tty

# xfrm_user needs drbg for its first key ("Kernel was unable to initialize cryptographic operations").
MODULES = ("jitterentropy_rng drbg gf128mul ghash-generic sha512_generic chacha_generic "
           "poly1305_generic hmac seqiv echainiv ctr cbc gcm ccm authenc authencesn "
           "chacha20poly1305 xfrm_algo xfrm_user esp4 esp6 xfrm4_tunnel xfrm6_tunnel").split()
MOUNTS = ("proc proc /proc", "sysfs sys /sys", "devtmpfs dev /dev", "tmpfs run /run")
LINE = "/dev/ttyS0"


def set_up(folder):
    os.environ["PATH"] = "/usr/sbin:/usr/bin:/sbin:/bin"
    for mount in MOUNTS:
        kind, name, place = mount.split()
        subprocess.run(["mount", "-t", kind, name, place], check=False)
    # The only place of the host that can be written to.
    subprocess.run(["mount", "-t", "hostfs", "none", folder, "-o", folder], check=True)
    os.makedirs("/run/modules/lib")
    os.symlink("/usr/lib/uml/modules", "/run/modules/lib/modules")
    subprocess.run(["modprobe", "-a", "-d", "/run/modules", *MODULES], check=True)
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)


def run(order):
    try:
        done = subprocess.run(order["run"], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              errors="replace", check=False, timeout=order["timeout_s"])
    except subprocess.TimeoutExpired as late:
        return {"status": 124, "stdout": (late.stdout or b"").decode(errors="replace"),
                "stderr": "stopped in the machine"}
    except OSError as error:
        return {"status": 127, "stdout": "", "stderr": str(error)}
    return {"status": done.returncode, "stdout": done.stdout, "stderr": done.stderr}


class Programs:
    def __init__(self):
        self.running = {}

    def start(self, order):
        with open(order["log"], "ab") as log:
            process = subprocess.Popen(
                order["start"], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True, env={**os.environ, **order["environment"]})
        self.running[process.pid] = process
        return {"pid": process.pid}

    def end(self, order):
        process = self.running.pop(order["end"])
        process.send_signal(order["signal"])
        try:
            return {"status": process.wait(5)}
        except subprocess.TimeoutExpired:
            process.kill()
            return {"status": process.wait()}


def serve(line):
    programs = Programs()
    for text in line:
        order = json.loads(text)
        if "run" in order:
            answer = run(order)
        elif "start" in order:
            answer = programs.start(order)
        elif "end" in order:
            answer = programs.end(order)
        else:
            with open("/proc/sysrq-trigger", "w", encoding="ascii") as trigger:
                trigger.write("o")
            continue
        line.write(json.dumps(answer) + "\n")
        line.flush()


def main():
    set_up(sys.argv[1])
    descriptor = os.open(LINE, os.O_RDWR | os.O_NOCTTY)
    tty.setraw(descriptor)
    with os.fdopen(descriptor, "r+b", buffering=0) as raw:
        line = io.TextIOWrapper(io.BufferedRWPair(raw, raw), encoding="utf-8", newline="\n")
        line.write(json.dumps({"ready": True}) + "\n")
        line.flush()
        serve(line)


main()
