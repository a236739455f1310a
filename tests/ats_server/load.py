#!/usr/bin/env python3
"""Two hundred applicants who save their answers and twenty recruiters on the dashboard, for a minute.

    load.py PROGRAM [--seconds N] [--applicants N] [--recruiters N] [--interviews N]

Each applicant saves about once in 1.5 s, each recruiter loads the dashboard about once in 2 s and listens to its events
meanwhile. Then as many clients at the same pace ask the same Beast server for one row of SQLite and nothing else. Prints
how many requests, errors, p50 and p99 in milliseconds for each; ends with 1 where there was an error. Needs nothing
beside the standard library.
"""

import argparse
import asyncio
import json
import random
import re
import subprocess
import sys
import tempfile
import time
from urllib.parse import quote, urlencode


class Client:
    """One connection that is kept."""

    def __init__(self, port, address):
        self.port = port
        self.address = address
        self.cookies = {}
        self.stream = None

    async def ask(self, path, form=None):
        body = urlencode(form).encode() if form is not None else b""
        head = [f"{'POST' if form is not None else 'GET'} {path} HTTP/1.1", "Host: 127.0.0.1",
                f"X-Forwarded-For: {self.address}", f"Content-Length: {len(body)}"]
        if self.cookies:
            head.append("Cookie: " + "; ".join(f"{k}={v}" for k, v in self.cookies.items()))
        if self.stream is None:
            self.stream = await asyncio.open_connection("127.0.0.1", self.port)
        reader, writer = self.stream
        writer.write("\r\n".join(head).encode() + b"\r\n\r\n" + body)
        answer = (await reader.readuntil(b"\r\n\r\n")).decode()
        status = int(answer.split(" ", 2)[1])
        for name, value in re.findall(r"(?im)^set-cookie: ([^=]+)=([^;]*)", answer):
            self.cookies[name] = value
        length = int(re.search(r"(?im)^content-length: (\d+)", answer)[1])
        return status, answer, (await reader.readexactly(length)).decode()


def percentile(values, share):
    values = sorted(values)
    return values[min(len(values) - 1, int(share * len(values)))] * 1000 if values else float("nan")


class Tally:
    def __init__(self):
        self.took = []
        self.errors = []

    async def time(self, what, right):
        began = time.perf_counter()
        try:
            answer = await what
            self.took.append(time.perf_counter() - began)
            if not right(answer):
                self.errors.append(answer[0])
        except Exception as e:  # noqa: BLE001 - whatever it is, it is an error of the run
            self.errors.append(repr(e))

    def __str__(self):
        return (f"{len(self.took):6d} requests, {len(self.errors)} errors, "
                f"p50 {percentile(self.took, 0.5):.2f} ms, p99 {percentile(self.took, 0.99):.2f} ms")


def serve(program, folder, *options):
    process = subprocess.Popen([program, "--data", folder, "--port", "0", "--proxy", *options], stdout=subprocess.PIPE, text=True)
    for line in process.stdout:
        if found := re.search(r"serving on http://[^ ]+:(\d+)", line):
            return process, int(found[1])
    raise SystemExit("the server did not start")


async def recruiter_of(port, n):
    client = Client(port, f"10.1.0.{n}")
    await client.ask("/sign-in", {"who": "rosa"})
    return client


async def applicant_of(port, recruiter, n):
    """Invites somebody, and is that somebody: opens the link and starts."""
    form = (await recruiter.ask("/interviews/new"))[2]
    email = f"load{n}@applicants.example"
    status, answer, _ = await recruiter.ask("/interviews/new", {
        "csrf": re.search(r'name="csrf" value="([^"]+)"', form)[1], "key": re.search(r'name="key" value="([^"]+)"', form)[1],
        "name": f"Load {n}", "email": email, "track": "backend-2026/technical", "locale": "en"})
    assert status == 303, answer
    client = Client(port, f"10.2.{n // 250}.{n % 250}")
    while True:
        link = re.search(r'class="mail-link" href="[^"#]+#([^"]+)"', (await client.ask("/inbox?to=" + quote(email)))[2])
        if link:
            break
        await asyncio.sleep(0.05)
    await client.ask("/go/open", {"token": link[1]})
    page = (await client.ask("/go/interview"))[2]
    client.form = {"csrf": re.search(r'name="csrf" value="([^"]+)"', page)[1], "window": f"{n:032d}"}
    await client.ask("/go/start", client.form)
    sat = json.loads((await client.ask("/go/sit", client.form))[2])
    client.form["fence"] = sat["fence"]
    return client


async def listen(client, seen):
    """The dashboard's events, until the run ends."""
    page = (await client.ask("/interviews"))[2]
    href = re.search(r'data-events="([^"]+)"', page)[1].replace("&amp;", "&")
    reader, writer = await asyncio.open_connection("127.0.0.1", client.port)
    cookies = "; ".join(f"{k}={v}" for k, v in client.cookies.items())
    writer.write(f"GET {href} HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: {cookies}\r\n\r\n".encode())
    while line := await reader.readline():
        seen[0] += line.startswith(b":")


async def main_load(port, wanted):
    recruiters = [await recruiter_of(port, n) for n in range(wanted.recruiters)]
    applicants = [await applicant_of(port, recruiters[n % wanted.recruiters], n) for n in range(wanted.applicants)]
    saves, lists, beats = Tally(), Tally(), [0]
    end = time.monotonic() + wanted.seconds
    chance = random.Random(7)

    async def write(client):
        text = ""
        await asyncio.sleep(chance.random() * 1.5)
        while time.monotonic() < end:
            text += "another sentence of an answer that grows. "
            answers = json.dumps({"q1": text, "q2": "short"})
            await saves.time(client.ask("/go/save", {**client.form, "answers": answers}),
                             lambda a: a[0] == 200 and '"saved"' in a[2])
            await asyncio.sleep(1 + chance.random())

    async def watch(client):
        await asyncio.sleep(chance.random() * 2)
        while time.monotonic() < end:
            path = chance.choice(["/interviews", "/interviews?state=failed", "/interviews?q=lin", "/interviews?state=submitted"])
            await lists.time(client.ask(path), lambda a: a[0] == 200 and "<tbody>" in a[2])
            await asyncio.sleep(1.5 + chance.random())

    ears = [asyncio.create_task(listen(c, beats)) for c in [await recruiter_of(port, n) for n in range(wanted.recruiters)]]
    await asyncio.gather(*(write(c) for c in applicants), *(watch(c) for c in recruiters))
    for task in ears:
        if task.done():
            sys.exit(f"live updates ended before the run did: {task.exception() or 'the server closed them'}")
        task.cancel()
    if beats[0] < wanted.recruiters * wanted.seconds / 2:  # one a second each
        sys.exit(f"{beats[0]} rounds of live updates are fewer than half of what is due")
    return saves, lists, beats[0]


async def bare_load(port, wanted, clients):
    tally = Tally()
    end = time.monotonic() + wanted.seconds
    chance = random.Random(7)

    async def read(client):
        await asyncio.sleep(chance.random() * 1.5)
        while time.monotonic() < end:
            await tally.time(client.ask("/"), lambda a: a[0] == 200 and a[2] != "")
            await asyncio.sleep(1 + chance.random())

    await asyncio.gather(*(read(Client(port, "10.3.0.1")) for _ in range(clients)))
    return tally


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("program")
    arguments.add_argument("--seconds", type=int, default=60)
    arguments.add_argument("--applicants", type=int, default=200)
    arguments.add_argument("--recruiters", type=int, default=20)
    arguments.add_argument("--interviews", type=int, default=2000)
    wanted = arguments.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        process, port = serve(wanted.program, folder, "--interviews", str(wanted.interviews))
        saves, lists, beats = asyncio.run(main_load(port, wanted))
        process.terminate()
        process.wait()
        process, port = serve(wanted.program, folder, "--bare")
        bare = asyncio.run(bare_load(port, wanted, wanted.applicants + wanted.recruiters))
        process.terminate()
        process.wait()
    print(f"{wanted.applicants} applicants and {wanted.recruiters} recruiters for {wanted.seconds} s, SQLite, synchronous=FULL")
    print(f"answers saved     {saves}")
    print(f"dashboard         {lists}; {beats} rounds of live updates")
    print(f"bare Beast handler {bare}")
    sys.exit(1 if saves.errors or lists.errors or bare.errors else 0)


if __name__ == "__main__":
    main()
