"""How fast the Python module is, as ratios within one run.

    speed.py [PEER]

PEER is `hirenow_python_peer`, the same in C++ (CMake: -D HIRENOW_PYTHON_BENCH=ON). Token checks beside PyJWT's doing
the same checks; retakes at synchronous=FULL, and in the host's own transaction on PostgreSQL (door 1 is libpq's handle,
in C++; door 2 the host's driver, in Python); two threads that resume; the import.
Each figure that has a target is held against it; the exit status is 1 where one was missed. Targets are for a machine
with two cores of its own.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from datetime import datetime, timedelta, timezone
from uuid import UUID

import hirenow
from hirenow import Actor, Applicant, Outcome, Role


missed = []


def hold(what, value, unit, *, most=None, least=None):
    """Prints a figure, its target and whether it was met."""
    met = value <= most if most is not None else value >= least
    target = f"at most {most}" if most is not None else f"at least {least}"
    print(f"  {what}: {value:.2f} {unit}, target {target} {unit}: {'met' if met else 'MISSED'}", flush=True)
    if not met:
        missed.append(what)


def per_call(work, seconds=0.5, rounds=7):
    """The median of several rounds, in seconds a call."""
    count = 1
    while True:
        start = time.perf_counter()
        for _ in range(count):
            work()
        if time.perf_counter() - start > seconds / 10:
            break
        count *= 2
    found = []
    for _ in range(rounds):
        start = time.perf_counter()
        for _ in range(count):
            work()
        found.append((time.perf_counter() - start) / count)
    return statistics.median(found)


def tokens(in_cpp):
    import jwt

    for algorithm, alg in ((hirenow.KeyAlgorithm.HS256, "HS256"), (hirenow.KeyAlgorithm.ED25519, "EdDSA")):
        document = hirenow.new_key_document(algorithm, "k")
        ring = hirenow.KeyRing.from_json(document)
        now = datetime.now(timezone.utc).replace(microsecond=0)
        claims = hirenow.TokenClaims(
            "hirenow", "interview", "applicant-4711", "acme", UUID("0190f5fe-7c00-7a3b-8d41-5e6f708192a3"),
            2, 3, now, now, now + timedelta(hours=72))
        token = hirenow.mint_token(ring, "k", claims)
        jwk = json.loads(document)["keys"][0]
        key = jwt.PyJWK({**jwk, "alg": alg}).key
        if alg == "EdDSA":
            key = key.public_key()
        required = ["iss", "aud", "sub", "tenant", "interview_id", "generation", "attempt", "iat", "nbf", "exp", "jti"]

        def theirs():
            whole = jwt.decode_complete(token, key, algorithms=[alg], issuer="hirenow", audience="interview",
                                        options={"require": required})
            header, read = whole["header"], whole["payload"]
            assert header["typ"] == "interview+jwt" and header["kid"] == "k"
            assert read["jti"] == f"{read['interview_id']}.{read['generation']}"

        rounds = []  # side by side with the peer's, because a machine is not the same from one second to the next
        for _ in range(5):
            rounds.append((per_call(lambda: hirenow.verify_token(ring, token), rounds=3), in_cpp()[alg] if in_cpp else 0))
        ours = statistics.median(mine for mine, _ in rounds)
        other = per_call(theirs)
        print(f"token check {alg}: {ours * 1e6:.2f} us, PyJWT {other * 1e6:.2f} us: {other / ours:.1f} x")
        if alg == "HS256":  # of an Ed25519 check nearly all is OpenSSL's arithmetic, the same for both
            hold(f"PyJWT / ours, {alg}", other / ours, "x", least=8)
        if in_cpp:
            above = statistics.median(mine * 1e6 - cpp for mine, cpp in rounds)
            hold(f"above C++ ({statistics.median(t for _, t in rounds):.2f} us), {alg}", above, "us", most=1.6)


RECRUITER, REVIEWER = Actor("r", "acme", Role.RECRUITER), Actor("v", "acme", Role.REVIEWER)


def engine_over(folder, name, **options):
    keys = json.loads(hirenow.new_key_document(hirenow.KeyAlgorithm.HS256, "k"))
    clock = hirenow.ManualClock(datetime(2026, 3, 2, 9, tzinfo=timezone.utc))
    store = hirenow.open_store(f"sqlite:{os.path.join(folder, name)}", **options)
    return hirenow.open(store, keys=keys, clock=clock, link_base="https://x.example/go"), clock


def failed_in(engine, clock, count=200):
    """Interviews that may be retaken at once."""
    failed = []
    for n in range(count):
        invited = engine.schedule(Applicant(f"a-{n}", "a@b.example"), "t", actor=RECRUITER, notify=False)
        sitting = engine.start(invited.link.partition("#")[2], b"0123456789abcdef")
        engine.submit(sitting.session)
        failed.append(engine.decide(invited.interview.id, Outcome.FAILED, actor=REVIEWER, notify=False).interview.id)
    clock.advance(timedelta(days=14))
    return failed


def retakes_of_one_engine(folder):
    engine, clock = engine_over(folder, "retakes.db")
    found = []
    for interview in failed_in(engine, clock):
        start = time.perf_counter()
        engine.retake(interview, actor=RECRUITER)
        found.append(time.perf_counter() - start)
    engine.close()
    return statistics.median(found) * 1e6


def retakes(folder, peer, rounds=7):
    """Rounds in turn, because a disk is not the same from one second to the next."""
    ours, theirs = [], []
    for n in range(rounds):
        for who in ("ours", "theirs") if n % 2 else ("theirs", "ours"):
            place = os.path.join(folder, f"{who}-{n}")
            os.mkdir(place)
            if who == "ours":
                ours.append(retakes_of_one_engine(place))
            elif peer:
                theirs.append(measured_in_cpp(peer, place, "retake")["retake"])
    print(f"retake, SQLite, synchronous=FULL: {statistics.median(ours):.0f} us (medians of {rounds} rounds)")
    if peer:
        ratio = statistics.median(a / b for a, b in zip(ours, theirs))
        hold(f"ours / C++ ({statistics.median(theirs):.0f} us), median of the rounds", ratio, "x", most=1.15)


def doors(folder, peer, rounds=5):
    """A retake in the host's own transaction on PostgreSQL: through the host's driver, and in C++ on libpq's handle."""
    import psycopg
    import psycopg2

    def failed_interviews(schema):
        keys = json.loads(hirenow.new_key_document(hirenow.KeyAlgorithm.HS256, "k"))
        clock = hirenow.ManualClock(datetime(2026, 3, 2, 9, tzinfo=timezone.utc))
        store = hirenow.open_store(url, schema=schema, database_clock=False)
        engine = hirenow.open(store, keys=keys, clock=clock, link_base="https://x.example/go")
        return engine, failed_in(engine, clock)

    def through(connect, schema):
        engine, failed = failed_interviews(schema)
        db = connect(url)
        found = []
        for interview in failed:
            start = time.perf_counter()
            engine.on(db, schema=schema).retake(interview, actor=RECRUITER)
            db.commit()
            found.append(time.perf_counter() - start)
        db.close()
        engine.close()
        return statistics.median(found) * 1e6

    script = os.path.join(os.path.dirname(__file__), "..", "..", "..", "tests", "support", "postgres.sh")
    folder = os.path.abspath(folder)
    file = os.path.join(folder, "url")
    os.chmod(folder, 0o711)  # where root measures, the server is another user's
    subprocess.run([script, "start", file], check=True, env={**os.environ, "HIRENOW_POSTGRES_IN": folder})
    with open(file) as text:
        url = text.read().strip()
    with psycopg.connect(url) as db:
        committed, synced = (db.execute(f"SHOW {name}").fetchone()[0] for name in ("synchronous_commit", "fsync"))
    print(f"PostgreSQL: synchronous_commit = {committed}, fsync = {synced}, on {folder}")
    ways = {"psycopg": lambda n: through(psycopg.connect, f"three{n}"),
            "psycopg2": lambda n: through(psycopg2.connect, f"two{n}")}
    if peer:
        ways["C++"] = lambda n: measured_in_cpp(peer, url, f"cpp{n}", "door")["door"]
    found = {name: [] for name in ways}
    for n in range(rounds):
        for name in list(ways)[n % len(ways):] + list(ways)[:n % len(ways)]:  # in turn, as above
            found[name].append(ways[name](n))
    subprocess.run([script, "stop", file], check=True)
    for name, all_rounds in found.items():
        print(f"retake in the host's transaction, PostgreSQL, {name}: {statistics.median(all_rounds):.0f} us")
        if peer and name != "C++":
            ratio = statistics.median(a / b for a, b in zip(all_rounds, found["C++"]))
            hold(f"door 2 through {name} / door 1, median of the rounds", ratio, "x", most=2)


def overlap(folder, seconds=2.0):
    """Resumes on one and on two threads."""
    engine, _ = engine_over(folder, "resumes.db")
    links = []
    for n in range(2):
        invited = engine.schedule(Applicant(f"a-{n}", "a@b.example"), "t", actor=RECRUITER, notify=False)
        links.append(invited.link.partition("#")[2])
        engine.start(links[-1], b"0123456789abcdef")

    def rate(threads):
        done = [0] * threads
        end = time.perf_counter() + seconds

        def work(n):
            while time.perf_counter() < end:
                engine.resume(links[n], f"0123456789abcdef{done[n]}")
                done[n] += 1

        all_threads = [threading.Thread(target=work, args=(n,)) for n in range(threads)]
        for t in all_threads:
            t.start()
        for t in all_threads:
            t.join()
        return sum(done) / seconds

    one, two = rate(1), rate(2)
    print(f"resumes, SQLite, synchronous=FULL: {one:.0f}/s on one thread, {two:.0f}/s on two")
    hold("two threads / one", two / one, "x", least=1.2)


def imports():
    program = "import time; t = time.perf_counter(); import hirenow; print(time.perf_counter() - t)"
    found = [float(subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout)
             for _ in range(11)]
    print(f"import: median of {len(found)}, file cache warm")
    hold("import", statistics.median(found) * 1e3, "ms", most=60)


def measured_in_cpp(*command):
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


if __name__ == "__main__":
    in_cpp = sys.argv[1] if len(sys.argv) > 1 else None
    with tempfile.TemporaryDirectory(dir=os.environ.get("BENCH_FOLDER")) as place:
        tokens((lambda: measured_in_cpp(in_cpp)) if in_cpp else None)
        retakes(place, in_cpp)
        overlap(place)
        doors(place, in_cpp)
    imports()
    if missed:
        sys.exit("missed: " + ", ".join(missed))
