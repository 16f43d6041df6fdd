# SPDX-License-Identifier: GPL-2.0-or-later
"""Both ends of what is sent through a tunnel.

tunnel.py serve ADDRESS PORT...         on each TCP port: takes bytes up to their end, answers with their
                                        digest and as many of its own; on each UDP port: echoes
tunnel.py transfer SOURCE HOST PORT BYTES    sends and takes so many; prints the outcome as JSON
tunnel.py count SOURCE HOST PORT SECONDS INTERVAL-MS    numbered datagrams, all to come back; prints as
                                        JSON what did, and the longest time without one
"""

import hashlib
import json
import random
import socket
import sys
import threading
import time

PATIENCE_S = 15
SO_RCVBUFFORCE = 33


def family_of(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def noise(size, seed):
    return random.Random(seed).randbytes(size)


def answer(connection):
    with connection:
        connection.settimeout(PATIENCE_S)
        digest, size = hashlib.sha256(), 0
        while data := connection.recv(65536):
            digest.update(data)
            size += len(data)
        connection.sendall(digest.digest() + noise(size, size + 1))


def datagram_socket(address, port):
    """With room for what comes while the machine does something else."""
    made = socket.socket(family_of(address), socket.SOCK_DGRAM)
    made.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 8 << 20)
    made.bind((address, port))
    return made


def serve_streams(address, port):
    with socket.create_server((address, port), family=family_of(address)) as listener:
        while True:
            connection = listener.accept()[0]
            threading.Thread(target=answer, args=(connection,), daemon=True).start()


def echo(address, port):
    with datagram_socket(address, port) as server:
        while True:
            data, sender = server.recvfrom(65536)
            server.sendto(data, sender)


def serve(address, *ports):
    for port in ports:
        for one in (serve_streams, echo):
            threading.Thread(target=one, args=(address, int(port)), daemon=True).start()
    threading.Event().wait()


def transfer(source, host, port, size):
    size = int(size)
    data = noise(size, size)
    begun = time.monotonic()
    with socket.create_connection((host, int(port)), PATIENCE_S, (source, 0)) as connection:
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)
        back = b"".join(iter(lambda: connection.recv(65536), b""))
    return {"there": back[:32] == hashlib.sha256(data).digest(),
            "back": back[32:] == noise(size, size + 1), "seconds": time.monotonic() - begun}


def count(source, host, port, seconds, interval_ms):
    interval_s, seen, longest_s = float(interval_ms) / 1000, set(), 0.0
    number = int(float(seconds) / interval_s)
    with datagram_socket(source, 0) as client:
        client.connect((host, int(port)))
        begun = last = time.monotonic()
        sent = 0
        while sent < number or time.monotonic() < begun + number * interval_s + 1:
            due = begun + sent * interval_s if sent < number else begun + number * interval_s + 1
            if sent < number and time.monotonic() >= due:
                send_one(client, sent)
                sent += 1
                continue
            client.settimeout(max(due - time.monotonic(), 0.0001))
            try:
                data = client.recv(2048)
            except (TimeoutError, OSError):
                continue
            now = time.monotonic()
            seen.add(int.from_bytes(data[:4], "big"))
            longest_s, last = max(longest_s, now - last), now
            if len(seen) == number:
                break
    return {"sent": number, "received": len(seen), "longest_gap_s": round(longest_s, 3),
            "missing": sorted(set(range(number)) - seen)[:20]}


def send_one(client, number):
    try:
        client.send(number.to_bytes(4, "big") + bytes(96))
    except OSError:
        pass  # an ICMP error of one before


def main():
    action, *words = sys.argv[1:]
    outcome = {"serve": serve, "transfer": transfer, "count": count}[action](*words)
    print(json.dumps(outcome), flush=True)


main()
