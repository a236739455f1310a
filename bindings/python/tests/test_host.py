"""The host's own transaction: one matrix of tests over every kind of host's connection (hosts.py)."""

import functools
import shutil
import sqlite3
import threading
from datetime import timedelta

import psycopg
import psycopg2.extras
import pytest
from conftest import KEY_ONE, KEY_TWO, World, token_in
from hosts import ARCHIVED, FAILED, HOSTS, POSTGRES, Application, Stage, postgres_url, stage
from sqlalchemy import orm, text

import hirenow
from hirenow import (
    Actor,
    Applicant,
    Fact,
    FactKind,
    InterviewState,
    Outcome,
    Role,
    _dbapi,
    _hirenow,
    _psycopg,
)
from hirenow.testing import check_store

__all__ = ["stage"]


@pytest.mark.parametrize("end", ["commit", "rollback"])
@pytest.mark.parametrize("ours_first", [False, True], ids=["the host first", "our call first"])
def test_both_commit_or_roll_back_together(stage, ours_first, end):
    host = stage.connect()
    host.begin()
    if ours_first:  # a driver that begins lazily has begun nothing yet
        stage.retake()
        stage.move()
    else:
        stage.move()
        stage.retake()
    assert stage.seen() == ("first", FAILED)
    getattr(host, end)()
    assert stage.seen() == (("retake", ARCHIVED) if end == "commit" else ("first", FAILED))


def test_our_call_alone_is_committed_too(stage):
    host = stage.connect()
    for n in range(2):
        host.begin()
        stage.on().schedule(stage.w.ada, f"other-{n}", actor=stage.w.recruiter)
        host.commit()
    host.begin()
    stage.retake()
    host.commit()
    assert stage.seen() == ("first", ARCHIVED)
    assert len(list(stage.w.engine.interviews(actor=stage.w.recruiter))) == 4


def test_one_engine_serves_one_transaction_after_the_other(stage):
    host = stage.connect()
    host.begin()
    on = stage.on()
    on.retake(stage.at.id, actor=stage.w.recruiter)
    host.rollback()
    host.begin()
    again = on.retake(stage.at.id, actor=stage.w.recruiter)
    host.commit()
    assert stage.w.engine.find(again.interview.id, actor=stage.w.recruiter).attempt == 2


def test_the_hosts_savepoint_takes_back_what_came_after_it(stage):
    host = stage.connect()
    host.begin()
    stage.move("kept")
    host.savepoint()
    stage.move("lost")
    stage.retake()
    host.rollback_to()
    assert stage.on().find(stage.at.id, actor=stage.w.recruiter).state is FAILED
    host.commit()
    assert stage.seen() == ("kept", FAILED)


def test_without_a_transaction_it_refuses(stage):
    before = stage.database.dump()
    host = stage.connect(autocommit=True)
    with pytest.raises(hirenow.NoTransactionError):
        stage.retake()
    with pytest.raises(hirenow.NoTransactionError):
        stage.on().find(stage.at.id, actor=stage.w.recruiter)
    assert stage.database.dump() == before
    stage.move()  # still commits by itself
    assert stage.seen() == ("retake", FAILED)
    host.close()


def test_after_an_error_of_the_hosts(stage):
    host = stage.connect()
    host.begin()
    stage.move("one")
    host.savepoint()
    with pytest.raises(Exception, match="(?i)unique"):
        host.run("INSERT INTO application VALUES ('a', 'again')")
    host.rollback_to()
    stage.retake()
    host.commit()
    assert stage.seen() == ("one", ARCHIVED)


def test_an_error_of_ours_leaves_the_transaction_usable(stage):
    host = stage.connect()
    host.begin()
    with pytest.raises(hirenow.PermissionDeniedError):  # the first thing that is run
        stage.on().retake(stage.at.id, actor=stage.w.reviewer)
    stage.move("one")
    stage.on().schedule(stage.w.ada, "other", actor=stage.w.recruiter)
    with pytest.raises(hirenow.ActiveInterviewError):
        stage.on().schedule(stage.w.ada, "other", actor=stage.w.recruiter)
    stage.retake()
    with pytest.raises(hirenow.SupersededError):
        stage.retake()
    host.commit()
    assert stage.seen() == ("one", ARCHIVED)
    assert len(list(stage.w.engine.interviews(actor=stage.w.recruiter))) == 3


def test_a_closed_connection_is_told_as_the_host_tells_it(stage):
    host = stage.connect()
    if stage.kind.__name__.startswith("Django"):  # opens another by itself, but not in the midst of a transaction
        host.begin()
        host.close()
        with pytest.raises(Exception, match="(?i)transaction|closed"):
            stage.retake()
        host.atomic.__exit__(ValueError, ValueError(), None)
    else:
        host.close()
        with pytest.raises(Exception, match="(?i)closed"):
            stage.retake()
    assert stage.seen() == ("first", FAILED)
    host = stage.connect()
    host.begin()
    stage.retake()
    host.commit()
    assert stage.seen() == ("first", ARCHIVED)


@pytest.mark.parametrize("reads", ["the host reads", "we read"])
@pytest.mark.parametrize("stage", [name for name, (_, kind) in HOSTS.items() if kind.may_be_stale], indirect=True)
def test_a_transaction_that_comes_too_late_is_the_hosts_to_repeat(stage, reads):
    host = stage.connect()
    host.begin()
    if reads == "we read":
        stage.on().find(stage.at.id, actor=stage.w.recruiter)
    else:
        host.run("SELECT * FROM application")
    stage.w.engine.schedule(stage.w.ada, "another writes", actor=stage.w.recruiter)
    before = stage.database.dump()
    for _ in range(2):  # no savepoint cures that
        with pytest.raises(hirenow.RetryTransactionError) as refused:
            stage.retake()
        assert isinstance(refused.value.__cause__, stage.database.busy)
    assert stage.on().find(stage.at.id, actor=stage.w.recruiter).state is FAILED
    host.rollback()
    assert stage.database.dump() == before
    host.begin()
    stage.move()
    stage.retake()
    host.commit()
    assert stage.seen() == ("retake", ARCHIVED)


@pytest.mark.parametrize("stage", [name for name, (_, kind) in HOSTS.items() if kind.waits_to_begin], indirect=True)
def test_where_another_holds_the_lock_the_transaction_is_not_begun(stage):
    host = stage.connect()
    other = sqlite3.connect(stage.database.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(hirenow.RetryTransactionError) as refused:
        stage.retake()
    assert isinstance(refused.value.__cause__, stage.database.busy)
    assert not host.raw().in_transaction
    if stage.kind is HOSTS["SQLAlchemy"][1]:
        assert not host.db.in_transaction()
    other.execute("ROLLBACK")
    other.close()
    stage.retake()
    host.commit()
    assert stage.seen() == ("first", ARCHIVED)


@pytest.mark.parametrize("stage", POSTGRES, indirect=True)
def test_our_call_runs_at_the_isolation_level_that_the_host_has_set(stage, request):
    host = stage.connect()
    host.begin()
    stage.retake()
    cursor = host.raw().cursor()
    cursor.execute("SHOW transaction_isolation")
    named = [level for level in ("repeatable read", "serializable") if request.node.callspec.id.endswith(level)]
    assert [cursor.fetchone()[0]] == (named or ["read committed"])
    host.rollback()
    assert stage.seen() == ("first", FAILED)


@pytest.mark.parametrize("stage", ["psycopg", "psycopg block", "psycopg2", "SQLAlchemy psycopg", "SQLAlchemy psycopg2",
                                   "Django PostgreSQL"], indirect=True)
def test_with_read_committed_a_call_sees_what_others_have_committed(stage):
    host = stage.connect()
    host.begin()
    stage.on().find(stage.at.id, actor=stage.w.recruiter)
    stage.w.engine.schedule(stage.w.ada, "another writes", actor=stage.w.recruiter)
    assert len(list(stage.on().interviews(actor=stage.w.recruiter))) == 2
    stage.retake()
    host.commit()
    assert stage.seen() == ("first", ARCHIVED)


@pytest.mark.parametrize("stage", ["psycopg", "psycopg2", "Django PostgreSQL"], indirect=True)
def test_with_read_committed_a_record_is_loaded_whole(stage, monkeypatch):
    """Somebody retakes between two statements of ours: the answer to the same click is there, and so is what it names."""
    won = []
    original = _psycopg._Both.execute

    def execute(driver, sql, parameters):
        if "hirenow_answer" in sql and not won:
            won.append(stage.w.engine.retake(stage.at.id, actor=stage.w.recruiter, idempotency_key="click"))
        return original(driver, sql, parameters)

    monkeypatch.setattr(_psycopg._Both, "execute", execute)
    host = stage.connect()
    host.begin()
    again = stage.retake(idempotency_key="click")
    host.commit()
    assert again.replayed and again.interview.id == won[0].interview.id
    assert len(list(stage.w.engine.interviews(actor=stage.w.recruiter))) == 2


@pytest.mark.parametrize("stage", ["psycopg", "psycopg2", "SQLAlchemy psycopg", "Django PostgreSQL"], indirect=True)
def test_a_lock_that_is_held_too_long_is_the_hosts_to_wait_for(stage):
    another = stage.w.engine.schedule(stage.w.ada, "another", actor=stage.w.recruiter).interview.id
    other = POSTGRES["psycopg"](stage.database)
    stage.w.engine.on(other.db, **stage.database.where).cancel(another, actor=stage.w.recruiter)
    host = stage.connect()
    host.begin()
    host.run("SET LOCAL lock_timeout = '50ms'")
    with pytest.raises(hirenow.RetryTransactionError) as refused:
        stage.retake()
    assert isinstance(refused.value.__cause__, stage.database.busy)
    other.rollback()
    other.close()
    stage.retake()  # the savepoint has kept the transaction usable
    host.commit()
    assert stage.seen() == ("first", ARCHIVED)


@pytest.mark.parametrize("stage", POSTGRES, indirect=True)
def test_an_aborted_transaction_is_the_hosts_to_repeat(stage):
    host = stage.connect()
    host.begin()
    with pytest.raises(Exception, match="application"):
        host.run("INSERT INTO application VALUES ('a', 'again')")
    with pytest.raises(hirenow.RetryTransactionError) as refused:
        stage.retake()
    assert isinstance(refused.value.__cause__, stage.database.busy)
    host.rollback()
    assert stage.seen() == ("first", FAILED)


# ---- Every use case ------------------------------------------------------------------------------------------------------


def _dead_message(w):
    class Refusing:
        def send(self, mail):
            return hirenow.Delivery(hirenow.DeliveryOutcome.PERMANENT, 550, "no such user")

    hirenow.Dispatcher(w.engine, Refusing(), sender="jobs@acme.example").dispatch_due()
    return w.engine.read_messages(actor=w.recruiter, state=hirenow.MessageState.DEAD)[0].key


def _granted(e, w, rule="wait-14-days"):
    return e.grant_waiver("app-1", actor=w.admin, track=w.track, rule_id=rule, reason_code="visa_delay",
                          expires_at=w.clock.now() + timedelta(days=7), idempotency_key="w-" + rule)


def _proposed(w):
    """The number of a waiver that waits for a second person: made before the host's transaction."""
    known = w.engine.waivers("app-1", actor=w.admin)
    return known[0].number


# What is called, in which situation of the interview, and whether it writes.
USES = {
    "schedule": ("failed", True, lambda e, w, at: e.schedule(w.ada, "other", actor=w.recruiter)),
    "retake_eligibility": ("failed", False, lambda e, w, at: e.retake_eligibility(at.id, actor=w.recruiter)),
    "retake": ("failed", True, lambda e, w, at: e.retake(at.id, actor=w.recruiter, idempotency_key="k")),
    "reissue": ("scheduled", True, lambda e, w, at: e.reissue(at.id, actor=w.recruiter)),
    "request_link": ("expired, never started", True, lambda e, w, at: e.request_link(at.token)),
    "inspect": ("scheduled", False, lambda e, w, at: e.inspect(at.token)),
    "start": ("scheduled", True, lambda e, w, at: e.start(at.token, KEY_ONE)),
    "resume": ("in_progress", True, lambda e, w, at: e.resume(at.token, KEY_TWO)),
    "checkpoint": ("in_progress", True, lambda e, w, at: e.checkpoint(at.session, b"\0\xff half")),
    "submit": ("in_progress", True, lambda e, w, at: e.submit(at.session, progress="whole")),
    "withdraw": ("scheduled", True, lambda e, w, at: e.withdraw(at.token, reason="another offer")),
    "decide": ("submitted", True, lambda e, w, at: e.decide(at.id, Outcome.PASSED, actor=w.reviewer, score=0.5)),
    "reopen": ("passed", True, lambda e, w, at: e.reopen(at.id, actor=w.admin, reason="an appeal")),
    "void_attempt": ("submitted", True, lambda e, w, at: e.void_attempt(at.id, actor=w.reviewer, reason_code="power")),
    "accommodate": ("in_progress", True, lambda e, w, at: e.accommodate(
        at.id, actor=w.recruiter, reason_code="power", pause=timedelta(minutes=5))),
    "cancel": ("scheduled", True, lambda e, w, at: e.cancel(at.id, actor=w.recruiter)),
    "update_applicant": ("scheduled", True, lambda e, w, at: e.update_applicant(
        Applicant("app-1", "new@example.org", "Ada Größe ✓", "de", "Europe/Vienna"), actor=w.recruiter)),
    "record_fact": ("scheduled", True, lambda e, w, at: e.record_fact(
        "app-1", Fact(FactKind.SCORE, "quiz", w.clock.now(), value="7"), actor=w.recruiter)),
    "set_policy": ("scheduled", True, lambda e, w, at: e.set_policy(
        {"hirenow_policy": 1, "version": "v2", "rules": []}, actor=w.admin)),
    "policies": ("scheduled", False, lambda e, w, at: list(e.policies(actor=w.recruiter))),
    "what_if": ("failed", False, lambda e, w, at: list(e.what_if(
        {"hirenow_policy": 1, "version": "v2", "rules": []}, actor=w.admin, limit=1))),
    "grant_waiver": ("failed", True, lambda e, w, at: _granted(e, w)),
    "approve_waiver": ("failed", True, lambda e, w, at: e.approve_waiver(
        "app-1", _proposed(w), actor=Actor("bert", "acme", {Role.ADMIN}))),
    "revoke_waiver": ("failed", True, lambda e, w, at: e.revoke_waiver(
        "app-1", _granted(e, w).waiver.number, actor=w.admin)),
    "waivers": ("failed", False, lambda e, w, at: e.waivers("app-1", actor=w.recruiter)),
    "redrive": ("scheduled", True, lambda e, w, at: e.redrive(_dead_message(w), actor=w.admin)),
    "drop": ("scheduled", True, lambda e, w, at: e.drop(_dead_message(w), actor=w.admin)),
    "erase_applicant": ("scheduled", True, lambda e, w, at: e.erase_applicant("app-1", actor=w.admin)),
    "sweep": ("expired, never started", True, lambda e, w, at: e.sweep()),
    "find": ("scheduled", False, lambda e, w, at: e.find(at.id, actor=w.recruiter)),
    "permitted_actions": ("failed", False, lambda e, w, at: e.permitted_actions(at.id, actor=w.recruiter)),
    "list": ("scheduled", False, lambda e, w, at: e.list(actor=w.recruiter)),
    "pages": ("scheduled", False, lambda e, w, at: list(e.pages(actor=w.recruiter, limit=1))),
    "interviews": ("archived", False, lambda e, w, at: list(e.interviews(actor=w.recruiter))),
    "history": ("archived", False, lambda e, w, at: e.history(at.id, actor=w.recruiter)),
    "read_progress": ("submitted", False, lambda e, w, at: e.read_progress(at.id, actor=w.reviewer)),
    "read_audit": ("archived", False, lambda e, w, at: e.read_audit("app-1", actor=w.admin)),
    "audit": ("archived", False, lambda e, w, at: list(e.audit("app-1", actor=w.admin))),
    "verify_audit": ("archived", False, lambda e, w, at: e.verify_audit("app-1", actor=w.admin)),
    "audit_checkpoint": ("archived", False, lambda e, w, at: e.audit_checkpoint(actor=w.admin)),
    "verify_audit_checkpoint": ("archived", False, lambda e, w, at: e.verify_audit_checkpoint(
        w.engine.audit_checkpoint(actor=w.admin), actor=w.admin)),
    "read_messages": ("archived", False, lambda e, w, at: e.read_messages(actor=w.recruiter)),
    "link_of": ("scheduled", False, lambda e, w, at: e.link_of(at.id, actor=w.recruiter)),
    "link_for_row": ("scheduled", False, lambda e, w, at: e.link_for_row("acme", "app-1", e.find(at.id, actor=w.recruiter))),
}
OTHERS = {"close", "closed", "on", "over", "now", "messages"}


def test_no_use_case_is_left_out():
    assert {name for name in dir(hirenow.Engine) if not name.startswith("_")} == USES.keys() | OTHERS


def use_every_case(kind, tmp_path, spoil=lambda host: None):
    """Each in a transaction that is rolled back, and in one that is committed."""
    for name, (situation, writes, use) in USES.items():
        folder = tmp_path / name
        folder.mkdir()
        s = Stage(kind, folder, situation)
        if name in ("redrive", "drop"):
            _dead_message(s.w)
        if name == "approve_waiver":
            s.w.engine.set_policy({"hirenow_policy": 1, "version": "v2", "rules": [
                {"rule": "wait", "id": "w", "after": ["P60D"], "second_approver": True}]}, actor=s.w.admin)
            _granted(s.w.engine, s.w, "w")
        before = s.database.dump()
        host = s.connect()
        spoil(host)
        host.begin()
        first = use(s.on(), s.w, s.at)
        host.rollback()
        assert s.database.dump() == before, name
        host.begin()
        second = use(s.on(), s.w, s.at)
        if not writes:
            assert repr(first) == repr(second) == repr(use(s.w.engine, s.w, s.at)), name
        host.commit()
        assert (s.database.dump() != before) == writes, name
        assert s.w.engine.verify_audit("app-1", actor=s.w.admin), name
        s.close()


# Of PostgreSQL's one for each driver and framework; the hostile sessions below are of the others.
WHOLE = [name for name in HOSTS if name not in POSTGRES] + [
    "psycopg block", "psycopg2 serializable", "SQLAlchemy psycopg2", "Django PostgreSQL serializable"]


@pytest.mark.parametrize("kind", WHOLE)
def test_every_use_case_reads_and_writes_in_the_hosts_transaction(kind, tmp_path):
    use_every_case(kind, tmp_path)


def test_the_outbox_is_never_emptied_there(stage):
    host = stage.connect()
    host.begin()
    mailer = type("Never", (), {"send": None})()
    dispatcher = hirenow.Dispatcher(stage.on(), mailer, sender="jobs@acme.example")
    stage.retake()
    with pytest.raises(hirenow.InvalidArgumentError) as refused:  # nothing may be sent before the host's commit
        dispatcher.dispatch_due()
    assert refused.value.reason == "host_transaction"
    host.commit()
    assert stage.seen() == ("first", ARCHIVED)


# ---- Hostile settings ----------------------------------------------------------------------------------------------------


@pytest.fixture
def hostile_process():
    """Converters and adapters of the whole process that change all values."""
    sqlite3.converters.update(dict.fromkeys(("INTEGER", "TEXT", "BLOB", "REAL"), lambda raw: "converted"))
    kinds = int, float, str, bytes, type(None)
    for kind in kinds:
        sqlite3.register_adapter(kind, lambda value: "adapted")
    hosts = dict(sqlite3.converters), dict(sqlite3.adapters)
    yield
    assert (dict(sqlite3.converters), dict(sqlite3.adapters)) == hosts  # nobody has touched them
    for name in ("INTEGER", "TEXT", "BLOB", "REAL"):
        del sqlite3.converters[name]
    for kind in kinds:
        del sqlite3.adapters[kind, sqlite3.PrepareProtocol]


def hostile(host):
    """A connection on which nothing is as it comes from the factory."""
    db = host.raw()
    names = [name for name, in db.execute("SELECT +name FROM sqlite_master WHERE +type = 'table' AND name LIKE 'hirenow%'")]
    for name in names:
        db.execute(f"CREATE TEMP TABLE {name} (decoy)")
        db.execute(f"INSERT INTO temp.{name} VALUES (1)")
    db.commit()
    for pragma in ("foreign_keys = OFF", "reverse_unordered_selects = ON", "recursive_triggers = ON",
                   "case_sensitive_like = ON", "full_column_names = ON"):
        db.execute(f"PRAGMA {pragma}")
    assert names and not db.in_transaction
    db.row_factory = lambda cursor, row: {"row": row}
    db.text_factory = lambda raw: raw.decode().upper()


@pytest.mark.parametrize("kind", ["sqlite3 legacy", "SQLAlchemy", "Django"])
def test_the_hosts_settings_change_nothing(kind, tmp_path, hostile_process):
    use_every_case(kind, tmp_path, hostile)


def test_every_statement_of_the_librarys_goes_round_them(tmp_path, hostile_process):
    """All that a store must be able to do, on connections whose every value is converted and adapted."""
    count = iter(range(10_000))

    def make():
        path = str(tmp_path / f"{next(count)}.db")

        def opener():
            return _dbapi.Driver(sqlite3.connect(
                path, isolation_level=None, check_same_thread=False, detect_types=sqlite3.PARSE_DECLTYPES))

        return _hirenow.open_sqlite_store_through(path, opener, True, timedelta(seconds=10), 2, 1 << 26, 1 << 10, print)

    report = check_store(make, histories=1)
    assert report.passed, report
    shutil.rmtree(tmp_path, ignore_errors=True)


EVIL = """
CREATE FUNCTION evil.pick(bigint, bigint) RETURNS bigint LANGUAGE sql AS 'SELECT -7::bigint';
CREATE FUNCTION evil.length(bytea) RETURNS integer LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION evil.length(text) RETURNS integer LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION evil.nextval(regclass) RETURNS bigint LANGUAGE sql AS 'SELECT 1::bigint';
CREATE FUNCTION evil.nextval(text) RETURNS bigint LANGUAGE sql AS 'SELECT 1::bigint';
CREATE FUNCTION evil.sha256(bytea) RETURNS bytea LANGUAGE sql AS 'SELECT ''x''::bytea';
CREATE AGGREGATE evil.max(bigint) (sfunc = evil.pick, stype = bigint);
CREATE AGGREGATE evil.min(bigint) (sfunc = evil.pick, stype = bigint);
CREATE AGGREGATE evil.sum(bigint) (sfunc = evil.pick, stype = bigint);
CREATE AGGREGATE evil.count(bigint) (sfunc = evil.pick, stype = bigint);
"""
SETTINGS = {"search_path": "evil, pg_catalog, public", "TimeZone": "Asia/Kathmandu", "DateStyle": "German, DMY",
            "IntervalStyle": "sql_standard", "bytea_output": "escape", "standard_conforming_strings": "off",
            "transform_null_equals": "on", "enable_indexscan": "off"}


@functools.lru_cache(maxsize=None)
def evil_schema():
    """Decoys of all that our statements name, for whoever lets a search path decide."""
    with psycopg.connect(postgres_url(), autocommit=True) as db:
        db.execute("CREATE SCHEMA evil")
        for statement in filter(str.strip, EVIL.split(";\n")):
            db.execute(statement)
        for name, in db.execute("SELECT DISTINCT relname FROM pg_class WHERE relname LIKE 'hirenow%' AND relkind = 'r'"):
            db.execute(f"CREATE TABLE evil.{name} (decoy integer)")


def hostile_postgres(host):
    """A session on which nothing is as it comes from the server, and adapters that change all values."""
    evil_schema()
    db = host.raw()
    for name, value in SETTINGS.items():
        db.cursor().execute(f"SET {name} = '{value}'" if name != "search_path" else f"SET search_path = {value}")
    db.commit()
    if isinstance(db, psycopg.Connection):
        class Loud(psycopg.adapt.Dumper):
            def dump(self, value):
                return b"adapted"

        class Deaf(psycopg.adapt.Loader):
            def load(self, data):
                return "converted"

        for kind in (int, float, str, bytes):
            db.adapters.register_dumper(kind, Loud)
        for name in ("int8", "int4", "text", "bytea", "float8", "bool"):
            db.adapters.register_loader(name, Deaf)
        db.row_factory = psycopg.rows.dict_row
    else:
        kinds = psycopg2.extensions.new_type((16, 17, 20, 23, 25, 701), "DEAF", lambda raw, cursor: "converted")
        psycopg2.extensions.register_type(kinds, db)
        db.cursor_factory = psycopg2.extras.DictCursor


@pytest.fixture
def hostile_psycopg2():
    """Adapters of the whole process."""
    kinds = {(kind, psycopg2.extensions.ISQLQuote) for kind in (int, float, str, bytes)}
    kept = {kind: psycopg2.extensions.adapters[kind] for kind in kinds if kind in psycopg2.extensions.adapters}
    for kind, _ in kinds:
        psycopg2.extensions.register_adapter(kind, lambda value: psycopg2.extensions.AsIs("adapted"))
    yield
    for kind in kinds:
        psycopg2.extensions.adapters.pop(kind, None)
    psycopg2.extensions.adapters.update(kept)


# At every isolation level; the two rows that are left out are among the ones above.
@pytest.mark.parametrize("kind", [name for name in POSTGRES if name not in ("psycopg block", "SQLAlchemy psycopg2")])
def test_the_hosts_session_changes_nothing(kind, tmp_path, hostile_psycopg2):
    use_every_case(kind, tmp_path, hostile_postgres)


def test_the_hosts_own_statements_are_converted_as_ever(tmp_path, hostile_process):
    s = Stage("sqlite3 legacy", tmp_path)
    s.database.outside("CREATE TABLE own (n INTEGER)", "INSERT INTO own VALUES (1)")
    host = s.connect()
    host.begin()
    s.retake()
    host.db.text_factory = str
    assert host.db.execute("SELECT n FROM own").fetchall() == [("converted",)]
    assert host.db.execute("SELECT ?", ("x",)).fetchall() == [("adapted",)]
    assert host.db.text_factory is str
    host.close()


# ---- What is one driver's alone ------------------------------------------------------------------------------------------


def test_with_djangos_models(tmp_path):
    from django.db import transaction

    s = Stage("Django", tmp_path)
    host = s.connect()
    with transaction.atomic(using=host.alias):
        Application.objects.using(host.alias).filter(pk="a").update(stage="retake")
        s.retake()
    assert s.seen() == ("retake", ARCHIVED)
    with pytest.raises(hirenow.SupersededError), transaction.atomic(using=host.alias):
        Application.objects.using(host.alias).filter(pk="a").update(stage="lost")
        s.retake()
    assert s.seen() == ("retake", ARCHIVED)
    # An atomic block that is broken is Django's to refuse.
    with transaction.atomic(using=host.alias):
        transaction.set_rollback(True, using=host.alias)
        with pytest.raises(transaction.TransactionManagementError):
            s.on().find(s.at.id, actor=s.w.recruiter)
    # Without autocommit Django leaves the beginning to the driver.
    host.db.set_autocommit(False)
    s.on().schedule(s.w.ada, "other", actor=s.w.recruiter)
    host.db.rollback()
    s.on().schedule(s.w.ada, "third", actor=s.w.recruiter)
    host.db.commit()
    host.db.set_autocommit(True)
    assert {row.interview.track for row in s.w.engine.interviews(actor=s.w.recruiter)} == {s.w.track, "third"}
    host.close()


def test_djangos_own_name_for_its_connection(tmp_path, monkeypatch):
    from django.db import connection, connections, transaction

    s = Stage("Django", tmp_path)
    host = s.connect()
    monkeypatch.setattr(connections._connections, "default", connections["sqlite"], raising=False)
    with transaction.atomic():  # has not been connected yet
        s.w.engine.on(connection).retake(s.at.id, actor=s.w.recruiter)
    assert s.seen() == ("first", ARCHIVED)
    host.close()


def test_with_sqlalchemys_sessions(tmp_path):
    s = Stage("SQLAlchemy", tmp_path)
    host = s.connect()
    with orm.Session(host.engine) as session, session.begin():
        s.w.engine.on(session.connection()).retake(s.at.id, actor=s.w.recruiter)
        session.execute(text("UPDATE application SET stage = 'retake'"))
    assert s.seen() == ("retake", ARCHIVED)
    with pytest.raises(hirenow.SupersededError), orm.Session(host.engine) as session, session.begin():
        session.execute(text("UPDATE application SET stage = 'lost'"))
        s.w.engine.on(session.connection()).retake(s.at.id, actor=s.w.recruiter)
    with host.engine.begin() as connection:
        s.w.engine.on(connection).schedule(s.w.ada, "other", actor=s.w.recruiter)
    assert s.seen() == ("retake", ARCHIVED)
    assert len(list(s.w.engine.interviews(actor=s.w.recruiter))) == 3
    host.close()


def test_what_the_hosts_driver_raises_is_raised(tmp_path):
    s = Stage("sqlite3 legacy", tmp_path)
    s.connect()
    raised = []
    on = s.on()

    def elsewhere():
        try:
            on.find(s.at.id, actor=s.w.recruiter)
        except BaseException as error:
            raised.append(error)

    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join()
    assert type(raised[0]) is sqlite3.ProgrammingError and "thread" in str(raised[0])
    s.host.close()
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        s.retake()
    with pytest.raises(TypeError):
        s.w.engine.on("connection")


def test_an_interrupt_of_the_hosts_reaches_the_host(tmp_path):
    s = Stage("sqlite3 legacy", tmp_path)
    db = s.connect().db
    s.move()
    db.set_progress_handler(lambda: 1, 1)
    with pytest.raises(sqlite3.OperationalError, match="interrupted"):
        s.retake()
    db.set_progress_handler(None, 0)
    assert db.in_transaction
    s.retake()
    db.commit()
    assert s.seen() == ("retake", ARCHIVED)


def test_a_cursor_of_the_hosts_own_is_not_used(tmp_path):
    class Loud(sqlite3.Connection):
        def cursor(self, *args):
            raise AssertionError("the host's cursor was used")

    s = Stage("sqlite3 legacy", tmp_path)
    db = sqlite3.connect(s.database.path, factory=Loud)
    s.w.engine.on(db).retake(s.at.id, actor=s.w.recruiter)
    db.commit()
    db.close()
    assert s.seen() == ("first", ARCHIVED)


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
    db.close()


@pytest.mark.parametrize("connect", [psycopg.connect, psycopg2.connect], ids=["psycopg", "psycopg2"])
def test_tables_can_be_made_in_the_hosts_transaction_in_postgresql(connect):
    w, url, where = World(), postgres_url(), {"schema": "made in a transaction"}
    db = connect(url)
    for end in (db.rollback, db.commit):
        with pytest.raises(hirenow.SchemaDamagedError):
            w.engine.on(db, **where).schedule(w.ada, "t", actor=w.recruiter)
        invited = w.engine.on(db, create_tables=True, **where).schedule(w.ada, "t", actor=w.recruiter)
        end()
    assert w.engine.on(db, **where).find(invited.interview.id, actor=w.recruiter).state is InterviewState.SCHEDULED
    db.rollback()
    with hirenow.open_store(url, create_tables=False, **where) as store:  # it finds them whole
        assert len(list(w.engine.over(store).interviews(actor=w.recruiter))) == 1
    db.cursor().execute('DROP SCHEMA "made in a transaction" CASCADE')
    db.commit()
    db.close()
