# SPDX-License-Identifier: GPL-2.0-or-later
"""Throughput by iperf3 through the gateway that is up."""

import json

from . import addresses as plan
from .commands import LabError

# name -> (server, iperf3 options, unit); the client is in LAN
MEASUREMENTS = {
    "tcp, 1 flow, LAN to WAN (SNAT)": (plan.INTERNET, ("-P", "1"), "Mbit/s"),
    "tcp, 1 flow, WAN to LAN (SNAT)": (plan.INTERNET, ("-P", "1", "-R"), "Mbit/s"),
    "tcp, 4 flows, LAN to WAN (SNAT)": (plan.INTERNET, ("-P", "4"), "Mbit/s"),
    "tcp, 1 flow, LAN to WAN (IPv6)": (plan.INTERNET_V6, ("-P", "1"), "Mbit/s"),
    "udp, 60-byte packets, LAN to WAN (SNAT)": (
        plan.INTERNET, ("-u", "-b", "0", "-l", "32"), "kpps"),
    "udp, 1,428-byte packets, LAN to WAN (SNAT)": (
        plan.INTERNET, ("-u", "-b", "0", "-l", "1400"), "kpps"),
}


def throughput(lab, name, seconds):
    """One measurement: what arrives at the receiver, in the measurement's unit."""
    server, options, unit = MEASUREMENTS[name]
    if unit != "kpps":
        # The first second is slow start. (With UDP iperf3 counts wrongly when it omits.)
        options = ("-O", "1", *options)
    result = lab.execute(plan.LAN, [
        "iperf3", "-c", server, "-p", plan.IPERF_PORT, "-t", seconds, "-J",
        "--connect-timeout", "3000", *options], timeout_s=seconds + 25)
    try:
        report = json.loads(result.stdout)
    except ValueError:
        raise LabError(f"iperf3: {result.stdout[-500:]}{result.stderr[-500:]}") from None
    if "error" in report:
        raise LabError(f"iperf3, {name}: {report['error']}")
    end = report["end"]
    if unit == "kpps":
        total = end["sum"]
        return (total["packets"] - total["lost_packets"]) / total["seconds"] / 1e3
    return end["sum_received"]["bits_per_second"] / 1e6
