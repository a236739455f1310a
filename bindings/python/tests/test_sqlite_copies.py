"""Two copies of SQLite in one process, and what else endangers a file."""

import os
import pathlib
import shutil
import sqlite3
import subprocess
import sys

import pytest
from conftest import World

import hirenow
from hirenow import _dbapi


def test_what_endangers_the_file_is_told(tmp_path):
    told = []
    w = World(hirenow.open_store(f"sqlite:{tmp_path / 'a.db'}", warn=told.append))
    w.schedule()
    with sqlite3.connect(tmp_path / "a.db") as db:
        db.execute("CREATE TABLE own (x)")
    w.engine.schedule(w.ada, "other", actor=w.recruiter)
    db.close()
    assert len(told) == 1 and "another program commits" in told[0]


# ---- Two copies of SQLite --------------------------------------------------------------------------------------------

STORY = """
import os, sqlite3, sys
sys.path.insert(0, TESTS)
from conftest import World, MONDAY
import hirenow
from hirenow import _dbapi, _hirenow
how, path = sys.argv[1:]
print("another copy:", _dbapi.is_another_sqlite())
if how == "open":
    w = World("sqlite:" + path)
else:  # what open() refuses to do: the library's own copy beside Python's
    from datetime import timedelta
    w = World(_hirenow.open_sqlite_store(path, False, timedelta(seconds=10), 4, 1 << 26, 1 << 14, print))
ids = [w.engine.schedule(w.ada.replace(id="a"), "t", actor=w.recruiter).interview.id]
with sqlite3.connect(path) as db:  # the host looks into the file and closes it again
    db.execute("SELECT count(*) FROM sqlite_master").fetchall()
db.close()
ids.append(w.engine.schedule(w.ada.replace(id="b"), "t", actor=w.recruiter).interview.id)
print("committed:", len(ids))
sys.stdout.flush()
os._exit(0)  # as a process that is killed
"""


@pytest.fixture
def second_copy(tmp_path):
    """A folder with a _sqlite3 that loads a copy of libsqlite3 of another name."""
    import _sqlite3

    folder = tmp_path / "copy"
    folder.mkdir()
    maps = pathlib.Path("/proc/self/maps").read_text()
    library = next(line.split()[-1] for line in maps.splitlines() if "libsqlite3.so" in line)
    for source, target in ((_sqlite3.__file__, os.path.basename(_sqlite3.__file__)), (library, "libsqlite3.so.9")):
        raw = pathlib.Path(source).read_bytes()
        assert b"libsqlite3.so.0\0" in raw
        (folder / target).write_bytes(raw.replace(b"libsqlite3.so.0\0", b"libsqlite3.so.9\0"))
    return folder


def committed_rows(tmp_path, how, folder):
    path = tmp_path / f"{how}.db"
    env = {**os.environ, "LD_LIBRARY_PATH": str(folder or ""),
           "PYTHONPATH": os.pathsep.join(filter(None, [str(folder or ""), *sys.path]))}
    story = STORY.replace("TESTS", repr(os.path.dirname(__file__)))
    done = subprocess.run([sys.executable, "-c", story, how, str(path)], env=env, capture_output=True, text=True,
                          timeout=60)
    assert done.returncode == 0, done.stderr
    with sqlite3.connect(path) as db:
        rows = db.execute("SELECT count(*) FROM hirenow_interview").fetchone()[0]
    db.close()
    assert "committed: 2" in done.stdout
    return "another copy: True" in done.stdout, rows


def test_one_copy_of_sqlite_keeps_what_was_committed(tmp_path):
    assert committed_rows(tmp_path, "open", None) == (False, 2)


def test_with_two_copies_pythons_own_is_used_and_nothing_is_lost(tmp_path, second_copy):
    assert committed_rows(tmp_path, "open", second_copy) == (True, 2)


def test_two_copies_on_one_file_lose_committed_rows(tmp_path, second_copy):
    """The control: what open() keeps from happening does happen."""
    another, rows = committed_rows(tmp_path, "both", second_copy)
    assert another and rows < 2


def test_a_store_through_pythons_sqlite3_keeps_every_promise(tmp_path):
    from datetime import timedelta

    from hirenow import _hirenow
    from hirenow.testing import check_store

    count = iter(range(10_000))

    def make():
        path = str(tmp_path / f"{next(count)}.db")
        return _hirenow.open_sqlite_store_through(path, _dbapi.opener(path, 10), True, timedelta(seconds=10), 2,
                                                 1 << 26, 1 << 10, print)

    report = check_store(make, histories=2)
    assert report.passed, report
    shutil.rmtree(tmp_path, ignore_errors=True)
