# SPDX-License-Identifier: GPL-2.0-or-later
"""Fetches and sends many small objects of all kinds, and looks at each.
usage: soak_client.py HOST OBJECTS SEED FOLDER infected|clean; every second a line of JSON with counts so far, and one
for each clean object that did not come: when, which, and whether something infected was asked for on
its connection at the same time. FOLDER is what the servers offer. What is infected must not come; what
is clean must come as it is, or be refused: a scanner may have died over it."""

import collections
import email.message
import ftplib
import io
import itertools
import json
import poplib
import random
import smtplib
import socket
import sys
import threading
import time
import traceback
from pathlib import Path

HOST, OBJECTS, SEED, FOLDER = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), Path(sys.argv[4])
WEB_PORT, THREADS, MOST_PER_CONNECTION, PIPELINED = 8000, 6, 20, 5
FILES = {name: (FOLDER / name).read_bytes() for name in
         ("clean.com", "clean.zip", "clean.txt", "clean.zip.zip")}
INFECTED = {name: (FOLDER / name).read_bytes() for name in ("eicar.com", "eicar.zip")}
INFECTED_SHARE, INFECTED_OTHERS, OTHERS_SHARE = 0.01, 0.1, 0.02
if sys.argv[5] == "clean":
    INFECTED_SHARE = INFECTED_OTHERS = 0

counts = collections.Counter()
lock = threading.Lock()
numbers = iter(range(1, OBJECTS + 1))


def count(what, objects=1):
    with lock:
        counts[what] += objects


def lose(how, which, beside_infected=False):
    count(how)
    with lock:
        print(json.dumps({"lost": which, "how": how, "at": time.time(),
                          "beside_infected": beside_infected}), flush=True)


class Web:
    """One connection, requests one by one or several at once."""

    def __init__(self):
        self.socket = socket.create_connection((HOST, WEB_PORT), timeout=30)
        self.stream = self.socket.makefile("rb", 65536)

    def ask(self, paths):
        self.socket.sendall("".join(f"GET {path} HTTP/1.1\r\nHost: {HOST}\r\n\r\n"
                                    for path in paths).encode())

    def answer(self):
        """(status, body); None when the connection is over."""
        try:
            return self._read_answer()
        except ConnectionError:
            return None

    def _read_answer(self):
        line = self.stream.readline()
        if not line:
            return None
        length, ends = 0, False
        while (header := self.stream.readline().strip()):
            name, _, value = header.lower().partition(b":")
            length = int(value) if name == b"content-length" else length
            ends = ends or (name == b"connection" and b"close" in value)
        body = self.stream.read(length)
        return (int(line.split()[1]), body) if len(body) == length else None


def choose(chance, number):
    """(path, what is to come; None: nothing of it)"""
    if chance.random() < INFECTED_SHARE:
        name = chance.choice(sorted(INFECTED))
        return f"/{name}?soak={number}", None
    if chance.random() < 0.4:
        path = f"/unique/{number}-{SEED}"
        return path, f"This is {path}, never asked for before.\n".encode()
    name = chance.choice(sorted(FILES))
    return f"/{name}?soak={number}", FILES[name]


def look_at(path, wanted, answer, beside_infected):
    if wanted is not None and (answer is None or answer[0] == 403):
        lose("cut clean" if answer is None else "refused clean", path, beside_infected)
    elif answer is None:
        count("cut infected")
    elif wanted is None:
        bad = answer[0] != 403 or any(content in answer[1] for content in INFECTED.values())
        count("infected ARRIVED" if bad else "refused infected")
    else:
        count("clean" if answer == (200, wanted) else "clean CHANGED")


def browse(chance, batch):
    web = Web()
    try:
        wanted = [choose(chance, number) for number in batch]
        step = chance.choice((1, 1, PIPELINED))  # 1: keep-alive
        for at in range(0, len(wanted), step):
            part = wanted[at:at + step]
            web.ask([path for path, _ in part])
            infected = any(content is None for _, content in part)
            for place, (path, content) in enumerate(part):
                answer = web.answer()
                look_at(path, content, answer, infected)
                if answer is None or answer[0] == 403:
                    # The rest of the connection is gone with it.
                    count("not asked again", len(wanted) - at - place - 1)
                    return
    finally:
        web.socket.close()


def refused(infected, which):
    if infected:
        count("refused infected")
    else:
        lose("refused clean", which)


def mail(chance):
    infected = chance.random() < INFECTED_OTHERS
    message = email.message.EmailMessage()
    message["Subject"], message["From"], message["To"] = "a", "a@example.org", "soak@example.net"
    message.set_content(f"A mail, {chance.random()}\n")
    attached = INFECTED["eicar.com"] if infected else FILES["clean.com"]
    message.add_attachment(attached, "application", "octet-stream", filename="attached.com")
    try:
        with smtplib.SMTP(HOST, 25, "client.example.org", timeout=30) as server:
            server.send_message(message)
        count("infected mail ARRIVED" if infected else "clean")
    except (smtplib.SMTPException, OSError) as error:
        refused(infected, f"mail: {error}")


def read_mail(chance):
    infected = chance.random() < INFECTED_OTHERS
    box = poplib.POP3(HOST, timeout=30)
    try:
        box.user("infected" if infected else "clean")
        box.pass_("lab")
        box.retr(1)
        count("infected mail read ARRIVED" if infected else "clean")
    except (poplib.error_proto, OSError) as error:
        refused(infected, f"mail read: {error}")
    finally:
        box.close()


def get_file(chance):
    infected = chance.random() < INFECTED_OTHERS
    name = "eicar.zip" if infected else "clean.zip"
    came, said = io.BytesIO(), "nothing"
    try:
        with ftplib.FTP(HOST, timeout=30) as server:
            server.login()
            server.retrbinary(f"RETR av/{name}", came.write)
    except (*ftplib.all_errors, EOFError) as error:
        said = str(error)
    if infected:
        count("infected file ARRIVED" if came.getvalue() == INFECTED[name] else "refused infected")
    elif came.getvalue() == FILES[name]:
        count("clean")
    else:
        refused(infected, f"file, {len(came.getvalue())} bytes: {said}")


def work(seed):
    chance = random.Random(seed)
    while True:
        with lock:
            batch = list(itertools.islice(numbers, chance.choice((1, 5, MOST_PER_CONNECTION))))
        if not batch:
            return
        try:
            if chance.random() < OTHERS_SHARE * len(batch):
                for _ in batch:
                    chance.choice((mail, read_mail, get_file, get_file))(chance)
            else:
                browse(chance, batch)
        except OSError as error:
            places = [f"{frame.name} {frame.lineno}"
                      for frame in traceback.extract_tb(error.__traceback__)]
            count(f"error: {error.__class__.__name__} at {time.time():.1f} in "
                  f"{', '.join(places)}", len(batch))


def tell():
    with lock:
        print(json.dumps({"objects": sum(counts.values()), **counts}), flush=True)


threads = [threading.Thread(target=work, args=(SEED * 100 + number,)) for number in range(THREADS)]
for thread in threads:
    thread.start()
while any(thread.is_alive() for thread in threads):
    tell()
    time.sleep(1)
tell()
