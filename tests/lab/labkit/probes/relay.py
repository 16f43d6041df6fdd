# SPDX-License-Identifier: GPL-2.0-or-later
"""A long, lossy line: what enters one TUN interface leaves the other after DELAY_MS, unless chance
(with a fixed seed) loses it. Prints "ready" when both interfaces are there.

  relay.py NAME1 NAME2 DELAY_MS LOSS_PERCENT SECONDS
"""

import collections
import fcntl
import os
import random
import select
import struct
import sys
import time

TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454CA, 0x0001, 0x1000
QUEUE_PACKETS = 4096
PACKET_BYTES = 65535


def open_tun(name):
    descriptor = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(descriptor, TUNSETIFF, struct.pack("16sH", name.encode(), IFF_TUN | IFF_NO_PI))
    return descriptor


def take_all(descriptor, queue, chance, loss, delay_s):
    """Moves what has arrived into the queue; beyond its bound packets are lost."""
    for _ in range(256):
        try:
            packet = os.read(descriptor, PACKET_BYTES)
        except BlockingIOError:
            return
        if len(queue) < QUEUE_PACKETS and chance.random() >= loss:
            queue.append((time.monotonic() + delay_s, packet))


def send_due(queue, descriptor):
    now = time.monotonic()
    while queue and queue[0][0] <= now:
        try:
            os.write(descriptor, queue.popleft()[1])
        except OSError:
            pass  # the interface is not up yet, or its queue is full: lost


def main():
    first, second = open_tun(sys.argv[1]), open_tun(sys.argv[2])
    delay_s, loss, seconds = float(sys.argv[3]) / 1000, float(sys.argv[4]) / 100, float(sys.argv[5])
    chance = random.Random(80)
    ways = ((first, second, collections.deque()), (second, first, collections.deque()))
    print("ready", flush=True)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        due = [queue[0][0] for _, _, queue in ways if queue]
        wait_s = max(0.0, min(due) - time.monotonic()) if due else 0.05
        select.select([first, second], [], [], min(wait_s, 0.05))
        for source, target, queue in ways:
            take_all(source, queue, chance, loss, delay_s)
            send_due(queue, target)


if __name__ == "__main__":
    main()
