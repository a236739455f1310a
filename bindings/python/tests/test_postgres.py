"""What only a PostgreSQL store can do: announcing mail, and row security."""

import threading
from datetime import timedelta

import hirenow
import pytest
from hosts import postgres_url

psycopg = pytest.importorskip("psycopg")
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
        with hirenow.Dispatcher(engine, box, sender="jobs@acme.example", poll_every=timedelta(hours=1)) as d:
            with pytest.raises(hirenow.InvalidArgumentError):
                d.listen(url, schema="no$name")
            with d.running():
                engine.schedule(w.ada, "first", actor=w.recruiter)
                d.listen(url, schema="public")
                d.listen(url, schema=schema)  # it looks for what it may have missed
                assert box.arrived.acquire(timeout=WAIT)
                engine.schedule(w.ada, "second", actor=w.recruiter)
                assert box.arrived.acquire(timeout=WAIT if announces else 0.5) is announces


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
