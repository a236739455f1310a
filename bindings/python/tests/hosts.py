"""Hosts of every kind: an application's own connection, as its driver or its framework has it, to the database in which
hirenow's tables are."""

import contextlib
import functools
import os
import sqlite3
import subprocess
import sys
import tempfile
from urllib.parse import parse_qs, urlsplit

import django
import psycopg
import psycopg2
import pytest
import sqlalchemy
from conftest import ROOT, World
from django.conf import settings
from django.db import connections, models, transaction

import hirenow

settings.configure(DATABASES={
    "default": {},
    "sqlite": {"ENGINE": "django.db.backends.sqlite3", "NAME": "", "OPTIONS": {"timeout": 0.2}},
    "postgresql": {"ENGINE": "django.db.backends.postgresql", "NAME": "postgres", "USER": "hirenow"},
})
django.setup()


class Application(models.Model):
    """The host's own row, as Django sees it."""

    id = models.CharField(primary_key=True, max_length=10)
    stage = models.CharField(max_length=20)

    class Meta:
        app_label = "host"
        db_table = "application"


TABLE = ("CREATE TABLE application (id VARCHAR(10) PRIMARY KEY, stage VARCHAR(20) NOT NULL)",
         "INSERT INTO application VALUES ('a', 'first')")


class SqliteFile:
    """A database, and somebody else who looks into it."""

    busy = sqlite3.OperationalError
    where = {}

    def __init__(self, folder):
        self.path = folder / "ats.db"

    def store(self):
        return f"sqlite:{self.path}"

    def drop(self):
        """Its folder goes with the test."""

    def outside(self, *statements):
        """The rows of the last statement, which runs on a connection of nobody else's."""
        with contextlib.closing(sqlite3.connect(self.path, isolation_level=None)) as db:
            return [db.execute(sql).fetchall() for sql in statements][-1]

    def dump(self):
        """All that stands in hirenow's tables."""
        with contextlib.closing(sqlite3.connect(self.path, isolation_level=None)) as db:
            names = db.execute("SELECT name FROM sqlite_master WHERE name LIKE 'hirenow%' AND type = 'table'").fetchall()
            return {name: sorted(map(repr, db.execute(f"SELECT * FROM {name}"))) for name, in names}


@functools.lru_cache(maxsize=None)
def postgres_url():
    """A private server, which ends with this process."""
    file = os.path.join(tempfile.mkdtemp(), "url")
    subprocess.run([str(ROOT / "tests" / "support" / "postgres.sh"), "start", file], check=True)
    with open(file) as text:
        return text.read().strip()


@functools.lru_cache(maxsize=None)
def outsider():
    """Somebody else's connection to it, which stays open: most of what a look takes is the connecting."""
    return psycopg.connect(postgres_url(), autocommit=True, prepare_threshold=None)


class PostgresSchema:
    """hirenow's tables in a schema of their own, the host's in "public", and somebody else who looks into both. One
    schema for all, which is emptied: that is quicker than another."""

    busy = psycopg.Error, psycopg2.Error
    schema = "ats"
    where = {"schema": schema}

    def __init__(self, folder):
        self.outside("DROP TABLE IF EXISTS public.application")

    def store(self):
        return hirenow.open_store(postgres_url(), schema=self.schema, connections=2, database_clock=False)

    def drop(self):
        # As a replica: triggers and foreign keys, which forbid it, stand still.
        self.outside(f"""DO $$ DECLARE t text; BEGIN
            SET LOCAL session_replication_role = replica;
            FOR t IN SELECT tablename FROM pg_tables WHERE schemaname = '{self.schema}' AND tablename <> 'hirenow_version'
            LOOP EXECUTE format('DELETE FROM {self.schema}.%I', t); END LOOP; END $$""")

    def outside(self, *statements):
        for sql in statements:
            rows = outsider().execute(sql)
        return rows.fetchall() if rows.description else []

    def dump(self):
        names = self.outside(f"SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = "
                             f"'{self.schema}'::regnamespace")
        assert names
        return {name: sorted(map(repr, self.outside(f"SELECT * FROM {self.schema}.{name}"))) for name, in names}


class Host:
    """A host's connection. `lazy`: its transaction begins with whatever is run first; else with `begin`."""

    lazy = True
    may_be_stale = False  # a transaction in which nothing has been written yet can come too late to write
    waits_to_begin = False  # where somebody else writes, a transaction that is to write cannot be begun

    def begin(self):
        """Begins, where that is not done lazily."""

    def commit(self):
        self.db.commit()

    def rollback(self):
        self.db.rollback()

    def savepoint(self):
        self.run("SAVEPOINT theirs")

    def rollback_to(self):
        self.run("ROLLBACK TO SAVEPOINT theirs")
        self.run("RELEASE SAVEPOINT theirs")

    def run(self, sql):
        self.db.execute(sql)

    def close(self):
        self.db.close()

    def raw(self):
        """The driver's own connection."""
        return self.db


def sqlite3_host(waits=True, stale=False, **connect):
    class Sqlite3(Host):
        waits_to_begin, may_be_stale = waits, stale

        def __init__(self, database, autocommit=False):
            how = connect
            if autocommit:
                how = {"autocommit": True} if "autocommit" in connect else {"isolation_level": None}
            self.db = sqlite3.connect(database.path, timeout=0.2, detect_types=sqlite3.PARSE_DECLTYPES, **how)

    return Sqlite3


class BegunByHand(Host):
    """Python's sqlite3 with a deferred BEGIN of the host's own."""

    lazy, may_be_stale = False, True

    def __init__(self, database, autocommit=False):
        self.db = sqlite3.connect(database.path, timeout=0.2, isolation_level=None, detect_types=sqlite3.PARSE_DECLTYPES)

    def begin(self):
        self.run("BEGIN")

    def commit(self):
        self.run("COMMIT")

    def rollback(self):
        self.run("ROLLBACK")


class SqlAlchemy(Host):
    """A `sqlalchemy.Connection`: only what was run through it does it know of, and commit."""

    waits_to_begin = True

    def __init__(self, database, autocommit=False):
        self.engine = self.made(database)
        self.db = self.engine.connect()
        if autocommit:
            self.db = self.db.execution_options(isolation_level="AUTOCOMMIT")

    def made(self, database):
        connect = {"timeout": 0.2, "detect_types": sqlite3.PARSE_DECLTYPES}
        return sqlalchemy.create_engine(
            f"sqlite:///{database.path}", poolclass=sqlalchemy.pool.NullPool, connect_args=connect
        )

    def savepoint(self):
        self.nested = self.db.begin_nested()

    def rollback_to(self):
        self.nested.rollback()

    def run(self, sql):
        self.db.exec_driver_sql(sql)

    def raw(self):
        return self.db.connection.driver_connection


class SqlAlchemyBegins(SqlAlchemy):
    """The same, with the events by which SQLAlchemy's manual has SQLite begin in time."""

    may_be_stale, waits_to_begin = True, False

    def made(self, database):
        engine = super().made(database)

        @sqlalchemy.event.listens_for(engine, "connect")
        def keep_the_driver_from_beginning(connection, record):
            connection.isolation_level = None

        @sqlalchemy.event.listens_for(engine, "begin")
        def begin(connection):
            if connection.get_execution_options().get("isolation_level") != "AUTOCOMMIT":
                connection.exec_driver_sql("BEGIN")

        return engine


class Django(Host):
    """Django's connection, and `transaction.atomic`, whose BEGIN is deferred."""

    lazy, may_be_stale = False, True
    alias = "sqlite"

    def __init__(self, database, autocommit=False):
        self.db = connections[self.alias]
        self.db.close()
        self.settle(database)

    def settle(self, database):
        self.db.settings_dict["NAME"] = str(database.path)
        self.db.settings_dict["OPTIONS"]["detect_types"] = sqlite3.PARSE_DECLTYPES

    def begin(self):
        self.atomic = transaction.atomic(using=self.alias)
        self.atomic.__enter__()

    def commit(self):
        self.atomic.__exit__(None, None, None)

    def rollback(self):
        transaction.set_rollback(True, using=self.alias)
        self.atomic.__exit__(None, None, None)

    def savepoint(self):
        self.theirs = transaction.savepoint(using=self.alias)

    def rollback_to(self):
        transaction.savepoint_rollback(self.theirs, using=self.alias)
        transaction.savepoint_commit(self.theirs, using=self.alias)

    def run(self, sql):
        with self.db.cursor() as cursor:
            cursor.execute(sql)

    def close(self):
        self.db.close()

    def raw(self):
        self.db.ensure_connection()
        return self.db.connection


# ---- PostgreSQL ----------------------------------------------------------------------------------------------------------


class Psycopg(Host):
    """psycopg 3, which begins before whatever is run first."""

    isolation = None

    def __init__(self, database, autocommit=False):
        self.db = psycopg.connect(postgres_url(), autocommit=autocommit)
        if self.isolation:
            self.db.isolation_level = self.isolation


class PsycopgBlock(Host):
    """psycopg 3 with autocommit, and a block that begins and ends a transaction."""

    lazy = False

    def __init__(self, database, autocommit=False):
        self.db = psycopg.connect(postgres_url(), autocommit=True)

    def begin(self):
        self.block = self.db.transaction()
        self.block.__enter__()

    def commit(self):
        self.block.__exit__(None, None, None)

    def rollback(self):
        self.block.__exit__(psycopg.Rollback, psycopg.Rollback(), None)


class Psycopg2(Host):
    isolation = None

    def __init__(self, database, autocommit=False):
        self.db = psycopg2.connect(postgres_url())
        self.db.set_session(isolation_level=self.isolation, autocommit=autocommit)

    def run(self, sql):
        self.db.cursor().execute(sql)


class SqlAlchemyPsycopg(SqlAlchemy):
    waits_to_begin = False
    driver, isolation = psycopg, None

    def made(self, database):
        return sqlalchemy.create_engine(
            f"postgresql+{self.driver.__name__}://", creator=lambda: self.driver.connect(postgres_url()),
            poolclass=sqlalchemy.pool.NullPool, **({"isolation_level": self.isolation} if self.isolation else {}))


class SqlAlchemyPsycopg2(SqlAlchemyPsycopg):
    driver = psycopg2


class DjangoPostgres(Django):
    may_be_stale = False
    alias, isolation = "postgresql", None

    def settle(self, database):
        url = urlsplit(postgres_url())
        where = parse_qs(url.query)
        self.db.settings_dict.update(HOST=where["host"][0], PORT=where["port"][0])
        self.db.settings_dict["OPTIONS"] = {"isolation_level": self.isolation} if self.isolation else {}
        self.db.__dict__.pop("isolation_level", None)


def isolated(kind, level):
    return type(kind.__name__, (kind,), {"isolation": level, "may_be_stale": True})


HOSTS = {
    "sqlite3 legacy": (SqliteFile, sqlite3_host(isolation_level="")),
    "sqlite3 deferred": (SqliteFile, sqlite3_host(isolation_level="DEFERRED")),
    "sqlite3 immediate": (SqliteFile, sqlite3_host(isolation_level="IMMEDIATE")),
    "sqlite3 exclusive": (SqliteFile, sqlite3_host(isolation_level="EXCLUSIVE")),
    "sqlite3 begun by hand": (SqliteFile, BegunByHand),
    "SQLAlchemy": (SqliteFile, SqlAlchemy),
    "SQLAlchemy begins": (SqliteFile, SqlAlchemyBegins),
    "Django": (SqliteFile, Django),
}
REPEATABLE, SERIALIZABLE = psycopg.IsolationLevel.REPEATABLE_READ, psycopg.IsolationLevel.SERIALIZABLE
POSTGRES = {
    "psycopg": Psycopg,
    "psycopg repeatable read": isolated(Psycopg, REPEATABLE),
    "psycopg serializable": isolated(Psycopg, SERIALIZABLE),
    "psycopg block": PsycopgBlock,
    "psycopg2": Psycopg2,
    "psycopg2 repeatable read": isolated(Psycopg2, "REPEATABLE READ"),
    "psycopg2 serializable": isolated(Psycopg2, "SERIALIZABLE"),
    "SQLAlchemy psycopg": SqlAlchemyPsycopg,
    "SQLAlchemy psycopg repeatable read": isolated(SqlAlchemyPsycopg, "REPEATABLE READ"),
    "SQLAlchemy psycopg serializable": isolated(SqlAlchemyPsycopg, "SERIALIZABLE"),
    "SQLAlchemy psycopg2": SqlAlchemyPsycopg2,
    "SQLAlchemy psycopg2 repeatable read": isolated(SqlAlchemyPsycopg2, "REPEATABLE READ"),
    "SQLAlchemy psycopg2 serializable": isolated(SqlAlchemyPsycopg2, "SERIALIZABLE"),
    "Django PostgreSQL": DjangoPostgres,
    "Django PostgreSQL repeatable read": isolated(DjangoPostgres, REPEATABLE),
    "Django PostgreSQL serializable": isolated(DjangoPostgres, SERIALIZABLE),
}
HOSTS.update({name: (PostgresSchema, kind) for name, kind in POSTGRES.items()})
if sys.version_info >= (3, 12):
    HOSTS["sqlite3 autocommit=False"] = (SqliteFile, sqlite3_host(waits=False, stale=True, autocommit=False))


class Stage:
    """A host beside an engine with an interview that may be retaken, and a row of the host's own."""

    def __init__(self, kind, tmp_path, situation="failed"):
        database, self.kind = HOSTS[kind]
        self.database = database(tmp_path)
        self.w = World(self.database.store())
        self.database.outside(*TABLE)
        self.at = self.w.bring_to(situation)
        self.host = None

    def connect(self, **how):
        self.host = self.kind(self.database, **how)
        return self.host

    def close(self):
        if self.host is not None:
            self.host.close()
        self.w.engine.close()
        self.database.drop()

    def on(self):
        return self.w.engine.on(self.host.db, **self.database.where)

    def retake(self, **more):
        return self.on().retake(self.at.id, actor=self.w.recruiter, **more)

    def move(self, stage="retake"):
        self.host.run(f"UPDATE application SET stage = '{stage}'")

    def seen(self):
        """What another connection sees: the host's row, and the state of the interview."""
        return (self.database.outside("SELECT stage FROM application")[0][0],
                self.w.engine.find(self.at.id, actor=self.w.recruiter).state)


@pytest.fixture(params=HOSTS)
def stage(request, tmp_path):
    s = Stage(request.param, tmp_path)
    yield s
    s.close()


FAILED, ARCHIVED = hirenow.InterviewState.FAILED, hirenow.InterviewState.ARCHIVED
