"""What only a PostgreSQL store can do: announcing mail, and row security."""

import contextlib
import threading
from datetime import timedelta

import hirenow
import psycopg
import psycopg2
import pytest
from hosts import postgres_url

WAIT = 60


@pytest.fixture
def schema():
    name = "announced"
    with psycopg.connect(postgres_url(), autocommit=True) as db:
        db.execute(f"DROP SCHEMA IF EXISTS {name} CASCADE")
        yield name
        db.execute(f"DROP SCHEMA {name} CASCADE")


class Box:
    def __init__(self):
        self.arrived = threading.Semaphore(0)

    def send(self, mail):
        self.arrived.release()
        return hirenow.Delivery(hirenow.DeliveryOutcome.ACCEPTED)


@pytest.mark.parametrize("announces", [True, False])
def test_announced_mail_leaves_without_a_poll(world, schema, announces):
    w, url = world, postgres_url()
    with hirenow.open_store(url, schema=schema, announces_mail=announces, announce_every=timedelta(milliseconds=1),
                            database_clock=False) as store:
        engine = w.engine.over(store)
        box = Box()

        def arrives(track):
            engine.schedule(w.ada, track, actor=w.recruiter)
            return box.arrived.acquire(timeout=WAIT if announces else 0.5)

        with hirenow.Dispatcher(engine, box, sender="jobs@acme.example", poll_every=timedelta(hours=1)) as d:
            with pytest.raises(hirenow.InvalidArgumentError):
                d.listen(url, schema="no$name")
            with d.running():
                engine.schedule(w.ada, "first", actor=w.recruiter)
                d.listen(url, schema="public")
                d.listen(url, schema=schema)  # it looks for what it may have missed
                assert box.arrived.acquire(timeout=WAIT)
                # Who begins to run or to listen looks once by himself, late perhaps: three of four mails may leave so.
                assert all(arrives(track) for track in ("second", "third", "fourth", "fifth")) is announces


def test_a_store_turns_row_security_on(schema):
    def secured():
        with psycopg.connect(postgres_url()) as db:
            return db.execute(
                "SELECT bool_and(relrowsecurity) FROM pg_class WHERE relnamespace = %s::regnamespace AND relname IN "
                "('hirenow_applicant', 'hirenow_interview', 'hirenow_audit', 'hirenow_policy')", [schema]
            ).fetchone()[0]

    hirenow.open_store(postgres_url(), schema=schema).close()
    assert secured() is False
    hirenow.open_store(postgres_url(), schema=schema, row_security=True).close()
    assert secured() is True


@pytest.fixture
def owner(schema):
    """The URL of the schema's owner, who is no superuser, as a host's role is."""
    with psycopg.connect(postgres_url(), autocommit=True) as db:
        with contextlib.suppress(psycopg.errors.DuplicateObject):
            db.execute("CREATE ROLE owner LOGIN")
        db.execute(f"CREATE SCHEMA {schema} AUTHORIZATION owner")
    return postgres_url().replace("hirenow@", "owner@")


def asked(db, sql):
    cursor = db.cursor()
    cursor.execute(sql)
    return cursor.fetchall()


def everything(schema):
    """Whole rows, for a statement that asks for all there are and names no tenant: [(tenant, table, row)]."""
    tables = ("applicant", "interview", "interview_key", "outbox", "count_delta", "person", "audit")
    return " UNION ALL ".join(
        f"SELECT tenant, '{name}', t::text FROM {schema}.hirenow_{name} AS t JOIN {schema}.hirenow_tenant USING (tenant_no)"
        for name in tables
    ) + " ORDER BY 1, 2, 3"


@pytest.mark.parametrize("secured", [True, False], ids=["secured", "not secured"])
@pytest.mark.parametrize("connect", [psycopg.connect, psycopg2.connect], ids=["psycopg", "psycopg2"])
def test_a_hosts_transaction_is_shown_one_tenants_rows(memory_world, schema, owner, connect, secured):
    """Plain SQL of the host's, on the connection that was joined, is the oracle; a superuser says what there is."""
    w = memory_world
    store = hirenow.open_store(owner, schema=schema, row_security=secured, database_clock=False)
    engine = w.engine.over(store)
    ids = {actor.tenant: engine.schedule(w.ada, w.track, actor=actor).interview.id for actor in (w.recruiter, w.stranger)}
    with psycopg.connect(postgres_url(), autocommit=True) as above, contextlib.closing(connect(owner)) as db:
        there_is = asked(above, everything(schema))
        tables = {table for _, table, _ in there_is}
        assert len(tables) == 7 and {(tenant, table) for tenant, table, _ in there_is} == {
            (tenant, table) for tenant in ids for table in tables}
        assert asked(db, everything(schema)) == ([] if secured else there_is)  # nobody has said whose rows are meant
        db.rollback()
        on = engine.on(db, schema=schema)
        for actor, other in ((w.recruiter, w.stranger), (w.stranger, w.recruiter)):
            assert on.find(ids[actor.tenant], actor=actor).track == w.track
            own = [row for row in there_is if row[0] == actor.tenant]
            assert asked(db, everything(schema)) == (own if secured else there_is)
            with pytest.raises(hirenow.NotFoundError):
                on.find(ids[other.tenant], actor=actor)
            cursor = db.cursor()
            cursor.execute(f"UPDATE {schema}.hirenow_person SET name = 'x'")
            assert cursor.rowcount == (1 if secured else 2)
            db.rollback()
            assert asked(db, everything(schema)) == ([] if secured else there_is)  # said for that transaction alone
            db.rollback()
        # What one tenant's call writes is lawful, and shown to nobody else's.
        on.cancel(ids["acme"], actor=w.recruiter)
        db.commit()
        on.find(ids["globex"], actor=w.stranger)
        now = [row for row in asked(above, everything(schema)) if not secured or row[0] == "globex"]
        assert asked(db, everything(schema)) == now
        assert [row for row in now if row[0] == "globex"] == [row for row in there_is if row[0] == "globex"]
        db.rollback()
    store.close()
