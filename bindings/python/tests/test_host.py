"""The host's own sqlite3 transaction, and two copies of SQLite in one process."""

import os
import pathlib
import shutil
import sqlite3
import subprocess
import sys
import threading

import pytest
from conftest import KEY_ONE, World, token_in

import hirenow
from hirenow import InterviewState, _dbapi


class Host:
    """A host's application: its own table in the file that hirenow's tables are in."""

    def __init__(self, tmp_path, **connect):
        self.path = tmp_path / "ats.db"
        self.w = World(f"sqlite:{self.path}")
        with sqlite3.connect(self.path) as db:
            db.execute("CREATE TABLE application (id TEXT PRIMARY KEY, stage TEXT NOT NULL)")
            db.execute("INSERT INTO application VALUES ('a', 'first')")
        db.close()
        self.at = self.w.bring_to("failed")
        self.db = sqlite3.connect(self.path, timeout=0.2, **connect)

    def retake(self, **more):
        return self.w.engine.on(self.db).retake(self.at.id, actor=self.w.recruiter, **more)

    def state(self):
        """What another connection sees."""
        with sqlite3.connect(self.path) as db:
            stage = db.execute("SELECT stage FROM application").fetchone()[0]
        db.close()
        return stage, self.w.engine.find(self.at.id, actor=self.w.recruiter).state

    def move(self, stage="retake"):
        self.db.execute("UPDATE application SET stage = ?", (stage,))


FAILED, ARCHIVED = InterviewState.FAILED, InterviewState.ARCHIVED
LEGACY = [{"isolation_level": ""}, {"isolation_level": "DEFERRED"}, {"isolation_level": "IMMEDIATE"},
          {"isolation_level": "EXCLUSIVE"}]
MODES = LEGACY + ([{"autocommit": False}] if sys.version_info >= (3, 12) else [])


@pytest.mark.parametrize("mode", MODES, ids=str)
@pytest.mark.parametrize("ours_first", [False, True])
def test_both_commit_or_roll_back_together(tmp_path, mode, ours_first):
    for end, seen in (("rollback", ("first", FAILED)), ("commit", ("retake", ARCHIVED))):
        folder = tmp_path / end
        folder.mkdir()
        h = Host(folder, **mode)
        if ours_first:  # the driver has begun nothing yet: it is made to begin
            h.retake()
            h.move()
        else:
            h.move()
            h.retake()
        assert h.db.in_transaction and h.state() == ("first", FAILED)
        getattr(h.db, end)()
        assert h.state() == seen


def test_a_statement_of_the_hosts_own_begin_is_joined(tmp_path):
    h = Host(tmp_path, isolation_level=None)
    h.db.execute("BEGIN IMMEDIATE")
    h.move()
    h.retake()
    h.db.execute("ROLLBACK")
    assert h.state() == ("first", FAILED)


@pytest.mark.parametrize("mode", [{"isolation_level": None}] + (
    [{"autocommit": True}] if sys.version_info >= (3, 12) else []), ids=str)
def test_without_a_transaction_it_refuses(tmp_path, mode):
    h = Host(tmp_path, **mode)
    with pytest.raises(hirenow.NoTransactionError):
        h.retake()
    assert h.state() == ("first", FAILED) and not h.db.in_transaction


def test_an_error_of_ours_leaves_the_transaction_usable(tmp_path):
    h = Host(tmp_path)
    h.move("one")
    with pytest.raises(hirenow.PermissionDeniedError):
        h.w.engine.on(h.db).retake(h.at.id, actor=h.w.reviewer)
    with pytest.raises(hirenow.ActiveInterviewError):
        h.w.engine.on(h.db).schedule(h.w.ada, h.w.track, actor=h.w.recruiter)
        h.w.engine.on(h.db).schedule(h.w.ada, h.w.track, actor=h.w.recruiter)
    assert h.db.in_transaction
    h.retake()
    h.db.commit()
    assert h.state() == ("one", ARCHIVED)


def test_factories_and_converters_of_the_hosts_do_not_matter(tmp_path):
    h = Host(tmp_path, detect_types=sqlite3.PARSE_DECLTYPES)

    class Loud(sqlite3.Cursor):
        def execute(self, *args):
            raise AssertionError("the host's cursor was used")

    h.db.row_factory = lambda cursor, row: {"row": row}
    h.db.text_factory = lambda raw: raw.decode().upper()
    sqlite3.register_converter("integer", lambda raw: "seven")
    sqlite3.register_converter("text", lambda raw: 7)
    try:
        again = h.retake()
        h.move()
        assert h.db.execute("SELECT stage FROM application").fetchone() == {"row": (7,)}  # the host still has its own
    finally:
        sqlite3.converters.pop("INTEGER"), sqlite3.converters.pop("TEXT")
    h.db.commit()
    assert again.interview.attempt == 2 and h.state() == ("retake", ARCHIVED)


@pytest.mark.filterwarnings("ignore:another program commits")
def test_a_locked_database_is_the_hosts_to_repeat(tmp_path):
    h = Host(tmp_path)
    other = sqlite3.connect(h.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(sqlite3.OperationalError, match="locked"):  # nothing has begun yet
        h.retake()
    assert not h.db.in_transaction
    other.execute("COMMIT")
    h.retake()
    h.db.commit()
    # A transaction that read before somebody else wrote is stale: no savepoint cures that.
    h.db.isolation_level = None
    h.db.execute("BEGIN")
    h.db.execute("SELECT * FROM application").fetchall()
    h.w.engine.schedule(h.w.ada, "other", actor=h.w.recruiter)
    with pytest.raises(hirenow.RetryTransactionError) as refused:
        h.w.engine.on(h.db).schedule(h.w.ada, "third", actor=h.w.recruiter)
    assert isinstance(refused.value.__cause__, sqlite3.OperationalError)
    h.db.execute("ROLLBACK")


def test_what_the_hosts_driver_raises_is_raised(tmp_path):
    h = Host(tmp_path)
    raised = []
    on = h.w.engine.on(h.db)

    def elsewhere():
        try:
            on.find(h.at.id, actor=h.w.recruiter)
        except BaseException as error:
            raised.append(error)

    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join()
    assert type(raised[0]) is sqlite3.ProgrammingError and "thread" in str(raised[0])
    h.db.close()
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        h.retake()
    with pytest.raises(TypeError):
        h.w.engine.on("connection")


def test_an_interrupt_of_the_hosts_reaches_the_host(tmp_path):
    h = Host(tmp_path)
    h.move()
    h.db.set_progress_handler(lambda: 1, 1)
    with pytest.raises(sqlite3.OperationalError, match="interrupted"):
        h.retake()
    h.db.set_progress_handler(None, 0)
    assert h.db.in_transaction
    h.retake()
    h.db.commit()
    assert h.state() == ("retake", ARCHIVED)


def test_wrapped_connections_are_unwrapped(tmp_path):
    h = Host(tmp_path)

    class Django:
        connection = h.db

    class Fairy:
        driver_connection = h.db

    class SqlAlchemy:
        connection = Fairy()

    h.w.engine.on(Django()).find(h.at.id, actor=h.w.recruiter)
    h.w.engine.on(SqlAlchemy()).retake(h.at.id, actor=h.w.recruiter)
    h.db.commit()
    assert h.state() == ("first", ARCHIVED)


def test_tables_can_be_made_in_the_hosts_transaction(tmp_path):
    w = World()
    db = sqlite3.connect(tmp_path / "own.db")
    db.execute("CREATE TABLE own (x)")
    db.execute("INSERT INTO own VALUES (1)")
    with pytest.raises(hirenow.SchemaDamagedError):
        w.engine.on(db).schedule(w.ada, "t", actor=w.recruiter)
    invited = w.engine.on(db, create_tables=True).schedule(w.ada, "t", actor=w.recruiter)
    sitting = w.engine.on(db).start(token_in(invited.link), KEY_ONE)
    w.engine.on(db).checkpoint(sitting.session, "x")
    db.commit()
    w.engine.on(db).submit(sitting.session)
    db.rollback()
    assert w.engine.on(db).find(invited.interview.id, actor=w.recruiter).state is InterviewState.IN_PROGRESS
    w.engine.on(db).schedule(w.ada, "u", actor=w.recruiter)
    with pytest.raises(hirenow.InvalidArgumentError):  # nothing may be sent before the host's commit
        hirenow.Dispatcher(w.engine.on(db), type("M", (), {"send": None})(), sender="a@b.example").run_once()


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
