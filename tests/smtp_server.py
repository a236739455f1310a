#!/usr/bin/python3
"""A mail server on loopback that keeps every mail it accepts as a file, and a reader of such files.

    smtp_server.py FOLDER [--port N] [--tls none|starttls|implicit --cert PEM --key PEM]
                   [--user NAME --password WORD] [--idle-timeout SECONDS] [--pipelining] [--ascii] [--until-eof]
    smtp_server.py --decode FILE

The server prints "port N" when it is ready. A mail is FOLDER/000001.eml and so on, complete and renamed into place
before the client is told that it was accepted; X-Peer, X-MailFrom and X-RcptTo are put on top of it. As many different
X-Peer as there are, so many connections brought the mails.

--decode prints what a mail client would show, as JSON. It is the standard library's parser, not ours.

Needs Debian's python3-aiosmtpd.
"""

import argparse
import asyncio
import email
import email.policy
import json
import os
import quopri
import re
import ssl
import sys
from email.header import decode_header, make_header
from email.utils import parseaddr
from pathlib import Path


def decode(path):
    """Gives a mail's headers and its parts as a mail client would show them."""
    raw = Path(path).read_bytes()
    mail = email.message_from_bytes(raw, policy=email.policy.default)
    parts = {}
    for part in mail.walk():
        if not part.is_multipart():
            parts[part.get_content_type()] = part.get_content().replace("\r\n", "\n")
    encodings = {p.get_content_type(): str(p.get("Content-Transfer-Encoding", "")) for p in mail.walk()}
    defects = [repr(d) for p in mail.walk() for d in p.defects]
    defects += [repr(d) for value in mail.values() for d in getattr(value, "defects", ())]
    for word in re.findall(rb"=\?UTF-8\?Q\?([^?]*)\?=", raw):
        try:
            quopri.decodestring(word, header=True).decode("utf-8")
        except UnicodeDecodeError as fault:
            defects.append(repr(fault))  # a character was cut in two
    # The older parser for names: the newer one keeps the space between two encoded words (RFC 2047 section 6.2).
    old = email.message_from_bytes(raw)
    name = {h: str(make_header(decode_header(parseaddr(old.get(h, ""))[0]))) for h in ("From", "To")}
    return {
        "headers": [[name, str(value)] for name, value in mail.items()],
        "type": mail.get_content_type(),
        "to_name": name["To"],
        "from_name": name["From"],
        "parts": parts,
        "encodings": encodings,
        "defects": defects,
        "longest_line": max((len(line) for line in raw.split(b"\r\n")), default=0),
        "bare_line_ends": raw.replace(b"\r\n", b"").count(b"\n") + raw.replace(b"\r\n", b"").count(b"\r"),
    }


class Keep:
    """Keeps what is accepted."""

    def __init__(self, folder, pipelining):
        self.pipelining = pipelining
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.count = max((int(p.stem) for p in self.folder.glob("*.eml") if p.stem.isdigit()), default=0)

    async def handle_EHLO(self, server, session, envelope, hostname, responses):
        session.host_name = hostname
        return responses[:1] + (["250-PIPELINING"] if self.pipelining else []) + responses[1:]

    async def handle_DATA(self, server, session, envelope):
        self.count += 1
        path = self.folder / f"{self.count:06d}.eml"
        top = (
            f"X-Peer: {session.peer[0]}:{session.peer[1]}\r\n"
            f"X-MailFrom: {envelope.mail_from}\r\n"
            f"X-RcptTo: {', '.join(envelope.rcpt_tos)}\r\n"
        )
        unfinished = path.with_suffix(".part")
        with open(unfinished, "wb") as file:
            file.write(top.encode("utf-8", "surrogateescape") + envelope.original_content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(unfinished, path)
        return f"250 2.0.0 kept as {path.name}"


async def serve(options):
    from aiosmtpd.smtp import SMTP, AuthResult

    def log_in(server, session, envelope, mechanism, data):
        good = data.login == options.user.encode() and data.password == options.password.encode()
        return AuthResult(success=good, handled=False)

    context = None
    if options.tls != "none":
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(options.cert, options.key)
    keep = Keep(options.folder, options.pipelining)
    settings = {"hostname": "localhost", "ident": "hirenow test server", "timeout": options.idle_timeout,
                "enable_SMTPUTF8": not options.ascii}
    if options.tls == "starttls":
        settings.update(tls_context=context, require_starttls=True)
    if options.user:
        settings.update(authenticator=log_in, auth_required=True, auth_require_tls=options.tls == "starttls")

    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: SMTP(keep, **settings),
        "127.0.0.1",
        options.port,
        ssl=context if options.tls == "implicit" else None,
    )
    print(f"port {server.sockets[0].getsockname()[1]}", flush=True)
    if options.until_eof:
        await loop.run_in_executor(None, sys.stdin.read)
        # The connections that are still open must not keep the process.
        os._exit(0)
    await server.serve_forever()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", nargs="?", help="where accepted mails are kept")
    parser.add_argument("--decode", metavar="FILE", help="print a kept mail as JSON and leave")
    parser.add_argument("--port", type=int, default=0, help="0: any that is free")
    parser.add_argument("--tls", choices=["none", "starttls", "implicit"], default="none")
    parser.add_argument("--cert")
    parser.add_argument("--key")
    parser.add_argument("--user")
    parser.add_argument("--password", default="")
    parser.add_argument("--idle-timeout", type=float, default=300, help="seconds until a silent client is cut off")
    parser.add_argument("--pipelining", action="store_true", help="take commands together (RFC 2920), and say so")
    parser.add_argument("--ascii", action="store_true", help="take no addresses beyond ASCII (no SMTPUTF8)")
    parser.add_argument("--until-eof", action="store_true", help="leave when standard input ends")
    options = parser.parse_args()
    if options.decode:
        json.dump(decode(options.decode), sys.stdout)
        print()
        return
    if not options.folder:
        parser.error("a folder is needed")
    try:
        asyncio.run(serve(options))
    except KeyboardInterrupt:
        pass


if __name__ == "__main__":
    main()
