# SPDX-License-Identifier: GPL-2.0-or-later
"""A long, lossy line: what enters one TUN interface leaves the other after DELAY_MS, unless chance
(with a fixed seed) loses it, or holds it for some milliseconds more so that later ones overtake it.
Prints "ready" when both interfaces are there.

  relay.py NAME1 NAME2 DELAY_MS LOSS_PERCENT SECONDS [REORDER_PERCENT]
"""

import fcntl
import heapq
import itertools
import os
import random
import select
import struct
import sys
import time

TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454CA, 0x0001, 0x1000
QUEUE_PACKETS = 4096
PACKET_BYTES = 65535
HELD_S = 0.008


def open_tun(name):
    descriptor = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(descriptor, TUNSETIFF, struct.pack("16sH", name.encode(), IFF_TUN | IFF_NO_PI))
    return descriptor


def take_all(descriptor, queue, chance, numbers, line):
    """Moves what has arrived into the queue, a heap; beyond its bound packets are lost."""
    loss, reorder, delay_s = line
    for _ in range(256):
        try:
            packet = os.read(descriptor, PACKET_BYTES)
        except BlockingIOError:
            return
        if len(queue) < QUEUE_PACKETS and chance.random() >= loss:
            held_s = HELD_S if chance.random() < reorder else 0
            heapq.heappush(queue, (time.monotonic() + delay_s + held_s, next(numbers), packet))


def send_due(queue, descriptor):
    now = time.monotonic()
    while queue and queue[0][0] <= now:
        try:
            os.write(descriptor, heapq.heappop(queue)[2])
        except OSError:
            pass  # the interface is not up yet, or its queue is full: lost


def main():
    first, second = open_tun(sys.argv[1]), open_tun(sys.argv[2])
    delay_s, loss, seconds = float(sys.argv[3]) / 1000, float(sys.argv[4]) / 100, float(sys.argv[5])
    reorder = float(sys.argv[6]) / 100 if len(sys.argv) > 6 else 0.0
    chance, numbers = random.Random(80), itertools.count()
    ways = ((first, second, []), (second, first, []))
    print("ready", flush=True)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        due = [queue[0][0] for _, _, queue in ways if queue]
        wait_s = max(0.0, min(due) - time.monotonic()) if due else 0.05
        select.select([first, second], [], [], min(wait_s, 0.05))
        for source, target, queue in ways:
            take_all(source, queue, chance, numbers, (loss, reorder, delay_s))
            send_due(queue, target)


if __name__ == "__main__":
    main()
