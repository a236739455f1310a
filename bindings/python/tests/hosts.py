"""Hosts of every kind: an application's own connection, as its driver or its framework has it, to the database in which
hirenow's tables are."""

import sqlite3
import sys

import django
import pytest
import sqlalchemy
from conftest import World
from django.conf import settings
from django.db import connections, models, transaction

import hirenow

settings.configure(
    DATABASES={"sqlite": {"ENGINE": "django.db.backends.sqlite3", "NAME": "", "OPTIONS": {"timeout": 0.2}}, "default": {}}
)
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

    def __init__(self, folder):
        self.path = folder / "ats.db"
        self.url = f"sqlite:{self.path}"

    def outside(self, *statements):
        """The rows of the last statement, which runs on a connection of nobody else's."""
        db = sqlite3.connect(self.path, isolation_level=None)
        try:
            for sql in statements:
                rows = db.execute(sql).fetchall()
            return rows
        finally:
            db.close()

    def dump(self):
        """All that stands in hirenow's tables."""
        names = [n for n, in self.outside("SELECT name FROM sqlite_master WHERE name LIKE 'hirenow%' AND type = 'table'")]
        return {name: sorted(map(repr, self.outside(f"SELECT * FROM {name}"))) for name in names}


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
if sys.version_info >= (3, 12):
    HOSTS["sqlite3 autocommit=False"] = (SqliteFile, sqlite3_host(waits=False, stale=True, autocommit=False))


class Stage:
    """A host beside an engine with an interview that may be retaken, and a row of the host's own."""

    def __init__(self, kind, tmp_path, situation="failed"):
        database, self.kind = HOSTS[kind]
        self.database = database(tmp_path)
        self.w = World(self.database.url)
        self.database.outside(*TABLE)
        self.at = self.w.bring_to(situation)
        self.host = None

    def connect(self, **how):
        self.host = self.kind(self.database, **how)
        return self.host

    def on(self):
        return self.w.engine.on(self.host.db)

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
    if s.host is not None:
        s.host.close()


FAILED, ARCHIVED = hirenow.InterviewState.FAILED, hirenow.InterviewState.ARCHIVED
