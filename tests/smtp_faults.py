#!/usr/bin/python3
"""A mail server on loopback that misbehaves as it is told: for the tests of the SMTP mailer.

    smtp_faults.py [--tls starttls|implicit --cert PEM --key PEM] [--auth] [--one-by-one] [--keep FOLDER] FAULT...

It offers PIPELINING unless it is to be told --one-by-one, and SIZE: a mail of another size than was said is refused.

A fault is STEP:ACTION. Steps: greeting, ehlo, helo, starttls, auth, mail, rcpt, data, body (the mail's text, once the
first of it has arrived), dot (the answer to the final dot), quit, idle (after a mail was accepted), again (MAIL after a
mail was accepted on the same connection). Actions:

    reply=TEXT   answer this instead, then go on ("\\n" in TEXT parts lines)
    silent       never answer, keep the connection
    cut          close the connection at once, without an answer
    reset        the same with an RST; in the body only
    drop=TEXT    answer this and close
    late=SECONDS answer as usual, but only then
    drip=TEXT    answer this, a character each 50 ms

A fault with "@N" after the step holds on the N-th connection only: "mail@2:cut".
With --keep every mail whose final dot was neither refused with 4yz nor 5yz becomes a file: one the server may have taken.
A line on standard input, faults with tabs between them, takes the place of the faults before; connections are counted
anew, and "told" is printed. Prints "port N" when ready; at the end of every connection "connection N: STEP STEP ..." with the steps it got to.
Ends with its standard input.
"""

import argparse
import os
import socket
import ssl
import struct
import sys
import threading
import time
from pathlib import Path


class Cut(Exception):
    pass


class Connection:
    def __init__(self, options, number, peer):
        self.options = options
        self.number = number
        self.socket = peer
        self.steps = []
        self.waiting = b""

    def fault(self, step):
        """What was told to happen here on this connection."""
        for where, action in self.options.faults:
            name, _, only = where.partition("@")
            if name == step and (not only or int(only) == self.number):
                return action
        return ""

    def send(self, text):
        for line in text.replace("\\n", "\n").split("\n"):
            self.socket.sendall(line.encode("utf-8", "surrogateescape") + b"\r\n")

    def answer(self, step, text):
        """Answers as the step usually does, or as it was told. True where the answer was the usual one."""
        self.steps.append(step)
        action = self.fault(step)
        if not action:
            self.send(text)
            return True
        if action == "silent":
            while self.socket.recv(65536):
                pass
            raise Cut
        if action == "cut":
            raise Cut
        kind, _, told = action.partition("=")
        if kind == "late":
            time.sleep(float(told))
            self.send(text)
            return True
        if kind == "drip":
            for character in told:
                self.socket.sendall(character.encode())
                time.sleep(0.05)
        self.send("" if kind == "drip" else told)
        if kind == "drop":
            raise Cut
        return False

    def line(self):
        while b"\n" not in self.waiting:
            more = self.socket.recv(65536)
            if not more:
                raise Cut
            self.waiting += more
        line, _, self.waiting = self.waiting.partition(b"\n")
        return line.rstrip(b"\r").decode("utf-8", "replace")

    def protect(self):
        self.socket = self.options.context.wrap_socket(self.socket, server_side=True)

    def body(self):
        """Takes the text up to the final dot, and tells how long it is without that."""
        text = self.waiting
        self.waiting = b""
        if self.fault("body"):
            self.steps.append("body")
            while len(text) < 1024:
                more = self.socket.recv(1024)
                if not more:
                    raise Cut
                text += more
            if self.fault("body") == "silent":
                threading.Event().wait()
            if self.fault("body") == "reset":
                self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            raise Cut
        while not text.endswith(b"\r\n.\r\n"):
            more = self.socket.recv(65536)
            if not more:
                raise Cut
            text += more
        refused = self.fault("dot").partition("=")[2][:1] in ("4", "5")
        if self.options.keep and not refused:
            Path(self.options.keep, f"{time.monotonic_ns()}.eml").write_bytes(text)
        return len(text.removesuffix(b".\r\n"))

    def run(self):
        if self.options.tls == "implicit":
            self.protect()
        extensions = ["SIZE 100000000"] + ([] if self.options.one_by_one else ["PIPELINING"])
        if self.options.tls == "starttls":
            extensions.append("STARTTLS")
        if self.options.auth:
            extensions.append("AUTH PLAIN")
        self.answer("greeting", "220 faulty ESMTP")
        while True:
            command = self.line()
            verb = command.split(" ")[0].upper()
            if verb == "EHLO":
                lines = ["faulty"] + extensions
                self.answer("ehlo", "\n".join(f"250{' ' if n + 1 == len(lines) else '-'}{line}"
                                              for n, line in enumerate(lines)))
            elif verb == "HELO":
                self.answer("helo", "250 faulty")
            elif verb == "STARTTLS":
                if self.answer("starttls", "220 go on"):
                    self.protect()
                    extensions.remove("STARTTLS")
            elif verb == "AUTH":
                if len(command.split(" ")) == 2:
                    self.send("334 ")
                    self.line()
                self.answer("auth", "235 welcome")
            elif verb == "MAIL":
                self.size = int(command.partition(" SIZE=")[2] or 0)
                self.answer("again" if "dot" in self.steps else "mail", "250 sender ok")
            elif verb == "RCPT":
                self.answer("rcpt", "250 recipient ok")
            elif verb == "DATA":
                if self.answer("data", "354 go on"):
                    size = self.body()
                    self.answer("dot", "250 taken" if size == self.size else f"555 {size}, not {self.size}")
                    if self.fault("idle"):
                        self.answer("idle", "")
            elif verb == "QUIT":
                self.answer("quit", "221 bye")
                raise Cut
            else:
                self.send("502 what?")


def handle(options, number, peer):
    connection = Connection(options, number, peer)
    try:
        connection.run()
    except (Cut, OSError):
        pass
    try:
        connection.socket.close()
    except OSError:
        pass
    # In one piece: print() writes the end of the line by itself, and another connection's line would come between.
    sys.stdout.write(f"connection {number}: {' '.join(connection.steps)}\n")
    sys.stdout.flush()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("faults", nargs="*")
    parser.add_argument("--tls", choices=["none", "starttls", "implicit"], default="none")
    parser.add_argument("--cert")
    parser.add_argument("--key")
    parser.add_argument("--auth", action="store_true")
    parser.add_argument("--one-by-one", action="store_true")
    parser.add_argument("--keep", metavar="FOLDER")
    options = parser.parse_args()
    options.faults = [tuple(fault.split(":", 1)) for fault in options.faults]
    options.count = 0
    if options.tls != "none":
        options.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        options.context.load_cert_chain(options.cert, options.key)

    listener = socket.socket()
    # Small, so that a large mail is still on its way when the connection is cut within it.
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    listener.bind(("127.0.0.1", 0))
    listener.listen()
    print(f"port {listener.getsockname()[1]}", flush=True)

    def accept():
        while True:
            peer, _ = listener.accept()
            options.count += 1
            threading.Thread(target=handle, args=(options, options.count, peer), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    for line in sys.stdin:
        options.faults = [tuple(fault.split(":", 1)) for fault in line.rstrip("\n").split("\t")]
        options.count = 0
        sys.stdout.write("told\n")
        sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
